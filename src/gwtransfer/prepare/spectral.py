"""Shapes as intrinsic points: coordinates that bending and posing leave alone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.laplacian import Basis, eigenbasis
from gwtransfer.core.raster import Raster
from gwtransfer.core.surface import evenly, places
from gwtransfer.core.types import Cloud, Prepared, Space
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]

MOST_DIMENSIONS = 100
"""Eigenfunctions beyond the hundredth are finer than what a mixture sees."""

FLAT = 1e-10
"""An eigenvalue below this share of the largest is that of a piece nothing joins to the rest."""


@dataclass(frozen=True, kw_only=True)
class Spectral:
    """Take coordinates φ_i/√λ_i or φ_i/λ_i of the Laplacian, i = 1 … dimensions (MATHS 6.6).

    Distances between such points are those of diffusion along the surface, so poses of one animal
    coincide; signs and turns are arbitrary, which MGW2 and MEW2 do not see. Blind to size.

    Attributes
    ----------
    dimensions : int
        Coordinates p.
    kind : Literal["commute", "biharmonic"]
        φ/√λ (commute time) or φ/λ (biharmonic, smoother).
    sample : int
        Points drawn by area.
    """

    dimensions: int = 8
    kind: Literal["commute", "biharmonic"] = "commute"
    sample: int = 10_000

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= MOST_DIMENSIONS:
            raise UsageError(
                f"option dimensions: expected 1 to {MOST_DIMENSIONS}, got {self.dimensions}"
            )
        if self.sample < 1:
            raise UsageError(f"option sample: expected at least 1 point, got {self.sample}")

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points in working coordinates.

        Raises
        ------
        DataError
            The item is not a shape, or has no surface to diffuse on.
        """
        if not isinstance(item, Cloud):
            raise DataError(f"{item.name}: expected a shape, found a picture or cube")
        return self.prepared(eigenbasis(item, self.dimensions + 1), item.name, seed=seed)

    def prepared(self, basis: Basis, name: str, *, seed: int) -> Prepared:
        """Return the points of a shape whose eigenfunctions are known already."""
        points = self._drawn(self.coordinates(basis, name), basis, seed)
        origin = points.mean(axis=0)
        unit = float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean()))
        space = Space(
            origin=origin, axes=np.eye(self.dimensions), unit=unit, coordinates="spectral"
        )
        return Prepared(points=space.to_working(points), space=space)

    def coordinates(self, basis: Basis, name: str) -> Array:
        """Return the coordinates (s, dimensions) of a basis's points."""
        kept = slice(1, self.dimensions + 1)
        values = basis.values[kept]
        if values[0] <= FLAT * values[-1]:
            raise DataError(f"{name}: expected a connected shape, found pieces nothing joins")
        return basis.functions[:, kept] / (np.sqrt(values) if self.kind == "commute" else values)

    def _drawn(self, coordinates: Array, basis: Basis, seed: int) -> Array:
        rng = np.random.default_rng([seed, 2])
        points, faces = basis.shape.points, basis.shape.faces
        if faces is None:
            return np.asarray(coordinates[evenly(basis.mass, self.sample, rng)])
        face, shares = places(points, faces, self.sample, rng)
        return np.asarray(np.einsum("nc,ncd->nd", shares, coordinates[faces[face]]))
