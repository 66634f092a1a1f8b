"""Couplings that may leave the target's weights at a price (MATHS 6.7).

J(w) = ⟨c, w⟩ + λ D(q | b) over w ≥ 0 with row sums a, where q are the column sums of w. The source
marginal stays exact: every part of the source goes somewhere.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.coupling import exact_each
from gwtransfer.errors import SolverError

Array = NDArray[np.float64]

GAP, CERTIFIED = 1e-12, 1e-9
"""How far from the optimum prices and couplings may be, as shares of the spread of the costs."""

STEPS = 150
"""Interior steps at most; 15 to 40 are usual."""

FREE, CROWDED, INSIDE = 0.05, 0.4, 0.99
"""By how much a step lowers the barrier, after a long and a short one; share of the way it goes."""

RIDGE = 1e-14
"""Holds the level of the duals, which a high penalty leaves nearly open."""

EXPONENTS = (-600.0, 600.0)
"""Beyond these an exponential is as good as nothing, or no number."""

DUST = 1e-13
"""What a target component gets below this is nothing."""


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """What leaving the target's weights b costs: ``weight`` · D(q | b).

    Attributes
    ----------
    weight : float >= 0
        λ, in the units of the cost. 0 sends each source component where it is cheapest.
    divergence : {"kl", "squared"}
        Σ q log(q/b), or ½ |q − b|².
    """

    weight: float
    divergence: Literal["kl", "squared"] = "kl"

    def of(self, attained: Array, weights: Array) -> Array:
        """Return D(q | b), at least 0, of each of several marginals (..., L), (...,)."""
        if self.divergence == "squared":
            return np.asarray(((attained - weights) ** 2).sum(axis=-1) / 2)
        over = (attained - weights) / weights  # near 0 where the penalty is high: no cancellation
        logs = _log_ratios(attained, weights)
        return np.asarray((weights * ((1 + over) * logs - over)).sum(axis=-1).clip(0.0))

    def slope(self, attained: Array, weights: Array) -> Array:
        """Return λ D'(q) (..., L) of marginals above zero."""
        if self.divergence == "squared":
            return np.asarray(self.weight * (attained - weights))
        return self.weight * _log_ratios(attained, weights)

    def bend(self, attained: Array) -> Array:
        """Return λ D''(q) (..., L) of marginals above zero."""
        if self.divergence == "squared":
            return np.full_like(attained, self.weight)
        return np.asarray(self.weight / attained)

    def mismatch(self, attained: Array, prices: Array, weights: Array) -> Array:
        """Return λ D(q) + (λ D)*(v) − v·q >= 0 for q and v (..., L), (...,): 0 at v = λ D'(q)."""
        meant = prices / self.weight
        if self.divergence == "squared":
            return np.asarray(self.weight * ((attained - weights - meant) ** 2).sum(axis=-1) / 2)
        return np.asarray(self.weight * self.of(attained, weights * np.exp(meant.clip(*EXPONENTS))))


def _log_ratios(attained: Array, weights: Array) -> Array:
    """Return log(q/b), to the last digits near 0, and a large negative number for q = 0."""
    over = (attained - weights) / weights
    near = np.abs(over) < 0.5
    far = np.log(np.maximum(attained, np.finfo(float).tiny)) - np.log(weights)
    return np.asarray(np.where(near, np.log1p(np.where(near, over, 0.0)), far))


def relaxed(costs: Array, weights0: Array, weights1: Array, penalty: Penalty) -> Array:
    """Return an optimal coupling (K, L) of a linear cost with a penalised target marginal.

    Parameters
    ----------
    costs : (K, L) array, any sign
    weights0, weights1 : (K,) and (L,) arrays above 0, each summing to 1
    penalty : Penalty

    Raises
    ------
    SolverError
        The costs are not finite, or the optimum could not be certified.
    """
    return np.asarray(relaxed_each(costs[None], weights0, weights1, penalty)[0])


