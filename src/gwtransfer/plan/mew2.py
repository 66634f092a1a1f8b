"""MEW2: a coupling and an isometric embedding together, between spaces of any dimensions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact
from gwtransfer.core.embedding import MixtureEmbedding, between
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MEW2:
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
    """

    rotation: Literal["any", "proper"] = "any"
    starts: Literal["full", "few"] = "full"
    signs: int = 16
    random: int | None = None
    waves: int | None = None
    annealed: bool = False

    def __post_init__(self) -> None:
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
