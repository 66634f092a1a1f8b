"""Expectation–maximisation by sufficient statistics: any split of the points, any order of work.

One iteration is a sum over chunks of points, so it runs on a sample, on a file larger than
memory, or on many machines, with the same result.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import kernels
from gwtransfer.core.densities import Densities, with_ones
from gwtransfer.core.device import HOST, Device

Array = NDArray[np.float64]
Mixture = tuple[Array, Array, Array]
"""Weights (K,), means (K, p) and covariances (K, p, p)."""

BLOCK_VALUES = 262_144
"""Values computed at once for a block: two megabytes, which a core's cache holds."""

LEAST_BLOCK = 256
"""Points in a block at least, so that its products are products."""

WIDE = 64
"""Axes above which the quadratic features take longer than one product a component."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistics:
    """What one pass over some points says of a mixture; those of two sets of points add up.

    Attributes
    ----------
    sums : (F, K) array
        Σ r_k(z) φ(z), with the quadratic features φ of `kernels.quadratic_features`.
    log_likelihood : float
        Σ log density.
    """

    sums: Array
    log_likelihood: float

    def __add__(self, other: "Statistics") -> "Statistics":
        """Return the statistics of both sets of points."""
        return Statistics(
            sums=self.sums + other.sums, log_likelihood=self.log_likelihood + other.log_likelihood
        )


def statistics(
    points: Array, weights: Array | None, densities: Densities, device: Device = HOST
) -> Statistics:
    """Return the statistics of points (n, p) that count ``weights`` (n,), or 1, each.

    Blocks are added in order; the sum depends on the points and the device, and on nothing else.
    """
    weights = np.ones(len(points)) if weights is None else weights
    size = _block_size(densities, device)
    is_wide = densities.dimension > WIDE
    kernel = kernels.wide_expectation if is_wide else kernels.expectation
    arrays = densities.arrays if is_wide else (densities.coefficients,)
    placed = [device.put(array) for array in arrays]
    sums = np.zeros((kernels.feature_count(densities.dimension), densities.count))
    total = 0.0
    for start in range(0, len(points), size):
        block = device.put(with_ones(points[start : start + size]))
        counted = device.put(weights[start : start + size])
        part, likelihood = device.run(kernel, block, counted, *placed)
        sums += part
        total += float(likelihood)
    return Statistics(sums=sums, log_likelihood=total)


def _block_size(densities: Densities, device: Device) -> int:
    p = densities.dimension
    held = densities.count * p if p > WIDE else kernels.feature_count(p)
    return max(LEAST_BLOCK, device.enlarged * BLOCK_VALUES // held)


def hard_statistics(points: Array, labels: NDArray[np.integer], count: int) -> Statistics:
    """Return the statistics of points (n, p) that belong to one component each, labels (n,)."""
    sums = np.empty((kernels.feature_count(points.shape[1]), count))
    for k in range(count):
        block = with_ones(points[labels == k])
        sums[:, k] = kernels.upper_half(np, block @ block.T)
    return Statistics(sums=sums, log_likelihood=-np.inf)


def maximised(statistics: Statistics, floor: float) -> Mixture:
    """Return the likeliest mixture given the shares, with ``floor`` added to every variance."""
    sums = statistics.sums
    p = _dimension(len(sums))
    held = sums[-1] + 10 * np.finfo(float).eps
    means = (sums[-1 - p : -1] / held).T
    upper = np.triu_indices(p)
    covariances = np.empty((len(held), p, p))
    covariances[:, upper[0], upper[1]] = (sums[: len(upper[0])] / held).T
    covariances[:, upper[1], upper[0]] = covariances[:, upper[0], upper[1]]
    covariances -= means[:, :, None] * means[:, None, :]
    covariances[:, np.arange(p), np.arange(p)] += floor
    return held / held.sum(), means, covariances


def _dimension(features: int) -> int:
    """Return p of F = (p + 1)(p + 2) / 2."""
    return (int(np.sqrt(8 * features + 1)) - 3) // 2


Pass = Callable[[Densities], Statistics]
"""A pass over all points under a mixture."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Ascent:
    """Where expectation–maximisation ended.

    Attributes
    ----------
    mixture : Mixture
    history : tuple of float
        Mean log-likelihood of a point before each maximisation.
    converged : bool
    """

    mixture: Mixture
    history: tuple[float, ...]
    converged: bool


def ascend(once: Pass, start: Mixture, *, floor: float, most: int, tolerance: float) -> Ascent:
    """Alternate passes over the points and maximisations, ``most`` at most.

    Stops when the mean log-likelihood of a point gains less than ``tolerance``.
    """
    mixture, history = start, [-np.inf]
    for _ in range(most):
        found = once(Densities.of(*mixture))
        mixture = maximised(found, floor)
        history.append(found.log_likelihood / float(found.sums[-1].sum()))
        if abs(history[-1] - history[-2]) < tolerance:
            return Ascent(mixture=mixture, history=tuple(history[1:]), converged=True)
    return Ascent(mixture=mixture, history=tuple(history[1:]), converged=False)
