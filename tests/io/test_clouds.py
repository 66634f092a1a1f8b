"""Point clouds in the numbering of their files."""

import numpy as np
import pytest

from gwtransfer.core.types import Cloud
from gwtransfer.errors import ReadError, ShapeError
from gwtransfer.io.npy import NpyLoader
from gwtransfer.io.shapes.cloud import CloudLoader
from gwtransfer.io.shapes.mesh import MeshLoader

from .shared import DATA, needs_data

POINTS = np.array([[0, 0, 1], [1 / 3, 0, 0], [1, -7.5e-7, 0], [0, 1, 1 / 7]])
HOLED = np.where(np.arange(12).reshape(4, 3) == 4, np.nan, POINTS)


def table(points=POINTS, separator=" ", more=()) -> str:
    rows = [[*map(repr, point), *more] for point in points.tolist()]
    return "\n".join(separator.join(row) for row in rows) + "\n"


@pytest.mark.parametrize("suffix", [".xyz", ".pts", ".pwn", ".asc", ".csv", ".txt", ".XYZ"])
@pytest.mark.parametrize("separator", [" ", "  ", "\t", ",", ", ", ";"])
@pytest.mark.parametrize("more", [(), ("255", "7", "9")])
def test_text_holds_a_point_a_line(tmp_path, suffix, separator, more):
    """Whatever separates the numbers, the first three are the point, and more may follow."""
    path = tmp_path / f"a{suffix}"
    path.write_text("# made\n\n" + table(separator=separator, more=more))
    assert CloudLoader.claims(path)
    assert not MeshLoader.claims(path)
    cloud = CloudLoader()(path)
    np.testing.assert_array_equal(cloud.vertices, POINTS)
    assert cloud.faces is None
    assert cloud.numbers is None


