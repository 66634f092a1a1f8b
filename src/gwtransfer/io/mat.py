"""MATLAB files up to version 7 (format 5) through scipy."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats, Raster
from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason
from gwtransfer.io.layout import array_raster, find_band_axis, sizes

Numbers = NDArray[Any]

INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
NUMERIC = INTEGERS | {"double", "single"}
WAVELENGTH_NAME = re.compile(r"(wave?_?len(gth|ght)s?|wl|lambdas?|bands|centers?)", re.IGNORECASE)
ROW_NAMES = ("lines", "rows", "row", "nrow", "nrows", "nrw", "nl", "h", "height")
COLUMN_NAMES = ("cols", "columns", "col", "ncol", "ncols", "samples", "ns", "w", "width")
DEEPEST = 4
"""How many structs inside structs are looked into."""


@dataclass(frozen=True, kw_only=True)
class MatLoader:
    """Load the hyperspectral cube in a .mat file of version 7 or older.

    Candidates are numeric arrays of three axes, also inside structs, and matrices one axis of
    which is as long as the product of two scalars named like rows and columns; their pixels run
    down the columns. A vector named like wavelengths decides between candidates and axes.

    Attributes
    ----------
    variable : str or None
        Which variable holds the cube; ``struct.field`` inside a struct.
    band_axis : int or None
        Which of three axes holds the bands; found out when it is None.
    """

    variable: str | None = None
    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes; files before version 5 only from their extension."""
        try:
            with path.open("rb") as file:
                head = file.read(16)
        except (OSError, ValueError):
            return False
        return head.startswith(b"MATLAB ") or path.suffix.lower() == ".mat"

    def __call__(self, path: Path) -> Raster:
        """Find the cube and load it, and nothing else that is large.

        Returns
        -------
        Raster
            A cube.

        Raises
        ------
        ReadError
            Version 7.3, broken, without a cube, or without the named variable.
        AmbiguousError
            Several variables may be the cube, or several axes may hold its bands.
        UsageError
            ``band_axis`` is out of range.
        """
        check_readable(path)
        _refuse_hdf5(path)
        contents = _Contents.of(path)
        name = self.variable or contents.choose()
        array = contents.numbers(name)
        wavelengths = contents.wavelengths_for(array.shape)
        if array.ndim == 3:
            a, b, c = array.shape
            count = None if wavelengths is None else len(wavelengths)
            axis = find_band_axis(
                (a, b, c), name=str(path), band_axis=self.band_axis, wavelengths=count
            )
        else:
            array, axis = contents.unfolded(array), 2
        if wavelengths is not None and len(wavelengths) != array.shape[axis]:
            wavelengths = None
        return array_raster(
            array, name=str(path), kind="cube", band_axis=axis, wavelengths=wavelengths
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Contents:
    """What a .mat file holds: shapes of the large variables, values of the rest.

    Attributes
    ----------
    path : Path
    shapes : mapping of name to shape
        All numeric arrays.
    loaded : mapping of name to array
        Scalars, vectors, and what lies in structs.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    loaded: Mapping[str, Numbers]

    @classmethod
    def of(cls, path: Path) -> "_Contents":
        listed = _whosmat(path)
        shapes = {name: shape for name, shape, kind in listed if kind in NUMERIC}
        small = [name for name, shape in shapes.items() if int(np.prod(shape)) == max(shape)]
        structs = [name for name, _, kind in listed if kind == "struct"]
        loaded: dict[str, Numbers] = {}
        for name, value in _loadmat(path, small + structs).items():
            loaded.update(_leaves(name, value))
        return cls(
            path=path,
            shapes=shapes | {name: value.shape for name, value in loaded.items()},
            loaded=loaded,
        )

    def choose(self) -> str:
        """Return the name of the one cube."""
        names = [name for name in self.shapes if self._is_candidate(name)]
        spectral = [name for name in names if self.wavelengths_for(self.shapes[name]) is not None]
        for few in (names, spectral):
            if len(few) == 1:
                return few[0]
        if not names:
            raise ReadError(
                f"{self.path}: expected an array of three axes, found {self._listed(self.shapes)}"
            )
        raise AmbiguousError(
            f"{self.path}: expected one cube, found {self._listed(names)}; say --variable NAME"
        )

    def numbers(self, name: str) -> Numbers:
        """Return a numeric array of two or three axes."""
        if name not in self.shapes:
            names = [known for known in self.shapes if self._is_candidate(known)]
            raise ReadError(
                f"{self.path}: expected a numeric variable {name!r}, found "
                f"{self._listed(names or self.shapes)}"
            )
        array = self.loaded[name] if name in self.loaded else _loadmat(self.path, [name])[name]
        if array.ndim not in (2, 3) or array.dtype.kind not in "uif":
            raise ReadError(
                f"{self.path}: expected real numbers in two or three axes, found {name} "
                f"of {array.dtype} {sizes(array.shape)}"
            )
        return np.asarray(array)

    def wavelengths_for(self, shape: tuple[int, ...]) -> Floats | None:
        """Return the wavelengths in nm that are as many as exactly one axis is long."""
        for name, value in self.loaded.items():
            if not WAVELENGTH_NAME.fullmatch(name.rpartition(".")[2]) or value.size < 2:
                continue
            values = value.astype(np.float64).ravel()
            if shape.count(values.size) == 1 and np.isfinite(values).all() and values.min() > 0:
                return values * 1000 if values.max() < 100 else values
        return None

    def unfolded(self, matrix: Numbers) -> Numbers:
        """Return (rows, columns, bands) of a matrix whose pixels run down the columns."""
        grid = self._grid(matrix.shape)
        if grid is None:
            return matrix[:, :, None]
        rows, columns = grid
        if matrix.shape[0] == rows * columns:
            matrix = matrix.T
        cube = matrix.reshape((len(matrix), rows, columns), order="F")
        return np.moveaxis(cube, 0, -1)

    def _is_candidate(self, name: str) -> bool:
        shape = self.shapes[name]
        if len(shape) == 3:
            return min(shape) > 0
        return len(shape) == 2 and self._grid(shape) is not None

    def _grid(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """Return rows and columns when scalars say them and one axis has that many pixels."""
        rows, columns = self._scalar(ROW_NAMES), self._scalar(COLUMN_NAMES)
        if rows is None or columns is None or min(shape) < 2:
            return None
        return (rows, columns) if shape.count(rows * columns) == 1 else None

    def _scalar(self, names: tuple[str, ...]) -> int | None:
        lowered = {name.lower().rpartition(".")[2]: value for name, value in self.loaded.items()}
        for name in names:
            value = lowered.get(name)
            if value is not None and value.size == 1 and float(value.flat[0]).is_integer():
                return int(value.flat[0])
        return None

    def _listed(self, names: Any) -> str:
        found = [f"{name} ({sizes(self.shapes[name])})" for name in names]
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        return (", ".join(found[:8]) or "no numeric array") + more


def _leaves(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Numbers]]:
    """Yield the numeric arrays in a variable, with dotted names inside single structs."""
    if not isinstance(value, np.ndarray):
        return
    if value.dtype.names is not None:
        if value.size == 1 and depth < DEEPEST:
            for field in value.dtype.names:
                yield from _leaves(f"{name}.{field}", value.flat[0][field], depth + 1)
    elif value.dtype.kind in "uif":
        yield name, value


def _refuse_hdf5(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(520)
    if head.startswith((b"MATLAB 7.3", b"\x89HDF")) or head[512:516] == b"\x89HDF":
        raise ReadError(
            f"{path}: MATLAB version 7.3 is not supported yet; save it in MATLAB with -v7"
        )


def _whosmat(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    from scipy.io import whosmat

    try:
        with quiet():
            listed: list[tuple[str, tuple[int, ...], str]] = whosmat(str(path), appendmat=False)
            return listed
    except Exception as error:
        raise _broken(path, error) from error


def _loadmat(path: Path, names: list[str]) -> dict[str, Any]:
    from scipy.io import loadmat

    if not names:
        return {}
    try:
        with quiet():
            loaded = loadmat(str(path), appendmat=False, variable_names=names)
    except Exception as error:
        raise _broken(path, error) from error
    missing = [name for name in names if name not in loaded]
    if missing:
        raise ReadError(f"{path}: expected variable {missing[0]}, found a file that ends before it")
    return {name: loaded[name] for name in names}


def _broken(path: Path, error: Exception) -> ReadError:
    return ReadError(
        f"{path}: expected a MATLAB file, found one that is truncated or broken: {reason(error)}"
    )
