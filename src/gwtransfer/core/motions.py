"""Rigid motions in batches: made from pairs, scored, told apart, and refined.

A motion is a (4, 4) array that takes x to R x + t, with R orthogonal.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from gwtransfer.core.descriptors import Indices, Surface
from gwtransfer.core.linalg import polar

Array = NDArray[np.float64]

APART = 15.0
"""Motions whose rotations differ by more degrees are different optima."""

ISOTROPIC = 0.05
"""Weight of the whole gap beside its part along the normal: it holds what planes let slide."""

OFF_SURFACE = 8.0
"""Weight in a score of the gap along a trusted normal, beside the whole gap."""

REFLECTED = 0.99
"""Factor of a reflection's score, so that a symmetric shape is turned and not reflected."""


def best_motions(source: Array, target: Array, weights: Array) -> Array:
    """Return the proper motions (b, 4, 4) nearest to groups of pairs (b, k, 3), weighted (b, k)."""
    shares = (weights / weights.sum(axis=1, keepdims=True))[..., None]
    centre0 = (shares * source).sum(axis=1, keepdims=True)
    centre1 = (shares * target).sum(axis=1, keepdims=True)
    cross = np.swapaxes(shares * (target - centre1), 1, 2) @ (source - centre0)
    return about(polar(cross, proper=True), centre0[:, 0], centre1[:, 0])


def about(turns: Array, source: Array, target: Array) -> Array:
    """Return motions (b, 4, 4) with rotations (b, 3, 3) that take source onto target, (b, 3)."""
    motions = np.tile(np.eye(4), (len(turns), 1, 1))
    motions[:, :3, :3] = turns
    motions[:, :3, 3] = target - (turns @ source[..., None])[..., 0]
    return motions


def moved(motions: Array, points: Array) -> Array:
    """Return points (n, 3) under motions (b, 4, 4), (b, n, 3)."""
    return np.asarray(points @ np.swapaxes(motions[:, :3, :3], 1, 2) + motions[:, None, :3, 3])


def scores(motions: Array, sides: tuple[Surface, Surface], reach: float, most: int) -> Array:
    """Return how much of both sides lies within reach of the other, (b,), in [0, 1]."""
    turns = np.swapaxes(motions[:, :3, :3], 1, 2)
    back = about(turns, motions[:, :3, 3], np.zeros(3))
    counts = [len(side.points) for side in sides]
    there = covered(motions, *sides, reach, most)
    return (there * counts[0] + covered(back, *sides[::-1], reach, most) * counts[1]) / sum(counts)


def covered(motions: Array, source: Surface, target: Surface, reach: float, most: int) -> Array:
    """Return how much of the source lies near the target and parallel to it, (b,)."""
    points = moved(motions, source.points[:most])
    weights, index, _ = nearest(points, target.tree, reach)
    gaps = ((target.points[index] - points) * target.normals[index]).sum(axis=-1)
    off = target.flatness[index] * (gaps / reach) ** 2
    weights = np.clip(weights - OFF_SURFACE * off, 0, None)
    normals = source.normals[:most] @ np.swapaxes(motions[:, :3, :3], 1, 2)
    crossing = 1 - (normals * target.normals[index]).sum(axis=-1) ** 2
    trust = source.flatness[:most] * target.flatness[index]
    return np.asarray((weights * (1 - trust * crossing)).mean(axis=1))


def nearest(points: Array, tree: cKDTree, reach: float) -> tuple[Array, Indices, Array]:
    """Return weights 1 − (distance/reach)² or 0, the nearest points' rows, and the distances."""
    distances, index = tree.query(points, distance_upper_bound=max(reach, np.finfo(float).eps))
    hit = np.isfinite(distances)
    ratios = np.where(hit, distances, 0) / max(reach, np.finfo(float).eps)
    return np.where(hit, 1 - ratios**2, 0), np.where(hit, index, 0), distances


def different(
    motions: Array, values: Array, most: int, *, angle: float = APART, shift: float = np.inf
) -> Indices:
    """Return the rows of the best motions that differ by degrees or by a shift, best first.

    A reflection's value counts REFLECTED times.
    """
    values = values * np.where(np.linalg.det(motions[:, :3, :3]) < 0, REFLECTED, 1)
    kept: list[int] = []
    for row in np.argsort(-values, kind="stable"):
        traces = (motions[kept, :3, :3] * motions[row, :3, :3]).sum(axis=(1, 2))
        shifts = np.linalg.norm(motions[kept, :3, 3] - motions[row, :3, 3], axis=1)
        near = (traces > 1 + 2 * np.cos(np.radians(angle))) & (shifts <= shift)
        if not near.any():
            kept.append(int(row))
        if len(kept) == most:
            break
    return np.array(kept, dtype=np.intp)


def refined(motions: Array, sides: tuple[Surface, Surface], reaches: Array, most: int) -> Array:
    """Return motions after a step towards the target for each reach."""
    source, target = sides
    for reach in reaches:
        points = moved(motions, source.points[:most])
        weights, index, _ = nearest(points, target.tree, float(reach))
        motions = stepped(motions, points, target.points[index], target.normals[index], weights)
    return motions


def stepped(motions: Array, points: Array, goals: Array, normals: Array, weights: Array) -> Array:
    """Take the Gauss–Newton step of Σ w [(n·g)² + ISOTROPIC |g|²] over gaps g of moved points.

    Parameters
    ----------
    motions : (b, 4, 4) array
    points, goals, normals : (b, k, 3) arrays
        Points already moved, where they should go, and the normals there.
    weights : (b, k) array
    """
    count, k = weights.shape
    centre = points.mean(axis=1, keepdims=True)
    arms, gaps = points - centre, goals - points
    x, y, z = np.moveaxis(arms, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=-1).reshape(count, k, 3, 3)
    root = np.sqrt(ISOTROPIC)
    rows = np.zeros((count, k, 4, 6))
    rows[:, :, 0, :3] = (normals[:, :, None] @ cross)[:, :, 0]
    rows[:, :, 0, 3:] = normals
    rows[:, :, 1:, :3] = root * cross
    rows[:, :, 1:, 3:] = root * np.eye(3)
    right = np.concatenate([(normals * gaps).sum(axis=-1, keepdims=True), root * gaps], axis=-1)
    weighted = np.swapaxes((rows * weights[..., None, None]).reshape(count, 4 * k, 6), 1, 2)
    hessian = weighted @ rows.reshape(count, 4 * k, 6)
    gradient = weighted @ right.reshape(count, 4 * k, 1)
    ridge = 1e-12 * np.trace(hessian, axis1=1, axis2=2) + np.finfo(float).tiny
    step = np.linalg.solve(hessian + ridge[:, None, None] * np.eye(6), gradient)[..., 0]
    turns = Rotation.from_rotvec(step[:, :3]).as_matrix()
    held = (turns @ (motions[:, :3, 3] - centre[:, 0])[..., None])[..., 0]
    result = motions.copy()
    result[:, :3, :3] = turns @ motions[:, :3, :3]
    result[:, :3, 3] = held + centre[:, 0] + step[:, 3:]
    return result
