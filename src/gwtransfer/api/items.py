"""Arrays as rasters and clouds, and rasters as arrays."""

from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gwtransfer.api.messages import speaks_python
from gwtransfer.api.words import Item, Picture
from gwtransfer.core.raster import Kind, Raster
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, ShapeError, UsageError
from gwtransfer.io.layout import array_raster, sizes
from gwtransfer.io.shapes.cloud import measured

Array = NDArray[Any]


@speaks_python
def raster(
    array: Array,
    *,
    kind: Kind | None = None,
    wavelengths: NDArray[np.floating] | None = None,
    name: str = "array",
) -> Raster:
    """Return an array as a picture or a cube.

    Parameters
    ----------
    array : (rows, columns) or (rows, columns, bands) array of numbers
        NaN is no data. Nothing is copied, so do not change it while the raster is in use.
    kind : {"picture", "cube"} or None
        A picture is sRGB-encoded: integers from 0 to the most their type holds, or floats in
        [0, 1]. None decides as for a .npy file: one or three bands are a picture when they are
        uint8, or floats that all lie in [0, 1]; anything else is a cube in its own units.
    wavelengths : (bands,) array, nm, or None
    name : str
        What messages call it.

    Returns
    -------
    Raster

    Raises
    ------
    ShapeError
        Another number of axes, an empty one, or wavelengths that are not one a band.
    DataError
        Not real numbers.
    UsageError
        Another kind.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> picture = gw.raster(np.zeros((4, 5, 3), dtype=np.uint8))
    >>> picture.kind, picture.rows, picture.columns, picture.bands
    ('picture', 4, 5, 3)
    >>> gw.raster(np.ones((4, 5, 8)), wavelengths=np.linspace(400, 750, 8)).kind
    'cube'
    """
    if kind not in (None, *get_args(Kind)):
        raise UsageError(f"kind: expected {' or '.join(get_args(Kind))}, got {kind!r}")
    array = np.asarray(array)
    if array.ndim not in (2, 3) or array.size == 0:
        raise ShapeError(
            f"{name}: expected (rows, columns) or (rows, columns, bands), found "
            f"{sizes(array.shape) or 'a number'}"
        )
    if array.dtype.kind not in "uif":
        raise DataError(f"{name}: expected real numbers, found {array.dtype}")
    bands = 1 if array.ndim == 2 else array.shape[2]
    kind = kind or _kind(array, bands)
    scale = float(np.iinfo(array.dtype).max) if array.dtype.kind in "ui" else 1.0
    return array_raster(
        array,
        name=name,
        kind=kind,
        scale=scale if kind == "picture" else 1.0,
        wavelengths=None if wavelengths is None else np.array(wavelengths, dtype=np.float64),
    )


def _kind(array: Array, bands: int) -> Kind:
    """Tell what an array is, as `gwtransfer.io.npy` tells of a file."""
    if bands not in (1, 3):
        return "cube"
    if array.dtype == np.uint8:
        return "picture"
    known = array[~np.isnan(array)] if array.dtype.kind == "f" else array[:0]
    return "picture" if known.size and known.min() >= 0 and known.max() <= 1 else "cube"


@speaks_python
def values(raster: Raster) -> Array:
    """Return a raster as an array (rows, columns, bands) of floats.

    Pictures are sRGB-encoded in [0, 1], cubes in their own units; pixels without data, and fully
    transparent ones, are NaN. The frames of a film lie one below the other.

    Parameters
    ----------
    raster : Raster

    Returns
    -------
    (rows, columns, bands) array of float32 or float64

    Raises
    ------
    ReadError
        The raster's file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> gw.values(gw.raster(np.full((1, 2), 255, dtype=np.uint8)))[0, 0]
    array([1.], dtype=float32)
    """
    parts = [
        np.where(block.valid[:, None], block.points, np.nan).astype(block.points.dtype)
        for block in raster.blocks()
    ]
    return np.concatenate(parts).reshape(raster.rows, raster.columns, raster.bands)


def of_picture(given: Picture, name: str) -> Raster | Path:
    """Return what was given for a picture as a raster, or as the path of one.

    Raises
    ------
    ShapeError, DataError
        As `raster`.
    UsageError
        None of these.
    """
    if isinstance(given, Raster):
        return given
    if isinstance(given, np.ndarray):
        return raster(given, name=name)
    return path_of(given, name, "a path, an array or a Raster")


def of_item(given: Item, name: str) -> Raster | Cloud | Path:
    """Return what was given for anything that can be fitted; (n, 3) arrays are points.

    Raises
    ------
    ShapeError, DataError
        As `raster` and `Cloud`; an array with two axes that holds no points.
    ReadError
        Points of which none was measured, or one is infinite.
    UsageError
        None of these.
    """
    if isinstance(given, Raster | Cloud):
        return given
    if isinstance(given, tuple) and len(given) == 2:
        return Cloud(name=name, vertices=np.asarray(given[0]), faces=np.asarray(given[1]))
    if isinstance(given, np.ndarray):
        if given.ndim == 2 and given.shape[1] == 3 and given.dtype.kind in "uif":
            return measured(given, name=name)
        if given.ndim == 2:
            raise ShapeError(
                f"{name}: expected points (n, 3), (rows, columns, bands) or gw.raster(array), "
                f"found {given.shape}; for points of another dimension use "
                "gw.stage('fit', 'gmm') or gw.MixtureTransport"
            )
        return raster(given, name=name)
    return path_of(given, name, "a path, an array, (vertices, faces), a Raster or a Cloud")


def path_of(given: object, name: str, expected: str = "a path") -> Path:
    """Return a path.

    Raises
    ------
    UsageError
        Something else was given; it says what is expected.
    """
    if isinstance(given, str) and not given:
        raise UsageError(f"{name}: expected the name of a file, got an empty one")
    if isinstance(given, str | PathLike):
        return Path(given)
    raise UsageError(f"{name}: expected {expected}, got {type(given).__name__}")
