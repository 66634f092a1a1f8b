"""Maps of the line that are linear between nodes, and what they make of a law."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gwtransfer.study.law import Law

Array = NDArray[np.float64]
Cdf = Callable[[Array], Array]

BIN = 0.005
"""Width of the bins by which laws are compared."""


def total_variation(first: Cdf, second: Cdf, low: float, high: float) -> float:
    """Return the total variation between two laws on the line, given their distribution functions.

    That between their masses in bins of BIN from ``low`` to ``high`` and beyond both: never more
    than the whole, and as near to it as densities change little within a bin.
    """
    edges = np.linspace(low, high, int(np.ceil((high - low) / BIN)) + 1)
    apart = np.concatenate([[0.0], first(edges) - second(edges), [0.0]])
    return float(np.abs(np.diff(apart)).sum() / 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class Path:
    """A map of the line, linear between nodes, and the law it is applied to.

    Attributes
    ----------
    source : Law
        Its mass outside the nodes is taken to lie at the outermost ones.
    nodes, images : (n,) arrays
        x, increasing, and T(x), which may rise and fall.
    """

    source: Law
    nodes: Array
    images: Array

    @classmethod
    def of(cls, source: Law, mapping: Callable[[Array], Array], *, nodes: int = 40_001) -> "Path":
        """Return a map followed over the reach of a law at so many nodes."""
        points = np.linspace(*source.reach, nodes)
        return cls(source=source, nodes=points, images=mapping(points))

    @cached_property
    def slopes(self) -> Array:
        """Slope of each piece, (n − 1,)."""
        return np.asarray(np.diff(self.images) / np.diff(self.nodes))

    @property
    def steepest(self) -> float:
        """The largest slope, up or down."""
        return float(np.abs(self.slopes).max())

    @property
    def constant(self) -> float:
        """The Lipschitz constant of the map as one from N(0, 1), by which its source is made first.

        The source is the image of N(0, 1) by the increasing map F⁻¹∘Φ.
        """
        scores = self.source.normal_scores(self.nodes)
        return float(np.abs(np.diff(self.images) / np.diff(scores)).max())

    def cdf(self, points: Array) -> Array:
        """Return the mass of the image up to points of any shape, from every piece."""
        masses = self._masses
        turns = np.flatnonzero(np.diff(np.sign(np.diff(self.images))) != 0) + 1
        ends = np.concatenate([[0], turns, [len(self.nodes) - 1]])
        total = np.zeros(np.shape(points))
        for begin, end in pairwise(ends):
            images, mass = self.images[begin : end + 1], masses[begin : end + 1]
            if images[-1] > images[0]:
                total += np.interp(points, images, mass) - mass[0]
            elif images[-1] < images[0]:
                total += mass[-1] - np.interp(points, images[::-1], mass[::-1])
            else:
                total += np.where(points >= images[0], mass[-1] - mass[0], 0.0)
        return total

    @cached_property
    def _masses(self) -> Array:
        masses = self.source.cdf(self.nodes)
        return np.concatenate([[0.0], masses[1:-1], [1.0]])

    def mass(self, low: float, high: float) -> float:
        """Return the mass of the image from ``low`` to ``high``."""
        below, above = self.cdf(np.array([low, high]))
        return float(above - below)

    def distance(self, target: Law) -> float:
        """Return the total variation between the image and a law."""
        low = min(float(self.images.min()), target.reach[0])
        high = max(float(self.images.max()), target.reach[1])
        return total_variation(self.cdf, target.cdf, low - BIN, high + BIN)
