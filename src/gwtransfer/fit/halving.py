"""Cells of halved mass: a mixture without search or chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import UsageError
from gwtransfer.fit.places import component_count

Array = NDArray[np.float64]

SHARED = 1e-4
"""Points this near to a cut, in deviations of their cell along its axis, belong to both halves."""

EQUAL = 1e-4
"""Variances, or distances, that differ by this share of the largest are the same."""

WHOLE = 9
"""Decimals of a point's share; less than that of a point is none."""


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Halve the cell of largest spread across its longest axis until there are K cells.

    A divisive partition by principal directions (Boley, Data Mining and Knowledge Discovery 2,
    1998), but cut at the median: weights are powers of one half, whatever the points, and the
    moments of the cells vary little with the sample. The seed changes nothing, and moved or turned
    points give the moved or turned mixture.

    Where no axis is longest, as in a cube, a cell is cut across the direction of its farthest
    point. Of equally far points the first decides, so the points of a symmetric shape may give
    another mixture in another order.

    Attributes
    ----------
    components : int | None
        K, how many Gaussians; None is 15, or one for each distinct point where these are fewer.
    floor : float
        Added to every variance, as a share of the data's total variance.
    """

    components: int | None = None
    floor: float = 1e-4

    def __post_init__(self) -> None:
        if self.components is not None and self.components < 1:
            raise UsageError(f"option components: expected at least 1, got {self.components}")
        if not 0 <= self.floor < 1:
            raise UsageError(f"option floor: expected a share in [0, 1), got {self.floor}")

    def __call__(self, points: Array, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p) of points (n, p).

        Raises
        ------
        DataError
            Fewer distinct points than components.
        """
        count = component_count(points, self.components)
        cells = [_Cell.of(points, np.full(len(points), 1 / len(points)), 1.0)]
        while len(cells) < count:
            widest = max(range(len(cells)), key=lambda index: cells[index].spread)
            cells[widest : widest + 1] = cells[widest].halves()
        variance = float(points.var(axis=0).sum())
        floor = max(self.floor * variance, np.finfo(float).tiny)
        covariances = np.array([cell.covariance for cell in cells])
        return (
            np.array([cell.mass for cell in cells]),
            np.array([cell.mean for cell in cells]),
            covariances + floor * np.eye(points.shape[1]),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cell:
    """Points (n, p), the mass of each (n,) and of all, and their moments."""

    points: Array
    masses: Array
    mass: float
    mean: Array
    covariance: Array
    variances: Array
    axes: Array

    @classmethod
    def of(cls, points: Array, masses: Array, mass: float) -> "_Cell":
        """Compute the moments of points."""
        shares = masses / masses.sum()
        mean = shares @ points
        centred = points - mean
        covariance = centred.T @ (shares[:, None] * centred)
        covariance = (covariance + covariance.T) / 2
        variances, axes = np.linalg.eigh(covariance)
        return cls(
            points=points,
            masses=masses,
            mass=mass,
            mean=mean,
            covariance=covariance,
            variances=variances,
            axes=axes,
        )

    @property
    def spread(self) -> float:
        """Mass times the largest variance."""
        return self.mass * float(self.variances[-1])

    def halves(self) -> "tuple[_Cell, _Cell]":
        """Cut at the median of the longest axis; points on the cut are in both halves, in parts."""
        along = self._along()
        order = np.argsort(along, kind="stable")
        below = np.cumsum(self.masses[order])
        cut = along[order[np.searchsorted(below, below[-1] / 2)]]
        band = SHARED * np.sqrt(max(self.variances[-1], 0.0))
        under, over = along < cut - band, along > cut + band
        shared = ~(under | over)
        lacking = below[-1] / 2 - self.masses[under].sum()
        part = float(np.round(np.clip(lacking / self.masses[shared].sum(), 0, 1), WHOLE))
        return self._part(under + part * shared), self._part(over + (1 - part) * shared)

    def _part(self, shares: Array) -> "_Cell":
        kept = shares > 0
        return _Cell.of(self.points[kept], (shares * self.masses)[kept], self.mass / 2)

    def _along(self) -> Array:
        """Return the points' places on the longest axis, its longer tail positive, (n,)."""
        centred = self.points - self.mean
        longest = self.variances >= (1 - EQUAL) * self.variances[-1]
        along = centred @ self.axes[:, -1]
        if longest.sum() > 1:
            among = centred @ self.axes[:, longest]
            distances = np.linalg.norm(among, axis=1)
            far = among[np.argmax(distances >= (1 - EQUAL) * distances.max())]
            along = among @ (far / np.linalg.norm(far))
        return -along if self.masses @ along**3 < 0 else along
