"""What stands for a shape's surface, and points on it."""

import numpy as np
import pytest
from tests.core import shapes
from tests.core.strategies import ROUNDING, stiefel

from gwtransfer.core.surface import (
    COARSE,
    CROWD,
    LARGE,
    LONG,
    SUPPORT,
    apart,
    areas,
    distinct,
    evenly,
    places,
    represent,
    scattered,
    spread,
    welded,
)
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError


def area(points, faces):
    return areas(points, faces).sum()


def longest_edge(points, faces):
    corners = points[faces]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()


def test_a_fine_mesh_stands_for_itself():
    """Points, faces and numbering of a mesh in one piece are those of the file."""
    points, faces = shapes.sphere()
    shape = represent(shapes.mesh(points, faces))
    np.testing.assert_array_equal(shape.points, points)
    np.testing.assert_array_equal(shape.faces, faces)
    np.testing.assert_array_equal(shape.support, np.arange(len(points)))


def test_a_soup_of_touching_triangles_is_the_mesh_they_make():
    """Corners at one place, and nearly at one, are one point."""
    points, faces = shapes.sphere()
    loose, triangles = shapes.soup(points, faces)
    loose = loose * (1 + 1e-12 * np.random.default_rng(0).standard_normal((len(loose), 1)))
    shape = represent(shapes.mesh(loose, triangles))
    assert len(shape.points) == len(points)
    assert area(shape.points, shape.faces) == pytest.approx(area(points, faces), rel=ROUNDING)
    np.testing.assert_allclose(shape.points[shape.support], loose, atol=1e-9)


def test_a_coarse_mesh_is_made_finer_where_it_lies():
    """A box of twelve triangles keeps its area and its corners, and gets short edges."""
    corners = np.array([[x, y, z] for x in (0.0, 1) for y in (0, 2) for z in (0, 3)])
    from scipy.spatial import ConvexHull

    faces = ConvexHull(corners).simplices.astype(np.int64)
    shape = represent(shapes.mesh(corners, faces))
    assert area(shape.points, shape.faces) == pytest.approx(22, rel=ROUNDING)
    assert longest_edge(shape.points, shape.faces) <= LONG * 22**0.5
    np.testing.assert_array_equal(shape.points[shape.support], corners)
    _, counts = np.unique(
        np.sort(shape.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1),
        axis=0,
        return_counts=True,
    )
    assert set(counts) == {2}


def test_a_large_mesh_is_made_coarser_along_its_surface():
    """Two leaves that nearly touch, joined on one side, stay apart: no triangle spans the gap."""
    points, faces = shapes.rectangle(2.0, 1.0, LARGE + 2_000)
    bent = points.copy()
    bent[:, 2] = np.where(points[:, 0] > 1, 0.002, 0.0)
    bent[:, 0] = np.minimum(points[:, 0], 2 - points[:, 0])
    shape = represent(shapes.mesh(bent, faces))
    assert len(shape.points) <= COARSE < LARGE < len(points)
    assert area(shape.points, shape.faces) == pytest.approx(2, rel=0.02)
    heights = shape.points[shape.faces][..., 2]
    spanning = np.ptp(heights, axis=1) > 0
    assert (shape.points[shape.faces[spanning]][..., 0] > 0.95).all()


def test_loose_parts_do_not_disturb():
    """Vertices no face uses, tiny parts, repeated and collapsed faces change nothing."""
    points, faces = shapes.sphere()
    count = len(points)
    more = np.concatenate([points, 0.02 * points + [1.0, 0, 0], [[9.0, 9, 9]]])
    broken = np.array([[0, 0, 1], [5, 5, 5]])
    all_faces = np.concatenate([faces, faces[:7, [1, 2, 0]], broken, faces + count])
    shape = represent(shapes.mesh(more, all_faces))
    np.testing.assert_array_equal(shape.points, points)
    np.testing.assert_array_equal(shape.faces, faces)
    assert (shape.support[:count] == np.arange(count)).all()
    assert (points[shape.support[count:-1]] @ [1.0, 0, 0] > 0.9).all()


def test_pieces_become_points_on_their_surfaces():
    """Two spheres have no triangles in common; points lie evenly on both."""
    points, faces = shapes.sphere()
    two = np.concatenate([points, points + np.array([3.0, 0, 0])])
    shape = represent(shapes.mesh(two, np.concatenate([faces, faces + len(points)])))
    assert shape.faces is None
    assert shape.normals is None
    assert 0.85 * SUPPORT < len(shape.points) < 1.15 * SUPPORT
    left = shape.points[:, 0] < 1.5
    assert left.mean() == pytest.approx(0.5, abs=0.03)
    radii = np.linalg.norm(shape.points - np.where(left[:, None], 0.0, [3.0, 0, 0]), axis=1)
    assert radii.min() > 0.98
    assert radii.max() < 1 + ROUNDING


