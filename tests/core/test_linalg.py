"""Roots, pseudo-inverses, polar factors and random isometries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer.core.linalg import (
    eigenbasis,
    polar,
    random_stiefel,
    sign_choices,
    symmetric_root,
)

from .strategies import ROUNDING, SINGULAR, covariances, orthogonal, seeds, stiefel


@given(st.integers(1, 5).flatmap(covariances))
def test_a_root_squared_is_the_matrix(matrix):
    """S^½ S^½ = S, and S^½ is symmetric PSD."""
    half = symmetric_root(matrix)
    np.testing.assert_allclose(half @ half, matrix, atol=ROUNDING * 4)
    np.testing.assert_allclose(half, half.T, atol=ROUNDING * 4)
    assert np.linalg.eigvalsh(half).min() >= -ROUNDING


def test_a_root_can_drop_what_is_rounding():
    """Eigenvalues below the given share of the largest count as zero."""
    root = symmetric_root(np.diag([4.0, 1e-9, 1e-11, -1e-18]), 1e-10)
    np.testing.assert_allclose(root, np.diag([2, np.sqrt(1e-9), 0, 0]), rtol=ROUNDING)


@given(seeds, st.sampled_from([(3, 3), (4, 2), (5, 1)]))
def test_polar_is_the_nearest_with_orthonormal_columns(seed, shape):
    """⟨A, polar A⟩ is the nuclear norm, the most any ⟨A, P⟩ reaches."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal(shape)
    nearest = polar(matrix)
    np.testing.assert_allclose(nearest.T @ nearest, np.eye(shape[1]), atol=ROUNDING)
    reached = (matrix * nearest).sum()
    assert reached == pytest.approx(np.linalg.norm(matrix, "nuc"), rel=ROUNDING)
    for _ in range(20):
        assert (matrix * stiefel(rng, *shape)).sum() <= reached + ROUNDING


@given(seeds)
def test_a_proper_polar_is_the_nearest_rotation(seed):
    """det = +1, and ⟨A, R⟩ = Σ s − 2 s_n when polar(A) reflects: no rotation has more."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3, 3))
    rotation = polar(matrix, proper=True)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=ROUNDING)
    values = np.linalg.svd(matrix, compute_uv=False)
    expected = values.sum() - (2 * values[-1] if np.linalg.det(matrix) < 0 else 0)
    assert (matrix * rotation).sum() == pytest.approx(expected, abs=ROUNDING * 10)
    for _ in range(20):
        other = stiefel(rng, 3, 3)
        other *= np.sign(np.linalg.det(other))
        assert (matrix * other).sum() <= expected + ROUNDING * 10


def test_polar_works_on_stacks():
    """A stack of matrices gives the stack of their factors, each with its own sign."""
    stack = np.random.default_rng(0).standard_normal((7, 3, 3))
    np.testing.assert_allclose(
        polar(stack, proper=True), [polar(one, proper=True) for one in stack], atol=ROUNDING
    )


@given(orthogonal(4))
def test_the_eigenbasis_is_ordered(axes):
    """Eigenvalues come largest first, with their eigenvectors as columns."""
    matrix = (axes * [1.0, 4.0, 0.0, 2.0]) @ axes.T
    values, vectors = eigenbasis(matrix)
    np.testing.assert_allclose(values, [4, 2, 1, 0], atol=SINGULAR)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=ROUNDING * 10)
    assert values.min() >= 0


@pytest.mark.parametrize(
    ("count", "most", "expected"), [(3, 64, 8), (3, 8, 8), (4, 8, 8), (6, 16, 16), (2, 1, 1)]
)
def test_sign_choices_are_all_different(count, most, expected):
    """Every choice of the leading signs occurs once, the first being all +1."""
    signs = sign_choices(count, most)
    assert signs.shape == (expected, count)
    assert set(np.unique(signs)) <= {-1.0, 1.0}
    assert len(np.unique(signs, axis=0)) == expected
    assert (signs[0] == 1).all()


def test_random_isometries_are_uniform():
    """Entries of uniform orthonormal columns have mean 0 and variance 1/m."""
    count, m, n = 20_000, 4, 2
    draws = random_stiefel(np.random.default_rng(5), count, m, n)
    gram = np.swapaxes(draws, 1, 2) @ draws
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(n), gram.shape), atol=ROUNDING)
    error = 5 / np.sqrt(count)  # five standard errors; an entry has deviation 1/2, its square 1/4
    assert np.abs(draws.mean(axis=0)).max() < error / 2
    assert np.abs((draws**2).mean(axis=0) - 1 / m).max() < error / 4
