"""A plan between two shapes as bodies: an ellipsoid for each component, or the shapes in parts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.laplacian import eigenbasis
from gwtransfer.core.types import Cloud, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.matching.output import position_colors
from gwtransfer.prepare.spectral import Spectral
from gwtransfer.report.shapes_fewer import Fewer, fewer
from gwtransfer.report.shapes_views import facing_alike, standing, view

Array = NDArray[np.float64]
Index = NDArray[np.intp]

REACH = 1.8
"""Radii of an ellipsoid in standard deviations of its component."""

THINNEST = 0.02
"""Least radius of an ellipsoid, in radii of the shape."""


def colours_of(plan: TransportPlan) -> tuple[Array, Array]:
    """Return a colour of each component in [0, 1]: the target's by place, the source's carried."""
    own = position_colors(_three(plan.target.means))
    total = plan.coupling.sum(axis=1, keepdims=True)
    return (plan.coupling @ own / total).clip(0.0, 1.0), own


def views(
    plan: TransportPlan, shapes: tuple[Cloud, Cloud] | None, provenance: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[list[int]]]:
    """Return both sides for turntables, and the component of each of their faces or points.

    Parameters
    ----------
    shapes : pair of Cloud, or None
        What the mixtures were fitted to; None shows ellipsoids.
    """
    paints = colours_of(plan)
    if shapes is None:
        bodies = [ellipsoids(mixture) for mixture in (plan.source, plan.target)]
    else:
        bodies = [
            in_parts(cloud, mixture, provenance.get(side, {}))
            for cloud, mixture, side in zip(
                shapes, (plan.source, plan.target), ("source", "target"), strict=True
            )
        ]
    middles = [
        _three(plan.source.means) if shapes is None else _middles(*bodies[0][::2], plan.source),
        _three(plan.target.means) if shapes is None else _middles(*bodies[1][::2], plan.target),
    ]
    turn = standing(bodies[0][0].vertices)
    moved = plan.coupling @ middles[1] / plan.coupling.sum(axis=1, keepdims=True)
    weights = np.sqrt(plan.source.weights)[:, None]
    centred = [one - plan.source.weights @ one for one in (middles[0], moved)]
    both = (turn, facing_alike(turn, centred[0] * weights, centred[1] * weights))
    shown, owners = [], []
    for (cloud, chosen, part), turned, paint in zip(bodies, both, paints, strict=True):
        shown.append(view(cloud, chosen, turned, paint[part]))
        own = part[chosen.kept]
        owners.append((own if chosen.faces is None else own[chosen.faces[:, 0]]).tolist())
    return shown, owners


def ellipsoids(mixture: GaussianMixture) -> tuple[Cloud, Fewer, Index]:
    """Return an ellipsoid for each component along three axes, and whose each vertex is."""
    ball, faces = _ball()
    means = _three(mixture.means)
    spreads = np.zeros((mixture.count, 3, 3))
    kept = min(3, mixture.dimension)
    spreads[:, :kept, :kept] = mixture.covariances[:, :kept, :kept]
    values, vectors = np.linalg.eigh(spreads)
    least = THINNEST * float(np.sqrt(np.square(means - means.mean(axis=0)).sum(axis=1).mean()))
    radii = np.maximum(REACH * np.sqrt(values.clip(0.0)), least or 1e-6)
    points = np.einsum("vi,ki,kji->kvj", ball, radii, vectors) + means[:, None]
    own = np.repeat(np.arange(mixture.count), len(ball))
    corners = faces + len(ball) * np.arange(mixture.count)[:, None, None]
    cloud = Cloud(name="", vertices=points.reshape(-1, 3), faces=corners.reshape(-1, 3))
    return cloud, Fewer(kept=np.arange(len(own)), faces=corners.reshape(-1, 3)), own


def in_parts(
    cloud: Cloud, mixture: GaussianMixture, made_by: dict[str, Any]
) -> tuple[Cloud, Fewer, Index]:
    """Return a shape for a page, and the likeliest component of each of its vertices."""
    raw = cloud.vertices
    if mixture.space.coordinates == "spectral":
        kind = made_by.get("prepare", {}).get("kind", "commute")
        stage = Spectral(dimensions=mixture.space.raw_dimension, kind=kind)
        basis = eigenbasis(cloud, stage.dimensions + 1)
        raw = stage.coordinates(basis, cloud.name)[basis.shape.support]
    if raw.shape[1] != mixture.space.raw_dimension:
        raise DataError(f"{cloud.name}: expected the shape that the plan was made of")
    part = mixture.densities.shares(mixture.space.to_working(raw)).argmax(axis=1)
    return cloud, fewer(cloud), np.asarray(part)


def _middles(cloud: Cloud, part: Index, mixture: GaussianMixture) -> Array:
    """Return the mean place of the vertices of each component; of none, that of all."""
    count = np.bincount(part, minlength=mixture.count)
    sums = np.stack(
        [np.bincount(part, axis, minlength=mixture.count) for axis in cloud.vertices.T], axis=1
    )
    middle = cloud.vertices.mean(axis=0)
    return np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], middle)


def _three(points: Array) -> Array:
    """Return points by their first three coordinates, zeros where they have fewer."""
    padded = np.zeros((len(points), 3))
    padded[:, : min(3, points.shape[1])] = points[:, :3]
    return padded


def _ball() -> tuple[Array, Index]:
    """Return the vertices (42, 3) and faces (80, 3) of a ball: an icosahedron divided once."""
    golden = (1 + 5**0.5) / 2
    ring = np.array([[-1, golden, 0], [1, golden, 0], [-1, -golden, 0], [1, -golden, 0]])
    points = np.concatenate([np.roll(ring, turn, axis=1) for turn in range(3)])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    gaps = np.linalg.norm(points[:, None] - points, axis=-1)
    near = (gaps > 0) & (gaps < 1.1)
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    corners = np.array(faces)
    sides = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
    edges, place = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
    middles = points[edges].mean(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    (a, b, c), (ab, bc, ca) = corners.T, 12 + place.reshape(-1, 3).T
    divided = np.concatenate(
        [np.column_stack(three) for three in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    )
    return np.concatenate([points, middles]), divided