@pytest.mark.parametrize("count", [50, 2 * SUPPORT, 5 * SUPPORT, 3 * CROWD])
def test_a_cloud_is_thinned_when_it_is_large(count):
    """Few points all stay; of many about SUPPORT do, each of them the cloud's, none far from it."""
    points = np.random.default_rng(1).standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    shape = represent(Cloud(name="cloud", vertices=points))
    if count <= 2 * SUPPORT:
        np.testing.assert_array_equal(shape.points, points)
        return
    assert 0.85 * SUPPORT < len(shape.points) < 1.15 * SUPPORT
    gaps = np.linalg.norm(points - shape.points[shape.support], axis=1)
    assert gaps.max() < 5 * (4 * np.pi / SUPPORT) ** 0.5
    assert {tuple(p) for p in shape.points} <= {tuple(p) for p in points}


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_moved_copy_is_represented_by_the_moved_points(pieces):
    """Mesh and pieces alike, to rounding: nothing is chosen by where the file's axes point."""
    points, faces = shapes.bumpy()
    if pieces == 2:
        points = np.concatenate([points, 0.5 * points + [4.0, 0, 0]])
        faces = np.concatenate([faces, faces + len(points) // 2])
    turn = stiefel(np.random.default_rng(2), 3, 3)
    one = represent(shapes.mesh(points, faces))
    other = represent(shapes.mesh(3 * points @ turn.T + [1.0, 2, 3], faces))
    np.testing.assert_allclose(3 * one.points @ turn.T + [1.0, 2, 3], other.points, atol=1e-12)
    np.testing.assert_array_equal(one.support, other.support)


def test_normals_point_outward_whatever_the_winding():
    """Half of the faces turned round, or all: the normals of a sphere are its points."""
    points, faces = shapes.sphere()
    chosen = np.random.default_rng(3).random(len(faces)) < 0.5
    for turned in (chosen, ~np.zeros_like(chosen)):
        wound = np.where(turned[:, None], faces[:, ::-1], faces)
        normals = represent(shapes.mesh(points + 5.0, wound)).normals
        assert (normals * points).sum(axis=1).min() > 0.99


def test_the_winding_of_a_sheet_says_its_side():
    """A flat mesh has the side its faces are wound to; a cloud has none."""
    points, faces = shapes.rectangle(1.0, 1.0, 400)
    for wound, side in ((faces, 1.0), (faces[:, ::-1], -1.0)):
        normals = represent(shapes.mesh(points, wound)).normals
        np.testing.assert_allclose(normals, np.tile([0, 0, side], (len(normals), 1)), atol=1e-12)
    assert represent(Cloud(name="cloud", vertices=points)).normals is None


def test_a_surface_needs_area():
    """Triangles on one place are refused by name."""
    with pytest.raises(DataError, match=r"flat: expected a surface, found faces without area"):
        represent(shapes.mesh(np.eye(3), np.array([[0, 1, 1], [2, 2, 2]]), name="flat"))


def test_welding_keeps_the_order():
    """The first of each place stays, in order; collapsed and repeated faces go."""
    points = np.array([[1.0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1e-9, 0]])
    first, place = distinct(points)
    np.testing.assert_array_equal(first, [0, 1, 3])
    np.testing.assert_array_equal(place, [0, 1, 0, 2, 1])
    faces = np.array([[0, 1, 3], [2, 3, 4], [0, 1, 2], [1, 4, 3]])
    kept, corners = welded(points, faces)
    np.testing.assert_array_equal(kept, points[[0, 1, 3]])
    np.testing.assert_array_equal(corners, [[0, 1, 2]])


def test_places_are_uniform_on_the_surface():
    """Drawn points have the centroid and the second moment of a triangle pair, area by area."""
    points = np.array([[0.0, 0, 0], [3, 0, 0], [0, 3, 0], [3, 3, 0]])
    faces = np.array([[0, 1, 2], [1, 3, 2], [0, 1, 1]])
    face, shares = places(points, faces, 20_000, np.random.default_rng(4))
    drawn = np.einsum("nc,ncd->nd", shares, points[faces[face]])
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=ROUNDING)
    np.testing.assert_array_equal(np.bincount(face), [10_000, 10_000])
    np.testing.assert_allclose(drawn.mean(axis=0), [1.5, 1.5, 0], atol=0.03)
    np.testing.assert_allclose(drawn[:, :2].var(axis=0), 0.75, atol=0.03)


def test_even_draws_follow_the_weights():
    """Each item comes as often as its share says, to within two; nothing without weight comes."""
    weights = np.array([0.0, 3, 0, 1, 0.5, 0])
    counts = np.bincount(evenly(weights, 900, np.random.default_rng(5)), minlength=6)
    np.testing.assert_allclose(counts, 900 * weights / 4.5, atol=2)
    assert counts[weights == 0].sum() == 0


def test_scattered_points_stay_when_another_triangle_changes():
    """A triangle's points depend on it alone; their number follows its area."""
    points, faces = shapes.sphere()
    before, chance = scattered(points, faces, 5_000)
    assert len(before) == pytest.approx(5_000, rel=0.02)
    assert len(np.unique(chance)) == len(before)
    moved = points.copy()
    moved[faces[0, 0]] *= 1.0 + 1e-3
    after, _ = scattered(moved, faces, 5_000)
    same = {tuple(p) for p in before} & {tuple(p) for p in after}
    assert len(same) > 0.9 * len(before)


def test_points_apart_cover_the_others():
    """No two chosen points are near, and no other point could join them."""
    points = np.random.default_rng(6).random((500, 3))
    chosen = apart(points, 0.2, np.random.default_rng(7).permutation(500))
    gaps = np.linalg.norm(points[:, None] - points[chosen], axis=2)
    assert (np.sort(gaps[chosen], axis=1)[:, 1] > 0.2).all()
    assert (gaps.min(axis=1) <= 0.2).all()


def test_spread_points_are_each_the_farthest():
    """The next of the chosen lies as far from those before as any point; mirror ties keep order."""
    points = np.random.default_rng(8).random((300, 3))
    chosen = spread(points, 20)
    gaps = np.linalg.norm(points[:, None] - points[chosen], axis=2)
    for number in range(1, 20):
        nearest = gaps[:, :number].min(axis=1)
        assert nearest[chosen[number]] == pytest.approx(nearest.max(), rel=ROUNDING)
    mirrored = np.concatenate([points, points * [-1, 1, 1]])
    turn = stiefel(np.random.default_rng(9), 3, 3)
    np.testing.assert_array_equal(spread(mirrored, 200), spread(mirrored @ turn.T, 200))
