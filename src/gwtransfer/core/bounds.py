"""Certificates: values no coupling and no embedding can go below."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-9
"""Share of the objective's constant by which rounding may lift a bound above a value."""

LOWERED = 1e-13
"""Share of the constant by which bounds of many pairs are lowered, far above their rounding."""


def quantile_cost(values0: Array, weights0: Array, values1: Array, weights1: Array) -> Array:
    """Return the squared 1-D transport cost between every pair of weighted profiles.

    ∫ (F − G)² over the levels of two quantile functions, as ∫ F² + ∫ G² − 2 ∫ F G. F is constant
    between two of its levels, so the last integral needs the primitive of G at these levels only,
    times what F drops there: piecewise linear, read for all rows of the first side at once.

    Parameters
    ----------
    values0, weights0 : (K, s) arrays
        Rows of values with weights that sum to 1.
    values1, weights1 : (L, t) arrays

    Returns
    -------
    (K, L) array, at least 0
        Exact to a few roundings of the squares' means.
    """
    values0, levels0 = _sorted_levels(values0, weights0)
    values1, levels1 = _sorted_levels(values1, weights1)
    masses0, masses1 = (np.diff(levels, axis=1, prepend=0.0) for levels in (levels0, levels1))
    knots = np.pad(levels1, ((0, 0), (1, 0)))
    primitives = np.pad(np.cumsum(masses1 * values1, axis=1), ((0, 0), (1, 0)))
    drops = -np.diff(values0, axis=1, append=0.0)
    products = np.empty((len(values0), len(values1)))
    for l, (knot, primitive) in enumerate(zip(knots, primitives, strict=True)):
        products[:, l] = np.einsum("ks,ks->k", np.interp(levels0, knot, primitive), drops)
    squares0, squares1 = (masses0 * values0**2).sum(axis=1), (masses1 * values1**2).sum(axis=1)
    return np.asarray(np.clip(squares0[:, None] + squares1 - 2 * products, 0.0, None))


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


Side = tuple[Array, Array]
"""A shape's own costs (K, K), symmetric, and its weights (K,)."""


def second_lower_bound(own0: Array, own1: Array, weights0: Array, weights1: Array) -> float:
    """Return SLB: the 1-D cost between the laws of all mutual distances (MATHS 3.6)."""
    laws = (_distance_laws([side]) for side in ((own0, weights0), (own1, weights1)))
    return float(quantile_cost(*next(laws), *next(laws))[0, 0])


def second_lower_bounds(sides0: Sequence[Side], sides1: Sequence[Side] | None = None) -> Array:
    """Return SLB between every shape of one list and every one of another, (N, M).

    They are lowered by LOWERED of the objective's constant, so that rounding puts none above a
    value. Each shape's distances are sorted once, and a pair takes microseconds.

    Parameters
    ----------
    sides0 : sequence of N sides
    sides1 : sequence of M sides, or None
        None compares the first list with itself: then the result is symmetric.
    """
    laws0 = _distance_laws(sides0)
    laws1 = laws0 if sides1 is None else _distance_laws(sides1)
    costs = quantile_cost(*laws0, *laws1)
    squares0, squares1 = ((law[1] * law[0] ** 2).sum(axis=1) for law in (laws0, laws1))
    costs -= LOWERED * (squares0[:, None] + squares1)
    if sides1 is None:
        costs = np.minimum(costs, costs.T)
        np.fill_diagonal(costs, 0.0)
    return np.asarray(np.clip(costs, 0.0, None))


def _distance_laws(sides: Sequence[Side]) -> tuple[Array, Array]:
    """Return distances and weights (N, s) of all unordered pairs of each of N shapes' components.

    Rows of fewer pairs are filled with weights of 0.
    """
    count = max(len(weights) for _, weights in sides)
    values, masses = np.zeros((2, len(sides), count * (count + 1) // 2))
    for row, mass, (own, weights) in zip(values, masses, sides, strict=True):
        k, i = np.triu_indices(len(weights))
        row[: len(k)] = own[k, i]
        mass[: len(k)] = np.where(k == i, 1.0, 2.0) * weights[k] * weights[i]
    return values, masses


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
