"""What Open3D does for us: checked, silent, seeded, and the same every time."""

import sys

import numpy as np
import pytest

from gwtransfer.adapters import open3d
from gwtransfer.errors import DataError, PluginError, ReadError, ShapeError

RNG = np.random.default_rng(0)
POINTS = RNG.random((500, 3)) * [3, 2, 1]


@pytest.fixture(autouse=True)
def silence(capfd):
    """Nothing may reach stdout or stderr, not even from C code."""
    yield
    assert capfd.readouterr() == ("", "")


def motion(angle=0.2):
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    matrix[:3] = [[c, -s, 0, 0.05], [s, c, 0, -0.02], [0, 0, 1, 0.03]]
    return matrix


def moved(points, matrix):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


@pytest.mark.parametrize("mirror", [False, True])
def test_icp_finds_the_motion_of_a_copy(mirror):
    """A copy that is moved a little is brought back exactly, from a reflection too."""
    start = np.diag([-1.0, 1, 1, 1]) if mirror else np.eye(4)
    source = moved(POINTS, start)
    found, share, rms = open3d.icp(source, moved(POINTS, motion(0.05)), start, 0.3)
    np.testing.assert_allclose(found, motion(0.05) @ start, atol=1e-12)
    assert share == 1
    assert rms < 1e-12


def test_icp_ends_where_no_pair_would_move_it():
    """With noise, the result is a rest: refined again it stays, and it repeats."""
    target = moved(POINTS, motion(0.05)) + 0.01 * RNG.standard_normal(POINTS.shape)
    runs = [open3d.icp(POINTS, target, np.eye(4), 0.2) for _ in range(3)]
    assert len({run[0].tobytes() for run in runs}) == 1
    found, share, rms = runs[0]
    again = open3d.icp(POINTS, target, found, 0.2)
    np.testing.assert_allclose(again[0], found, atol=1e-6)
    assert share == 1
    assert 0.8 * np.sqrt(3) * 0.01 < rms < 1.1 * np.sqrt(3) * 0.01
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-12)


def test_icp_counts_the_points_within_reach():
    """Half of a shape with a partner is a share of one half; with none the start remains."""
    half = np.vstack([POINTS[:250], POINTS[:250] + 100])
    found, share, rms = open3d.icp(half, POINTS, np.eye(4), 0.01)
    np.testing.assert_allclose(found, np.eye(4), atol=1e-12)
    assert share == 0.5
    assert rms < 1e-12
    found, share, rms = open3d.icp(POINTS, POINTS + 100, motion(), 0.01)
    np.testing.assert_array_equal(found, motion())
    assert (share, rms) == (0, np.inf)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: open3d.icp(POINTS, POINTS, 2 * np.eye(4), 1.0), "without scale or shear"),
        (lambda: open3d.icp(POINTS, POINTS, np.eye(3), 1.0), r"finite \(4, 4\) motion"),
        (lambda: open3d.icp(POINTS * np.nan, POINTS, np.eye(4), 1.0), "finite points"),
        (lambda: open3d.icp(np.empty((0, 3)), POINTS, np.eye(4), 1.0), "n > 0"),
        (lambda: open3d.poisson(POINTS, [[0, 1, 500]], 5, 0), "points 0 … 499"),
        (lambda: open3d.poisson(POINTS, [[0, 1, -1]], 5, 0), "points 0 … 499"),
        (lambda: open3d.voxel(POINTS[:, :2], 1.0), r"\(n, 3\) points"),
    ],
)
def test_what_makes_no_sense_is_refused_before_open3d_sees_it(change, words):
    """Shapes, indices and values that Open3D would take foreign memory for."""
    with pytest.raises(ShapeError, match=words):
        change()


def test_open3d_errors_are_one_plain_line():
    """No colours of a terminal, no names of its source files."""
    for call in (lambda: open3d.voxel(POINTS, 1e-12), lambda: open3d.farthest(POINTS, 501)):
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value).startswith("Open3D refuses: ")
        assert not {"\n", "\x1b", ".cpp"} & set(str(caught.value))
        assert "cpp" not in str(caught.value)


def test_voxels_hold_the_means_of_their_points():
    """Cubes larger than the shape hold its mean; small ones all points, in order."""
    np.testing.assert_allclose(open3d.voxel(POINTS, 100), POINTS.mean(axis=0)[None], atol=1e-12)
    small = open3d.voxel(POINTS, 1e-4)
    np.testing.assert_allclose(small, POINTS[np.lexsort(POINTS.T[::-1])], atol=1e-12)
    np.testing.assert_array_equal(small, open3d.voxel(POINTS[::-1], 1e-4))


def test_farthest_points_cover_the_shape():
    """No point is farther from the chosen than these are from one another."""
    chosen = open3d.farthest(POINTS, 40)
    assert len(chosen) == 40
    assert chosen[0] == 0
    assert (np.diff(chosen) > 0).all()
    apart = np.linalg.norm(POINTS[:, None] - POINTS[chosen], axis=-1)
    between = apart[chosen] + np.where(np.eye(40), np.inf, 0)
    assert between.min() >= apart.min(axis=1).max()
    same = np.vstack([np.zeros((5, 3)), np.ones((5, 3))])
    assert open3d.farthest(same, 4).tolist() == [0, 5]


def test_poisson_points_lie_on_the_surface_and_apart():
    """On a square of side 1, 200 points keep at least half of the densest packing's distance."""
    square = [[0, 0, 2], [1, 0, 2], [1, 1, 2], [0, 1, 2]]
    one, two = (open3d.poisson(square, [[0, 1, 2], [0, 2, 3]], 200, 7) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (200, 3)
    np.testing.assert_allclose(one[:, 2], 2)
    assert (one[:, :2] >= 0).all()
    assert (one[:, :2] <= 1).all()
    apart = np.linalg.norm(one[:, None] - one, axis=-1) + np.where(np.eye(200), np.inf, 0)
    assert apart.min() > 0.5 * np.sqrt(2 / np.sqrt(3) / 200)
    assert not np.array_equal(one, open3d.poisson(square, [[0, 1, 2], [0, 2, 3]], 200, 8))


def test_another_number_of_points_than_promised_is_refused(tmp_path):
    """Open3D returns an empty cloud for what it cannot read."""
    (tmp_path / "a.pcd").write_bytes(b"junk")
    with pytest.raises(ReadError, match="expected 5 points as its header says, could read 0"):
        open3d.read_pcd(tmp_path / "a.pcd", points=5)


def test_a_missing_library_of_the_system_is_named(tmp_path, monkeypatch):
    """When the wheel is there and cannot start, the packages to install are said."""
    monkeypatch.delitem(sys.modules, "open3d", raising=False)
    (tmp_path / "open3d.py").write_text(
        "raise ImportError('libusb-1.0.so.0: cannot open shared object file')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match=r"libusb-1\.0\.so\.0.*libx11-6 libgl1 libgomp1 libudev1"):
        open3d.voxel(POINTS, 1.0)
