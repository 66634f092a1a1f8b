"""Penalised optimal transport of autoencoders, where everything has a closed form.

Data X ~ N(0, Σ) in R^d, a latent Z' ~ N(0, I) in R^p and the decoder G(z) = W z. Three numbers:

* W2² of the data's law and the decoder's: tr Σ + tr WWᵀ − 2 |Σ^½ W|_*.
* The encoder formulation: the least E|X − WZ|² over all laws of Z given X with Z ~ N(0, I). The
  error sees second moments only, and E[XZᵀ] = Σ^½ K with any contraction K and no other; the best
  is the polar factor of Σ^½ W. So it equals W2², and no encoder is left out.
* The penalised objective J(λ): the least E|X − WZ|² + λ W2²(Q, N(0, I)) over all laws of Z given
  X, Q that of Z. Glue a best coupling of Z and Z' to that of X and Z: J is the least
  E|X − WZ|² + λ E|Z − Z'|² over all laws of (X, Z, Z'). Given X and Z', the best Z is
  Z' + (λI + WᵀW)⁻¹ Wᵀ r with r = X − WZ', at the cost rᵀ M r, M = (I + WWᵀ/λ)⁻¹. So
  J(λ) = tr MΣ + tr WᵀMW − 2 |Σ^½ M W|_*, again over all encoders, Gaussian or not.

M grows with λ to I, so J rises to W2². With r of the coupling of W2² and s = |W|²,
E rᵀ(I − M)r <= W2² − J(λ) <= W2² s/(λ + s): the gap is E|Wᵀr|²/λ to first order. For λ → 0
M is the projection off the range of W, and J the error of a plain autoencoder.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.linalg import symmetric_root
from gwtransfer.core.threads import one_thread

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]

SEARCHES = 3
"""Random starts of a search."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """Gaussian data and a linear decoder.

    Attributes
    ----------
    covariance : (d, d) array, symmetric positive semi-definite
        Σ, of the data.
    decoder : (d, p) array
        W.
    """

    covariance: Array
    decoder: Array

    @property
    def root(self) -> Array:
        """Σ^½."""
        return symmetric_root(self.covariance)

    @property
    def norm(self) -> float:
        """s, the squared norm of the decoder."""
        return float(np.linalg.norm(self.decoder, 2) ** 2)

    def metric(self, weight: float) -> Array:
        """Return M, what an error r costs once Z may leave Z' for λ = weight; I for infinity."""
        identity = np.eye(len(self.decoder))
        return np.asarray(np.linalg.inv(identity + self.decoder @ self.decoder.T / weight))


@dataclass(frozen=True, eq=False, kw_only=True)
class Penalised:
    """The penalised objective at one λ.

    Attributes
    ----------
    value : float
        J, which is reconstruction + λ · penalty.
    reconstruction : float
        E|X − WZ|² of the best encoder.
    penalty : float
        W2² of its Z from N(0, I).
    latent : (p, p) array
        Covariance of its Z.
    """

    value: float
    reconstruction: float
    penalty: float
    latent: Array


def squared_distance(model: Model) -> float:
    """Return W2² between N(0, Σ) and N(0, WWᵀ)."""
    return _least_error(model, np.eye(len(model.decoder)))


def _least_error(model: Model, metric: Array) -> float:
    """Return the least E rᵀMr over the couplings of X and Z', r = X − WZ'."""
    w = model.decoder
    cross = np.linalg.svd(model.root @ metric @ w, compute_uv=False).sum()
    return float(np.trace(metric @ model.covariance) + np.trace(w.T @ metric @ w) - 2 * cross)


def penalised(model: Model, weight: float) -> Penalised:
    """Return the penalised objective over all encoders, and its best encoder.

    Parameters
    ----------
    weight : float > 0
        λ.
    """
    metric, w = model.metric(weight), model.decoder
    cross, errors = _best_coupling(model, metric)
    step = np.linalg.solve(weight * np.eye(w.shape[1]) + w.T @ w, w.T)
    beside = step @ (cross - w)  # of Z' with what is added to it
    return Penalised(
        value=_least_error(model, metric),
        reconstruction=float(np.trace(metric @ errors @ metric)),
        penalty=float(np.trace(step @ errors @ step.T)),
        latent=np.eye(w.shape[1]) + beside + beside.T + step @ errors @ step.T,
    )


