"""The maps of a plan, applied to points by the block: T_mean, T_rand, and the nearest candidate.

A map is a number type, too: in single precision it costs half, and differs from double by less
than a step of 16 bits (docs/performance.md).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import kernels
from gwtransfer.core.affine import PairMaps, capped, pair_maps
from gwtransfer.core.columns import Columns
from gwtransfer.core.device import HOST, Device
from gwtransfer.core.draws import uniforms
from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.linalg import symmetric_root
from gwtransfer.core.nearest import Search, nearest_search
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
Index = NDArray[np.int64]

BLOCK_VALUES = 524_288
"""Values computed at once for a block of points: two megabytes of single floats."""

LEAST_BLOCK = 256
"""Points in a block at least, so that its products are products."""

RESTORED = 8192
"""Points whose images tell what a conditional mean has lost."""

MOST_STRETCH = 2.0
"""Largest stretch that restores what was lost."""

FAR = 1e6
"""Single floats serve up to so many radii from the centre; a block that goes further is doubled."""

SINGLE = 1e18
"""Units and centres of spaces up to this, and its inverse, have squares that single floats hold."""


def _wide_enough(dtype: type[np.floating], plan: TransportPlan) -> np.dtype[Any]:
    """Return the type asked for, or double where single floats do not hold a side's values."""
    spaces = (plan.source.space, plan.target.space)
    held = all(
        1 / SINGLE < space.unit < SINGLE and np.abs(space.origin).max() < SINGLE for space in spaces
    )
    return np.dtype(dtype if held else np.float64)


def _too_far(images: Floats) -> bool:
    return images.dtype == np.float32 and not bool((np.abs(images) < FAR).all())


def _slices(count: int, size: int) -> list[slice]:
    """Return the blocks of so many points; one empty one for none."""
    return [slice(start, start + size) for start in range(0, max(count, 1), size)]


def _block_size(mixture: GaussianMixture, dimension: int, enlarged: int = 1) -> int:
    widest = mixture.count * max(mixture.space.dimension, dimension)
    return max(LEAST_BLOCK, enlarged * BLOCK_VALUES // widest)


@dataclass(frozen=True, eq=False, kw_only=True)
class MeanMap:
    """T_mean(x) = E[Y | X = x] = Σ_k r_k(x) (B_k x + c_k), deterministic (MATHS 2.3).

    Attributes
    ----------
    mixture : GaussianMixture
        The source; gives the responsibilities r_k.
    linear, offset : (K, n, m) and (K, n) arrays
        B_k and c_k in working coordinates.
    space : Space
        Of the images.
    dtype : dtype
        What is computed in, and the type of the images.
    device : Device
        Computes the images.
    """

    mixture: GaussianMixture
    linear: Array
    offset: Array
    space: Space
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float64))
    device: Device = HOST

    def __call__(self, points: Floats, index: Index | None = None) -> Floats:
        """Map raw points (N, d) to raw images (N, e); ``index`` is not needed and not used."""
        del index
        size = _block_size(self.mixture, self.linear.shape[1], self.device.enlarged)
        parts = [self._block(points[part]) for part in _slices(len(points), size)]
        return np.concatenate(parts)

    def _block(self, points: Floats) -> Floats:
        images = self.working(points)
        return self._doubled(points) if _too_far(images) else self._sides[1].raw(images)

    def working(self, points: Floats) -> Floats:
        """Return the images of raw points (N, d) as working columns (n, N), in one block."""
        with np.errstate(over="ignore", invalid="ignore"):
            block = self.device.put(self._sides[0].of(points))
            images: Floats = self.device.run(kernels.mean_images, block, *self._placed)
        return images

    @cached_property
    def _placed(self) -> tuple[kernels.Block, ...]:
        return tuple(self.device.put(array) for array in self.arrays)

    @cached_property
    def _doubled(self) -> "MeanMap":
        return replace(self, dtype=np.dtype(np.float64))

    @cached_property
    def arrays(self) -> tuple[Floats, ...]:
        """What `kernels.mean_images` takes beside a block."""
        linear = np.concatenate([self.linear, self.offset[:, :, None]], axis=2)
        densities = self.mixture.densities.astype(self.dtype)
        return (*densities.arrays, linear.reshape(-1, linear.shape[2]).astype(self.dtype))

    @cached_property
    def _sides(self) -> tuple[Columns, Columns]:
        return Columns(self.mixture.space, self.dtype), Columns(self.space, self.dtype)

    def gains(self) -> Array:
        """Return |B_k|, the largest stretch of each piece in working coordinates, (K,)."""
        return np.asarray(np.linalg.norm(self.linear, ord=2, axis=(1, 2)))


