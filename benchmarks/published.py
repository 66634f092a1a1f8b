"""The published pipeline, a plain reading of the formulas in docs/mathematics.md.

It shares no code with the package. Where a reading may be chosen, the faster one is: maps are
summed as they are made, and roots that no step changes are taken once.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ot.gromov import gromov_wasserstein
from scipy.linalg import inv, sqrtm, svd
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

Array = NDArray[np.float64]

FLOOR = 1e-4
"""Added to every variance, as a share of the data's total variance."""

STEPS = 150
"""Projected-gradient steps, of length 1."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Weights (K,), means (K, p) and covariances (K, p, p)."""

    weights: Array
    means: Array
    covariances: Array

    @property
    def centred(self) -> Array:
        """Means less the mixture's own, (K, p)."""
        return np.asarray(self.means - self.weights @ self.means)


@dataclass(frozen=True, eq=False)
class Run:
    """What the steps made, the seconds each took, and the CPU seconds of all."""

    source: Mixture
    target: Mixture
    coupling: Array
    embedding: Array
    images: Array
    seconds: dict[str, float]
    cpu: float

    @property
    def whole(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun


def run(source_points: Array, target_points: Array, components: int) -> Run:
    """Take every step on points (N, m) and (M, n) in [0, 1], m >= n."""
    clock, begun = _Clock(), time.process_time()
    with clock.step("fit source"):
        source = fit(source_points, components)
    with clock.step("fit target"):
        target = fit(target_points, components)
    with clock.step("plain GW"):
        coupling = gromov(source, target)
    with clock.step("descent"):
        embedding = descend(source, target, coupling)
    with clock.step("maps"):
        images = mean_map(source_points, source, target, coupling, embedding)
    cpu = time.process_time() - begun
    return Run(source, target, coupling, embedding, images, clock.seconds, cpu)


def fit(points: Array, components: int) -> Mixture:
    """Fit to every point (N, p) by EM from scikit-learn's default k-means start."""
    model = GaussianMixture(
        n_components=components, reg_covar=FLOOR * float(points.var(axis=0).sum()), random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(points)
    return Mixture(model.weights_, model.means_, model.covariances_)


def log_likelihood(points: Array, mixture: Mixture) -> float:
    """Return the mean over points (N, p) of the log density, in nats."""
    logs = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(points)
        for weight, mean, covariance in zip(
            mixture.weights, mixture.means, mixture.covariances, strict=True
        )
    ]
    return float(logsumexp(logs, axis=0).mean())


def root(matrix: Array) -> Array:
    """Return the symmetric root of a positive matrix."""
    return np.asarray(np.real(sqrtm(matrix)))


def own_costs(mixture: Mixture) -> Array:
    """Return W2² between the components, (K, K)  (MATHS 1.1)."""
    count = len(mixture.weights)
    costs = np.zeros((count, count))
    roots = [root(covariance) for covariance in mixture.covariances]
    for k in range(count):
        for i in range(k):
            first, second = mixture.covariances[k], mixture.covariances[i]
            cross = np.trace(root(roots[k] @ second @ roots[k]))
            gap = mixture.means[k] - mixture.means[i]
            costs[k, i] = costs[i, k] = gap @ gap + np.trace(first + second) - 2 * cross
    return costs


def gromov(source: Mixture, target: Mixture) -> Array:
    """Return POT's coupling (K, L) from the product start  (MATHS 3.1)."""
    first, second = own_costs(source), own_costs(target)
    return np.asarray(gromov_wasserstein(first, second, source.weights, target.weights))


def gromov_value(source: Mixture, target: Mixture, coupling: Array) -> float:
    """Return the sum of MATHS 3.1."""
    gaps = own_costs(source)[:, :, None, None] - own_costs(target)[None, None]
    return float(np.einsum("kilj,kl,ij->", gaps**2, coupling, coupling))


def stiefel(matrix: Array) -> Array:
    """Return the nearest matrix with orthonormal columns."""
    left, _, right = svd(matrix, full_matrices=False)
    return np.asarray(left @ right)


def descend(source: Mixture, target: Mixture, coupling: Array) -> Array:
    """Return P (m, n) by projected gradient of the objective at a fixed coupling  (MATHS 4.5–6)."""
    linear = source.centred.T @ coupling @ target.centred
    roots = [root(covariance) for covariance in target.covariances]
    embedding = stiefel(linear)
    for _ in range(STEPS):
        gradient = linear.copy()
        for k, covariance in enumerate(source.covariances):
            image = covariance @ embedding
            seen = embedding.T @ image
            for l, half in enumerate(roots):
                pulled = half @ inv(root(half @ seen @ half)) @ half
                gradient += coupling[k, l] * image @ pulled
        embedding = stiefel(embedding + 2 * gradient)
    return embedding


def embedded_value(source: Mixture, target: Mixture, coupling: Array, embedding: Array) -> float:
    """Return Σ w_kl [ |m̃_k − P ñ_l|² + tr Σ_k + tr S_l − 2 tr (S_l^½ PᵀΣ_kP S_l^½)^½ ]."""
    total = 0.0
    for k, l in np.argwhere(coupling > 0):
        first, second = source.covariances[k], target.covariances[l]
        half = root(second)
        gap = source.centred[k] - embedding @ target.centred[l]
        cross = np.trace(root(half @ embedding.T @ first @ embedding @ half))
        total += coupling[k, l] * (gap @ gap + np.trace(first) + np.trace(second) - 2 * cross)
    return float(total)


def mean_map(
    points: Array, source: Mixture, target: Mixture, coupling: Array, embedding: Array
) -> Array:
    """Return T_mean of points (N, m), (N, n): K·L affine maps of all points, and their mean."""
    images = np.zeros((len(points), embedding.shape[1]))
    total = np.zeros((len(points), 1))
    for k, covariance in enumerate(source.covariances):
        density = multivariate_normal(source.means[k], covariance).pdf(points)[:, None]
        total += source.weights[k] * density
        offsets = (points - source.means[k]) @ embedding
        half = root(embedding.T @ covariance @ embedding)
        inverse = inv(half)
        for l, image in enumerate(target.means):
            matrix = inverse @ root(half @ target.covariances[l] @ half) @ inverse
            images += coupling[k, l] * density * (image + offsets @ matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(images / total)
