"""Blocks of a picture as the numbers a file stores, the same for every format."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.draws import uniforms
from gwtransfer.core.raster import Block, Floats

Depth = Literal[8, 16, "float"]

DITHER_STREAM = 100
"""Band b of a dithered picture takes its draws from this stream + b."""


def quantized(
    block: Block, columns: int, depth: Depth, *, dither: bool = False
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a block of a picture as it is stored.

    Integers are floor(m·x + ½) after clipping to [0, 1], m = 255 or 65535; dithered ones are
    floor(m·x + u) with u uniform in [0, 1), drawn for the pixel's place, so that the mean is right
    and a value that is a level stays it. Floats are neither clipped nor rounded beyond float32.

    Parameters
    ----------
    block : Block
        Points in [0, 1], or beyond where the depth is "float".
    columns : int
    depth : {8, 16, "float"}
    dither : bool
        Means nothing where the depth is "float", and nothing for the opacity.

    Returns
    -------
    colours : (r, columns, bands) array of uint8, uint16 or float32
        Zero where the block is not valid, so that holes look the same in every run.
    opacity : (r, columns) array of the same type
        Zero where the block is not valid, the most where it is and has no alpha.
    """
    rows = block.stop - block.start
    points = np.where(block.valid[:, None], block.points, 0)
    alpha: Floats = block.valid.astype(np.float32)
    if block.alpha is not None:
        alpha = np.where(block.valid, block.alpha, 0)
    if depth == "float":
        colours, opacity = points.astype(np.float32), alpha.astype(np.float32)
    else:
        colours = (
            dithered(points, block.start * columns, depth) if dither else rounded(points, depth)
        )
        opacity = rounded(alpha, depth)
    return colours.reshape(rows, columns, -1), opacity.reshape(rows, columns)


def stored_depth(dtype: str, *, deepest: Literal[16, "float"]) -> Depth:
    """Return the depth that holds a raster's type in a format whose deepest is given."""
    if dtype in ("uint8", "bool"):
        return 8
    return 16 if dtype == "uint16" else deepest


def rounded(values: Floats, depth: Literal[8, 16]) -> NDArray[Any]:
    """Return the nearest integer levels of values in [0, 1]; a half goes up."""
    most, stored = _levels(depth)
    scaled = np.clip(values, 0, 1).astype(np.float64) * most
    return np.floor(scaled + 0.5).astype(stored)


def dithered(points: Floats, first: int, depth: Literal[8, 16]) -> NDArray[Any]:
    """Return integer levels of points (n, bands) in [0, 1] that are right on average.

    Parameters
    ----------
    points : (n, bands) array
        Of consecutive places, row by row.
    first : int
        Place of the first of them in the whole picture.
    depth : {8, 16}
    """
    most, stored = _levels(depth)
    scaled = np.clip(points, 0, 1).astype(np.float64) * most
    level = np.rint(scaled)  # what single precision has moved off a level is put back
    scaled = np.where(np.abs(scaled - level) <= most * 2.0**-23, level, scaled)
    places = np.arange(first, first + len(points), dtype=np.int64)
    for band in range(points.shape[1]):
        scaled[:, band] += uniforms(0, DITHER_STREAM + band, places)
    return np.floor(scaled).astype(stored)


def _levels(depth: Literal[8, 16]) -> tuple[int, type[np.unsignedinteger[Any]]]:
    return (255, np.uint8) if depth == 8 else (65535, np.uint16)
