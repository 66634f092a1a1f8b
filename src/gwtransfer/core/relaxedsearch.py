"""Plans whose target marginal is penalised: searches for MEW2 and MGW2, and a choice from a pool.

The searches lower J = C + λ D and never raise it. C is the whole cost: what depends on the attained
marginal q alone is part of it (MATHS 6.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.coupling import REACHED
from gwtransfer.core.embedding import MixtureEmbedding, distinct
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.relaxed import Penalty, relaxed_each

Array = NDArray[np.float64]

TOLERANCE, LOOSE = 1e-10, 1e-5
"""A search stops when a round gains less than this share of the constant; while starts compete."""

ROUNDS, FINALISTS = 200, 4
"""Rounds at most, and how many of the starts are followed to the tight tolerance."""

PARENTS, CHILDREN, PERTURBATION = 10, 4, (1.2, 0.6)
"""Distinct ends of MEW2 that are perturbed, copies of each, and how far they are moved."""

GRID, GOLDEN = 33, 40
"""Places on a line that are compared, and steps that narrow the best one's neighbourhood."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A plan of the pool.

    Attributes
    ----------
    coupling : (K, L) array, source × target
    embedding : (m, n) array or None
        Of the larger side and the smaller; None where the solver has none.
    cost : float
        C, what guides add included.
    divergence : float
        D(q | b).
    converged : bool
    history : tuple of float
        J, round by round.
    starts, reached : int
        Of its search, and how many of them ended within REACHED of the best.
    """

    coupling: Array
    embedding: Array | None
    cost: float
    divergence: float
    converged: bool
    history: tuple[float, ...]
    starts: int = 1
    reached: int = 1

    def objective(self, penalty: float) -> float:
        """Return J(λ)."""
        return self.cost + penalty * self.divergence


def chosen(pool: Sequence[Candidate], penalty: float) -> Candidate:
    """Return the best of a pool for a penalty λ; of equals the one nearer to the target's weights.

    Over one pool J and C rise with λ and D falls, whatever the searches found (MATHS 6.7).
    """
    return min(pool, key=lambda one: (one.objective(penalty), one.divergence))


class RelaxedEmbedding:
    """MEW2 with a penalised target marginal.

    With the target re-centred at d = Σ q_l ñ_l the whole cost is ⟨c(P), w⟩ − |d|² − (h·d)², c the
    bracket of MATHS 4.5 about the target's own mean and h its guide: concave in w, so that its
    tangent makes a coupling step that never raises J. The embedding step does not see d, since
    the source's weights are exact.

    Parameters
    ----------
    problem : MixtureEmbedding
    penalty : Penalty
    """

    def __init__(self, problem: MixtureEmbedding, penalty: Penalty) -> None:
        self.problem, self.penalty = problem, penalty
        sides = [
            (problem.weights0, problem.means0, problem.guide0),
            (problem.weights1, problem.means1, problem.guide1),
        ]
        (self.weights0, _, _), (self.weights1, self.means, self.guide) = (
            sides[::-1] if problem.swapped else sides
        )

    def shift(self, couplings: Array) -> Array:
        """Return d (s, n + 1), the guide's value of it last, of couplings (s, K, L)."""
        return self._seen(couplings.sum(axis=1) @ self.means)

    def _seen(self, points: Array) -> Array:
        return np.concatenate([points, (points @ self.guide)[..., None]], axis=-1)

    def costs(self, embeddings: Array, *, quick: bool) -> Array:
        """Return c(P) with the user's pairs, source × target, (s, K, L)."""
        costs_of = self.problem.quick_costs if quick else self.problem.costs
        costs = costs_of(embeddings) + self.problem.linear
        return np.swapaxes(costs, 1, 2) if self.problem.swapped else costs

    def couple(self, costs: Array, shifts: Array) -> Array:
        """Return the couplings that are best along the tangent at d."""
        tangent = -2 * shifts @ self._seen(self.means).T
        return relaxed_each(costs + tangent[:, None], self.weights0, self.weights1, self.penalty)

    def parts(self, costs: Array, couplings: Array) -> tuple[Array, Array]:
        """Return C and D, (s,) each."""
        paid = (costs * couplings).sum(axis=(1, 2)) - (self.shift(couplings) ** 2).sum(axis=1)
        return paid, self.penalty.of(couplings.sum(axis=1), self.weights1)

    def descend(self, starts: Array, *, quick: bool) -> list[Candidate]:
        """Alternate coupling, centre and embedding from embeddings (s, m, n)."""
        tolerance = (LOOSE if quick else TOLERANCE) * self.problem.constant
        embeddings = np.array(starts)
        costs = self.costs(embeddings, quick=quick)
        shifts = np.zeros((len(starts), self.means.shape[1] + 1))
        couplings = self.couple(costs, shifts)
        paid, apart = self.parts(costs, couplings)
        histories = [[float(one)] for one in paid + self.penalty.weight * apart]
        active = np.arange(len(starts))
        for _ in range(ROUNDS):
            inward = couplings[active]
            inward = np.swapaxes(inward, 1, 2) if self.problem.swapped else inward
            moved = self.problem.climb(inward, embeddings[active], steps=3, quick=quick)
            costs = self.costs(moved, quick=quick)
            coupled = self.couple(costs, self.shift(couplings[active]))
            now_paid, now_apart = self.parts(costs, coupled)
            before = paid[active] + self.penalty.weight * apart[active]
            gain = before - (now_paid + self.penalty.weight * now_apart)
            better = active[gain > 0]
            embeddings[better], couplings[better] = moved[gain > 0], coupled[gain > 0]
            paid[better], apart[better] = now_paid[gain > 0], now_apart[gain > 0]
            for index in active:
                histories[index].append(float(paid[index] + self.penalty.weight * apart[index]))
            active = active[gain > tolerance]
            if not active.size:
                break
        return [
            Candidate(
                coupling=coupling,
                embedding=embedding,
                cost=float(cost),
                divergence=float(divergence),
                converged=index not in active,
                history=tuple(history),
            )
            for index, (coupling, embedding, cost, divergence, history) in enumerate(
                zip(couplings, embeddings, paid, apart, histories, strict=True)
            )
        ]

    def search(self, starts: Array, rng: np.random.Generator) -> list[Candidate]:
        """Return the ends of the best starts and of their perturbed copies, best first."""
        begun = self.descend(starts, quick=True)
        ends = begun
        for length in PERTURBATION:
            parents = self._apart(ends, PARENTS)
            children = self.problem.perturbed(parents, rng, copies=CHILDREN, length=length)
            ends = ends + self.descend(children, quick=True)
        return counted(self.descend(self._apart(ends, FINALISTS), quick=False), begun, self.penalty)

    def _apart(self, ends: Sequence[Candidate], most: int) -> Array:
        """Return the embeddings (s, m, n) of the best ends whose objectives differ."""
        objectives = np.array([end.objective(self.penalty.weight) for end in ends])
        found = [
            ends[index].embedding
            for index in distinct(objectives, most, LOOSE * self.problem.constant)
        ]
        return np.stack([embedding for embedding in found if embedding is not None])