def mean_map(
    plan: TransportPlan, *, gain_cap: float = np.inf, dtype: type[np.floating] = np.float64
) -> MeanMap:
    """Collapse a plan to K affine pieces (MATHS 2.3, 5.1).

    The cap holds for each pair's map, hence for their average; m_k keeps its uncapped image.
    """
    pairs = pair_maps(plan, gain_cap=gain_cap)
    first = np.searchsorted(pairs.source_index, np.arange(plan.source.count))
    linear = np.add.reduceat(pairs.share[:, None, None] * pairs.linear, first, axis=0)
    image = np.add.reduceat(pairs.share[:, None] * pairs.image, first, axis=0)
    return MeanMap(
        mixture=plan.source,
        linear=linear,
        offset=image - _applied(linear, plan.source.means),
        space=plan.target.space,
        dtype=_wide_enough(dtype, plan),
    )


def restored(mapping: MeanMap, target: GaussianMixture, *, gain_cap: float = np.inf) -> MeanMap:
    """Return a map whose images have the target's mean and covariance again.

    T_mean is a conditional mean and contracts: what it loses of the covariance an optimal affine
    map between Gaussians puts back, and is taken into the pieces. The covariance of the images is
    that of points drawn from the source's mixture, about RESTORED, each component's with exactly
    its moments: a map that loses nothing is left as it is. Their mean is Σ a_k (B_k m_k + c_k),
    which it is over the points a mixture was fitted to. No direction is stretched more than
    MOST_STRETCH times, and no piece beyond the cap.
    """
    source = mapping.mixture
    image = _applied(mapping.linear, source.means) + mapping.offset
    mean = source.weights @ image
    points, counts = _representing(source)
    exact = replace(mapping, dtype=np.dtype(np.float64), device=HOST)
    images = target.space.to_working(exact(source.space.to_raw(points)))
    centred = images - counts @ images
    covariance = (centred * counts[:, None]).T @ centred
    values, vectors = np.linalg.eigh(optimal_linear(covariance, target.covariance))
    stretch = (vectors * np.clip(values, 0.0, MOST_STRETCH)) @ vectors.T
    linear = capped(stretch @ mapping.linear, gain_cap)
    image = (image - mean) @ stretch + target.mean
    return replace(mapping, linear=linear, offset=image - _applied(linear, source.means))


def _applied(linear: Array, points: Array) -> Array:
    """Return each of several linear maps (q, n, m) of its own point (q, m), (q, n)."""
    return np.asarray(np.einsum("qnm,qm->qn", linear, points))


