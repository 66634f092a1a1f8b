"""T_mean: every point goes to the mean of where its components go."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import MeanMap, mean_map
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Smooth and deterministic; contracts colours a little (MATHS 2.2).

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    """

    needs_candidates: ClassVar[bool] = False
    is_smooth: ClassVar[bool] = True

    gain_cap: float | None = 4.0

    def __post_init__(self) -> None:
        check_gain_cap(self.gain_cap)

    def __call__(self, plan: TransportPlan, *, candidates: Array | None = None) -> MeanMap:
        """Return the map of a plan; it makes its own images and needs no candidates."""
        del candidates
        return mean_map(plan, gain_cap=np.inf if self.gain_cap is None else self.gain_cap)


def check_gain_cap(cap: float | None) -> None:
    """Raise UsageError unless a gain cap is None or above zero."""
    if cap is not None and not cap > 0:
        raise UsageError(f"option gain_cap: expected a number above 0, got {cap}")
