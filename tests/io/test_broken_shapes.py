"""What every damaged shape is refused with, or the counts it is read with all the same."""

import json
import re
import struct
import subprocess
import sys
import tracemalloc
from copy import deepcopy

import numpy as np
import pytest

from gwtransfer.errors import GwTransferError, PluginError
from gwtransfer.opening import Opening

from .test_clouds import HOLED, pcd, table
from .test_mesh import NODES, POINTS, QUAD, binary_ply, glb, gltf, obj, off, ply

MOST_BYTES = 20_000_000
NAN = np.where(np.arange(15).reshape(5, 3) == 4, np.nan, POINTS)
INF = np.where(np.arange(15).reshape(5, 3) == 4, np.inf, POINTS)
JUNK = np.random.default_rng(0).integers(0, 256, 2000, dtype=np.uint8).tobytes()
MANY = 10**12


def stl(count=None, triangles=2, after=b""):
    record = struct.pack("<12fH", *range(12), 0)
    count = triangles if count is None else count
    return bytes(80) + struct.pack("<I", count) + record * triangles + after


TEXT_STL = (
    "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\n"
    "endfacet\nendsolid a\n"
)


def changed(path, value, *, nodes=NODES, **more):
    """Return a GLB with one value of its header changed."""
    tree, data = gltf(nodes=deepcopy(nodes), **more)
    at = tree
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return glb(tree, data)


def big_header(faces=0, points=0, form="ascii"):
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    return (
        f"ply\nformat {form} 1.0\nelement vertex {points}\n{axes}element face {faces}\n"
        "property list uchar int vertex_indices\nend_header\n0 0 0\n"
    )


TREE, DATA_OF = gltf(nodes=NODES)
GLB = glb(TREE, DATA_OF)
MATRIX = np.diag([1.0, 1, 1, 2]).ravel().tolist()

