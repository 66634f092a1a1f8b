"""Triangles in space: areas, points drawn on them, and what represents a shape's surface."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from gwtransfer.core.orientation import outward_normals
from gwtransfer.core.resolution import coarsened, refined, used, without_repeats
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SUPPORT, CROWD = 3_000, 12_000
"""Points that represent a shape in many pieces or a large cloud, and from how many they come."""

LARGE, COARSE = 30_000, 15_000
"""Vertices above which a connected mesh is coarsened, and how many are then left."""

LONG = 0.05
"""Longest edge of a mesh that stands for a surface of area 1; longer ones are halved."""

MEAN_RANK, CLEAR = 1.5, 1.01
"""Neighbours that points have within the distance which leaves SUPPORT, as a share of how many more
there were; and a factor of that distance, which is exactly that of a pair otherwise."""

PLASTIC = np.array([0.6180339887498949, 0.7548776662466927, 0.5698402909980532])
"""Steps of even sequences: on a line, from the root of x² = x + 1, in a square, x³ = x + 1."""

UNEVEN = 0.1
"""How much these are disturbed, so that no two places have the same neighbours as two others."""

FEW = 4
"""Places on triangles in a row that round their share together."""

TIE = 1e-9
"""Share by which squared distances may differ and be taken as equal, above their rounding."""

LEVELS = 2**21 - 1
"""Steps along the longest axis below which points are at one place: more than float32 tells."""

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

    @cached_property
    def normals(self) -> Array | None:
        """Outward unit normals at the points (s, 3); None without triangles or an inside."""
        return None if self.faces is None else outward_normals(self.points, self.faces)


def represent(cloud: Cloud) -> Representation:
    """Return what stands for a shape's surface.

    A mesh that hangs together stands for itself, finer where its edges are long and coarser where
    it is large: vertices at one place are one, those no face uses follow the nearest that is used,
    and so do eyes and buttons. A mesh in several pieces and a soup of triangles are represented by
    SUPPORT points spread over the surface, across whose gaps a neighbourhood of points sees; so is
    a large cloud.

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
        points = cloud.vertices[distinct(cloud.vertices)[0]]
        return _thinned(points, np.random.default_rng(0).random(len(points))), None
    points, faces = welded(cloud.vertices, cloud.faces)
    face_areas = areas(points, faces)
    if not face_areas.sum() > 0:
        raise DataError(f"{cloud.name}: expected a surface, found faces without area")
    piece = _pieces(points, faces)[faces[:, 0]]
    share = np.bincount(piece, weights=face_areas) / face_areas.sum()
    if share.max() >= WHOLE:
        mesh = used(points, faces[piece == share.argmax()])
        if len(mesh[0]) > LARGE:
            return coarsened(*mesh, COARSE)
        fine = refined(*mesh, LONG * float(np.sqrt(face_areas.sum())), LARGE)
        if fine is not None:
            return fine
    return _thinned(*scattered(points, faces, CROWD)), None


def _thinned(points: Array, chance: Array) -> Array:
    """Return points so far apart that about SUPPORT are left; all where there are few."""
    if len(points) > 1.1 * CROWD:
        kept = np.sort(chance.argsort()[:CROWD])
        points, chance = points[kept], chance[kept]
    if len(points) <= 2 * SUPPORT:
        return points
    rank = round(MEAN_RANK * len(points) / SUPPORT)
    distances = cKDTree(points).query(points, [rank + 1])[0]
    return points[apart(points, CLEAR * float(np.median(distances)), chance.argsort())]


def apart(points: Array, distance: float, order: Index) -> Index:
    """Choose points no two of which are nearer than ``distance``, until there are no more.

    They are asked in an order (n,) that has nothing to do with where they are: rounding then
    changes the choice around pairs at just that distance and nowhere else.
    """
    tree = cKDTree(points)
    free = np.ones(len(points), dtype=bool)
    chosen: list[int] = []
    for point in order:
        if free[point]:
            chosen.append(point)
            free[tree.query_ball_point(points[point], distance)] = False
    return np.sort(chosen)


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
    return vertices[kept], without_repeats(place[faces])


def distinct(points: Array) -> tuple[Index, Index]:
    """Return the first of each place (p,), in order, and which of these every point is (n,)."""
    extent = float(np.ptp(points, axis=0).max())
    steps = np.rint((points - points.min(axis=0)) * (LEVELS / extent if extent > 0 else 1.0))
    x, y, z = steps.astype(np.int64).T
    keys = (x << 42) | (y << 21) | z
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[place]


