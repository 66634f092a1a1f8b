"""Embeddings and their costs without singular values: quick, good to 1e-7, for comparing starts.

Everything comes from G_k = Qᵀ Σ_k Q, because |Σ_k^½ Q S_l^½|_* = tr (S_l^½ G_k S_l^½)^½. What a
search returns is computed again by exact singular values.

For n <= 3 the invariants i1, i2, i3 of S_l^½ G_k S_l^½ say all, and they are inner products of the
two sides' entries, adjugates and determinants. The sum t of the singular values and the sum q of
their products in pairs satisfy t² = i1 + 2q and q² = i2 + 2rt with r² = i3.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 2
"""Of Newton's method for t, from a value a few per cent too large: then t is good to 2e-8."""

SINGULAR = 1e-12
"""Eigenvalues below this share of the largest pull nowhere."""

FLAT = 1e-9
"""Share of i1 i2 up to which i3 is too near rounding for its derivative."""

BLOCK = 32_768
"""Most values of an array in ``nuclear_norms``, so that all of them stay in the cache."""

ROWS, COLUMNS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]
"""Of the six entries of a symmetric 3 × 3 matrix."""

TWICE = np.array([1.0, 2.0, 2.0, 1.0, 2.0, 1.0])
"""How often each of them stands in the matrix."""

FULL = [0, 1, 2, 1, 3, 4, 2, 4, 5]
"""Which of them stand where in the matrix."""

TINY = float(np.finfo(float).tiny)


def grams(covariances: Array, embeddings: Array) -> tuple[Array, Array]:
    """Return Qᵀ Σ_k (s, K, n, m) and Qᵀ Σ_k Q (s, K, n, n) for (s, m, n) matrices Q."""
    s, m, n = embeddings.shape
    flat = covariances.transpose(1, 0, 2).reshape(m, -1)
    left = (np.swapaxes(embeddings, 1, 2).reshape(s * n, m) @ flat).reshape(s, -1, m)
    seen = (left @ embeddings).reshape(s, n, -1, n)
    return left.reshape(s, n, -1, m).swapaxes(1, 2), seen.swapaxes(1, 2)