def relaxed_each(costs: Array, weights0: Array, weights1: Array, penalty: Penalty) -> Array:
    """Return `relaxed` of each of several costs, (s, K, L) for (s, K, L).

    The column sums come from a primal–dual interior method; the coupling then is an optimal vertex
    for them, with K + L − 1 entries at most. At potentials v = λ D'(q) the dual value is
    Σ_k a_k min_l (c_kl + v_l) − (λD)*(v), so a coupling is no further from the optimum than
    Σ w_kl (c_kl + v_l − min_l' (c_kl' + v_l')): that is checked.

    Raises
    ------
    SolverError
        The costs are not finite, or the optimum could not be certified.
    """
    if not np.isfinite(costs).all():
        raise SolverError("coupling costs are not finite: a mean or covariance is too large")
    costs = costs - costs.min(axis=2, keepdims=True)  # a row pays its least whatever it does
    if penalty.weight == 0:
        return _nearest(costs, weights0)
    spread = float(costs.max()) or 1.0
    scaled = Penalty(weight=penalty.weight / spread, divergence=penalty.divergence)
    couplings, gaps = _vertices(costs / spread, weights0, weights1, scaled, careful=False)
    for index in np.flatnonzero(~(gaps <= CERTIFIED)):
        one = costs[index : index + 1] / spread
        with np.errstate(all="ignore"):
            found = _vertices(one, weights0, weights1, scaled, careful=True)
        (couplings[index],), (gaps[index],) = found
    if not (gaps <= CERTIFIED).all():
        raise SolverError(f"a relaxed coupling is uncertain by {gaps.max():.1e} of its costs")
    return couplings


def _vertices(
    costs: Array, weights0: Array, weights1: Array, penalty: Penalty, *, careful: bool
) -> tuple[Array, Array]:
    """Return couplings (s, K, L) and how far they are from the optimum at most, (s,)."""
    attained, prices = _marginals(costs, weights0, weights1, penalty, careful=careful)
    found = np.isfinite(attained).all(axis=1, keepdims=True)
    attained = np.where(found, attained, weights1)  # whose gap, then, is no number
    kept = np.where(attained > DUST, attained, 0.0)
    kept /= kept.sum(axis=1, keepdims=True)
    couplings = exact_each(costs, weights0, kept)
    return couplings, _gaps(couplings, costs, prices, weights1, penalty)


def _nearest(costs: Array, weights0: Array) -> Array:
    """Return couplings that send each row where it is cheapest, to the first of equals."""
    chosen = costs.argmin(axis=2)
    return np.asarray((np.arange(costs.shape[2]) == chosen[..., None]) * weights0[:, None])


def _gaps(
    couplings: Array, costs: Array, prices: Array, weights1: Array, penalty: Penalty
) -> Array:
    """Return how far couplings are from the optimum at most, (s,), by the dual value at v."""
    paid = costs + prices[:, None]
    above = ((paid - paid.min(axis=2, keepdims=True)) * couplings).sum(axis=(1, 2))
    return np.asarray(above + penalty.mismatch(couplings.sum(axis=1), prices, weights1))


