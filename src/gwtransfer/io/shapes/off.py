"""OFF: the points and polygons of a text, in its order.

Read here and not by trimesh, which stumbles over polygons of five corners and more, reads those
that end too early with the corners they have, and changes the order of polygons.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.shapes.fans import fans
from gwtransfer.io.shapes.forms import OFF_HEADER

_COMMENT = re.compile(rb"#[^\n\r]*")
_COUNTS = re.compile(rb"\s*(\d{1,15})[ \t]+(\d{1,15})(?:[ \t]+\d+)?[ \t]*(?=[\r\n]|\Z)")


def read_off(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read points and triangles; colours and normals mean nothing here.

    Returns
    -------
    vertices : (n, 3) array
    faces : (f, 3) array

    Raises
    ------
    ReadError
        Another header, or lines that are not what it promises.
    """
    content = path.read_bytes()
    header = OFF_HEADER.match(content)
    text = _COMMENT.sub(b"", content[header.end() :]) if header else b""
    if text.lstrip().startswith(b"BINARY"):
        raise ReadError(f"{path}: OFF in binary is not read; convert it to PLY")
    if header and header[1]:
        raise ReadError(f"{path}: expected OFF of three coordinates, found {header[1].decode()}OFF")
    counts = _COUNTS.match(text)
    if counts is None:
        raise ReadError(f"{path}: expected OFF and the numbers of points and faces, found neither")
    points, faces = int(counts[1]), int(counts[2])
    lines = [line for line in text[counts.end() :].splitlines() if line.strip()]
    if len(lines) < points + faces:
        raise ReadError(
            f"{path}: expected {points} points and {faces} faces as its header says, found "
            f"{len(lines)} lines; the file is truncated or broken, get it again"
        )
    vertices = np.empty((points, 3))
    for number, line in enumerate(lines[:points]):
        words = line.split()[:3]
        try:
            vertices[number] = [float(word) for word in words]
        except ValueError:
            raise ReadError(
                f"{path}: expected three coordinates of point {number + 1}, found {_shown(line)}"
            ) from None
    corners: list[int] = []
    lengths: list[int] = []
    for number, line in enumerate(lines[points : points + faces], start=1):
        words = line.split()
        if not words[0].isdigit() or len(words) <= (sides := int(words[0])):
            raise ReadError(
                f"{path}: expected face {number} to be the number of its corners and then these, "
                f"found {_shown(line)}"
            )
        own = words[1 : sides + 1]
        if any(not word.isdigit() or int(word) >= points for word in own):
            raise ReadError(
                f"{path}: expected faces among points 0 … {points - 1}, found {_shown(line)} as "
                f"face {number}"
            )
        corners += map(int, own)
        lengths.append(sides)
    return vertices, fans(np.array(corners, dtype=np.int64), np.array(lengths, dtype=np.int64))


def _shown(line: bytes) -> str:
    return repr(line.decode("utf-8", errors="replace").strip()[:40])
