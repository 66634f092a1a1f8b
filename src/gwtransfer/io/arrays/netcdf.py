"""Classic netCDF files (versions 1, 2 and 5), by their own small reader; netCDF-4 is HDF5."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gwtransfer.core.raster import Raster
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.cf import NETCDF_FILL
from gwtransfer.io.arrays.cubes import load_cube
from gwtransfer.io.arrays.variables import Contents, Index, Numbers, Variable
from gwtransfer.io.files import check_readable
from gwtransfer.io.layout import sizes
from gwtransfer.io.rawarray import RawArray

DTYPES = {1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8"}
DTYPES |= {7: ">u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
DIMENSIONS, VARIABLES, ATTRIBUTES = 10, 11, 12
MOST_ITEMS = 100_000
MOST_AXES = 1024
MOST_HEADER_BYTES = 64_000_000
STREAMING = (2**32 - 1, 2**64 - 1)
"""Numbers of records that mean "as many as there are"."""


@dataclass(frozen=True, kw_only=True)
class NetcdfLoader:
    """Load the cube in a classic netCDF file.

    Rows are read when they are asked for. Fill values and values outside the valid range become
    NaN, then scale and offset are applied. Images named like bands (Band1, Band2; blue, green, red)
    are stacked.

    Attributes
    ----------
    variable : str or None
        Which array holds the cube; several images with commas between them become the bands of one
        cube; ``name[0]`` fixes the place along the first axis.
    band_axis : int or None
        Which of three axes holds the bands; found out when it is None.
    """

    variable: str | None = None
    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes."""
        try:
            with path.open("rb") as file:
                head = file.read(4)
        except (OSError, ValueError):
            return False
        return head[:3] == b"CDF" and head[3:] in (b"\x01", b"\x02", b"\x05")

    def __call__(self, path: Path) -> Raster:
        """Read the header, and choose.

        Returns
        -------
        Raster
            A cube.

        Raises
        ------
        ReadError
            Truncated, broken, without a cube, or without the named variable.
        AmbiguousError
            Several variables may be the cube, or several axes may hold its bands.
        UsageError
            An option is out of range.
        """
        check_readable(path)
        if not self.claims(path):
            raise ReadError(f"{path}: expected a classic netCDF file, found something else")
        try:
            with path.open("rb") as file:
                contents = _Header(file, path).contents()
        except (ValueError, struct.error, OverflowError, MemoryError) as error:
            raise ReadError(
                f"{path}: expected a netCDF header, found one that is truncated or broken"
            ) from error
        return load_cube(contents, variable=self.variable, band_axis=self.band_axis)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Array:
    """An array as the header describes it.

    Attributes
    ----------
    name : str
    dims : list of int
        Numbers of its dimensions.
    attributes : dict
    dtype : dtype
    stride : int
        Bytes of it, or of one record of it, padded to a multiple of four.
    offset : int
        Where it begins.
    """

    name: str
    dims: list[int]
    attributes: dict[str, Any]
    dtype: np.dtype[Any]
    stride: int
    offset: int


