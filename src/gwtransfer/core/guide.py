"""Linear costs that tell a plan what isometries cannot: which end is bright, what goes where."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import GaussianMixture
from gwtransfer.errors import DataError, ShapeError, UsageError

Array = NDArray[np.float64]


def known_guide(mixture: GaussianMixture) -> Array:
    """Return a mixture's guide (p,).

    Raises
    ------
    DataError
        It has none.
    """
    if mixture.guide is None:
        raise DataError("a luminance guide needs mixtures that carry one; fit the pictures again")
    return mixture.guide


def luminance_moments(mixture: GaussianMixture) -> tuple[Array, Array]:
    """Return mean and standard deviation of each component along the mixture's guide, (K,) each.

    Raises
    ------
    DataError
        The mixture has no guide.
    """
    direction = known_guide(mixture)
    means = mixture.means @ direction
    variances = np.einsum("p,kpq,q->k", direction, mixture.covariances, direction)
    return means, np.sqrt(np.clip(variances, 0.0, None))


def luminance_costs(source: GaussianMixture, target: GaussianMixture) -> Array:
    """Return Λ (K, L): W2² between the components' standardised luminance marginals (MATHS 6.1).

    Each side is standardised by its own total mean and deviation; a side of constant luminance
    is left at zero, and then guides nothing.
    """
    means0, deviations0 = _standardised(source)
    means1, deviations1 = _standardised(target)
    return np.asarray(
        (means0[:, None] - means1[None]) ** 2 + (deviations0[:, None] - deviations1[None]) ** 2
    )


def _standardised(mixture: GaussianMixture) -> tuple[Array, Array]:
    means, deviations = luminance_moments(mixture)
    centre = mixture.weights @ means
    spread = np.sqrt(mixture.weights @ ((means - centre) ** 2 + deviations**2))
    unit = spread if spread > 0 else 1.0
    return (means - centre) / unit, deviations / unit


def pair_costs(
    source: GaussianMixture, target: GaussianMixture, points0: Array, points1: Array
) -> Array:
    """Return a cost (K, L) that draws the component of each source point to its target point.

    Σ_i r_k(x_i) |n_l − y_i|² / q over q pairs, in units of the target's total variance: a pair
    speaks only for the components that could have made its source point.

    Parameters
    ----------
    points0, points1 : (q, d) and (q, e) arrays
        The pairs, in raw coordinates of either side.

    Raises
    ------
    ShapeError
        Not one target point for each source point.
    """
    if len(points0) != len(points1) or not len(points0):
        raise ShapeError(
            f"expected as many targets as sources, got {len(points0)} and {len(points1)}"
        )
    x, y = source.space.to_working(points0), target.space.to_working(points1)
    shares = source.densities.shares(x)
    distances = ((y[:, None, :] - target.means[None]) ** 2).sum(axis=-1)
    variance = float(np.trace(target.covariance))
    return np.asarray(shares.T @ distances / (len(x) * (variance if variance > 0 else 1.0)))


DEFAULT_ANCHOR = 2.0
"""Weight of the luminance guide where both sides have one (docs/defaults.md)."""

PAIR_WEIGHT = 10.0
"""Weight of the user's pairs: a share of the objective's constant for a whole miss."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Guide:
    """What steers a plan beside the files: the luminance anchor, and the user's pairs.

    Attributes
    ----------
    anchor : float >= 0 or None
        Weight of luminance as a share of the solver's constant. None means DEFAULT_ANCHOR where
        both sides know their luminance, else 0.
    points0, points1 : (q, d) and (q, e) arrays in raw coordinates, or None
        Source points and the target points they should go to.
    """

    anchor: float | None = None
    points0: Array | None = None
    points1: Array | None = None

    def __post_init__(self) -> None:
        if self.anchor is not None and not (np.isfinite(self.anchor) and self.anchor >= 0):
            raise UsageError(f"option anchor: expected a number of at least 0, got {self.anchor}")
        if (self.points0 is None) != (self.points1 is None):
            raise UsageError("pairs need both their source points and their target points")

    def weight(self, source: GaussianMixture, target: GaussianMixture) -> float:
        """Return the anchor's weight between two sides.

        Raises
        ------
        DataError
            An anchor is asked for and a side does not know its luminance.
        """
        known = source.guide is not None and target.guide is not None
        if self.anchor is None:
            return DEFAULT_ANCHOR if known else 0.0
        if self.anchor > 0 and not known:
            raise DataError("a luminance anchor needs two pictures or cubes; use --anchor 0")
        return self.anchor

    def directions(
        self, source: GaussianMixture, target: GaussianMixture, constant: float
    ) -> tuple[Array, Array] | None:
        """Return functionals g (m,), h (n,) whose squared difference an embedding adds to its cost.

        Both are standardised by their side's own luminance and carry the root of
        weight × constant; None when nothing anchors.
        """
        weight = self.weight(source, target)
        if weight == 0:
            return None
        root = np.sqrt(weight * constant)
        return root * _standard_direction(source), root * _standard_direction(target)

    def luminance_costs(
        self, source: GaussianMixture, target: GaussianMixture, constant: float
    ) -> Array | None:
        """Return weight × constant × Λ (K, L) of MATHS 6.1, or None when nothing anchors."""
        weight = self.weight(source, target)
        return None if weight == 0 else weight * constant * luminance_costs(source, target)

    def pair_costs(
        self, source: GaussianMixture, target: GaussianMixture, constant: float
    ) -> Array | None:
        """Return PAIR_WEIGHT × constant × the pairs' cost (K, L), or None without pairs."""
        if self.points0 is None or self.points1 is None:
            return None
        return PAIR_WEIGHT * constant * pair_costs(source, target, self.points0, self.points1)


def _standard_direction(mixture: GaussianMixture) -> Array:
    direction = known_guide(mixture)
    spread = float(np.sqrt(direction @ mixture.covariance @ direction))
    return np.asarray(direction / spread) if spread > 0 else np.zeros_like(direction)


def summed(*costs: Array | None) -> Array | None:
    """Return the sum of the costs that are not None, or None when all are."""
    given = [cost for cost in costs if cost is not None]
    return np.asarray(sum(given)) if given else None
