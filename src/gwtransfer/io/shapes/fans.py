"""Polygons cut into triangles."""

import numpy as np
from numpy.typing import NDArray


def fans(corners: NDArray[np.integer], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Cut polygons into fans around their first corners, in order; fewer than three are a line.

    Parameters
    ----------
    corners : (c,) array of int
        The corners of every polygon, one after another.
    lengths : (f,) array of int
        How many each one has.

    Returns
    -------
    (t, 3) array of int
    """
    sides = np.asarray(lengths, dtype=np.int64)
    pieces = np.maximum(sides - 2, 0)
    first = np.repeat(np.cumsum(sides) - sides, pieces)
    step = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    places = np.column_stack([first, first + step + 1, first + step + 2])
    return np.asarray(np.asarray(corners, dtype=np.int64)[places])
