"""Rows out of arrays stored in chunks: each chunk is decoded once, whatever windows are asked for.

A slab is the rows that one row of chunks covers. The last few slabs are kept decoded: in memory
while they are small, else in a scratch file without a name, which the system removes by itself.
"""

import os
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.variables import Axes, Numbers, Variable
from gwtransfer.io.layout import sizes

MEMORY_BYTES = 32_000_000
"""A row of slabs larger than this, over all bands, goes to a scratch file."""

PIECE_BYTES = 4_000_000
"""About how much is decoded in one go, when chunks are smaller than that."""

MOST_CHUNK_BYTES = 1_000_000_000
"""A larger chunk would have to be decoded in memory as a whole."""

KEPT_SLABS = 3
"""ChunkRows kept a variable: windows cross their edges, and threads read ahead."""

SLAB_ROWS = 64
"""Rows of a slab at least, where the chunks are flatter and a piece has room for more."""

Region = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Piece:
    """A decoded part of a slab: some columns and bands of all its rows.

    Attributes
    ----------
    region : two pairs of int
        First and one past the last column and band.
    array : (rows, columns, bands) array, or None
        None when it lies in the scratch file.
    offset : int
        Where it starts in the scratch file.
    """

    region: Region
    array: Numbers | None
    offset: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class _Slab:
    """Some rows, decoded; the scratch file goes when the slab does."""

    pieces: Sequence[Piece]
    handle: int | None


