"""Cells of halved mass: a mixture without search or chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.threads import one_thread
from gwtransfer.errors import UsageError
from gwtransfer.fit.places import component_count

Array = NDArray[np.float64]

COMPONENTS = 20
"""How many Gaussians unless told otherwise."""

RAMP = 0.1
"""Points this near to a cut, in deviations of their cell along its axis, are in both halves."""

EQUAL = 1e-4
"""Variances, or distances, that differ by this share of the largest are the same."""

CLOSE = 0.05
"""Spreads that differ by this share of the largest are the same, as a left and a right leg's."""

DECIMALS = 12
"""Of a point's part in a half; less is none."""


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Halve the cell of largest spread across its longest axis until there are K cells.

    A divisive partition by principal directions (Boley, Data Mining and Knowledge Discovery 2,
    1998), but cut at the median, and softly: weights are powers of one half whatever the points,
    and the moments of the cells change little with the sample or with rounding. The seed changes
    nothing; moved or turned points give the moved or turned mixture.

    Where no axis is longest, as in a cube, a cell is cut across the direction of its farthest
    point. Of equally far points the first decides, so the points of a symmetric shape may give
    another mixture in another order.

    Attributes
    ----------
    components : int | None
        K, how many Gaussians; None is 20, or one for each distinct point where these are fewer.
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
        del seed
        count = component_count(points, self.components, COMPONENTS)
        # One thread, so that sums do not depend on how many the machine has.
        with one_thread():
            cells = [_Cell.of(points, np.full(len(points), 1 / len(points)), 1.0)]
            while len(cells) < count:
                spreads = np.array([cell.spread for cell in cells])
                widest = int(np.argmax(spreads >= (1 - CLOSE) * spreads.max()))
                cells[widest : widest + 1] = cells[widest].halves()
        floor = max(self.floor * float(points.var(axis=0).sum()), np.finfo(float).tiny)
        covariances = np.array([cell.covariance for cell in cells])
        return (
            np.array([cell.mass for cell in cells]),
            np.array([cell.mean for cell in cells]),
            covariances + floor * np.eye(points.shape[1]),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cell:
    """Points (n, p) from their mean, the mass of each (n,) and of all, and their moments."""

    mean: Array
    centred: Array
    masses: Array
    mass: float
    covariance: Array
    variances: Array
    axes: Array

    @classmethod
    def of(cls, points: Array, masses: Array, mass: float) -> "_Cell":
        """Compute the moments of points."""
        total = masses.sum()
        mean = masses @ points / total
        centred = points - mean
        covariance = centred.T @ (masses[:, None] * centred) / total
        covariance = (covariance + covariance.T) / 2
        variances, axes = np.linalg.eigh(covariance)
        return cls(
            mean=mean,
            centred=centred,
            masses=masses,
            mass=mass,
            covariance=covariance,
            variances=variances,
            axes=axes,
        )

    @property
    def spread(self) -> float:
        """Mass times the largest variance."""
        return self.mass * float(self.variances[-1])

    def halves(self) -> "tuple[_Cell, _Cell]":
        """Cut at the median of the longest axis; points near the cut go to both, in parts."""
        from scipy.optimize import brentq

        along = self._along()
        along /= np.sqrt(np.average(along * along, weights=self.masses))
        half = self.masses.sum() / 2

        def part(cut: float) -> Array:
            return np.clip((along - cut) / (2 * RAMP) + 0.5, 0.0, 1.0)

        cut = brentq(
            lambda cut: float(self.masses @ part(cut) - half),
            along.min() - RAMP,
            along.max() + RAMP,
        )
        above = np.round(part(cut), DECIMALS)
        return self._half(above), self._half(1 - above)

    def _half(self, part: Array) -> "_Cell":
        kept = part > 0
        masses = self.masses[kept] * part[kept]
        return _Cell.of(self.centred[kept] + self.mean, masses, self.mass / 2)

    def _along(self) -> Array:
        """Return the points' places on the longest axis, its longer tail positive, (n,)."""
        along = self.centred @ self.axes[:, -1]
        longest = self.variances >= (1 - EQUAL) * self.variances[-1]
        if longest.sum() > 1:
            among = self.centred @ self.axes[:, longest]
            distances = np.linalg.norm(among, axis=1)
            far = among[np.argmax(distances >= (1 - EQUAL) * distances.max())]
            along = among @ (far / np.linalg.norm(far))
        return -along if self.masses @ (along * along * along) < 0 else along
