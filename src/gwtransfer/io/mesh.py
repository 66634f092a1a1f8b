"""Shapes: OFF, PLY and STL through trimesh, OBJ and XYZ as plain text, always in file order."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason

Vertices = NDArray[np.float64]
Faces = NDArray[np.int64]
Shape = tuple[Vertices, Faces | None]

OFF_HEADER = re.compile(rb"\A\s*(?:ST)?C?N?4?n?OFF(?![A-Za-z])")
OFF_COUNTS = re.compile(rb"\s*(\d+)\s+(\d+)")
PLY_ELEMENT = re.compile(rb"^element[ \t]+(\w+)[ \t]+(\d+)", re.MULTILINE)
PLY_MOST_HEADER = 1_000_000


@dataclass(frozen=True, kw_only=True)
class MeshLoader:
    """Load OFF, OBJ, PLY, STL or XYZ as a cloud whose points keep the numbers of the file.

    Polygons are split into triangles; a file without faces gives a cloud without faces. STL has no
    numbering: its points are the corners of its triangles in order.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes (PLY, OFF) or the extension (OBJ, STL, XYZ)."""
        return _format(path) is not None

    def __call__(self, path: Path) -> Cloud:
        """Read the shape.

        Returns
        -------
        Cloud

        Raises
        ------
        ReadError
            Not such a file, truncated, without points, or with points or faces that make no sense.
        """
        check_readable(path)
        form = _format(path)
        if form is None:
            raise ReadError(f"{path}: expected OFF, OBJ, PLY, STL or XYZ, found something else")
        try:
            vertices, faces = _READERS[form](path)
        except GwTransferError:
            raise
        except Exception as error:
            raise ReadError(
                f"{path}: expected a shape in {form}, found a file that is truncated or broken: "
                f"{reason(error)}"
            ) from error
        if not len(vertices):
            raise ReadError(f"{path}: expected points, found none in this {form} file")
        _check(path, vertices, faces)
        return Cloud(
            name=str(path),
            vertices=vertices,
            faces=faces if faces is not None and len(faces) else None,
        )


def _format(path: Path) -> str | None:
    """Return OFF, OBJ, PLY, STL, XYZ or None; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except (OSError, ValueError):
        return None
    if re.match(rb"ply\s", head):
        return "PLY"
    if OFF_HEADER.match(head):
        return "OFF"
    suffix = path.suffix.lower()
    return suffix[1:].upper() if suffix in (".off", ".obj", ".ply", ".stl", ".xyz") else None


def _check(path: Path, vertices: Vertices, faces: Faces | None) -> None:
    bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
    if bad.size:
        raise ReadError(f"{path}: expected finite numbers, found others in point {bad[0] + 1}")
    if faces is None or not len(faces):
        return
    least, most = int(faces.min()), int(faces.max())
    if least < 0 or most >= len(vertices):
        raise ReadError(
            f"{path}: expected faces among points 0 … {len(vertices) - 1}, "
            f"found {least if least < 0 else most}"
        )


def _read_off(path: Path) -> Shape:
    text = re.sub(rb"#[^\n\r]*", b"", path.read_bytes())
    header = OFF_HEADER.match(text)
    counts = OFF_COUNTS.match(text, header.end()) if header else None
    if counts is None:
        raise ReadError(f"{path}: expected OFF and the numbers of points and faces, found neither")
    points, faces = int(counts[1]), int(counts[2])
    return _counted(path, points, faces, _through_trimesh(path, "off"))


def _read_ply(path: Path) -> Shape:
    with path.open("rb") as file:
        header, end, _ = file.read(PLY_MOST_HEADER).partition(b"end_header")
    elements = {name: int(count) for name, count in PLY_ELEMENT.findall(header)}
    if not end or b"vertex" not in elements:
        raise ReadError(f"{path}: expected a PLY header with points, found another one")
    if not elements[b"vertex"]:
        raise ReadError(f"{path}: expected points, found none in this PLY file")
    shape = _through_trimesh(path, "ply", fix_texture=False, skip_materials=True)
    return _counted(path, elements[b"vertex"], elements.get(b"face", 0), shape)


def _read_stl(path: Path) -> Shape:
    held = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(84)
    if not head.lstrip().lower().startswith(b"solid") and len(head) == 84:
        expected = 84 + 50 * int.from_bytes(head[80:], "little")
        if expected > held:
            raise ReadError(
                f"{path}: expected {expected} bytes as its header says, found {held}; "
                "the file is truncated or no STL"
            )
    return _through_trimesh(path, "stl", force="mesh")


def _counted(path: Path, points: int, faces: int, shape: Shape) -> Shape:
    """Compare with what the header promised; polygons may have become more triangles."""
    found = (len(shape[0]), 0 if shape[1] is None else len(shape[1]))
    if found[0] != points or found[1] < faces:
        raise ReadError(
            f"{path}: expected {points} points and {faces} faces as its header says, could read "
            f"{found[0]} and {found[1]}; it is truncated, or some are not finite numbers"
        )
    return shape


def _through_trimesh(path: Path, file_type: str, **options: Any) -> Shape:
    import trimesh

    with quiet("trimesh"), path.open("rb") as file:
        loaded: Any = trimesh.load(
            file, file_type=file_type, process=False, maintain_order=True, **options
        )
    if not hasattr(loaded, "vertices"):
        raise ReadError(f"{path}: expected points, found none in this {file_type.upper()} file")
    vertices = np.asarray(loaded.vertices, dtype=np.float64).reshape(-1, 3)
    faces = getattr(loaded, "faces", None)
    return vertices, None if faces is None else np.asarray(faces, dtype=np.int64).reshape(-1, 3)


def _read_obj(path: Path) -> Shape:
    text = path.read_bytes().decode("utf-8", errors="replace").replace("\\\n", " ")
    points: list[list[str]] = []
    triangles: list[tuple[int, int, int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "v":
            if len(words) < 4:
                raise ReadError(f"{path}: expected three coordinates in line {number}, found fewer")
            points.append(words[1:4])
        elif words[0] == "f":
            corners = [_corner(path, number, word, len(points)) for word in words[1:]]
            triangles += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
    vertices = np.array(points, dtype=np.float64).reshape(-1, 3)
    return vertices, np.array(triangles, dtype=np.int64).reshape(-1, 3)


def _corner(path: Path, line: int, word: str, points: int) -> int:
    """Return the index from 0 of ``7``, ``7/1``, ``7//2`` or, counted from the end, ``-1``."""
    digits = word.partition("/")[0]
    try:
        index = int(digits)
    except ValueError:
        raise ReadError(f"{path}: expected a point number in line {line}, found {word!r}") from None
    if index == 0 or index < -points:
        raise ReadError(f"{path}: expected a point number in line {line}, found {index}")
    return index - 1 if index > 0 else points + index


def _read_xyz(path: Path) -> Shape:
    text = path.read_bytes().decode("utf-8", errors="replace").replace(",", " ")
    with quiet():
        return np.loadtxt(io.StringIO(text), usecols=(0, 1, 2), ndmin=2), None


_READERS: dict[str, Callable[[Path], Shape]] = {
    "OFF": _read_off,
    "PLY": _read_ply,
    "STL": _read_stl,
    "OBJ": _read_obj,
    "XYZ": _read_xyz,
}
