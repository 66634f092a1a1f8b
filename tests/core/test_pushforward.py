"""What Lipschitz images must leave between modes, against the paper's figures and unseen laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from gwtransfer.core import pushforward
from gwtransfer.errors import ShapeError

from .strategies import ROUNDING, seeds

masses = st.floats(0.0, 1.0)


def balanced(mu):
    return lambda points: (ndtr(points - mu) + ndtr(points + mu)) / 2


def test_forced_mass_is_that_of_half_lines_under_a_linear_map():
    """For g(u) = L u and A = (−∞, a] the bound is attained: γ(a/L < u ≤ (a + r)/L)."""
    a, r, scale = np.linspace(-9, 9, 37), 1.7, 2.3
    found = pushforward.forced_mass(r, scale, ndtr(a / scale))
    expected = ndtr((a + r) / scale) - ndtr(a / scale)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=ROUNDING)


def test_nothing_is_forced_at_the_edges():
    """p = 0, p = 1, r = 0 and L = ∞ force nothing; L = 0 forces all that is left of p inside."""
    edges = pushforward.forced_mass([2, 2, 0, 2, 2], [3, 3, 3, np.inf, 0], [0, 1, 0.4, 0.4, 0.4])
    np.testing.assert_array_equal(edges, [0, 0, 0, 0, 0.6])
    assert pushforward.forced_mass(0.0, 0.0, 0.5) == 0.0
    assert pushforward.forced_mass(1e-3, 1.0, 1e-30) > 0


def test_small_masses_keep_their_digits():
    """Near p = 1 the mass is that of the other tail, where differences from 1 would be lost."""
    p = 1 - 2.0**-50
    expected = ndtr(-ndtri(p)) - ndtr(-ndtri(p) - 0.5)
    assert pushforward.forced_mass(0.5, 1.0, p) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("wrong", [(-1, 1, 0.5), (1, -1, 0.5), (1, 1, 1.5), (1, 1, np.nan)])
def test_what_is_no_mass_radius_or_constant_is_refused(wrong):
    """Negative radii and constants and masses outside 0 … 1 are errors, not figures."""
    with pytest.raises(ShapeError, match="expected"):
        pushforward.forced_mass(*wrong)


@given(masses, masses)
def test_pinsker(alpha, beta):
    """KL ≥ 2 TV² for two-point laws, 0 below β, and infinite where only ν has no mass."""
    kl, tv = pushforward.kl_bound(alpha, beta), pushforward.total_variation_bound(alpha, beta)
    assert tv == max(alpha - beta, 0)
    assert kl >= 2 * tv**2 * (1 - 1e-9) - 1e-15
    assert (kl == 0) or (alpha > beta)
    assert pushforward.kl_bound(0.25, 0.0) == np.inf


def test_constants_of_an_exact_fit():
    """MATHS 7.3: D/s = 2, 4, 6, 8 need L/s = 1.6487, 7.3891, 90.017, 2980.96."""
    found = pushforward.exact_fit_constant(np.array([1.0, 2, 3, 4]), 0.5) / 0.5
    np.testing.assert_allclose(found, [1.6487, 7.3891, 90.017, 2980.96], rtol=1e-4)
    assert pushforward.exact_fit_constant(6, 1, 0.1) == pytest.approx(
        90.0171313 * np.exp(-(ndtri(0.1) ** 2) / 2), rel=1e-8
    )
    assert pushforward.exact_fit_constant(1e3) == np.inf
    assert pushforward.exact_fit_constant(6, 1, 0) == 0


def test_the_published_a_priori_bounds():
    """MATHS 7.4, two modes six deviations apart: L = 2, 5, 10, 20 leave so much."""
    found = [pushforward.a_priori_bound(c, balanced(3.0), -9, 9) for c in (2, 5, 10, 20)]
    np.testing.assert_allclose(found, [0.232, 0.137, 0.057, 0.018], atol=6e-4)


@settings(max_examples=12)
@given(seeds, st.floats(0.3, 6))
def test_the_a_priori_bound_holds_for_unseen_maps(seed, constant):
    """No L-Lipschitz map, here piecewise linear with random slopes, comes closer than the bound."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 5))
    weights, means = rng.dirichlet(np.ones(count)), rng.uniform(-6, 6, count)
    deviations = rng.uniform(0.3, 1.5, count)

    def cdf(points):
        return ndtr((points[:, None] - means) / deviations) @ weights

    nodes = np.linspace(-6, 6, 41)
    slopes = constant * rng.choice([0.2, 1.0], 40) * rng.uniform(0.5, 1, 40)
    images = rng.uniform(-8, 0) + np.concatenate([[0], np.cumsum(slopes * np.diff(nodes))])
    bound = pushforward.a_priori_bound(constant, cdf, -14, 14)
    # Half-lines and slabs alone, so that the distance is if anything too small.
    gap = cdf(images) - ndtr(nodes)
    assert 0 <= bound <= gap.max() - gap.min() + 1e-9


