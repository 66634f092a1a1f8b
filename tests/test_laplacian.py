"""Eigenfunctions of surfaces whose spectra are known, and of what is barely a surface."""

import numpy as np
import pytest
from tests.core import shapes
from tests.core.strategies import stiefel

from gwtransfer.adapters.laplacian import cloud_area, eigenbasis
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError

SPHERE = 4 * np.pi * np.repeat([2.0, 6, 12], [3, 5, 7])
"""l (l + 1) times the area, 2 l + 1 times each."""


def check_orthonormal(basis):
    gram = basis.functions.T @ (basis.mass[:, None] * basis.functions)
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-9)
    np.testing.assert_allclose(np.abs(basis.functions[:, 0]), 1, atol=1e-7)
    assert basis.mass.sum() == pytest.approx(1, rel=1e-12)
    assert basis.mass.min() > 0
    assert abs(basis.values[0]) < 1e-6
    assert (np.diff(basis.values) >= 0).all()


@pytest.mark.parametrize("kind", ["mesh", "soup", "coarse", "cloud"])
def test_a_sphere_has_its_spherical_harmonics(kind):
    """l (l + 1) in the unit of area 1, whatever the size, from triangles and from points alone."""
    points, faces = shapes.sphere(2 if kind == "coarse" else 4)
    points = 7.0 * points + [1.0, 2, 3]
    if kind == "soup":
        points, faces = shapes.soup(points, faces)
    basis = eigenbasis(
        Cloud(name="ball", vertices=points, faces=None if kind == "cloud" else faces), 16
    )
    check_orthonormal(basis)
    tolerance = 0.03 if kind == "coarse" else 0.015
    np.testing.assert_allclose(basis.values[1:], SPHERE, rtol=tolerance)


def test_the_first_functions_of_a_sphere_are_its_coordinates():
    """φ₁ … φ₃ span x, y and z."""
    points, faces = shapes.sphere(4)
    basis = eigenbasis(shapes.mesh(points, faces), 4)
    coefficients, *_ = np.linalg.lstsq(basis.functions[:, 1:], points, rcond=None)
    np.testing.assert_allclose(basis.functions[:, 1:] @ coefficients, points, atol=0.01)


def test_a_rectangle_has_cosines():
    """A free border: π² (m²/a² + n²/b²) a b."""
    width, height = 3.0, 2.0
    basis = eigenbasis(shapes.mesh(*shapes.rectangle(width, height, 3000)), 7)
    steps = np.arange(4)
    expected = np.pi**2 * width * height * np.add.outer((steps / width) ** 2, (steps / height) ** 2)
    np.testing.assert_allclose(basis.values, np.sort(expected.ravel())[:7], rtol=0.01, atol=1e-6)


def test_bending_changes_nothing():
    """A sheet rolled up without stretching keeps values and functions."""
    points, faces = shapes.rectangle(3.0, 1.7, 2000)
    rolled = points.copy()
    rolled[:, 0], rolled[:, 2] = np.sin(points[:, 0]), np.cos(points[:, 0])
    flat, bent = (eigenbasis(shapes.mesh(p, faces), 7) for p in (points, rolled))
    np.testing.assert_allclose(bent.values, flat.values, rtol=1e-2, atol=1e-6)
    one, other = (basis.functions[basis.shape.support] for basis in (flat, bent))
    signs = np.sign((one * other).sum(axis=0))
    np.testing.assert_allclose(other * signs, one, atol=0.1)


@pytest.mark.parametrize("faceless", [False, True])
def test_a_moved_copy_has_the_same_functions(faceless):
    """Turned, moved, scaled: equal up to signs, to rounding, of meshes and of clouds."""
    points, faces = shapes.bumpy()
    faces = None if faceless else faces
    turn = stiefel(np.random.default_rng(1), 3, 3)
    one = eigenbasis(Cloud(name="one", vertices=points, faces=faces), 9)
    moved = 0.3 * points @ turn.T + [4.0, 5, 6]
    other = eigenbasis(Cloud(name="other", vertices=moved, faces=faces), 9)
    np.testing.assert_allclose(other.values, one.values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.abs(other.functions), np.abs(one.functions), atol=1e-8)
    np.testing.assert_allclose(other.mass, one.mass, rtol=1e-8)


def test_the_same_shape_gives_the_same_bytes():
    """Nothing is left to chance."""
    points, faces = shapes.bumpy()
    one, two = (eigenbasis(shapes.mesh(points, faces), 9) for _ in range(2))
    np.testing.assert_array_equal(one.functions, two.functions)


def test_pieces_are_joined_where_they_are_nearest():
    """Two balls apart have one slow function, of opposite signs on them; none has value 0."""
    points, faces = shapes.sphere()
    two = np.concatenate([points, points + np.array([2.5, 0, 0])])
    basis = eigenbasis(shapes.mesh(two, np.concatenate([faces, faces + len(points)])), 5)
    check_orthonormal(basis)
    assert 0.1 < basis.values[1] < 0.5 * basis.values[2]
    right = basis.shape.points[:, 0] > 1.25
    positive = basis.functions[:, 1] > 0
    assert abs((positive == right).mean() - 0.5) > 0.49  # all but points at the bridges


def test_many_scattered_pieces_hang_together():
    """Thirty clusters, each as far from the others as it likes, have one constant function."""
    rng = np.random.default_rng(2)
    centres = rng.random((30, 1, 3))
    cloud = (centres + 0.005 * rng.standard_normal((30, 60, 3))).reshape(-1, 3)
    basis = eigenbasis(Cloud(name="dust", vertices=cloud), 5)
    check_orthonormal(basis)
    assert basis.values[1] > 1e-3


def line(count):
    return np.outer(np.linspace(0, 1, count), [1.0, 2, 3])


@pytest.mark.parametrize(
    ("points", "faces", "words"),
    [
        (
            np.eye(3),
            None,
            r"expected more than 5 distinct points for 4 spectral coordinates, found 3",
        ),
        (np.ones((40, 3)), None, r"expected more than 5 distinct points .*, found 1"),
        (line(100), None, r"expected a surface, found points on one line"),
        (
            line(100),
            np.column_stack([np.arange(98) + i for i in range(3)]),
            r"expected a surface, found (points on one line|faces without area)",
        ),
    ],
)
def test_what_has_no_surface_is_refused(points, faces, words):
    """One line that names the file."""
    with pytest.raises(DataError, match=f"^thin: {words}$"):
        eigenbasis(Cloud(name="thin", vertices=points, faces=faces), 5)


@pytest.mark.parametrize("count", [6, 12, 40])
def test_a_few_points_are_enough(count):
    """As soon as there is one more than asked for, and also when they lie in a plane."""
    for flat in (1.0, 0.0):
        points = np.random.default_rng(3).random((count, 3)) * [1, 1, flat]
        basis = eigenbasis(Cloud(name="few", vertices=points), 5)
        assert basis.functions.shape == (count, 5)
        check_orthonormal(basis)


def test_the_area_of_a_cloud():
    """Points on a sphere of radius 2 span 16 π."""
    points, _ = shapes.sphere(4)
    assert cloud_area(2 * points) == pytest.approx(16 * np.pi, rel=0.02)
