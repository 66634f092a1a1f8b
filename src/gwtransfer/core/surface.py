"""Triangles in space: areas, points drawn on them, and what represents a shape's surface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SUPPORT, CROWD = 3_000, 12_000
"""Points that represent a shape in many pieces or a large cloud, and from how many they come."""

LARGE = 60_000
"""Vertices above which a connected mesh is represented by points too."""

WHOLE = 0.98
"""A mesh whose largest piece has this share of its area is that piece; eyes and buttons follow."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Representation:
    """Distinct points that stand for a shape's surface.

    Attributes
    ----------
    points : (s, 3) array
        In the units of the file.
    faces : (f, 3) array or None
        Triangles that use every point and hang together; None where there are only points.
    support : (n,) array
        The representing point of each vertex of the shape: the nearest.
    """

    points: Array
    faces: Index | None
    support: Index

    @property
    def normals(self) -> Array | None:
        """Outward unit normals at the points (s, 3); None without triangles."""
        if self.faces is None:
            return None
        corners = self.points[self.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        centred = corners - self.points.mean(axis=0)
        volume = np.einsum("fi,fi->", centred[:, 0], np.cross(centred[:, 1], centred[:, 2]))
        normals = np.zeros_like(self.points)
        for corner in range(3):
            np.add.at(normals, self.faces[:, corner], across)
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.asarray(np.sign(volume) * normals / np.where(lengths > 0, lengths, 1.0))


def represent(cloud: Cloud) -> Representation:
    """Return what stands for a shape's surface.

    A mesh that hangs together stands for itself: vertices at one place are one, those no face uses
    follow the nearest that is used, and so do eyes and buttons. A mesh in several pieces, a soup
    of triangles, and whatever is large, are represented by SUPPORT points spread over the surface,
    through whose gaps a neighbourhood of points sees.

    Raises
    ------
    DataError
        The faces have no area.
    """
    points, faces = _standing(cloud)
    support = np.asarray(cKDTree(points).query(cloud.vertices)[1], dtype=np.intp)
    return Representation(points=points, faces=faces, support=support)


def _standing(cloud: Cloud) -> tuple[Array, Index | None]:
    if cloud.faces is None:
        return _thinned(cloud.vertices[distinct(cloud.vertices)[0]]), None
    points, faces = welded(cloud.vertices, cloud.faces)
    face_areas = areas(points, faces)
    if not face_areas.sum() > 0:
        raise DataError(f"{cloud.name}: expected a surface, found faces without area")
    piece = _pieces(points, faces)[faces[:, 0]]
    share = np.bincount(piece, weights=face_areas) / face_areas.sum()
    if share.max() >= WHOLE and len(points) <= LARGE:
        used, renumbered = np.unique(faces[piece == share.argmax()], return_inverse=True)
        return points[used], renumbered.reshape(-1, 3)
    return _thinned(on_surface(points, faces, CROWD, np.random.default_rng(0))), None


def _thinned(points: Array) -> Array:
    if len(points) > CROWD:
        chosen = np.random.default_rng(0).choice(len(points), CROWD, replace=False)
        points = points[np.sort(chosen)]
    return points[spread(points, SUPPORT)] if len(points) > SUPPORT else points


def _pieces(points: Array, faces: Index) -> NDArray[np.int32]:
    """Return the number of the connected piece of each point."""
    corners = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = sparse.coo_matrix(
        (np.ones(len(corners)), (corners[:, 0], corners[:, 1])), shape=(len(points),) * 2
    )
    return np.asarray(csgraph.connected_components(graph, directed=False)[1])


def welded(vertices: Array, faces: NDArray[np.integer]) -> tuple[Array, Index]:
    """Return the distinct vertices (p, 3) and the faces among them, collapsed ones left out."""
    kept, place = distinct(vertices)
    corners = place[faces]
    a, b, c = corners.T
    return vertices[kept], corners[(a != b) & (b != c) & (c != a)]


def distinct(points: Array) -> tuple[Index, Index]:
    """Return the first of each place (p,), in order, and which of these every point is (n,)."""
    _, first, place = np.unique(points, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[place.reshape(-1)]


def areas(vertices: Array, faces: NDArray[np.integer]) -> Array:
    """Return the area of each triangle, (f,)."""
    corners = vertices[faces]
    sides = corners[:, 1:] - corners[:, :1]
    return np.asarray(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2)


def places(
    vertices: Array, faces: NDArray[np.integer], count: int, rng: np.random.Generator
) -> tuple[Index, Array]:
    """Draw places on triangles by area: the triangle (count,) and barycentric shares (count, 3)."""
    weights = areas(vertices, faces)
    face = rng.choice(len(weights), count, p=weights / weights.sum())
    u, v = rng.random((2, count))
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
    return face, np.column_stack([1 - u - v, u, v])


def on_surface(
    vertices: Array, faces: NDArray[np.integer], count: int, rng: np.random.Generator
) -> Array:
    """Draw points on triangles by area, (count, 3)."""
    face, shares = places(vertices, faces, count, rng)
    return np.asarray(np.einsum("nc,ncd->nd", shares, vertices[faces[face]]))


def spread(points: Array, count: int) -> Index:
    """Choose points (count,) that lie far from one another, each time the farthest of all chosen.

    The first is the farthest from the mean.
    """
    gap = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    chosen = np.empty(count, dtype=np.intp)
    for number in range(count):
        chosen[number] = gap.argmax()
        offset = ((points - points[chosen[number]]) ** 2).sum(axis=1)
        gap = offset if number == 0 else np.minimum(gap, offset)
    return chosen
