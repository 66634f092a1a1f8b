"""Nearest: the mean map, then the closest point that really occurs in the target."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import NearestMap, mean_map
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError
from gwtransfer.map.mean import check_gain_cap

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Every output is a point of the target: a colour of the palette, a vertex of a shape.

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    """

    needs_candidates: ClassVar[bool] = True

    gain_cap: float | None = 4.0

    def __post_init__(self) -> None:
        check_gain_cap(self.gain_cap)

    def __call__(self, plan: TransportPlan, *, candidates: Array | None = None) -> NearestMap:
        """Return the map of a plan onto candidates (M, e) in the target's raw coordinates.

        Raises
        ------
        UsageError
            No candidates are given.
        """
        if candidates is None:
            raise UsageError(
                "map nearest: expected the target's points; apply takes them by --palette"
            )
        mean = mean_map(plan, gain_cap=np.inf if self.gain_cap is None else self.gain_cap)
        return NearestMap(mean=mean, candidates=candidates)
