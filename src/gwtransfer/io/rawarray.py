"""Numbers that lie in a file one after the other, read by rows without mapping the file."""

from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.tiff.tags import truncated

Interleave = Literal["bsq", "bil", "bip"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Raw:
    """Where the values of a cube lie, and how to get some rows of them.

    The file is opened for every read, so any number of threads may read at once, and only the
    bytes asked for enter this process's memory: a mapped file would count with all it has shown.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    rows, columns, bands : int
    offset : int
        Bytes before the first value.
    stored : dtype
        With its byte order.
    interleave : {"bsq", "bil", "bip"}
        Axes from the slowest: bands, rows, columns; rows, bands, columns; rows, columns, bands.
    """

    path: Path
    name: str
    rows: int
    columns: int
    bands: int
    offset: int
    stored: np.dtype[Any]
    interleave: Interleave

    @property
    def expected_bytes(self) -> int:
        """Size the file must have at least."""
        return self.offset + self.rows * self.columns * self.bands * self.stored.itemsize

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows start … stop − 1 as they are stored, seen as (bands, r, columns).

        Raises
        ------
        ReadError
            The file is gone, or has become shorter.
        """
        rows, width, item = stop - start, self.columns * self.bands, self.stored.itemsize
        try:
            with self.path.open("rb", buffering=0) as file:
                if self.interleave == "bsq":
                    values = np.empty((self.bands, rows, self.columns), self.stored)
                    for band in range(self.bands):
                        first = (band * self.rows + start) * self.columns
                        self._fill(file, first * item, values[band])
                    return values
                values = np.empty(rows * width, self.stored)
                self._fill(file, start * width * item, values)
        except ReadError:
            raise
        except OSError as error:
            raise ReadError(f"{self.name}: cannot be read: {error.strerror}") from error
        if self.interleave == "bil":
            return values.reshape(rows, self.bands, self.columns).swapaxes(0, 1)
        return np.moveaxis(values.reshape(rows, self.columns, self.bands), -1, 0)

    def _fill(self, file: FileIO, place: int, values: NDArray[Any]) -> None:
        file.seek(self.offset + place)
        view = values.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(view):
            count = file.readinto(view[done:])
            if not count:
                raise truncated(self.path, self.expected_bytes, self.path.stat().st_size)
            done += count
