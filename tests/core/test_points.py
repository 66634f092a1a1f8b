"""EW2 between point clouds, against what is known in closed form."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from gwtransfer.core.points import embed_points

from .strategies import seeds, stiefel


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_points_on_lines(seed):
    """On lines the best coupling sorts either way round: EW2² is the smaller of the two W2²."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 6, 1))
    found = embed_points(x, y, rng=rng, random=4)
    a, b = (np.sort(side[:, 0] - side.mean()) for side in (x, y))
    expected = min(((a - b) ** 2).mean(), ((a + b[::-1]) ** 2).mean())
    assert abs(found.value - expected) < 1e-10 * (1 + expected)


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_every_matching_of_few_points(seed):
    """No matching of five points with five, each with its own best isometry, does better."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 5, 3))
    found = embed_points(x, y, rng=rng, random=60)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    orders = np.array(list(itertools.permutations(range(5))))
    cross = np.einsum("ia,pib->pab", x, y[orders]) / 5
    nuclear = np.linalg.svd(cross, compute_uv=False).sum(axis=1)
    best = ((x**2).sum() + (y**2).sum()) / 5 - 2 * nuclear.max()
    assert found.value > best - 1e-10
    assert abs(found.value - best) < 1e-8


@pytest.mark.parametrize("proper", [False, True])
def test_a_mirrored_copy(proper):
    """A mirrored cloud is at distance zero, unless only rotations are allowed."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((12, 3))
    turn = stiefel(rng, 3, 3)
    turn *= -np.sign(np.linalg.det(turn))
    found = embed_points(points @ turn.T, points, rng=rng, proper=proper)
    assert (np.linalg.det(found.embedding) > 0) == proper
    assert (found.value > 1e-3) == proper
    assert np.abs(found.coupling.sum(axis=0) - 1 / 12).max() < 1e-12