class _Header:
    """The description at the start of a file, read from front to back."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.content = file.read(MOST_HEADER_BYTES)
        self.place = 4
        version = self.content[3]
        self.count_form = ">Q" if version == 5 else ">I"
        self.offset_form = ">I" if version == 1 else ">Q"

    def contents(self) -> Contents:
        """List the arrays of the file."""
        records = self._count()
        dims = [(self._name(), self._count()) for _ in range(self._items(DIMENSIONS))]
        root = self._attributes()
        arrays = [self._array(dims) for _ in range(self._items(VARIABLES))]
        recorded = [one for one in arrays if one.dims and dims[one.dims[0]][1] == 0]
        step = sum(one.stride for one in recorded)
        if len(recorded) == 1:  # a single record variable is not padded
            lengths = [dims[number][1] for number in recorded[0].dims[1:]]
            step = _row_bytes(recorded[0].dtype, lengths)
        if records in STREAMING:
            start = min((one.offset for one in recorded), default=self.size)
            records = (self.size - start) // step if step else 0
        variables: dict[str, Variable] = {}
        attributes: dict[str, Mapping[str, Any]] = {"": root}
        for one in arrays:
            attributes[one.name] = one.attributes
            if one.dtype.kind in "iuf":
                raw = RawArray(
                    path=self.path,
                    name=str(self.path),
                    shape=tuple(dims[number][1] or records for number in one.dims),
                    offset=one.offset,
                    stored=one.dtype,
                    step=step if one in recorded else None,
                )
                names = tuple(dims[number][0] for number in one.dims)
                variables[one.name] = _variable(raw, one.name, names, one.attributes, self.size)
        return Contents(name=str(self.path), variables=variables, attributes=attributes)

    def _take(self, form: str) -> int:
        value: int = struct.unpack_from(form, self.content, self.place)[0]
        self.place += struct.calcsize(form)
        return value

    def _count(self) -> int:
        return self._take(self.count_form)

    def _items(self, tag: int) -> int:
        """Return the length of a list of one kind."""
        found, count = self._take(">I"), self._count()
        if (found != tag and (found or count)) or count > MOST_ITEMS:
            raise ValueError("not such a list")
        return count

    def _bytes(self, length: int) -> bytes:
        """Return bytes that are padded to a multiple of four."""
        if length > len(self.content) - self.place:
            raise ValueError("a length beyond the end")
        found = self.content[self.place : self.place + length]
        self.place += -(-length // 4) * 4
        return found

    def _name(self) -> str:
        return self._bytes(self._count()).decode("utf-8", "replace")

    def _type(self) -> np.dtype[Any]:
        number = self._take(">I")
        if number not in DTYPES:
            raise ValueError("no such type")
        return np.dtype(DTYPES[number])

    def _attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self._items(ATTRIBUTES)):
            name, dtype, count = self._name(), self._type(), self._count()
            content = self._bytes(count * dtype.itemsize)
            if dtype.kind == "S":
                found[name] = content.decode("utf-8", "replace").strip("\0")
            elif count:
                values = np.frombuffer(content, dtype=dtype).astype(dtype.newbyteorder("="))
                found[name] = values[0] if count == 1 else values
        return found

    def _array(self, dims: list[tuple[str, int]]) -> _Array:
        name, rank = self._name(), self._count()
        if rank > MOST_AXES:
            raise ValueError("too many axes")
        numbers = [self._count() for _ in range(rank)]
        if any(number >= len(dims) for number in numbers):
            raise ValueError("no such dimension")
        held, dtype = self._attributes(), self._type()
        self._count()  # the length as written overflows for large arrays, so it is computed
        lengths = [dims[number][1] for number in numbers]
        row = _row_bytes(dtype, lengths[1:] if lengths and not lengths[0] else lengths)
        return _Array(
            name=name,
            dims=numbers,
            attributes=held,
            dtype=dtype,
            stride=-(-row // 4) * 4,
            offset=self._take(self.offset_form),
        )


def _variable(
    raw: RawArray, name: str, dims: tuple[str, ...], held: dict[str, Any], size: int
) -> Variable:
    """Return an array as a variable of a file of ``size`` bytes."""

    def read(index: Index) -> Numbers:
        if raw.end > size:
            raise ReadError(
                f"{raw.name}: expected {raw.end} bytes for {name} ({sizes(raw.shape)}), "
                f"found {size}; the file is truncated, get it again"
            )
        if len(raw.shape) == 1 and raw.step is not None:  # one value a record
            columns = replace(raw, shape=(*raw.shape, 1)).read((*index, slice(None)))
            return columns[:, 0].astype(native)
        return raw.read(index).astype(native)

    native = raw.stored.newbyteorder("=")
    if native.kind == "f":
        held = {"_FillValue": NETCDF_FILL} | held
    return Variable(
        name=name,
        shape=raw.shape,
        dtype=native,
        read=read,
        dims=dims,
        attributes=held,
        held=max(1, size - raw.offset),
    )


def _row_bytes(dtype: np.dtype[Any], lengths: list[int]) -> int:
    return dtype.itemsize * int(np.prod(lengths, dtype=object))
