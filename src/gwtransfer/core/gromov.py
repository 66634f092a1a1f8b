"""Gromov–Wasserstein between weighted sets: its descents, all in lock-step, and their starts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import REACHED, entropic, exact, exact_each, random_couplings
from gwtransfer.core.linalg import eigenbasis, sign_choices

Array = NDArray[np.float64]

DECREASE_TOLERANCE = 1e-13
"""A descent stops when a step gains less than this share of the objective's constant."""

PARENTS, CHILDREN, MIXED = 16, 4, 0.5
"""Ends mixed in a wave, copies of each, and the share of the random vertex in the mixture."""

BATCH = 65_536
"""Most entries of the couplings that descend together."""


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
        descents = _Descents([self], most)
        descents.run([start[None]])
        return descents.ends[0][0]

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
        """Return `search_each` of this problem alone."""
        return search_each([self], [starts], [rng], waves=waves)[0]


def search_each(
    problems: Sequence[GromovProblem],
    starts: Sequence[Array],
    rngs: Sequence[np.random.Generator],
    *,
    waves: int,
) -> list[Descent]:
    """Descend from every start, then from the best ends mixed with random vertices.

    Returns the best of each problem, with how many of its starts reached it by themselves. Mixing
    good ends finds better ones sooner than as many fresh starts (DESIGN, "Starts"). A result does
    not depend on the problems beside it.

    Parameters
    ----------
    problems : sequence of GromovProblem
        Of one size.
    starts : sequence of (s, K, L) arrays of couplings
    rngs : sequence of generators
    waves : int
        Rounds of PARENTS × CHILDREN mixed couplings.
    """
    descents = _Descents(problems)
    descents.run(starts)
    for _ in range(waves):
        mixtures = []
        for problem, ends, rng in zip(problems, descents.ends, rngs, strict=True):
            parents = _distinct(ends, PARENTS, DECREASE_TOLERANCE * problem.constant)
            count = CHILDREN * len(parents)
            mixed = random_couplings(rng, count, problem.weights0, problem.weights1)
            mixed *= MIXED
            mixed += (1 - MIXED) * np.repeat([end.coupling for end in parents], CHILDREN, axis=0)
            mixtures.append(mixed)
        descents.run(mixtures)
    each = zip(problems, descents.ends, starts, strict=True)
    return [_best(problem, ends, len(begun)) for problem, ends, begun in each]


def _best(problem: GromovProblem, ends: list[Descent], starts: int) -> Descent:
    best = min(ends, key=lambda end: end.objective)
    near = best.objective + REACHED * abs(best.objective) + 1e-9 * problem.constant
    reached = sum(end.objective <= near for end in ends[:starts])
    return replace(best, starts=starts, reached=reached)


def optima(problem: GromovProblem, starts: Array, most: int) -> list[Descent]:
    """Return where descents from (s, K, L) couplings end, one for each objective, best first."""
    descents = _Descents([problem])
    descents.run([starts])
    return _distinct(descents.ends[0], most, DECREASE_TOLERANCE * problem.constant)


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
    problem : int
        Which one.
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

    problem: int
    history: list[float]
    coupling: Array
    converged: bool = False
    follows: tuple[int, int] | None = None
    objective: float | None = None


