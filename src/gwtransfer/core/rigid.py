"""Rigid registration of two clouds without a first guess, whole or partly overlapping.

Local descriptors propose pairs of points. Pairs that keep one another's distances propose motions;
so do the principal axes and a fixed set of rotations. A motion is scored by how much of either
cloud lies within reach of the other, so that neither a small patch nor a missing part decides. The
best distinct ones are refined on about 600 points a side, the best of those on 2000, and the
winner on the points as they are.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from gwtransfer.core.descriptors import Indices, Surface, describe, voxel_size, without_strays
from gwtransfer.core.linalg import eigenbasis, polar
from gwtransfer.core.motions import (
    about,
    best_motions,
    different,
    moved,
    nearest,
    refined,
    scores,
    stepped,
)
from gwtransfer.errors import DataError, ShapeError

Array = NDArray[np.float64]

COARSE, FINE, LAST = 600, 2000, 1000
"""Points a side where motions are found and where they are ranked, and of the source at the end."""

SAMPLE = 20_000
"""Points a side that take part until the end."""

UNEVEN = 2.0
"""Voxels are at most this much larger on the more extended side than its count asks."""

DESCRIBED = 5.0
"""Radius of a descriptor, in coarse voxels."""

PAIRS, SEEDS, FRIENDS = 600, 150, 20
"""Proposed pairs; those around which a motion is sought, and how many make one."""

CANDIDATES, FINALISTS = 16, 6
"""Distinct motions refined on coarse and on fine points."""

LEAST = 1e-9
"""Least reach, as a share of the larger side's radius."""

