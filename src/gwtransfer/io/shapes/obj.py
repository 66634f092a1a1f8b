"""Wavefront OBJ: the points and polygons of a text, in its order."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.shapes.fans import fans


def read_obj(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read points and triangles; what else a file may hold means nothing here.

    Libraries renumber the points by how faces use them; this does not.

    Returns
    -------
    vertices : (n, 3) array
    faces : (f, 3) array

    Raises
    ------
    ReadError
        A line that makes no sense, or binary data.
    """
    content = path.read_bytes()
    if b"\0" in content:
        raise ReadError(f"{path}: expected OBJ, which is text, found binary data")
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\\\n", " ")
    points: list[list[str]] = []
    corners: list[int] = []
    lengths: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "v":
            if len(words) < 4:
                raise ReadError(f"{path}: expected three coordinates in line {number}, found fewer")
            points.append(words[1:4])
        elif words[0] == "f":
            corners += [_corner(path, number, word, len(points)) for word in words[1:]]
            lengths.append(len(words) - 1)
    try:
        vertices = np.array(points, dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise ReadError(
            f"{path}: expected numbers as coordinates, found others: {error}"
        ) from error
    return vertices, fans(np.array(corners, dtype=np.int64), np.array(lengths, dtype=np.int64))


def _corner(path: Path, line: int, word: str, points: int) -> int:
    """Return the index from 0 of ``7``, ``7/1``, ``7//2`` or, counted from the end, ``-1``."""
    digits = word.partition("/")[0]
    try:
        index = int(digits)
    except ValueError:
        raise ReadError(f"{path}: expected a point number in line {line}, found {word!r}") from None
    if index == 0 or not -points <= index < 2**31:
        raise ReadError(f"{path}: expected a point number in line {line}, found {digits[:20]}")
    return index - 1 if index > 0 else points + index
