"""Tables of colours in files: .cube of Adobe and Iridas, and the Hald picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.io.layout import array_raster
from gwtransfer.io.pictures.writers import PngWriter

Array = NDArray[np.float64]

LONGEST_TITLE = 200
"""Characters of a title; the format ends a line at 250."""

_CHUNK = 100_000


def write_cube(table: Array, path: Path, *, size: int, title: str) -> None:
    """Write a table as a .cube file: text of six decimals, red running fastest, from 0 to 1.

    Parameters
    ----------
    table : (size³, 3) array
        Values in [0, 1].
    path : Path
    size : int
    title : str
        What is no ASCII in it becomes a question mark.
    """
    plain = title.encode("ascii", "replace").decode().replace('"', "'")
    plain = "".join(letter if letter.isprintable() else " " for letter in plain)[:LONGEST_TITLE]
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f'TITLE "{plain}"\nLUT_3D_SIZE {size}\n')
        file.write("DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n")
        for start in range(0, len(table), _CHUNK):
            chunk = table[start : start + _CHUNK] + 0.0  # no negative zero
            file.write("%.6f %.6f %.6f\n" * len(chunk) % tuple(chunk.ravel().tolist()))


def write_hald(table: Array, path: Path, *, level: int) -> None:
    """Write a table as a square 16-bit PNG of level³ pixels a side, red running fastest.

    Parameters
    ----------
    table : (level⁶, 3) array
        Images of the lattice of level² points an axis.
    path : Path
    level : int

    Raises
    ------
    WriteError
        The encoder refuses.
    """
    side = level**3
    raster = array_raster(
        table.reshape(side, side, 3), name=str(path), kind="picture", dtype="uint16"
    )
    PngWriter()(raster, path)
