"""What lies between far components of a target, and which source components are split by it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import GaussianMixture

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

DEVIATIONS = 2.0
"""A component reaches so many of its deviations along a line, and as far to its sides."""

LEAST_WIDTH = 0.1
"""Slabs narrower than this share of the mixture's radius part nothing that is far."""

LEAST_PART = 0.05
"""A component that sends less than this share of itself somewhere is not split by it."""

BLOCK_VALUES = 4_000_000
"""Positions computed at once."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gaps:
    """The gaps between pairs of components that are far from one another.

    Along u = (n_j − n_i) / |n_j − n_i| component i reaches n_i + DEVIATIONS σ_i and j begins at
    n_j − DEVIATIONS σ_j, σ being deviations along u. Where the second is above the first by
    LEAST_WIDTH of the mixture's radius √tr or more, the two are far. The *slab* is what lies
    between two such planes, however far to the side; the *gap* is the part of the slab that is
    about the line: as near to it as DEVIATIONS of the wider component across u, and as half the
    width of the slab at least.

    Attributes
    ----------
    first, second : (q,) arrays of int
        i < j.
    centre, direction : (q, n) arrays
        n_i and u, in working coordinates.
    low, high : (q,) arrays
        Where the slab begins and ends along u, from n_i.
    radius : (q,) array
        Of the gap around the line.
    """

    first: Index
    second: Index
    centre: Array
    direction: Array
    low: Array
    high: Array
    radius: Array

    @classmethod
    def of(cls, mixture: GaussianMixture) -> "Gaps":
        """Return the gaps between all pairs of components that are far."""
        first, second = np.triu_indices(mixture.count, 1)
        steps = mixture.means[second] - mixture.means[first]
        lengths = np.linalg.norm(steps, axis=1)
        distinct = lengths > 0
        first, second, lengths = first[distinct], second[distinct], lengths[distinct]
        direction = steps[distinct] / lengths[:, None]
        reaches, wide = np.empty((2, len(first))), np.empty((2, len(first)))
        across = np.eye(mixture.dimension) - direction[:, :, None] * direction[:, None]
        for side, index in enumerate((first, second)):
            own = mixture.covariances[index]
            along = np.einsum("qi,qij,qj->q", direction, own, direction)
            reaches[side] = DEVIATIONS * np.sqrt(np.clip(along, 0.0, None))
            most = np.linalg.eigvalsh(across @ own @ across)[:, -1]
            wide[side] = DEVIATIONS * np.sqrt(np.clip(most, 0.0, None))
        low, high = reaches[0], lengths - reaches[1]
        whole = cls(
            first=first,
            second=second,
            centre=mixture.means[first],
            direction=direction,
            low=low,
            high=high,
            radius=np.maximum(wide.max(axis=0), (high - low) / 2),
        )
        least = LEAST_WIDTH * float(np.sqrt(np.trace(mixture.covariance)))
        return whole.only(np.flatnonzero((high > low) & (high - low >= least)))

    def __len__(self) -> int:
        """Return q."""
        return len(self.first)

    def only(self, which: Index) -> "Gaps":
        """Return some of the gaps."""
        return Gaps(**{name: getattr(self, name)[which] for name in self.__dataclass_fields__})

    @property
    def width(self) -> Array:
        """Width of each slab, (q,)."""
        return np.asarray(self.high - self.low)

    def sides(self, points: Array) -> "Sides":
        """Tell where points (N, n) lie."""
        shape = (len(points), len(self))
        found = Sides(*(np.empty(shape, dtype=np.bool_) for _ in range(3)))
        start = np.einsum("qi,qi->q", self.centre, self.direction)
        norms = (self.centre**2).sum(axis=1)
        size = max(1, BLOCK_VALUES // max(1, len(self)))
        for at in range(0, len(points), size):
            part = slice(at, at + size)
            own = points[part]
            along = own @ self.direction.T - start
            aside = (own**2).sum(axis=1)[:, None] + norms - 2 * own @ self.centre.T - along**2
            found.below[part] = along <= self.low
            found.slab[part] = (along > self.low) & (along < self.high)
            found.inside[part] = found.slab[part] & (aside <= self.radius**2)
        return found


class Sides(NamedTuple):
    """Where points lie, (N, q) arrays of bool.

    Attributes
    ----------
    below : on the first component's side of each slab
    slab : in each slab
    inside : in each gap
    """

    below: Mask
    slab: Mask
    inside: Mask


def split_by(coupling: Array, gaps: Gaps) -> Mask:
    """Tell which source components are split by which gaps, (K, q).

    A component is split by a gap where the coupling (K, L) sends LEAST_PART of it or more to the
    component on either side.
    """
    parts = coupling / coupling.sum(axis=1, keepdims=True)
    least = np.minimum(parts[:, gaps.first], parts[:, gaps.second])
    return np.asarray(least >= LEAST_PART)
