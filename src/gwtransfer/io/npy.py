"""NumPy's .npy files, mapped when read and streamed when written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Kind, Raster
from gwtransfer.errors import ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason
from gwtransfer.io.layout import array_raster, find_band_axis, sizes

SCAN_BYTES = 8_000_000
"""How much of a mapped array is looked at in one go."""


@dataclass(frozen=True, kw_only=True)
class NpyLoader:
    """Load a .npy array of (rows, columns) or three axes, mapped from the file.

    One or three bands are a picture when they are uint8, or floats that all lie in [0, 1];
    anything else is a cube in stored units.

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

    def __call__(self, path: Path) -> Raster:
        """Map the file.

        Returns
        -------
        Raster

        Raises
        ------
        ReadError
            Not a .npy file, truncated, or not real numbers in two or three axes.
        AmbiguousError
            Two axes may hold the bands.
        UsageError
            ``band_axis`` is out of range.
        """
        check_readable(path)
        array = _mapped(path)
        axis = -1
        if array.ndim == 3:
            a, b, c = array.shape
            axis = find_band_axis((a, b, c), name=str(path), band_axis=self.band_axis)
        bands = 1 if array.ndim == 2 else array.shape[axis]
        kind, scale = _kind(array, bands)
        return array_raster(array, name=str(path), kind=kind, band_axis=axis, scale=scale)


@dataclass(frozen=True, kw_only=True)
class NpyWriter:
    """Write any raster as float32 (rows, columns, bands), NaN where it is not valid."""

    extensions: ClassVar[tuple[str, ...]] = (".npy",)

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


def _mapped(path: Path) -> NDArray[Any]:
    if not NpyLoader.claims(path):
        raise ReadError(f"{path}: expected a .npy file, found something else")
    try:
        with quiet():
            array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:
        said = reason(error)
        if "object" in said.lower():
            said = "Python objects, which are never loaded"
        elif "greater than file size" in said or "size" in said:
            said = f"a truncated file ({said})"
        raise ReadError(f"{path}: expected an array of numbers, found {said}") from error
    if array.dtype.kind not in "uif":
        hint = {"b": "; save it as uint8", "c": "; save its modulus"}.get(array.dtype.kind, "")
        raise ReadError(f"{path}: expected real numbers, found {array.dtype}{hint}")
    if array.ndim not in (2, 3):
        raise ReadError(
            f"{path}: expected (rows, columns) or (rows, columns, bands), "
            f"found {array.ndim} axes: {sizes(array.shape)}"
        )
    return array


def _kind(array: NDArray[Any], bands: int) -> tuple[Kind, float]:
    if bands in (1, 3):
        if array.dtype == np.uint8:
            return "picture", 255.0
        if array.dtype.kind == "f" and _within_unit(array):
            return "picture", 1.0
    return "cube", 1.0


def _within_unit(array: NDArray[Any]) -> bool:
    """Tell whether all values are in [0, 1] or NaN, not all NaN, reading no more than is needed."""
    flat = array.ravel(order="K")
    step = max(1, SCAN_BYTES // array.dtype.itemsize)
    seen = False
    for start in range(0, flat.size, step):
        part = flat[start : start + step]
        inside = (part >= 0) & (part <= 1)
        if not bool((inside | np.isnan(part)).all()):
            return False
        seen = seen or bool(inside.any())
    return seen
