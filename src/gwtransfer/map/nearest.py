"""Nearest: the mean map, then the closest point that really occurs in the target."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import NearestMap, mean_map
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError
from gwtransfer.map.piecewise import Collapsed

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Nearest(Collapsed):
    """Every output is a point of the target: a colour of the palette, a vertex of a shape.

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    precision : Literal["single", "double"]
        Single floats differ from double ones by less than a step of 16 bits, and take half as
        long.
    device : Literal["cpu", "cuda"]
        What computes the mean map; cuda needs PyTorch and an NVIDIA GPU. The search stays here.
    """

    needs_candidates: ClassVar[bool] = True

    def __call__(self, plan: TransportPlan, *, candidates: Floats | None = None) -> NearestMap:
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
        mean = mean_map(plan, **self.how)
        return NearestMap(mean=self.placed(mean), candidates=candidates)
