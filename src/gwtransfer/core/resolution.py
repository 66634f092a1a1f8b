"""Meshes made finer or coarser along their surface."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def refined(points: Array, faces: Index, length: float, most: int) -> tuple[Array, Index] | None:
    """Halve edges longer than ``length`` until none is left; the surface stays where it is.

    Parameters
    ----------
    points, faces : (s, 3) and (f, 3) arrays
    length : float
    most : int
        Points above which it is given up, as with many long slivers.

    Returns
    -------
    points and faces, the given points first; or None
    """
    while True:
        ends, sides = _edges(faces, len(points))
        apart = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
        long = np.flatnonzero(apart > length)
        if not len(long):
            return points, faces
        if len(points) + len(long) > most:
            return None
        middle = np.full(len(ends), -1, dtype=np.intp)
        middle[long] = len(points) + np.arange(len(long))
        points = np.concatenate([points, points[ends[long]].mean(axis=1)])
        faces = _split(faces, middle[sides])


def _edges(faces: Index, count: int) -> tuple[Index, Index]:
    """Return the edges (e, 2) among ``count`` points, and which are ab, bc, ca of each face."""
    pairs = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    keys, place = np.unique(pairs[:, 0] * count + pairs[:, 1], return_inverse=True)
    return np.column_stack(np.divmod(keys, count)), place.reshape(-1, 3)


def _split(faces: Index, middle: Index) -> Index:
    """Divide faces at the middles (f, 3) of their sides ab, bc, ca; −1 is a side left whole."""
    halved = middle >= 0
    count = halved.sum(axis=1)
    # Turned so that a single halved side is ab, and a single whole one ca.
    turn = np.select([count == 1, count == 2], [halved.argmax(axis=1), halved.argmin(axis=1) + 1])
    order = (np.arange(3) + turn[:, None]) % 3
    a, b, c = np.take_along_axis(faces, order, axis=1).T
    ab, bc, ca = np.take_along_axis(middle, order, axis=1).T
    parts = [faces[count == 0]]
    for halves, corners in (
        (1, ((a, ab, c), (ab, b, c))),
        (2, ((ab, b, bc), (a, ab, bc), (a, bc, c))),
        (3, ((a, ab, ca), (ab, b, bc), (bc, c, ca), (ab, bc, ca))),
    ):
        parts += [np.column_stack(corner)[count == halves] for corner in corners]
    return np.concatenate(parts)


def coarsened(points: Array, faces: Index, count: int) -> tuple[Array, Index]:
    """Contract a connected mesh to about ``count`` of its points.

    Each point goes to the nearest chosen one along the edges, so that parts which only come near
    each other in space stay apart; a face between three of them is one of the result.
    """
    ends, _ = _edges(faces, len(points))
    apart = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    graph = sparse.csr_matrix((apart, (ends[:, 0], ends[:, 1])), shape=(len(points),) * 2)
    chosen = np.sort(np.random.default_rng(0).choice(len(points), count, replace=False))
    _, _, nearest = csgraph.dijkstra(
        graph, directed=False, indices=chosen, min_only=True, return_predecessors=True
    )
    return used(points, without_repeats(nearest.astype(np.intp)[faces]))


def without_repeats(faces: Index) -> Index:
    """Return the faces that join three different points, each triple once, in their order."""
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return faces[np.sort(first)]


def used(points: Array, faces: Index) -> tuple[Array, Index]:
    """Return the points that faces use, and the faces among them."""
    kept, renumbered = np.unique(faces, return_inverse=True)
    return points[kept], renumbered.reshape(-1, 3)
