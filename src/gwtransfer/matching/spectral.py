"""Matching by intrinsic coordinates: poses of one body, whatever the bending."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gwtransfer.adapters.laplacian import Basis, eigenbasis
from gwtransfer.core.correspondence import (
    Fixed,
    Match,
    Samples,
    Side,
    grow,
    handedness,
    nearest_few,
)
from gwtransfer.core.gromov import GromovProblem, optima
from gwtransfer.core.linalg import polar
from gwtransfer.core.nearest import nearest
from gwtransfer.core.surface import distinct, spread
from gwtransfer.core.types import Cloud, GaussianMixture
from gwtransfer.errors import DataError
from gwtransfer.matching.matched import Matched, shares
from gwtransfer.pipeline import FitStage, fit_item
from gwtransfer.prepare.spectral import Spectral

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Rotation = Literal["proper", "any"]

FUNCTIONS = 60
"""Eigenfunctions in the last round; a shape of few points has a quarter as many."""

SCREENED = 24
"""Eigenfunctions up to which every candidate is refined, two more a round."""

COARSE, COARSE_AMONG, FINE = 300, 800, 1000
"""Source and target samples of a candidate, and samples of the last rounds."""

SIGNS, RANDOM, CANDIDATES = 64, 200, 80
"""Starts of the mixtures' couplings, and how many of their optima are tried."""

FINALISTS = 16
"""Distinct candidates refined to the end."""

