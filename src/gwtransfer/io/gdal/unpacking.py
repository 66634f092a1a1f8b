"""How the stored values of bands become floats with holes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.io.layout import working_type
from gwtransfer.io.undeclared import missing, usual_holes


@dataclass(frozen=True, eq=False, kw_only=True)
class Unpacking:
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
        A pixel is a hole only when all its bands are nodata.
    divisor : float
        Values that are data are divided by it: 255 for a picture of bytes.
    gains, offsets : (bands,) arrays, or None
        Values that are data become gain · value + offset.
    found : float or None
        The one of `usual` that was seen in the file.
    """

    indexes: list[int]
    alpha: int | None
    masked: bool
    nodatas: Sequence[float | None]
    stored: np.dtype[Any]
    picture: bool
    divisor: float = 1.0
    gains: Floats | None = None
    offsets: Floats | None = None
    found: float | None = None

    @property
    def usual(self) -> tuple[int, ...]:
        """What a missing pixel holds in every band of scaled numbers that name no such value."""
        named = self.masked or any(nodata is not None for nodata in self.nodatas)
        scaled = self.divisor != 1 or self.gains is not None
        return usual_holes(self.stored) if scaled and not (named or self.picture) else ()

    def values(self, stored: NDArray[Any]) -> Floats:
        """Turn (bands, r, columns) stored values into (r, columns, bands) floats."""
        working = working_type(self.stored)
        values = np.moveaxis(stored, 0, -1).astype(working, order="C")
        holes = self._holes(stored)
        if self.divisor != 1:
            values /= working.type(self.divisor)
        if self.gains is not None:
            values *= self.gains.astype(working)
        if self.offsets is not None:
            values += self.offsets.astype(working)
        if holes is not None:
            values[holes] = np.nan
        return values

    def _holes(self, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Return where there is no data, (r, columns, bands) or for a picture (r, columns)."""
        finite = [
            (band, nodata)
            for band, nodata in enumerate(self.nodatas)
            if nodata is not None and math.isfinite(nodata)
        ]
        if not finite:
            return missing(stored, self.usual, axis=0) if self.usual else None
        with np.errstate(over="ignore"):
            if len(finite) == len(stored) and len({nodata for _, nodata in finite}) == 1:
                holes = stored == finite[0][1]
            else:
                holes = np.zeros(stored.shape, dtype=np.bool_)
                for band, nodata in finite:
                    holes[band] = stored[band] == nodata
        return np.asarray(holes.all(axis=0) if self.picture else np.moveaxis(holes, 0, -1))


def opacity(stored: NDArray[Any]) -> Floats:
    """Scale a stored alpha band or mask to [0, 1]; floats are in that range already."""
    if stored.dtype.kind in "ui":
        return stored.astype(np.float32) / np.float32(np.iinfo(stored.dtype).max)
    return np.clip(np.nan_to_num(stored.astype(np.float32)), 0, 1)
