"""Where each component of a mixture sits in the raster it was fitted to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import kernels
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.columns import Columns
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture
from gwtransfer.core.views import thinned

Index = NDArray[np.unsignedinteger]
Singles = NDArray[np.float32]

MOST_SIDE = 440
"""Rows and columns of a map of places at most."""

AXES = 3

PIECE_VALUES = 2_000_000
"""Values computed at once, so that many components in many axes take little memory."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Places:
    """The likeliest component of every pixel of a thinned raster.

    Attributes
    ----------
    labels : (rows, columns) array of uint8 or uint16
        The component, and ``count`` where there are no data.
    count : int
        Components.
    working : (rows, columns, 3) array of float32
        The first three working coordinates, 0 where there are fewer.
    """

    labels: Index
    count: int
    working: Singles

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Where there are data, (rows, columns)."""
        return np.asarray(self.labels < self.count)


def places(raster: Raster, mixture: GaussianMixture) -> Places:
    """Return where the components of a mixture sit in a raster."""
    small = thinned(raster, MOST_SIDE)
    columns = Columns(mixture.space, np.dtype(np.float64))
    kept = min(AXES, mixture.dimension)
    labels = np.empty((small.rows, small.columns), _least(mixture.count))
    working = np.zeros((small.rows, small.columns, AXES), np.float32)
    for block in small.blocks():
        rows = slice(block.start, block.stop)
        size = (block.stop - block.start, small.columns)
        values = np.where(block.valid[:, None], block.points, 0)
        points = columns.of(to_coordinates(values, mixture.space.coordinates))
        likeliest = np.where(block.valid, likeliest_of(points, mixture), mixture.count)
        labels[rows] = likeliest.reshape(size)
        working[rows, :, :kept] = points[:kept].T.reshape(*size, kept)
    return Places(labels=labels, count=mixture.count, working=working)


def _least(count: int) -> type[np.unsignedinteger]:
    return np.uint8 if count < 255 else np.uint16


def likeliest_of(points: NDArray[np.floating], mixture: GaussianMixture) -> NDArray[np.intp]:
    """Return the likeliest component (n,) of working columns above ones (p + 1, n)."""
    step = max(1, PIECE_VALUES // (mixture.count * mixture.dimension))
    parts = [
        kernels.log_densities(np, points[:, i : i + step], *mixture.densities.arrays).argmax(axis=0)
        for i in range(0, points.shape[1], step)
    ]
    return np.concatenate(parts)
