"""Pixels that are plainly missing, though their file names no value for what is missing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gwtransfer.io.layout import Numbers

USUAL = (-9999, -32768)
"""What programs put where nothing was measured; the second one only where it is the lowest."""


def usual_holes(stored: np.dtype[np.generic]) -> tuple[int, ...]:
    """Return the values that may stand for missing pixels in signed integers with a scale.

    No measurement holds one of them in every band. 65535 is not among them: a saturated pixel of
    unsigned integers is that in every band too.
    """
    if stored.kind != "i" or stored.itemsize < 2:
        return ()
    return USUAL if stored.itemsize == 2 else USUAL[:1]


def missing(stored: Numbers, values: tuple[int, ...], *, axis: int) -> NDArray[np.bool_]:
    """Tell which pixels hold one of the values in every band, along ``axis``."""
    first = stored.take(0, axis=axis)
    found = np.zeros(first.shape, dtype=np.bool_)
    for value in values:
        if bool((first == value).any()):
            found |= np.asarray((stored == value).all(axis=axis))
    return found


def seen_holes(
    rows: int, read: Callable[[int, int], Numbers], values: tuple[int, ...], *, axis: int
) -> tuple[float | None, str]:
    """Look for missing pixels in the first, the middle and the last row.

    Parameters
    ----------
    rows : int
    read : callable
        ``read(start, stop)`` returns rows as they are stored.
    values : tuple of int
        As `usual_holes`; nothing is read when there are none.
    axis : int
        Which axis of what is read holds the bands.

    Returns
    -------
    value : float or None
        The first that was found.
    note : str
        What to tell the user of it; empty when none was found.
    """
    for row in sorted({0, rows // 2, rows - 1}) if values else ():
        stored = read(row, row + 1)
        for value in values:
            if bool(missing(stored, (value,), axis=axis).any()):
                return float(value), (
                    f"pixels that are {value} in every band are taken as missing: "
                    "the file names no value for them"
                )
    return None, ""
