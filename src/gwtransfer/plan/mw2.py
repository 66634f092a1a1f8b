"""MW2: optimal transport between two mixtures that live in one space."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact
from gwtransfer.core.gaussian import squared_w2
from gwtransfer.core.guide import Guide, summed
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import DataError


@dataclass(frozen=True, kw_only=True)
class MW2:
    """Couple components by their Wasserstein distances; exact (MATHS 2.1).

    A luminance anchor is used only where it is asked for: one colour space already tells bright
    from dark.

    Attributes
    ----------
    starts : Literal["full", "few"]
        Changes nothing: an exact plan has no starts. It is there so that any solver can be asked.
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
        space = common_space(source, target)
        source, target = source.in_space(space), target.in_space(space)
        costs = squared_w2(source.means, source.covariances, target.means, target.covariances)
        constant = float(np.trace(source.covariance) + np.trace(target.covariance))
        guide = guide or Guide()
        anchored = None
        if guide.anchor is not None:
            anchored = guide.luminance_costs(source, target, constant)
        linear = summed(anchored, guide.pair_costs(source, target, constant))
        guided = costs if linear is None else costs + linear
        coupling = exact(guided, source.weights, target.weights)
        value = float((costs * coupling).sum())
        unguided = coupling if linear is None else exact(costs, source.weights, target.weights)
        return TransportPlan(
            source=source,
            target=target,
            coupling=coupling,
            embedding=None,
            solver="mw2",
            value=value,
            bound=bounds.certified(float((costs * unguided).sum()), value, constant),
            starts=1,
            reached=1,
            converged=True,
            history=np.array([value]),
        )


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