SAME, ALIKE, NEIGHBOURHOOD = 0.7, 0.5, 2.0
"""Two candidates are one, and two results alike, where these shares of the samples go to places
this near, in usual spacings: a leg may be right or wrong where all the rest is the same."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Shape:
    """One side: its file, eigenfunctions, mixture and samples."""

    cloud: Cloud
    basis: Basis
    mixture: GaussianMixture
    coordinates: Array
    side: Side
    samples: Index

    @property
    def vertices(self) -> Index:
        """The vertex of the file nearest to each representing point, (s,)."""
        tree = cKDTree(self.cloud.vertices)
        return np.asarray(tree.query(self.basis.shape.points)[1], dtype=np.intp)


def match(
    source: Cloud,
    target: Cloud,
    prepare: Spectral,
    fit: FitStage,
    *,
    seed: int,
    rotation: Rotation = "proper",
    refine: bool = True,
    pairs: Fixed | None = None,
    top: int = 1,
    watch: Callable[[str, int, int], None] = lambda *_: None,
) -> Matched:
    """Match two shapes up to the isometries of their surfaces.

    Optima of MGW2 between the mixtures give embeddings; each is refined by EW2 in growing
    dimension (`core.correspondence`), those that mirror the surface are set aside, and the best
    of what is left is refined to the end.

    Parameters
    ----------
    rotation : {"proper", "any"}
        "any" does not set mirror images aside.
    refine : bool
        Without it the first optimum's embedding and nearest neighbours are the match.
    pairs : Fixed, optional
        Indices of vertices that are known to match.
    top : int
        Choices for each vertex.

    Raises
    ------
    DataError
        A shape has too few points, or is one point.
    """
    watch("eigenfunctions", 0, 0)
    one, other = (_shape(cloud, prepare, fit, seed) for cloud in (source, target))
    if top > len(other.basis.shape.points):
        raise DataError(
            f"{target.name}: expected at least {top} distinct points for as many choices, "
            f"found {len(other.basis.shape.points)}"
        )
    search = _Search(
        one=one,
        other=other,
        fixed=_at(pairs, one, other),
        rotation=rotation,
        dimensions=prepare.dimensions,
        watch=watch,
    )
    watch("starts", 0, 0)
    starts, value = search.starts(seed)
    found = search.refined(starts) if refine else _Found(match=search.unrefined(starts[0]))
    return _matched(search, found, pairs, top=top, value=value)


def _shape(cloud: Cloud, prepare: Spectral, fit: FitStage, seed: int) -> _Shape:
    places = len(distinct(cloud.vertices)[0])
    count = max(prepare.dimensions, min(FUNCTIONS, places // 4)) + 1
    basis = eigenbasis(cloud, count)
    mixture = fit_item(
        cloud, lambda item, seed: prepare.prepared(basis, item.name, seed=seed), fit, seed=seed
    )
    points = basis.shape.points
    centred = points - basis.mass @ points
    return _Shape(
        cloud=cloud,
        basis=basis,
        mixture=mixture,
        coordinates=mixture.space.to_working(prepare.coordinates(basis, cloud.name)),
        side=Side(
            functions=basis.functions[:, 1:],
            positions=centred / np.sqrt(basis.mass @ (centred**2).sum(axis=1)),
            mass=basis.mass,
            normals=basis.shape.normals,
        ),
        samples=spread(points, min(FINE, len(points))),
    )


def _at(pairs: Fixed | None, one: _Shape, other: _Shape) -> Fixed | None:
    """Return the user's pairs as points that represent the shapes."""
    if pairs is None or not len(pairs.source):
        return None
    return Fixed(
        source=one.basis.shape.support[pairs.source], target=other.basis.shape.support[pairs.target]
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Found:
    """The best match, the quality of another one, and that of the best mirror image."""

    match: Match
    runner_up: float | None = None
    mirrored: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Search:
    """What is sought between two sides."""

    one: _Shape
    other: _Shape
    fixed: Fixed | None
    rotation: Rotation
    dimensions: int
    watch: Callable[[str, int, int], None]

    def starts(self, seed: int) -> tuple[list[Array], float]:
        """Return embeddings (p, p) of distinct optima of MGW2, best first, and the best value."""
        source, target = self.one.mixture, self.other.mixture
        problem = GromovProblem(
            own0=np.sqrt(source.own_costs),
            own1=np.sqrt(target.own_costs),
            weights0=source.weights,
            weights1=target.weights,
        )
        means0, means1 = source.means - source.mean, target.means - target.mean
        couplings = problem.starts(
            np.random.default_rng([seed, 7]),
            moments0=(means0, source.covariance),
            moments1=(means1, target.covariance),
            most_signs=SIGNS,
            random=RANDOM,
        )
        ends = optima(problem, couplings, CANDIDATES)
        embeddings = [polar(means0.T @ end.coupling @ means1) for end in ends]
        if self.fixed is not None and len(self.fixed.source) > self.dimensions:
            known = self.one.coordinates[self.fixed.source].T
            embeddings.insert(0, polar(known @ self.other.coordinates[self.fixed.target]))
        return embeddings, problem.value(ends[0].coupling)

    def unrefined(self, start: Array) -> Match:
        """Return what one embedding of the first coordinates says."""
        samples = Samples.of(self.one.side, self.one.samples)
        return self._grown(
            self._first(start, samples.index, self.other.samples),
            [self.dimensions],
            samples,
            self.other.samples,
            carry=False,
        )

    def refined(self, starts: list[Array]) -> _Found:
        """Refine every start a little, those that may be best to the end."""
        functions = min(side.side.functions.shape[1] for side in (self.one, self.other))
        screened = range(self.dimensions, max(self.dimensions, min(SCREENED, functions)) + 1, 2)
        coarse = Samples.of(self.one.side, self.one.samples[:COARSE])
        among = self.other.samples[:COARSE_AMONG]
        kept: list[Match] = []
        mirrored: list[Match] = []
        for number, start in enumerate(starts):
            self.watch("candidates", number, len(starts))
            first = self._first(start, coarse.index, among)
            for carry in (False, True):
                candidate = self._grown(first, screened, coarse, among, carry=carry)
                aside = self.rotation == "proper" and self._turned(coarse.index, candidate)
                (mirrored if aside else kept).append(candidate)
        finalists = self._distinct(kept or mirrored, FINALISTS, SAME)
        reflections = self._distinct(mirrored, 1, SAME) if kept else []
        fine = Samples.of(self.one.side, self.one.samples)
        last = [*range(screened[-1], functions, 4), functions]
        ends: list[Match] = []
        for number, candidate in enumerate([*finalists, *reflections]):
            self.watch("refinement", number, len(finalists) + len(reflections))
            left, right = candidate.coordinates(self.one.side, self.other.side)
            found = nearest(left[fine.index], right[self.other.samples])[0]
            ends.append(self._grown(self.other.samples[found], last, fine, self.other.samples))
        ranked = self._distinct(ends[: len(finalists)], 2, ALIKE)
        reflected = ends[len(finalists) :]
        return _Found(
            match=ranked[0],
            runner_up=ranked[1].quality if len(ranked) > 1 else None,
            mirrored=reflected[0].quality if reflected else None,
        )

    def _first(self, start: Array, samples: Index, among: Index) -> Index:
        moved = self.one.coordinates[samples] @ start
        return among[nearest(moved, self.other.coordinates[among])[0]]

    def _grown(
        self,
        start: Index,
        dimensions: Iterable[int],
        samples: Samples,
        among: Index,
        *,
        carry: bool = True,
    ) -> Match:
        return grow(
            self.one.side,
            self.other.side,
            start,
            dimensions,
            samples=samples,
            candidates=among,
            fixed=self.fixed,
            carry=carry,
        )

    def _turned(self, index: Index, match: Match) -> bool:
        """Tell whether a match mirrors: its patches or, without an inside, the whole."""
        if np.isnan(match.upright):
            return handedness(self.one.side, self.other.side, index, match.target) < 0
        return match.upright < 0

    def _distinct(self, matches: list[Match], most: int, alike: float) -> list[Match]:
        """Return the best matches, each with at most a share alike to those before it."""
        positions = self.other.side.positions
        near = float(np.sqrt((positions**2).sum(axis=1).mean() / COARSE_AMONG)) * NEIGHBOURHOOD
        chosen: list[Match] = []
        for match in sorted(matches, key=lambda match: match.quality, reverse=True):
            ends = positions[match.target]
            same = (
                (((ends - positions[before.target]) ** 2).sum(axis=1) < near**2).mean()
                for before in chosen
            )
            if all(share <= alike for share in same):
                chosen.append(match)
            if len(chosen) == most:
                break
        return chosen


def _matched(
    search: _Search, found: _Found, pairs: Fixed | None, *, top: int, value: float
) -> Matched:
    one, other, match = search.one, search.other, found.match
    left, right = match.coordinates(one.side, other.side)
    _, among = np.unique(other.vertices, return_index=True)  # one point for each vertex
    if top > len(among):
        raise DataError(
            f"{other.cloud.name}: expected at least {top} distinct points for as many choices, "
            f"found {len(among)}"
        )
    chosen, squares = nearest_few(left, right[among], top)
    mine = one.basis.shape.support
    choices, squares = other.vertices[among[chosen]][mine], squares[mine]
    weights = shares(squares)
    if pairs is not None and search.fixed is not None:
        choices[pairs.source, 0] = pairs.target
        weights[pairs.source] = np.eye(1, top)
        gaps = left[search.fixed.source] - right[search.fixed.target]
        squares[pairs.source, 0] = (gaps**2).sum(axis=1)
    radius = float(np.sqrt(other.side.mass @ (right**2).sum(axis=1)))
    return Matched(
        source=one.cloud,
        target=other.cloud,
        choices=choices,
        apart=np.sqrt(squares) / radius,
        weights=weights,
        method="spectral",
        embedding=match.embedding,
        motion=None,
        value=value,
        bound=None,
        score=match.quality,
        runner_up=found.runner_up,
        upright=None if np.isnan(match.upright) else match.upright,
        mirrored=found.mirrored,
    )
