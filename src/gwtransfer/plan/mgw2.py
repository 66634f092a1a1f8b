"""MGW2: Gromov–Wasserstein on the space of Gaussians, then the best embedding of its coupling."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.embedding import between
from gwtransfer.core.gromov import Descent, GromovProblem, search_each
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.relaxedsearch import RelaxedGromov, chosen
from gwtransfer.core.types import SHAPES, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, SolverError, UsageError
from gwtransfer.plan.marginals import Marginals, hard_candidate, relaxed_plan

Array = NDArray[np.float64]

COUNTS = {
    "full": {"signs": 64, "random": 100, "waves": 4},
    "few": {"signs": 16, "random": 30, "waves": 1},
}
"""What is searched where no numbers are given."""

MOST_RELAXED = 48
"""Starts of a search with soft marginals: the structured ones, and random ones up to here."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Coupled:
    """A plan without its embedding: all that a distance needs.

    Attributes
    ----------
    coupling : (K, L) array
    value : float
        The unguided objective, at least 0, in the inner cost's units squared.
    bound : float
        What no coupling's value is below.
    starts, reached : int
        Starts run, and how many ended within 0.1 % of the best.
    converged : bool
    history : tuple of float
        Objective of the chosen start, iteration by iteration.
    """

    coupling: Array
    value: float
    bound: float
    starts: int
    reached: int
    converged: bool
    history: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.bound > self.value:
            raise SolverError(f"the value {self.value!r} is below its bound {self.bound!r}")


