"""Where the pixels of a series of TIFF pages lie, checked before any is read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.layout import sizes
from gwtransfer.io.tiff.declared import declared_size
from gwtransfer.io.tiff.segments import Pages, Plane
from gwtransfer.io.tiff.tags import check_expansion, truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    Page = Any
    Series = Any

JPEG_CODECS = (6, 7, 33007, 34892)

PLAIN_CODECS = (1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000)
"""Codecs of bytes or lines, whose streams say nothing of rows and columns."""

MOST_SHRINKING = {5: 1500, 8: 1100, 32946: 1100, 32773: 130}
"""Codecs whose output is bounded: LZW, deflate twice, packed bits; bytes a byte."""


def pages_of(path: Path, series: "Series") -> Pages:
    """Return the pages of a series of like pages as planes that can be read by rows.

    Parameters
    ----------
    path : Path
        The file as the user named it.
    series : tifffile.TiffPageSeries
        Of an open file; it may be closed afterwards.

    Raises
    ------
    ReadError
        The pixels are not all in the file, or are missing.
    """
    page = series.keyframe
    separate, depth, rows, columns, samples = page.shaped
    if depth > 1:
        raise ReadError(f"{path}: expected flat pages, found one of depth {depth}")
    shape = {"rows": rows, "columns": columns, "samples": samples}
    stored = np.dtype(page.parent.byteorder + page.dtype.char)
    per_plane = rows * columns * samples * stored.itemsize
    planes: list[Plane] = []
    if page.is_final and series.dataoffset is not None and not series.is_multifile:
        count = int(series.size) // (rows * columns * samples)
        _check_end(path, series.dataoffset + count * per_plane)
        starts = range(series.dataoffset, series.dataoffset + count * per_plane, per_plane)
        planes = [_lying(path, start, rows, columns, stored) for start in starts]
        return Pages(planes, name=str(path), **shape)
    for one in _listed(path, series):
        planes += _planes(path, one, separate)
    _check_expansion(path, planes, page, per_plane)
    return Pages(planes, name=str(path), **shape)


def _listed(path: Path, series: "Series") -> "list[Page]":
    """Return all pages of a series; libraries read those that are missing as zeros."""
    try:
        pages = list(series.pages)
    except IndexError:
        pages = [None]
    if None in pages:
        raise ReadError(
            f"{path}: expected {len(series.pages)} planes as its description says, found that "
            "some are missing; get the file again"
        )
    return pages


def check_bytes(path: Path, series: "Series") -> None:
    """Refuse sizes that the file cannot hold.

    Raises
    ------
    ReadError
        It is truncated or its header is wrong.
    """
    wanted = int(series.size) * max(1, series.dtype.itemsize)
    if series.dataoffset is not None and series.keyframe.is_final:
        _check_end(path, series.dataoffset + wanted)
    else:
        check_expansion(path, series.shape, wanted)


def _check_end(path: Path, end: int) -> None:
    held = path.stat().st_size
    if end > held:
        raise truncated(path, end, held)


def _lying(path: Path, start: int, rows: int, columns: int, stored: np.dtype[Any]) -> Plane:
    """Return a plane whose rows lie one after the other."""
    return Plane(
        path=path, offsets=(start,), counts=(1,), height=rows, width=columns, decode=None,
        stored=stored,
    )  # fmt: skip


def _planes(path: Path, page: "Page", separate: int) -> list[Plane]:
    """Return the planes of one page, which may lie in another file of the set."""
    key = page.keyframe
    _, _, rows, columns, samples = key.shaped
    stored = np.dtype(page.parent.byteorder + key.dtype.char)
    where = Path(page.parent.filehandle.path)
    if where.name == path.name:
        where = path
    plane_bytes = rows * columns * samples * stored.itemsize
    if page.is_final:
        start = page.dataoffsets[0]
        _check_end(where, start + separate * plane_bytes)
        return [
            _lying(where, start + index * plane_bytes, rows, columns, stored)
            for index in range(separate)
        ]
    height = min(key.tilelength if key.is_tiled else key.rowsperstrip, rows)
    width = key.tilewidth if key.is_tiled else columns
    if key.is_tiled:
        height = key.tilelength
    each = -(-rows // height) * -(-columns // width)
    offsets, counts = page.dataoffsets, page.databytecounts
    if min(len(offsets), len(counts)) < each * separate:
        raise ReadError(
            f"{path}: expected {each * separate} strips or tiles for {sizes((rows, columns))} "
            f"pixels, found {min(len(offsets), len(counts))}; the file is broken"
        )
    raw = _is_raw(key) and _whole_strips(counts, rows, height, plane_bytes // rows)
    planes = []
    for first in range(0, each * separate, each):
        decode = None if raw else _decoder(path, page, first, height=height, width=width)
        planes.append(
            Plane(
                path=where,
                offsets=offsets[first : first + each],
                counts=counts[first : first + each],
                height=height,
                width=width,
                decode=decode,
                stored=stored,
            )
        )
    return planes


def _is_raw(key: "Page") -> bool:
    """Tell whether strips hold the values as they are."""
    plain = key.compression == 1 and key.predictor == 1 and key.fillorder == 1
    whole = key.bitspersample == 8 * key.dtype.itemsize and key.dtype.kind in "uif"
    return plain and whole and not key.is_tiled and not key.is_subsampled


def _whole_strips(counts: "tuple[int, ...]", rows: int, height: int, row_bytes: int) -> bool:
    """Tell whether each strip that was written is as long as its rows."""
    per_plane = -(-rows // height)
    last = (rows - (per_plane - 1) * height) * row_bytes
    return all(
        count == 0 or count >= (last if index % per_plane == per_plane - 1 else height * row_bytes)
        for index, count in enumerate(counts)
    )


def _decoder(
    path: Path, page: "Page", first: int, *, height: int, width: int
) -> "Callable[[bytes, int], NDArray[Any]]":
    """Return what decodes the segments of a plane, of which ``first`` is the first one's number."""
    key = page.keyframe
    decode = key.decode
    is_picture = int(key.compression) not in PLAIN_CODECS
    more: dict[str, Any] = {}
    if int(key.compression) in JPEG_CODECS:
        more = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}

    most = 4 * height * width + 2**16

    def decoded(encoded: bytes, segment: int) -> NDArray[Any]:
        said = declared_size(encoded) if is_picture else None
        if said is not None and said[0] * said[1] > most:
            raise ReadError(
                f"{path}: expected strips or tiles of {height} × {width} pixels, found one that "
                f"says {said[0]} × {said[1]}; the file is broken"
            )
        values = decode(encoded, first + segment, **more)[0]
        return np.asarray(values[0])

    return decoded


def _check_expansion(path: Path, planes: list[Plane], page: "Page", plane_bytes: int) -> None:
    """Refuse more pixels than the codec can have packed into the bytes of the strips or tiles."""
    most = MOST_SHRINKING.get(int(page.compression))
    if most is None:
        return
    _, _, rows, columns, samples = page.shaped
    bits = max(1, page.bitspersample or 1)
    for plane in planes:
        written = sum(1 for count in plane.counts if count)
        promised = written * plane.height * plane.width * samples * bits // 8
        if not page.is_tiled:
            promised = min(promised, plane_bytes)
        held = sum(plane.counts)
        if promised > most * held + 4096:
            raise ReadError(
                f"{path}: expected {sizes((rows, columns))} pixels as its header says, found "
                f"{held} compressed bytes that cannot hold them; it is truncated or broken"
            )
