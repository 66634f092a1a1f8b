"""Couplings of component weights: exact, entropic and Gromov ones, and where they start.

The only importer of POT.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.linalg import eigenbasis, sign_choices
from gwtransfer.errors import SolverError

Array = NDArray[np.float64]

MASS_TOLERANCE = 1e-9
"""How far a marginal returned by the linear programme may be off before it is an error."""

PIVOTS, OPTIMAL = 1_000_000, 1
"""Most steps of one linear programme, and what POT's solver says of a finished one."""

DECREASE_TOLERANCE = 1e-13
"""A descent stops when a step gains less than this share of the objective's constant."""

PARENTS, CHILDREN, MIXED = 16, 4, 0.5
"""Ends mixed in a wave, copies of each, and the share of the random vertex in the mixture."""

BATCH = 65_536
"""Most entries of the couplings that descend together."""

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

    Each minimum is subtracted first: POT answers an all-negative cost with an empty plan.

    Raises
    ------
    SolverError
        The costs are not finite, or the solver lost mass.
    """
    if not np.isfinite(costs).all():
        raise SolverError("coupling costs are not finite: a mean or covariance is too large")
    flat = costs.reshape(len(costs), len(weights0) * len(weights1))
    flat = flat - flat.min(axis=1, keepdims=True)
    scales = flat.max(axis=1, keepdims=True)
    flat /= np.where(scales > 0, scales, 1.0)
    supply = np.ascontiguousarray(weights0)
    demand = np.ascontiguousarray(weights1 * (weights0.sum() / weights1.sum()))
    solve = _solver(positive=bool((supply > 0).all() and (demand > 0).all()))
    couplings = np.empty(costs.shape)
    for coupling, cost in zip(couplings, flat.reshape(costs.shape), strict=True):
        coupling[...] = solve(supply, demand, cost)
    off = max(
        float(np.abs(couplings.sum(axis=2) - weights0).max(initial=0.0)),
        float(np.abs(couplings.sum(axis=1) - weights1).max(initial=0.0)),
    )
    if off > MASS_TOLERANCE:
        raise SolverError(f"the linear programme lost {off:.2e} of its mass")
    return couplings


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


@dataclass(frozen=True, eq=False, kw_only=True)
class Descent:
    """Where one descent ended, or the best of several.

    Attributes
    ----------
    coupling : (K, L) array
    objective : float
        What was minimised, guide included.
    history : tuple of float
        Objective after each step.
    converged : bool
    starts, reached : int
        Descents run, and how many ended within REACHED of the best.
    """

    coupling: Array
    objective: float
    history: tuple[float, ...]
    converged: bool
    starts: int = 1
    reached: int = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class GromovProblem:
    """Gromov–Wasserstein between two weighted sets seen only through their own costs.

    objective(w) = Σ (own0[k,i] − own1[l,j])² w[k,l] w[i,j] + ⟨linear, w⟩ (MATHS 3.1).

    Attributes
    ----------
    own0, own1 : (K, K) and (L, L) symmetric arrays
    weights0, weights1 : (K,) and (L,) arrays summing to 1
    linear : (K, L) array or None
        The guide's cost.
    """

    own0: Array
    own1: Array
    weights0: Array
    weights1: Array
    linear: Array | None = None

    @cached_property
    def constant(self) -> float:
        """The part no coupling changes, and the scale of every tolerance."""
        return float(
            self.weights0 @ self.own0**2 @ self.weights0
            + self.weights1 @ self.own1**2 @ self.weights1
        )

    def value(self, coupling: Array) -> float:
        """Return the unguided objective, at least 0, summed over nonzeros so nothing cancels."""
        k, l = np.nonzero(coupling)
        mass = coupling[k, l]
        if len(k) > 4 * sum(coupling.shape):
            product = self.own0 @ coupling @ self.own1
            return max(0.0, self.constant - 2 * float((product * coupling).sum()))
        gaps = self.own0.take(k, 0).take(k, 1) - self.own1.take(l, 0).take(l, 1)
        return float(mass @ gaps**2 @ mass)

    def descend(self, start: Array, *, most: int = 200) -> Descent:
        """Minimise by conditional gradient with exact line search.

        Every step solves one linear programme; the objective never rises. Most descents end in
        a vertex after a few steps (MATHS 3.4).
        """
        descents = _Descents(self, most)
        descents.run(start[None])
        return descents.ends[0]

    def anneal(self, *, first: float = 1.0, last: float = 1e-3, steps: int = 12) -> Array:
        """Return a start from entropic couplings with decreasing regularisation.

        Each ε is a share of the spread of the current linearised cost, so the schedule does not
        depend on the units of the data.
        """
        linear = 0.0 if self.linear is None else self.linear
        coupling = np.outer(self.weights0, self.weights1)
        for epsilon in np.geomspace(first, last, steps):
            gradient = linear - 4 * (self.own0 @ coupling @ self.own1)
            coupling = entropic(gradient, self.weights0, self.weights1, epsilon=float(epsilon))
        return coupling

    def starts(
        self,
        rng: np.random.Generator,
        *,
        moments0: tuple[Array, Array],
        moments1: tuple[Array, Array],
        most_signs: int,
        random: int,
    ) -> Array:
        """Return the product plan, the TLB plan, PCA-sign plans and random couplings (MATHS 3.5).

        Parameters
        ----------
        moments0, moments1 : pairs of (K, m) centred means and (m, m) total covariance
        most_signs : int
            Sign choices of the leading principal axes tried at most, a power of two.
        random : int

        Returns
        -------
        (s, K, L) array
        """
        starts = [np.outer(self.weights0, self.weights1), self.tlb()[0]]
        if self.linear is not None:
            starts.append(exact(self.linear, self.weights0, self.weights1))
        (means0, total0), (means1, total1) = moments0, moments1
        shared = min(means0.shape[1], means1.shape[1])
        turned0 = means0 @ eigenbasis(total0)[1][:, :shared]
        turned1 = means1 @ eigenbasis(total1)[1][:, :shared]
        signs = sign_choices(shared, most_signs)
        costs = (turned0 * signs[:, None]) @ turned1.T
        return np.concatenate(
            [
                starts,
                exact_each(-costs, self.weights0, self.weights1),
                random_couplings(rng, random, self.weights0, self.weights1),
            ]
        )

    def tlb(self) -> tuple[Array, float]:
        """Return the third lower bound's plan and value (MATHS 3.5, 3.6)."""
        return self._tlb

    @cached_property
    def _tlb(self) -> tuple[Array, float]:
        costs = bounds.profile_costs(self.own0, self.own1, self.weights0, self.weights1)
        coupling = exact(costs, self.weights0, self.weights1)
        return coupling, float((costs * coupling).sum())

    def bound(self) -> float:
        """Return TLB's value, a lower bound of the unguided objective; SLB is never above it."""
        return self.tlb()[1]

    def search(self, starts: Array, rng: np.random.Generator, *, waves: int) -> Descent:
        """Descend from every start, then from the best ends mixed with random vertices.

        Returns the best of all, with how many of the starts reached it by themselves. Mixing good
        ends finds better ones sooner than as many fresh starts (DESIGN, "Starts").

        Parameters
        ----------
        starts : (s, K, L) array of couplings
        waves : int
            Rounds of PARENTS × CHILDREN mixed couplings.
        """
        descents = _Descents(self)
        descents.run(starts)
        for _ in range(waves):
            parents = _distinct(descents.ends, PARENTS, DECREASE_TOLERANCE * self.constant)
            mixed = random_couplings(rng, CHILDREN * len(parents), self.weights0, self.weights1)
            mixed *= MIXED
            mixed += (1 - MIXED) * np.repeat([end.coupling for end in parents], CHILDREN, axis=0)
            descents.run(mixed)
        ends = descents.ends
        best = min(ends, key=lambda end: end.objective)
        near = best.objective + REACHED * abs(best.objective) + 1e-9 * self.constant
        reached = sum(end.objective <= near for end in ends[: len(starts)])
        return replace(best, starts=len(starts), reached=reached)