REFUSED = {
    "off: junk words": ("off", "hello world", "OFF and the numbers of points"),
    "off: junk bytes": ("off", JUNK, "OFF and the numbers of points"),
    "off: no counts": ("off", "OFF\n", "numbers of points"),
    "off: one count": ("off", "OFF\n5\n", "numbers of points"),
    "off: half the points": ("off", off()[:40], "5 points and 1 faces"),
    "off: a face missing": ("off", off(faces=[QUAD] * 3).rsplit("\n", 2)[0], "3 faces"),
    "off: a face cut": ("off", off()[:-4], "expected face 1 to be the number of its corners"),
    "off: far face": ("off", off(faces=[[0, 1, 7]]), "points 0 … 4, found '3 0 1 7'"),
    "off: negative face": ("off", off(faces=[[0, 1, -1]]), "points 0 … 4, found '3 0 1 -1'"),
    "off: fraction": ("off", off(faces=[[0, 1, 1.5]]), "points 0 … 4"),
    "off: nan": ("off", off(NAN), "finite numbers, found others in point 2"),
    "off: inf": ("off", off(INF), "finite numbers, found others in point 2"),
    "off: words": ("off", off().replace("9.0 9.0 9.0", "a b c"), "of point 5, found 'a b c'"),
    "off: two coordinates": ("off", off().replace("9.0 9.0 9.0", "9 9"), "of point 5"),
    "off: no points": ("off", off(points=[], faces=()), "found none"),
    "off: promises": ("off", f"OFF\n{MANY} {MANY} 0\n0 0 0\n", f"{MANY} points"),
    "off: four axes": ("off", off(header="4OFF"), "found 4OFF"),
    "off: binary": ("off", b"OFF BINARY\n" + JUNK, "convert it to PLY"),
    "obj: junk words": ("obj", "hello world\n", "expected points"),
    "obj: junk bytes": ("obj", JUNK, "which is text"),
    "obj: only comments": ("obj", "# nothing\n", "expected points"),
    "obj: two coordinates": ("obj", "v 1 2\n", "line 1"),
    "obj: words": ("obj", "v a b c\n", "expected numbers as coordinates"),
    "obj: nan": ("obj", obj(NAN), "found others in point 2"),
    "obj: inf": ("obj", obj(INF), "found others in point 2"),
    "obj: far face": ("obj", obj(faces=[[0, 1, 7]]), "0 … 4, found 7"),
    "obj: face 0": ("obj", obj(start=0), "found 0"),
    "obj: before the first": ("obj", "v 0 0 0\nf -1 -2 -1\n", "found -2"),
    "obj: face word": ("obj", "v 0 0 0\nf a b c\n", "found 'a'"),
    "obj: endless number": ("obj", f"v 0 0 0\nf 1 1 {MANY}\n", "found 1000000000000"),
    "ply: junk bytes": ("ply", JUNK, "PLY header"),
    "ply: cut header": ("ply", ply()[:60], "ends in end_header"),
    "ply: half the points": ("ply", ply()[:190], "numbers after the header"),
    "ply: a face cut": ("ply", ply()[:-3], "numbers after the header"),
    "ply: nan": ("ply", ply(NAN), "finite"),
    "ply: inf": ("ply", ply(INF), "finite"),
    "ply: words": ("ply", ply().replace("9.0 9.0", "9.0 nine"), "nothing but numbers"),
    "ply: far face": ("ply", ply(faces=[[0, 1, 7]]), "0 … 4, found 7"),
    "ply: negative face": ("ply", ply(faces=[[0, 1, -1]]), "0 … 4, found -1"),
    "ply: fraction": ("ply", ply(faces=[[0, 1, 1.5]]), "whole numbers"),
    "ply: nan corner": ("ply", ply(faces=[[0, 1, "nan"]]), "whole numbers"),
    "ply: negative list": ("ply", ply()[:-10] + "-4 0 1 2 3\n", "length of a list"),
    "ply: no points": ("ply", ply(points=[], faces=()), "expected points"),
    "ply: no z": ("ply", ply().replace(" z", " w"), "x, y and z"),
    "ply: unknown type": ("ply", ply().replace("double z", "half z"), "found 'half'"),
    "ply: unknown line": ("ply", ply().replace("element face", "elements face"), "'elements face"),
    "ply: strips": ("ply", ply().replace("element face", "element tristrips"), "strips"),
    "ply: promises points": ("ply", big_header(points=MANY), "numbers after"),
    "ply: promises faces": ("ply", big_header(points=1, faces=MANY), "numbers after"),
    "ply: promises bytes": (
        "ply", big_header(points=MANY, form="binary_little_endian"), "bytes after the header",
    ),
    "ply: binary cut": ("ply", binary_ply("<")[:-3], "bytes after the header"),
    "ply: binary half": ("ply", binary_ply(">")[:-90], "bytes after the header"),
    "ply: binary longer": ("ply", binary_ply("<", after=b"more"), "bytes after the header"),
    "ply: binary far face": ("ply", binary_ply("<", faces=[[0, 1, 5]]), "0 … 4, found 5"),
    "ply: wrong byte order": (
        "ply", binary_ply("<", lists="int int").replace(b"little", b"big"), "after the header",
    ),
    "stl: junk words": ("stl", "hello world", "expected an STL file"),
    "stl: junk bytes": ("stl", JUNK, "bytes as its header says"),
    "stl: binary cut": ("stl", stl()[:-1], "expected 184 bytes as its header says, found 183"),
    "stl: promises": ("stl", stl(count=2**32 - 1), "truncated"),
    "stl: no triangles": ("stl", stl(triangles=0), "found none"),
    "stl: no facets": ("stl", "solid a\nendsolid a\n", "found none"),
    "stl: text cut": ("stl", TEXT_STL[:60], "0 facets and an end, found 2 points"),
    "stl: no end": ("stl", TEXT_STL[:-12], "1 facets and an end"),
    "stl: words": ("stl", TEXT_STL.replace("1 0 0", "1 0 a"), "truncated or broken"),
    "stl: nan": ("stl", TEXT_STL.replace("1 0 0", "1 0 nan"), "finite"),
    "stl: two coordinates": ("stl", TEXT_STL.replace("1 0 0", "1 0"), "truncated or broken"),
    "glb: junk": ("glb", b"glTF" + JUNK, "GLB of version 2"),
    "glb: cut": ("glb", GLB[:-4], f"expected {len(GLB)} bytes"),
    "glb: only a header": ("glb", GLB[:12], "as its header says"),
    "glb: version": ("glb", GLB[:4] + b"\1" + GLB[5:], "found 1"),
    "glb: no json": ("glb", GLB[:20] + b"[" + GLB[21:], "whose header is JSON"),
    "glb: other json": ("glb", glb([], b""), "found other JSON"),
    "gltf: junk": ("gltf", "hello", "whose header is JSON"),
    "gltf: version": ("glb", changed(["asset", "version"], "1.0"), "found 1.0"),
    "gltf: no mesh": ("glb", changed(["meshes"], []), "one of 0 meshes"),
    "gltf: no node": ("glb", changed(["scenes", 0, "nodes"], [9]), "one of 3 nodes, found"),
    "gltf: last node": ("glb", changed(["scenes", 0, "nodes"], [-1]), "found number -1"),
    "gltf: nothing shown": ("glb", changed(["scenes", 0, "nodes"], []), "expected points"),
    "gltf: circle": ("glb", changed(["nodes", 1, "children"], [0]), "node 0 twice"),
    "gltf: perspective": ("glb", changed(["nodes", 1, "matrix"], MATRIX), "matrix that is none"),
    "gltf: nan motion": ("glb", changed(["nodes", 1, "scale"], [1, 1, float("nan")]), "motions"),
    "gltf: words": ("glb", changed(["nodes", 1, "scale"], "wide"), "makes no sense"),
    "gltf: no position": (
        "glb", changed(["meshes", 0, "primitives", 0, "attributes"], {}), "near 'POSITION'",
    ),
    "gltf: fan": ("glb", changed(["meshes", 0, "primitives", 0, "mode"], 6), "fans of triangles"),
    "gltf: mode": ("glb", changed(["meshes", 0, "primitives", 0, "mode"], 9), "from 0 to 6"),
    "gltf: four corners": ("glb", changed(["accessors", 1, "count"], 2), "three corners"),
    "gltf: far face": (
        "glb", changed(["accessors", 1, "byteOffset"], 0, nodes=[{"mesh": 0}],
                       primitive={"attributes": {"POSITION": 0}, "indices": 3},
                       accessors=[*TREE["accessors"],
                                  {"bufferView": 2, "componentType": 5123, "count": 3,
                                   "type": "SCALAR"}]), "expected faces among points",
    ),
    "gltf: promises": ("glb", changed(["accessors", 0, "count"], MANY), "12000000000000 bytes"),
    "gltf: promises nothing": (
        "glb", changed(["accessors", 0], {"componentType": 5126, "count": MANY, "type": "VEC3"}),
        "expected data",
    ),
    "gltf: sparse": ("glb", changed(["accessors", 0, "sparse"], {"count": 1}), "sparse"),
    "gltf: view": ("glb", changed(["bufferViews", 2, "byteLength"], 10**6), "fit one another"),
    "gltf: draco": (
        "glb", changed(["extensionsRequired"], ["KHR_draco_mesh_compression"]), "KHR_draco",
    ),
    "gltf: everywhere": (
        "glb",
        changed(
            ["nodes"], [{"mesh": 0}] * 200, scene=range(200),
            accessors=[{**one, "count": 10**5} if place == 2 else one
                       for place, one in enumerate(TREE["accessors"])],
            bufferViews=[{**one, "byteStride": 0} if place == 2 else one
                         for place, one in enumerate(TREE["bufferViews"])],
        ), "swell",
    ),
    "gltf: elsewhere": (
        "gltf", json.dumps(TREE | {"buffers": [{"uri": "../a.bin", "byteLength": 1}]}), "GLB",
    ),
    "gltf: root": (
        "gltf", json.dumps(TREE | {"buffers": [{"uri": "%2Fetc%2Fhosts", "byteLength": 1}]}), "GLB",
    ),
    "gltf: network": (
        "gltf", json.dumps(TREE | {"buffers": [{"uri": "http://x/a", "byteLength": 1}]}), "GLB",
    ),
    "gltf: missing": (
        "gltf", json.dumps(TREE | {"buffers": [{"uri": "b.bin", "byteLength": 1}]}), "no such file",
    ),
    "xyz: words": ("xyz", "1 2 three\n", "line 1, found 'three'"),
    "xyz: later words": ("xyz", "1 2 3\n\n4 five 6\n", "line 3, found 'five'"),
    "xyz: two columns": ("xyz", "1 2\n3 4\n", "three coordinates in line 1"),
    "xyz: a row cut": ("xyz", "1 2 3 4\n1 2 3\n", "4 fields in line 2"),
    "xyz: only a comment": ("xyz", "# nothing\n", "expected points"),
    "xyz: molecule": ("xyz", "2\nwater\nO 0 0 0\nH 1 0 0\n", "in line 2"),
    "xyz: decimal commas": ("xyz", "1,5;2,5;3,5\n", "found '1,5, 2,5, 3,5' in line 1"),
    "xyz: inf": ("xyz", "1 2 3\n1 inf 3\n", "in point 2"),
    "xyz: only nan": ("xyz", "nan nan nan\n", "only points of NaN"),
    "pts: fewer": ("pts", "3\n1 2 3\n4 5 6\n", "expected 3 points as its first line says"),
    "pts: more": ("pts", f"1\n{table()}", "expected 1 points as its first line says, found 4"),
    "csv: header": ("xyz", "a,b,c\n1,2,3\n", "columns named x, y and z, found 'a, b, c'"),
    "csv: short rows": ("xyz", "a,b,x,y,z\n1,2,3\n", "as the header has names"),
    "pcd: junk bytes": ("pcd", JUNK, "PCD header"),
    "pcd: cut header": ("pcd", pcd()[:80], "PCD header"),
    "pcd: fewer lines": ("pcd", pcd().rsplit(b"\n", 2)[0], "expected 4 points"),
    "pcd: a line cut": ("pcd", pcd()[:-10], "12 numbers for point 4"),
    "pcd: words": ("pcd", pcd().replace(b"1.0", b"one"), "expected numbers"),
    "pcd: promises": ("pcd", pcd(count=MANY), f"{MANY} points"),
    "pcd: promises bytes": ("pcd", pcd(body="binary", count=MANY), "bytes as its header says"),
    "pcd: promises packed": ("pcd", pcd(body="binary_compressed", count=MANY), "claim to hold"),
    "pcd: bomb": (
        "pcd", pcd(body="binary_compressed", count=10**8, pack=(50, 33 * 10**8)), "claim to hold",
    ),
    "pcd: binary cut": ("pcd", pcd(body="binary")[:-1], "132 bytes"),
    "pcd: packed cut": ("pcd", pcd(body="binary_compressed")[:-1], "packed bytes"),
    "pcd: packed broken": (
        "pcd", pcd(body="binary_compressed")[:-137] + b"\xff" * 137, "could read",
    ),
    "pcd: packed doubles": ("pcd", pcd(body="binary_compressed", size=8), "without compression"),
    "pcd: no z": ("pcd", pcd().replace(b"x y _ z", b"x y _ w"), "fields x, y and z"),
    "pcd: type": ("pcd", pcd().replace(b"TYPE F F", b"TYPE F C"), "found C of 4"),
    "pcd: size": ("pcd", pcd(size=3), "found F of 3"),
    "pcd: lengths": ("pcd", pcd().replace(b"COUNT 3 1", b"COUNT 3"), "one length"),
    "pcd: words of header": ("pcd", pcd().replace(b"WIDTH 4", b"WIDTH -4"), "after WIDTH"),
    "pcd: size of picture": ("pcd", pcd().replace(b"WIDTH 4", b"WIDTH 5"), "5 × 1 points"),
    "pcd: body": ("pcd", pcd(body="packed"), "found DATA packed"),
    "pcd: inf": ("pcd", pcd(np.where(np.isnan(HOLED), np.inf, HOLED)), "in point 2"),
}  # fmt: skip


