"""Couplings of component weights: exact and entropic ones. The only importer of POT."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import SolverError

Array = NDArray[np.float64]

MASS_TOLERANCE = 1e-9
"""How far a marginal returned by the linear programme may be off before it is an error."""

PIVOTS, OPTIMAL = 1_000_000, 1
"""Most steps of one linear programme, and what POT's solver says of a finished one."""

REACHED = 1e-3
"""A start counts as having reached the best when it ends within this share of it."""


def exact(costs: Array, weights0: Array, weights1: Array) -> Array:
    """Return an optimal vertex coupling of a linear cost.

    Parameters
    ----------
    costs : (K, L) array, any sign
    weights0, weights1 : (K,) and (L,) arrays, each summing to 1

    Returns
    -------
    (K, L) array with at most K + L − 1 entries above zero

    Raises
    ------
    SolverError
        The costs are not finite, or the solver lost mass.
    """
    return np.asarray(exact_each(costs[None], weights0, weights1)[0])


def exact_each(costs: Array, weights0: Array, weights1: Array) -> Array:
    """Return an optimal vertex coupling of each of several linear costs, (s, K, L) for (s, K, L).

    Each minimum is subtracted first: POT answers an all-negative cost with an empty plan. A result
    does not depend on what is solved beside it.

    Parameters
    ----------
    costs : (s, K, L) array
    weights0, weights1 : (K,) and (L,) arrays, or (s, K) and (s, L) ones

    Raises
    ------
    SolverError
        The costs are not finite, or the solver lost mass.
    """
    if not np.isfinite(costs).all():
        raise SolverError("coupling costs are not finite: a mean or covariance is too large")
    count, *shape = costs.shape
    flat = costs.reshape(count, shape[0] * shape[1])
    flat = flat - flat.min(axis=1, keepdims=True)
    scales = flat.max(axis=1, keepdims=True)
    flat /= np.where(scales > 0, scales, 1.0)
    supplies, demands = _balanced(weights0, weights1)
    supplies = np.broadcast_to(supplies, (count, shape[0]))
    demands = np.broadcast_to(demands, (count, shape[1]))
    positive = np.minimum(supplies.min(axis=1), demands.min(axis=1)) > 0
    compiled, checked = _solver(positive=True), _solver(positive=False)
    couplings = np.empty(costs.shape)
    each = zip(
        couplings, supplies, demands, flat.reshape(costs.shape), positive.tolist(), strict=True
    )
    for coupling, supply, demand, cost, quick in each:
        coupling[...] = (compiled if quick else checked)(supply, demand, cost)
    off = max(
        float(np.abs(couplings.sum(axis=2) - weights0).max(initial=0.0)),
        float(np.abs(couplings.sum(axis=1) - weights1).max(initial=0.0)),
    )
    if off > MASS_TOLERANCE:
        raise SolverError(f"the linear programme lost {off:.2e} of its mass")
    return couplings


def _balanced(weights0: Array, weights1: Array) -> tuple[Array, Array]:
    """Return both weights, contiguous, the second brought to the sum of the first."""
    sums = weights0.sum(axis=-1, keepdims=True) / weights1.sum(axis=-1, keepdims=True)
    return np.ascontiguousarray(weights0), np.ascontiguousarray(weights1 * sums)


@cache
def _solver(*, positive: bool) -> Callable[[Array, Array, Array], Array]:
    """Return what solves a linear programme of (K,), (L,) weights and (K, L) contiguous costs.

    POT's compiled solver itself, since `ot.emd` spends three times as long on its checks as on a
    programme of 20 × 20; `ot.emd` where a weight is zero, which the solver must not see, where
    POT keeps the solver under another name, and for what the solver does not finish.
    """
    import ot

    def checked(supply: Array, demand: Array, costs: Array) -> Array:
        return np.asarray(ot.emd(supply, demand, costs, numItermax=PIVOTS))

    if not positive:
        return checked
    try:
        from ot.lp.emd_wrap import emd_c
    except ImportError:
        return checked

    def compiled(supply: Array, demand: Array, costs: Array) -> Array:
        coupling, _, _, _, state = emd_c(supply, demand, costs, PIVOTS, 1)
        return np.asarray(coupling) if state == OPTIMAL else checked(supply, demand, costs)

    return compiled


def entropic(costs: Array, weights0: Array, weights1: Array, *, epsilon: float) -> Array:
    """Return the entropic coupling, rounded onto the exact marginals.

    Parameters
    ----------
    costs : (K, L) array
    epsilon : float
        Regularisation as a share of the spread of the costs, never absolute.
    """
    import ot

    spread = float(np.ptp(costs))
    if spread == 0:
        return np.outer(weights0, weights1)
    coupling = ot.sinkhorn(
        weights0,
        weights1,
        (costs - costs.min()) / spread,
        reg=epsilon,
        method="sinkhorn_log",
        numItermax=500,
        stopThr=1e-7,
        warn=False,
    )
    return onto_marginals(np.asarray(coupling), weights0, weights1)


def onto_marginals(coupling: Array, weights0: Array, weights1: Array) -> Array:
    """Round a nearly feasible coupling onto Π(weights0, weights1).

    Rows, then columns, are shrunk to their marginal; what is missing is added as a product
    (Altschuler, Weed, Rigollet 2017, algorithm 2).
    """
    rows = coupling.sum(axis=1)
    coupling = coupling * np.minimum(1.0, weights0 / np.where(rows > 0, rows, 1.0))[:, None]
    columns = coupling.sum(axis=0)
    coupling = coupling * np.minimum(1.0, weights1 / np.where(columns > 0, columns, 1.0))[None]
    missing0 = weights0 - coupling.sum(axis=1)
    missing1 = weights1 - coupling.sum(axis=0)
    total = missing0.sum()
    if total > 0:
        coupling = coupling + np.outer(missing0, missing1) / total
    return np.clip(coupling, 0.0, None)


def random_couplings(
    rng: np.random.Generator, count: int, weights0: Array, weights1: Array
) -> Array:
    """Draw couplings (count, K, L): vertices, each optimal for a uniform random cost."""
    return exact_each(rng.random((count, len(weights0), len(weights1))), weights0, weights1)
