"""Rows of TIFF pages, read where they lie: raw rows, or the strips and tiles that hold them."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.files import check_swelling
from gwtransfer.io.tiff.decodedcache import RECENT, Kept, fill

Numbers = NDArray[Any]

TALL_BYTES = 64 * 2**20
"""Decoded strips or tiles of one row of them; above this all pages are decoded once and kept."""

MOST_SEGMENT_BYTES = 4 * 2**30
"""A strip or tile is decoded in one piece, so a larger one is refused."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """One page, or one sample of a page that stores its samples apart.

    Attributes
    ----------
    path : Path
        The file it lies in.
    offsets, counts : sequences of int
        Where its strips or tiles lie and how long they are; a length of 0 is a segment never
        written, which reads as zeros.
    height, width : int
        Rows and columns of a strip or tile.
    decode : callable or None
        Turns the bytes of segment i into (h, w, samples) values; None for raw rows.
    stored : dtype
        With the byte order of raw rows.
    """

    path: Path
    offsets: Sequence[int]
    counts: Sequence[int]
    height: int
    width: int
    decode: Callable[[bytes, int], Numbers] | None
    stored: np.dtype[Any]


class Pages:
    """Planes of one size and type, read by windows of rows from any number of threads.

    Parameters
    ----------
    planes : list of Plane
    rows, columns, samples : int
    name : str
        What messages call the file.
    """

    def __init__(
        self, planes: list[Plane], *, rows: int, columns: int, samples: int, name: str
    ) -> None:
        self.planes = planes
        self.rows, self.columns, self.samples = rows, columns, samples
        self.name = name
        self.dtype = planes[0].stored.newbyteorder("=")
        self.tall_bytes = sum(map(self._row_bytes, planes))
        """Bytes that have to be decoded for a single row; 0 when rows lie raw in the file."""
        self.total_bytes = len(planes) * rows * columns * samples * self.dtype.itemsize
        self.kept: Kept | None = None
        self.lock = threading.Lock()
        for plane in planes:
            check_swelling(name, max(plane.counts, default=0), self._segment_bytes(plane))
        largest = max((self._segment_bytes(plane) for plane in planes), default=0)
        if largest > MOST_SEGMENT_BYTES:
            raise ReadError(
                f"{name}: expected strips or tiles of up to {MOST_SEGMENT_BYTES} bytes, found "
                f"{largest}; save it uncompressed or in smaller strips"
            )

    def window(self, planes: range, start: int, stop: int) -> Numbers:
        """Return rows start … stop − 1 of some planes, as (planes, r, columns, samples).

        Raises
        ------
        ReadError
            The file ends early, or a strip or tile cannot be decoded.
        """
        try:
            if self.tall_bytes > TALL_BYTES:
                return self._everything().window(planes, start, stop)
            return self._window(planes, start, stop)
        except GwTransferError:
            raise
        except Exception as error:
            raise ReadError(
                f"{self.name}: expected a TIFF file, found one that cannot be decoded: "
                f"{reason(error)}"
            ) from error

    def _window(self, planes: range, start: int, stop: int) -> Numbers:
        shape = (len(planes), stop - start, self.columns, self.samples)
        out = np.zeros(shape, self.dtype)
        with ExitStack() as stack:
            opened: dict[Path, Any] = {}
            for index, number in enumerate(planes):
                plane = self.planes[number]
                if plane.path not in opened:
                    stack.close()
                    opened = {plane.path: stack.enter_context(plane.path.open("rb", buffering=0))}
                read = self._raw if plane.decode is None else self._decoded
                read(plane, opened[plane.path], out[index], start)
        return out

    def _raw(self, plane: Plane, file: Any, out: Numbers, start: int) -> None:
        """Read the rows of ``out`` where they lie."""
        row_bytes = self.columns * self.samples * self.dtype.itemsize
        stop = start + len(out)
        for segment in range(start // plane.height, -(-stop // plane.height)):
            first = max(start, segment * plane.height)
            last = min(stop, (segment + 1) * plane.height)
            if plane.counts[segment] == 0:
                continue
            file.seek(plane.offsets[segment] + (first - segment * plane.height) * row_bytes)
            fill(file, out[first - start : last - start], self.name)
        if plane.stored.newbyteorder("=") != plane.stored:
            out.byteswap(inplace=True)

    def _decoded(self, plane: Plane, file: Any, out: Numbers, start: int) -> None:
        """Fill the rows of ``out`` from the strips or tiles that hold them."""
        across = -(-self.columns // plane.width)
        stop = start + len(out)
        for down in range(start // plane.height, -(-stop // plane.height)):
            top = down * plane.height
            first, last = max(start, top), min(stop, top + plane.height)
            for aside in range(across):
                segment = down * across + aside
                if plane.counts[segment] == 0:
                    continue
                values = RECENT.get((plane, segment), partial(_decode, plane, file, segment))
                left = aside * plane.width
                part = values[first - top : last - top, : self.columns - left]
                out[first - start : last - start, left : left + plane.width] = part

    def _everything(self) -> Kept:
        """Decode every strip and tile once, and keep the pixels."""
        with self.lock:
            if self.kept is None:
                shape = (len(self.planes), self.rows, self.columns, self.samples)
                kept = Kept(self.name, shape, self.dtype)
                for number, plane in enumerate(self.planes):
                    self._keep(kept, number, plane)
                self.kept = kept
            return self.kept

    def _keep(self, kept: Kept, number: int, plane: Plane) -> None:
        across = -(-self.columns // plane.width)
        with plane.path.open("rb", buffering=0) as file:
            for segment in range(-(-self.rows // plane.height) * across):
                if plane.counts[segment] == 0:
                    continue
                top, left = segment // across * plane.height, segment % across * plane.width
                values = _decode(plane, file, segment)
                kept.put(number, top, left, values[: self.rows - top, : self.columns - left])

    def _row_bytes(self, plane: Plane) -> int:
        if plane.decode is None:
            return 0
        return plane.height * self.columns * self.samples * self.dtype.itemsize

    def _segment_bytes(self, plane: Plane) -> int:
        if plane.decode is None:
            return 0
        return plane.height * plane.width * self.samples * self.dtype.itemsize


def _decode(plane: Plane, file: Any, segment: int) -> Numbers:
    """Return one strip or tile as (h, w, samples)."""
    encoded = np.empty(plane.counts[segment], np.uint8)
    file.seek(plane.offsets[segment])
    fill(file, encoded, str(plane.path))
    if plane.decode is None:
        raise TypeError("raw rows need no decoder")
    return plane.decode(encoded.tobytes(), segment)
