"""Nuclear norms and their gradients without singular values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer.core import screening
from gwtransfer.core.linalg import symmetric_root

from .strategies import seeds, stiefel

QUICK = 1e-7
"""What screening promises."""


def spread(rng, count, n, decades):
    """Return symmetric matrices whose eigenvalues span so many decades."""
    values = 10.0 ** (-decades * rng.random((count, n)))
    axes = np.stack([stiefel(rng, n, n) for _ in range(count)])
    return (axes * values[:, None]) @ np.swapaxes(axes, 1, 2)


@given(seeds, st.integers(1, 5), st.sampled_from([0, 2, 4, 6]))
def test_norms_are_sums_of_singular_values(seed, n, decades):
    """In any dimension, far from isotropy too, and where a matrix is singular or zero."""
    rng = np.random.default_rng(seed)
    seen, covariances = (spread(rng, count, n, decades) for count in (7, 5))
    seen[0], covariances[0] = 0.0, 0.0
    axis = rng.standard_normal(n)
    seen[1] = np.outer(axis, axis)
    roots0, roots = symmetric_root(seen), symmetric_root(covariances)
    expected = np.linalg.svd(roots0[:, None] @ roots, compute_uv=False).sum(axis=-1)
    found = screening.nuclear_norms(seen.reshape(1, 7, n, n), covariances, roots)
    slack = (
        QUICK * np.linalg.norm(roots0, axis=(1, 2))[:, None] * np.linalg.norm(roots, axis=(1, 2))
    )
    assert (np.abs(found[0] - expected) <= slack).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_pulls_are_the_norms_derivatives(n):
    """⟨T_k, H⟩ is twice the derivative of Σ_l w_kl |·|_* along any symmetric H."""
    rng = np.random.default_rng(n)
    seen, covariances = spread(rng, 4, n, 1), spread(rng, 5, n, 1)
    couplings = rng.random((1, 4, 5)) * (rng.random((1, 4, 5)) < 0.5)
    couplings[0, :, 0] = 0.1
    roots = symmetric_root(covariances)
    pulled = screening.pulls(couplings, seen[None], covariances, roots)[0]
    along = rng.standard_normal((4, n, n))
    along += np.swapaxes(along, 1, 2)
    step = 1e-5
    ahead, behind = (
        screening.nuclear_norms((seen + sign * step * along)[None], covariances, roots)[0]
        for sign in (1, -1)
    )
    slopes = (couplings[0] * (ahead - behind)).sum(axis=1) / (2 * step)
    np.testing.assert_allclose((pulled * along).sum(axis=(1, 2)) / 2, slopes, rtol=1e-5)


@pytest.mark.parametrize("decades", [0, 2, 4])
def test_pulls_by_invariants_are_those_by_eigenvectors(decades):
    """Three dimensions have a closed form; it is the general one."""
    rng = np.random.default_rng(decades)
    seen, covariances = spread(rng, 30, 3, decades), spread(rng, 30, 3, decades)
    roots = symmetric_root(covariances)
    pulled = screening.pulls(np.eye(30)[None], seen[None], covariances, roots)[0]
    values, vectors = np.linalg.eigh(roots @ seen @ roots)
    inverse = (vectors / np.sqrt(values)[:, None]) @ np.swapaxes(vectors, 1, 2)
    expected = roots @ inverse @ roots
    scale = np.abs(expected).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(pulled / scale, expected / scale, atol=QUICK)


def test_null_directions_pull_nowhere():
    """Where what is seen has no extent, the gradient is that of the directions it has."""
    seen = np.diag([4.0, 1.0, 0.0])
    pulled = screening.pulls(np.ones((1, 1, 1)), seen[None, None], np.eye(3)[None], np.eye(3)[None])
    np.testing.assert_allclose(pulled[0, 0], np.diag([0.5, 1.0, 0.0]), atol=1e-12)
