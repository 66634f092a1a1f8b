"""Plain arrays in .npz files that NumPy reads: no pickle, and equal arrays give equal bytes."""

import io
import math
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import ReadError
from gwtransfer.io.files import check_swelling

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
        Not such a file, truncated, with something that only pickle reads, or few bytes that swell
        to very many.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = path.stat().st_size
            total = sum(one.file_size for one in archive.infolist())
            check_swelling(str(path), held, total, instead="save it without compression")
            return {
                name.removesuffix(".npy"): decoded(archive.read(name))
                for name in archive.namelist()
            }
    except ReadError:
        raise
    except Exception as error:
        raise ReadError(
            f"{path}: expected an .npz file of plain arrays, found a file that is truncated, "
            f"changed or something else: {reason(error)}"
        ) from error


def decoded(data: bytes) -> NDArray[Any]:
    """Return the array of a .npy file's bytes; a header that promises more costs no memory.

    Raises
    ------
    ValueError
        No plain array, or not all of it; the header's parser may raise others.
    """
    memory = io.BytesIO(data)
    with quiet():
        version = np.lib.format.read_magic(memory)
        header = (
            np.lib.format.read_array_header_1_0(memory)
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0(memory)
        )
    shape, fortran, stored = header
    if stored.hasobject:
        raise ValueError("Python objects, which are never loaded")
    size = math.prod(shape) * stored.itemsize
    if min(shape, default=0) < 0 or memory.tell() + size > len(data):
        raise ValueError(f"{len(data)} bytes for an array of {shape} {stored}")
    flat = np.frombuffer(data, dtype=stored, count=math.prod(shape), offset=memory.tell())
    if stored.kind == "U" and (flat.view(stored.byteorder + "u4") > sys.maxunicode).any():
        raise ValueError("text with letters that do not exist")
    return flat.reshape(shape, order="F" if fortran else "C")
