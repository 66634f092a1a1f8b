"""MW2: optimal transport between two mixtures that live in one space."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact
from gwtransfer.core.gaussian import squared_w2
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.relaxed import relaxed
from gwtransfer.core.relaxedsearch import Candidate, chosen
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.plan.marginals import Marginals, hard_candidate, relaxed_plan

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MW2(Marginals):
    """Couple components by their Wasserstein distances; exact (MATHS 2.1).

    A luminance anchor is used only where it is asked for: one colour space already tells bright
    from dark.

    Attributes
    ----------
    starts : Literal["full", "few"]
        Changes nothing: an exact plan has no starts. It is there so that any solver can be asked.
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

    starts: Literal["full", "few"] = "full"

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the plan, both mixtures re-expressed in one common space.

        Raises
        ------
        DataError
            The two sides have different coordinates, or one was reduced by PCA.
        """
        if self.marginals == "soft":
            return self.relaxed(source, target, [self.soft], guide=guide)[0]
        sides, costs, linear = _problem(source, target, guide or Guide())
        coupling = exact(costs if linear is None else costs + linear, *_weights(sides))
        value = float((costs * coupling).sum())
        unguided = coupling if linear is None else exact(costs, *_weights(sides))
        return TransportPlan(
            source=sides[0],
            target=sides[1],
            coupling=coupling,
            embedding=None,
            solver="mw2",
            value=value,
            bound=bounds.certified(float((costs * unguided).sum()), value, _constant(sides)),
            starts=1,
            reached=1,
            converged=True,
            history=np.array([value]),
        )

    def relaxed(
        self,
        source: GaussianMixture,
        target: GaussianMixture,
        penalties: Sequence[float],
        *,
        guide: Guide | None = None,
    ) -> list[TransportPlan]:
        """Return an exact plan of soft marginals for each penalty (MATHS 6.7).

        Raises
        ------
        DataError
            As for a call.
        """
        hard = replace(self, marginals="hard", penalty=None)(source, target, guide=guide)
        sides, costs, linear = _problem(source, target, guide or Guide())
        guided = costs if linear is None else costs + linear
        pool = [hard_candidate(hard, float((guided * hard.coupling).sum()))]
        priced = self.penalties(penalties, _constant(sides))
        for penalty in priced:
            coupling = relaxed(guided, *_weights(sides), penalty)
            cost = float((guided * coupling).sum())
            apart = float(penalty.of(coupling.sum(axis=0), sides[1].weights))
            pool.append(
                Candidate(
                    coupling=coupling,
                    embedding=None,
                    cost=cost,
                    divergence=apart,
                    converged=True,
                    history=(cost + penalty.weight * apart,),
                )
            )
        found = [chosen(pool, penalty.weight) for penalty in priced]
        return [relaxed_plan(hard, best, float((costs * best.coupling).sum())) for best in found]


Sides = tuple[GaussianMixture, GaussianMixture]


def _problem(
    source: GaussianMixture, target: GaussianMixture, guide: Guide
) -> tuple[Sides, Array, Array | None]:
    """Return both sides in one space, their costs (K, L), and what guides add."""
    space = common_space(source, target)
    sides = source.in_space(space), target.in_space(space)
    source, target = sides
    costs = squared_w2(source.means, source.covariances, target.means, target.covariances)
    constant = _constant(sides)
    anchored = None
    if guide.anchor is not None:
        anchored = guide.luminance_costs(source, target, constant)
    return sides, costs, summed(anchored, guide.pair_costs(source, target, constant))


def _weights(sides: Sides) -> tuple[Array, Array]:
    return sides[0].weights, sides[1].weights


def _constant(sides: Sides) -> float:
    return float(sum(np.trace(side.covariance) for side in sides))


def common_space(source: GaussianMixture, target: GaussianMixture) -> Space:
    """Return one space for both sides: midway origin, every axis, one unit.

    Raises
    ------
    DataError
        The two sides have different coordinates, or one was reduced by PCA.
    """
    first, second = source.space, target.space
    if (first.coordinates, first.raw_dimension) != (second.coordinates, second.raw_dimension):
        raise DataError(
            f"solver mw2: expected both sides in one space, found {first.raw_dimension} "
            f"{first.coordinates} and {second.raw_dimension} {second.coordinates} coordinates; "
            "use --solver mew2"
        )
    for side in (first, second):
        if side.dimension < side.raw_dimension:
            raise DataError(
                f"solver mw2: expected every axis kept, found {side.dimension} principal axes of "
                f"{side.raw_dimension}; fit with --variance 1 or use --solver mew2"
            )
    return Space(
        origin=(first.to_raw(source.mean) + second.to_raw(target.mean)) / 2,
        axes=np.eye(first.raw_dimension),
        unit=float(np.sqrt((first.unit**2 + second.unit**2) / 2)),
        coordinates=first.coordinates,
        wavelengths=first.wavelengths,
    )
