"""A matrix of distances as points of a plane, and as a tree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scaling:
    """Points whose mutual distances are nearest to given ones, by classical scaling.

    Attributes
    ----------
    points : (n, p) array
        Centred, on their principal axes, widest first; the largest coordinate of each axis is
        positive.
    explained : float
        Share of the eigenvalues, by size, that these axes hold; 1 for points of p dimensions.
    stress : float
        Root of Σ (distance shown − distance given)² / Σ (distance given)², over all pairs.
    """

    points: Array
    explained: float
    stress: float


def scale(distances: Array, dimension: int = 2) -> Scaling:
    """Place n items by their mutual distances.

    Parameters
    ----------
    distances : (n, n) array, symmetric with zero diagonal
    dimension : int
        p; axes beyond those the distances have are zero.
    """
    squared = distances**2
    inner = -(squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()) / 2
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    count = min(dimension, len(values))
    kept = np.clip(values[::-1][:count], 0.0, None)
    points = np.zeros((len(distances), dimension))
    points[:, :count] = vectors[:, ::-1][:, :count] * np.sqrt(kept)
    largest = np.abs(points).argmax(axis=0)
    points *= np.where(points[largest, np.arange(dimension)] < 0, -1.0, 1.0)
    total = float(np.abs(values).sum())
    shown = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    given = float(squared.sum())
    return Scaling(
        points=points + 0.0,  # no negative zeros
        explained=float(kept.sum()) / total if total > 0 else 1.0,
        stress=float(np.sqrt(((shown - distances) ** 2).sum() / given)) if given > 0 else 0.0,
    )


def average_linkage(distances: Array) -> Array:
    """Return the tree of average linkage (n − 1, 4), in the form of SciPy.

    Branches are turned so that neighbouring leaves are as near as the tree allows.

    Parameters
    ----------
    distances : (n, n) array, symmetric with zero diagonal, n >= 2
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    tree = linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    return np.asarray(tree)


def leaves(tree: Array) -> NDArray[np.int64]:
    """Return the items in the order of the tree's leaves."""
    from scipy.cluster.hierarchy import leaves_list

    return np.asarray(leaves_list(tree), dtype=np.int64)


def branches(tree: Array) -> Array:
    """Return how to draw a tree: four points (height, place) for each of its joints.

    Returns
    -------
    (n − 1, 4, 2) array
        From one child up to the joint, along it, and down to the other child. Leaves are at height
        0 and places 0, 1, … in the order of `leaves`.
    """
    count = len(tree) + 1
    heights = np.concatenate([np.zeros(count), tree[:, 2]])
    places = np.zeros(2 * count - 1)
    places[leaves(tree)] = np.arange(count)
    drawn = np.empty((len(tree), 4, 2))
    for joint, (left, right) in enumerate(tree[:, :2].astype(np.int64)):
        ends = heights[[left, right]], places[[left, right]]
        top = heights[count + joint]
        drawn[joint, :, 0] = ends[0][0], top, top, ends[0][1]
        drawn[joint, :, 1] = ends[1][0], ends[1][0], ends[1][1], ends[1][1]
        places[count + joint] = ends[1].mean()
    return drawn
