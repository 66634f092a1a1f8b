"""Blocks of a picture as bytes, the same for every 8-bit format."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Block

Bytes = NDArray[np.uint8]


def to_bytes(block: Block, columns: int) -> tuple[Bytes, Bytes]:
    """Round a block of a picture to 8 bits: floor(255·x + ½) after clipping to [0, 1].

    Parameters
    ----------
    block : Block
        Points in [0, 1].
    columns : int

    Returns
    -------
    colours : (r, columns, bands) array of uint8
        Zero where the block is not valid, so that holes look the same in every run.
    opacity : (r, columns) array of uint8
        Zero where the block is not valid, 255 where it is and has no alpha.
    """
    valid = block.valid
    colours = _rounded(np.where(valid[:, None], block.points, 0))
    opacity = valid.astype(np.uint8) * np.uint8(255)
    if block.alpha is not None:
        opacity = _rounded(np.where(valid, block.alpha, 0))
    rows = block.stop - block.start
    return colours.reshape(rows, columns, -1), opacity.reshape(rows, columns)


def _rounded(values: NDArray[np.floating]) -> Bytes:
    rounded: Bytes = np.floor(np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
    return rounded
