"""All valid pixels of a raster as working points: sampled, or gone through block by block."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.ahead import ahead
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.densities import Densities
from gwtransfer.core.device import HOST, Device
from gwtransfer.core.em import Statistics, statistics
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Space

Array = NDArray[np.float64]
Rows = tuple[int, int]
"""First row of a block, and one past its last."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pixels:
    """The valid pixels of a raster in the working coordinates of a space.

    Attributes
    ----------
    raster : Raster
    space : Space
    device : Device
        Passes over the pixels.
    """

    raster: Raster
    space: Space
    device: Device = HOST

    def sample(self, count: int, *, seed: int) -> Array:
        """Draw points (n, p), n <= count, as `Raster.sample` draws pixels."""
        return self._working(self.raster.sample(count, seed=seed))

    def points(self, rows: Rows) -> tuple[Array, Array | None]:
        """Return a block's points (n, p) and how much each counts (n,), None for 1."""
        block = self.raster.block(*rows)
        counts = None
        for share in (block.alpha, block.weight):
            if share is not None:
                own = share[block.valid].astype(np.float64)
                counts = own if counts is None else counts * own
        return self._working(block.points[block.valid].astype(np.float64)), counts

    def statistics(self, densities: Densities) -> Statistics:
        """Return the statistics of all pixels under a mixture, in one pass over the raster."""
        return summed(ahead(lambda rows: self.part(rows, densities), self.raster.ranges()))

    def part(self, rows: Rows, densities: Densities) -> Statistics:
        """Return the statistics of one block."""
        return statistics(*self.points(rows), densities, self.device)

    def _working(self, values: NDArray[np.floating]) -> Array:
        return self.space.to_working(to_coordinates(values, self.space.coordinates))


def summed(parts: Iterable[Statistics]) -> Statistics:
    """Return the sum of statistics, added two by two as a tree of neighbours.

    The sums of 2ᵐ neighbours each, of fewer at the end, have the same sum to the last bit.
    """
    waiting: list[Statistics] = []
    for count, part in enumerate(parts, start=1):
        total, twos = part, count
        while twos % 2 == 0:
            total, twos = waiting.pop() + total, twos // 2
        waiting.append(total)
    return reduce(lambda last, before: before + last, reversed(waiting))