def counted(
    finals: Sequence[Candidate], ends: Sequence[Candidate], penalty: Penalty
) -> list[Candidate]:
    """Return finals, best first, with how many of the ends are as good as the best."""
    finals = sorted(finals, key=lambda end: end.objective(penalty.weight))
    best = finals[0].objective(penalty.weight)
    near = best + REACHED * abs(best)
    reached = sum(end.objective(penalty.weight) <= near for end in ends)
    return [replace(end, starts=len(ends), reached=reached) for end in finals]


class RelaxedGromov:
    """MGW2 with a penalised target marginal, by generalised conditional gradients.

    C(w) = aᵀ D0² a + qᵀ D1² q − 2 ⟨D0 w D1, w⟩ + ⟨linear, w⟩. A step solves the linearised cost
    with the whole penalty, then goes where J is least on the way.
    """

    def __init__(self, problem: GromovProblem, penalty: Penalty) -> None:
        self.problem, self.penalty = problem, penalty
        shape = (len(problem.weights0), len(problem.weights1))
        self.linear = np.zeros(shape) if problem.linear is None else problem.linear
        self.squares1 = problem.own1**2
        self.fixed = float(problem.weights0 @ problem.own0**2 @ problem.weights0)

    def cost(self, couplings: Array) -> Array:
        """Return C (s,)."""
        attained = couplings.sum(axis=1)
        own = ((attained @ self.squares1) * attained).sum(axis=1)
        cross = (self.problem.own0 @ couplings @ self.problem.own1 * couplings).sum(axis=(1, 2))
        return np.asarray(self.fixed + own - 2 * cross + (self.linear * couplings).sum(axis=(1, 2)))

    def gradient(self, couplings: Array) -> Array:
        """Return ∇C (s, K, L), but for what is the same along a row."""
        own = 2 * couplings.sum(axis=1) @ self.squares1
        return np.asarray(
            self.linear + own[:, None] - 4 * self.problem.own0 @ couplings @ self.problem.own1
        )

    def apart(self, couplings: Array) -> Array:
        """Return D (s,)."""
        return np.asarray(self.penalty.of(couplings.sum(axis=1), self.problem.weights1))

    def descend(self, starts: Array, *, tolerance: float) -> list[Candidate]:
        """Descend from couplings (s, K, L)."""
        couplings = np.array(starts)
        objectives = self._objectives(couplings)
        histories = [[float(one)] for one in objectives]
        active = np.arange(len(starts))
        scale = self.problem.constant + float(np.abs(self.linear).max(initial=0.0))
        for _ in range(ROUNDS):
            here = couplings[active]
            ahead = relaxed_each(
                self.gradient(here), self.problem.weights0, self.problem.weights1, self.penalty
            )
            reached = here + self._lengths(here, ahead)[:, None, None] * (ahead - here)
            now = self._objectives(reached)
            gain = objectives[active] - now
            better = active[gain > 0]
            couplings[better], objectives[better] = reached[gain > 0], now[gain > 0]
            for index in active:
                histories[index].append(float(objectives[index]))
            active = active[gain > tolerance * scale]
            if not active.size:
                break
        each = zip(couplings, self.cost(couplings), self.apart(couplings), histories, strict=True)
        return [
            Candidate(
                coupling=coupling,
                embedding=None,
                cost=float(cost),
                divergence=float(apart),
                converged=index not in active,
                history=tuple(history),
            )
            for index, (coupling, cost, apart, history) in enumerate(each)
        ]

    def _objectives(self, couplings: Array) -> Array:
        return self.cost(couplings) + self.penalty.weight * self.apart(couplings)

    def _lengths(self, here: Array, ahead: Array) -> Array:
        """Return where in [0, 1] between couplings J is about least, (s,): never a worse place."""

        def objectives(lengths: Array) -> Array:
            """Return J at lengths (s, g)."""
            paid = base[:, None] + lengths * (slope[:, None] + lengths * bend[:, None])
            marginals = q0[:, None] + lengths[..., None] * (q1 - q0)[:, None]
            apart = self.penalty.of(marginals, self.problem.weights1)
            return np.asarray(paid + self.penalty.weight * apart)

        base = self.cost(here)
        whole = self.cost(ahead)
        slope = (self.gradient(here) * (ahead - here)).sum(axis=(1, 2))
        bend = whole - base - slope
        q0, q1 = here.sum(axis=1), ahead.sum(axis=1)
        grid = np.linspace(0.0, 1.0, GRID)
        best = objectives(np.tile(grid, (len(here), 1))).argmin(axis=1)
        low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)]
        golden = (np.sqrt(5) - 1) / 2
        for _ in range(GOLDEN):
            inner = np.stack([high - golden * (high - low), low + golden * (high - low)], axis=1)
            left, right = objectives(inner).T
            low, high = (
                np.where(left < right, low, inner[:, 0]),
                np.where(left < right, inner[:, 1], high),
            )
        found = np.stack([(low + high) / 2, np.ones_like(low)], axis=1)
        return np.asarray(found[np.arange(len(here)), objectives(found).argmin(axis=1)])

    def search(self, starts: Array) -> list[Candidate]:
        """Return the ends of the best starts, best first."""
        ends = self.descend(starts, tolerance=LOOSE)
        ends.sort(key=lambda end: end.objective(self.penalty.weight))
        kept = np.stack([end.coupling for end in ends[:FINALISTS]])
        return counted(self.descend(kept, tolerance=TOLERANCE), ends, self.penalty)
