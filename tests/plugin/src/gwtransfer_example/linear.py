"""Map by one affine map for all points: no component shows, and nothing but two moments is met."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError

Floats = NDArray[np.floating]
Index = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Take the source's mean and covariance to the target's by an optimal affine map.

    Attributes
    ----------
    amount : float
        From 0, which takes every point to the target's mean, to 1, the whole covariance.
    """

    amount: float = 1.0

    is_smooth: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 1:
            raise UsageError(f"linear: expected an amount from 0 to 1, got {self.amount}")

    def __call__(
        self, plan: TransportPlan, *, candidates: Floats | None = None
    ) -> Callable[[Floats, Index | None], Floats]:
        """Return the map of raw points (N, d) to raw images (N, e); candidates are not used."""
        source, target = plan.source, plan.target
        down = np.eye(source.dimension)
        if plan.embedding is not None:
            wide = source.dimension >= target.dimension
            down = plan.embedding.T if wide else plan.embedding
        matrix = optimal_linear(down @ source.covariance @ down.T, target.covariance) @ down
        matrix *= self.amount

        def image(points: Floats, index: Index | None = None) -> Floats:
            centred = source.space.to_working(points) - source.mean
            return target.space.to_raw(target.mean + centred @ matrix.T)

        return image
