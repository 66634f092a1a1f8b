"""From a plan to a map: affine pieces, their gains, and the maps made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import optimal_linear, responsibilities
from gwtransfer.core.linalg import RELATIVE_ZERO, symmetric_root
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PairMaps:
    """The affine map of every coupled pair, x ↦ n_l + A[i] (x − m_k), in working coordinates.

    Attributes
    ----------
    source_index, target_index : (q,) arrays of int
        k and l of each pair, ordered by k then l.
    share : (q,) array
        w_kl / a_k, summing to 1 over the pairs of one k.
    linear : (q, n, m) array
    image : (q, n) array
        Where m_k goes.
    residual : (q, n, n) array or None
        S_l − A S0 A of MATHS 5.4, the part of the target's covariance a lower-dimensional source
        cannot reach; None when m >= n.
    """

    source_index: NDArray[np.intp]
    target_index: NDArray[np.intp]
    share: Array
    linear: Array
    image: Array
    residual: Array | None


def pair_maps(plan: TransportPlan, *, gain_cap: float = np.inf) -> PairMaps:
    """Return the affine maps of the coupled pairs (MATHS 5.1, 5.4, 6.2, 6.3).

    Parameters
    ----------
    plan : TransportPlan
    gain_cap : float > 0
        Largest stretch of a piece in working coordinates: the singular values of A Qᵀ H_k are
        clipped, and the image then falls short of the target.
    """
    source, target = plan.source, plan.target
    k, l = np.nonzero(plan.coupling)
    down = _down(plan)
    seen = down @ source.covariances @ down.T
    linear = optimal_linear(seen[k], target.covariances[l])
    residual = None
    if source.dimension < target.dimension:
        residual = target.covariances[l] - linear @ seen[k] @ linear
    linear = linear @ down
    if source.noise is not None:
        linear = linear @ shrinkage(source.covariances, source.noise)[k]
    linear = _capped(linear, gain_cap)
    return PairMaps(
        source_index=k,
        target_index=l,
        share=plan.coupling[k, l] / plan.coupling[k].sum(axis=1),
        linear=linear,
        image=target.means[l],
        residual=residual,
    )


def _down(plan: TransportPlan) -> Array:
    """Return the (n, m) matrix that takes source vectors to the target's space: Qᵀ, Q or I.

    Q is the embedding P plus the plan's tilt. The pieces then are the optimal maps for the
    anchored cost, and still push each source component exactly on its target (m >= n).
    """
    larger, smaller = sorted((plan.source.dimension, plan.target.dimension), reverse=True)
    matrix = np.eye(larger, smaller) if plan.embedding is None else plan.embedding
    if plan.tilt is not None:
        matrix = matrix + plan.tilt
    return matrix.T if plan.source.dimension >= plan.target.dimension else matrix


def shrinkage(covariances: Array, noise: Array) -> Array:
    """Return H_k, the best linear estimate of the signal around each mean (MATHS 6.3), (K, m, m).

    With Σ^{-½} N Σ^{-½} = Q diag(θ) Qᵀ: H = Σ^½ Q diag((1−θ)_+) Qᵀ Σ^{-½}, eigenvalues in [0, 1].
    """
    values, vectors = np.linalg.eigh(covariances)
    floor = RELATIVE_ZERO * np.clip(values[:, -1:], np.finfo(float).tiny, None)
    roots = np.sqrt(np.maximum(values, floor))
    transposed = np.swapaxes(vectors, -1, -2)
    root = (vectors * roots[:, None, :]) @ transposed
    inverse = (vectors / roots[:, None, :]) @ transposed
    theta, turn = np.linalg.eigh(inverse @ noise @ inverse)
    kept = np.clip(1.0 - theta, 0.0, 1.0)
    return np.asarray(root @ (turn * kept[:, None, :]) @ np.swapaxes(turn, -1, -2) @ inverse)


def _capped(linear: Array, cap: float) -> Array:
    if not np.isfinite(cap):
        return linear
    left, values, right = np.linalg.svd(linear, full_matrices=False)
    return np.asarray((left * np.minimum(values, cap)[..., None, :]) @ right)


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
    """

    mixture: GaussianMixture
    linear: Array
    offset: Array
    space: Space

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> Array:
        """Map raw points (N, d) to raw images (N, e); ``index`` is not needed and not used."""
        del index
        z = self.mixture.space.to_working(points)
        shares = mixture_shares(self.mixture, z)
        count, n, m = self.linear.shape
        stacked = self.linear.transpose(2, 0, 1).reshape(m, count * n)
        pieces = (z @ stacked).reshape(len(z), count, n)
        images = np.einsum("Nk,Nkn->Nn", shares, pieces) + shares @ self.offset
        return self.space.to_raw(images)

    def gains(self) -> Array:
        """Return |B_k|, the largest stretch of each piece in working coordinates, (K,)."""
        return np.asarray(np.linalg.norm(self.linear, ord=2, axis=(1, 2)))


def mean_map(plan: TransportPlan, *, gain_cap: float = np.inf) -> MeanMap:
    """Collapse a plan to K affine pieces (MATHS 2.3, 5.1).

    The cap holds for each pair's map, hence for their average; m_k keeps its uncapped image.
    """
    pairs = pair_maps(plan, gain_cap=gain_cap)
    first = np.searchsorted(pairs.source_index, np.arange(plan.source.count))
    linear = np.add.reduceat(pairs.share[:, None, None] * pairs.linear, first, axis=0)
    image = np.add.reduceat(pairs.share[:, None] * pairs.image, first, axis=0)
    offset = image - np.einsum("knm,km->kn", linear, plan.source.means)
    return MeanMap(mixture=plan.source, linear=linear, offset=offset, space=plan.target.space)


