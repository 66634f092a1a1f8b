"""Wasserstein geometry of Gaussians: costs and optimal linear maps."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.linalg import RELATIVE_ZERO, symmetric_root

Array = NDArray[np.float64]

CROSS_BYTES = 64_000_000
"""Most memory the products of roots may take at once while costs are computed."""

ROUNDING = 1e-13
"""A singular value of a product below this share of the factors' norms is rounding."""


def cross_terms(roots0: Array, roots1: Array) -> Array:
    """Return tr (S0^½ S1 S0^½)^½ for every pair, as nuclear norms |S0^½ S1^½|_*.

    Parameters
    ----------
    roots0 : (K, p, p) array
        Symmetric roots of the first covariances.
    roots1 : (L, p, p) array
        Symmetric roots of the second ones.

    Returns
    -------
    (K, L) array, at least 0
        Real by construction and valid for singular covariances (MATHS 1.2).
    """
    count0, count1, p = len(roots0), len(roots1), roots0.shape[-1]
    result = np.empty((count0, count1))
    step = max(1, CROSS_BYTES // (8 * count1 * p * p))
    for start in range(0, count0, step):
        products = roots0[start : start + step, None] @ roots1[None]
        result[start : start + step] = np.linalg.svd(products, compute_uv=False).sum(axis=-1)
    return result


def squared_distances(x: Array, y: Array) -> Array:
    """Return squared Euclidean distances (n, q) between rows of (n, p) and (q, p), at least 0."""
    if x.shape[1] <= 16 or len(x) * len(y) * x.shape[1] <= 4_000_000:
        return np.asarray(((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=-1))
    norms = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None]
    return np.asarray(np.clip(norms - 2 * (x @ y.T), 0.0, None))


def squared_w2(means0: Array, covariances0: Array, means1: Array, covariances1: Array) -> Array:
    """Return W2² between every Gaussian of one list and every one of another (MATHS 1.1).

    W2² = |m0 − m1|² + tr S0 + tr S1 − 2 |S0^½ S1^½|_*.

    Parameters
    ----------
    means0, covariances0 : (K, p) and (K, p, p) arrays
    means1, covariances1 : (L, p) and (L, p, p) arrays

    Returns
    -------
    (K, L) array, at least 0
    """
    traces0 = np.trace(covariances0, axis1=-2, axis2=-1)
    traces1 = np.trace(covariances1, axis1=-2, axis2=-1)
    cross = cross_terms(symmetric_root(covariances0), symmetric_root(covariances1))
    bures = traces0[:, None] + traces1[None] - 2 * cross
    return np.asarray(squared_distances(means0, means1) + np.clip(bures, 0.0, None))


def own_squared_w2(means: Array, covariances: Array) -> Array:
    """Return W2² between the components of one mixture: symmetric, zero diagonal, (K, K)."""
    costs = squared_w2(means, covariances, means, covariances)
    costs = (costs + costs.T) / 2
    np.fill_diagonal(costs, 0.0)
    return costs


def optimal_linear(covariances0: Array, covariances1: Array) -> Array:
    """Return the linear part of the optimal map between pairs of centred Gaussians.

    A = S1^½ V s⁺ Vᵀ S1^½ with S0^½ S1^½ = U s Vᵀ, symmetric PSD (MATHS 1.3). Where S0 is singular
    A x is E[Y|X = x] of an optimal plan, and A S0 A ⪯ S1; S0^{-½} (S0^½ S1 S0^½)^½ S0^{-½} with
    pseudo-inverses is neither.

    Parameters
    ----------
    covariances0, covariances1 : (..., p, p) arrays
        Paired by broadcasting.

    Returns
    -------
    (..., p, p) array
    """
    roots0 = symmetric_root(covariances0, RELATIVE_ZERO)
    roots1 = symmetric_root(covariances1, RELATIVE_ZERO)
    _, values, right = np.linalg.svd(roots0 @ roots1)
    keep = values > ROUNDING * _norms(roots0) * _norms(roots1)
    inverse = np.where(keep, 1.0 / np.sqrt(np.where(keep, values, 1.0)), 0.0)
    factor = (inverse[..., None] * right) @ roots1
    return np.asarray(np.swapaxes(factor, -1, -2) @ factor)


def _norms(matrices: Array) -> Array:
    return np.asarray(np.linalg.norm(matrices, axis=(-2, -1))[..., None])
