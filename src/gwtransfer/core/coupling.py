"""Couplings of component weights: exact, entropic and Gromov ones, and where they start.

The only importer of POT.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import bounds
from gwtransfer.core.linalg import eigenbasis, sign_choices
from gwtransfer.errors import SolverError

Array = NDArray[np.float64]

MASS_TOLERANCE = 1e-9
"""How far a marginal returned by the linear programme may be off before it is an error."""

DECREASE_TOLERANCE = 1e-13
"""A descent stops when a step gains less than this share of the objective's constant."""

PARENTS, CHILDREN, MIXED = 16, 4, 0.5
"""Ends mixed in a wave, copies of each, and the share of the random vertex in the mixture."""

REACHED = 1e-3
"""A start counts as having reached the best when it ends within this share of it."""


def exact(costs: Array, weights0: Array, weights1: Array) -> Array:
    """Return an optimal vertex coupling of a linear cost.

    The minimum is subtracted first: POT answers an all-negative cost with an empty plan.

    Parameters
    ----------
    costs : (K, L) array, any sign
    weights0, weights1 : (K,) and (L,) arrays, each summing to 1

    Returns
    -------
    (K, L) array with at most K + L − 1 entries above zero

    Raises
    ------
    SolverError
        The costs are not finite, or the solver lost mass.
    """
    import ot

    if not np.isfinite(costs).all():
        raise SolverError("coupling costs are not finite: a mean or covariance is too large")
    shifted = np.ascontiguousarray(costs - costs.min())
    scale = shifted.max()
    coupling = ot.emd(
        np.ascontiguousarray(weights0),
        np.ascontiguousarray(weights1 * (weights0.sum() / weights1.sum())),
        shifted / scale if scale > 0 else shifted,
        numItermax=1_000_000,
    )
    off = max(
        float(np.abs(coupling.sum(axis=1) - weights0).max()),
        float(np.abs(coupling.sum(axis=0) - weights1).max()),
    )
    if off > MASS_TOLERANCE:
        raise SolverError(f"the linear programme lost {off:.2e} of its mass")
    return np.asarray(coupling)


def entropic(costs: Array, weights0: Array, weights1: Array, *, epsilon: float) -> Array:
    """Return the entropic coupling, rounded onto the exact marginals.

    Parameters
    ----------
    costs : (K, L) array
    epsilon : float
        Regularisation as a share of the spread of the costs, never absolute.
    """
    import ot

    spread = float(np.ptp(costs))
    if spread == 0:
        return np.outer(weights0, weights1)
    coupling = ot.sinkhorn(
        weights0,
        weights1,
        (costs - costs.min()) / spread,
        reg=epsilon,
        method="sinkhorn_log",
        numItermax=500,
        stopThr=1e-7,
        warn=False,
    )
    return onto_marginals(np.asarray(coupling), weights0, weights1)


def onto_marginals(coupling: Array, weights0: Array, weights1: Array) -> Array:
    """Round a nearly feasible coupling onto Π(weights0, weights1).

    Rows, then columns, are shrunk to their marginal; what is missing is added as a product
    (Altschuler, Weed, Rigollet 2017, algorithm 2).
    """
    rows = coupling.sum(axis=1)
    coupling = coupling * np.minimum(1.0, weights0 / np.where(rows > 0, rows, 1.0))[:, None]
    columns = coupling.sum(axis=0)
    coupling = coupling * np.minimum(1.0, weights1 / np.where(columns > 0, columns, 1.0))[None]
    missing0 = weights0 - coupling.sum(axis=1)
    missing1 = weights1 - coupling.sum(axis=0)
    total = missing0.sum()
    if total > 0:
        coupling = coupling + np.outer(missing0, missing1) / total
    return np.clip(coupling, 0.0, None)


