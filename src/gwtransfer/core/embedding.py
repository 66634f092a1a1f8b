"""The isometry given a coupling, and both together: EW2 and MEW2.

Everywhere here the first side has the larger dimension: m >= n, and an embedding P is (m, n)
with orthonormal columns. Callers with m < n swap the sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import screening
from gwtransfer.core.coupling import REACHED, entropic, exact_each
from gwtransfer.core.guide import Guide
from gwtransfer.core.linalg import (
    eigenbasis,
    polar,
    random_stiefel,
    sign_choices,
    symmetric_root,
)
from gwtransfer.core.types import GaussianMixture
from gwtransfer.errors import ShapeError

Array = NDArray[np.float64]

RANK_TOLERANCE = 1e-8
"""Below this share of the largest singular value, a cross-covariance does not name an embedding."""

DECREASE_TOLERANCE = 1e-12
"""An alternation stops when a round gains less than this share of the objective's constant."""

LOOSE_TOLERANCE = 1e-5
"""The same while starts are still being compared; the best are polished afterwards."""

POLISHED = 2000
"""Steps of the best at most: most need dozens, but axes of mere noise leave saddles slowly."""

INNER_STEPS = 3
"""Embedding steps between two coupling steps, at most; one while starts are compared."""

SHARES = MappingProxyType({2: 0.5, 5: 0.25})
"""Of many starts the better ones, by their values after so many rounds: only these go on."""

LEAST = 48
"""So few starts are all followed to their ends."""

PARENTS, CHILDREN = 16, 2
"""Distinct ends perturbed in a wave, and copies of each: many parents keep the search wide."""

PERTURBATION = (1.2, 0.6)
"""Length of a perturbed column's random part, from the first wave to the last."""

FINALISTS = 8
"""Distinct ends polished; the best two of them by exact singular values."""


def gaussian_embedding(covariance0: Array, covariance1: Array) -> Array:
    """Return an optimal embedding (m, n) between two Gaussians, all signs +1 (MATHS 4.3)."""
    return np.asarray(sign_embeddings(covariance0, covariance1, 1)[0])


def sign_embeddings(covariance0: Array, covariance1: Array, most: int) -> Array:
    """Return U0[:, :n] · signs · U1ᵀ for up to ``most`` sign choices, (s, m, n)."""
    axes0, axes1 = eigenbasis(covariance0)[1], eigenbasis(covariance1)[1]
    n = len(covariance1)
    signs = sign_choices(n, most)
    return np.asarray(axes0[:, :n] * signs[:, None, :] @ axes1.T)


@dataclass(frozen=True, eq=False, kw_only=True)
class Alternation:
    """Where an alternation ended, or the best of several.

    Attributes
    ----------
    coupling : (K, L) array
    embedding : (m, n) array
    value : float
        Unguided objective, at least 0.
    history : tuple of float
        Guided objective after each round.
    converged : bool
    starts, reached : int
        Starts begun, and how many ended within REACHED of the best. Of many starts the worse are
        given up early, and count as not having reached it.
    """

    coupling: Array
    embedding: Array
    value: float
    history: tuple[float, ...]
    converged: bool
    starts: int
    reached: int


@dataclass(frozen=True, eq=False)
class Ends:
    """Where several alternations ended: s embeddings, couplings, guided objectives, histories."""

    embeddings: Array
    couplings: Array
    objectives: Array
    histories: list[list[float]]
    converged: NDArray[np.bool_]

    def distinct(self, most: int, constant: float) -> NDArray[np.intp]:
        """Return the indices of the best ends whose objectives differ, best first."""
        return distinct(self.objectives, most, LOOSE_TOLERANCE * constant)

    def joined(self, other: "Ends") -> "Ends":
        """Return these ends and others after them."""
        return Ends(
            np.concatenate([self.embeddings, other.embeddings]),
            np.concatenate([self.couplings, other.couplings]),
            np.concatenate([self.objectives, other.objectives]),
            self.histories + other.histories,
            np.concatenate([self.converged, other.converged]),
        )


