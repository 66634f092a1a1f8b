"""Meshes in the numbering of their files."""

import base64
import json
import struct

import numpy as np
import pytest

from gwtransfer.errors import ReadError
from gwtransfer.io.shapes.mesh import MeshLoader

from .shared import DATA, needs_data

POINTS = np.array([[0, 0, 0], [1 / 3, 0, 0], [1, 1, 0], [0, 1, 1 / 7], [9, 9, 9]])
QUAD = [0, 1, 2, 3]


def off(points=POINTS, faces=(QUAD,), header="OFF") -> str:
    lines = [header, f"{len(points)} {len(faces)} 0"]
    lines += [" ".join(map(repr, map(float, point))) for point in points]
    lines += [f"{len(face)} " + " ".join(map(str, face)) for face in faces]
    return "\n".join(lines) + "\n"


def obj(points=POINTS, faces=(QUAD,), start=1) -> str:
    lines = ["# made", "o thing", *(f"v {a!r} {b!r} {c!r}" for a, b, c in points.tolist())]
    lines += ["f " + " ".join(f"{index + start}//1" for index in face) for face in faces]
    return "\n".join(lines) + "\n"


def ply(points=POINTS, faces=(QUAD,)) -> str:
    lines = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    lines += [f"property double {axis}" for axis in "xyz"]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    return "\n".join(lines) + "\n" + off(points, faces).partition(" 0\n")[2]


@pytest.mark.parametrize(("suffix", "make"), [(".off", off), (".obj", obj), (".ply", ply)])
def test_points_keep_their_numbers_and_quads_become_triangles(tmp_path, suffix, make):
    path = tmp_path / f"a{suffix}"
    path.write_text(make())
    assert MeshLoader.claims(path)
    cloud = MeshLoader()(path)
    assert cloud.name == str(path)
    np.testing.assert_allclose(cloud.vertices, POINTS, rtol=0, atol=1e-12)
    assert sorted(map(sorted, cloud.faces.tolist())) in (
        [[0, 1, 2], [0, 2, 3]],
        [[0, 1, 3], [1, 2, 3]],
    )


@pytest.mark.parametrize(("suffix", "make"), [(".off", off), (".obj", obj), (".ply", ply)])
def test_points_without_faces_are_a_cloud(tmp_path, suffix, make):
    path = tmp_path / f"a{suffix}"
    path.write_text(make(faces=()))
    cloud = MeshLoader()(path)
    np.testing.assert_allclose(cloud.vertices, POINTS, atol=1e-12)
    assert cloud.faces is None


def test_obj_counts_backwards_and_in_groups(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text(
        "v 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0\ng one\nf -3/1/1 -2 -1\nv 0 0 1\ng two\n"
        "usemtl x\nf 1 2 \\\n4 # end\nl 1 2\n"
    )
    cloud = MeshLoader()(path)
    assert cloud.vertices.shape == (4, 3)
    assert cloud.faces.tolist() == [[0, 1, 2], [0, 1, 3]]


@pytest.mark.parametrize("binary", [False, True])
def test_stl_corners_come_in_order(tmp_path, binary):
    triangles = POINTS[[[0, 1, 2], [0, 2, 3]]].astype("f4")
    path = tmp_path / "a.stl"
    if binary:
        body = b"".join(struct.pack("<3f", 0, 0, 0) + t.tobytes() + b"\0\0" for t in triangles)
        path.write_bytes(bytes(80) + struct.pack("<I", 2) + body)
    else:
        facets = [
            "facet normal 0 0 0\nouter loop\n"
            + "".join(f"vertex {a!r} {b!r} {c!r}\n" for a, b, c in t.tolist())
            + "endloop\nendfacet\n"
            for t in triangles
        ]
        path.write_text("solid a\n" + "".join(facets) + "endsolid a\n")
    cloud = MeshLoader()(path)
    np.testing.assert_allclose(cloud.vertices, triangles.reshape(-1, 3), atol=1e-7)
    assert cloud.faces.tolist() == [[0, 1, 2], [3, 4, 5]]


MIXED = ([0, 1, 2, 3], [4, 2, 1], [0, 1, 2, 3, 4], [1, 2])
TRIANGLES = [[0, 1, 2], [0, 2, 3], [4, 2, 1], [0, 1, 2], [0, 2, 3], [0, 3, 4]]


def binary_ply(order, faces=MIXED, lists="uchar int", after=b""):
    """Return points between other properties and elements, and faces with a colour each."""
    name = {"<": "little", ">": "big"}[order]
    lines = ["ply", f"format binary_{name}_endian 1.0", "comment end_header is not here"]
    lines += ["element camera 1", "property list uchar float lens"]
    lines += [f"element vertex {len(POINTS)}", "property uchar red"]
    lines += [f"property double {axis}" for axis in "xyz"]
    lines += [f"element face {len(faces)}", f"property list {lists} vertex_indices"]
    lines += ["property list uchar short more", "property uchar red", "end_header"]
    body = struct.pack(order + "B2f", 2, 0.5, 7)
    body += b"".join(struct.pack(order + "B3d", 9, *point) for point in POINTS)
    count, kind = ({"uchar": "B", "int": "i", "uint": "I"}[word] for word in lists.split())
    for place, face in enumerate(faces):
        body += struct.pack(f"{order}{count}{len(face)}{kind}", len(face), *face)
        body += struct.pack(f"{order}B{place % 2}hB", place % 2, *[5] * (place % 2), 3)
    return "\n".join(lines).encode() + b"\n" + body + after


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("lists", ["uchar int", "int uint"])
def test_binary_ply_of_mixed_polygons(tmp_path, order, lists):
    """Lists of any length, in either byte order, among properties nobody asked for."""
    path = tmp_path / "a.ply"
    path.write_bytes(binary_ply(order, lists=lists))
    cloud = MeshLoader()(path)
    np.testing.assert_array_equal(cloud.vertices, POINTS)
    assert cloud.faces.tolist() == TRIANGLES


@pytest.mark.parametrize(("suffix", "make"), [(".off", off), (".obj", obj), (".ply", ply)])
def test_mixed_polygons_of_text_become_fans(tmp_path, suffix, make):
    """A polygon of k corners is k − 2 triangles, one of two corners is a line and none."""
    path = tmp_path / f"a{suffix}"
    path.write_text(make(faces=MIXED))
    assert MeshLoader()(path).faces.tolist() == TRIANGLES


def test_solids_of_one_stl_come_one_after_another(tmp_path):
    """Two solids in one file, one of them named like a keyword, keep their order."""

    def solid(name, at):
        points = "".join(f"vertex {at} {y} 0\n" for y in range(3))
        return (
            f"SOLID {name}\r\nfacet normal 0 0 1\nouter loop\n{points}endloop\nendfacet\n"
            f"endsolid {name}\n"
        )

    path = tmp_path / "a.stl"
    path.write_bytes((solid("b\xe4r", 5) + solid("a", 3)).encode("latin-1"))
    cloud = MeshLoader()(path)
    assert cloud.vertices[:, 0].tolist() == [5, 5, 5, 3, 3, 3]


CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype="<f4")