def nuclear_norms(seen: Array, covariances: Array, roots: Array) -> Array:
    """Return tr (S_l^½ G_k S_l^½)^½ for every G (s, K, n, n) and S (L, n, n), (s, K, L)."""
    s, count, n, _ = seen.shape
    if n > 3:
        products = roots @ seen[:, :, None] @ roots
        values = np.linalg.eigvalsh(products)
        return np.asarray(np.sqrt(np.clip(values, 0.0, None)).sum(axis=-1))
    first, second = _minors(seen.reshape(-1, n, n)), _minors(covariances)
    entries, adjugates = (TWICE * second.entries).T, (TWICE * second.adjugates).T
    roots0, roots1 = np.sqrt(first.determinants)[:, None], np.sqrt(second.determinants)
    norms = np.empty((s * count, len(covariances)))
    step = max(1, BLOCK // len(covariances))
    for start in range(0, len(norms), step):
        part = slice(start, start + step)
        i1 = np.maximum(first.entries[part] @ entries, 0.0)
        i2 = np.maximum(first.adjugates[part] @ adjugates, 0.0)
        norms[part] = _norms(i1, i2, roots0[part] * roots1)
    return norms.reshape(s, count, -1)


def pulls(couplings: Array, seen: Array, covariances: Array, roots: Array) -> Array:
    """Return T_k = Σ_l w_kl S_l^½ (S_l^½ G_k S_l^½)^{-½} S_l^½, (s, K, n, n).

    Σ_k Σ_k Q T_k is the gradient of the nuclear norms' sum; null directions pull nowhere.
    """
    s, k, l = np.nonzero(couplings)
    seen_by_row, row = seen.reshape(-1, *seen.shape[2:]), s * couplings.shape[1] + k
    if seen.shape[-1] == 3:
        pulled, steep = _steep_pulls(_minors(seen_by_row), _minors(covariances), row, l)
        flat = np.flatnonzero(~steep)
    else:
        pulled, flat = np.empty((len(row), *seen.shape[2:])), np.arange(len(row))
    if len(flat):
        pulled[flat] = _pulls(seen_by_row[row[flat]], roots[l[flat]])
    pulled *= couplings[s, k, l, None, None]
    return by_row(pulled, row, len(seen_by_row)).reshape(seen.shape)


def by_row(parts: Array, row: NDArray[np.intp], count: int) -> Array:
    """Return the sums of the parts (N, ...) of each row, (count, ...): 0 where a row has none.

    ``row`` rises.
    """
    first = np.flatnonzero(np.diff(row, prepend=-1))
    summed = np.add.reduceat(parts, first, axis=0)
    if len(first) == count:
        return np.asarray(summed)
    whole = np.zeros((count, *parts.shape[1:]))
    whole[row[first]] = summed
    return whole


def _pulls(seen: Array, roots: Array) -> Array:
    """Return S^½ (S^½ G S^½)^{-½} S^½ of each pair of (N, n, n) matrices, by eigenvectors."""
    values, vectors = np.linalg.eigh(roots @ seen @ roots)
    kept = values > SINGULAR * np.clip(values[:, -1:], TINY, None)
    quarter = np.where(kept, np.where(kept, values, 1.0) ** -0.25, 0.0)
    half = roots @ vectors * quarter[:, None, :]
    return np.asarray(half @ np.swapaxes(half, 1, 2))


class _Minors(NamedTuple):
    """Entries and adjugates (N, 6), and determinants (N,), of symmetric 3 × 3 matrices."""

    entries: Array
    adjugates: Array
    determinants: Array


def _minors(matrices: Array) -> _Minors:
    """Return the minors of symmetric (N, n, n) matrices, n <= 3, bordered with zeros.

    By Maclaurin's inequality a determinant is at most what two invariants say; beyond is rounding.
    """
    border = 3 - matrices.shape[-1]
    if border:
        matrices = np.pad(matrices, ((0, 0), (0, border), (0, border)))
    entries = matrices[:, ROWS, COLUMNS]
    adjugates = 0.5 * _mixed(entries, entries)
    determinants = np.einsum("ni,ni->n", entries[:, :3], adjugates[:, :3])
    traces, cofactors = (each[:, [0, 3, 5]].sum(axis=1) for each in (entries, adjugates))
    most = cofactors**2 / (3 * np.maximum(traces, TINY))
    return _Minors(entries, adjugates, np.clip(determinants, 0.0, most))


def _mixed(first: Array, second: Array) -> Array:
    """Return the bilinear form (N, 6) of symmetric matrices that is twice the adjugate of one."""
    a, b, c, d, e, f = np.ascontiguousarray(first.T)
    u, v, w, x, y, z = np.ascontiguousarray(second.T)
    return np.stack(
        [
            d * z + f * x - 2 * e * y,
            c * y + e * w - b * z - f * v,
            b * y + e * v - c * x - d * w,
            a * z + f * u - 2 * c * w,
            b * w + c * v - a * y - e * u,
            a * x + d * u - 2 * b * v,
        ],
        axis=-1,
    )


def _norms(i1: Array, i2: Array, r: Array) -> Array:
    """Return t of the module's equations, by Newton's method for t² − i1 − 2q(t) = 0."""
    q = np.sqrt(i2 + 2 * r * np.sqrt(3 * i1))
    t = np.sqrt(i1 + 2 * q)
    for _ in range(STEPS):
        q = np.sqrt(i2 + 2 * r * t)
        t -= (t * t - i1 - 2 * q) / (2 * np.maximum(t - r / np.maximum(q, TINY), TINY))
    return np.asarray(t)


def _steep_pulls(
    first: _Minors, second: _Minors, row: NDArray[np.intp], column: NDArray[np.intp]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the derivatives of 2t by G (N, 3, 3) at pairs, and where i3 is large enough for them.

    From the module's equations, (tq − r) dt = (q di1 + di2 + (t/r) di3) / 2.
    """
    g, s = first.entries[row], second.entries[column]
    adjugate0, adjugate1 = first.adjugates[row], second.adjugates[column]
    i1 = np.maximum((g * s) @ TWICE, 0.0)
    i2 = np.maximum((adjugate0 * adjugate1) @ TWICE, 0.0)
    r = np.sqrt(first.determinants[row] * second.determinants[column])
    steep = r * r > FLAT * i1 * i2
    r = np.where(steep, r, 1.0)
    i1, i2 = np.where(steep, i1, 3.0), np.where(steep, i2, 3.0)
    t = _norms(i1, i2, r)
    q = np.sqrt(i2 + 2 * r * t)
    weight = second.determinants[column] * t / r
    entries = q[:, None] * s + _mixed(g, adjugate1) + weight[:, None] * adjugate0
    entries /= (t * q - r)[:, None]
    return entries[:, FULL].reshape(-1, 3, 3), steep