def areas(vertices: Array, faces: NDArray[np.integer]) -> Array:
    """Return the area of each triangle, (f,)."""
    corners = vertices[faces]
    sides = corners[:, 1:] - corners[:, :1]
    return np.asarray(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2)


def places(
    vertices: Array, faces: NDArray[np.integer], count: int, rng: np.random.Generator
) -> tuple[Index, Array]:
    """Draw places on triangles by area: the triangle (count,) and barycentric shares (count, 3).

    So many triangles in a row as have a few places together round their share of the places, and
    spread them, by chance numbers of their own: a copy of other precision gets the same places,
    but for one or two.
    """
    weights = areas(vertices, faces)
    levels = np.cumsum(weights)
    first = np.arange(0, len(faces), -(-FEW * len(faces) // count))
    row = evenly(np.add.reduceat(weights, first), count, rng)
    turn = np.arange(count) - np.searchsorted(row, row)
    begin = rng.random((len(first), 3))
    steps = np.arange(turn.max() + 1)[:, None]
    even = steps * PLASTIC + UNEVEN * rng.random((len(steps), 3))
    step, u, v = ((begin[row] + even[turn]) % 1).T
    low, high = np.append(0.0, levels)[first], np.append(levels[first[1:] - 1], levels[-1])
    part = (turn + step) / np.bincount(row)[row]
    face = np.searchsorted(levels, low[row] + part * (high - low)[row], side="right")
    last = np.append(first[1:], len(faces)) - 1
    return np.clip(face, first[row], last[row]), _shares(u, v)


def _shares(u: Array, v: Array) -> Array:
    """Return barycentric shares (n, 3), uniform where ``u`` and ``v`` are."""
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
    return np.column_stack([1 - u - v, u, v])


def evenly(weights: Array, count: int, rng: np.random.Generator) -> Index:
    """Draw items (count,), in order, each as often as its weight's share of them.

    A share is rounded up or down by a chance number of the item's own, and where these do not add
    up to ``count`` those that were nearest to the other choice make it.
    """
    shares = weights * (count / weights.sum()) + rng.random(len(weights))
    number = np.floor(shares).astype(np.intp)
    rest = np.where(weights > 0, shares - number, -1.0)
    short = count - int(number.sum())
    if short > 0:
        number[np.argsort(rest, kind="stable")[len(rest) - short :]] += 1
    elif short < 0:
        held = np.flatnonzero(number)
        number[held[np.argsort(rest[held], kind="stable")[:-short]]] -= 1
    return np.repeat(np.arange(len(weights)), number)


def on_surface(
    vertices: Array, faces: NDArray[np.integer], count: int, rng: np.random.Generator
) -> Array:
    """Draw points on triangles by area, (count, 3)."""
    return _at(vertices, faces, *places(vertices, faces, count, rng))


def _at(vertices: Array, faces: NDArray[np.integer], face: Index, shares: Array) -> Array:
    return np.asarray(np.einsum("nc,ncd->nd", shares, vertices[faces[face]]))


def scattered(vertices: Array, faces: NDArray[np.integer], count: int) -> tuple[Array, Array]:
    """Scatter about so many points on triangles by area: points (n, 3) and a chance of each (n,).

    Each triangle rounds its share of the points, and places them, by chance numbers of its own:
    what rounding changes in one changes nothing in the others.
    """
    weights = areas(vertices, faces)
    rng = np.random.default_rng(0)
    own = rng.random((len(faces), 4))
    number = np.floor(weights * (count / weights.sum()) + own[:, 3]).astype(np.intp)
    face = np.repeat(np.arange(len(faces)), number)
    turn = np.arange(len(face)) - np.repeat(np.cumsum(number) - number, number)
    u, v, chance = ((own[face, :3] + rng.random((number.max(), 3))[turn]) % 1).T
    return _at(vertices, faces, face, _shares(u, v)), chance


def spread(points: Array, count: int) -> Index:
    """Choose points (count,) that lie far from one another, each time the farthest of all chosen.

    The first is the farthest from the mean; of points as far, as mirror images are, the one that
    comes first.
    """
    columns = np.ascontiguousarray(points.T)
    gap = np.square(columns - columns.mean(axis=1)[:, None]).sum(axis=0)
    offsets = np.empty_like(columns)
    chosen = np.empty(count, dtype=np.intp)
    for number in range(count):
        chosen[number] = (gap >= gap.max() * (1 - TIE)).argmax()
        np.subtract(columns, columns[:, chosen[number], None], out=offsets)
        np.square(offsets, out=offsets)
        offsets[0] += offsets[1]
        offsets[0] += offsets[2]
        gap = np.minimum(gap, offsets[0]) if number else offsets[0].copy()
    return chosen