@pytest.mark.parametrize("defect", REFUSED)
def test_broken_shapes_are_refused_in_one_line(tmp_path, defect):
    """One line that begins with the file, in little time and memory; nothing is printed."""
    suffix, content, words = REFUSED[defect]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(GwTransferError) as caught:
        Opening()(path)
    said = str(caught.value)
    assert words in said
    assert said.startswith(f"{path}: ") or "no such file" in said
    assert "\n" not in said
    assert "\x1b" not in said


LATIN = "# gr\xfc\xdfe\n".encode("latin-1")
READ = {
    "off: counts in the header": ("off", b"OFF" + off().encode()[4:], 5, 2),
    "off: comments everywhere": (
        "off", b"# OFF 1\n" + off().replace("\n", " # x\n\n").encode(), 5, 2
    ),
    "off: latin letters": ("off", LATIN + off().encode(), 5, 2),
    "off: carriage returns": ("off", off().replace("\n", "\r\n").encode(), 5, 2),
    "off: colours": ("off", off(header="COFF").replace("3\n", "3 255 0 0\n").encode(), 5, 2),
    "off: a wrong name": ("stl", off().encode(), 5, 2),
    "obj: latin letters": ("obj", LATIN + obj().encode(), 5, 2),
    "obj: old line ends": ("obj", obj().replace("\n", "\r").encode(), 5, 2),
    "obj: wires": ("obj", b"v 0 0 0\nv 1 0 0\nl 1 2\n", 2, 0),
    "obj: colours": ("obj", b"v 0 0 0 1 0 0\nv 1 0 0 1 1 1\n", 2, 0),
    "ply: carriage returns": ("ply", ply().replace("\n", "\r\n").encode(), 5, 2),
    "ply: latin comments": ("ply", ply().replace("element v", "comment \xfc\nelement v").encode(
        "latin-1"), 5, 2),
    "ply: a wrong name": ("obj", ply().encode(), 5, 2),
    "ply: more lines": ("ply", ply().encode() + b"3 0 1 2\n", 5, 2),
    "stl: more bytes": ("stl", stl(after=b"made by"), 6, 2),
    "stl: binary that says solid": ("stl", b"solid" + stl()[5:], 6, 2),
    "stl: a wrong name": ("obj", TEXT_STL.encode(), 3, 1),
    "stl: old line ends": ("stl", TEXT_STL.replace("\n", "\r").encode(), 3, 1),
    "stl: latin letters": ("stl", TEXT_STL.replace("d a", "d \xfc").encode("latin-1"), 3, 1),
    "glb: a wrong name": ("obj", GLB, 14, 6),
    "pcd: a wrong name": ("xyz", pcd(), 4, 0),
    "pcd: carriage returns": ("pcd", pcd().replace(b"\n", b"\r\n"), 4, 0),
    "pcd: no counts": ("pcd", b"VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 1\n"
                       b"HEIGHT 1\nPOINTS 1\nDATA ascii\n1 2 3\n", 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("oddity", READ)
def test_odd_shapes_are_read_whole(tmp_path, oddity):
    """Strange but complete files give all their points and triangles, whatever their name."""
    suffix, content, points, triangles = READ[oddity]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    (shape,) = Opening()(path)
    assert len(shape.vertices) == points
    assert (0 if shape.faces is None else len(shape.faces)) == triangles


@pytest.mark.parametrize("suffix", ["off", "obj", "ply", "stl", "gltf", "glb", "pcd", "xyz", "csv"])
@pytest.mark.parametrize("content", [b"", b"\n", JUNK, b"\x89PNG\r\n\x1a\n" + JUNK])
def test_what_is_no_shape_is_refused_whatever_its_name(tmp_path, suffix, content):
    """Empty files, noise and the beginning of a picture are refused in one line."""
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(GwTransferError, match=r"^[^\n]*\Z"):
        Opening()(tmp_path / f"a.{suffix}")


PROMISING = [defect for defect in REFUSED if re.search("promise|bomb|everywhere", defect)]


@pytest.mark.parametrize("defect", PROMISING)
def test_promises_take_no_memory(tmp_path, defect):
    """Counts that a file cannot hold are refused before memory is taken for them."""
    suffix, content, _ = REFUSED[defect]
    for name in (f"a.{suffix}", f"b.{suffix}"):  # the first brings what has to be imported
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(GwTransferError):
        Opening()(tmp_path / f"a.{suffix}")
    tracemalloc.start()
    try:
        with pytest.raises(GwTransferError):
            Opening()(tmp_path / f"b.{suffix}")
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


WHOLE = {
    "off": off().encode(), "ply": ply().encode(), "b.ply": binary_ply("<"), "stl": stl(),
    "t.stl": TEXT_STL.encode(), "glb": GLB, "pcd": pcd(), "b.pcd": pcd(body="binary"),
    "pts": f"4\n{table()}".encode(),
}  # fmt: skip


@pytest.mark.parametrize("suffix", WHOLE)
def test_every_cut_is_noticed(tmp_path, suffix):
    """Wherever a file that says its length is cut, it is refused, down to its last number."""
    content = (
        WHOLE[suffix].rstrip(b"\n") if suffix in ("off", "ply", "pcd", "pts") else WHOLE[suffix]
    )
    path = tmp_path / f"a.{suffix}"
    last = len(content) - (20 if suffix == "pts" else 2)  # digits of the last number
    for end in range(1, last, 5):
        path.write_bytes(content[:end])
        with pytest.raises(GwTransferError, match=r"^[^\n]*\Z"):
            Opening()(path)


def test_without_open3d_only_packed_points_are_missed(tmp_path, monkeypatch):
    """Meshes, text and plain PCD need no Open3D; packed PCD says how to get it."""
    monkeypatch.setitem(sys.modules, "open3d", None)
    for name, content in (("a.ply", ply().encode()), ("a.pcd", pcd(body="binary")), ("a.glb", GLB)):
        (tmp_path / name).write_bytes(content)
        assert len(Opening()(tmp_path / name)[0].vertices) > 3
    path = tmp_path / "b.pcd"
    path.write_bytes(pcd(body="binary_compressed"))
    with pytest.raises(PluginError) as caught:
        Opening()(path)
    assert str(caught.value).startswith(f"{path}: Open3D is needed and not installed; run pip")
    assert "'gwtransfer[open3d]'" in str(caught.value)


@pytest.mark.parametrize(("suffix", "content", "status"), [("glb", GLB, 0), ("pcd", JUNK, 1)])
def test_inspect_prints_a_shape_and_nothing_else(tmp_path, suffix, content, status):
    """The command says what a shape is on stdout, or one line on stderr."""
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    script = f"import sys; sys.argv[1:] = ['inspect', {str(path)!r}]\n"
    script += "from gwtransfer_cli.program import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert ("14" in done.stdout) == (status == 0)
    assert len(done.stderr.splitlines()) == status
