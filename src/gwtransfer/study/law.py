"""Gaussian mixtures on the line: densities, distribution functions and quantiles."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]

REACH = 8.0
"""Deviations beyond which a component is not followed: 6e-16 of it."""

NODES = 16_385
"""Points between which quantiles are interpolated."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Law:
    """Σ_k weights[k] N(means[k], deviations[k]²) on the line.

    Attributes
    ----------
    weights, means, deviations : (K,) arrays
        Weights above 0 that sum to 1; deviations above 0.
    """

    weights: Array
    means: Array
    deviations: Array

    @classmethod
    def balanced(cls, mean: float) -> "Law":
        """Return ½ N(−mean, 1) + ½ N(mean, 1)."""
        return cls(
            weights=np.array([0.5, 0.5]), means=np.array([-mean, mean]), deviations=np.ones(2)
        )

    def density(self, points: Array) -> Array:
        """Return the density at points of any shape."""
        scaled = (points[..., None] - self.means) / self.deviations
        heights = self.weights / (self.deviations * np.sqrt(2 * np.pi))
        return np.asarray(np.exp(-(scaled**2) / 2) @ heights)

    def cdf(self, points: Array) -> Array:
        """Return the mass up to points of any shape."""
        return np.asarray(ndtr((points[..., None] - self.means) / self.deviations) @ self.weights)

    def above(self, points: Array) -> Array:
        """Return the mass beyond points of any shape, small ones to their last digit."""
        return np.asarray(ndtr((self.means - points[..., None]) / self.deviations) @ self.weights)

    def normal_scores(self, points: Array) -> Array:
        """Return Φ⁻¹(F(x)): the inverse of the one increasing map that pushes N(0, 1) here."""
        below, above = self.cdf(points), self.above(points)
        return np.asarray(np.where(below < above, ndtri(below), -ndtri(above)))

    def quantiles(self, scores: Array) -> Array:
        """Return F⁻¹(Φ(u)), interpolated between NODES points; within the reach."""
        return np.asarray(np.interp(scores, *self._table))

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        points = np.linspace(*self.reach, NODES)
        return np.maximum.accumulate(self.normal_scores(points)), points

    @cached_property
    def reach(self) -> tuple[float, float]:
        """Ends of the segment that holds all of the mass but 1e-15."""
        spread = REACH * self.deviations
        return float((self.means - spread).min()), float((self.means + spread).max())


NORMAL = Law(weights=np.ones(1), means=np.zeros(1), deviations=np.ones(1))
"""N(0, 1), the γ of MATHS 7."""
