"""NumPy's .npy files: images read part by part and streamed when written, and clouds of points."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Kind, Raster, Rows
from gwtransfer.core.types import Cloud
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.chunkrows import ChunkRows
from gwtransfer.io.arrays.variables import Axes, Index, Variable
from gwtransfer.io.files import check_readable
from gwtransfer.io.layout import find_band_axis, habit_note, named, sizes, working_type
from gwtransfer.io.rawarray import RawArray
from gwtransfer.io.shapes.cloud import measured

SCAN_BYTES = 8_000_000
"""How much of an array is looked at in one go."""

FORTRAN_BYTES = 16_000_000
"""About how much is read in one go of an array whose first axis is the fastest."""


@dataclass(frozen=True, kw_only=True)
class NpyLoader:
    """Load a .npy array of (rows, columns) or three axes; rows are read when they are asked for.

    One or three bands are a picture when they are uint8, or floats that all lie in [0, 1];
    anything else is a cube in stored units. An array of (n, 3) holds n points of a cloud: save an
    image of three columns as (rows, 3, 1).

    Attributes
    ----------
    band_axis : int or None
        Which of three axes holds the bands; found out when it is None.
    """

    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes whether this is a .npy file."""
        try:
            with path.open("rb") as file:
                return file.read(6) == b"\x93NUMPY"
        except (OSError, ValueError):
            return False

    def __call__(self, path: Path) -> Raster | Cloud:
        """Read the header, and the values where they decide what the array is.

        Returns
        -------
        Raster, or Cloud for an array of (n, 3)
            Points of NaN are left out; the others keep their numbers.

        Raises
        ------
        ReadError
            Not a .npy file, truncated, not real numbers in two or three axes, or infinite points.
        AmbiguousError
            Two axes may hold the bands.
        UsageError
            ``band_axis`` is out of range.
        """
        check_readable(path)
        array = _Stored.of(path)
        if len(array.shape) == 2 and array.shape[1] == 3:
            return measured(array.whole(), name=str(path))
        if len(array.shape) == 2:
            return array.raster(None)
        a, b, c = array.shape
        axis = find_band_axis((a, b, c), name=str(path), band_axis=self.band_axis)
        note = habit_note((a, b, c), band_axis=self.band_axis)
        return replace(array.raster(axis), notes=named(str(path), [note]))


@dataclass(frozen=True, kw_only=True)
class NpyWriter:
    """Write any raster as float32 (rows, columns, bands), NaN where it is not valid.

    Attributes
    ----------
    depth : Literal["float"] | None
        Always floats; here so that it may be said.
    """

    extensions: ClassVar[tuple[str, ...]] = (".npy",)

    depth: Literal["float"] | None = None

    def check(self, raster: Raster) -> None:
        """Accept every raster: .npy holds them all."""

    def __call__(self, raster: Raster, path: Path) -> None:
        """Write block by block, without mapping: a full disk is then an error and not a crash.

        Raises
        ------
        OSError
            The system refuses to write.
        """
        shape = (raster.rows, raster.columns, raster.bands)
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f4", "fortran_order": False, "shape": shape}
            )
            for block in raster.blocks():
                points = np.where(block.valid[:, None], block.points, np.nan)
                file.write(points.astype("<f4").tobytes())


