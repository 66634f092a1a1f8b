"""Arrays of three axes as rasters: which axis holds the bands, and how rows are read."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats, Kind, Raster, Rows
from gwtransfer.errors import AmbiguousError, ReadError, UsageError

Numbers = NDArray[Any]


def find_band_axis(
    shape: tuple[int, int, int],
    *,
    name: str,
    band_axis: int | None = None,
    wavelengths: int | None = None,
) -> int:
    """Return which of three axes holds the bands.

    The user's word decides; then a number of wavelengths that only one axis has; then the last
    axis, unless the first looks as likely: shorter than the last, and either the others are equal
    or it is at most a quarter of both.

    Parameters
    ----------
    shape : tuple of 3 ints
    name : str
        What messages call the file.
    band_axis : int or None
        0, 1, 2 or −1 as the user says.
    wavelengths : int or None
        How many wavelengths the file lists.

    Returns
    -------
    int
        0, 1 or 2.

    Raises
    ------
    UsageError
        ``band_axis`` is none of 0, 1, 2, −1.
    AmbiguousError
        Both the first and the last axis may hold the bands.
    """
    if band_axis is not None:
        if band_axis not in (0, 1, 2, -1):
            raise UsageError(f"--band-axis: expected 0, 1, 2 or -1, got {band_axis}")
        return band_axis % 3
    if wavelengths is not None and shape.count(wavelengths) == 1:
        return shape.index(wavelengths)
    first, middle, last = shape
    if first < last and (middle == last or 4 * first <= min(middle, last)):
        raise AmbiguousError(
            f"{name}: {first} × {middle} × {last} can be {first} bands of {middle} × {last} pixels "
            f"or {last} bands of {first} × {middle} pixels; say --band-axis 0 or --band-axis 2"
        )
    return 2


def habit_note(
    shape: tuple[int, int, int], *, band_axis: int | None = None, wavelengths: int | None = None
) -> str:
    """Return the note for a shape of which `find_band_axis` takes the last axis by habit alone.

    Nothing is said where the last axis is clearly the one: at most 4 long, or at most half as long
    as the first, or the two others are equal and it is not.
    """
    first, middle, last = shape
    told = wavelengths is not None and shape.count(wavelengths) == 1
    clear = last <= 4 or 2 * last <= first or first == middle != last
    if band_axis is not None or told or clear:
        return ""
    return "the last axis is taken as the bands; --band-axis 0 takes the first"


def working_type(stored: np.dtype[Any]) -> np.dtype[np.floating]:
    """Return the float type that holds every value of a stored type that matters.

    float32 for integers of up to 16 bits, half and single floats; float64 for the rest.
    """
    small = stored.itemsize <= 2 if stored.kind in "iub" else stored.itemsize <= 4
    return np.dtype(np.float32) if small else np.dtype(np.float64)


def array_raster(
    array: Numbers,
    *,
    name: str,
    kind: Kind,
    band_axis: int = -1,
    scale: float = 1.0,
    alpha: Numbers | None = None,
    wavelengths: Floats | None = None,
    dtype: str | None = None,
) -> Raster:
    """Return a raster whose rows are slices of an array, in memory or mapped from a file.

    Parameters
    ----------
    array : (rows, columns) array, or three axes of which ``band_axis`` holds the bands
        Numbers; nothing is copied.
    name : str
    kind : {"picture", "cube"}
    band_axis : int
    scale : float
        Stored values are divided by it.
    alpha : (rows, columns) array or None
        In the same scale.
    wavelengths : (bands,) array, nm, or None
    dtype : str or None
        The stored type when it is no longer the array's.

    Returns
    -------
    Raster

    Raises
    ------
    ReadError
        An axis is empty.
    """
    if array.size == 0:
        raise ReadError(f"{name}: expected pixels, found an array of {sizes(array.shape)}")
    view = array[:, :, None] if array.ndim == 2 else np.moveaxis(array, band_axis, -1)
    working = working_type(array.dtype)

    def read(start: int, stop: int) -> Rows:
        values = np.array(view[start:stop], dtype=working, order="C")
        opacity = None
        if alpha is not None:
            opacity = alpha[start:stop].astype(working) / working.type(scale)
        if scale != 1:
            values /= working.type(scale)
        return Rows(values=values, alpha=opacity)

    rows, columns, bands = view.shape
    return Raster(
        name=name,
        rows=rows,
        columns=columns,
        bands=bands,
        read=read,
        kind=kind,
        dtype=dtype or array.dtype.name,
        wavelengths=wavelengths,
        has_alpha=alpha is not None,
    )


def upright(array: Numbers, orientation: int) -> Numbers:
    """Turn (rows, columns, …) as the EXIF or TIFF orientation 1 … 8 asks; a view, not a copy.

    2, 3, 4 undo a mirror left-right, a half turn, a mirror top-bottom; 5 exchanges rows and
    columns, 6 and 8 are quarter turns, 7 is a half turn of 5. Anything else counts as upright.
    """
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def named(name: str, notes: Iterable[str]) -> tuple[str, ...]:
    """Return notes, those that are not empty and each once, after the name of their file."""
    return tuple(f"{name}: {note}" for note in dict.fromkeys(notes) if note)


def sizes(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it: 3 × 4 × 5."""
    return " × ".join(map(str, shape))
