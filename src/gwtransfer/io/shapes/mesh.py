"""Meshes in the order of their files: OFF, OBJ and PLY read here, STL and glTF by trimesh.

trimesh returns fewer points, or others, for files that are broken; so every file is checked
before it is asked, and what it returns is counted.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.types import Cloud
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.shapes.forms import MESHES, form_of
from gwtransfer.io.shapes.gltf import Beside, Primitive, scene_of
from gwtransfer.io.shapes.obj import read_obj
from gwtransfer.io.shapes.off import read_off
from gwtransfer.io.shapes.ply import read_ply
from gwtransfer.io.shapes.stl import checked_stl

Vertices = NDArray[np.float64]
Faces = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MeshLoader:
    """Load OFF, OBJ, PLY, STL or glTF as a shape whose points keep the numbers of the file.

    Polygons are split into triangles; a file without faces gives a cloud. STL has no numbers: its
    points are the corners of its triangles in order. Those of glTF are the points of one piece of
    a mesh after another, where the scene puts them, from each node to its first child; skins and
    morphs are left at rest.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes, or from the name where a format has no such."""
        return form_of(path) in MESHES

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
        form = form_of(path)
        if form not in MESHES:
            raise ReadError(f"{path}: expected OFF, OBJ, PLY, STL or glTF, found something else")
        try:
            vertices, faces = _READERS[form](path)
        except GwTransferError:
            raise
        except AssertionError as error:
            raise ReadError(
                f"{path}: expected {form} whose parts fit one another, found one that is truncated "
                "or broken"
            ) from error
        except Exception as error:
            raise ReadError(
                f"{path}: expected a shape in {form}, found a file that is truncated or broken: "
                f"{reason(error)}"
            ) from error
        if not len(vertices):
            raise ReadError(f"{path}: expected points, found none in this {form} file")
        _check(path, vertices, faces)
        return Cloud(name=str(path), vertices=vertices, faces=faces if len(faces) else None)


def _check(path: Path, vertices: Vertices, faces: Faces) -> None:
    bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
    if bad.size:
        raise ReadError(f"{path}: expected finite numbers, found others in point {bad[0] + 1}")
    if not len(faces):
        return
    least, most = int(faces.min()), int(faces.max())
    if least < 0 or most >= len(vertices):
        raise ReadError(
            f"{path}: expected faces among points 0 … {len(vertices) - 1}, "
            f"found {least if least < 0 else most}"
        )


def _counted(
    path: Path, loaded: dict[str, Any], *, points: int, triangles: int
) -> tuple[Vertices, Faces]:
    """Return the arrays of trimesh when they are as many as the file holds."""
    vertices = np.asarray(loaded.get("vertices", ()), dtype=np.float64).reshape(-1, 3)
    faces = np.asarray(loaded.get("faces", ()), dtype=np.int64).reshape(-1, 3)
    if (len(vertices), len(faces)) != (points, triangles):
        raise ReadError(
            f"{path}: expected {points} points and {triangles} triangles as it says, could read "
            f"{len(vertices)} and {len(faces)}; the file is broken, write it again"
        )
    return vertices, faces


def _read_stl(path: Path) -> tuple[Vertices, Faces]:
    from trimesh.exchange.stl import load_stl

    content, triangles = checked_stl(path)
    if not triangles:
        raise ReadError(f"{path}: expected points, found none in this STL file")
    with quiet("trimesh"):
        loaded = load_stl(io.BytesIO(content))
    solids = list(loaded["geometry"].values()) if "geometry" in loaded else [loaded]
    corners = [np.asarray(solid["vertices"], dtype=np.float64) for solid in solids]
    joined = {"vertices": np.concatenate(corners), "faces": np.arange(3 * triangles)}
    return _counted(path, joined, points=3 * triangles, triangles=triangles)


def _read_gltf(path: Path) -> tuple[Vertices, Faces]:
    from trimesh.exchange.gltf import load_glb, load_gltf

    scene = scene_of(path)
    resolver: Any = Beside(path)
    with path.open("rb") as file:
        binary = file.read(4) == b"glTF"
        file.seek(0)
        with quiet("trimesh"):
            read = load_glb if binary else load_gltf
            loaded: Any = read(file, resolver=resolver, skip_materials=True)
    pieces = list(loaded["geometry"].values())
    if len(pieces) != len(scene.primitives):
        raise ReadError(
            f"{path}: expected {len(scene.primitives)} pieces of meshes as its header says, could "
            f"read {len(pieces)}; write it again"
        )
    known = {
        index: _piece(path, pieces[index], promise)
        for index in {index for index, _ in scene.placed}
        if (promise := scene.primitives[index]) is not None
    }
    vertices, faces, before = [np.empty((0, 3))], [np.empty((0, 3), dtype=np.int64)], 0
    for index, motion in scene.placed:
        points, triangles = known[index]
        vertices.append(points @ motion[:3, :3].T + motion[:3, 3])
        mirrored = np.linalg.det(motion[:3, :3]) < 0
        faces.append(before + (triangles[:, ::-1] if mirrored else triangles))
        before += len(points)
    return np.concatenate(vertices), np.concatenate(faces)


def _piece(path: Path, loaded: dict[str, Any], promise: Primitive) -> tuple[Vertices, Faces]:
    points, triangles = _counted(path, loaded, points=promise.points, triangles=promise.triangles)
    _check(path, points, triangles)
    return points / promise.unit, triangles


_READERS: dict[str, Callable[[Path], tuple[Vertices, Faces]]] = {
    "OFF": read_off,
    "OBJ": read_obj,
    "PLY": read_ply,
    "STL": _read_stl,
    "GLTF": _read_gltf,
    "GLB": _read_gltf,
}
