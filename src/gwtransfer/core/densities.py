"""A mixture's densities, laid out for products with blocks of points."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import whiteners

Floats = NDArray[np.floating]
Array = NDArray[np.float64]


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
