"""Quality of a result, in figures a person can compare."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rank_correlation(x: Array, y: Array) -> float:
    """Return Spearman's correlation of two samples (n,), in [−1, 1]; NaN when one is constant."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(x), rankdata(y)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    if not norms.all():
        return float("nan")
    return float(ranks[0] @ ranks[1] / (norms[0] * norms[1]))


def sliced_w2(points0: Array, points1: Array, *, directions: int = 64, seed: int = 0) -> float:
    """Return the sliced W2 distance between two point sets (n, d) and (m, d).

    The root of the mean over random directions of the squared 1-D W2 distance.
    """
    rng = np.random.default_rng(seed)
    axes = rng.standard_normal((points0.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    count = min(len(points0), len(points1))
    levels = (np.arange(count) + 0.5) / count
    quantiles0 = np.quantile(points0 @ axes, levels, axis=0)
    quantiles1 = np.quantile(points1 @ axes, levels, axis=0)
    return float(np.sqrt(((quantiles0 - quantiles1) ** 2).mean()))
