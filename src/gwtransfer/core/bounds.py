"""Certificates: values no coupling and no embedding can go below."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-9
"""Share of the objective's constant by which rounding may lift a bound above a value."""


def quantile_cost(values0: Array, weights0: Array, values1: Array, weights1: Array) -> Array:
    """Return the squared 1-D transport cost between every pair of weighted profiles.

    Batched over pairs: the merged levels of both step-shaped quantile functions are sorted
    together, and each interval between two levels pairs one value with one value.

    Parameters
    ----------
    values0, weights0 : (K, s) arrays
        Rows of values with weights that sum to 1.
    values1, weights1 : (L, t) arrays

    Returns
    -------
    (K, L) array, at least 0
    """
    values0, levels0 = _sorted_levels(values0, weights0)
    values1, levels1 = _sorted_levels(values1, weights1)
    (count0, size0), (count1, size1) = values0.shape, values1.shape
    result = np.empty((count0, count1))
    for k in range(count0):
        merged = np.concatenate([np.broadcast_to(levels0[k], (count1, size0)), levels1], axis=1)
        order = np.argsort(merged, axis=1, kind="stable")
        merged = np.take_along_axis(merged, order, axis=1)
        from0 = order < size0
        # Index of the interval a level closes: levels of the same side strictly before it.
        index0 = np.minimum(np.cumsum(from0, axis=1) - from0, size0 - 1)
        index1 = np.minimum(np.cumsum(~from0, axis=1) - ~from0, size1 - 1)
        gaps = np.diff(merged, axis=1, prepend=0.0)
        paired1 = np.take_along_axis(values1, index1, axis=1)
        result[k] = (gaps * (values0[k][index0] - paired1) ** 2).sum(axis=1)
    return result


def _sorted_levels(values: Array, weights: Array) -> tuple[Array, Array]:
    order = np.argsort(values, axis=1, kind="stable")
    levels = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    return np.take_along_axis(values, order, axis=1), levels / levels[:, -1:]


def profile_costs(own0: Array, own1: Array, weights0: Array, weights1: Array) -> Array:
    """Return the 1-D costs (K, L) between rows of two distance matrices: TLB's cost matrix.

    The linear programme over these costs is a lower bound of Gromov–Wasserstein (MATHS 3.6).
    """
    return quantile_cost(
        own0,
        np.broadcast_to(weights0, own0.shape),
        own1,
        np.broadcast_to(weights1, own1.shape),
    )


def second_lower_bound(own0: Array, own1: Array, weights0: Array, weights1: Array) -> float:
    """Return SLB: the 1-D cost between the laws of all mutual distances (MATHS 3.6)."""
    pairs0 = np.outer(weights0, weights0).reshape(1, -1)
    pairs1 = np.outer(weights1, weights1).reshape(1, -1)
    return float(quantile_cost(own0.reshape(1, -1), pairs0, own1.reshape(1, -1), pairs1)[0, 0])


def gelbrich(covariance0: Array, covariance1: Array) -> float:
    """Return Σ_{i<=n} (√λ_i − √κ_i)² + Σ_{i>n} λ_i, eigenvalues decreasing (MATHS 4.3).

    EW2² between two Gaussians, and a lower bound of EW2² and MEW2² between any two laws with
    these covariances. The dimensions may differ; the order of the arguments does not matter.
    """
    roots0, roots1 = (
        np.sqrt(np.clip(np.linalg.eigvalsh(c)[::-1], 0.0, None)) for c in (covariance0, covariance1)
    )
    size = max(len(roots0), len(roots1))
    padded0 = np.pad(roots0, (0, size - len(roots0)))
    padded1 = np.pad(roots1, (0, size - len(roots1)))
    return float(((padded0 - padded1) ** 2).sum())


def certified(bound: float, value: float, constant: float) -> float:
    """Return a bound to store beside a value: not above it by mere rounding.

    A bound above the value by more than ROUNDING of the constant is returned as it is, for the
    plan to refuse: then one of the two is wrong.
    """
    return min(bound, value) if bound <= value + ROUNDING * constant else bound