LAST_ROUNDS = 15
"""Refinements on the points as they are, at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Registration:
    """What takes a source onto a target.

    Attributes
    ----------
    matrix : (4, 4) array
        x ↦ matrix[:3, :3] x + matrix[:3, 3], an isometry.
    score : float
        In [0, 1]: the part of both clouds together that lies on the other, near and parallel
        counting more. Half an overlap scores at most a half.
    runner_up : (4, 4) array or None
        Best motion whose rotation differs by more than APART degrees; None where there is no other.
    runner_up_score : float
        Its score. Near ``score``, the shape is ambiguous.
    share : float
        Part of the source within ``reach`` of the target.
    rms : float
        Root mean square distance of that part to the target, in the unit of the points.
    reach : float
        Distance beyond which points do not count, in the same unit.
    """

    matrix: Array
    score: float
    runner_up: Array | None
    runner_up_score: float
    share: float
    rms: float
    reach: float

    @classmethod
    def shift(cls, step: Array) -> "Registration":
        """Return the perfect registration of one place onto another, ``step`` (3,) away."""
        matrix = np.eye(4)
        matrix[:3, 3] = step
        return cls(
            matrix=matrix,
            score=1.0,
            runner_up=None,
            runner_up_score=0.0,
            share=1.0,
            rms=0.0,
            reach=0.0,
        )


def register(
    source: Array,
    target: Array,
    *,
    seed: int,
    rotation: Literal["proper", "any"] = "proper",
) -> Registration:
    """Find the isometry of space that takes the source onto the target.

    Parameters
    ----------
    source : (n, 3) array
    target : (m, 3) array
        In the same unit: the scale is not sought. Densities and samplings may differ.
    seed : int
        Orders the points from which samples are taken.
    rotation : {"proper", "any"}
        With "any" a reflection is allowed where it is clearly better.

    Raises
    ------
    ShapeError
        A side is not (n, 3).
    DataError
        A side is empty, holds a number that is not finite, or is one place where the other is not.
    """
    sides = [checked(points, name) for points, name in ((source, "source"), (target, "target"))]
    centres = [points.mean(axis=0) for points in sides]
    single = [bool((points == points[0]).all()) for points in sides]
    if all(single):
        return Registration.shift(sides[1][0] - sides[0][0])
    if any(single):
        name = "source" if single[0] else "target"
        raise DataError(f"{name}: expected two distinct points or more, got one place")
    sides = [points - centre for points, centre in zip(sides, centres, strict=True)]
    unit = max(float(np.sqrt((points**2).sum(axis=1).mean())) for points in sides)
    sides = [points / unit for points in sides]
    rng = np.random.default_rng(seed)
    clean = [without_strays(rng.permutation(points)[:SAMPLE]) for points in sides]
    coarse, size = surfaces(clean, COARSE, rng)
    motions = proposals(coarse, size)
    if rotation == "any":
        mirror = np.diag([-1.0, 1, 1, 1])
        seen = Surface(
            coarse[0].points * [-1, 1, 1],
            coarse[0].normals * [-1, 1, 1],
            coarse[0].flatness,
            cKDTree(coarse[0].points * [-1, 1, 1]),
        )
        motions = np.concatenate([motions, proposals((seen, coarse[1]), size) @ mirror])
    motions = refined(motions, coarse, np.linspace(3 * size, 1.5 * size, 6), 250)
    motions = motions[different(motions, scores(motions, coarse, 1.5 * size, 400), FINALISTS)]
    fine, small = surfaces(clean, FINE, rng)
    motions = refined(motions, fine, np.linspace(1.5 * size, 1.5 * small, 4), 400)
    values = scores(motions, fine, 1.5 * small, 1000)
    best = different(motions, values, 2)
    matrix, distances, reach = settled(motions[best[0]], sides, fine[1], 2 * small, rng)
    hit = distances <= reach
    return Registration(
        matrix=replaced(matrix, centres, unit),
        score=float(values[best[0]]),
        runner_up=replaced(motions[best[1]], centres, unit) if len(best) > 1 else None,
        runner_up_score=float(values[best[1]]) if len(best) > 1 else 0.0,
        share=float(hit.mean()),
        rms=float(np.sqrt(np.mean(distances[hit] ** 2))) * unit if hit.any() else 0.0,
        reach=reach * unit,
    )


def checked(points: Array, name: str) -> Array:
    """Return points as a float64 array (n, 3), or say what is wrong with them."""
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ShapeError(f"{name}: expected points of shape (n, 3), got {points.shape}")
    if len(points) == 0:
        raise DataError(f"{name}: expected at least one point, got none")
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points).all(axis=1)).sum())
        raise DataError(f"{name}: expected finite coordinates, got {bad} points without; drop them")
    return points


def surfaces(
    sides: list[Array], count: int, rng: np.random.Generator
) -> tuple[tuple[Surface, Surface], float]:
    """Return both sides thinned by voxels of one size, and that size.

    The less extended side keeps about ``count`` points.
    """
    small, large = sorted(voxel_size(points, count) for points in sides)
    size = max(small, large / UNEVEN)
    source, target = (Surface.of(points, size, rng) for points in sides)
    spacing = [
        float(np.median(side.tree.query(side.points, k=2)[0][:, 1]))
        for side in (source, target)
        if len(side.points) > 1
    ]
    return (source, target), max([size, *(1.5 * distance for distance in spacing), LEAST])


def proposals(sides: tuple[Surface, Surface], size: float) -> Array:
    """Return the best distinct motions (b, 4, 4) proposed, on the coarse points."""
    source, target = (side.points for side in sides)
    rows0, rows1 = paired(*(describe(side, DESCRIBED * size) for side in sides))
    motions = np.concatenate(
        [consistent(source[rows0], target[rows1], size), axis_motions(source, target)]
    )
    values = scores(motions, sides, 2 * size, 100)
    return motions[different(motions, values, CANDIDATES, angle=10.0, shift=2 * size)]


def paired(features0: Array, features1: Array) -> tuple[Indices, Indices]:
    """Return rows of either side, (p,) each, whose features are among each other's two nearest.

    Mutual pairs come first, then the closest.
    """
    squares = (features0**2).sum(1)[:, None] + (features1**2).sum(1)
    costs = squares - 2 * features0 @ features1.T
    n0, n1 = costs.shape
    there = np.argpartition(costs, min(1, n1 - 1), axis=1)[:, :2] + np.arange(n0)[:, None] * n1
    back = np.argpartition(costs, min(1, n0 - 1), axis=0)[:2] * n1 + np.arange(n1)
    codes, times = np.unique(np.concatenate([there.ravel(), back.ravel()]), return_counts=True)
    codes = codes[np.lexsort([costs.ravel()[codes], -times])][:PAIRS]
    return codes // n1, codes % n1


def consistent(source: Array, target: Array, tolerance: float) -> Array:
    """Return motions (b, 4, 4) of groups of pairs (p, 3), (p, 3) that keep their distances.

    Two pairs agree when their distances on either side do within ``tolerance``. Around each of the
    pairs with most support, the ones that share most agreeing pairs with it make a motion (Chen,
    Sun, Yang and Tao 2022).
    """
    lengths0, lengths1 = lengths(source), lengths(target)
    agree = np.abs(lengths0 - lengths1) < tolerance
    agree &= np.minimum(lengths0, lengths1) > 2 * tolerance
    first = agree.astype(np.float32)
    shared = first * (first @ first)
    seeds = np.argsort(-shared.sum(axis=1), kind="stable")[:SEEDS]
    friends = np.argsort(-shared[seeds], axis=1, kind="stable")[:, : FRIENDS - 1]
    groups = np.concatenate([seeds[:, None], friends], axis=1)
    weights = np.take_along_axis(shared[seeds], groups, axis=1).astype(np.float64)
    weights[:, 0] = np.maximum(weights.max(axis=1), 1)
    return best_motions(source[groups], target[groups], weights)


def lengths(points: Array) -> NDArray[np.float32]:
    """Return the distances between points, (p, p)."""
    single = points.astype(np.float32)
    squares = (single**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * single @ single.T, 0))
    return np.asarray(distances, dtype=np.float32)


def axis_motions(source: Array, target: Array) -> Array:
    """Return motions that align centres and axes, with 4 choices of sign and 60 more rotations."""
    axes = []
    for points in (source, target):
        vectors = eigenbasis(np.cov(points.T, bias=True))[1]
        axes.append(vectors * [1, 1, np.sign(np.linalg.det(vectors))])
    signs = Rotation.create_group("D2").as_matrix()
    turns = np.concatenate([signs, Rotation.create_group("I").as_matrix()])
    return about(axes[1] @ turns @ axes[0].T, source.mean(axis=0), target.mean(axis=0))


def settled(
    motion: Array, sides: list[Array], surface: Surface, reach: float, rng: np.random.Generator
) -> tuple[Array, Array, float]:
    """Refine a motion (4, 4) on the points as they are, reaching as far as the noise demands.

    Returns
    -------
    motion : (4, 4) array
    distances : (k,) array
        From LAST points of the source to the target; infinite beyond the first reach.
    reach : float
    """
    source, target = sides
    points = source[rng.permutation(len(source))[:LAST]]
    tree = cKDTree(target, balanced_tree=False, compact_nodes=False)
    for _ in range(LAST_ROUNDS):
        images = moved(motion[None], points)
        weights, index, distances = nearest(images, tree, reach)
        goals = target[index]
        normals = surface.normals[surface.tree.query(goals)[1]]
        after = stepped(motion[None], images, goals, normals, weights)[0]
        change = np.abs(after - motion).max()
        motion = after
        if change < 1e-7:
            break
        hit = np.isfinite(distances)
        if hit.any():
            reach = min(reach, max(3 * float(np.sqrt(np.mean(distances[hit] ** 2))), LEAST))
    motion[:3, :3] = polar(motion[:3, :3])
    return motion, nearest(moved(motion[None], points), tree, reach)[2][0], reach


def replaced(motion: Array, centres: list[Array], unit: float) -> Array:
    """Return a motion between centred clouds in ``unit`` as one between the clouds as they came."""
    matrix = motion.copy()
    matrix[:3, 3] = unit * motion[:3, 3] + centres[1] - motion[:3, :3] @ centres[0]
    return matrix
