"""T_rand: every point goes where one of its components goes, drawn by their shares."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import RandMap, rand_map
from gwtransfer.core.types import TransportPlan
from gwtransfer.map.mean import check_gain_cap

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rand:
    """Reaches every colour of the target, at the price of grain (MATHS 2.2).

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    """

    needs_candidates: ClassVar[bool] = False

    gain_cap: float | None = 4.0

    def __post_init__(self) -> None:
        check_gain_cap(self.gain_cap)

    def __call__(self, plan: TransportPlan, *, candidates: Array | None = None) -> RandMap:
        """Return the map of a plan, seeded by its source; it needs no candidates."""
        del candidates
        return rand_map(plan, gain_cap=np.inf if self.gain_cap is None else self.gain_cap)