HEADERS = {
    "csv": "red,x,y,z,name\n1,2,3,4,car\n5,6,7,8,tree\n",
    "quoted": '"Z","Y","X"\n"4","3","2"\n"8","7","6"\n',
    "other order": "// Y X Z\n3 2 4\n7 6 8\n",
    "a comment": "# r x y z\n1 2 3 4\n5 6 7 8 # last\n",
    "paraview": "Points_0,Points_1,Points_2,a\n2,3,4,1\n6,7,8,1\n",
    "count": "2\r\n2 3 4 1\r\n6 7 8 1\r\n",
    "a byte order mark": "\ufeffx;y;z\n2;3;4\n6;7;8\n",
    "exponents": "2e0 3.0E+000 40e-1\n6 7 8\n",
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_says_which_columns(tmp_path, header):
    """Names find x, y and z wherever they are, and a first line may promise how many points."""
    path = tmp_path / "a.csv"
    path.write_bytes(HEADERS[header].encode())
    assert CloudLoader.claims(path)
    assert CloudLoader()(path).vertices.tolist() == [[2, 3, 4], [6, 7, 8]]


@pytest.mark.parametrize(
    "text",
    [
        "name,a.obj,b.obj\na.obj,0,1\nb.obj,1,0\n", "source,target,distance\n0,3,0.1\n",
        "0 7\n3 9\n", "A text of three words\n", "1,2,x\n", "", "[[1, 2, 3]]\n",
    ],
)  # fmt: skip
def test_other_tables_are_no_clouds(tmp_path, text):
    """CSV and TXT are claimed only where they look like points."""
    for suffix in (".csv", ".txt"):
        (tmp_path / f"a{suffix}").write_text(text)
        assert not CloudLoader.claims(tmp_path / f"a{suffix}")


def test_binary_files_are_no_text_whatever_their_name(tmp_path):
    """A file that holds zero bytes is left to those who know its content."""
    for suffix in (".xyz", ".csv", ".pts"):
        (tmp_path / f"a{suffix}").write_bytes(b"1 2 3\n\0\0\0\0")
        assert not CloudLoader.claims(tmp_path / f"a{suffix}")


def pcd(
    points=POINTS, body="ascii", kind="F", size=4, *, count=None, header="", pack=None
) -> bytes:
    """Return a PCD file whose coordinates lie between other fields."""
    n = len(points) if count is None else count
    lines = ["# .PCD v.7 - made", "VERSION .7", "FIELDS n x y _ z rgb"]
    lines += [f"SIZE 4 {size} {size} 1 {size} 4", f"TYPE F {kind} {kind} U {kind} U"]
    lines += ["COUNT 3 1 1 5 1 1", f"WIDTH {n}", "HEIGHT 1", "VIEWPOINT 0 0 0 1 0 0 0"]
    lines += [f"POINTS {n}", header, f"DATA {body}"]
    head = "\n".join(line for line in lines if line).encode() + b"\n"
    if body == "ascii":
        rows = [f"9 9 9 {x!r} {y!r} 1 2 3 4 5 {z!r} 7" for x, y, z in points.tolist()]
        return head + "\n".join(rows).encode() + b"\n"
    letter = f"<{kind.lower()}{size}"
    names = [("n", "<f4", 3), ("x", letter), ("y", letter), ("_", "u1", 5), ("z", letter)]
    record = np.zeros(len(points), dtype=[*names, ("rgb", "<u4")])
    for axis, values in zip("xyz", points.T, strict=True):
        record[axis] = values
    if body == "binary":
        return head + record.tobytes()
    plain = b"".join(record[name].tobytes() for name in record.dtype.names)
    packed = b"".join(
        bytes([len(plain[at : at + 32]) - 1]) + plain[at : at + 32]
        for at in range(0, len(plain), 32)
    )
    sizes = pack or (len(packed), len(plain))
    return head + b"".join(size.to_bytes(4, "little") for size in sizes) + packed


@pytest.mark.parametrize(
    ("body", "kind", "size"),
    [
        ("ascii", "F", 8), ("binary", "F", 4), ("binary", "F", 8), ("binary", "I", 2),
        ("binary", "I", 8), ("binary_compressed", "F", 4), ("binary_compressed", "I", 2),
    ],
)  # fmt: skip
def test_pcd_of_every_body(tmp_path, body, kind, size):
    """Coordinates come out of any body and type, with other fields between them."""
    points = POINTS if kind == "F" else np.round(POINTS * 100)
    path = tmp_path / "a.txt"
    path.write_bytes(pcd(points, body, kind, size))
    assert CloudLoader.claims(path)
    expected = points.astype("f4") if body != "ascii" and size == 4 else points
    np.testing.assert_array_equal(CloudLoader()(path).vertices, expected)


@pytest.mark.parametrize("form", ["xyz", "ascii", "binary", "binary_compressed", "npy"])
def test_points_that_were_not_measured_leave_their_numbers(tmp_path, form):
    """A point of NaN is left out, and the others keep the numbers of the file."""
    path = tmp_path / ("a.xyz" if form == "xyz" else "a.npy" if form == "npy" else "a.pcd")
    if form == "npy":
        np.save(path, HOLED)
    else:
        path.write_bytes(table(HOLED).encode() if form == "xyz" else pcd(HOLED, form))
    cloud = (NpyLoader if form == "npy" else CloudLoader)()(path)
    np.testing.assert_allclose(cloud.vertices, POINTS[[0, 2, 3]], atol=1e-7)
    assert cloud.numbers.tolist() == [0, 2, 3]
    assert not cloud.numbers.flags.writeable


@pytest.mark.parametrize("numbers", [[0, 2], [0, 2, 2], [2, 1, 0], [-1, 0, 1]])
def test_numbers_of_a_cloud_increase(numbers):
    """Numbers that are too few, repeated, falling or negative are refused."""
    with pytest.raises(ShapeError, match=r"^made: expected 3 increasing numbers"):
        Cloud(name="made", vertices=POINTS[:3], numbers=numbers)


@pytest.mark.parametrize("kind", ["f4", "f8", "u1", "i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_three_columns_is_a_cloud(tmp_path, kind, order):
    """An array of (n, 3) is n points; of (n, 3, 1) an image of three columns."""
    points = np.asarray(np.round(np.abs(POINTS) * 9), dtype=kind, order=order)
    np.save(tmp_path / "a.npy", points)
    cloud = NpyLoader()(tmp_path / "a.npy")
    assert isinstance(cloud, Cloud)
    np.testing.assert_array_equal(cloud.vertices, points)
    np.save(tmp_path / "b.npy", points[..., None])
    assert NpyLoader()(tmp_path / "b.npy").columns == 3
    np.save(tmp_path / "c.npy", np.array([[0, np.inf, 1]]))
    with pytest.raises(ReadError, match="expected finite numbers, found others in point 1"):
        NpyLoader()(tmp_path / "c.npy")


@needs_data
def test_one_cloud_in_two_formats_has_the_same_points():
    """A table and a mesh file without faces hold the same points in the same order."""
    folder = DATA / "clouds" / "cgal"
    one = CloudLoader()(folder / "kitten.xyz")
    two = MeshLoader()(folder / "kitten.off")
    np.testing.assert_allclose(one.vertices, two.vertices, atol=1e-5)


REAL = {
    "cgal/triangles.xyz": 10, "cgal/half.xyz": 325, "cgal/oni.pwn": 1435, "pcd/bun0.pcd": 397,
    "pcd/milk.pcd": 12575, "pcd/region_growing_tutorial.pcd": 108104, "npy/bunny.npy": 2000,
}  # fmt: skip


@needs_data
@pytest.mark.parametrize("name", REAL)
def test_real_clouds_have_as_many_points_as_they_say(name):
    """Counts known from the files' own headers and lines."""
    path = DATA / "clouds" / name
    cloud = (NpyLoader if path.suffix == ".npy" else CloudLoader)()(path)
    assert len(cloud.vertices) == REAL[name]
    assert cloud.numbers is None


@needs_data
def test_an_organised_scan_keeps_the_places_of_its_pixels():
    """Of 640 × 480 pixels those with depth remain; their numbers are their places."""
    cloud = CloudLoader()(DATA / "clouds" / "pcd" / "capture0001.pcd")
    assert len(cloud.vertices) == len(cloud.numbers) == 249_647
    column, row = cloud.numbers % 640, cloud.numbers // 640
    depth = cloud.vertices[:, 2]
    assert abs(np.corrcoef(cloud.vertices[:, 0] / depth, column)[0, 1]) > 0.999
    assert abs(np.corrcoef(cloud.vertices[:, 1] / depth, row)[0, 1]) > 0.999