def _best_coupling(model: Model, metric: Array) -> tuple[Array, Array]:
    """Return E[XZ'ᵀ] (d, p) and E[rrᵀ] (d, d) of the coupling of least E rᵀMr."""
    w = model.decoder
    left, _, right = np.linalg.svd(model.root @ metric @ w, full_matrices=False)
    cross = model.root @ left @ right
    return cross, model.covariance - cross @ w.T - w @ cross.T + w @ w.T


def slope(model: Model) -> float:
    """Return E|Wᵀr|² at the coupling of W2²: λ times the gap, for λ → ∞."""
    errors = _best_coupling(model, np.eye(len(model.decoder)))[1]
    return float(np.trace(model.decoder.T @ errors @ model.decoder))


def gap_bounds(model: Model, weight: float) -> tuple[float, float]:
    """Return what the gap W2² − J(λ) is at least and at most."""
    identity = np.eye(len(model.decoder))
    errors = _best_coupling(model, identity)[1]
    least = float(np.trace((identity - model.metric(weight)) @ errors))
    return max(least, 0.0), squared_distance(model) * model.norm / (weight + model.norm)


def search_encoders(model: Model, weight: float, *, seed: int) -> float:
    """Return the least objective that a search over Gaussian encoders Z = A X + B ε finds.

    It is told nothing of the formula: quasi-Newton steps on A (p, d) and B (p, p).
    """
    sigma, w = model.covariance, model.decoder
    d, p = w.shape

    def objective(flat: Array) -> tuple[float, Array]:
        a, b = flat[: p * d].reshape(p, d), flat[p * d :].reshape(p, p)
        left = np.eye(d) - w @ a
        values, vectors = np.linalg.eigh(a @ sigma @ a.T + b @ b.T)
        roots = np.sqrt(np.clip(values, 1e-300, None))
        penalty = values.sum() + p - 2 * roots.sum()
        error = np.trace(left @ sigma @ left.T) + ((w @ b) ** 2).sum()
        pull = weight * (np.eye(p) - (vectors / roots) @ vectors.T)
        by_a = -w.T @ left @ sigma + pull @ a @ sigma
        by_b = w.T @ w @ b + pull @ b
        gradient = 2 * np.concatenate([by_a.ravel(), by_b.ravel()])
        return float(error + weight * penalty), gradient

    return _least(objective, p * (d + p), seed=seed)


def search_couplings(model: Model, *, seed: int) -> float:
    """Return the least E|X − WZ|² that a search over encoders with Z ~ N(0, I) finds.

    E[XZᵀ] = Σ^½ K, K the upper block of orthonormal columns (d + p, p): every contraction is one.
    Quasi-Newton steps on any matrix Y of that size, whose polar factor Q has the columns.
    """
    w, root = model.decoder, model.root
    d, p = w.shape
    constant = float(np.trace(model.covariance) + (w**2).sum())
    wanted = np.concatenate([root @ w, np.zeros((p, p))])

    def objective(flat: Array) -> tuple[float, Array]:
        y = flat.reshape(d + p, p)
        values, vectors = np.linalg.eigh(y.T @ y)
        stretch = np.sqrt(values)
        inverse = (vectors / stretch) @ vectors.T
        q = y @ inverse
        inner = q.T @ wanted
        turned = vectors.T @ (inner - inner.T) @ vectors
        turning = vectors @ (turned / (stretch[:, None] + stretch)) @ vectors.T
        gradient = (wanted - q @ inner) @ inverse + q @ turning
        return constant - 2 * float((q * wanted).sum()), -2 * gradient.ravel()

    return _least(objective, (d + p) * p, seed=seed)


def _least(objective: Objective, size: int, *, seed: int) -> float:
    """Return the least value of an objective of so many numbers that quasi-Newton steps find."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-8}
    with one_thread():
        ends = [
            minimize(objective, start, jac=True, method="L-BFGS-B", options=options).fun
            for start in rng.standard_normal((SEARCHES, size))
        ]
    return float(min(ends))