class ChunkRows:
    """Reads rows of one variable of two or three axes.

    Parameters
    ----------
    variable : Variable
    axes : Axes
    name : str
        What messages call the file.
    layers : int
        How many variables like this one are read together; they share the memory.
    """

    def __init__(self, variable: Variable, axes: Axes, *, name: str, layers: int = 1) -> None:
        self.variable = variable
        self.axes = axes
        self.name = name
        self.rows, self.columns = variable.shape[axes.row], variable.shape[axes.column]
        self.bands = 1 if axes.band is None else variable.shape[axes.band]
        self.height, self.wide, self.deep = self._chunk()
        row_bytes = self.columns * self.bands * variable.dtype.itemsize
        self.in_memory = layers * row_bytes * self.height <= MEMORY_BYTES
        self.kept: OrderedDict[int, _Slab] = OrderedDict()
        self.lock = threading.Lock()

    def rows_between(self, start: int, stop: int) -> Numbers:
        """Return (stop − start, columns, bands) stored values."""
        if self.height == 1:
            return self._fetch(start, stop, ((0, self.columns), (0, self.bands)))
        out = np.empty((stop - start, self.columns, self.bands), dtype=self.variable.dtype)
        with self.lock:
            for number in range(start // self.height, (stop - 1) // self.height + 1):
                first = number * self.height
                above = max(start, first)
                below = min(stop, first + self.height)
                part = out[above - start : below - start]
                self._copy(self._slab(number), above - first, below - first, part)
        return out

    def _chunk(self) -> tuple[int, int, int]:
        """Return rows of a slab, and columns and bands of what is decoded in one go."""
        chunks, item = self.variable.chunks, self.variable.dtype.itemsize
        if chunks is None or self.rows == 0:
            return 1, self.columns, self.bands
        if int(np.prod(chunks, dtype=object)) * item > MOST_CHUNK_BYTES:
            raise ReadError(
                f"{self.name}: expected chunks of less than 1 GB, found {self.variable.name} "
                f"stored in chunks of {sizes(chunks)}; store it again in smaller ones"
            )
        band = self.axes.band
        height = min(chunks[self.axes.row], self.rows)
        wide = min(chunks[self.axes.column], self.columns)
        deep = 1 if band is None else min(chunks[band], self.bands)
        while deep < self.bands and 2 * height * wide * deep * item <= PIECE_BYTES:
            deep = min(self.bands, 2 * deep)
        while wide < self.columns and 2 * height * wide * deep * item <= PIECE_BYTES:
            wide = min(self.columns, 2 * wide)
        whole = wide >= self.columns and deep >= self.bands
        while whole and height < min(SLAB_ROWS, self.rows):
            if 2 * height * wide * deep * item > PIECE_BYTES:
                break
            height *= 2
        return height, wide, deep

    def _slab(self, number: int) -> _Slab:
        if number in self.kept:
            self.kept.move_to_end(number)
            return self.kept[number]
        while len(self.kept) >= KEPT_SLABS:
            self.kept.popitem(last=False)
        self.kept[number] = self._decoded(number)
        return self.kept[number]

    def _decoded(self, number: int) -> _Slab:
        first = number * self.height
        last = min(first + self.height, self.rows)
        if self.in_memory:
            arrays = [(region, self._fetch(first, last, region)) for region in self._regions()]
            return _Slab(
                pieces=[Piece(region=region, array=array) for region, array in arrays],
                handle=None,
            )
        handle = self._scratch((last - first) * self.columns * self.bands)
        pieces: list[Piece] = []
        offset = 0
        slab = _Slab(pieces=pieces, handle=handle)
        weakref.finalize(slab, os.close, handle)
        for region in self._regions():
            array = np.ascontiguousarray(self._fetch(first, last, region))
            pieces.append(Piece(region=region, array=None, offset=offset))
            self._write(handle, array, offset)
            offset += array.nbytes
        return slab

    def _regions(self) -> Iterator[Region]:
        for left in range(0, self.columns, self.wide):
            for low in range(0, self.bands, self.deep):
                yield (
                    (left, min(left + self.wide, self.columns)),
                    (low, min(low + self.deep, self.bands)),
                )

    def _fetch(self, start: int, stop: int, region: Region) -> Numbers:
        """Read some rows of a region as (rows, columns, bands)."""
        (left, right), (low, high) = region
        axes = self.axes
        index = [slice(0, 0)] * len(self.variable.shape)
        index[axes.row], index[axes.column] = slice(start, stop), slice(left, right)
        order = [axes.row, axes.column]
        if axes.band is not None:
            index[axes.band] = slice(low, high)
            order.append(axes.band)
        array = self.variable.read(tuple(index)).transpose(order)
        expected = (stop - start, right - left, high - low)
        if array.size != np.prod(expected):
            raise ReadError(
                f"{self.name}: expected {sizes(expected)} values of {self.variable.name}, "
                f"found {sizes(array.shape)}; the file is broken"
            )
        return array.reshape(expected)

    def _scratch(self, values: int) -> int:
        """Return a handle of an unnamed file that has room for so many values."""
        folder = tempfile.gettempdir()
        needed = values * self.variable.dtype.itemsize
        try:
            free = shutil.disk_usage(folder).free
            if needed > 0.9 * free:
                raise ReadError(
                    f"{self.name}: {self.variable.name} is stored in chunks of many rows and needs "
                    f"{needed} bytes of scratch space, found {free} free in {folder}; "
                    "set TMPDIR to a larger folder"
                )
            with tempfile.TemporaryFile() as file:
                return os.dup(file.fileno())
        except ReadError:
            raise
        except OSError as error:
            raise self._no_scratch(error) from error

    def _write(self, handle: int, array: Numbers, offset: int) -> None:
        left = memoryview(array.tobytes())
        try:
            while left:
                done = os.pwrite(handle, left, offset)
                left, offset = left[done:], offset + done
        except OSError as error:
            raise self._no_scratch(error) from error

    def _no_scratch(self, error: OSError) -> ReadError:
        return ReadError(
            f"{self.name}: no scratch space in {tempfile.gettempdir()}: {error.strerror}; "
            "set TMPDIR to another folder"
        )

    def _copy(self, slab: _Slab, start: int, stop: int, out: Numbers) -> None:
        """Copy rows start … stop − 1 of a slab."""
        for piece in slab.pieces:
            (left, right), (low, high) = piece.region
            if piece.array is not None:
                out[:, left:right, low:high] = piece.array[start:stop]
                continue
            assert slab.handle is not None
            row = (right - left) * (high - low) * out.dtype.itemsize
            content = os.pread(slab.handle, (stop - start) * row, piece.offset + start * row)
            part = np.frombuffer(content, dtype=out.dtype)
            out[:, left:right, low:high] = part.reshape(stop - start, right - left, high - low)
