"""Distances along surfaces: known ones, between pieces, and where there is none."""

import numpy as np
import pytest

from gwtransfer.adapters.geodesics import Geodesics
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError


def square(count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Return a square of side one as a grid of triangles in a plane."""
    x, y = np.meshgrid(*2 * [np.linspace(0, 1, count)], indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(count**2)], axis=-1)
    corner = np.arange(count**2).reshape(count, count)
    a, b, c, d = (
        side.ravel()
        for side in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:])
    )
    return vertices, np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])


def ball(count: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Return points spread evenly over the unit sphere, and the faces of their hull."""
    from scipy.spatial import ConvexHull

    height = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - height**2)
    vertices = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)
    return vertices, ConvexHull(vertices).simplices


def shape(vertices: np.ndarray, faces: np.ndarray | None) -> Cloud:
    return Cloud(name="made", vertices=vertices, faces=faces)


@pytest.mark.parametrize("as_cloud", [False, True])
@pytest.mark.parametrize("vertex", [0, 435])
def test_in_a_plane_distances_are_straight(vertex, as_cloud):
    """On a square of area 1, mesh or grid of points, the distance is |x − y|."""
    vertices, faces = square()
    found = Geodesics(shape(vertices, None if as_cloud else faces)).from_vertex(vertex)
    straight = np.linalg.norm(vertices - vertices[vertex], axis=1)
    assert found[vertex] == 0
    assert np.abs(found - straight).max() < 0.04
    assert np.abs(found - straight).mean() < 0.01


@pytest.mark.parametrize("as_cloud", [False, True])
@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e5])
def test_on_a_sphere_distances_are_arcs(unit, as_cloud):
    """On a sphere of any size the distance is the angle over √(4π)."""
    vertices, faces = ball()
    found = Geodesics(shape(unit * vertices, None if as_cloud else faces)).from_vertex(7)
    arcs = np.arccos(np.clip(vertices @ vertices[7], -1, 1)) / np.sqrt(4 * np.pi)
    assert np.abs(found - arcs).max() < 0.05
    assert np.abs(found - arcs).mean() < 0.02


def test_distances_have_the_numbering_of_the_file():
    """Reordering vertices reorders distances; twins and vertices no face uses are answered."""
    vertices, faces = ball(400)
    order = np.random.default_rng(0).permutation(400)
    plain = Geodesics(shape(vertices, faces)).from_vertex(order[3])
    shuffled = np.concatenate([vertices[order], vertices[order[:2]], vertices[order[:1]] * 1.001])
    found = Geodesics(shape(shuffled, np.argsort(order)[faces])).from_vertex(3)
    np.testing.assert_allclose(found[:400], plain[order], atol=1e-6)
    np.testing.assert_allclose(found[400:], plain[order[[0, 1, 0]]], atol=1e-6)


def test_between_pieces_the_distance_is_straight():
    """Of two spheres nothing joins, points of the other one are as far as the line to them."""
    vertices, faces = ball(600)
    both = np.concatenate([vertices, vertices + np.array([6.0, 0.0, 0.0])])
    found = Geodesics(shape(both, np.concatenate([faces, faces + 600]))).from_vertex(0)
    straight = np.linalg.norm(both - both[0], axis=1) / np.sqrt(8 * np.pi)
    np.testing.assert_allclose(found[600:], straight[600:], atol=0.02)
    assert (found[:600] >= straight[:600] - 0.03).all()
    assert abs(found[:600].max() - np.pi / np.sqrt(8 * np.pi)) < 0.05


@pytest.mark.parametrize(
    "vertices",
    [np.zeros((40, 3)), np.linspace(0, 1, 40)[:, None] * [1.0, 2.0, 3.0]],
    ids=["one place", "a line"],
)
def test_without_a_surface_there_is_no_distance(vertices):
    """Points of one place or on a line are refused by name, not by a library's words."""
    with pytest.raises(DataError, match=r"^made: expected a surface to measure along, found"):
        Geodesics(shape(vertices, None))
