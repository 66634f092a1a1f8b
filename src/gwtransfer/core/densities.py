"""A mixture's densities, laid out for products with blocks of points."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import kernels

Floats = NDArray[np.floating]
Array = NDArray[np.float64]

STRANGE = 8.0
"""Deviations beyond the usual distance √p from a mean, after which a point is nothing it knows."""

DENSITY_FLOOR = 1e-9
"""Variances below this share of the mixture's total count as this much in a density."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Densities:
    """log w_k N(z; m_k, S_k) = logs_k − ½ |whitening_k (z, 1)|² of every component.

    Attributes
    ----------
    whitening : (K p, p + 1) array
        [W_kᵀ, −W_kᵀ m_k] of all components, one below the other.
    logs : (K, 1) array
        log w_k − ½ (p log 2π + log det S_k).
    """

    whitening: Floats
    logs: Floats

    @classmethod
    def of(cls, weights: Array, means: Array, covariances: Array) -> "Densities":
        """Lay out the densities of weights (K,), means (K, p) and covariances (K, p, p)."""
        count, p = means.shape
        roots, logdet = whiteners(weights, means, covariances)
        shift = np.einsum("kpq,kp->kq", roots, means)
        whitening = np.concatenate([np.swapaxes(roots, 1, 2), -shift[:, :, None]], axis=2)
        logs = np.log(weights) - 0.5 * (p * np.log(2 * np.pi) + logdet)
        return cls(whitening=whitening.reshape(count * p, p + 1), logs=logs[:, None])

    def astype(self, dtype: np.dtype[Any]) -> "Densities":
        """Return these densities in another precision."""
        return Densities(whitening=self.whitening.astype(dtype), logs=self.logs.astype(dtype))

    @property
    def count(self) -> int:
        """K."""
        return len(self.logs)

    @property
    def dimension(self) -> int:
        """The number p of coordinates."""
        return int(self.whitening.shape[1]) - 1

    @property
    def arrays(self) -> tuple[Floats, Floats]:
        """Both arrays, as kernels take them."""
        return self.whitening, self.logs

    @cached_property
    def coefficients(self) -> Floats:
        """(K, F) array whose product with the quadratic features is every log density."""
        count, p = self.count, self.dimension
        whitening = self.whitening.reshape(count, p, p + 1)
        squares = np.swapaxes(whitening, 1, 2) @ whitening
        upper = np.triu_indices(p)
        quadratic = -squares[:, upper[0], upper[1]]
        quadratic[:, upper[0] == upper[1]] /= 2
        constant = self.logs - 0.5 * squares[:, p, p:]
        return np.concatenate([quadratic, -squares[:, p, :p], constant], axis=1)

    def shares(self, points: Array) -> Array:
        """Return the probability (n, K) that each point (n, p) came from each component."""
        likely, total, _ = kernels.likelihoods(np, self._logs(points))
        return np.asarray((likely / total).T)

    def strange(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points (n, p) lie STRANGE deviations beyond where any component's lie."""
        if not len(points):
            return np.zeros(0, dtype=np.bool_)
        least = 2 * (self.logs - self._logs(points)).min(axis=0)
        return np.asarray(least > (np.sqrt(self.dimension) + STRANGE) ** 2)

    def _logs(self, points: Array) -> Floats:
        return np.asarray(kernels.log_densities(np, with_ones(points), *self.arrays))


def with_ones(points: Array) -> Array:
    """Return points (n, p) a column each, above a row of ones, (p + 1, n)."""
    block = np.ones((points.shape[1] + 1, len(points)))
    block[:-1] = points.T
    return block


def whiteners(weights: Array, means: Array, covariances: Array) -> tuple[Array, Array]:
    """Return W_k (K, p, p) with |(x − m_k) W_k|² the Mahalanobis square, and log det S_k (K,)."""
    centred = means - weights @ means
    total = float(weights @ (np.trace(covariances, axis1=-2, axis2=-1) + (centred**2).sum(axis=1)))
    values, vectors = np.linalg.eigh(covariances)
    values = np.maximum(values, DENSITY_FLOOR * total if total > 0 else 1.0)
    return vectors / np.sqrt(values)[:, None, :], np.log(values).sum(axis=1)
