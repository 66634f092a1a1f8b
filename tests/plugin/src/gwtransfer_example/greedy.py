"""Plan by coupling the nearest components first: quick, and seldom the best there is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import squared_w2
from gwtransfer.core.guide import Guide
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import DataError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """Give one pair of components after the other all the weight both still have.

    Attributes
    ----------
    first : Literal["nearest", "heaviest"]
        Which pair comes first.
    """

    first: Literal["nearest", "heaviest"] = "nearest"

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the plan, both mixtures re-expressed in one space; the guide is not used.

        Raises
        ------
        DataError
            The two sides do not live in one space.
        """
        space = _common(source.space, target.space)
        source, target = source.in_space(space), target.in_space(space)
        costs = squared_w2(source.means, source.covariances, target.means, target.covariances)
        coupling = self._coupled(costs, source.weights, target.weights)
        value = float((costs * coupling).sum())
        return TransportPlan(
            source=source,
            target=target,
            coupling=coupling,
            embedding=None,
            solver="greedy",
            value=value,
            bound=None,
            starts=1,
            reached=1,
            converged=True,
            history=np.array([value]),
        )

    def _coupled(self, costs: Array, rows: Array, columns: Array) -> Array:
        """Return a coupling (K, L) with these marginals."""
        left, right = rows.copy(), columns.copy()
        weights = np.minimum(rows[:, None], columns[None])
        keys = costs if self.first == "nearest" else -weights
        ranked = np.argsort(keys, axis=None, kind="stable")
        coupling = np.zeros_like(costs)
        for k, l in zip(*np.unravel_index(ranked, costs.shape), strict=True):
            coupling[k, l] = given = min(left[k], right[l])
            left[k] -= given
            right[l] -= given
        return coupling


def _common(one: Space, other: Space) -> Space:
    """Return one space for both sides, midway between them."""
    for side in (one, other):
        if side.dimension < side.raw_dimension:
            raise DataError("greedy: expected every axis kept; prepare with --variance 1")
    if (one.coordinates, one.dimension) != (other.coordinates, other.dimension):
        raise DataError(
            f"greedy: expected both sides in one space, found {one.dimension} {one.coordinates} "
            f"and {other.dimension} {other.coordinates} coordinates; use --solver mew2"
        )
    return Space(
        origin=(one.origin + other.origin) / 2,
        axes=np.eye(one.dimension),
        unit=(one.unit + other.unit) / 2,
        coordinates=one.coordinates,
        wavelengths=one.wavelengths,
    )
