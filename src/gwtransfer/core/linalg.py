"""Batched symmetric roots, polar factors, sign choices and random Stiefel matrices."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RELATIVE_ZERO = 1e-10
"""Eigenvalues of a covariance below this share of the largest count as zero."""


def symmetric_root(matrices: Array, relative: float = 0.0) -> Array:
    """Return the positive semi-definite roots of symmetric PSD matrices (..., p, p).

    Eigenvalues below ``relative`` times the largest of their matrix count as zero.
    """
    values, vectors = np.linalg.eigh(matrices)
    keep = values > relative * np.clip(values[..., -1:], 0.0, None)
    roots = np.sqrt(np.where(keep, values, 0.0))
    return np.asarray((vectors * roots[..., None, :]) @ np.swapaxes(vectors, -1, -2))


def polar(matrices: Array, *, proper: bool = False) -> Array:
    """Return the nearest matrices with orthonormal columns, (..., m, n) with m >= n.

    U Vᵀ of the thin singular value decomposition U s Vᵀ. With ``proper`` (m = n only) the
    nearest rotation: the column of U with the least singular value is flipped where the
    determinant is negative.
    """
    left, _, right = np.linalg.svd(matrices, full_matrices=False)
    if proper and matrices.shape[-2] == matrices.shape[-1]:
        sign = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
        left = left.copy()
        left[..., :, -1] *= sign[..., None]
    return np.asarray(left @ right)


def eigenbasis(matrix: Array) -> tuple[Array, Array]:
    """Return eigenvalues, largest first and at least 0, and eigenvectors as columns."""
    values, vectors = np.linalg.eigh(matrix)
    return np.clip(values[::-1], 0.0, None), vectors[:, ::-1]


def sign_choices(count: int, most: int) -> Array:
    """Return (s, count) rows of ±1: every choice of the first signs, s = min(2^count, most).

    Signs beyond the first log2(most) stay +1. The first row is all +1.
    """
    free = min(count, max(int(most).bit_length() - 1, 0))
    index = np.arange(1 << free)
    signs = np.ones((1 << free, count))
    signs[:, :free] -= 2.0 * ((index[:, None] >> np.arange(free)) & 1)
    return signs


def random_stiefel(rng: np.random.Generator, count: int, m: int, n: int) -> Array:
    """Draw (count, m, n) matrices uniformly among those with orthonormal columns."""
    gaussian = rng.standard_normal((count, m, n))
    q, r = np.linalg.qr(gaussian)
    diagonal = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
    return np.asarray(q * np.where(diagonal == 0, 1.0, diagonal)[..., None, :])
