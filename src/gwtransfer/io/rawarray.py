"""Numbers that lie uncompressed in a file, read part by part without mapping the file."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.errors import ReadError
from gwtransfer.io.tiff.tags import truncated

Interleave = Literal["bsq", "bil", "bip"]
Bounds = tuple[int, int]

PIECE_BYTES = 4_000_000
"""Read in one go where more is read than is wanted."""

LEAST_RUN, MOST_RUN = 4096, 65_536
"""Stretches of fewer bytes are read with what lies between them, if that is not more bytes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RawArray:
    """Where the values of an array lie, and how to get a part of them.

    The file is opened for every read, so any number of threads may read at once, and only the
    bytes asked for enter this process's memory: a mapped file would count with all it has shown.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    shape : tuple of int
        From the slowest axis to the fastest.
    offset : int
        Bytes before the first value.
    stored : dtype
        With its byte order.
    step : int or None
        Bytes between places along the first of several axes; None where nothing lies between them.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    offset: int
    stored: np.dtype[Any]
    step: int | None = None

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes between neighbours along each axis."""
        strides = [self.stored.itemsize] * len(self.shape)
        for axis in reversed(range(len(self.shape) - 1)):
            strides[axis] = strides[axis + 1] * self.shape[axis + 1]
        if self.step is not None:
            strides[0] = self.step
        return tuple(strides)

    @property
    def end(self) -> int:
        """Size the file must have at least."""
        if 0 in self.shape:
            return self.offset
        steps = zip(self.strides, self.shape, strict=True)
        return self.offset + self.stored.itemsize + sum(step * (n - 1) for step, n in steps)

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a part, given by a slice of step 1 for each axis, as it is stored.

        Raises
        ------
        ReadError
            The file is gone, or has become shorter.
        """
        bounds = [part.indices(n)[:2] for part, n in zip(index, self.shape, strict=True)]
        out = np.empty([max(stop - start, 0) for start, stop in bounds], self.stored)
        if not out.size:
            return out
        try:
            with self.path.open("rb", buffering=0) as file:
                self._fill(file, bounds, out)
        except ReadError:
            raise
        except OSError as error:
            said = error.strerror or reason(error)
            raise ReadError(f"{self.name}: cannot be read: {said}") from error
        return out

    def _fill(self, file: FileIO, bounds: list[Bounds], out: NDArray[Any]) -> None:
        axis = self._running_axis(bounds)
        wanted = tuple(slice(*ends) for ends in bounds[axis + 1 :])
        behind = self.shape[axis + 1 :]
        exact = all(ends == (0, n) for ends, n in zip(bounds[axis + 1 :], behind, strict=True))
        stride = self.strides[axis]
        first, last = bounds[axis]
        step = last - first if exact else max(1, PIECE_BYTES // stride)
        for place, run in self._runs(bounds[:axis], out):
            for start in range(first, last, step):
                stop = min(start + step, last)
                part = run[start - first : stop - first]
                at = place + start * stride
                if exact:
                    self._read(file, at, part)
                else:
                    whole = np.empty((stop - start, *behind), self.stored)
                    self._read(file, at, whole)
                    part[...] = whole[(slice(None), *wanted)]

    def _running_axis(self, bounds: list[Bounds]) -> int:
        """Return the axis along which bytes are read on end; all behind it are read whole."""
        axis = len(self.shape) - 1
        least = 1 if self.step is not None else 0  # between records lie those of other arrays
        while axis > least:
            start, stop = bounds[axis]
            short = (stop - start) * self.strides[axis] < LEAST_RUN
            near = self.strides[axis - 1] <= MOST_RUN
            if (start, stop) != (0, self.shape[axis]) and not (short and near):
                break
            axis -= 1
        return axis

    def _runs(self, bounds: list[Bounds], out: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield where each stretch begins, and the part of ``out`` that it fills."""
        for outer in np.ndindex(*(stop - start for start, stop in bounds)):
            steps = zip(self.strides, bounds, outer, strict=False)
            place = sum(stride * (start + at) for stride, (start, _), at in steps)
            yield self.offset + place, out[outer]

    def _read(self, file: FileIO, place: int, values: NDArray[Any]) -> None:
        file.seek(place)
        view = values.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(view):
            count = file.readinto(view[done:])
            if not count:
                raise truncated(self.path, self.end, self.path.stat().st_size)
            done += count


@dataclass(frozen=True, eq=False, kw_only=True)
class RawCube:
    """Bands that lie uncompressed in a file, and how to get some rows of them.

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
    def band_axis(self) -> int:
        """Which axis holds the bands."""
        return {"bsq": 0, "bil": 1, "bip": 2}[self.interleave]

    @property
    def array(self) -> RawArray:
        """The array of three axes the values are."""
        shape = [self.rows, self.columns]
        shape.insert(self.band_axis, self.bands)
        return RawArray(
            path=self.path,
            name=self.name,
            shape=tuple(shape),
            offset=self.offset,
            stored=self.stored,
        )

    @property
    def expected_bytes(self) -> int:
        """Size the file must have at least."""
        pixels = math.prod((self.rows, self.columns, self.bands))
        return self.offset + pixels * self.stored.itemsize

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows start … stop − 1 as they are stored, seen as (bands, r, columns).

        Raises
        ------
        ReadError
            The file is gone, or has become shorter.
        """
        index = [slice(start, stop), slice(None)]
        index.insert(self.band_axis, slice(None))
        return np.moveaxis(self.array.read(tuple(index)), self.band_axis, 0)