def mixture_shares(mixture: GaussianMixture, working: Array) -> Array:
    """Return the responsibilities (N, K) of working points under a mixture."""
    return responsibilities(working, mixture.weights, mixture.means, mixture.covariances)


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
    """

    mixture: GaussianMixture
    pairs: PairMaps
    space: Space
    seed: int

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> Array:
        """Map raw points (N, d) to raw images (N, e).

        Parameters
        ----------
        index : (N,) increasing array of int, or None
            The place of each point in the whole; 0 … N − 1 when None.
        """
        z = self.mixture.space.to_working(points)
        index = np.arange(len(z)) if index is None else index
        if not len(z):
            return self.space.to_raw(np.empty((0, self.space.dimension)))
        draws = uniforms(self.seed, 0, index)
        cumulative = np.cumsum(mixture_shares(self.mixture, z), axis=1)
        cumulative /= cumulative[:, -1:]
        chosen = (cumulative <= draws[:, None]).sum(axis=1)
        pair = self._pair(chosen, uniforms(self.seed, 1, index))
        images = np.empty((len(z), self.pairs.linear.shape[1]))
        for q in np.unique(pair):
            where = pair == q
            centre = self.mixture.means[self.pairs.source_index[q]]
            images[where] = (z[where] - centre) @ self.pairs.linear[q].T + self.pairs.image[q]
        if self.pairs.residual is not None:
            images += self._residual(self.pairs.residual, pair, index)
        return self.space.to_raw(images)

    def _pair(self, chosen: NDArray[np.intp], draws: Array) -> NDArray[np.intp]:
        """Return the pair each point takes, given its source component and a uniform draw."""
        edges = self.pairs.source_index + _running_share(self.pairs)
        first = np.searchsorted(self.pairs.source_index, chosen)
        last = np.searchsorted(self.pairs.source_index, chosen, side="right") - 1
        found = np.searchsorted(edges, chosen + draws, side="right")
        return np.clip(found, first, last)

    def _residual(self, residual: Array, pair: NDArray[np.intp], index: NDArray[np.int64]) -> Array:
        from scipy.special import ndtri

        roots = symmetric_root(residual)
        n = roots.shape[-1]
        edge = np.finfo(float).eps / 4
        normals = np.stack(
            [
                ndtri(np.clip(uniforms(self.seed, 2 + i, index), edge, 1 - 2 * edge))
                for i in range(n)
            ],
            axis=1,
        )
        return np.asarray(np.einsum("Nij,Nj->Ni", roots[pair], normals))


def _running_share(pairs: PairMaps) -> Array:
    """Return the cumulative share of each pair among the pairs of its source component."""
    total = np.cumsum(pairs.share)
    first = np.searchsorted(pairs.source_index, pairs.source_index)
    return np.asarray(total - np.where(first > 0, total[first - 1], 0.0))


def uniforms(seed: int, stream: int, index: NDArray[np.int64]) -> Array:
    """Return a uniform draw in [0, 1) for each place, the same whatever the neighbours.

    Philox is a counter generator: place i is draw i of the stream, and a block jumps to its first.

    Parameters
    ----------
    seed, stream : int
    index : (N,) increasing array of int >= 0
    """
    first, last = int(index[0]), int(index[-1])
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    generator.advance(first // 4)
    draws = np.random.Generator(generator).random(last - first // 4 * 4 + 1)
    return np.asarray(draws[index - first // 4 * 4])


def rand_map(plan: TransportPlan, *, gain_cap: float = np.inf) -> RandMap:
    """Return T_rand of a plan, seeded by the source mixture's seed."""
    return RandMap(
        mixture=plan.source,
        pairs=pair_maps(plan, gain_cap=gain_cap),
        space=plan.target.space,
        seed=plan.source.seed,
    )


Search = Callable[[Array], tuple[NDArray[np.intp], Array]]


def nearest(points: Array, candidates: Array) -> tuple[NDArray[np.intp], Array]:
    """Return for each point (N, n) the index of its nearest candidate (M, n), and the distance."""
    return nearest_search(candidates)(points)


def nearest_search(candidates: Array) -> Search:
    """Return `nearest` among fixed candidates (M, n).

    A k-d tree up to ten dimensions, blocked matrix products above, where trees lose.
    """
    if candidates.shape[1] <= 10:
        from scipy.spatial import cKDTree

        tree = cKDTree(candidates)

        def by_tree(points: Array) -> tuple[NDArray[np.intp], Array]:
            distances, index = tree.query(points)
            return np.asarray(index), np.asarray(distances)

        return by_tree
    # Centred, so that points far from the origin lose no digits in the squares.
    centre = candidates.mean(axis=0)
    centred = candidates - centre
    norms = (centred**2).sum(axis=1)
    step = max(1, 8_000_000 // len(candidates))

    def by_products(points: Array) -> tuple[NDArray[np.intp], Array]:
        index = np.concatenate(
            [
                np.argmin(norms - 2 * ((points[i : i + step] - centre) @ centred.T), axis=1)
                for i in range(0, len(points), step)
            ]
        )
        return index, np.linalg.norm(points - candidates[index], axis=1)

    return by_products


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
    candidates: Array

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> Array:
        """Map raw points (N, d) to the candidate nearest to each image, (N, e)."""
        return np.asarray(self.candidates[self.match(points, index)[0]])

    def match(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.intp], Array]:
        """Return for each raw point (N, d) its candidate's index, and the distance to it."""
        return self._search(self.mean(points, index))

    @cached_property
    def _search(self) -> Search:
        return nearest_search(self.candidates)
