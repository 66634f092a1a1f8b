"""How strictly a plan must use the target in its own proportions: an option of every solver."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gwtransfer.core.relaxed import Penalty
from gwtransfer.core.relaxedsearch import Candidate
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError

DEFAULT_PENALTY = 0.1
"""Of soft marginals, where none is given (docs/howto/proportions.md)."""

MOST_PENALTY = 1e6
"""Beyond it a soft plan is a hard one to six digits."""


@dataclass(frozen=True, kw_only=True)
class Marginals:
    """Options of a solver that may leave the target's weights; each stage says what they mean."""

    marginals: Literal["hard", "soft"] = "hard"
    penalty: float | None = None
    divergence: Literal["kl", "squared"] = "kl"

    def __post_init__(self) -> None:
        if self.penalty is None:
            return
        if self.marginals == "hard":
            raise UsageError("option penalty: expected --marginals soft with it, found hard")
        if not 0 <= self.penalty <= MOST_PENALTY:
            raise UsageError(
                f"option penalty: expected a number from 0 to {MOST_PENALTY:g}, got {self.penalty}"
            )

    @property
    def soft(self) -> float:
        """The penalty of soft marginals, as a share of the solver's constant."""
        return DEFAULT_PENALTY if self.penalty is None else self.penalty

    def penalties(self, shares: Sequence[float], constant: float) -> list[Penalty]:
        """Return penalties in the units of a solver's cost.

        Parameters
        ----------
        shares : sequence of float >= 0
        constant : float
            The part of the solver's cost that no coupling changes.
        """
        return [Penalty(weight=share * constant, divergence=self.divergence) for share in shares]


def hard_candidate(plan: TransportPlan, cost: float) -> Candidate:
    """Return a plan of hard marginals as a member of a pool; ``cost`` includes its guides."""
    return Candidate(
        coupling=np.asarray(plan.coupling),
        embedding=plan.embedding,
        cost=cost,
        divergence=0.0,
        converged=plan.converged,
        history=(cost,),
        starts=plan.starts,
        reached=plan.reached,
    )


def relaxed_plan(hard: TransportPlan, best: Candidate, value: float) -> TransportPlan:
    """Return a pool's choice as a plan: with its own target marginal, and no bound."""
    return replace(
        hard,
        coupling=best.coupling,
        attained=best.coupling.sum(axis=0),
        embedding=best.embedding,
        value=max(0.0, value),
        bound=None,
        starts=best.starts,
        reached=best.reached,
        converged=best.converged,
        history=np.array(best.history),
    )
