"""Decoded values kept for later: a bounded store of recent ones, and whole images."""

import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.layout import sizes

Numbers = NDArray[Any]

RECENT_BYTES = 128 * 2**20
"""Decoded strips and tiles of all open files that are kept in memory."""

MEMORY_BYTES = 256 * 2**20
"""Images up to this size are kept in memory, larger ones in a temporary file."""


@dataclass(eq=False)
class _Entry:
    """One kept value, and the lock of whoever is making it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Numbers | None = None


class Recent:
    """Arrays made on demand, each by one thread only; the oldest are forgotten."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self.entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Numbers]) -> Numbers:
        """Return the array of a key, made now if it is not among those kept."""
        with self.lock:
            entry = self.entries.setdefault(key, _Entry())
            self.entries.move_to_end(key)
        with entry.lock:
            if entry.value is None:
                try:
                    entry.value = make()
                except BaseException:
                    with self.lock:
                        self.entries.pop(key, None)
                    raise
                self._count(key, entry)
            return entry.value

    def _count(self, key: Hashable, entry: _Entry) -> None:
        """Add a new array to the account, and forget the oldest beyond the limit."""
        with self.lock:
            if self.entries.get(key) is not entry or entry.value is None:
                return
            self.held += entry.value.nbytes
            finished = [name for name, one in self.entries.items() if one.value is not None]
            for oldest in finished:
                if self.held <= self.most:
                    break
                forgotten = self.entries.pop(oldest).value
                self.held -= 0 if forgotten is None else forgotten.nbytes


RECENT = Recent(RECENT_BYTES)
"""Shared by all files, so that a hundred open files need no more than one."""


class Kept:
    """Planes of one size and type, written once and read by rows.

    Up to MEMORY_BYTES they are in memory, beyond that in a temporary file without a name, which
    ends with the process.

    Parameters
    ----------
    name : str
        What messages call the image.
    shape : (planes, rows, columns, samples)
    dtype : dtype

    Raises
    ------
    ReadError
        There is no room for the temporary file.
    """

    def __init__(self, name: str, shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.row_bytes = shape[2] * shape[3] * dtype.itemsize
        wanted = shape[0] * shape[1] * self.row_bytes
        self.lock = threading.Lock()
        self.array: Numbers | None = None
        self.file: IO[bytes] | None = None
        if wanted <= MEMORY_BYTES:
            self.array = np.zeros(shape, dtype)
            return
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if wanted > free:
            raise ReadError(
                f"{name}: expected {wanted} bytes of room in {folder} to decode "
                f"{sizes(shape[:3])} values, found {free}; set TMPDIR to a larger folder"
            )
        self.file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # lives as long as this
        weakref.finalize(self, self.file.close)
        self.file.truncate(wanted)

    def put(self, plane: int, row: int, column: int, values: Numbers) -> None:
        """Store (h, w, samples) values with their upper left corner at a row and a column."""
        height, width = values.shape[:2]
        if self.array is not None:
            self.array[plane, row : row + height, column : column + width] = values
            return
        values = np.ascontiguousarray(values, self.dtype)
        pieces = [values] if width == self.shape[2] else list(values)
        per_piece = height if width == self.shape[2] else 1
        for index, piece in enumerate(pieces):
            place = self._place(plane, row + index * per_piece)
            place += column * self.shape[3] * self.dtype.itemsize
            self._write(place, piece)

    def window(self, planes: range, start: int, stop: int) -> Numbers:
        """Return rows start … stop − 1 of planes, as (planes, r, columns, samples)."""
        if self.array is not None:
            return self.array[planes.start : planes.stop, start:stop]
        out = np.empty((len(planes), stop - start, *self.shape[2:]), self.dtype)
        for index, plane in enumerate(planes):
            self._read(self._place(plane, start), out[index])
        return out

    def _place(self, plane: int, row: int) -> int:
        return (plane * self.shape[1] + row) * self.row_bytes

    def _write(self, place: int, piece: Numbers) -> None:
        if self.file is None:
            return
        left = piece.reshape(-1).view(np.uint8).data
        try:
            with self.lock:
                self.file.seek(place)
                while left:
                    left = left[self.file.write(left) or 0 :]
        except OSError as error:
            raise ReadError(
                f"{self.name}: cannot be decoded into a temporary file: {error.strerror}; "
                "set TMPDIR to a larger folder"
            ) from error

    def _read(self, place: int, out: Numbers) -> None:
        if self.file is None:
            return
        with self.lock:
            self.file.seek(place)
            fill(self.file, out, self.name)


def fill(file: Any, out: Numbers, name: str) -> None:
    """Read bytes of an unbuffered file into a contiguous array until it is full.

    Raises
    ------
    ReadError
        The file ends before.
    """
    left = out.reshape(-1).view(np.uint8).data
    while left:
        count = file.readinto(left)
        if not count:
            raise ReadError(
                f"{name}: expected {len(left)} more bytes of pixels, found the end of the file; "
                "it is truncated"
            )
        left = left[count:]