@given(seeds)
def test_componentwise_bounds_hold_and_are_attained(seed):
    """Affine maps of 1-D mixtures are L-Lipschitz: the mass that falls in a slab obeys 7.5."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 6))
    weights = rng.dirichlet(np.ones(count))
    means, deviations = rng.normal(0, 3, count), rng.uniform(0.1, 2, count)
    slope, end, radius = rng.uniform(0.1, 5), rng.normal(0, 3), rng.uniform(0, 4)
    inside = ndtr((end / slope - means) / deviations)
    found = pushforward.componentwise_bound(radius, slope, weights, deviations, inside)
    fallen = weights @ (ndtr(((end + radius) / slope - means) / deviations) - inside)
    assert found == pytest.approx(fallen, abs=1e-9)
    total = float(weights @ inside)
    least = pushforward.least_componentwise_bound(radius, slope, weights, deviations, total)
    assert -ROUNDING <= least <= found + 1e-9


@given(seeds, st.integers(1, 7))
def test_the_least_bound_is_that_of_the_best_vertex(seed, count):
    """All p_k but one are 0 or 1 at the minimum: the search finds what enumeration finds."""
    rng = np.random.default_rng(seed)
    weights, deviations = rng.dirichlet(np.ones(count)), rng.uniform(0.1, 2, count)
    radius, slope, mass = rng.uniform(0.1, 4), rng.uniform(0.1, 5), rng.uniform(0, 1)
    values = []
    for k, sides in product(range(count), product((0.0, 1.0), repeat=count)):
        p = np.array(sides)
        p[k] = 0
        p[k] = (mass - weights @ p) / weights[k]
        if 0 <= p[k] <= 1:
            values.append(pushforward.componentwise_bound(radius, slope, weights, deviations, p))
    found = pushforward.least_componentwise_bound(radius, slope, weights, deviations, mass)
    assert found == pytest.approx(min(values), abs=1e-9)


def test_components_that_can_be_sorted_force_nothing():
    """MATHS 7.5: the identity of ½N(−3,1) + ½N(3,1) is not told that it fills the middle."""
    halves, ones = [0.5, 0.5], [1.0, 1.0]
    assert pushforward.forced_mass(3.0, 1.0, ndtr(1.5) / 2) == pytest.approx(0.532, abs=1e-3)
    assert pushforward.least_componentwise_bound(3.0, 1.0, halves, ones, 0.5) == 0.0
    tenths = np.full(10, 0.1)
    assert pushforward.least_componentwise_bound(9.0, 1.0, tenths, np.ones(10), 0.3) == 0.0


def test_many_components_are_bounded_from_below():
    """Above the number searched exactly light components cost nothing: less, never more."""
    weights = np.concatenate([[0.9], np.full(99, 0.1 / 99)])
    found = pushforward.least_componentwise_bound(2.0, 1.0, weights, np.ones(100), 0.45)
    exact = pushforward.least_componentwise_bound(2.0, 1.0, [0.9, 0.1], [1, 1], 0.45)
    least = min(0.9 * pushforward.forced_mass(2.0, 1.0, p) for p in (0.35 / 0.9, 0.45 / 0.9))
    assert found == pytest.approx(least, rel=1e-2)
    assert 0 < found <= exact + 1e-9


def test_light_components_may_lie_on_either_side():
    """A mass that only the components beyond those searched can make up is sorted for nothing."""
    weights = np.repeat([0.03, 0.01], [30, 10])
    assert pushforward.least_componentwise_bound(9.0, 1.0, weights, np.ones(40), 0.16) == 0.0
