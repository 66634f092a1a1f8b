"""Plain arrays in .npz files that NumPy reads: no pickle, and equal arrays give equal bytes."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.errors import ReadError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write numbers and text under their names, to exactly this path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            little = np.asarray(array, dtype=array.dtype.newbyteorder("<"))
            np.lib.format.write_array(buffer, little, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file, compressed or not.

    Raises
    ------
    ReadError
        Not such a file, truncated, or with something that only pickle reads.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
            }
    except Exception as error:
        raise ReadError(
            f"{path}: expected an .npz file of plain arrays, found a file that is truncated, "
            f"changed or something else: {reason(error)}"
        ) from error
