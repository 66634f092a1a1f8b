"""Embeddings and their costs without singular values: quick, good to 1e-7, for comparing starts.

Everything comes from G_k = Qᵀ Σ_k Q, because |Σ_k^½ Q S_l^½|_* = tr (S_l^½ G_k S_l^½)^½. What a
search returns is computed again by exact singular values.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 8
"""Of the fixed point in ``nuclear_norms``, which gains a factor of nine a round."""

SINGULAR = 1e-12
"""Eigenvalues below this share of the largest pull nowhere."""


def grams(covariances: Array, embeddings: Array) -> tuple[Array, Array]:
    """Return Qᵀ Σ_k (s, K, n, m) and Qᵀ Σ_k Q (s, K, n, n) for (s, m, n) matrices Q."""
    s, m, n = embeddings.shape
    flat = covariances.transpose(1, 0, 2).reshape(m, -1)
    left = (np.swapaxes(embeddings, 1, 2) @ flat).reshape(s, -1, m)
    seen = (left @ embeddings).reshape(s, n, -1, n)
    return left.reshape(s, n, -1, m).swapaxes(1, 2), seen.swapaxes(1, 2)


def nuclear_norms(seen: Array, covariances: Array, roots: Array) -> Array:
    """Return tr (S_l^½ G_k S_l^½)^½ for every G (s, K, n, n) and S (L, n, n), (s, K, L).

    For n <= 3 from the invariants i1, i2, i3 of S_l^½ G_k S_l^½. The sum t of the singular values
    and the sum q of their products in pairs satisfy t² = i1 + 2q and q² = i2 + 2t √i3. The map
    t ↦ (i1 + 2 (i2 + 2t √i3)^½)^½ contracts by √i3 / (tq) <= 1/9.
    """
    n = seen.shape[-1]
    if n > 3:
        products = roots @ seen[:, :, None] @ roots
        values = np.linalg.eigvalsh(products)
        return np.asarray(np.sqrt(np.clip(values, 0.0, None)).sum(axis=-1))
    first = _paired(seen, covariances)
    if n == 1:
        return np.asarray(np.sqrt(first))
    last = 2 * np.sqrt(_determinants(seen)[..., None] * _determinants(covariances))
    if n == 2:
        return np.asarray(np.sqrt(first + last))
    second = _paired(_adjugates(seen), _adjugates(covariances))
    norms = np.asarray(np.sqrt(first))
    for _ in range(ROUNDS):
        norms = np.sqrt(first + 2 * np.sqrt(second + last * norms))
    return norms


def pulls(couplings: Array, seen: Array, roots: Array) -> Array:
    """Return T_k = Σ_l w_kl S_l^½ (S_l^½ G_k S_l^½)^{-½} S_l^½, (s, K, n, n).

    Σ_k Σ_k Q T_k is the gradient of the nuclear norms' sum; null directions pull nowhere.
    """
    s, k, l = np.nonzero(couplings)
    values, vectors = np.linalg.eigh(roots[l] @ seen[s, k] @ roots[l])
    kept = values > SINGULAR * np.clip(values[:, -1:], np.finfo(float).tiny, None)
    quarter = np.where(kept, np.where(kept, values, 1.0) ** -0.25, 0.0)
    half = roots[l] @ vectors * (np.sqrt(couplings[s, k, l])[:, None] * quarter)[:, None, :]
    first = np.flatnonzero(np.diff(s * couplings.shape[1] + k, prepend=-1))
    return np.add.reduceat(half @ np.swapaxes(half, 1, 2), first, axis=0).reshape(seen.shape)


def _paired(first: Array, second: Array) -> Array:
    """Return tr (A_k B_l) of symmetric (s, K, n, n) and (L, n, n) matrices, at least 0."""
    size = second.shape[-1] ** 2
    traces = first.reshape(*first.shape[:2], size) @ second.reshape(-1, size).T
    return np.asarray(np.clip(traces, 0.0, None))


def _adjugates(matrices: Array) -> Array:
    """Return the adjugates of symmetric (..., 3, 3) matrices: rows are crossed in pairs."""
    x, y, z = (matrices[..., row, :] for row in range(3))
    return np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)], axis=-2)


def _determinants(matrices: Array) -> Array:
    return np.asarray(np.clip(np.linalg.det(matrices), 0.0, None))
