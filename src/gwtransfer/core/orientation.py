"""The outside of a surface, whatever the winding of its triangles."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Array = NDArray[np.float64]
Index = NDArray[np.intp]

OPEN = 0.2
"""A part whose faces leave this share of their area uncancelled is open: its winding stands."""

LEAST_INSIDE = 1e-3
"""A surface that holds less volume, as a share of its area to the power 3/2, has no inside."""


def outward_normals(points: Array, faces: Index) -> Array | None:
    """Return unit normals at the points (s, 3), or None for a surface without an inside.

    Neighbouring triangles are turned alike first; then every part is turned so that its volume,
    seen from the mean of the points, is positive. A point whose triangles cancel has normal 0.
    """
    part, sign = _alike(faces)
    corners = points[faces] - points.mean(axis=0)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across *= sign[:, None]
    volumes = np.bincount(part, np.einsum("fi,fi->f", corners[:, 0], across)) / 6
    sizes = np.linalg.norm(across, axis=1)
    vector = np.stack([np.bincount(part, across[:, axis]) for axis in range(3)], -1)
    opened = np.linalg.norm(vector, axis=1) > OPEN * np.bincount(part, sizes)
    wound = np.bincount(part, sign * sizes)
    side = np.where(opened, np.sign(wound), np.sign(volumes))
    area = float(sizes.sum()) / 2
    if not opened.any() and np.abs(volumes).sum() <= LEAST_INSIDE * area**1.5:
        return None
    across *= side[part][:, None]
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], across)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.where(lengths > 0, lengths, 1.0))


def _alike(faces: Index) -> tuple[Index, Array]:
    """Return the part of each face, and the sign (f,) that winds a part's faces alike.

    Faces hang together where two, and only two, share a side. Each face stands twice in a graph,
    as it is wound and turned round; a part that can be wound alike falls into two halves there. The
    faces of one that cannot, a Möbius band, keep their winding.
    """
    sides = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    keys = np.sort(sides, axis=1)
    order = np.lexsort(keys.T)
    _, first, count = np.unique(keys[order], axis=0, return_index=True, return_counts=True)
    one, other = order[first[count == 2]], order[first[count == 2] + 1]
    turned = sides[one, 0] == sides[other, 0]  # both run the same way along their side
    left, right, n = one // 3, other // 3, len(faces)
    pairs = [(left, right + n * turned), (left + n, right + n * ~turned)]
    rows, columns = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(2 * n, 2 * n))
    _, half = csgraph.connected_components(graph, directed=False)
    as_wound, turned_round = half[:n], half[n:]
    sign = np.where(as_wound <= turned_round, 1.0, -1.0)
    _, part = np.unique(np.minimum(as_wound, turned_round), return_inverse=True)
    return part, sign
