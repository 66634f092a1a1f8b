"""Shapes of few triangles or points that look like the shape they stand for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud

Array = NDArray[np.float64]
Index = NDArray[np.intp]

FACES, POINTS = 6_000, 6_000
"""Triangles and points that a page draws smoothly while they turn."""

PART = 0.25
"""Share of the points that may go in a round, so that the cheapest go first."""

UPRIGHT = 0.2
"""Cosine by which a triangle may turn when one of its corners goes."""

LONG = 1e-3
"""How much a squared length counts beside the squared distance from the surface."""

LARGE, CLUSTERS = 60_000, 20_000
"""Triangles above which a mesh is first made of cubes of points, and how many cubes."""

FINEST, HALVINGS, ENOUGH = 2**20, 30, 0.9
"""Most cubes along an axis; how often their size is halved between limits, and what share of the
points that are allowed is enough."""

_ROUNDS = 400


@dataclass(frozen=True, eq=False, kw_only=True)
class Fewer:
    """A shape for a page.

    Attributes
    ----------
    kept : (k,) array
        Which vertices of the shape its points are.
    faces : (f, 3) array or None
        Triangles among them.
    """

    kept: Index
    faces: Index | None


def fewer(cloud: Cloud, *, faces: int = FACES, points: int = POINTS) -> Fewer:
    """Choose so many of a shape's vertices that it can be drawn while it turns.

    Every point is a vertex of the shape, so what is known of vertices is known of points. A mesh
    loses, round by round, the corners that lie nearest to the planes of their neighbours; a cloud
    is thinned evenly.

    Parameters
    ----------
    faces, points : int
        At most so many triangles of a mesh, about; and points of a cloud.
    """
    if cloud.faces is None:
        return Fewer(kept=thinned(cloud.vertices, points), faces=None)
    first, place = _first_places(cloud)
    corners = place[cloud.faces]
    if len(corners) > LARGE:
        corners = _clustered(cloud.vertices[first], corners, CLUSTERS)
    left = simplified(cloud.vertices[first], corners, faces)
    if not len(left):  # nothing but needles
        return Fewer(kept=thinned(cloud.vertices, points), faces=None)
    kept, renumbered = np.unique(left, return_inverse=True)
    return Fewer(kept=first[kept], faces=np.asarray(renumbered.reshape(-1, 3)))


def _clustered(points: Array, faces: Index, count: int) -> Index:
    """Return the triangles between cubes of a grid, each cube being one of its points."""
    chosen, cell = _in_cubes(points, count)
    return _sound(chosen[cell][faces])


def _first_places(cloud: Cloud) -> tuple[Index, Index]:
    """Return the first vertex at each place, and the place of each vertex."""
    points, place = np.unique(cloud.vertices, axis=0, return_inverse=True)
    place = place.reshape(-1)
    first = np.full(len(points), len(cloud.vertices))
    np.minimum.at(first, place, np.arange(len(place)))
    return first, place


def thinned(points: Array, most: int) -> Index:
    """Choose at most so many points, one in each cube of the finest grid that leaves so few."""
    if len(points) <= most:
        return np.arange(len(points))
    return np.sort(_in_cubes(points, most)[0])


def _in_cubes(points: Array, most: int) -> tuple[Index, Index]:
    """Return the first point of each of at most so many cubes that hold points, and whose each is.

    The cubes are as small as they can be for that, about.
    """
    low, extent = points.min(axis=0), float(np.ptp(points, axis=0).max()) or 1.0
    coarse, fine = 1.0, float(min(len(points), FINEST))
    chosen, cell = np.zeros(1, dtype=np.intp), np.zeros(len(points), dtype=np.intp)
    for _ in range(HALVINGS):
        steps = np.sqrt(coarse * fine)
        x, y, z = np.floor((points - low) / extent * steps).astype(np.int64).T
        _, first, own = np.unique(
            (x * FINEST * 2 + y) * FINEST * 2 + z, return_index=True, return_inverse=True
        )
        if len(first) > most:
            fine = steps
            continue
        coarse, chosen, cell = steps, first, own.reshape(-1)
        if len(first) > ENOUGH * most:
            break
    return np.asarray(chosen), np.asarray(cell)


def simplified(points: Array, faces: Index, most: int) -> Index:
    """Return at most so many triangles, about, among some of a mesh's points.

    A corner goes onto a neighbour along a side, the one from whose planes it is nearest (the
    quadric errors of Garland and Heckbert 1997); corners that go in one round share no triangle.
    """
    faces = _sound(faces)
    planes = _planes(points, faces)
    for _ in range(_ROUNDS):
        if len(faces) <= most:
            break
        onto, cost = _cheapest(points, faces, planes)
        onto = _without_folds(points, faces, onto)
        going = _apart(faces, onto, cost, wanted=(len(faces) - most + 1) // 2)
        if not len(going):
            break
        goal = np.arange(len(points))
        goal[going] = onto[going]
        np.add.at(planes, goal[going], planes[going])
        faces = _sound(goal[faces])
    return faces


def _sound(faces: Index) -> Index:
    """Return the triangles with three corners, each triple once."""
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    if not len(faces):
        return faces
    low, middle, high = np.sort(faces, axis=1).astype(np.int64).T
    _, pair = np.unique(low * (int(faces.max()) + 1) + middle, return_inverse=True)
    _, first = np.unique(pair * (int(faces.max()) + 1) + high, return_index=True)
    return faces[np.sort(first)]


def _planes(points: Array, faces: Index) -> Array:
    """Return the sum of the quadrics of the planes at each point, (n, 4, 4), by area."""
    corners = points[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1, keepdims=True)
    normals = across / np.where(area > 0, area, 1.0)
    planes = np.column_stack([normals, -np.einsum("fi,fi->f", normals, corners[:, 0])])
    quadrics = area[:, :, None] * planes[:, :, None] * planes[:, None, :]
    summed = np.zeros((len(points), 4, 4))
    for corner in range(3):
        np.add.at(summed, faces[:, corner], quadrics)
    return summed


def _cheapest(points: Array, faces: Index, planes: Array) -> tuple[Index, Array]:
    """Return onto which neighbour each point would go (−1 for none), and what it would cost."""
    sides = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    both = np.concatenate([sides, sides[:, ::-1]]).astype(np.int64)
    one, other = np.divmod(np.unique(both[:, 0] * len(points) + both[:, 1]), len(points))
    goal = np.column_stack([points[other], np.ones(len(other))])
    apart = np.square(points[one] - points[other]).sum(axis=1)
    error = np.einsum("ei,eij,ej->e", goal, planes[one], goal).clip(0.0) + LONG * apart**2
    order = np.lexsort((error, one))
    going, first = np.unique(one[order], return_index=True)
    onto, cost = np.full(len(points), -1), np.full(len(points), np.inf)
    onto[going], cost[going] = other[order][first], error[order][first]
    return onto, cost


def _without_folds(points: Array, faces: Index, onto: Index) -> Index:
    """Return the same, without points whose leaving would turn a triangle over."""
    bad = np.zeros(len(points), dtype=bool)
    corners = points[faces]
    before = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for corner in range(3):
        going = faces[:, corner]
        goal = onto[going]
        stays = (goal >= 0) & (goal[:, None] != faces).all(axis=1)
        moved = corners.copy()
        moved[stays, corner] = points[goal[stays]]
        after = np.cross(moved[:, 1] - moved[:, 0], moved[:, 2] - moved[:, 0])
        along = np.einsum("fi,fi->f", before, after)
        lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        bad[going[stays & (along < UPRIGHT * lengths)]] = True
    return np.where(bad, -1, onto)


def _apart(faces: Index, onto: Index, cost: Array, *, wanted: int) -> Index:
    """Choose of the cheapest points to go some of which no two share a triangle.

    Chance orders them: by cost, a smooth surface would give up one point after the other.
    """
    able = np.flatnonzero(onto >= 0)
    if not len(able):
        return able
    able = able[np.argsort(cost[able], kind="stable")]
    able = able[: max(1, min(4 * wanted, int(PART * len(able)) + 1))]
    rank = np.full(len(onto), len(onto))
    rank[able] = np.random.default_rng(0).permutation(len(able))
    least = rank.copy()
    around = rank[faces].min(axis=1)
    for corner in range(3):
        np.minimum.at(least, faces[:, corner], around)
    chosen = able[least[able] == rank[able]]
    return np.asarray(chosen[:wanted])