def gltf(*, nodes, scene=(0,), primitive=None, **more):
    """Return header and data of one mesh of two pieces: a triangle, and points of a strip."""
    data = CORNERS.tobytes() + np.array([0, 1, 2, 0], "<u2").tobytes()
    data += (np.vstack([CORNERS, [[1, 1, 0]]]).astype("<f4") + np.float32(10)).tobytes()
    tree = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(data)}],
        "bufferViews": [
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 6},
            {"buffer": 0, "byteOffset": 44, "byteLength": 48},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC3"},
        ],
        "meshes": [
            {
                "primitives": [
                    primitive or {"attributes": {"POSITION": 0}, "indices": 1},
                    {"attributes": {"POSITION": 2}, "mode": 5},
                ]
            },
        ],
        "nodes": nodes,
        "scenes": [{"nodes": list(scene)}],
        "scene": 0,
    }
    return tree | more, data


def glb(tree, data):
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


TURN = [0, 0, np.sqrt(0.5), np.sqrt(0.5)]
NODES = [
    {"children": [2, 1], "translation": [0, 0, 5]},
    {"mesh": 0},
    {"mesh": 0, "rotation": TURN, "scale": [2, 2, 2]},
]


@pytest.mark.parametrize("form", ["glb", "data uri", "beside"])
def test_gltf_puts_meshes_where_the_scene_says(tmp_path, form):
    """Pieces of a mesh one after another, once for each node, moved by all nodes above."""
    tree, data = gltf(nodes=NODES)
    path = tmp_path / ("a.glb" if form == "glb" else "a.gltf")
    if form == "glb":
        path.write_bytes(glb(tree, data))
    else:
        uri = "data:x;base64," + base64.b64encode(data).decode()
        tree["buffers"][0]["uri"] = uri if form == "data uri" else "da%20ta.bin"
        (tmp_path / "da ta.bin").write_bytes(data)
        path.write_text(json.dumps(tree))
    assert MeshLoader.claims(path)
    cloud = MeshLoader()(path)
    mesh = np.vstack([CORNERS, CORNERS + 10, [[11, 11, 10]]])
    turned = 2 * mesh @ [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
    expected = np.add(np.vstack([turned, mesh]), [0, 0, 5])
    np.testing.assert_allclose(cloud.vertices, expected, atol=1e-6)
    assert len(cloud.faces) == 6
    assert cloud.faces[:2].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert cloud.faces[3].tolist() == [7, 8, 9]


def test_a_mirrored_node_keeps_surfaces_facing_outwards(tmp_path):
    """A reflection turns triangles around, so that their normals are reflected too."""
    tree, data = gltf(nodes=[{"mesh": 0, "scale": [-1, 1, 1]}])
    (tmp_path / "a.glb").write_bytes(glb(tree, data))
    cloud = MeshLoader()(tmp_path / "a.glb")
    a, b, c = cloud.vertices[cloud.faces[0]]
    assert np.cross(b - a, c - a)[2] > 0


def test_claims(tmp_path):
    (tmp_path / "a.txt").write_text(ply())
    assert MeshLoader.claims(tmp_path / "a.txt")
    assert not MeshLoader.claims(tmp_path)
    (tmp_path / "b.txt").write_text("OFFICE")
    assert not MeshLoader.claims(tmp_path / "b.txt")


FOLDERS = ("formats/trimesh", "formats/trimesh/emptyIO", "formats/cgal", "clouds/npy")
REAL = [path for folder in FOLDERS for path in (DATA / folder).glob("*.*") if path.suffix != ".npy"]
EMPTY = {"empty.ply", "obj_empty.obj", "ply_empty_bin.ply", "stl_empty_ascii.stl"}


@needs_data
@pytest.mark.parametrize("path", sorted(REAL), ids=lambda path: path.name)
def test_real_files_load_or_are_refused(path):
    assert MeshLoader.claims(path)
    if path.name in EMPTY:
        with pytest.raises(ReadError, match="found none"):
            MeshLoader()(path)
        return
    cloud = MeshLoader()(path)
    assert cloud.vertices.size
    if path.suffix == ".obj":
        lines = path.read_text().splitlines()
        assert len(cloud.vertices) == sum(line.startswith("v ") for line in lines)
