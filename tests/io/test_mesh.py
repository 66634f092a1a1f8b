"""Shapes in the numbering of their files, and what is refused."""

import struct

import numpy as np
import pytest

from gwtransfer.errors import ReadError
from gwtransfer.io.mesh import MeshLoader

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


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", "])
def test_xyz_reads_three_columns(tmp_path, separator):
    lines = [separator.join(map(repr, [*point, 1.0])) for point in POINTS.tolist()]
    (tmp_path / "a.xyz").write_text("# x y z\n" + "\n".join(lines))
    cloud = MeshLoader()(tmp_path / "a.xyz")
    np.testing.assert_array_equal(cloud.vertices, POINTS)
    assert cloud.faces is None


NAN = np.where(np.arange(15).reshape(5, 3) == 4, np.nan, POINTS)
BROKEN = {
    "off: half the points": (".off", off()[:40], "truncated"),
    "off: no faces left": (".off", off(faces=[[0, 1, 2]] * 3).rsplit("\n", 3)[0] + "\n", "3 faces"),
    "off: no counts": (".off", "OFF\n", "numbers of points"),
    "off: junk": (".off", "hello world", "OFF"),
    "off: nan": (".off", off(NAN), "finite"),
    "off: far face": (".off", off(faces=[[0, 1, 7]]), "found"),
    "ply: half the points": (".ply", ply()[:170], "expected"),
    "ply: cut header": (".ply", ply()[:60], "PLY header"),
    "ply: nan": (".ply", ply(NAN), "finite"),
    "ply: far face": (".ply", ply(faces=[[0, 1, 7]]), "found"),
    "ply: no points": (".ply", ply(points=[], faces=()), "expected points"),
    "obj: junk": (".obj", "hello world\n", "expected points"),
    "obj: two coordinates": (".obj", "v 1 2\n", "line 1"),
    "obj: words": (".obj", "v a b c\n", "truncated or broken"),
    "obj: nan": (".obj", obj(NAN), "finite numbers, found others in point 2"),
    "obj: far face": (".obj", obj(faces=[[0, 1, 7]]), "0 … 4, found 7"),
    "obj: face 0": (".obj", obj(start=0), "found 0"),
    "obj: face word": (".obj", "v 0 0 0\nf a b c\n", "found 'a'"),
    "stl: junk": (".stl", "hello world", "STL"),
    "stl: cut": (".stl", "\0" * 80 + "\x05\0\0\0" + "\0" * 60, "expected 334 bytes"),
    "xyz: words": (".xyz", "1 2 three\n", "XYZ"),
    "xyz: two columns": (".xyz", "1 2\n3 4\n", "XYZ"),
    "xyz: only a comment": (".xyz", "# nothing\n", "expected points"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, defect):
    suffix, content, words = BROKEN[defect]
    path = tmp_path / f"a{suffix}"
    path.write_text(content)
    with pytest.raises(ReadError) as caught:
        MeshLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_claims(tmp_path):
    (tmp_path / "a.txt").write_text(ply())
    assert MeshLoader.claims(tmp_path / "a.txt")
    assert not MeshLoader.claims(tmp_path)
    (tmp_path / "b.txt").write_text("OFFICE")
    assert not MeshLoader.claims(tmp_path / "b.txt")


FOLDERS = ("formats/trimesh", "formats/trimesh/emptyIO", "formats/cgal", "clouds/cgal")
REAL = [path for folder in FOLDERS for path in (DATA / folder).glob("*.*") if path.suffix != ".pwn"]
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


@needs_data
def test_one_cloud_in_two_formats_has_the_same_points():
    folder = DATA / "clouds" / "cgal"
    one, two = (MeshLoader()(folder / f"kitten.{end}") for end in ("xyz", "off"))
    np.testing.assert_allclose(one.vertices, two.vertices, atol=1e-5)
