"""Matching where the shapes stand in space: by mixtures and their map, or by a motion alone."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gwtransfer.adapters.open3d import icp
from gwtransfer.core.linalg import polar
from gwtransfer.core.maps import mean_map
from gwtransfer.core.nearest import nearest
from gwtransfer.core.rigid import register
from gwtransfer.core.surface import areas, on_surface, spread
from gwtransfer.core.types import Cloud, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.matching.matched import Matched, shares
from gwtransfer.pipeline import FitStage, PlanStage, PrepareStage, fit_item, planned

Array = NDArray[np.float64]
Watch = Callable[[str, int, int], None]

SAMPLES = 2_000
"""Points a side between which the embedding of whole shapes is refined."""

ROUNDS, STILL = 100, 1e-9
"""Rounds of that at most; it stops when a round gains less than this share of the spread."""

SURFACE = 20_000
"""Points drawn on a mesh that is registered, and points of the source that ICP moves."""


def match(
    source: Cloud,
    target: Cloud,
    prepare: PrepareStage,
    fit: FitStage,
    plan: PlanStage,
    *,
    seed: int,
    refine: bool = True,
    top: int = 1,
    watch: Watch = lambda *_: None,
) -> Matched:
    """Match two shapes as they stand, up to rotation and size.

    The plan's map takes the source's points into the target's space; then EW2 between the points
    themselves, embedding and nearest neighbours in turns, refines the plan's embedding.

    Parameters
    ----------
    refine : bool
        Without it the nearest neighbours of the mapped points are the match.
    top : int
        Choices for each vertex.

    Raises
    ------
    DataError
        A shape is one place.
    """
    for cloud in (source, target):
        if not np.ptp(cloud.vertices, axis=0).any():
            raise DataError(f"{cloud.name}: expected points that differ, found one place")
    watch("fits", 0, 0)
    mixtures = [fit_item(cloud, prepare, fit, seed=seed) for cloud in (source, target)]
    watch("plan", 0, 0)
    made = planned(plan, *mixtures)
    x = mixtures[0].space.to_working(source.vertices)
    y = mixtures[1].space.to_working(target.vertices)
    embedding = np.eye(3) if made.embedding is None else made.embedding
    moved = mixtures[1].space.to_working(mean_map(made)(source.vertices))
    score = float(made.coupling.sum() - made.value / _constant(made))
    if refine:
        watch("refinement", 0, 0)
        embedding, score = _settled(x, y, embedding)
        moved = x @ embedding
    unit = mixtures[1].space.unit
    choices, apart = _choices(moved, y, top)
    ratio = unit / mixtures[0].space.unit
    linear = ratio * embedding.T
    motion = np.eye(4)
    motion[:3, :3] = linear
    motion[:3, 3] = mixtures[1].space.origin - linear @ mixtures[0].space.origin
    return Matched(
        source=source,
        target=target,
        choices=choices,
        apart=apart * unit,
        weights=shares(apart**2),
        method="xyz",
        embedding=embedding,
        motion=motion if refine else None,
        value=made.value,
        bound=made.bound,
        score=score,
        runner_up=None,
    )


def _constant(plan: TransportPlan) -> float:
    total = 0.0
    for side in (plan.source, plan.target):
        total += float(np.trace(side.covariance))
    return total


def _settled(x: Array, y: Array, embedding: Array) -> tuple[Array, float]:
    """Alternate nearest neighbours and polar embedding; return it and the explained share."""
    source = x[spread(x, min(SAMPLES, len(x)))]
    proper = bool(np.linalg.det(embedding) > 0)
    tree = cKDTree(y)
    scale = float((source**2).sum() / len(source))
    before = np.inf
    for _ in range(ROUNDS):
        matched = y[tree.query(source @ embedding)[1]]
        gap = float(((source @ embedding - matched) ** 2).sum() / len(source))
        if before - gap <= STILL * scale:
            break
        before = gap
        embedding = polar(source.T @ matched, proper=proper)
    return embedding, 1.0 - min(before, scale) / scale


def match_rigid(
    source: Cloud,
    target: Cloud,
    *,
    seed: int,
    rotation: Literal["proper", "any"] = "proper",
    polished: bool = False,
    top: int = 1,
    watch: Watch = lambda *_: None,
) -> Matched:
    """Match by the motion that lays most of each shape on the other, from no first guess.

    Parameters
    ----------
    polished : bool
        Refine the motion by ICP onto all of the target's points.
    """
    watch("registration", 0, 0)
    points = [_dense(cloud) for cloud in (source, target)]
    found = register(points[0], points[1], seed=seed, rotation=rotation)
    motion = found.matrix
    if polished:
        watch("ICP", 0, 0)
        stride = -(-len(points[0]) // SURFACE)
        motion = icp(points[0][::stride], points[1], motion, found.reach)[0]
    moved = source.vertices @ motion[:3, :3].T + motion[:3, 3]
    choices, apart = _choices(moved, target.vertices, top)
    return Matched(
        source=source,
        target=target,
        choices=choices,
        apart=apart,
        weights=shares(apart**2),
        method="rigid",
        embedding=motion[:3, :3].T,
        motion=motion,
        value=None,
        bound=None,
        score=found.score,
        runner_up=None if found.runner_up is None else found.runner_up_score,
    )


def _dense(cloud: Cloud) -> Array:
    """Return points to register: of the surface where there is one."""
    if cloud.faces is None or not areas(cloud.vertices, cloud.faces).sum() > 0:
        return cloud.vertices
    return on_surface(cloud.vertices, cloud.faces, SURFACE, np.random.default_rng(0))


def _choices(points: Array, among: Array, count: int) -> tuple[NDArray[np.intp], Array]:
    """Return the nearest points (n, count), nearest first, and their distances."""
    if count == 1:
        index, apart = nearest(points, among)
        return index[:, None], apart[:, None]
    apart, index = cKDTree(among).query(points, count)
    return np.asarray(index, dtype=np.intp), np.asarray(apart)
