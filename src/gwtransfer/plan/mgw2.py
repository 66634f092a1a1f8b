"""MGW2: Gromov–Wasserstein on the space of Gaussians, then the best embedding of its coupling."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import GromovProblem
from gwtransfer.core.embedding import between
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.types import SHAPES, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, SolverError, UsageError

Array = NDArray[np.float64]


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
class MGW2:
    """Couple components by their mutual distances, from many starts (MATHS 3).

    The value is the Gromov objective; the embedding is the best one for its coupling (MATHS 5.1).

    Attributes
    ----------
    inner : Literal["w2sq", "w2"] | None
        Cost between components of one side: squared W2, as published, or W2, less ruled by the
        farthest; None is w2 between shapes and w2sq elsewhere.
    signs : int
        Sign choices of the principal axes tried at most; rounded down to a power of two.
    random : int
        Random couplings tried beside them.
    waves : int
        Rounds of the best ends mixed with random couplings.
    annealed : bool
        Add a start from entropic couplings of decreasing regularisation.
    """

    inner: Literal["w2sq", "w2"] | None = None
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
        guide = guide or Guide()
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
        self._check_alike([source, target])
        guide = guide or Guide()
        problem = GromovProblem(
            own0=self.own(source),
            own1=self.own(target),
            weights0=source.weights,
            weights1=target.weights,
        )
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
            starts = np.concatenate([starts, problem.anneal()[None]])
        best = problem.search(starts, rng, waves=self.waves)
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
