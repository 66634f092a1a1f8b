"""glTF and GLB: the scene's order and motions, and what a library must find; read by trimesh."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError
from gwtransfer.io.files import MOST_SWELLING, MOST_SWOLLEN, check_readable

Array = NDArray[np.float64]

POINTS, TRIANGLES, STRIP, FAN = 0, 4, 5, 6
"""Modes of primitives; the others are lines, which are left out."""

_MODES = range(7)
_HARMLESS = ("KHR_materials_", "KHR_texture_", "EXT_texture_", "KHR_lights_", "KHR_mesh_quant")
"""Beginnings of the names of extensions that leave points and triangles where they are."""

_COMPONENT_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_COMPONENT_MOST = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """What a library must return for one piece of a mesh.

    Attributes
    ----------
    points, triangles : int
    unit : float
        What stored coordinates are divided by; 1 but for quantised ones.
    """

    points: int
    triangles: int
    unit: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The pieces of a file, and where they are put.

    Attributes
    ----------
    primitives : list
        Those that trimesh reads, mesh by mesh, lines among them as None.
    placed : list of (index into ``primitives``, (4, 4) array)
        In the order of the scene's nodes, from each to its first child.
    """

    primitives: list[Primitive | None]
    placed: list[tuple[int, Array]]


class Beside:
    """Files in the folder of a .gltf file, by the names it gives them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, uri: str) -> bytes:
        """Return the content of a file that lies in the same folder.

        Raises
        ------
        ReadError
            The name leads elsewhere, or the file cannot be read.
        """
        name = unquote(uri)
        if name in ("", ".", "..") or any(mark in name for mark in "/\\:\0"):
            raise ReadError(
                f"{self.path}: expected its data in itself or in a file beside it, found "
                f"{uri[:60]!r}; convert it to GLB"
            )
        check_readable(self.path.parent / name)
        return (self.path.parent / name).read_bytes()


def scene_of(path: Path) -> Scene:
    """Read the header of a file, and check what of it matters here.

    Raises
    ------
    ReadError
        Truncated; not version 2; compressed or sparse; parts that are not there; fans of triangles;
        a few bytes that become very many points.
    """
    held = path.stat().st_size
    tree = _json(path)
    try:
        version = str(tree.get("asset", {}).get("version", "?"))
        if not version.startswith("2."):
            raise ReadError(f"{path}: expected glTF of version 2, found {version[:20]}")
        for extension in tree.get("extensionsRequired", []):
            if not str(extension).startswith(_HARMLESS):
                raise ReadError(
                    f"{path}: glTF with {extension} is not read; write it without this extension"
                )
        primitives, meshes = _primitives(path, tree, held)
        placed = [
            (piece, motion)
            for mesh, motion in _placed(path, tree)
            for piece in _at(path, meshes, mesh, "meshes")
        ]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ReadError(
            f"{path}: expected a glTF header, found one that makes no sense near {error}"
        ) from error
    swollen = 24 * sum(one.points for piece, _ in placed if (one := primitives[piece]))
    if swollen > max(MOST_SWOLLEN, MOST_SWELLING * held):
        raise ReadError(
            f"{path}: expected at most {MOST_SWELLING} bytes of points a byte, found {held} bytes "
            f"that swell to {swollen} as meshes are put in many places; convert it to PLY"
        )
    return Scene(primitives=primitives, placed=placed)


def _json(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if content[:4] == b"glTF":
        version, length, size = (
            int.from_bytes(content[at : at + 4], "little") for at in (4, 8, 12)
        )
        if version != 2:
            raise ReadError(f"{path}: expected GLB of version 2, found {version}")
        if len(content) < max(length, 20 + size):
            raise ReadError(
                f"{path}: expected {max(length, 20 + size)} bytes as its header says, found "
                f"{len(content)}; the file is truncated, get it again"
            )
        content = content[20 : 20 + size] if content[16:20] == b"JSON" else b""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{path}: expected glTF, whose header is JSON, found none: {error}"
        ) from error
    if not isinstance(tree, dict):
        raise ReadError(f"{path}: expected glTF, found other JSON")
    return tree


def _primitives(
    path: Path, tree: dict[str, Any], held: int
) -> tuple[list[Primitive | None], list[list[int]]]:
    """Return the primitives that trimesh reads, and which of them each mesh is made of."""
    for accessor in tree.get("accessors", []):
        size = int(accessor["count"]) * _COMPONENTS[accessor["type"]] * 4
        if "bufferView" not in accessor and size > max(MOST_SWOLLEN, MOST_SWELLING * held):
            raise ReadError(f"{path}: expected data for {accessor['count']} items, found none")
    primitives: list[Primitive | None] = []
    meshes: list[list[int]] = []
    for mesh in tree.get("meshes", []):
        own: list[int] = []
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", TRIANGLES)
            if mode == FAN:
                raise ReadError(f"{path}: fans of triangles are not read; write it with triangles")
            if mode not in _MODES:
                raise ReadError(f"{path}: expected a mode of glTF from 0 to 6, found {mode}")
            if mode in (POINTS, TRIANGLES, STRIP):
                own.append(len(primitives))
                primitives.append(_promise(path, tree, primitive, mode))
            elif mode == 1:
                primitives.append(None)
        meshes.append(own)
    return primitives, meshes


def _promise(path: Path, tree: dict[str, Any], primitive: dict[str, Any], mode: int) -> Primitive:
    accessor = _accessor(path, tree, primitive["attributes"]["POSITION"], "VEC3")
    corners = points = int(accessor["count"])
    if "indices" in primitive and mode != POINTS:
        corners = int(_accessor(path, tree, primitive["indices"], "SCALAR")["count"])
    triangles = {POINTS: 0, TRIANGLES: corners // 3, STRIP: max(0, corners - 2)}[mode]
    if mode == TRIANGLES and corners % 3:
        raise ReadError(f"{path}: expected three corners a triangle, found {corners} in all")
    scaled = accessor.get("normalized", False)
    unit = _COMPONENT_MOST[accessor["componentType"]] if scaled else 1.0
    return Primitive(points=points, triangles=triangles, unit=unit)


def _accessor(path: Path, tree: dict[str, Any], index: Any, kind: str) -> dict[str, Any]:
    """Return what describes some numbers, after a look at whether they are all there."""
    accessor: dict[str, Any] = _at(path, tree.get("accessors", []), index, "accessors")
    if accessor["type"] != kind:
        raise ReadError(f"{path}: expected {kind} for points or corners, found {accessor['type']}")
    if "sparse" in accessor or "bufferView" not in accessor:
        raise ReadError(
            f"{path}: expected points and corners in full, found them sparse or compressed; "
            "write it without compression"
        )
    view = _at(path, tree.get("bufferViews", []), accessor["bufferView"], "bufferViews")
    _at(path, tree.get("buffers", []), view["buffer"], "buffers")
    row = _COMPONENT_BYTES[accessor["componentType"]] * _COMPONENTS[kind]
    count, start = int(accessor["count"]), int(accessor.get("byteOffset", 0))
    expected = start + (count - 1) * int(view.get("byteStride", row)) + row
    if count < 1 or min(start, int(view.get("byteOffset", 0))) < 0:
        raise ReadError(f"{path}: expected points and corners, found {count} of them")
    if expected > int(view["byteLength"]):
        raise ReadError(
            f"{path}: expected {expected} bytes for {count} items, found {view['byteLength']}; "
            "the file is broken, write it again"
        )
    return accessor


def _placed(path: Path, tree: dict[str, Any]) -> Iterator[tuple[Any, Array]]:
    """Yield every mesh of the scene with its motion, from each node to its first child."""
    nodes, scenes = tree.get("nodes", []), tree.get("scenes", [])
    if not nodes:
        yield from ((mesh, np.eye(4)) for mesh in range(len(tree.get("meshes", []))))
        return
    if scenes:
        roots = _at(path, scenes, tree.get("scene", 0), "scenes").get("nodes", [])
    else:
        children = {child for node in nodes for child in node.get("children", [])}
        roots = [index for index in range(len(nodes)) if index not in children]
    waiting = [(root, np.eye(4)) for root in reversed(roots)]
    met: set[int] = set()
    while waiting:
        index, above = waiting.pop()
        node = _at(path, nodes, index, "nodes")
        if index in met:
            raise ReadError(f"{path}: expected a tree of nodes, found node {index} twice in it")
        met.add(index)
        motion = above @ _motion(path, node)
        if "mesh" in node:
            yield node["mesh"], np.eye(4) if "skin" in node else motion
        waiting += [(child, motion) for child in reversed(node.get("children", []))]


def _motion(path: Path, node: dict[str, Any]) -> Array:
    """Return a node's matrix, or its translation, rotation and scale put together."""
    if "matrix" in node:
        motion = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    else:
        x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), dtype=np.float64)
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        motion = np.eye(4)
        motion[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), dtype=np.float64)
        motion[:3, 3] = node.get("translation", (0, 0, 0))
    if not np.isfinite(motion).all() or (motion[3] != [0, 0, 0, 1]).any():
        raise ReadError(f"{path}: expected motions of nodes, found a matrix that is none")
    return motion


def _at(path: Path, values: list[Any], index: Any, what: str) -> Any:
    if not isinstance(index, int) or not 0 <= index < len(values):
        raise ReadError(f"{path}: expected one of {len(values)} {what}, found number {index!r}")
    return values[index]
