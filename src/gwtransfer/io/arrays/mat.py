"""MATLAB files up to version 7 (format 5) through scipy."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Raster
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.cubes import load_cube
from gwtransfer.io.arrays.unfolding import unfold_lazily
from gwtransfer.io.arrays.variables import Contents, Index, Numbers, Variable
from gwtransfer.io.files import check_readable, check_swelling

TYPES = {f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
TYPES |= {"double": "float64", "single": "float32"}
HDF5 = b"\x89HDF"
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
                head = file.read(2056)
        except (OSError, ValueError):
            return False
        if _is_hdf5(head):
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
            Broken, without a cube, or without the named variable.
        AmbiguousError
            Several variables may be the cube, or several axes may hold its bands.
        UsageError
            ``band_axis`` is out of range.
        """
        check_readable(path)
        with path.open("rb") as file:
            if _is_hdf5(file.read(2056)):
                raise ReadError(
                    f"{path}: expected a MATLAB file of version 7 or older, found one of version "
                    "7.3, which is HDF5; leave out --load mat"
                )
        raster = load_cube(_contents(path), variable=self.variable, band_axis=self.band_axis)
        raster.read(0, 1)
        return raster


def _is_hdf5(head: bytes) -> bool:
    places = (0, 512, 1024, 2048)
    return head.startswith(b"MATLAB 7.3") or any(head[at : at + 4] == HDF5 for at in places)


def _contents(path: Path) -> Contents:
    """Describe the large arrays of a file, and load the small ones and the structs."""
    listed = _whosmat(path)
    shapes = {name: (shape, TYPES[kind]) for name, shape, kind in listed if kind in TYPES}
    small = [name for name, (shape, _) in shapes.items() if int(np.prod(shape)) == max(shape)]
    structs = [name for name, _, kind in listed if kind == "struct"]
    variables = {
        name: _Large(path, name, shape, np.dtype(kind)).variable()
        for name, (shape, kind) in shapes.items()
    }
    for name, value in _loadmat(path, small + structs).items():
        variables |= {leaf: _small(leaf, array) for leaf, array in _leaves(name, value)}
    return unfold_lazily(Contents(name=str(path), variables=variables, planes=False))


class _Large:
    """An array that is loaded when it is first read, and kept."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path = path
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.bytes = math.prod(shape) * dtype.itemsize
        self.array: Numbers | None = None
        self.lock = threading.Lock()

    def variable(self) -> Variable:
        return Variable(name=self.name, shape=self.shape, dtype=self.dtype, read=self.read)

    def read(self, index: Index) -> Numbers:
        with self.lock:
            if self.array is None:
                check_swelling(str(self.path), self.path.stat().st_size, self.bytes)
                array = np.asarray(_loadmat(self.path, [self.name])[self.name])
                if array.dtype.kind not in "uif":
                    raise ReadError(
                        f"{self.path}: expected real numbers, found {self.name} of {array.dtype}"
                    )
                self.array = array
        return self.array[index]


def _small(name: str, array: Numbers) -> Variable:
    return Variable(
        name=name, shape=array.shape, dtype=array.dtype, read=lambda index: array[index]
    )


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


def _whosmat(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    from scipy.io import whosmat

    try:
        with quiet():
            listed: list[tuple[str, tuple[int, ...], str]] = whosmat(str(path), appendmat=False)
    except Exception as error:
        raise _broken(path, error) from error
    if not all(name.isprintable() for name, _, _ in listed):
        raise ReadError(f"{path}: expected names of variables, found one that no terminal prints")
    return listed


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