@dataclass(frozen=True, kw_only=True)
class MGW2(Marginals):
    """Couple components by their mutual distances, from many starts (MATHS 3).

    The value is the Gromov objective; the embedding is the best one for its coupling (MATHS 5.1).

    Attributes
    ----------
    inner : Literal["w2sq", "w2"] | None
        Cost between components of one side: squared W2, as published, or W2, less ruled by the
        farthest; None is w2 between shapes and w2sq elsewhere.
    starts : Literal["full", "few"]
        "few" takes few of each kind: for previews and scripts.
    signs : int | None
        Sign choices of the principal axes tried at most; rounded down to a power of two. None
        means 64, with few starts 16.
    random : int | None
        Random couplings tried beside them. None means 100, with few starts 30.
    waves : int | None
        Rounds of the best ends mixed with random couplings. None means 4, with few starts 1.
    annealed : bool
        Add a start from entropic couplings of decreasing regularisation.
    marginals : Literal["hard", "soft"]
        "soft" lets the plan leave the target's proportions for a price, as where a palette is nine
        tenths sky (docs/howto/proportions.md). The plan then has no bound.
    penalty : float | None
        Price of soft marginals, as a share of the solver's constant: 0 takes the nearest colours
        whatever their shares, a million is as good as hard. None means 0.1.
    divergence : Literal["kl", "squared"]
        What is priced: the relative entropy of the shares that are used, or half their squared
        distance from the target's.
    """

    inner: Literal["w2sq", "w2"] | None = None
    starts: Literal["full", "few"] = "full"
    signs: int | None = None
    random: int | None = None
    waves: int | None = None
    annealed: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("signs", 1), ("random", 0), ("waves", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"option {name}: expected at least {least}, got {value}")

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the best plan found; deterministic given the source's seed."""
        guide = guide or Guide()
        if self.marginals == "soft":
            return self.relaxed(source, target, [self.soft], guide=guide)[0]
        coupled = self.coupled(source, target, guide=guide)
        embedded = between(source, target, guide)
        embedding, settled = embedded.settle(embedded.oriented(coupled.coupling))
        return TransportPlan(
            source=source,
            target=target,
            coupling=coupled.coupling,
            embedding=embedding,
            solver="mgw2",
            value=coupled.value,
            bound=coupled.bound,
            starts=coupled.starts,
            reached=coupled.reached,
            converged=coupled.converged and settled,
            history=np.array(coupled.history),
            tilt=embedded.tilt if embedded.tilt.any() else None,
        )

    def relaxed(
        self,
        source: GaussianMixture,
        target: GaussianMixture,
        penalties: Sequence[float],
        *,
        guide: Guide | None = None,
    ) -> list[TransportPlan]:
        """Return the best plan of soft marginals for each penalty, of one pool (MATHS 6.7).

        The pool holds the hard plan and what is found for every penalty: so the cost rises with
        the penalty and the distance from the target's weights falls, exactly.
        """
        guide = guide or Guide()
        hard = replace(self, marginals="hard", penalty=None)(source, target, guide=guide)
        problem = self._problem(source, target, guide)
        rng = np.random.default_rng([source.seed, 6])
        starts = np.concatenate(
            [hard.coupling[None], self._starts(problem, source, target, rng)[:MOST_RELAXED]]
        )
        priced = self.penalties(penalties, problem.constant)
        whole = RelaxedGromov(problem, priced[0])
        pool = [hard_candidate(hard, float(whole.cost(hard.coupling[None])[0]))]
        for penalty in priced:
            pool += RelaxedGromov(problem, penalty).search(starts)
        plain = RelaxedGromov(self._problem(source, target, Guide(anchor=0.0)), priced[0])
        embedded = between(source, target, guide)
        plans = []
        for penalty in priced:
            best = chosen(pool, penalty.weight)
            embedding, settled = embedded.settle(embedded.oriented(best.coupling))
            best = replace(best, embedding=embedding, converged=best.converged and settled)
            plans.append(relaxed_plan(hard, best, float(plain.cost(best.coupling[None])[0])))
        return plans

    def coupled(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> Coupled:
        """Return the plan without its embedding, which takes as long as a short search.

        Raises
        ------
        SolverError
            The value is below its bound.
        DataError
            A shape and something else, without an inner cost.
        """
        return self.coupled_each([(source, target)], guide=guide)[0]

    def coupled_each(
        self,
        pairs: Sequence[tuple[GaussianMixture, GaussianMixture]],
        *,
        guide: Guide | None = None,
    ) -> list[Coupled]:
        """Return `coupled` of several pairs, those of one size descending together.

        Each result is the same, bit by bit, whatever stands beside it.
        """
        results: dict[int, Coupled] = {}
        sizes: dict[tuple[int, int], list[int]] = {}
        for index, (source, target) in enumerate(pairs):
            self._check_alike([source, target])
            sizes.setdefault((source.count, target.count), []).append(index)
        for indices in sizes.values():
            alike = [pairs[index] for index in indices]
            results |= zip(indices, self._coupled(alike, guide or Guide()), strict=True)
        return [results[index] for index in range(len(pairs))]

    def _coupled(
        self, pairs: Sequence[tuple[GaussianMixture, GaussianMixture]], guide: Guide
    ) -> list[Coupled]:
        problems = [self._problem(source, target, guide) for source, target in pairs]
        rngs = [np.random.default_rng([source.seed, 4]) for source, _ in pairs]
        starts = [
            self._starts(problem, source, target, rng)
            for problem, (source, target), rng in zip(problems, pairs, rngs, strict=True)
        ]
        found = search_each(problems, starts, rngs, waves=self._count("waves"))
        return [_certified(problem, best) for problem, best in zip(problems, found, strict=True)]

    @property
    def most_starts(self) -> int:
        """How many starts a pair without a guide has at most, waves left out."""
        return 2 + self._count("signs") + self._count("random") + self.annealed

    def _count(self, name: str) -> int:
        """Return a number of starts, as it was given or as ``starts`` says."""
        given: int | None = getattr(self, name)
        return COUNTS[self.starts][name] if given is None else given

    def _problem(
        self, source: GaussianMixture, target: GaussianMixture, guide: Guide
    ) -> GromovProblem:
        problem = GromovProblem(
            own0=self.own(source),
            own1=self.own(target),
            weights0=source.weights,
            weights1=target.weights,
        )
        linear = summed(
            guide.luminance_costs(source, target, problem.constant),
            guide.pair_costs(source, target, problem.constant),
        )
        return problem if linear is None else replace(problem, linear=linear)

    def _starts(
        self,
        problem: GromovProblem,
        source: GaussianMixture,
        target: GaussianMixture,
        rng: np.random.Generator,
    ) -> Array:
        starts = problem.starts(
            rng,
            moments0=(source.means - source.mean, source.covariance),
            moments1=(target.means - target.mean, target.covariance),
            most_signs=self._count("signs"),
            random=self._count("random"),
        )
        if self.annealed:
            starts = np.concatenate([starts, problem.anneal()[None]])
        return starts

    def lower_bounds(
        self,
        sources: Sequence[GaussianMixture],
        targets: Sequence[GaussianMixture] | None = None,
    ) -> Array:
        """Return a bound below each pair's value, (N, M), some microseconds a pair.

        Parameters
        ----------
        sources, targets : sequences of N and M mixtures
            Without targets, all pairs of the sources.
        """
        self._check_alike([*sources, *(targets or [])])
        sides = [(self.own(mixture), mixture.weights) for mixture in sources]
        if targets is None:
            return bounds.second_lower_bounds(sides)
        others = [(self.own(mixture), mixture.weights) for mixture in targets]
        return bounds.second_lower_bounds(sides, others)

    def own(self, mixture: GaussianMixture) -> Array:
        """Return the costs between a mixture's own components, (K, K)."""
        inner = self.inner or ("w2" if mixture.space.coordinates in SHAPES else "w2sq")
        return mixture.own_costs if inner == "w2sq" else np.sqrt(mixture.own_costs)

    def _check_alike(self, mixtures: Sequence[GaussianMixture]) -> None:
        shapes = {mixture.space.coordinates in SHAPES for mixture in mixtures}
        if self.inner is None and len(shapes) > 1:
            raise DataError(
                "mgw2: expected shapes only, or none, found both; choose the inner cost for them"
            )


def _certified(problem: GromovProblem, best: Descent) -> Coupled:
    """Return a search's best with its value and bound."""
    value = problem.value(best.coupling)
    return Coupled(
        coupling=best.coupling,
        value=value,
        bound=bounds.certified(problem.bound(), value, problem.constant),
        starts=best.starts,
        reached=best.reached,
        converged=best.converged,
        history=best.history,
    )