def _marginals(
    costs: Array, weights0: Array, weights1: Array, penalty: Penalty, *, careful: bool
) -> tuple[Array, Array]:
    """Return the optimal column sums q and prices v, (s, L) each, for costs of spread 1.

    Unknown are w, s ≥ 0, u and v with c + v − u − s = 0, v = λ D'(q), w 1 = a and w s = barrier.
    From the linearised equations w, s and v are eliminated: K equations for u are left. Where a
    penalty is high and groups of weights balance by themselves, they are nearly singular: careful
    steps lose no digits there, take three times as long, and stop only where w 1 = a, too. They
    are for one problem.
    """
    couplings = np.tile(np.outer(weights0, weights1), (len(costs), 1, 1))
    prices = np.zeros((len(costs), len(weights1)))
    duals = costs.min(axis=2) - 1.0
    slacks = costs - duals[:, :, None]
    lowering = np.full((len(costs), 1, 1), FREE)
    best = (np.inf, couplings.sum(axis=1), prices)
    for _ in range(STEPS):
        gaps = _gaps(couplings, costs, prices, weights1, penalty)
        attained = couplings.sum(axis=1)
        if careful:
            gaps += np.abs(weights0 - couplings.sum(axis=2)).sum(axis=1)
            best = min(best, (float(gaps.max()), attained, prices), key=lambda one: one[0])
        if (gaps <= GAP).all():
            break
        barrier = lowering * (couplings * slacks).mean(axis=(1, 2), keepdims=True)
        ratios = couplings / slacks
        off = costs + prices[:, None] - duals[:, :, None] - slacks
        rest = barrier / slacks - couplings - ratios * off
        give = 1 / penalty.bend(attained)
        total = give + ratios.sum(axis=1)
        shares = ratios / total[:, None]
        pulls = shares @ np.swapaxes(ratios, 1, 2)
        excess = (rest.sum(axis=1) - give * (prices - penalty.slope(attained, weights1))) / total
        right = weights0 - couplings.sum(axis=2) - rest.sum(axis=2)
        right += (ratios * excess[:, None]).sum(axis=2)
        if careful:
            duals_step = _unsubtracted(pulls, (shares * give[:, None]).sum(axis=2), right)
        else:
            duals_step = _ridged(pulls, ratios.sum(axis=2), right)
        prices_step = excess + (ratios * duals_step).sum(axis=1) / total
        step = rest + ratios * (duals_step - prices_step[:, None])
        slacks_step = off + prices_step[:, None] - duals_step
        length = np.minimum(_room(couplings, step), _room(slacks, slacks_step))
        lowering = np.where(length > 0.9, FREE, CROWDED)
        couplings = couplings + length * step
        slacks = slacks + length * slacks_step
        duals = duals + length[..., 0] * duals_step[..., 0]
        prices = prices + length[..., 0] * prices_step
    return best[1:] if careful else (couplings.sum(axis=1), prices)


def _ridged(pulls: Array, diagonal: Array, right: Array) -> Array:
    """Return x (s, K, 1) with diagonal_k x_k − Σ_j pulls_kj x_j = right_k, about."""
    matrix, own = -pulls, np.arange(diagonal.shape[1])
    matrix[:, own, own] += (1 + RIDGE) * diagonal
    return np.asarray(np.linalg.solve(matrix, right[..., None]))


def _unsubtracted(pulls: Array, free: Array, right: Array) -> Array:
    """Return x (s, K, 1) with free_k x_k + Σ_j pulls_kj (x_k − x_j) = right_k.

    Nothing in the matrix is below zero, and the elimination of Grassmann, Taksar and Heyman never
    subtracts, so that small numbers keep their digits beside great ones.
    """
    pulls, free, right = pulls.copy(), free.copy(), right.copy()
    diagonal = np.empty_like(free)
    for k in range(free.shape[1] - 1, -1, -1):
        diagonal[:, k] = free[:, k] + pulls[:, k, :k].sum(axis=1)
        shares = pulls[:, :k, k] / diagonal[:, k, None]
        pulls[:, :k, :k] += shares[:, :, None] * pulls[:, k, None, :k]
        free[:, :k] += shares * free[:, k, None]
        right[:, :k] += shares * right[:, k, None]
    for k in range(free.shape[1]):
        right[:, k] += (pulls[:, k, :k] * right[:, :k]).sum(axis=1)
        right[:, k] /= diagonal[:, k]
    return right[..., None]


def _room(values: Array, steps: Array) -> Array:
    """Return how far each may go along its step, 1 at most, and stay above zero, (s, 1, 1)."""
    falling = steps < 0
    most = np.where(falling, INSIDE * values / np.where(falling, -steps, 1.0), 1.0)
    return np.asarray(most.min(axis=(1, 2), keepdims=True).clip(max=1.0))