def optima(problem: GromovProblem, starts: Array, most: int) -> list[Descent]:
    """Return where descents from (s, K, L) couplings end, one for each objective, best first."""
    descents = _Descents(problem)
    descents.run(starts)
    return _distinct(descents.ends, most, DECREASE_TOLERANCE * problem.constant)


def _distinct(ends: list[Descent], most: int, apart: float) -> list[Descent]:
    """Return the best ends whose objectives differ, best first."""
    chosen: list[Descent] = []
    for end in sorted(ends, key=lambda end: end.objective):
        if not chosen or end.objective - chosen[-1].objective > apart:
            chosen.append(end)
    return chosen[:most]


@dataclass(eq=False)
class _Path:
    """One descent's own part: until it stops, or comes to a vertex that another has left.

    Attributes
    ----------
    history : list of float
        Objective after each step.
    coupling : (K, L) array
        Where it is.
    converged : bool
    follows : pair of int or None
        The path that left this vertex before, and the length of its history then.
    objective : float or None
        Of a path that ends here, once it is known.
    """

    history: list[float]
    coupling: Array
    converged: bool = False
    follows: tuple[int, int] | None = None
    objective: float | None = None


class _Descents:
    """Conditional gradients of one problem, a step of all of them at a time.

    A vertex is known by its support, and where a descent goes from a vertex depends on nothing
    else: so what another descent has left needs no second way down.
    """

    def __init__(self, problem: GromovProblem, most: int = 200) -> None:
        self.problem, self.most = problem, most
        shape = (len(problem.weights0), len(problem.weights1))
        self.linear = np.zeros(shape) if problem.linear is None else problem.linear
        scale = problem.constant + float(np.abs(self.linear).max())
        self.tolerance = DECREASE_TOLERANCE * scale
        self.paths: list[_Path] = []
        self.left: dict[bytes, tuple[int, int]] = {}
        self.ends: list[Descent] = []

    def run(self, starts: Array) -> None:
        """Descend from several starts (s, K, L), and add where they lead to ``ends``."""
        together = max(1, BATCH // self.linear.size)
        for first in range(0, len(starts), together):
            self._run(starts[first : first + together])
        self.ends += [self._end(path) for path in self.paths[len(self.ends) :]]

    def _run(self, couplings: Array) -> None:
        problem, linear = self.problem, self.linear
        products = problem.own0 @ couplings @ problem.own1
        objectives = problem.constant + _inner(linear - 2 * products, couplings)
        paths = [
            _Path([float(objective)], coupling)
            for objective, coupling in zip(objectives, couplings, strict=True)
        ]
        active = np.arange(len(self.paths), len(self.paths) + len(paths))
        self.paths += paths
        for _ in range(self.most):
            if not len(active):
                return
            gradients = linear - 4 * products
            ahead = exact_each(gradients, problem.weights0, problem.weights1)
            ahead_products = problem.own0 @ ahead @ problem.own1
            steps = ahead - couplings
            slopes = _inner(gradients, steps)
            curvatures = -2 * _inner(ahead_products - products, steps)
            lengths = _lengths(slopes, curvatures)
            gains = lengths * (slopes + curvatures * lengths)
            moves = slopes <= -self.tolerance
            inside = (moves & (lengths < 1)).nonzero()[0]
            if len(inside):
                share = lengths[inside, None, None]
                ahead[inside] = couplings[inside] + share * steps[inside]
                ahead_products[inside] += (share - 1) * (ahead_products - products)[inside]
            supports = np.packbits(ahead.reshape(len(ahead), -1) > 0, axis=1)
            goes_on = moves & (gains < -self.tolerance)
            for index, i in enumerate(active):
                path = self.paths[i]
                if not moves[index]:
                    path.converged = True
                    continue
                path.history.append(path.history[-1] + float(gains[index]))
                path.coupling = ahead[index]
                if not goes_on[index]:
                    path.converged = True
                elif lengths[index] == 1 and self._met(int(i), supports[index].tobytes()):
                    goes_on[index] = False
            active = active[goes_on]
            couplings, products = ahead[goes_on], ahead_products[goes_on]

    def _met(self, index: int, support: bytes) -> bool:
        """Tell whether a path has come to a vertex that was left before, and link it."""
        path = self.paths[index]
        here = (index, len(path.history))
        met = self.left.setdefault(support, here)
        if met == here:
            return False
        last = met[0]
        while (follows := self.paths[last].follows) is not None:
            last = follows[0]
        if last == index:  # back where it was: what it gained since was rounding
            path.converged = True
        else:
            path.follows = met
        return True

    def _end(self, path: _Path) -> Descent:
        history = list(path.history)
        while path.follows is not None:
            leader, done = path.follows
            path = self.paths[leader]
            history += path.history[done:]
        if path.objective is None:
            guided = float((self.linear * path.coupling).sum())
            path.objective = self.problem.value(path.coupling) + guided
        return Descent(
            coupling=path.coupling,
            objective=path.objective,
            history=tuple(history),
            converged=path.converged,
        )


def _lengths(slopes: Array, curvatures: Array) -> Array:
    """Return where in (0, 1] each slope·t + curvature·t² is least, for slopes below 0."""
    bends = curvatures > 0
    inside = np.minimum(1.0, -slopes / np.where(bends, 2 * curvatures, 1.0))
    return np.where(bends, inside, 1.0)


def _inner(first: Array, second: Array) -> Array:
    """Return the inner product of each of several pairs of matrices (s, K, L), (s,)."""
    return np.asarray((first * second).sum(axis=(1, 2)))
