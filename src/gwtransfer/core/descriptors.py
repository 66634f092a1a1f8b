"""Surfaces as points: evenly thinned clouds with normals, and histograms that describe places."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

NORMAL_NEIGHBOURS = 12
"""Points whose least axis is a normal."""

MOST_NEIGHBOURS = 40
"""Neighbours a descriptor looks at, at most."""

BINS = 11
"""Bins of each of a descriptor's three histograms."""

ISOLATED = 4.0
"""A point is stray when its eighth neighbour is this many times farther than is usual."""

FEW = 64
"""Among so few points none is stray."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Evenly spread points with unoriented normals.

    Attributes
    ----------
    points, normals : (n, 3) arrays
    flatness : (n,) array
        1 where the neighbours lie on a plane, 0 where they lie on a line or fill space: how far
        the normal can be trusted.
    tree : scipy.spatial.cKDTree
    """

    points: Array
    normals: Array
    flatness: Array
    tree: cKDTree

    @classmethod
    def of(cls, points: Array, size: float, rng: np.random.Generator) -> "Surface":
        """Thin points (n, 3) to one a voxel of edge ``size``, in random order.

        So the first rows are a sample of all.
        """
        points = rng.permutation(thinned(points, size))
        tree = cKDTree(points)
        near = neighbours(tree, points, NORMAL_NEIGHBOURS)[1]
        offsets = points[near] - points[near].mean(axis=1, keepdims=True)
        values, vectors = np.linalg.eigh(np.swapaxes(offsets, 1, 2) @ offsets)
        spread = np.maximum(values[:, 2], np.finfo(float).tiny)
        flatness = np.clip((values[:, 1] - values[:, 0]) / spread, 0, 1)
        return cls(points, vectors[:, :, 0], flatness, tree)


def neighbours(tree: cKDTree, places: Array, most: int) -> tuple[Array, Indices]:
    """Return distances and indices (n, k) of the nearest points, k = most or as many as exist."""
    k = min(most, tree.n)
    distances, index = tree.query(places, k=k)
    return distances.reshape(len(places), k), index.reshape(len(places), k)


def thinned(points: Array, size: float) -> Array:
    """Return the mean point of each voxel of edge ``size``; the distinct points where it is 0."""
    if size <= 0:
        return np.unique(points, axis=0)
    _, inverse, counts = np.unique(cells(points, size), return_inverse=True, return_counts=True)
    sums = [np.bincount(inverse, points[:, axis]) for axis in range(3)]
    return np.asarray(np.stack(sums, axis=1) / counts[:, None])


def cells(points: Array, size: float) -> Indices:
    """Return the number of each point's voxel, (n,)."""
    places = np.floor((points - points.min(axis=0)) / size).astype(np.int64)
    spans = places.max(axis=0) + 1
    return np.asarray((places[:, 0] * spans[1] + places[:, 1]) * spans[2] + places[:, 2])


def without_strays(points: Array) -> Array:
    """Return the points that are not isolated."""
    if len(points) <= FEW:
        return points
    far = neighbours(cKDTree(points), points, 9)[0][:, -1]
    usual = float(np.median(far))
    return np.asarray(points[far <= ISOLATED * usual]) if usual > 0 else points


def voxel_size(points: Array, count: int) -> float:
    """Return the edge of voxels of which points (n, 3) occupy about ``count``.

    0 where there are not more points: they are left as they are.
    """
    if len(points) <= count:
        return 0.0
    extent = float(np.ptp(points, axis=0).max())
    sizes = extent * np.geomspace(1e-4, 1, 129)
    low, high = 0, len(sizes) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if len(np.unique(cells(points, sizes[middle]))) > count:
            low = middle
        else:
            high = middle
    return float(sizes[high])


def describe(surface: Surface, radius: float) -> Array:
    """Return fast point feature histograms (n, 33) of the places within ``radius``.

    Three angles between a normal and its neighbours' make a histogram each; a place's own are
    joined by the mean of its neighbours', the near ones counting more (Rusu, Blodow and Beetz
    2009). Normals point away from the neighbours, so that no viewpoint is needed.
    """
    points, rows = surface.points, np.arange(len(surface.points))[:, None]
    distances, index = neighbours(surface.tree, points, MOST_NEIGHBOURS)
    inside = (distances > 0) & (distances <= radius)
    near = np.where(inside, 1 / np.where(inside, distances, 1), 0)
    along = (points[index] - points[:, None]) * near[..., None]
    inward = (along.sum(axis=1) * surface.normals).sum(axis=1) > 0
    outward = surface.normals * np.where(inward, -1, 1)[:, None]
    u, other = outward[:, None], outward[index]
    lean, slope = (u * along).sum(-1), (u * other).sum(-1)
    across = np.maximum(np.sqrt(np.clip(1 - lean**2, 0, None)), 1e-9)
    twist = (triple(along, u, other)) / across
    turn = ((along * other).sum(-1) - lean * slope) / across
    shares = [(twist + 1) / 2, (lean + 1) / 2, (np.arctan2(turn, slope) / np.pi + 1) / 2]
    own = np.zeros(len(points) * 3 * BINS)
    for number, share in enumerate(shares):
        place = share * BINS - 0.5
        low = np.floor(place).astype(np.intp)
        for bin_, weight in ((low, low + 1 - place), (low + 1, place - low)):
            held = bin_ % BINS if number == 2 else np.clip(bin_, 0, BINS - 1)
            flat = (rows * 3 + number) * BINS + held
            own += np.bincount(flat.ravel(), (weight * inside).ravel(), minlength=len(own))
    own = own.reshape(len(points), 3 * BINS) / np.maximum(inside.sum(axis=1), 1)[:, None]
    total = np.maximum(near.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(own + ((near / total)[:, None] @ own[index])[:, 0])


def triple(a: Array, b: Array, c: Array) -> Array:
    """Return the scalar triple products (a × b)·c of vectors (..., 3)."""
    first = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    second = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    third = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.asarray(first * c[..., 0] + second * c[..., 1] + third * c[..., 2])
