"""Coloured shapes come back from their files, here and in other programs."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from gwtransfer.errors import ShapeError, WriteError
from gwtransfer.io.files import whole
from gwtransfer.io.shapes.mesh import MeshLoader
from gwtransfer.io.shapes.plywriter import write_ply

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(500, 3)) * 1e6
COLORS = RNG.random((500, 3))


@pytest.mark.parametrize("faces", [None, [[0, 1, 2], [7, 499, 3]]])
def test_coloured_files_hold_exact_points_in_order(tmp_path, faces):
    """Points come back bit for bit, faces as they were, colours to 8 bits; twice the same bytes."""
    paths = [tmp_path / "a.ply", tmp_path / "b.ply"]
    for path in paths:
        write_ply(path, POINTS, faces, COLORS)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    cloud = MeshLoader()(paths[0])
    np.testing.assert_array_equal(cloud.vertices, POINTS)
    assert (None if cloud.faces is None else cloud.faces.tolist()) == faces
    read = trimesh.load(paths[0], process=False)
    np.testing.assert_array_equal(read.vertices, POINTS)
    painted = (read.visual.vertex_colors if faces else read.colors)[:, :3]
    np.testing.assert_allclose(painted / 255, COLORS, atol=0.51 / 255)


def test_open3d_reads_the_same(tmp_path):
    """Another reader finds the same points, triangles and colours."""
    open3d = pytest.importorskip("open3d")
    write_ply(tmp_path / "a.ply", POINTS, [[0, 1, 2], [7, 499, 3]], COLORS)
    read = open3d.io.read_triangle_mesh(str(tmp_path / "a.ply"))
    np.testing.assert_array_equal(np.asarray(read.vertices), POINTS)
    assert np.asarray(read.triangles).tolist() == [[0, 1, 2], [7, 499, 3]]
    np.testing.assert_allclose(np.asarray(read.vertex_colors), COLORS, atol=0.51 / 255)


@pytest.mark.parametrize(
    ("points", "faces", "colors", "words"),
    [
        (POINTS, None, COLORS + 0.5, "colours in"), (POINTS, None, -COLORS, "colours in"),
        (POINTS, None, COLORS[:-1], "colours in"), (POINTS, None, COLORS * np.nan, "colours in"),
        (POINTS * np.nan, None, COLORS, "finite"), (POINTS[:, :2], None, COLORS, "finite"),
        (POINTS, [[0, 1, 500]], COLORS, "0 … 499"), (POINTS, [[0, 1, -1]], COLORS, "0 … 499"),
        (POINTS, [[0, 1]], COLORS, "faces"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path, points, faces, colors, words):
    """Colours beyond [0, 1] or of other points, faces of other points; no file is made."""
    with pytest.raises(ShapeError, match=words):
        write_ply(tmp_path / "a.ply", points, faces, colors)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")
def test_a_full_disk_is_an_error(tmp_path):
    """The system's refusal becomes ours, and nothing is left behind."""
    (tmp_path / "full").symlink_to("/dev/full")
    with (
        pytest.raises(WriteError, match="cannot be written"),
        whole(tmp_path / "a.ply", overwrite=False) as temporary,
    ):
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        write_ply(temporary, POINTS, None, COLORS)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
