"""A mixture's densities, laid out for products with blocks of points."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import whiteners

Floats = NDArray[np.floating]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Densities:
    """log w_k N(z; m_k, S_k) = logs_k − ½ |W_kᵀ z − shift_k|² of every component.

    Attributes
    ----------
    whitening : (K p, p) array
        W_kᵀ of all components, one below the other.
    shift : (K p, 1) array
        W_kᵀ m_k.
    logs : (K, 1) array
        log w_k − ½ (p log 2π + log det S_k).
    """

    whitening: Floats
    shift: Floats
    logs: Floats

    @classmethod
    def of(cls, weights: Array, means: Array, covariances: Array) -> "Densities":
        """Lay out the densities of weights (K,), means (K, p) and covariances (K, p, p)."""
        count, p = means.shape
        whitening, logdet = whiteners(weights, means, covariances)
        logs = np.log(weights) - 0.5 * (p * np.log(2 * np.pi) + logdet)
        return cls(
            whitening=np.swapaxes(whitening, 1, 2).reshape(count * p, p),
            shift=np.einsum("kpq,kp->kq", whitening, means).reshape(-1, 1),
            logs=logs[:, None],
        )

    @property
    def count(self) -> int:
        """K."""
        return len(self.logs)

    @property
    def dimension(self) -> int:
        """The number p of coordinates."""
        return int(self.whitening.shape[1])

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """The three arrays, as kernels take them."""
        return self.whitening, self.shift, self.logs

    @cached_property
    def coefficients(self) -> Floats:
        """(K, F) array whose product with the quadratic features is every log density."""
        count, p = self.count, self.dimension
        whitening = self.whitening.reshape(count, p, p)
        shift = self.shift.reshape(count, p)
        precisions = np.swapaxes(whitening, 1, 2) @ whitening
        upper = np.triu_indices(p)
        quadratic = -precisions[:, upper[0], upper[1]]
        quadratic[:, upper[0] == upper[1]] /= 2
        pulled = np.einsum("kqp,kq->kp", whitening, shift)
        constant = self.logs - 0.5 * (shift**2).sum(axis=1, keepdims=True)
        return np.concatenate([quadratic, pulled, constant], axis=1)
