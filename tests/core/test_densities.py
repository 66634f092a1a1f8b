"""Densities laid out for products: the textbook's, and what becomes of points far from all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import multivariate_normal

from gwtransfer.core import kernels
from gwtransfer.core.densities import Densities, with_ones

from .strategies import ROUNDING, mixtures, seeds


@given(mixtures(st.integers(1, 4)), seeds)
def test_densities_equal_scipy(mixture, seed):
    """log a_k N(x; m_k, Σ_k) is scipy's, half the Mahalanobis square below its constant."""
    points = 2 * np.random.default_rng(seed).standard_normal((20, mixture.dimension))
    arrays = (mixture.weights, mixture.means, mixture.covariances)
    expected = np.stack(
        [
            np.log(a) + np.atleast_1d(multivariate_normal(m, S).logpdf(points))
            for a, m, S in zip(*arrays, strict=True)
        ],
        axis=1,
    )
    densities = mixture.densities
    logs = kernels.log_densities(np, with_ones(points), *densities.arrays).T
    # condition 10, |x − m|² / least variance up to a few thousand
    np.testing.assert_allclose(logs, expected, atol=1e-9)
    gaps = points[:, None] - mixture.means
    squares = np.einsum("nkp,kpq,nkq->nk", gaps, np.linalg.inv(mixture.covariances), gaps)
    whitened = 2 * (densities.logs.T - logs)
    np.testing.assert_allclose(whitened, squares, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(densities.shares(points), softmax(expected, axis=1), atol=1e-9)


@given(mixtures(st.integers(1, 4), singular=True), seeds)
def test_responsibilities_of_outliers_and_of_flat_components(mixture, seed):
    """They are finite and sum to 1 a million units away, and for components without volume."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((10, mixture.dimension)) * np.repeat([[1.0], [1e6]], 5, axis=0)
    shares = mixture.densities.shares(points)
    assert np.isfinite(shares).all()
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=ROUNDING)


def test_an_outlier_belongs_to_the_widest_component():
    """Far away, the component with the heavier tail takes everything."""
    covariance = np.stack([np.eye(2), 4 * np.eye(2)])
    densities = Densities.of(np.array([0.9, 0.1]), np.zeros((2, 2)), covariance)
    shares = densities.shares(np.array([[1e6, -1e6]]))
    np.testing.assert_array_equal(shares, [[0, 1]])


def test_strange_is_beyond_every_component():
    """A few deviations are familiar, a dozen are not, whatever the component's size."""
    covariance = np.stack([np.eye(2), 0.01 * np.eye(2)])
    means = np.array([[0.0, 0], [100, 0]])
    densities = Densities.of(np.array([0.5, 0.5]), means, covariance)
    points = np.array([[3.0, 0], [12, 0], [100.3, 0], [102, 0]])
    assert densities.strange(points).tolist() == [False, True, False, True]
    assert densities.strange(points[:0]).shape == (0,)
