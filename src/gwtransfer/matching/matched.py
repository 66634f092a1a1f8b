"""What a match is, whichever way it was found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Matched:
    """For each vertex of the source, a vertex of the target.

    Attributes
    ----------
    source, target : Cloud
    choices : (n, q) array
        The q best target vertices, nearest first, as indices of ``target.vertices``.
    apart : (n, q) array, at least 0
        How far each source vertex is carried from its choices: in the target's units where the
        shapes are matched in space, else in radii of the target's matching coordinates.
    weights : (n, q) array
        Their shares, each row summing to 1.
    method : {"spectral", "xyz", "rigid"}
    embedding : (p, p) array
        The orthogonal matrix found, from source to target coordinates, as rows.
    motion : (4, 4) array or None
        x ↦ motion[:3, :3] x + motion[:3, 3], from the source's to the target's coordinates.
    value, bound : float or None
        Of the mixtures' plan the match began with.
    score : float
        How good the match is, 1 at best: the share of eigenfunctions that correspond, of the
        clouds that overlap, or of the points' spread that is explained.
    runner_up : float or None
        The score of the best match that is clearly another one.
    upright : float or None
        From 1, the surface keeps its outside, to −1, it is turned inside out: a mirror image.
    mirrored : float or None
        The score of the best mirror image that was set aside.
    """

    source: Cloud
    target: Cloud
    choices: Index
    apart: Array
    weights: Array
    method: str
    embedding: Array
    motion: Array | None
    value: float | None
    bound: float | None
    score: float
    runner_up: float | None
    upright: float | None = None
    mirrored: float | None = None

    @property
    def index(self) -> Index:
        """The target vertex of each source vertex, (n,)."""
        return np.asarray(self.choices[:, 0])

    @property
    def distance(self) -> Array:
        """How far each source vertex is from it, (n,)."""
        return np.asarray(self.apart[:, 0])


def numbers(cloud: Cloud) -> NDArray[np.int64]:
    """Return the file's number, from 0, of each vertex."""
    return np.arange(len(cloud.vertices)) if cloud.numbers is None else cloud.numbers


def shares(squares: Array) -> Array:
    """Return weights (n, q) of choices at squared distances (n, q), sorted; rows sum to 1.

    They fall by e at the usual squared distance of a best choice.
    """
    usual = float(np.median(squares[:, 0]))
    usual = usual or float(np.mean(squares)) or 1.0
    weights = np.exp(-(squares - squares[:, :1]) / usual)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
