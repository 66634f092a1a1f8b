"""Point matches: nearest rows, growing dimension, and how neighbourhoods are carried."""

from itertools import product

import numpy as np
import pytest
from scipy.spatial import cKDTree

from gwtransfer.core.correspondence import (
    Fixed,
    Samples,
    Side,
    grow,
    handedness,
    nearest_few,
    patches,
)

from .strategies import stiefel

POINTS, FUNCTIONS = 150, 12


def sphere(count, rng):
    """Return points of the unit sphere, which are their own normals."""
    points = rng.normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def a_side(rng):
    """Return a side with smooth functions of place, orthonormal for uneven masses."""
    points = sphere(POINTS, rng) * [1.3, 1.0, 0.8]
    mass = rng.uniform(0.5, 1.5, len(points))
    mass /= mass.sum()
    points = points - mass @ points
    x, y, z = points.T
    powers = sorted(product(range(4), repeat=3), key=sum)[: FUNCTIONS + 1]
    root = np.sqrt(mass)[:, None]
    functions = np.linalg.qr(root * np.stack([x**i * y**j * z**k for i, j, k in powers], -1))[0]
    return Side(functions=functions[:, 1:] / root, positions=points, mass=mass, normals=None)


def shuffled(side, rng):
    """Return an isometric copy: reordered, turned, in other functions of the same span."""
    order = rng.permutation(POINTS)
    turn = stiefel(rng, 3, 3)
    mixed = side.functions @ stiefel(rng, FUNCTIONS, FUNCTIONS)
    copy = Side(
        functions=mixed[order],
        positions=(side.positions @ turn)[order],
        mass=side.mass[order],
        normals=None,
    )
    return copy, np.argsort(order)


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("block", [10, 4_000_000])
def test_the_nearest_rows_are_those_of_a_tree(count, block, monkeypatch):
    """Nearest rows and squared distances equal a k-d tree's, however many fit a block."""
    monkeypatch.setattr("gwtransfer.core.correspondence.BLOCK", block)
    rng = np.random.default_rng(0)
    points, among = rng.normal(size=(83, 15)), rng.normal(size=(61, 15))
    apart, index = cKDTree(among).query(points, [*range(1, count + 1)])
    found, squares = nearest_few(points, among, count)
    np.testing.assert_array_equal(found, index)
    np.testing.assert_allclose(squares, apart**2, rtol=1e-12)


def test_the_mass_of_every_point_goes_to_its_nearest_sample():
    """Samples carry all the mass; when every point is one, each carries its own."""
    rng = np.random.default_rng(1)
    side = a_side(rng)
    all_of_them = Samples.of(side, np.arange(POINTS))
    np.testing.assert_allclose(all_of_them.mass, side.mass, rtol=1e-12)
    few = Samples.of(side, np.array([3, 90]))
    nearer = np.linalg.norm(side.positions - side.positions[3], axis=1) < np.linalg.norm(
        side.positions - side.positions[90], axis=1
    )
    np.testing.assert_allclose(few.mass, [side.mass[nearer].sum(), side.mass[~nearer].sum()])


def test_smoothing_is_a_projection():
    """Positions as functions describe them stay the same when they are smoothed again."""
    side = a_side(np.random.default_rng(2))
    once = side.smooth(2)
    again = Side(functions=side.functions, positions=once, mass=side.mass, normals=None).smooth(2)
    np.testing.assert_allclose(again, once, atol=1e-12)
    assert np.abs(once - side.positions).max() > 1e-3


@pytest.mark.parametrize("carry", [False, True])
def test_an_isometry_is_completed_from_a_start_that_is_half_wrong(carry):
    """From a start of which 40 % is arbitrary, every point of an isometric copy is found."""
    rng = np.random.default_rng(3)
    side = a_side(rng)
    copy, truth = shuffled(side, rng)
    wrong = rng.random(POINTS) < 0.4
    start = np.where(wrong, rng.integers(0, POINTS, POINTS), truth)
    samples = Samples.of(side, np.arange(POINTS))
    found = grow(
        side, copy, start, [FUNCTIONS] * 10,
        samples=samples, candidates=np.arange(POINTS), carry=carry,
    )  # fmt: skip
    np.testing.assert_array_equal(found.target, truth)
    assert abs(found.score - 1) < 1e-9
    np.testing.assert_allclose(found.embedding @ found.embedding.T, np.eye(FUNCTIONS), atol=1e-9)
    left, right = found.coordinates(side, copy)
    np.testing.assert_allclose(left[:, :FUNCTIONS], right[truth][:, :FUNCTIONS], atol=1e-9)
    np.testing.assert_array_equal(nearest_few(left, right, 1)[0][:, 0], truth)


