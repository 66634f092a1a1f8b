"""Rigid registration: exact copies, other samplings, parts, reflections, and degenerate clouds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtransfer.core.descriptors import Surface, describe, thinned, voxel_size
from gwtransfer.core.motions import APART
from gwtransfer.core.rigid import Registration, register
from gwtransfer.errors import DataError, ShapeError

from .strategies import seeds, stiefel

EXACT = 1e-9


def shape(rng, count):
    """Sample a bent and dented sheet with a knob, which has no symmetry."""
    u, v = rng.uniform(-2, 2, (2, count))
    sheet = np.stack([u, v, 0.5 * np.sin(2 * u) + 0.3 * v**2 + 0.2 * u * v], axis=1)
    knob = rng.normal(size=(count // 5, 3))
    knob = 0.5 * knob / np.linalg.norm(knob, axis=1, keepdims=True) + [1.2, -0.8, 1.0]
    return np.concatenate([sheet, knob])


def motion(rng, *, reflected=False):
    """Return a 4×4 matrix of a random rotation, or reflection, and a shift."""
    turn = stiefel(rng, 3, 3)
    turn *= np.sign(np.linalg.det(turn)) * (-1 if reflected else 1)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, 5 * rng.standard_normal(3)
    return matrix


def under(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def degrees(one, other):
    cosine = (np.trace(one[:3, :3] @ other[:3, :3].T) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def is_proper(matrix):
    turn = matrix[:3, :3]
    assert np.abs(turn @ turn.T - np.eye(3)).max() < 1e-12
    assert np.array_equal(matrix[3], [0, 0, 0, 1])
    return np.linalg.det(turn) > 0


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_a_moved_and_permuted_copy(unit):
    """The motion of the same points in another order is found to rounding, whatever the unit."""
    rng = np.random.default_rng(0)
    points, truth = shape(rng, 4000), motion(rng)
    copy = under(truth, points)[rng.permutation(len(points))]
    truth[:3, 3] *= unit
    found = register(points * unit, copy * unit, seed=0)
    assert np.abs(under(found.matrix, points * unit) - under(truth, points * unit)).max() < (
        EXACT * unit
    )
    assert found.share == 1
    assert 0 <= found.rms < EXACT * unit


def test_far_from_the_origin():
    """Map coordinates of millions lose no more than their own rounding."""
    rng = np.random.default_rng(1)
    points, truth = shape(rng, 2000) + np.array([5e5, 4e6, 100]), motion(rng)
    found = register(points, under(truth, points), seed=0)
    assert np.abs(under(found.matrix, points) - under(truth, points)).max() < 1e-7


@settings(max_examples=4, deadline=None)
@given(seeds, st.booleans())
def test_another_sampling(seed, larger):
    """Two samplings without a common point, one four times denser, register within a degree."""
    rng = np.random.default_rng(seed)
    counts = (6000, 1500) if larger else (1500, 6000)
    truth = motion(rng)
    source, target = shape(rng, counts[0]), under(truth, shape(rng, counts[1]))
    found = register(source, target, seed=0)
    assert degrees(found.matrix, truth) < 1
    assert found.share > 0.9


def test_noise_and_strays():
    """Noise of a hundredth of the radius and a fifth of stray points do not mislead."""
    rng = np.random.default_rng(2)
    truth = motion(rng)
    sides = []
    for _ in range(2):
        points = shape(rng, 4000)
        points += rng.normal(scale=0.015, size=points.shape)
        sides.append(np.concatenate([points, rng.uniform(-4, 4, (len(points) // 5, 3))]))
    found = register(sides[0], under(truth, sides[1]), seed=0)
    assert degrees(found.matrix, truth) < 1
    assert 0.75 < found.share < 0.95


def test_partial_overlap():
    """Two parts that share half of the shape register, and the share tells how much."""
    rng = np.random.default_rng(3)
    truth = motion(rng)
    source, target = shape(rng, 4000), shape(rng, 4000)
    source, target = source[source[:, 0] < 0.6], target[target[:, 0] > -0.9]
    found = register(source, under(truth, target), seed=0)
    assert degrees(found.matrix, truth) < 1
    shared, within_reach = ((source[:, 0] > edge).mean() for edge in (-0.9, -0.9 - found.reach))
    assert shared - 0.02 < found.share < within_reach + 0.02


def test_a_part_of_a_whole():
    """A piece finds its place in the whole, and the whole its place on the piece."""
    rng = np.random.default_rng(4)
    truth = motion(rng)
    whole, piece = shape(rng, 6000), shape(rng, 6000)
    piece = piece[(piece[:, 0] > 0) & (piece[:, 1] < 0.5)]
    found = register(piece, under(truth, whole), seed=0)
    assert degrees(found.matrix, truth) < 2
    back = register(under(truth, whole), piece, seed=0)
    assert degrees(back.matrix, np.linalg.inv(truth)) < 2
    assert back.share < found.share


def test_reflections():
    """A mirrored copy is never reached by a reflection unless one is allowed, and then exactly."""
    rng = np.random.default_rng(5)
    points, truth = shape(rng, 3000), motion(rng, reflected=True)
    copy = under(truth, points)
    proper = register(points, copy, seed=0)
    assert is_proper(proper.matrix)
    assert is_proper(proper.runner_up)
    reflected = register(points, copy, seed=0, rotation="any")
    assert not is_proper(reflected.matrix)
    assert np.abs(under(reflected.matrix, points) - copy).max() < EXACT
    assert proper.score < reflected.score


def test_a_reflection_that_gains_nothing():
    """A plane figure, its own mirror image, is turned and not reflected."""
    rng = np.random.default_rng(6)
    points = np.concatenate([rng.uniform(0, 1, (3000, 2)), np.zeros((3000, 1))], axis=1)
    points = points[(points[:, 0] < 0.3) | (points[:, 1] < 0.5)]
    truth = motion(rng)
    for rotation in ("proper", "any"):
        found = register(points, under(truth, points), seed=0, rotation=rotation)
        assert is_proper(found.matrix)
        assert np.abs(under(found.matrix, points) - under(truth, points)).max() < EXACT


@pytest.mark.parametrize("count", [2, 3, 5, 40, 400])
def test_a_line(count):
    """Points on a line are laid on one another exactly, though the turn about it is free."""
    rng = np.random.default_rng(count)
    points = rng.uniform(size=(count, 1)) ** 2 * [1.0, 2.0, 3.0]
    found = register(points, under(motion(rng), points), seed=0)
    assert is_proper(found.matrix)
    assert found.share == 1
    assert 0 <= found.rms < EXACT


@pytest.mark.parametrize("count", [3, 4, 10, 100])
def test_few_points(count):
    """A handful of points in general position fixes the motion."""
    rng = np.random.default_rng(count)
    points, truth = rng.standard_normal((count, 3)), motion(rng)
    found = register(points, under(truth, points), seed=0)
    assert np.abs(under(found.matrix, points) - under(truth, points)).max() < EXACT


def test_repeated_points():
    """A point given many times counts as one."""
    rng = np.random.default_rng(7)
    points, truth = np.repeat(rng.standard_normal((40, 3)), 9, axis=0), motion(rng)
    found = register(points, under(truth, points), seed=0)
    assert np.abs(under(found.matrix, points) - under(truth, points)).max() < EXACT


def test_one_place():
    """A side that is a single place is only shifted onto another such, and refused otherwise."""
    found = register(np.ones((7, 3)), np.full((1, 3), 3.0), seed=0)
    assert np.array_equal(found.matrix[:3], np.c_[np.eye(3), [2, 2, 2]])
    assert (found.score, found.rms, found.runner_up) == (1, 0, None)
    with pytest.raises(DataError, match="target: expected two distinct points or more, got one"):
        register(np.eye(3), np.ones((7, 3)), seed=0)


def test_the_runner_up():
    """A ball without marks is as good any way round; a shape without symmetry is not."""
    rng = np.random.default_rng(8)
    ball = rng.normal(size=(3000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    ambiguous = register(ball[:1500], ball[1500:], seed=0)
    assert 0.95 * ambiguous.score < ambiguous.runner_up_score <= ambiguous.score
    clear = register(shape(rng, 3000), shape(rng, 3000), seed=0)
    assert 0 <= clear.runner_up_score < 0.5 * clear.score
    for found in (ambiguous, clear):
        assert degrees(found.matrix, found.runner_up) > 0.9 * APART


def test_the_same_every_time():
    """Equal clouds and seeds give equal bytes, and nothing given is changed."""
    rng = np.random.default_rng(9)
    source, target = shape(rng, 25_000), under(motion(rng), shape(rng, 2000))
    kept = source.copy(), target.copy()
    one, other = (register(source, target, seed=3) for _ in range(2))
    assert isinstance(one, Registration)
    assert one.matrix.tobytes() == other.matrix.tobytes()
    assert one.runner_up.tobytes() == other.runner_up.tobytes()
    assert (one.score, one.share, one.rms, one.reach) == (
        other.score,
        other.share,
        other.rms,
        other.reach,
    )
    assert np.array_equal(source, kept[0])
    assert np.array_equal(target, kept[1])


@pytest.mark.parametrize(
    ("points", "error", "words"),
    [
        (np.zeros((4, 2)), ShapeError, r"source: expected points of shape \(n, 3\), got \(4, 2\)"),
        (np.zeros((0, 3)), DataError, "source: expected at least one point, got none"),
        (np.full((4, 3), np.nan), DataError, "source: expected finite coordinates, got 4 points"),
    ],
)
def test_refusals(points, error, words):
    """What is no cloud is refused in one line."""
    with pytest.raises(error, match=words):
        register(points, np.eye(3), seed=0)


@pytest.mark.parametrize("count", [100, 800])
def test_voxels(count):
    """Voxels of the size for a count leave about so many points, none outside the cloud's box."""
    points = shape(np.random.default_rng(10), 5000)
    found = thinned(points, voxel_size(points, count))
    assert 0.8 * count <= len(found) <= count
    assert (found.min(axis=0) >= points.min(axis=0)).all()
    assert (found.max(axis=0) <= points.max(axis=0)).all()


def test_descriptors_ignore_motions():
    """A place is described alike wherever its cloud lies."""
    rng = np.random.default_rng(11)
    points, truth = shape(rng, 700), motion(rng)
    here, there = (
        Surface.of(side, 0.0, np.random.default_rng(0)) for side in (points, under(truth, points))
    )
    nearest = there.tree.query(under(truth, here.points))[1]
    assert np.abs(describe(here, 0.8) - describe(there, 0.8)[nearest]).max() < 1e-6
