"""From a plan to affine pieces, one for every coupled pair, and their gains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.linalg import RELATIVE_ZERO
from gwtransfer.core.types import TransportPlan

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PairMaps:
    """The affine map of every coupled pair, x ↦ n_l + A[i] (x − m_k), in working coordinates.

    Attributes
    ----------
    source_index, target_index : (q,) arrays of int
        k and l of each pair, ordered by k then l.
    share : (q,) array
        w_kl / a_k, summing to 1 over the pairs of one k.
    linear : (q, n, m) array
    image : (q, n) array
        Where m_k goes.
    residual : (q, n, n) array or None
        S_l − A S0 A of MATHS 5.4, the part of the target's covariance a lower-dimensional source
        cannot reach; None when m >= n.
    """

    source_index: NDArray[np.intp]
    target_index: NDArray[np.intp]
    share: Array
    linear: Array
    image: Array
    residual: Array | None


def pair_maps(plan: TransportPlan, *, gain_cap: float = np.inf) -> PairMaps:
    """Return the affine maps of the coupled pairs (MATHS 5.1, 5.4, 6.2, 6.3).

    Parameters
    ----------
    plan : TransportPlan
    gain_cap : float > 0
        Largest stretch of a piece in working coordinates: the singular values of A Qᵀ H_k are
        clipped, and the image then falls short of the target.
    """
    source, target = plan.source, plan.target
    k, l = np.nonzero(plan.coupling)
    down = _down(plan)
    seen = down @ source.covariances @ down.T
    linear = optimal_linear(seen[k], target.covariances[l])
    residual = None
    if source.dimension < target.dimension:
        residual = target.covariances[l] - linear @ seen[k] @ linear
    linear = linear @ down
    if source.noise is not None:
        linear = linear @ shrinkage(source.covariances, source.noise)[k]
    linear = capped(linear, gain_cap)
    return PairMaps(
        source_index=k,
        target_index=l,
        share=plan.coupling[k, l] / plan.coupling[k].sum(axis=1),
        linear=linear,
        image=target.means[l],
        residual=residual,
    )


def _down(plan: TransportPlan) -> Array:
    """Return the (n, m) matrix that takes source vectors to the target's space: Qᵀ, Q or I.

    Q is the embedding P plus the plan's tilt. The pieces then are the optimal maps for the
    anchored cost, and still push each source component exactly on its target (m >= n).
    """
    larger, smaller = sorted((plan.source.dimension, plan.target.dimension), reverse=True)
    matrix = np.eye(larger, smaller) if plan.embedding is None else plan.embedding
    if plan.tilt is not None:
        matrix = matrix + plan.tilt
    return matrix.T if plan.source.dimension >= plan.target.dimension else matrix


def shrinkage(covariances: Array, noise: Array) -> Array:
    """Return H_k, the best linear estimate of the signal around each mean (MATHS 6.3), (K, m, m).

    With Σ^{-½} N Σ^{-½} = Q diag(θ) Qᵀ: H = Σ^½ Q diag((1−θ)_+) Qᵀ Σ^{-½}, eigenvalues in [0, 1].
    """
    values, vectors = np.linalg.eigh(covariances)
    floor = RELATIVE_ZERO * np.clip(values[:, -1:], np.finfo(float).tiny, None)
    roots = np.sqrt(np.maximum(values, floor))
    transposed = np.swapaxes(vectors, -1, -2)
    root = (vectors * roots[:, None, :]) @ transposed
    inverse = (vectors / roots[:, None, :]) @ transposed
    theta, turn = np.linalg.eigh(inverse @ noise @ inverse)
    kept = np.clip(1.0 - theta, 0.0, 1.0)
    return np.asarray(root @ (turn * kept[:, None, :]) @ np.swapaxes(turn, -1, -2) @ inverse)


def capped(linear: Array, cap: float) -> Array:
    """Return maps (q, n, m) with singular values of ``cap`` at most."""
    if not np.isfinite(cap):
        return linear
    left, values, right = np.linalg.svd(linear, full_matrices=False)
    return np.asarray((left * np.minimum(values, cap)[..., None, :]) @ right)
