"""Decoded pictures as rasters, with what their files carry beside the pixels."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Carried, Raster
from gwtransfer.io.layout import array_raster, named, upright
from gwtransfer.io.pictures import exif


def picture_raster(
    array: NDArray[Any],
    path: Path,
    *,
    icc: bytes | None = None,
    exif_block: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    orientation: int = 1,
    notes: tuple[str, ...] = (),
) -> Raster:
    """Return an upright picture of samples as a file stores them.

    Parameters
    ----------
    array : (rows, columns) or (rows, columns, samples) array of uint8 or uint16
        Gray, gray and alpha, RGB, or RGB and alpha.
    path : Path
    icc : bytes or None
        The profile, as the file has it.
    exif_block : bytes or None
        As the file has it.
    dpi : tuple of 2 floats or None
        Across and down as the pixels are stored.
    orientation : int
        1 … 8 as Exif has it.
    notes : tuple of str
        Without the file's name.
    """
    array = upright(array[:, :, None] if array.ndim == 2 else array, orientation)
    turned = orientation in (5, 6, 7, 8)
    bands = 1 if array.shape[2] < 3 else 3
    block = None if exif_block is None else exif.clean(exif_block, turned=turned)
    if exif_block is not None and block is None:
        notes = (*notes, "its Exif block is broken and left out")
    if dpi is not None and not all(math.isfinite(value) and value > 0 for value in dpi):
        dpi = None
    if dpi is not None and turned:
        dpi = (dpi[1], dpi[0])
    raster = array_raster(
        array[:, :, :bands],
        name=str(path),
        kind="picture",
        scale=float(np.iinfo(array.dtype).max),
        alpha=array[:, :, bands] if array.shape[2] > bands else None,
    )
    return replace(
        raster,
        carried=Carried(icc=icc, exif=block, dpi=dpi),
        notes=named(str(path), notes),
    )
