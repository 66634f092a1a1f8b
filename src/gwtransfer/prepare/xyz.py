"""Shapes as points in space: centred, with one isotropic scale."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import open3d
from gwtransfer.core.raster import Raster
from gwtransfer.core.surface import areas, places
from gwtransfer.core.types import Cloud, Prepared, Space
from gwtransfer.errors import DataError, PluginError, UsageError

Array = NDArray[np.float64]
Sampling = Literal["area", "poisson", "farthest", "voxel"]

DENSE = 5
"""Times as many points of a surface as are asked for, of which the farthest or voxels are taken."""

ENOUGH = 0.98
"""Share of the points asked for that voxels must come up to, for their side to be left as it is."""

HALVINGS = 30
"""Steps that narrow the side of voxels."""


@dataclass(frozen=True, kw_only=True)
class Xyz:
    """Sample a shape's surface by area, or take a cloud's points; blind to the shape's size.

    Moved and turned copies get moved and turned samples, but for voxels, which lie along the axes
    of the file.

    Attributes
    ----------
    sample : int
        Points drawn on a mesh's surface; a cloud of more points is thinned to as many.
    sampling : Literal["area", "poisson", "farthest", "voxel"]
        area: at random; poisson: at random but apart, for meshes only; farthest: each point as far
        as can be from those before; voxel: a mean in each cube of a grid. All but area need Open3D.
    size : bool
        Keep the shape's own size instead of scaling it to radius one.
    """

    sample: int = 10_000
    sampling: Sampling = "area"
    size: bool = False

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise UsageError(f"option sample: expected at least 1 point, got {self.sample}")

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points in working coordinates.

        Raises
        ------
        DataError
            The item is not a shape, its surface has no area, or it has none for Poisson-disk
            samples.
        PluginError
            The sampling needs Open3D, and it is not there.
        """
        if not isinstance(item, Cloud):
            raise DataError(f"{item.name}: expected a shape, found a picture or cube")
        try:
            points = self._points(item, seed)
        except PluginError as error:
            raise PluginError(f"{item.name}: {error}; or leave out sampling") from error
        origin = points.mean(axis=0)
        radius = float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean()))
        space = Space(
            origin=origin,
            axes=np.eye(3),
            unit=1.0 if self.size or radius == 0 else radius,
            coordinates="xyz",
        )
        return Prepared(points=space.to_working(points), space=space)

    def _points(self, cloud: Cloud, seed: int) -> Array:
        rng = np.random.default_rng([seed, 2])
        if self.sampling == "poisson":
            if cloud.faces is None:
                raise DataError(
                    f"{cloud.name}: expected a surface for sampling poisson, found a cloud without "
                    "faces; use sampling farthest"
                )
            _check_area(cloud, cloud.faces)
            return open3d.poisson(cloud.vertices, cloud.faces, self.sample, seed)
        if cloud.faces is None and len(cloud.vertices) <= self.sample:
            return cloud.vertices
        if self.sampling == "area":
            return _drawn(cloud, self.sample, rng)
        dense = cloud.vertices if cloud.faces is None else _drawn(cloud, DENSE * self.sample, rng)
        if self.sampling == "farthest":
            return np.asarray(dense[open3d.farthest(dense, self.sample)])
        return _voxels(dense, self.sample)


def _drawn(cloud: Cloud, count: int, rng: np.random.Generator) -> Array:
    """Return points at random, uniform on the surface, or some of a cloud's in its order."""
    if cloud.faces is None:
        edges = np.arange(count + 1) * len(cloud.vertices) // count
        return cloud.vertices[edges[:-1] + (rng.random(count) * np.diff(edges)).astype(np.intp)]
    _check_area(cloud, cloud.faces)
    face, shares = places(cloud.vertices, cloud.faces, count, rng)
    return np.asarray(np.einsum("nc,ncd->nd", shares, cloud.vertices[cloud.faces[face]]))


def _check_area(cloud: Cloud, faces: NDArray[np.integer]) -> None:
    if not areas(cloud.vertices, faces).sum() > 0:
        raise DataError(f"{cloud.name}: expected a surface, found faces without area")


def _voxels(points: Array, count: int) -> Array:
    """Return the means of voxels as small as they can be when at most ``count`` hold points."""
    extent = float(np.ptp(points, axis=0).max())
    if extent == 0:
        return points[:1]
    few, many = 2 * extent, extent / len(points)
    best = open3d.voxel(points, few)
    for _ in range(HALVINGS):
        if len(best) >= ENOUGH * count:
            break
        side = float(np.sqrt(few * many))
        means = open3d.voxel(points, side)
        if len(means) <= count:
            few, best = side, means
        else:
            many = side
    return best
