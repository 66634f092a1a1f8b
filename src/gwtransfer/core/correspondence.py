"""Point matches between two shapes: EW2 of their eigenfunctions in growing dimension.

A match sends each source sample to a target sample. With eigenfunctions X, Y of the two sides, EW2
alternates the orthogonal matrix polar(Xᵀ M Y∘π) and the nearest neighbours π, on the first k
functions for growing k (MATHS 6.7). Nearly isometric poses drift in that alternation, so the space
in which neighbours are sought has three coordinates more: the target's own, smoothed by the
first k functions, and for the source the same ones carried over by the match so far.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gwtransfer.core.linalg import polar
from gwtransfer.core.nearest import nearest

Array = NDArray[np.float64]
Index = NDArray[np.intp]

CARRIED = 2.0
"""Weight of the three carried coordinates against all eigenfunctions together."""

AROUND = 24
"""Neighbouring samples that make a patch."""

BLOCK = 4_000_000
"""Distances held at once while nearest points are sought."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """What matching sees of a shape.

    Attributes
    ----------
    functions : (s, k) array
        Eigenfunctions, the constant one left out.
    positions : (s, 3) array
        Centred, of radius one.
    mass : (s,) array, summing to 1
    normals : (s, 3) array or None
        Outward; None where there is no surface with an inside.
    """

    functions: Array
    positions: Array
    mass: Array
    normals: Array | None

    def smooth(self, count: int) -> Array:
        """Return the positions (s, 3) as far as the first functions describe them."""
        kept = self.functions[:, :count]
        return np.asarray(kept @ (kept.T @ (self.mass[:, None] * self.positions)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """Some points of a side, and the mass each stands for.

    Attributes
    ----------
    index : (q,) array
    mass : (q,) array, summing to 1
    """

    index: Index
    mass: Array

    @classmethod
    def of(cls, side: Side, index: Index) -> "Samples":
        """Give every point's mass to the sample nearest to it."""
        nearest = cKDTree(side.positions[index]).query(side.positions)[1]
        mass = np.bincount(nearest, weights=side.mass, minlength=len(index))
        return cls(index=index, mass=mass / mass.sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Fixed:
    """Matches the user gives: points of the source and of the target, (q,) each."""

    source: Index
    target: Index


@dataclass(frozen=True, eq=False, kw_only=True)
class Match:
    """A match between samples, and the coordinates in which it is a nearest neighbour.

    Attributes
    ----------
    embedding : (k, k) orthogonal array
        Takes source functions to target functions, as rows.
    carried : (k, 3) array or None
        The target's smoothed positions over the source's functions.
    target : (q,) array
        The target point of each source sample.
    score : float
        |Xᵀ M Y∘π|_* / k: 1 for an isometry.
    rigid, upright : float
        How whole neighbourhoods are carried, see `patches`.
    """

    embedding: Array
    carried: Array | None
    target: Index
    score: float
    rigid: float
    upright: float

    @property
    def quality(self) -> float:
        """What matches are ranked by: how many functions correspond, and how rigid patches are."""
        return self.score * self.rigid

    @property
    def dimension(self) -> int:
        """k, the functions in use."""
        return len(self.embedding)

    def coordinates(self, source: Side, target: Side) -> tuple[Array, Array]:
        """Return the coordinates of all points of both sides in which neighbours are sought."""
        k = self.dimension
        kept = source.functions[:, :k]
        left, right = kept @ self.embedding, target.functions[:, :k]
        if self.carried is None:
            return left, right
        weight = CARRIED * np.sqrt(k)
        return (
            np.hstack([left, weight * (kept @ self.carried)]),
            np.hstack([right, weight * target.smooth(k)]),
        )


def nearest_few(points: Array, among: Array, count: int) -> tuple[Index, Array]:
    """Return the nearest rows of ``among``, nearest first, and squared distances: (n, count)."""
    squares = (among**2).sum(axis=1)
    found = np.empty((len(points), count), dtype=np.intp)
    apart = np.empty((len(points), count))
    step = max(1, BLOCK // len(among))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        costs = squares - 2 * (block @ among.T)
        few = np.argpartition(costs, count - 1, axis=1)[:, :count] if count > 1 else None
        few = costs.argmin(axis=1)[:, None] if few is None else few
        gaps = ((block[:, None] - among[few]) ** 2).sum(axis=-1)
        order = np.argsort(gaps, axis=1, kind="stable")
        found[start : start + step] = np.take_along_axis(few, order, axis=1)
        apart[start : start + step] = np.take_along_axis(gaps, order, axis=1)
    return found, apart


def grow(
    source: Side,
    target: Side,
    start: Index,
    dimensions: Iterable[int],
    *,
    samples: Samples,
    candidates: Index,
    fixed: Fixed | None = None,
    carry: bool = True,
) -> Match:
    """Alternate embedding and nearest neighbours on more and more functions.

    Parameters
    ----------
    start : (q,) array
        Target points the source samples begin with.
    dimensions : iterable of int
        How many functions, round by round.
    samples : Samples
        Of the source.
    candidates : (c,) array
        Points of the target that may be matched.
    fixed : Fixed, optional
        Matches that hold in every round, each with the mass of a tenth of all.
    carry : bool
        Use the carried positions beside the functions.
    """
    index, mass, found = samples.index, samples.mass, start
    if fixed is not None:
        index = np.concatenate([index, fixed.source])
        mass = np.concatenate([mass, np.full(len(fixed.source), 0.1)])
        mass = mass / mass.sum()
    embedding, carried, score = np.eye(1), None, 0.0
    for k in dimensions:
        ends = found if fixed is None else np.concatenate([found, fixed.target])
        left, right = source.functions[:, :k], target.functions[:, :k]
        weighted = left[index] * mass[:, None]
        embedding = polar(weighted.T @ right[ends])
        moved, among = left[samples.index] @ embedding, right[candidates]
        if carry:
            smooth, root = target.smooth(k), np.sqrt(mass)[:, None]
            carried = np.linalg.lstsq(left[index] * root, smooth[ends] * root, rcond=None)[0]
            weight = CARRIED * np.sqrt(k)
            moved = np.hstack([moved, weight * (left[samples.index] @ carried)])
            among = np.hstack([among, weight * smooth[candidates]])
        found = candidates[nearest(moved, among)[0]]
    k = len(embedding)
    cross = (source.functions[samples.index, :k] * samples.mass[:, None]).T @ target.functions[
        found, :k
    ]
    score = min(1.0, float(np.linalg.svd(cross, compute_uv=False).sum()) / k)
    rigid, upright = patches(source, target, samples.index, found)
    return Match(
        embedding=embedding,
        carried=carried,
        target=found,
        score=score,
        rigid=rigid,
        upright=upright,
    )


def patches(source: Side, target: Side, index: Index, matched: Index) -> tuple[float, float]:
    """Tell how a match treats the neighbourhood of each sample: how rigid it is, and how upright.

    Around a sample the match takes offsets dx to dy, and the normal n_x to n_y. The best rotation
    explains tr = s₁ + s₂ ± s₃ of C = Σ dx dyᵀ + ½r n_x n_yᵀ, r² = Σ|dx|² Σ|dy|²; as a share of the
    larger spread, (tr − ½r) / max(Σ|dx|², Σ|dy|²), it is 1 where the patch is carried rigidly, and
    low where it is torn, stretched or folded. A left–right flip is an isometry no distance sees;
    but it turns every patch inside out, n_yᵀ cof(Σ dx dyᵀ) n_x < 0, however the shape is posed.

    Returns
    -------
    rigid : float
        Mean over the samples, at most 1; of mirrored patches where most are turned over.
    upright : float
        Share of samples that keep their outside less the share turned over; nan without normals.
    """
    x, y = source.positions[index], target.positions[matched]
    around = cKDTree(x).query(x, min(AROUND, len(x)))[1]
    dx, dy = x[around] - x[:, None], y[around] - y[:, None]
    spread0, spread1 = (dx**2).sum(axis=(1, 2)), (dy**2).sum(axis=(1, 2))
    cross = np.einsum("nki,nkj->nij", dx, dy)
    largest = np.maximum(spread0, spread1)
    largest = np.where(largest > 0, largest, 1.0)
    if source.normals is None or target.normals is None:
        explained = np.linalg.svd(cross, compute_uv=False).sum(axis=1)
        return float((explained / largest).mean()), float("nan")
    outside0, outside1 = source.normals[index], target.normals[matched]
    half = np.sqrt(spread0 * spread1) / 2
    whole = cross + half[:, None, None] * outside0[:, :, None] * outside1[:, None, :]
    values = np.linalg.svd(whole, compute_uv=False)
    following = np.roll(np.arange(3), -1), np.roll(np.arange(3), -2)
    cofactors = np.cross(cross[:, following[0]], cross[:, following[1]])
    turned = np.einsum("ni,nij,nj->n", outside0, cofactors, outside1)
    upright = float(np.sign(turned).mean())
    side = (1.0 if upright >= 0 else -1.0) * np.sign(np.linalg.det(whole))
    explained = values[:, 0] + values[:, 1] + side * values[:, 2] - half
    return float((explained / largest).mean()), upright


def handedness(source: Side, target: Side, index: Index, matched: Index) -> float:
    """Return the sign of the best linear map of matched positions: −1 for a mirror image.

    What remains to tell a flip by where there is no inside, and less sure for posed shapes.
    """
    x, y = source.positions[index], target.positions[matched]
    return float(np.sign(np.linalg.det((x - x.mean(axis=0)).T @ (y - y.mean(axis=0)))))
