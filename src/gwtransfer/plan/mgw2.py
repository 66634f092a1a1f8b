"""MGW2: Gromov–Wasserstein on the space of Gaussians, then the best embedding of its coupling."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import GromovProblem
from gwtransfer.core.embedding import between
from gwtransfer.core.gaussian import own_squared_w2
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MGW2:
    """Couple components by their mutual distances, from many starts (MATHS 3).

    The value is the Gromov objective; the embedding is the best one for its coupling (MATHS 5.1).

    Attributes
    ----------
    inner : Literal["w2sq", "w2"]
        Cost between components of one side: squared W2, as published, or W2.
    signs : int
        Sign choices of the principal axes tried at most; rounded down to a power of two.
    random : int
        Random couplings tried beside them.
    waves : int
        Rounds of the best ends mixed with random couplings.
    annealed : bool
        Add a start from entropic couplings of decreasing regularisation.
    """

    inner: Literal["w2sq", "w2"] = "w2sq"
    signs: int = 64
    random: int = 100
    waves: int = 4
    annealed: bool = False

    def __post_init__(self) -> None:
        for name, least in (("signs", 1), ("random", 0), ("waves", 0)):
            value = getattr(self, name)
            if value < least:
                raise UsageError(f"option {name}: expected at least {least}, got {value}")

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the best plan found; deterministic given the source's seed."""
        own0, own1 = (self._own(side) for side in (source, target))
        problem = GromovProblem(
            own0=own0, own1=own1, weights0=source.weights, weights1=target.weights
        )
        guide = guide or Guide()
        problem = replace(
            problem,
            linear=summed(
                guide.luminance_costs(source, target, problem.constant),
                guide.pair_costs(source, target, problem.constant),
            ),
        )
        rng = np.random.default_rng([source.seed, 4])
        starts = problem.starts(
            rng,
            moments0=(source.means - source.mean, source.covariance),
            moments1=(target.means - target.mean, target.covariance),
            most_signs=self.signs,
            random=self.random,
        )
        if self.annealed:
            starts.append(problem.anneal())
        best = problem.search(starts, rng, waves=self.waves)
        embedded = between(source, target, guide)
        embedding, settled = embedded.settle(embedded.oriented(best.coupling))
        value = problem.value(best.coupling)
        return TransportPlan(
            source=source,
            target=target,
            coupling=best.coupling,
            embedding=embedding,
            solver="mgw2",
            value=value,
            bound=bounds.certified(problem.bound(), value, problem.constant),
            starts=best.starts,
            reached=best.reached,
            converged=best.converged and settled,
            history=np.array(best.history),
            tilt=embedded.tilt if embedded.tilt.any() else None,
        )

    def _own(self, mixture: GaussianMixture) -> Array:
        own = own_squared_w2(mixture.means, mixture.covariances)
        return own if self.inner == "w2sq" else np.sqrt(own)