def random_couplings(
    rng: np.random.Generator, count: int, weights0: Array, weights1: Array
) -> list[Array]:
    """Draw couplings: vertices of the polytope, each optimal for a uniform random cost."""
    shape = (len(weights0), len(weights1))
    return [exact(rng.random(shape), weights0, weights1) for _ in range(count)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Descent:
    """Where one descent ended, or the best of several.

    Attributes
    ----------
    coupling : (K, L) array
    objective : float
        What was minimised, guide included.
    history : tuple of float
        Objective after each step.
    converged : bool
    starts, reached : int
        Descents run, and how many ended within REACHED of the best.
    """

    coupling: Array
    objective: float
    history: tuple[float, ...]
    converged: bool
    starts: int = 1
    reached: int = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class GromovProblem:
    """Gromov–Wasserstein between two weighted sets seen only through their own costs.

    objective(w) = Σ (own0[k,i] − own1[l,j])² w[k,l] w[i,j] + ⟨linear, w⟩ (MATHS 3.1).

    Attributes
    ----------
    own0, own1 : (K, K) and (L, L) symmetric arrays
    weights0, weights1 : (K,) and (L,) arrays summing to 1
    linear : (K, L) array or None
        The guide's cost.
    """

    own0: Array
    own1: Array
    weights0: Array
    weights1: Array
    linear: Array | None = None

    @property
    def constant(self) -> float:
        """The part no coupling changes, and the scale of every tolerance."""
        return float(
            self.weights0 @ self.own0**2 @ self.weights0
            + self.weights1 @ self.own1**2 @ self.weights1
        )

    def value(self, coupling: Array) -> float:
        """Return the unguided objective, at least 0, summed over nonzeros so nothing cancels."""
        k, l = np.nonzero(coupling)
        mass = coupling[k, l]
        if len(k) > 4 * sum(coupling.shape):
            product = self.own0 @ coupling @ self.own1
            return max(0.0, self.constant - 2 * float((product * coupling).sum()))
        gaps = self.own0[np.ix_(k, k)] - self.own1[np.ix_(l, l)]
        return float(mass @ gaps**2 @ mass)

    def descend(self, start: Array, *, most: int = 200) -> Descent:
        """Minimise by conditional gradient with exact line search.

        Every step solves one linear programme; the objective never rises. Most descents end in
        a vertex after a few steps (MATHS 3.4).
        """
        linear = np.zeros_like(start) if self.linear is None else self.linear
        constant = self.constant
        scale = constant + float(np.abs(linear).max())
        coupling = start
        product = self.own0 @ coupling @ self.own1
        objective = constant - 2 * float((product * coupling).sum())
        objective += float((linear * coupling).sum())
        history = [objective]
        converged = False
        for _ in range(most):
            gradient = linear - 4 * product
            vertex = exact(gradient, self.weights0, self.weights1)
            step = vertex - coupling
            slope = float((gradient * step).sum())
            if slope > -DECREASE_TOLERANCE * scale:
                converged = True
                break
            step_product = self.own0 @ step @ self.own1
            curvature = -2 * float((step_product * step).sum())
            length = 1.0 if curvature <= 0 else min(1.0, -slope / (2 * curvature))
            gain = slope * length + curvature * length**2
            coupling = vertex if length == 1.0 else coupling + length * step
            product = product + length * step_product
            objective += gain
            history.append(objective)
            if -gain <= DECREASE_TOLERANCE * scale:
                converged = True
                break
        guided = float((linear * coupling).sum())
        return Descent(
            coupling=coupling,
            objective=self.value(coupling) + guided,
            history=tuple(history),
            converged=converged,
        )

    def anneal(self, *, first: float = 1.0, last: float = 1e-3, steps: int = 12) -> Array:
        """Return a start from entropic couplings with decreasing regularisation.

        Each ε is a share of the spread of the current linearised cost, so the schedule does not
        depend on the units of the data.
        """
        linear = 0.0 if self.linear is None else self.linear
        coupling = np.outer(self.weights0, self.weights1)
        for epsilon in np.geomspace(first, last, steps):
            gradient = linear - 4 * (self.own0 @ coupling @ self.own1)
            coupling = entropic(gradient, self.weights0, self.weights1, epsilon=float(epsilon))
        return coupling

    def starts(
        self,
        rng: np.random.Generator,
        *,
        moments0: tuple[Array, Array],
        moments1: tuple[Array, Array],
        most_signs: int,
        random: int,
    ) -> list[Array]:
        """Return the product plan, the TLB plan, PCA-sign plans and random couplings (MATHS 3.5).

        Parameters
        ----------
        moments0, moments1 : pairs of (K, m) centred means and (m, m) total covariance
        most_signs : int
            Sign choices of the leading principal axes tried at most, a power of two.
        random : int
        """
        starts = [np.outer(self.weights0, self.weights1), self.tlb()[0]]
        if self.linear is not None:
            starts.append(exact(self.linear, self.weights0, self.weights1))
        (means0, total0), (means1, total1) = moments0, moments1
        shared = min(means0.shape[1], means1.shape[1])
        turned0 = means0 @ eigenbasis(total0)[1][:, :shared]
        turned1 = means1 @ eigenbasis(total1)[1][:, :shared]
        for signs in sign_choices(shared, most_signs):
            costs = ((turned0[:, None] - (turned1 * signs)[None]) ** 2).sum(axis=-1)
            starts.append(exact(costs, self.weights0, self.weights1))
        return starts + random_couplings(rng, random, self.weights0, self.weights1)

    def tlb(self) -> tuple[Array, float]:
        """Return the third lower bound's plan and value (MATHS 3.5, 3.6)."""
        costs = bounds.profile_costs(self.own0, self.own1, self.weights0, self.weights1)
        coupling = exact(costs, self.weights0, self.weights1)
        return coupling, float((costs * coupling).sum())

    def bound(self) -> float:
        """Return the larger of the second and third lower bounds of the unguided objective."""
        slb = bounds.second_lower_bound(self.own0, self.own1, self.weights0, self.weights1)
        return max(slb, self.tlb()[1])

    def search(self, starts: list[Array], rng: np.random.Generator, *, waves: int) -> Descent:
        """Descend from every start, then from the best ends mixed with random vertices.

        Returns the best of all, with how many of the starts reached it by themselves. Mixing good
        ends finds better ones sooner than as many fresh starts (DESIGN, "Starts").

        Parameters
        ----------
        starts : list of (K, L) couplings
        waves : int
            Rounds of PARENTS × CHILDREN mixed couplings.
        """
        ends = [self.descend(start) for start in starts]
        for _ in range(waves):
            parents = _distinct(ends, PARENTS, DECREASE_TOLERANCE * self.constant)
            vertices = random_couplings(rng, CHILDREN * len(parents), self.weights0, self.weights1)
            ends += [
                self.descend((1 - MIXED) * parents[i // CHILDREN].coupling + MIXED * vertex)
                for i, vertex in enumerate(vertices)
            ]
        best = min(ends, key=lambda end: end.objective)
        near = best.objective + REACHED * abs(best.objective) + 1e-9 * self.constant
        reached = sum(end.objective <= near for end in ends[: len(starts)])
        return replace(best, starts=len(starts), reached=reached)


def _distinct(ends: list[Descent], most: int, apart: float) -> list[Descent]:
    """Return the best ends whose objectives differ, best first."""
    chosen: list[Descent] = []
    for end in sorted(ends, key=lambda end: end.objective):
        if not chosen or end.objective - chosen[-1].objective > apart:
            chosen.append(end)
    return chosen[:most]