def distinct(objectives: Array, most: int, apart: float) -> NDArray[np.intp]:
    """Return the indices of the least of objectives (s,) that differ by more, least first."""
    order = np.argsort(objectives, kind="stable")
    return order[np.diff(objectives[order], prepend=-np.inf) > apart][:most]


class MixtureEmbedding:
    """MEW2 between two mixtures: the bracket of MATHS 4.5 and its monotone alternation.

    Parameters
    ----------
    weights0, means0, covariances0 : (K,), (K, m), (K, m, m) arrays
    weights1, means1, covariances1 : (L,), (L, n), (L, n, n) arrays, n <= m
    linear : (K, L) array or None
        Cost of the user's pairs, added to the coupling step only.
    guides : pair of (m,) and (n,) arrays or None
        Linear functionals g, h that should agree: the cost of a pair of points becomes
        |x̃ − P ỹ|² + (g·x̃ − h·ỹ)². Its cross term is ⟨x̃ ỹᵀ, P + g hᵀ⟩, so every formula holds with
        Q = P + g hᵀ for P, F stays convex in P, and the alternation stays monotone.
    proper : bool
        Restrict to rotations; needs m = n.
    swapped : bool
        The first side is the plan's target.

    Raises
    ------
    ShapeError
        m < n, or ``proper`` with m > n.
    """

    def __init__(  # noqa: PLR0917  six arrays in the order of the formula
        self,
        weights0: Array,
        means0: Array,
        covariances0: Array,
        weights1: Array,
        means1: Array,
        covariances1: Array,
        *,
        linear: Array | None = None,
        guides: tuple[Array, Array] | None = None,
        proper: bool = False,
        swapped: bool = False,
    ) -> None:
        m, n = means0.shape[1], means1.shape[1]
        if m < n:
            raise ShapeError(f"expected the larger space first, got dimensions {m} and {n}")
        if proper and m != n:
            raise ShapeError(f"a rotation needs equal dimensions, got {m} and {n}")
        self.weights0, self.weights1 = weights0, weights1
        self.linear = np.zeros((len(weights0), len(weights1))) if linear is None else linear
        self.proper, self.swapped = proper, swapped
        self.means0 = means0 - weights0 @ means0
        self.means1 = means1 - weights1 @ means1
        self.covariances0, self.covariances1 = covariances0, covariances1
        self.roots0 = symmetric_root(covariances0)
        self.roots1 = symmetric_root(covariances1)
        spread0 = (self.means0**2).sum(axis=1) + np.trace(covariances0, axis1=1, axis2=2)
        spread1 = (self.means1**2).sum(axis=1) + np.trace(covariances1, axis1=1, axis2=2)
        self.constant = float(weights0 @ spread0 + weights1 @ spread1)
        self.guide0, self.guide1 = guides or (np.zeros(m), np.zeros(n))
        self.tilt, self._agreement = np.zeros((m, n)), 0.0
        if guides is not None:
            guide0, guide1 = guides
            self.tilt = np.outer(guide0, guide1)
            more0 = _second_moments(guide0, self.means0, covariances0)
            more1 = _second_moments(guide1, self.means1, covariances1)
            self._agreement = float(weights0 @ more0 + weights1 @ more1)
            spread0, spread1 = spread0 + more0, spread1 + more1
        self._spreads = spread0[:, None] + spread1[None]
        self.total0 = _total(weights0, self.means0, covariances0)
        self.total1 = _total(weights1, self.means1, covariances1)

    def costs(self, embeddings: Array) -> Array:
        """Return the bracket of MATHS 4.5, guides included, for every start and pair, (s, K, L)."""
        inner = (self.means0 @ (embeddings + self.tilt)) @ self.means1.T
        seen = self._seen(embeddings)[1]
        cross = np.linalg.svd(seen[:, :, None] @ self.roots1, compute_uv=False).sum(axis=-1)
        return np.asarray(np.clip(self._spreads - 2 * (inner + cross), 0.0, None))

    def gradient(self, couplings: Array, embeddings: Array) -> Array:
        """Return ∇_P F(w, P) for every start, (s, m, n); costs only the nonzeros of w.

        F = Σ w_kl (⟨m̃_k ñ_lᵀ, Q⟩ + |Σ_k^½ Q S_l^½|_*). With Σ_k^½ Q = W_k H_k (polar) and
        H_k S_l^½ = U s Vᵀ the pair's part is Σ_k^½ W_k U Vᵀ S_l^½ (MATHS 4.6).
        """
        lifted, seen = self._seen(embeddings)
        s, k, l = np.nonzero(couplings)
        mass = couplings[s, k, l]
        turned = polar(seen[s, k] @ self.roots1[l]) @ self.roots1[l] * mass[:, None, None]
        row = s * len(self.weights0) + k
        summed = screening.by_row(turned, row, seen.shape[0] * seen.shape[1]).reshape(seen.shape)
        means = self.means0.T @ couplings @ self.means1
        return np.asarray(means + (lifted @ summed).sum(axis=1))

    def _seen(self, embeddings: Array) -> tuple[Array, Array]:
        """Return Σ_k^½ W_k (s, K, m, n) and H_k (s, K, n, n), where Σ_k^½ Q = W_k H_k (polar)."""
        projected = self.roots0 @ (embeddings + self.tilt)[:, None]
        left, values, right = np.linalg.svd(projected, full_matrices=False)
        lifted = self.roots0 @ (left @ right)
        seen = np.swapaxes(right, -1, -2) @ (values[..., None] * right)
        return lifted, seen

    def step(self, couplings: Array, embeddings: Array) -> Array:
        """Return the next embeddings at fixed couplings; F never decreases (MATHS 4.6)."""
        return polar(self.gradient(couplings, embeddings), proper=self.proper)

    def couple(self, costs: Array) -> Array:
        """Return the best coupling of each start's costs, guide included, (s, K, L)."""
        return exact_each(costs + self.linear, self.weights0, self.weights1)

    def from_coupling(self, coupling: Array) -> Array | None:
        """Return polar(Σ w m̃ ñᵀ), or None where its rank is too low to name an embedding."""
        cross = self.means0.T @ coupling @ self.means1
        values = np.linalg.svd(cross, compute_uv=False)
        if values[-1] <= RANK_TOLERANCE * values[0]:
            return None
        return polar(cross, proper=self.proper)

    def oriented(self, coupling: Array) -> Array:
        """Turn a source × target coupling to this problem's order of sides, or back."""
        return coupling.T if self.swapped else coupling

    def settle(self, coupling: Array, *, most: int = POLISHED) -> tuple[Array, bool]:
        """Return the embedding at a fixed coupling, the best from its own and the sign starts."""
        starts = self.sign_starts(16)
        own = self.from_coupling(coupling)
        if own is not None:
            starts = np.concatenate([own[None], starts])
        best, _ = self._settle(
            coupling, starts, tolerance=LOOSE_TOLERANCE**2, most=most, quick=True
        )
        return self._settle(coupling, best[None], tolerance=DECREASE_TOLERANCE, most=most)

    def _settle(
        self, coupling: Array, starts: Array, *, tolerance: float, most: int, quick: bool = False
    ) -> tuple[Array, bool]:
        """Climb from every start until none gains; return the best, and whether all settled."""
        costs_of = self.quick_costs if quick else self.costs
        couplings = np.broadcast_to(coupling, (len(starts), *coupling.shape))
        last = (costs_of(starts) * coupling).sum(axis=(1, 2))
        for _ in range(most):
            starts = self.climb(couplings, starts, steps=1, quick=quick)
            now = (costs_of(starts) * coupling).sum(axis=(1, 2))
            gain, last = last - now, now
            if (gain <= tolerance * self.constant).all():
                return starts[int(np.argmin(now))], True
        return starts[int(np.argmin(last))], False

    def sign_starts(self, most: int) -> Array:
        """Return embeddings that align the eigenbases of the total covariances, (s, m, n)."""
        starts = sign_embeddings(self.total0, self.total1, most)
        return polar(starts, proper=True) if self.proper else starts

    def random_starts(self, rng: np.random.Generator, count: int) -> Array:
        """Draw embeddings uniformly, (count, m, n)."""
        m, n = self.means0.shape[1], self.means1.shape[1]
        starts = random_stiefel(rng, count, m, n)
        return polar(starts, proper=True) if self.proper else starts

    def perturbed(
        self, embeddings: Array, rng: np.random.Generator, *, copies: int, length: float
    ) -> Array:
        """Return copies of embeddings (s, m, n) moved at random, (s·copies, m, n).

        ``length`` is that of a column's random part; a column has length 1.
        """
        s, m, n = embeddings.shape
        moved = embeddings[:, None] + length / np.sqrt(m) * rng.standard_normal((s, copies, m, n))
        return polar(moved.reshape(-1, m, n), proper=self.proper)

    def anneal(
        self, start: Array, *, first: float = 1.0, last: float = 1e-2, steps: int = 10
    ) -> Array:
        """Return an embedding from entropic couplings with decreasing, relative regularisation."""
        embedding = start[None]
        for epsilon in np.geomspace(first, last, steps):
            costs = self.costs(embedding)[0] + self.linear
            coupling = entropic(costs, self.weights0, self.weights1, epsilon=float(epsilon))
            embedding = self.step(coupling[None], embedding)
        return np.asarray(embedding[0])

    def search(self, starts: Array, rng: np.random.Generator, *, waves: int) -> Alternation:
        """Alternate from every start, then from perturbed copies of the best ends; polish the best.

        Local optima lie close together: on unrelated mixtures a wave of perturbed good ends finds
        better ones sooner than as many fresh starts (DESIGN, "Starts").

        Parameters
        ----------
        starts : (s, m, n) array
        waves : int
            Rounds of PARENTS × CHILDREN perturbed embeddings.
        """
        ends = self.alternate(starts, tolerance=LOOSE_TOLERANCE, quick=True, shares=SHARES)
        for length in np.linspace(*PERTURBATION, waves):
            parents = ends.embeddings[ends.distinct(PARENTS, self.constant)]
            children = self.perturbed(parents, rng, copies=CHILDREN, length=length)
            ends = ends.joined(self.alternate(children, tolerance=LOOSE_TOLERANCE, quick=True))
        finalists = ends.embeddings[ends.distinct(FINALISTS, self.constant)]
        polished = self.alternate(finalists, tolerance=LOOSE_TOLERANCE**2, quick=True)
        winners = polished.embeddings[polished.distinct(2, self.constant)]
        finals = self.alternate(winners, tolerance=DECREASE_TOLERANCE, most=POLISHED)
        chosen = int(np.argmin(finals.objectives))
        best = float(finals.objectives[chosen])
        near = best + REACHED * abs(best) + 1e-9 * self.constant
        embedding, coupling = finals.embeddings[chosen], finals.couplings[chosen]
        return Alternation(
            coupling=coupling,
            embedding=embedding,
            value=self.value(coupling, embedding),
            history=tuple(finals.histories[chosen]),
            converged=bool(finals.converged[chosen]),
            starts=len(starts),
            reached=int((ends.objectives[: len(starts)] <= near).sum()),
        )

    def value(self, coupling: Array, embedding: Array) -> float:
        """Return the unguided objective of MATHS 4.5, at least 0."""
        costs = self.costs((embedding - self.tilt)[None])[0]
        return max(0.0, float((costs * coupling).sum()) - self._agreement)

    def alternate(
        self,
        starts: Array,
        *,
        tolerance: float,
        most: int = 200,
        quick: bool = False,
        shares: Mapping[int, float] = MappingProxyType({}),
    ) -> Ends:
        """Alternate coupling and embedding from every start at once.

        Monotone: neither step raises the guided objective. A start leaves the batch when a round
        gains less than ``tolerance`` of the constant. ``quick`` computes without singular values,
        to 1e-7 of the constant. Before a round named in ``shares`` all but this share of the
        starts, and all but LEAST, are given up.
        """
        costs_of = self.quick_costs if quick else self.costs
        embeddings = np.array(starts)
        costs = costs_of(embeddings)
        couplings = self.couple(costs)
        objectives = ((costs + self.linear) * couplings).sum(axis=(1, 2))
        histories = [[float(value)] for value in objectives]
        active = np.arange(len(starts))
        converged = np.zeros(len(starts), dtype=bool)
        for done in range(most):
            if done in shares:
                kept = max(LEAST, int(shares[done] * len(starts)))
                active = np.intersect1d(active, np.argsort(objectives, kind="stable")[:kept])
            if not active.size:
                break
            steps = 1 if quick else INNER_STEPS
            moved = self.climb(couplings[active], embeddings[active], steps=steps, quick=quick)
            costs = costs_of(moved)
            coupled = self.couple(costs)
            now = ((costs + self.linear) * coupled).sum(axis=(1, 2))
            gain = objectives[active] - now
            better = active[gain > 0]
            embeddings[better], couplings[better] = moved[gain > 0], coupled[gain > 0]
            objectives[better] = now[gain > 0]
            for index in active:
                histories[index].append(float(objectives[index]))
            goes_on = gain > tolerance * self.constant
            converged[active[~goes_on]] = True
            active = active[goes_on]
        return Ends(embeddings, couplings, objectives, histories, converged)

    def quick_costs(self, embeddings: Array) -> Array:
        """Return ``costs`` to about 1e-7 of their scale, without singular values."""
        tilted = embeddings + self.tilt
        inner = (self.means0 @ tilted) @ self.means1.T
        seen = screening.grams(self.covariances0, tilted)[1]
        cross = screening.nuclear_norms(seen, self.covariances1, self.roots1)
        return np.asarray(np.clip(self._spreads - 2 * (inner + cross), 0.0, None))

    def quick_gradient(self, couplings: Array, embeddings: Array) -> Array:
        """Return ``gradient`` where singular covariances may pull less, without singular values."""
        lifted, seen = screening.grams(self.covariances0, embeddings + self.tilt)
        pulls = screening.pulls(couplings, seen, self.covariances1, self.roots1)
        s, _, n, m = lifted.shape
        flat = lifted.reshape(s, -1, m)
        means = self.means0.T @ couplings @ self.means1
        return np.asarray(means + np.swapaxes(flat, 1, 2) @ pulls.reshape(s, -1, n))

    def climb(self, couplings: Array, embeddings: Array, *, steps: int, quick: bool) -> Array:
        """Take embedding steps at fixed couplings until they hardly move, ``steps`` at most."""
        gradient = self.quick_gradient if quick else self.gradient
        for _ in range(steps):
            moved = polar(gradient(couplings, embeddings), proper=self.proper)
            far = float(np.abs(moved - embeddings).max())
            embeddings = moved
            if far < 1e-6:
                break
        return embeddings


def between(
    source: GaussianMixture, target: GaussianMixture, guide: Guide, *, proper: bool = False
) -> MixtureEmbedding:
    """Return the problem of two mixtures, the one of larger dimension first."""
    constant = float(np.trace(source.covariance) + np.trace(target.covariance))
    guides = guide.directions(source, target, constant)
    linear = guide.pair_costs(source, target, constant)
    swapped = source.dimension < target.dimension
    sides = (target, source) if swapped else (source, target)
    if swapped:
        guides = None if guides is None else (guides[1], guides[0])
        linear = None if linear is None else linear.T
    arrays = [array for side in sides for array in (side.weights, side.means, side.covariances)]
    return MixtureEmbedding(*arrays, linear=linear, guides=guides, proper=proper, swapped=swapped)


def _second_moments(guide: Array, centred: Array, covariances: Array) -> Array:
    """Return E (g·x̃)² of every component, (K,)."""
    return np.asarray((centred @ guide) ** 2 + np.einsum("p,kpq,q->k", guide, covariances, guide))


def _total(weights: Array, centred: Array, covariances: Array) -> Array:
    between = (centred * weights[:, None]).T @ centred
    return np.asarray(between + np.einsum("k,kij->ij", weights, covariances))
