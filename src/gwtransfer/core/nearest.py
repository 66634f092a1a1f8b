"""The nearest of many candidates: by a tree in few dimensions, by products in many."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.floating]

Search = Callable[[Floats], tuple[NDArray[np.intp], Array]]


def nearest(points: Floats, candidates: Floats) -> tuple[NDArray[np.intp], Array]:
    """Return for each point (N, n) the index of its nearest candidate (M, n), and the distance."""
    return nearest_search(candidates)(points)


def nearest_search(candidates: Floats) -> Search:
    """Return `nearest` among fixed candidates (M, n).

    A k-d tree up to ten dimensions, blocked matrix products above, where trees lose.
    """
    if candidates.shape[1] <= 10:
        from scipy.spatial import cKDTree

        tree = cKDTree(candidates)

        def by_tree(points: Floats) -> tuple[NDArray[np.intp], Array]:
            distances, index = tree.query(points)
            return np.asarray(index), np.asarray(distances)

        return by_tree
    # Centred, so that points far from the origin lose no digits in the squares.
    centre = candidates.mean(axis=0)
    centred = candidates - centre
    norms = (centred**2).sum(axis=1)
    step = max(1, 8_000_000 // len(candidates))

    def by_products(points: Floats) -> tuple[NDArray[np.intp], Array]:
        index = np.concatenate(
            [
                np.argmin(norms - 2 * ((points[i : i + step] - centre) @ centred.T), axis=1)
                for i in range(0, len(points), step)
            ]
        )
        return index, np.linalg.norm(points - candidates[index], axis=1)

    return by_products
