"""T_mean: every point goes to the mean of where its components go."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.maps import MeanMap, mean_map, restored
from gwtransfer.core.types import TransportPlan
from gwtransfer.map.piecewise import Collapsed

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Mean(Collapsed):
    """Smooth and deterministic (MATHS 2.2).

    Attributes
    ----------
    gain_cap : float | None
        Largest stretch of a piece, in units of each side's radius; None does not cap.
    restored : bool
        Give the images the target's mean and covariance, which a conditional mean contracts.
    precision : Literal["single", "double"]
        Single floats differ from double ones by less than a step of 16 bits, and take half as
        long.
    device : Literal["cpu", "cuda"]
        What computes the images; cuda needs PyTorch and an NVIDIA GPU.
    """

    restored: bool = True

    needs_candidates: ClassVar[bool] = False
    is_smooth: ClassVar[bool] = True

    def __call__(self, plan: TransportPlan, *, candidates: Floats | None = None) -> MeanMap:
        """Return the map of a plan; it makes its own images and needs no candidates."""
        del candidates
        mapping = mean_map(plan, **self.how)
        if self.restored:
            mapping = restored(mapping, plan.attained_target, gain_cap=self.how["gain_cap"])
        return self.placed(mapping)