def _representing(mixture: GaussianMixture) -> tuple[Array, Array]:
    """Return points (n, p) and shares (n,) that sum to 1, with each component's exact moments."""
    p = mixture.dimension
    each = max(4 * p, RESTORED // mixture.count)
    normals = np.random.default_rng([mixture.seed, 5]).standard_normal((each, p))
    normals -= normals.mean(axis=0)
    root = np.linalg.cholesky(normals.T @ normals / each)
    normals = np.linalg.solve(root, normals.T).T
    roots = symmetric_root(mixture.covariances)
    points = mixture.means[:, None] + normals @ roots
    return points.reshape(-1, p), np.repeat(mixture.weights / each, each)


@dataclass(frozen=True, eq=False, kw_only=True)
class RandMap:
    """T_rand: draw a component by r(x), a target component by w_k·/a_k, return that pair's image.

    Pushes an exact source mixture exactly on the target (MATHS 2.2), gain cap and noise off; when
    m < n the unreachable part of the covariance is drawn too (MATHS 5.4). What a point gets
    depends on the seed and on its index alone, not on the block it arrives in.

    Attributes
    ----------
    mixture : GaussianMixture
    pairs : PairMaps
    space : Space
        Of the images.
    seed : int
    dtype : dtype
        What is computed in, and the type of the images. In single precision a draw within 1e-6 of
        an edge between components may fall on its other side.
    """

    mixture: GaussianMixture
    pairs: PairMaps
    space: Space
    seed: int
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float64))

    def __call__(self, points: Floats, index: Index | None = None) -> Floats:
        """Map raw points (N, d) to raw images (N, e).

        Parameters
        ----------
        index : (N,) increasing array of int, or None
            The place of each point in the whole; 0 … N − 1 when None.
        """
        index = np.arange(len(points)) if index is None else index
        size = _block_size(self.mixture, self.pairs.linear.shape[1])
        parts = [self._block(points[part], index[part]) for part in _slices(len(points), size)]
        return np.concatenate(parts)

    def _block(self, points: Floats, index: Index) -> Floats:
        if not len(points):
            return np.empty((0, self.space.raw_dimension), dtype=self.dtype)
        source, target = self._sides
        with np.errstate(over="ignore", invalid="ignore"):
            images = self._images(source.of(points), index)
        return self._doubled(points, index) if _too_far(images) else target.raw(images)

    @cached_property
    def _doubled(self) -> "RandMap":
        return replace(self, dtype=np.dtype(np.float64))

    def _images(self, block: Floats, index: Index) -> Floats:
        """Return the images (n, N) of working points with ones (m + 1, N)."""
        logs = kernels.log_densities(np, block, *self._densities)
        running = kernels.likelihoods(np, logs)[0]
        for k in range(1, len(running)):
            running[k] += running[k - 1]
        # Rounded to a single float a draw may become 1, beyond every edge.
        most = np.nextafter(self.dtype.type(1), self.dtype.type(0))
        draws = np.minimum(uniforms(self.seed, 0, index).astype(self.dtype), most) * running[-1]
        pair = self._pair(_passed(running[:-1], draws), uniforms(self.seed, 1, index))
        # Points of one pair side by side, so that each pair is one product.
        order = np.argsort(pair, kind="stable")
        counts = np.bincount(pair, minlength=len(self.pairs.share))
        ends = np.cumsum(counts)
        gathered = block[:, order]
        images = np.empty((self.pairs.linear.shape[1], len(index)), dtype=self.dtype)
        normals = None if self._roots is None else self._normals(index)[:, order]
        for q in np.flatnonzero(counts):
            own = slice(ends[q] - counts[q], ends[q])
            images[:, own] = self._linear[q] @ gathered[:, own]
            if self._roots is not None and normals is not None:
                images[:, own] += self._roots[q] @ normals[:, own]
        placed = np.empty_like(images)
        placed[:, order] = images
        return placed

    def _pair(
        self, chosen: NDArray[np.unsignedinteger], draws: Array
    ) -> NDArray[np.unsignedinteger]:
        """Return the pair each point takes, given its source component and a uniform draw."""
        first, edges = self._edges
        return np.asarray(first[chosen] + _passed(edges[:, chosen], draws))

    @cached_property
    def _edges(self) -> tuple[NDArray[np.unsignedinteger], Array]:
        """The first pair of each component, and where its inner edges between pairs are, (j, K)."""
        components = np.arange(self.mixture.count)
        first = np.searchsorted(self.pairs.source_index, components)
        last = np.searchsorted(self.pairs.source_index, components, side="right") - 1
        edges = np.full((int((last - first).max(initial=0)), len(components)), np.inf)
        for k in components:
            edges[: last[k] - first[k], k] = np.cumsum(self.pairs.share[first[k] : last[k]])
        # Small numbers are sorted sooner.
        return first.astype(np.uint8 if len(self.pairs.share) < 256 else np.uint16), edges

    @cached_property
    def _densities(self) -> tuple[Floats, ...]:
        return self.mixture.densities.astype(self.dtype).arrays

    @cached_property
    def _linear(self) -> Floats:
        """Each pair's map of points with ones, (q, n, m + 1)."""
        centres = self.mixture.means[self.pairs.source_index]
        offset = self.pairs.image - _applied(self.pairs.linear, centres)
        linear = np.concatenate([self.pairs.linear, offset[:, :, None]], axis=2)
        return linear.astype(self.dtype)

    @cached_property
    def _roots(self) -> Floats | None:
        residual = self.pairs.residual
        return None if residual is None else symmetric_root(residual).astype(self.dtype)

    def _normals(self, index: Index) -> Floats:
        """Return standard normal draws (n, N)."""
        from scipy.special import ndtri

        edge = np.finfo(float).eps / 4
        n = self.pairs.linear.shape[1]
        draws = np.stack([uniforms(self.seed, 2 + i, index) for i in range(n)])
        return np.asarray(ndtri(np.clip(draws, edge, 1 - 2 * edge)), dtype=self.dtype)

    @cached_property
    def _sides(self) -> tuple[Columns, Columns]:
        return Columns(self.mixture.space, self.dtype), Columns(self.space, self.dtype)


def _passed(edges: Floats, draws: Floats) -> NDArray[np.unsignedinteger]:
    """Return how many of the increasing edges (j, N) each draw (N,) has passed."""
    counter = np.uint8 if len(edges) < 256 else np.uint16
    return np.asarray((edges <= draws).view(np.uint8).sum(axis=0, dtype=counter))


def rand_map(
    plan: TransportPlan, *, gain_cap: float = np.inf, dtype: type[np.floating] = np.float64
) -> RandMap:
    """Return T_rand of a plan, seeded by the source mixture's seed."""
    return RandMap(
        mixture=plan.source,
        pairs=pair_maps(plan, gain_cap=gain_cap),
        space=plan.target.space,
        seed=plan.source.seed,
        dtype=_wide_enough(dtype, plan),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestMap:
    """T_mean followed by the nearest of the target's own points (MATHS 5.2).

    Attributes
    ----------
    mean : MeanMap
    candidates : (M, e) array
        Points of the target in raw coordinates.
    """

    mean: MeanMap
    candidates: Floats

    def __call__(self, points: Floats, index: Index | None = None) -> Floats:
        """Map raw points (N, d) to the candidate nearest to each image, (N, e)."""
        return np.asarray(self.candidates[self.match(points, index)[0]])

    def match(self, points: Floats, index: Index | None = None) -> tuple[NDArray[np.intp], Array]:
        """Return for each raw point (N, d) its candidate's index, and the distance to it."""
        return self._search(self.mean(points, index))

    @cached_property
    def _search(self) -> Search:
        return nearest_search(self.candidates)
