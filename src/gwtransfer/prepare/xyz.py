"""Shapes as points in space: centred, with one isotropic scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, Prepared, Space
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Xyz:
    """Sample a shape's surface by area, or take a cloud's points.

    Attributes
    ----------
    sample : int
        Points drawn on a mesh's surface; a cloud of more points is thinned to as many.
    size : bool
        Keep the shape's own size instead of scaling it to radius one.
    """

    sample: int = 10_000
    size: bool = False

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise UsageError(f"option sample: expected at least 1 point, got {self.sample}")

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points in working coordinates.

        Raises
        ------
        DataError
            The item is not a shape, or its surface has no area.
        """
        if not isinstance(item, Cloud):
            raise DataError(f"{item.name}: expected a shape, found a picture or cube")
        points = self._points(item, np.random.default_rng([seed, 2]))
        origin = points.mean(axis=0)
        radius = float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean()))
        space = Space(
            origin=origin,
            axes=np.eye(3),
            unit=1.0 if self.size or radius == 0 else radius,
            coordinates="xyz",
        )
        return Prepared(points=space.to_working(points), space=space)

    def _points(self, cloud: Cloud, rng: np.random.Generator) -> Array:
        if cloud.faces is None:
            if len(cloud.vertices) <= self.sample:
                return cloud.vertices
            chosen = rng.choice(len(cloud.vertices), self.sample, replace=False)
            return cloud.vertices[np.sort(chosen)]
        corners = cloud.vertices[cloud.faces]
        sides = corners[:, 1:] - corners[:, :1]
        areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2
        if not areas.sum() > 0:
            raise DataError(f"{cloud.name}: expected a surface, found faces without area")
        face = rng.choice(len(areas), self.sample, p=areas / areas.sum())
        u, v = rng.random((2, self.sample))
        fold = u + v > 1
        u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
        return np.asarray(
            corners[face, 0] + u[:, None] * sides[face, 0] + v[:, None] * sides[face, 1]
        )
