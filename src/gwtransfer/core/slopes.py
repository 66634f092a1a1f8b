"""How steep a mean map is at each point: its Jacobian in closed form, and the norm of that."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import kernels
from gwtransfer.core.densities import with_ones
from gwtransfer.core.maps import MeanMap

Array = NDArray[np.float64]

BLOCK_VALUES = 524_288
"""Doubles held at once for a block of points."""

LEAST_BLOCK = 64
"""Points in a block at least, so that its products are products."""


def jacobians(mapping: MeanMap, points: Array) -> Array:
    """Return the Jacobian of T_mean at each point, in working coordinates (MATHS 7.5).

    J = Σ r_k B_k + Σ r_k (y_k − ȳ) s_kᵀ, with y_k = B_k x + c_k, ȳ = Σ r_k y_k and
    s_k = −Σ_k^{-1} (x − m_k). This is the J of MATHS 7.5, since Σ r_k (s_k − Σ r_j s_j) = 0; the
    terms that would cancel there are never formed. Covariances are those the responsibilities are
    computed with, whose least variances have a floor.

    Parameters
    ----------
    points : (N, m) array
        In working coordinates of the source.

    Returns
    -------
    (N, n, m) array
    """
    size = _block_size(mapping)
    starts = range(0, max(len(points), 1), size)
    return np.concatenate([_block(mapping, points[at : at + size]) for at in starts])


def slopes(mapping: MeanMap, points: Array) -> Array:
    """Return |J|, how far T_mean pulls neighbours apart at each point (N, m), as (N,)."""
    size = _block_size(mapping)
    starts = range(0, max(len(points), 1), size)
    return np.concatenate([_norms(_block(mapping, points[at : at + size])) for at in starts])


def _block_size(mapping: MeanMap) -> int:
    count, n, m = mapping.linear.shape
    return int(max(LEAST_BLOCK, BLOCK_VALUES // (count * (n + 2 * m) + 2 * n * m)))


def _block(mapping: MeanMap, points: Array) -> Array:
    densities = mapping.mixture.densities
    count, _, m = mapping.linear.shape
    block = with_ones(points)
    white = np.reshape(densities.whitening @ block, (count, m, len(points)))
    logs = densities.logs - 0.5 * (white**2).sum(axis=1)
    shares, total, _ = kernels.likelihoods(np, logs)
    shares /= total
    roots = np.reshape(densities.whitening, (count, m, m + 1))[:, :, :m]
    scores = -(np.swapaxes(roots, 1, 2) @ white)
    pieces = mapping.linear @ block[:m] + mapping.offset[:, :, None]
    pieces -= (shares[:, None] * pieces).sum(axis=0)
    pieces *= shares[:, None]
    turning = np.einsum("kaN,kbN->Nab", pieces, scores, optimize=True)
    return np.asarray(np.einsum("kN,kab->Nab", shares, mapping.linear, optimize=True) + turning)


def _norms(matrices: Array) -> Array:
    """Return the largest singular value of each matrix (N, n, m)."""
    return np.asarray(np.linalg.norm(matrices, ord=2, axis=(1, 2)))
