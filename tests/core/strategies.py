"""What the tests of the mathematics draw from: isometries, covariances, mixtures, and copies."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from gwtransfer.core.types import GaussianMixture, Space, TransportPlan

Array = NDArray[np.float64]

EPS = float(np.finfo(float).eps)

ROUNDING = 1e-12
"""Rounding of a few hundred operations at double precision, relative to the largest term."""

SINGULAR = 1e-7
"""The same where a root of a zero eigenvalue is taken: √eps is 1.5e-8, times a few dimensions."""

seeds = st.integers(0, 2**32 - 1)


def stiefel(rng: np.random.Generator, m: int, n: int) -> Array:
    """Return an (m, n) matrix with orthonormal columns."""
    q, r = np.linalg.qr(rng.standard_normal((m, n)))
    return np.asarray(q * np.sign(np.diag(r)))


@st.composite
def orthogonal(draw: Callable[..., Any], dimension: int) -> Array:
    """Orthogonal matrices of either determinant."""
    return stiefel(np.random.default_rng(draw(seeds)), dimension, dimension)


@st.composite
def covariances(
    draw: Callable[..., Any], dimension: int, *, least: float = 1e-3, singular: bool = False
) -> Array:
    """PSD matrices with eigenvalues from ``least`` to 4; with ``singular`` some are zero."""
    values = np.array(draw(st.lists(st.floats(least, 4.0), min_size=dimension, max_size=dimension)))
    if singular:
        values[draw(st.integers(0, dimension - 1)) :] = 0.0
    axes = draw(orthogonal(dimension))
    matrix = (axes * values) @ axes.T
    return np.asarray((matrix + matrix.T) / 2)


@st.composite
def mixtures(
    draw: Callable[..., Any],
    dimension: int | st.SearchStrategy[int],
    *,
    most: int = 5,
    singular: bool = False,
) -> GaussianMixture:
    """Mixtures of 1 … ``most`` components in raw coordinates."""
    d = dimension if isinstance(dimension, int) else draw(dimension)
    rng = np.random.default_rng(draw(seeds))
    count = draw(st.integers(1, most))
    rank = draw(st.integers(0, d)) if singular else d
    return random_mixture(rng, count, d, rank=rank)


def random_mixture(
    rng: np.random.Generator,
    count: int,
    dimension: int,
    *,
    rank: int | None = None,
    spread: float = 1.0,
    **fields: Any,
) -> GaussianMixture:
    """Return a mixture with covariances of the given rank and means of the given spread."""
    rank = dimension if rank is None else rank
    covariance = np.zeros((count, dimension, dimension))
    for k in range(count):
        axes = stiefel(rng, dimension, rank)
        covariance[k] = (axes * rng.uniform(0.05, 0.5, rank)) @ axes.T
    return GaussianMixture(
        weights=rng.dirichlet(np.full(count, 4.0)),
        means=spread * rng.standard_normal((count, dimension)),
        covariances=(covariance + covariance.transpose(0, 2, 1)) / 2,
        space=Space.raw(dimension),
        **fields,
    )


def moved(
    mixture: GaussianMixture,
    isometry: Array,
    shift: Array | float = 0.0,
    order: NDArray[np.intp] | None = None,
) -> GaussianMixture:
    """Return the image under x ↦ isometry·x + shift; component j is component ``order[j]``."""
    order = np.arange(mixture.count) if order is None else order
    covariance = isometry @ mixture.covariances[order] @ isometry.T
    return GaussianMixture(
        weights=mixture.weights[order],
        means=mixture.means[order] @ isometry.T + shift,
        covariances=(covariance + covariance.transpose(0, 2, 1)) / 2,
        space=Space.raw(len(isometry)),
        seed=mixture.seed,
    )


def drawn(mixture: GaussianMixture, rng: np.random.Generator, count: int) -> Array:
    """Draw points (count, d) from a mixture, in raw coordinates."""
    k = rng.choice(mixture.count, count, p=mixture.weights)
    values, vectors = np.linalg.eigh(mixture.covariances)
    roots = vectors * np.sqrt(np.clip(values, 0, None))[:, None, :]
    normals = rng.standard_normal((count, mixture.dimension))
    return mixture.space.to_raw(mixture.means[k] + np.einsum("nij,nj->ni", roots[k], normals))


def product_plan(source: GaussianMixture, target: GaussianMixture, **fields: Any) -> TransportPlan:
    """Return a valid plan that couples every component with every other."""
    given = {
        "source": source,
        "target": target,
        "coupling": np.outer(source.weights, target.weights),
        "embedding": None,
        "solver": "made",
        "value": 1.0,
        "bound": None,
        "starts": 1,
        "reached": 1,
        "converged": True,
        "history": np.array([1.0]),
    }
    return TransportPlan(**(given | fields))


def root(matrix: Array) -> Array:
    """Return scipy's square root, the oracle for ours; real where the matrix is PSD."""
    return np.asarray(np.real(sqrtm(matrix)))


def naive_bracket(
    source: GaussianMixture, target: GaussianMixture, coupling: Array, embedding: Array
) -> float:
    """Return Σ w_kl [|m̃ − Pñ|² + tr Σ + tr S − 2 tr (S^½ Pᵀ Σ P S^½)^½], pair by pair, m >= n."""
    total = 0.0
    for k in range(source.count):
        for l in range(target.count):
            gap = source.means[k] - source.mean - embedding @ (target.means[l] - target.mean)
            half = root(target.covariances[l])
            inner = half @ embedding.T @ source.covariances[k] @ embedding @ half
            bures = np.trace(source.covariances[k]) + np.trace(target.covariances[l])
            total += coupling[k, l] * (gap @ gap + bures - 2 * np.trace(root(inner)))
    return float(total)


def scale(*mixtures: GaussianMixture) -> float:
    """Return the sum of the total variances, what squared distances are compared with."""
    return float(sum(np.trace(mixture.covariance) for mixture in mixtures))