@dataclass(frozen=True, eq=False, kw_only=True)
class _Stored:
    """An array in a file.

    Attributes
    ----------
    raw : RawArray
        With its axes as they lie in the file.
    fortran : bool
        They lie in reverse.
    """

    raw: RawArray
    fortran: bool

    @classmethod
    def of(cls, path: Path) -> "_Stored":
        """Read the header, and compare it with the length of the file."""
        if not NpyLoader.claims(path):
            raise ReadError(f"{path}: expected a .npy file, found something else")
        shape, fortran, stored, offset = _header(path)
        if stored.kind not in "uif":
            hint = {"b": "; save it as uint8", "c": "; save its modulus"}.get(stored.kind, "")
            if stored.hasobject:
                raise ReadError(
                    f"{path}: expected real numbers, found Python objects, which are never loaded"
                )
            raise ReadError(f"{path}: expected real numbers, found {stored}{hint}")
        if len(shape) not in (2, 3):
            raise ReadError(
                f"{path}: expected (rows, columns) or (rows, columns, bands), "
                f"found {len(shape)} axes: {sizes(shape)}"
            )
        if min(shape) < 1:
            raise ReadError(f"{path}: expected pixels, found an array of {sizes(shape)}")
        raw = RawArray(
            path=path,
            name=str(path),
            shape=shape[::-1] if fortran else shape,
            offset=offset,
            stored=stored,
        )
        held = path.stat().st_size
        if held < raw.end:
            raise ReadError(
                f"{path}: expected {raw.end} bytes for {sizes(shape)} {stored.name}, found {held}; "
                "the file is truncated, get it again"
            )
        return cls(raw=raw, fortran=fortran)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes as the user counts them."""
        return self.raw.shape[::-1] if self.fortran else self.raw.shape

    def whole(self) -> NDArray[Any]:
        """Return all values at once."""
        return self._read(tuple(slice(0, size) for size in self.shape))

    def raster(self, band: int | None) -> Raster:
        """Return the array as a picture or a cube."""
        row, column = (axis for axis in range(len(self.shape)) if axis != band)
        axes = Axes(row=row, column=column, band=band)
        stored = self._rows(axes)
        bands = 1 if band is None else self.shape[band]
        kind, scale = self._kind(bands)
        working = working_type(self.raw.stored)

        def read(start: int, stop: int) -> Rows:
            values = stored(start, stop).astype(working, order="C")
            if scale != 1:
                values /= working.type(scale)
            return Rows(values=values)

        return Raster(
            name=self.raw.name,
            rows=self.shape[row],
            columns=self.shape[column],
            bands=bands,
            read=read,
            kind=kind,
            dtype=self.raw.stored.newbyteorder("=").name,
        )

    def _rows(self, axes: Axes) -> Callable[[int, int], NDArray[Any]]:
        """Return what reads some rows as (r, columns, bands)."""
        variable = Variable(
            name="the array",
            shape=self.shape,
            dtype=self.raw.stored,
            read=self._read,
            chunks=self._chunks(axes),
        )
        return ChunkRows(variable, axes, name=self.raw.name).rows_between

    def _read(self, index: Index) -> NDArray[Any]:
        return self.raw.read(index[::-1]).T if self.fortran else self.raw.read(index)

    def _chunks(self, axes: Axes) -> tuple[int, ...] | None:
        """Return what is worth reading at once, where the rows of an image lie apart."""
        if not self.fortran:
            return None
        across = self.shape[2] if axes.row == 1 and len(self.shape) == 3 else 1
        together = FORTRAN_BYTES // (self.raw.strides[-2] * across)
        chunks = (self.shape[0], max(1, min(self.shape[1], together)), 1)
        return chunks[: len(self.shape)]

    def _kind(self, bands: int) -> tuple[Kind, float]:
        if bands in (1, 3):
            if self.raw.stored == np.uint8:
                return "picture", 255.0
            if self.raw.stored.kind == "f" and self._within_unit():
                return "picture", 1.0
        return "cube", 1.0

    def _within_unit(self) -> bool:
        """Tell whether all values are in [0, 1] or NaN, not all NaN, reading up to one outside."""
        count = int(np.prod(self.raw.shape, dtype=object))
        flat = replace(self.raw, shape=(count,))
        step = max(1, SCAN_BYTES // self.raw.stored.itemsize)
        seen = False
        for start in range(0, count, step):
            part = flat.read((slice(start, min(start + step, count)),))
            inside = (part >= 0) & (part <= 1)
            if not bool((inside | np.isnan(part)).all()):
                return False
            seen = seen or bool(inside.any())
        return seen


def _header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, type and where the values begin."""
    form = np.lib.format
    try:
        with quiet(), path.open("rb") as file:
            version = form.read_magic(file)
            read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
            shape, fortran, stored = read(file)
            return shape, fortran, stored, file.tell()
    except Exception as error:
        raise ReadError(
            f"{path}: expected an array of numbers, found a broken header: {reason(error)}"
        ) from error