def test_known_matches_make_up_for_a_start_that_says_nothing():
    """Where all samples start at one point, more pairs than functions find the isometry."""
    rng = np.random.default_rng(4)
    side = a_side(rng)
    copy, truth = shuffled(side, rng)
    known = rng.choice(POINTS, 2 * FUNCTIONS, replace=False)
    samples, nowhere = Samples.of(side, np.arange(POINTS)), np.zeros(POINTS, dtype=np.intp)
    pairs = Fixed(source=known, target=truth[known])
    rounds = [FUNCTIONS] * 15

    def share(fixed):
        found = grow(
            side, copy, nowhere, rounds,
            samples=samples, candidates=np.arange(POINTS), fixed=fixed,
        )  # fmt: skip
        return (found.target == truth).mean()

    assert share(pairs) == 1
    assert share(None) < 0.5


def carried(matrix, *, normals=True, count=400):
    """Return how a linear image of an ellipsoid's points treats their neighbourhoods."""
    rng = np.random.default_rng(5)
    points = sphere(count, rng) * [1.5, 1.0, 0.7]
    outside = points / [1.5**2, 1.0, 0.7**2]
    image = np.linalg.det(matrix) * outside @ np.linalg.inv(matrix)
    image *= np.sign(np.linalg.det(matrix))  # outward again after a reflection
    sides = [
        Side(
            functions=np.zeros((count, 1)),
            positions=places,
            mass=np.full(count, 1 / count),
            normals=across / np.linalg.norm(across, axis=1, keepdims=True) if normals else None,
        )
        for places, across in ((points, outside), (points @ matrix.T, image))
    ]
    every = np.arange(count)
    return *patches(*sides, every, every), handedness(*sides, every, every)


def turn(*, proper):
    matrix = stiefel(np.random.default_rng(6), 3, 3)
    return matrix * np.sign(np.linalg.det(matrix)) * (1 if proper else -1)


def test_a_rotation_carries_every_neighbourhood_rigidly_and_upright():
    """Under a rotation both figures are 1, with normals; without, nobody can tell upright."""
    rigid, upright, sign = carried(turn(proper=True))
    assert abs(rigid - 1) < 1e-9
    assert (upright, sign) == (1, 1)
    rigid, upright, sign = carried(turn(proper=True), normals=False)
    assert abs(rigid - 1) < 1e-9
    assert np.isnan(upright)


def test_a_reflection_turns_every_neighbourhood_inside_out():
    """Under a reflection no patch keeps its outside, and the whole changes hands."""
    _, upright, sign = carried(turn(proper=False))
    assert (upright, sign) == (-1, -1)
    _, upright, sign = carried(turn(proper=False), normals=False)
    assert np.isnan(upright)
    assert sign == -1


@pytest.mark.parametrize("normals", [False, True])
@pytest.mark.parametrize("factor", [0.25, 2.0])
def test_stretching_costs_rigidity(factor, normals):
    """A patch s times as large is rigid by min(s, 1/s)."""
    rigid, _, _ = carried(factor * turn(proper=True), normals=normals)
    assert abs(rigid - min(factor, 1 / factor)) < 1e-9


def test_a_torn_match_is_not_rigid():
    """An arbitrary match of the same points carries hardly any neighbourhood."""
    rng = np.random.default_rng(7)
    points = sphere(400, rng)
    side = Side(functions=points, positions=points, mass=np.full(400, 1 / 400), normals=points)
    rigid, upright = patches(side, side, np.arange(400), rng.permutation(400))
    assert rigid < 0.3
    assert abs(upright) < 0.2
