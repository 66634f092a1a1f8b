"""T_rand: every point goes where one of its components goes, drawn by their shares."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import RandMap, rand_map
from gwtransfer.core.types import TransportPlan
from gwtransfer.map.piecewise import Piecewise

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Rand(Piecewise):
    """Reaches every colour of the target, at the price of grain (MATHS 2.2).

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    precision : Literal["single", "double"]
        Single floats differ from double ones by less than a step of 16 bits, and take half as
        long.
    """

    needs_candidates: ClassVar[bool] = False

    def __call__(self, plan: TransportPlan, *, candidates: Floats | None = None) -> RandMap:
        """Return the map of a plan, seeded by its source; it needs no candidates."""
        del candidates
        return rand_map(plan, **self.how)
