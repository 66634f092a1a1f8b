"""MEW2: a coupling and an isometric embedding together, between spaces of any dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact
from gwtransfer.core.embedding import MixtureEmbedding, between
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.relaxed import Penalty
from gwtransfer.core.relaxedsearch import RelaxedEmbedding, chosen
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.plan.marginals import Marginals, hard_candidate, relaxed_plan

Array = NDArray[np.float64]

RELAXED_RANDOM = {"full": 80, "few": 12}
"""Random starts of a search with soft marginals, beside the hard plan and the sign choices."""


@dataclass(frozen=True, kw_only=True)
class MEW2(Marginals):
    """Alternate the exact coupling and the monotone embedding step from many starts (MATHS 4).

    Attributes
    ----------
    rotation : Literal["any", "proper"]
        "proper" forbids reflections; it needs sides of one dimension.
    starts : Literal["full", "few"]
        "few" leaves most random starts and the waves out: for previews and scripts.
    signs : int
        Sign choices of the principal axes tried at most; rounded down to a power of two.
    random : int | None
        Random embeddings tried beside them. None means 200 where the smaller side has at most 3
        dimensions, and 40 above, where a start takes twenty times as long; with few starts 16.
    waves : int | None
        Rounds of perturbed copies of the best ends. None means 4, with few starts 0.
    annealed : bool
        Add starts from entropic couplings of decreasing regularisation.
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

    rotation: Literal["any", "proper"] = "any"
    starts: Literal["full", "few"] = "full"
    signs: int = 16
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
        """Return the best plan found; deterministic given the source's seed.

        Raises
        ------
        DataError
            ``rotation="proper"`` between sides of different dimensions.
        """
        if self.rotation == "proper" and source.dimension != target.dimension:
            raise DataError(
                "option rotation: proper needs sides of one dimension, found "
                f"{source.dimension} and {target.dimension}"
            )
        guide = guide or Guide()
        if self.marginals == "soft":
            return self.relaxed(source, target, [self.soft], guide=guide)[0]
        problem = between(source, target, guide, proper=self.rotation == "proper")
        rng = np.random.default_rng([source.seed, 3])
        starts = self._starts(problem, source, target, guide, rng)
        waves = self.waves if self.waves is not None else {"full": 4, "few": 0}[self.starts]
        best = problem.search(starts, rng, waves=waves)
        bound = bounds.gelbrich(source.covariance, target.covariance)
        return TransportPlan(
            source=source,
            target=target,
            coupling=problem.oriented(best.coupling),
            embedding=best.embedding,
            solver="mew2",
            value=best.value,
            bound=bounds.certified(bound, best.value, problem.constant),
            starts=best.starts,
            reached=best.reached,
            converged=best.converged,
            history=np.array(best.history),
            tilt=problem.tilt if problem.tilt.any() else None,
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

        Raises
        ------
        DataError
            As for a call.
        """
        guide = guide or Guide()
        hard = replace(self, marginals="hard", penalty=None)(source, target, guide=guide)
        proper = self.rotation == "proper"
        problem = between(source, target, guide, proper=proper)
        plain = between(source, target, Guide(anchor=0.0), proper=proper)
        rng = np.random.default_rng([source.seed, 6])
        assert hard.embedding is not None
        starts = np.concatenate(
            [
                hard.embedding[None],
                problem.sign_starts(self.signs),
                problem.random_starts(rng, RELAXED_RANDOM[self.starts]),
            ]
        )
        priced = self.penalties(penalties, problem.constant)
        pool = [hard_candidate(hard, _cost(problem, priced[0], hard.coupling, hard.embedding))]
        for penalty in priced:
            pool += RelaxedEmbedding(problem, penalty).search(starts, rng)
        plans = []
        for penalty in priced:
            best = chosen(pool, penalty.weight)
            assert best.embedding is not None
            value = _cost(plain, penalty, best.coupling, best.embedding)
            plans.append(relaxed_plan(hard, best, value))
        return plans

    def _random(self, problem: MixtureEmbedding) -> int:
        if self.random is not None:
            return self.random
        if self.starts == "few":
            return 16
        return 200 if problem.means1.shape[1] <= 3 else 40

    def _starts(
        self,
        problem: MixtureEmbedding,
        source: GaussianMixture,
        target: GaussianMixture,
        guide: Guide,
        rng: np.random.Generator,
    ) -> Array:
        starts = [
            problem.sign_starts(self.signs),
            problem.random_starts(rng, self._random(problem)),
        ]
        couplings = [_gromov_coupling(source, target, rng)]
        costs = summed(
            guide.luminance_costs(source, target, 1.0), guide.pair_costs(source, target, 1.0)
        )
        if costs is not None:
            couplings.append(exact(costs, source.weights, target.weights))
        for coupling in couplings:
            embedding = problem.from_coupling(problem.oriented(coupling))
            if embedding is not None:
                starts.append(embedding[None])
        if self.annealed:
            starts += [problem.anneal(start)[None] for start in starts[0]]
        return np.concatenate(starts)


def _cost(problem: MixtureEmbedding, penalty: Penalty, coupling: Array, embedding: Array) -> float:
    """Return the whole cost of a plan, of whatever target marginal."""
    whole = RelaxedEmbedding(problem, penalty)
    return float(whole.parts(whole.costs(embedding[None], quick=False), coupling[None])[0][0])


def _gromov_coupling(
    source: GaussianMixture, target: GaussianMixture, rng: np.random.Generator
) -> Array:
    """Return the coupling of a short MGW2 search, which sees mutual distances only."""
    problem = GromovProblem(
        own0=source.own_costs,
        own1=target.own_costs,
        weights0=source.weights,
        weights1=target.weights,
    )
    starts = problem.starts(
        rng,
        moments0=(source.means - source.mean, source.covariance),
        moments1=(target.means - target.mean, target.covariance),
        most_signs=16,
        random=10,
    )
    return problem.search(starts, rng, waves=0).coupling
