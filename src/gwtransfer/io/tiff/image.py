"""Rasters made of the pages of a TIFF: stacks of bands, and single pages that are pictures."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Carried, Kind, Raster, Rows
from gwtransfer.errors import ReadError
from gwtransfer.io.layout import array_raster, find_band_axis, upright
from gwtransfer.io.tiff.colours import expanded, from_inks, inverted
from gwtransfer.io.tiff.segments import Pages

if TYPE_CHECKING:
    TiffPage = Any

Numbers = NDArray[Any]
Window = Callable[[int, int], Numbers]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR = 0, 1, 2, 3, 5, 6
PREMULTIPLIED, ALPHA = 1, 2
MOST_TURNED_BYTES = 2 * 2**30
"""Pixels that have to be turned by a quarter, or whose bands are rows, are held in memory."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """The ``read`` of a raster whose windows come from pages.

    Attributes
    ----------
    window : callable
        Returns rows start … stop − 1 as (r, columns, samples) stored values.
    finish : callable
        Makes a raster of them.
    tall_bytes : int
        Bytes that have to be decoded for a single row.
    """

    window: Window
    finish: Callable[[Numbers], Raster]
    tall_bytes: int

    def __call__(self, start: int, stop: int) -> Rows:
        """Read rows start … stop − 1."""
        return self.finish(self.window(start, stop)).read(0, stop - start)


def _windowed(
    pages: Pages, window: Window, shape: tuple[int, int, int], finish: Callable[[Numbers], Raster]
) -> Raster:
    """Return a raster of (rows, columns, samples) whose windows are finished when they are read."""
    nothing = np.broadcast_to(np.zeros((), pages.dtype), (1, *shape[1:]))
    read = Windows(window=window, finish=finish, tall_bytes=pages.tall_bytes)
    return replace(finish(nothing), rows=shape[0], read=read)


def stack(path: Path, page: "TiffPage", pages: Pages, axis: int) -> Raster:
    """Return a cube of pages of one sample, of which one axis (page, row, column) holds bands."""
    count = len(pages.planes)
    white = int(page.photometric) == WHITE_IS_ZERO

    def window(start: int, stop: int) -> Numbers:
        if axis == 0:
            return np.moveaxis(pages.window(range(count), start, stop)[:, :, :, 0], 0, -1)
        array = pages.window(range(start, stop), 0, pages.rows)[:, :, :, 0]
        return array if axis == 2 else np.moveaxis(array, 1, -1)

    shape = {
        0: (pages.rows, pages.columns, count),
        1: (count, pages.columns, pages.rows),
        2: (count, pages.rows, pages.columns),
    }[axis]

    def finish(array: Numbers) -> Raster:
        if array.dtype == np.bool_:
            array = array.astype(np.uint8)
        return array_raster(inverted(array) if white else array, name=str(path), kind="cube")

    return _windowed(pages, window, shape, finish)


def one_page(path: Path, page: "TiffPage", pages: Pages, *, band_axis: int | None) -> Raster:
    """Return a picture when the page is gray or RGB, and a cube otherwise."""
    photometric = int(page.photometric)
    count = len(pages.planes)

    def stored(start: int, stop: int) -> Numbers:
        array = pages.window(range(count), start, stop)
        return array[0] if count == 1 else np.moveaxis(array[:, :, :, 0], 0, -1)

    samples = count if count > 1 else pages.samples
    turned = _turned(path, page, pages, stored)
    shape = (pages.rows, pages.columns, samples)
    if int(page.tags.valueof(274, default=1)) in (5, 6, 7, 8):
        shape = (pages.columns, pages.rows, samples)
    if band_axis is not None and samples > 1:
        axis = find_band_axis(shape, name=str(path), band_axis=band_axis)
        if axis != 2:
            _check_memory(path, pages)
            return array_raster(turned(0, shape[0]), name=str(path), kind="cube", band_axis=axis)
    convert, notes = _conversion(path, page)
    kind, colours, said = _kind(page, pages, turned, shape)
    if band_axis is not None:
        kind = "cube"
    premultiplied = kind == "picture" and _extra(page)[:1] == [PREMULTIPLIED]

    def finish(array: Numbers) -> Raster:
        return _finished(path, page, convert(array), kind=kind, colours=colours)

    raster = _windowed(pages, turned, shape, finish)
    if premultiplied and raster.has_alpha:
        raster = _divided(raster)
    carried = _carried(page, inks=photometric == INKS) if kind == "picture" else Carried()
    return replace(raster, carried=carried, notes=notes + said)


def _finished(path: Path, page: "TiffPage", array: Numbers, *, kind: Kind, colours: int) -> Raster:
    if kind == "cube":
        return array_raster(array, name=str(path), kind="cube")
    floats = array.dtype.kind == "f"
    stored = "uint8" if page.dtype is None or page.dtype.kind == "b" else page.dtype.name
    return array_raster(
        array[:, :, :colours],
        name=str(path),
        kind="picture",
        scale=1.0 if floats else float(np.iinfo(array.dtype).max),
        alpha=array[:, :, colours] if array.shape[2] > colours else None,
        dtype=stored,
    )


def _kind(
    page: "TiffPage", pages: Pages, window: Window, shape: tuple[int, int, int]
) -> tuple[Kind, int, tuple[str, ...]]:
    """Return picture or cube, the number of colours, and what there is to say about it."""
    photometric, extra = int(page.photometric), _extra(page)
    colours = 3 if photometric in (RGB, YCBCR, PALETTE, INKS) else 1
    if photometric in (PALETTE, INKS):
        return "picture", 3, ()
    samples = shape[2]
    alpha = samples == colours + 1 and extra[:1] in ([PREMULTIPLIED], [ALPHA])
    if samples != colours and not alpha:
        return "cube", colours, ()
    if pages.dtype.kind == "b" or (pages.dtype.kind == "u" and pages.dtype.itemsize <= 2):
        return "picture", colours, ()
    if pages.dtype.kind == "f" and photometric == RGB:
        if _within_one(window, shape):
            return "picture", colours, ()
        said = "RGB of floats beyond [0, 1]: taken as a cube in its own units, not as a picture"
        return "cube", colours, (said,)
    return "cube", colours, ()


def _within_one(window: Window, shape: tuple[int, int, int]) -> bool:
    """Tell whether all finite values lie in [0, 1]; reads up to the first that does not."""
    rows, columns, samples = shape
    step = max(1, 2_000_000 // (columns * samples))
    for start in range(0, rows, step):
        values = window(start, min(start + step, rows))
        finite = values[np.isfinite(values)]
        if finite.size and (finite.min() < 0 or finite.max() > 1):
            return False
    return True


def _extra(page: "TiffPage") -> list[int]:
    return [int(kind) for kind in page.extrasamples]


def _conversion(
    path: Path, page: "TiffPage"
) -> tuple[Callable[[Numbers], Numbers], tuple[str, ...]]:
    """Return what makes gray, RGB or plain numbers of stored samples, and what it guesses."""
    photometric = int(page.photometric)
    if photometric == PALETTE:
        palette = page.colormap
        return (lambda array: expanded(str(path), array, palette)), ()
    if photometric == INKS:
        convert, said = from_inks(_profile(page))
        return convert, (said,)

    def plain(array: Numbers) -> Numbers:
        if array.dtype == np.bool_:
            array = array.astype(np.uint8) * np.uint8(255)
        return inverted(array) if photometric == WHITE_IS_ZERO else array

    return plain, ()


def _turned(path: Path, page: "TiffPage", pages: Pages, window: Window) -> Window:
    """Return windows of the upright page."""
    orientation = int(page.tags.valueof(274, default=1))
    rows = pages.rows
    if orientation in (5, 6, 7, 8):
        _check_memory(path, pages)
        whole = upright(window(0, rows), orientation)
        return lambda start, stop: whole[start:stop]
    if orientation in (3, 4):
        return lambda start, stop: upright(window(rows - stop, rows - start), orientation)
    if orientation == 2:
        return lambda start, stop: upright(window(start, stop), orientation)
    return window


def _check_memory(path: Path, pages: Pages) -> None:
    wanted = pages.total_bytes
    if wanted > MOST_TURNED_BYTES:
        raise ReadError(
            f"{path}: expected at most {MOST_TURNED_BYTES} bytes of pixels that have to be turned, "
            f"found {wanted}; turn it with another program first"
        )


def _divided(raster: Raster) -> Raster:
    """Undo colours that were stored multiplied by their alpha."""

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        if rows.alpha is None:
            return rows
        opacity = np.where(rows.alpha > 0, rows.alpha, 1)[:, :, None]
        return Rows(values=np.minimum(rows.values / opacity, 1), alpha=rows.alpha)

    return replace(raster, read=read)


def _profile(page: "TiffPage") -> bytes | None:
    profile = page.tags.valueof(34675)
    return bytes(profile) if isinstance(profile, bytes) and profile else None


def _carried(page: "TiffPage", *, inks: bool) -> Carried:
    """Return the profile of the colours, unless they were converted, and the resolution."""
    dpi = tuple(_dots(page, tag) for tag in (282, 283))
    known = dpi[0] is not None and dpi[1] is not None
    return Carried(
        icc=None if inks else _profile(page),
        dpi=(float(dpi[0] or 0), float(dpi[1] or 0)) if known else None,
    )


def _dots(page: "TiffPage", tag: int) -> float | None:
    """Return pixels an inch; None when the file does not say, or not a length."""
    stored: Any = page.tags.valueof(tag)
    inches = {2: 1.0, 3: 2.54}.get(int(page.tags.valueof(296, default=2)))
    if inches is None or not isinstance(stored, tuple) or len(stored) != 2 or not stored[1]:
        return None
    dots = stored[0] / stored[1] * inches
    return dots if math.isfinite(dots) and dots > 0 else None
