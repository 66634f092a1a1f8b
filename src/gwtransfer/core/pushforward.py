"""What an L-Lipschitz image of a standard normal law must leave between modes (MATHS 7).

Throughout γ = N(0, I), g is L-Lipschitz, A_r is the r-neighbourhood of a set A, and ν is the law
that g#γ should have. Figures are lower bounds: they hold for every such g.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, rel_entr

from gwtransfer.errors import ShapeError

Array = NDArray[np.float64]
Cdf = Callable[[Array], Array]

EXACT = 24
"""Components whose subsets are searched; lighter ones are let go to either side for nothing."""

SAME = 1e-12
"""Sums of weights that differ by less are one."""

PLACES = 48
"""Half-lines among which that of the a-priori bound is first sought."""

COARSE, MIDDLE, FINE = (64, 64), (128, 96), (2048, 256)
"""Cells of p and radii of the a-priori bound: to find its half-line, to place it, to settle."""


def forced_mass(radius: ArrayLike, lipschitz: ArrayLike, mass: ArrayLike) -> Array:
    """Return the mass α = Φ(r/L + Φ⁻¹(p)) − p that g#γ must have in A_r ∖ A (MATHS 7.1).

    Parameters
    ----------
    radius : array of r, at least 0
    lipschitz : array of L, at least 0; infinity forces nothing
    mass : array of p = (g#γ)(A), from 0 to 1

    Returns
    -------
    array of the broadcast shape, from 0 to 1 − p
        0 where p is 0 or 1, where r = 0, and where L is infinite.

    Raises
    ------
    ShapeError
        A negative radius or constant, or a mass that is none.
    """
    r, constant, p = (np.asarray(value, dtype=np.float64) for value in (radius, lipschitz, mass))
    _expect(bool((r >= 0).all()), "a radius of at least 0", radius)
    _expect(bool((constant >= 0).all()), "a Lipschitz constant of at least 0", lipschitz)
    _expect_masses(p)
    known = (p > 0) & (p < 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = np.where(r > 0, r / constant, 0.0)
    # Differences of the smaller tail keep their digits.
    quantile = ndtri(np.where(known, p, 0.5))
    upper = quantile > 0
    near = ndtr(-np.abs(quantile))
    far = ndtr(np.where(upper, -1.0, 1.0) * (quantile + step))
    return np.asarray(np.where(known, np.where(upper, near - far, far - near), 0.0))


def total_variation_bound(forced: ArrayLike, present: ArrayLike) -> Array:
    """Return what TV(g#γ, ν) is at least: (α − β)₊ with β = ν(A_r ∖ A) (MATHS 7.2).

    The supremum over sets is the caller's to take: every entry is a bound.
    """
    alpha, beta = np.asarray(forced, dtype=np.float64), np.asarray(present, dtype=np.float64)
    _expect_masses(alpha, beta)
    return np.asarray(np.clip(alpha - beta, 0.0, None))


def kl_bound(forced: ArrayLike, present: ArrayLike) -> Array:
    """Return what KL(g#γ‖ν) is at least: kl(α‖β) where α ≥ β, else 0 (MATHS 7.2), in nats.

    kl(α‖β) = α log(α/β) + (1 − α) log((1 − α)/(1 − β)): infinite where ν has no mass and g must.
    """
    alpha, beta = np.asarray(forced, dtype=np.float64), np.asarray(present, dtype=np.float64)
    _expect_masses(alpha, beta)
    found = rel_entr(alpha, beta) + rel_entr(1 - alpha, 1 - beta)
    return np.asarray(np.where(alpha >= beta, np.clip(found, 0.0, None), 0.0))


def exact_fit_constant(
    distance: ArrayLike, deviation: ArrayLike = 1.0, share: ArrayLike = 0.5
) -> Array:
    """Return the least L for which g#γ = λ N(m1, s²I) + (1 − λ) N(m2, s²I) can be (MATHS 7.3).

    L ≥ s exp(D²/8s² − Φ⁻¹(λ)²/2), an equality on the line where λ = 1/2.

    Parameters
    ----------
    distance : array of D = |m1 − m2|
    deviation : array of s, above 0
    share : array of λ, from 0 to 1
        At either end nothing is left of two modes, and 0 is returned.

    Returns
    -------
    array of the broadcast shape
        Infinite where no float holds it.
    """
    d, s, part = (np.asarray(value, dtype=np.float64) for value in (distance, deviation, share))
    _expect(bool((s > 0).all()), "a deviation above 0", deviation)
    _expect_masses(part)
    with np.errstate(over="ignore"):
        return np.asarray(s * np.exp((d / s) ** 2 / 8 - ndtri(part) ** 2 / 2))


def componentwise_bound(
    radius: ArrayLike,
    lipschitz: ArrayLike,
    weights: ArrayLike,
    deviations: ArrayLike,
    masses: ArrayLike,
) -> Array:
    """Return what an L-Lipschitz T must leave of a mixture Σ a_k μ_k in A_r ∖ A (MATHS 7.5).

    μ_k = N(m_k, Σ_k) is a √λ_max(Σ_k)-Lipschitz image of γ, so that
    (T#μ)(A_r ∖ A) ≥ Σ_k a_k [Φ(r / (L √λ_max) + Φ⁻¹(p_k)) − p_k].

    Parameters
    ----------
    radius, lipschitz : arrays of a shape that broadcasts with that of `masses` without its last
        axis
    weights : (K,) array of a_k
    deviations : (K,) array of √λ_max(Σ_k)
    masses : (..., K) array of p_k = (T#μ_k)(A)

    Returns
    -------
    (...) array
    """
    r, constant = (np.asarray(value, dtype=np.float64)[..., None] for value in (radius, lipschitz))
    a, s = np.asarray(weights, dtype=np.float64), np.asarray(deviations, dtype=np.float64)
    return np.asarray((a * forced_mass(r, constant * s, masses)).sum(axis=-1))


def least_componentwise_bound(
    radius: float, lipschitz: float, weights: ArrayLike, deviations: ArrayLike, mass: float
) -> float:
    """Return the least componentwise bound over all p_k with Σ a_k p_k = p (MATHS 7.5).

    Its terms are concave in p_k and 0 at both ends, so that at a minimum all p_k but one are 0 or
    1, and that one is as near to 0 or to 1 as sums of the other weights allow. Those sums are
    searched exactly, by halves, for the EXACT heaviest components: 2^(K/2) of them. Lighter
    ones may lie on either side at no cost, which can only lessen the bound.

    Parameters
    ----------
    radius, lipschitz : float
    weights : (K,) array
    deviations : (K,) array of √λ_max(Σ_k)
    mass : float
        p = (T#μ)(A), within the sum of the weights.

    Returns
    -------
    float
        0 where the components can be sorted to the two sides.
    """
    a, s = np.asarray(weights, dtype=np.float64), np.asarray(deviations, dtype=np.float64)
    _expect(-SAME <= mass <= a.sum() + SAME, f"a mass within 0 … {a.sum():g}", mass)
    order = np.argsort(-a, kind="stable")
    heavy, light = order[:EXACT], order[EXACT:]
    loose = float(a[light].sum()) + SAME
    below, above = _nearest_sums(a[heavy], mass)
    if mass - below <= loose or above - mass <= SAME:
        return 0.0
    found = []
    for k in range(len(heavy)):
        others = np.delete(a[heavy], k)
        own, wide = a[heavy[k]], s[heavy[k]]
        least = max(mass - _nearest_sums(others, mass)[0] - loose, 0.0)
        most = min(mass - _nearest_sums(others, mass - own - loose)[1], own)
        for part in (least, most):
            if 0 <= part <= own:
                found.append(own * float(forced_mass(radius, lipschitz * wide, part / own)))
    return float(min(found))


def _nearest_sums(weights: Array, wanted: float) -> tuple[float, float]:
    """Return the largest sum of a subset up to ``wanted``, and the smallest from it on.

    −inf or inf where there is none.
    """
    half = len(weights) // 2
    first, second = _sums(weights[:half]), _sums(weights[half:])
    place = np.searchsorted(second, wanted + SAME - first, side="right")
    low = np.where(place > 0, first + second[place - 1], -np.inf)
    place = np.searchsorted(second, wanted - SAME - first, side="left")
    high = np.where(place < len(second), first + second[np.minimum(place, len(second) - 1)], np.inf)
    return float(low.max()), float(high.min())


def _sums(weights: Array) -> Array:
    """Return the sums of all subsets, increasing, (2^K,)."""
    sums = np.zeros(1)
    for weight in weights:
        sums = np.sort(np.concatenate([sums, sums + weight]), kind="stable")
    return sums


def a_priori_bound(lipschitz: float, cdf: Cdf, low: float, high: float) -> float:
    """Return what TV(g#γ, ν) is at least on the line, from L and ν alone (MATHS 7.4).

    The supremum over half-lines A = (−∞, a] and [a, ∞) of the minimum over p = (g#γ)(A) of
    max(max_r α(p, r) − β(r), |p − ν(A)|). For each r the first is concave in p, hence on a cell of
    p at least its value at one of the ends: any grid of a, p and r gives a bound that holds.

    Parameters
    ----------
    lipschitz : float
        L, at least 0.
    cdf : callable
        ν((−∞, x]) for an array of x.
    low, high : float
        Ends of the line segment in which A ends and is widened.

    Returns
    -------
    float
        From 0 to 1.
    """

    def mirrored(points: Array) -> Array:
        return np.asarray(1.0 - cdf(-points))

    return max(
        _half_line_bound(lipschitz, cdf, low, high),
        _half_line_bound(lipschitz, mirrored, -high, -low),
    )


def _half_line_bound(lipschitz: float, cdf: Cdf, low: float, high: float) -> float:
    """Return the supremum over half-lines to the left; any of them gives a bound."""
    ends = np.linspace(low, high, PLACES)
    step = ends[1] - ends[0]
    found = [_bound_at(end, lipschitz, cdf, high, grid=COARSE) for end in ends]
    for _ in range(3):
        ends = np.clip(ends[np.argmax(found)] + np.linspace(-step, step, 9), low, high)
        found = [_bound_at(end, lipschitz, cdf, high, grid=MIDDLE) for end in ends]
        step /= 4
    return _bound_at(ends[np.argmax(found)], lipschitz, cdf, high, grid=FINE)


def _bound_at(
    end: float, lipschitz: float, cdf: Cdf, high: float, *, grid: tuple[int, int]
) -> float:
    """Return the bound of the half-line up to ``end``."""
    cells, radii = grid
    r = np.linspace(0.0, high - end, radii)
    inside = cdf(np.array([end]))[0]
    present = cdf(end + r) - inside
    edges = np.linspace(0.0, 1.0, cells + 1)
    excess = forced_mass(r[:, None], lipschitz, edges[None]) - present[:, None]
    forced = np.minimum(excess[:, :-1], excess[:, 1:]).max(axis=0)
    away = np.clip(np.maximum(edges[:-1] - inside, inside - edges[1:]), 0.0, None)
    return float(np.maximum(forced, away).min())


def _expect_masses(*masses: Array) -> None:
    for mass in masses:
        _expect(bool(((mass >= 0) & (mass <= 1)).all()), "masses from 0 to 1", mass)


def _expect(condition: bool, wanted: str, found: object) -> None:
    if not condition:
        raise ShapeError(f"expected {wanted}, got {found}")
