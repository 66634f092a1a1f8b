"""EW2 between point clouds: an exact coupling and an isometry in turns, from many starts."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.coupling import REACHED, entropic, exact
from gwtransfer.core.embedding import DECREASE_TOLERANCE, Alternation, sign_embeddings
from gwtransfer.core.gaussian import squared_distances
from gwtransfer.core.linalg import polar, random_stiefel
from gwtransfer.errors import ShapeError

Array = NDArray[np.float64]


def embed_points(
    points0: Array,
    points1: Array,
    *,
    rng: np.random.Generator,
    random: int = 20,
    proper: bool = False,
    annealed: bool = False,
    most: int = 100,
) -> Alternation:
    """Minimise EW2 between two uniformly weighted point clouds (MATHS 4.4).

    Alternates the exact coupling of |x_i − P y_j|² and P = polar(Xᵀ w Y) from the sign starts of
    the covariances and from random embeddings; keeps the best.

    Parameters
    ----------
    points0 : (N, m) array
    points1 : (M, n) array, n <= m
    random : int
        Random starts beside at most 16 sign starts.
    annealed : bool
        Begin every start with entropic couplings of decreasing relative regularisation.

    Returns
    -------
    Alternation
        Its coupling is (N, M) with marginals 1/N and 1/M; its value is EW2² at that coupling.
    """
    m, n = points0.shape[1], points1.shape[1]
    if m < n:
        raise ShapeError(f"expected the larger space first, got dimensions {m} and {n}")
    x, y = points0 - points0.mean(axis=0), points1 - points1.mean(axis=0)
    weights0, weights1 = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    constant = float((x**2).sum() / len(x) + (y**2).sum() / len(y))
    starts = sign_embeddings(x.T @ x / len(x), y.T @ y / len(y), 16)
    starts = np.concatenate([starts, random_stiefel(rng, random, m, n)])
    if proper:
        starts = polar(starts, proper=True)
    ends = []
    for start in starts:
        embedding, history = start, [np.inf]
        if annealed:
            for epsilon in np.geomspace(1.0, 1e-2, 8):
                costs = squared_distances(x, y @ embedding.T)
                soft = entropic(costs, weights0, weights1, epsilon=float(epsilon))
                embedding = polar(x.T @ soft @ y, proper=proper)
        converged = False
        for _ in range(most):
            coupling = exact(squared_distances(x, y @ embedding.T), weights0, weights1)
            embedding = polar(x.T @ coupling @ y, proper=proper)
            costs = squared_distances(x, y @ embedding.T)
            history.append(float((costs * coupling).sum()))
            if history[-2] - history[-1] <= DECREASE_TOLERANCE * constant:
                converged = True
                break
        ends.append((history[-1], coupling, embedding, history[1:], converged))
    value, coupling, embedding, history, converged = min(ends, key=lambda end: end[0])
    near = value * (1 + REACHED) + 1e-9 * constant
    return Alternation(
        coupling=coupling,
        embedding=embedding,
        value=value,
        history=tuple(history),
        converged=converged,
        starts=len(ends),
        reached=sum(end[0] <= near for end in ends),
    )