class _Descents:
    """Conditional gradients of problems of one size, a step of all of them at a time.

    A vertex is known by its support, and where a descent goes from a vertex depends on nothing
    else: so what another descent of its problem has left needs no second way down.
    """

    def __init__(self, problems: Sequence[GromovProblem], most: int = 200) -> None:
        self.problems, self.most = problems, most
        self.own0, self.own1, self.weights0, self.weights1 = (
            np.stack([getattr(problem, name) for problem in problems])
            for name in ("own0", "own1", "weights0", "weights1")
        )
        shape = (self.weights0.shape[1], self.weights1.shape[1])
        self.linear = np.stack(
            [np.zeros(shape) if one.linear is None else one.linear for one in problems]
        )
        self.constants = np.array([problem.constant for problem in problems])
        scales = self.constants + np.abs(self.linear).max(axis=(1, 2))
        self.tolerances = DECREASE_TOLERANCE * scales
        self.paths: list[_Path] = []
        self.left: dict[tuple[int, bytes], tuple[int, int]] = {}
        self.ends: list[list[Descent]] = [[] for _ in problems]

    def run(self, starts: Sequence[Array]) -> None:
        """Descend from starts (s, K, L) of each problem, and add where they lead to ``ends``."""
        which = np.repeat(np.arange(len(starts)), [len(some) for some in starts])
        couplings = np.concatenate(starts)
        done = len(self.paths)
        together = max(1, BATCH // self.linear[0].size)
        for first in range(0, len(couplings), together):
            part = slice(first, first + together)
            self._run(which[part], couplings[part])
        for path in self.paths[done:]:
            self.ends[path.problem].append(self._end(path))

    def _run(self, which: NDArray[np.intp], couplings: Array) -> None:
        products = self._products(which, couplings)
        objectives = self.constants[which] + _inner(self.linear[which] - 2 * products, couplings)
        begun = zip(which.tolist(), objectives.tolist(), couplings, strict=True)
        paths = [_Path(problem, [objective], coupling) for problem, objective, coupling in begun]
        active = np.arange(len(self.paths), len(self.paths) + len(paths))
        self.paths += paths
        for _ in range(self.most):
            if not len(active):
                return
            gradients = self.linear[which] - 4 * products
            ahead = exact_each(gradients, self.weights0[which], self.weights1[which])
            ahead_products = self._products(which, ahead)
            steps = ahead - couplings
            slopes = _inner(gradients, steps)
            curvatures = -2 * _inner(ahead_products - products, steps)
            lengths = _lengths(slopes, curvatures)
            gains = lengths * (slopes + curvatures * lengths)
            moves = slopes <= -self.tolerances[which]
            inside = (moves & (lengths < 1)).nonzero()[0]
            if len(inside):
                share = lengths[inside, None, None]
                ahead[inside] = couplings[inside] + share * steps[inside]
                ahead_products[inside] += (share - 1) * (ahead_products - products)[inside]
            goes_on = moves & (gains < -self.tolerances[which])
            self._note(active, ahead, gains, lengths == 1, moves, goes_on)
            active, which = active[goes_on], which[goes_on]
            couplings, products = ahead[goes_on], ahead_products[goes_on]

    def _products(self, which: NDArray[np.intp], couplings: Array) -> Array:
        """Return own0 w own1 of couplings (s, K, L), each with its problem's costs."""
        if len(self.problems) == 1:
            return np.asarray(self.own0[0] @ couplings @ self.own1[0])
        return np.asarray(self.own0[which] @ couplings @ self.own1[which])

    def _note(  # noqa: PLR0917  a step of all active paths, array by array
        self,
        active: NDArray[np.intp],
        ahead: Array,
        gains: Array,
        whole: NDArray[np.bool_],
        moves: NDArray[np.bool_],
        goes_on: NDArray[np.bool_],
    ) -> None:
        """Write a step into its paths; those that follow another do not go on."""
        supports = np.packbits(ahead.reshape(len(ahead), -1) > 0, axis=1)
        each = zip(active.tolist(), gains.tolist(), moves.tolist(), goes_on.tolist(), strict=True)
        for index, (i, gain, moved, more) in enumerate(each):
            path = self.paths[i]
            if not moved:
                path.converged = True
                continue
            path.history.append(path.history[-1] + gain)
            path.coupling = ahead[index]
            if not more:
                path.converged = True
            elif whole[index] and self._met(i, supports[index].tobytes()):
                goes_on[index] = False

    def _met(self, index: int, support: bytes) -> bool:
        """Tell whether a path has come to a vertex that was left before, and link it."""
        path = self.paths[index]
        here = (index, len(path.history))
        met = self.left.setdefault((path.problem, support), here)
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
            guided = float((self.linear[path.problem] * path.coupling).sum())
            path.objective = self.problems[path.problem].value(path.coupling) + guided
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
