"""How the stored values of bands become floats with holes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.io.layout import working_type


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which bands are read, and how stored values become floats.

    Attributes
    ----------
    indexes : list of int
        Bands from 1, in the order of the raster.
    alpha : int or None
        The band that holds opacity.
    masked : bool
        Whether there is an alpha band or a mask.
    nodatas : sequence of float or None
        What stands for no data, one a band.
    stored : dtype
    picture : bool
        Values are scaled to [0, 1], and a pixel is a hole only when all its bands are nodata.
    """

    indexes: list[int]
    alpha: int | None
    masked: bool
    nodatas: Sequence[float | None]
    stored: np.dtype[Any]
    picture: bool

    def values(self, stored: NDArray[Any]) -> Floats:
        """Turn (bands, r, columns) stored values into (r, columns, bands) floats."""
        working = working_type(self.stored)
        values = np.moveaxis(stored, 0, -1).astype(working, order="C")
        holes = np.zeros(values.shape, dtype=np.bool_)
        for band, nodata in enumerate(self.nodatas):
            if nodata is not None and math.isfinite(nodata):
                with np.errstate(over="ignore"):
                    holes[:, :, band] = stored[band] == nodata
        if self.picture:
            holes = holes.all(axis=2, keepdims=True) & np.ones_like(holes)
            values /= working.type(np.iinfo(self.stored).max)
        values[holes] = np.nan
        return values


def opacity(stored: NDArray[Any]) -> Floats:
    """Scale a stored alpha band or mask to [0, 1]; floats are in that range already."""
    if stored.dtype.kind in "ui":
        return stored.astype(np.float32) / np.float32(np.iinfo(stored.dtype).max)
    return np.clip(np.nan_to_num(stored.astype(np.float32)), 0, 1)
