"""Wasserstein geometry of Gaussians against closed forms and foreign oracles."""

import numpy as np
import ot
import ot.gaussian
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer.core.gaussian import (
    cross_terms,
    optimal_linear,
    own_squared_w2,
    squared_distances,
    squared_w2,
)
from gwtransfer.core.linalg import symmetric_root

from .strategies import (
    ROUNDING,
    SINGULAR,
    covariances,
    mixtures,
    orthogonal,
    random_mixture,
    seeds,
)

dimensions = st.integers(1, 5)


def pairs(*, least: float = 1e-3, singular: bool = False):
    """Two covariances of one dimension."""
    return dimensions.flatmap(
        lambda d: st.tuples(
            covariances(d, least=least, singular=singular),
            covariances(d, least=least, singular=singular),
        )
    )


def bures(covariance0, covariance1):
    zero = np.zeros((1, len(covariance0)))
    return squared_w2(zero, covariance0[None], zero, covariance1[None])[0, 0]


@given(pairs(), seeds)
def test_squared_w2_equals_pot(both, seed):
    """W2² between Gaussians is POT's Bures–Wasserstein distance, squared."""
    m0, m1 = np.random.default_rng(seed).standard_normal((2, len(both[0])))
    ours = squared_w2(m0[None], both[0][None], m1[None], both[1][None])[0, 0]
    theirs = ot.gaussian.bures_wasserstein_distance(m0, m1, *both) ** 2
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)  # theirs nests two Schur roots


def test_squared_w2_of_moments_equals_the_empirical_one():
    """W2² of the moments of two samples is POT's empirical Bures–Wasserstein distance, squared."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal((40, 3)) @ np.diag([1, 2, 3]) + 1
    ours = squared_w2(
        x.mean(0)[None], np.cov(x.T, bias=True)[None], y.mean(0)[None], np.cov(y.T, bias=True)[None]
    )[0, 0]
    theirs = ot.gaussian.empirical_bures_wasserstein_distance(x, y, reg=0.0) ** 2
    assert ours == pytest.approx(theirs, rel=1e-9)


@given(orthogonal(4), st.lists(st.floats(0, 4), min_size=8, max_size=8), seeds)
def test_commuting_covariances(axes, values, seed):
    """Where S0 and S1 commute, W2² = |m0 − m1|² + Σ (√λ_i − √κ_i)², singular or not."""
    m0, m1 = np.random.default_rng(seed).standard_normal((2, 4))
    first, second = np.array(values[:4]), np.array(values[4:])
    expected = ((m0 - m1) ** 2).sum() + ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()
    ours = squared_w2(
        m0[None], ((axes * first) @ axes.T)[None], m1[None], ((axes * second) @ axes.T)[None]
    )[0, 0]
    assert ours == pytest.approx(expected, abs=SINGULAR)


@given(dimensions.flatmap(lambda d: covariances(d, singular=True)))
def test_a_point_is_its_trace_away(covariance):
    """W2² between N(m, 0) and N(m, S) is tr S, and between equal Gaussians 0."""
    assert bures(np.zeros_like(covariance), covariance) == pytest.approx(
        np.trace(covariance), abs=SINGULAR
    )
    assert 0 <= bures(covariance, covariance) <= ROUNDING * 20


@given(pairs(singular=True))
def test_squared_w2_is_symmetric_and_never_negative(both):
    """W2²(μ, ν) = W2²(ν, μ) >= 0 for singular covariances too."""
    assert bures(*both) >= 0
    assert bures(*both) == pytest.approx(bures(*both[::-1]), abs=SINGULAR)


@given(st.tuples(*[mixtures(3, most=3, singular=True)] * 3))
def test_triangle_inequality(three):
    """W2(μ, ρ) <= W2(μ, ν) + W2(ν, ρ) for any components."""
    first, second, third = (
        np.sqrt(squared_w2(a.means, a.covariances, b.means, b.covariances))
        for a, b in ((three[0], three[1]), (three[1], three[2]), (three[0], three[2]))
    )
    through = (first[:, :, None] + second[None]).min(axis=1)
    assert (third <= through + np.sqrt(SINGULAR)).all()


@given(pairs(singular=True), st.integers(0, 2**32 - 1))
def test_the_cross_term_is_the_most_a_coupling_reaches(both, seed):
    """|S0^½ S1^½|_* = tr (S0^½ S1 S0^½)^½, the most any coupling has."""
    s0, s1 = both
    cross = cross_terms(symmetric_root(s0)[None], symmetric_root(s1)[None])[0, 0]
    half0, half1 = symmetric_root(s0), symmetric_root(s1)
    middle = np.clip(np.linalg.eigvalsh(half0 @ s1 @ half0), 0, None)
    assert cross == pytest.approx(np.sqrt(middle).sum(), abs=SINGULAR)
    contraction = np.random.default_rng(seed).standard_normal(s0.shape)
    contraction /= np.linalg.norm(contraction, 2)
    assert np.trace(half0 @ contraction @ half1) <= cross + SINGULAR


def test_cross_terms_do_not_depend_on_their_blocks(monkeypatch):
    """The same numbers come out when the products of roots are taken a few rows at a time."""
    mixture = random_mixture(np.random.default_rng(1), 7, 3)
    roots = symmetric_root(mixture.covariances)
    whole = cross_terms(roots, roots)
    monkeypatch.setattr("gwtransfer.core.gaussian.CROSS_BYTES", 8 * 7 * 9 * 2)
    np.testing.assert_allclose(cross_terms(roots, roots), whole, rtol=ROUNDING)


@given(mixtures(st.integers(1, 4), singular=True))
def test_own_distances_are_a_distance_matrix(mixture):
    """Between the components of one mixture: symmetric to the bit, zero diagonal, no negatives."""
    own = own_squared_w2(mixture.means, mixture.covariances)
    np.testing.assert_array_equal(own, own.T)
    assert (np.diag(own) == 0).all()
    assert (own >= 0).all()


@pytest.mark.parametrize(("n", "q", "p"), [(5, 4, 3), (500, 500, 17)])
def test_squared_distances(n, q, p):
    """Both ways to compute |x − y|² agree with the definition."""
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((n, p)), rng.standard_normal((q, p))
    expected = ((x[:, None] - y[None]) ** 2).sum(-1)
    np.testing.assert_allclose(squared_distances(x, y), expected, atol=ROUNDING * p)


@given(pairs(least=1e-2))
def test_the_optimal_map_pushes_one_gaussian_on_the_other(both):
    """A S0 A = S1 with A symmetric PSD: the gradient of a convex function, hence optimal."""
    s0, s1 = both
    linear = optimal_linear(s0, s1)
    condition = np.linalg.cond(s0)
    np.testing.assert_allclose(linear @ s0 @ linear, s1, atol=ROUNDING * 10 * condition)
    np.testing.assert_array_equal(linear, linear.T)
    assert np.linalg.eigvalsh(linear).min() >= -ROUNDING * condition


@given(pairs(least=1e-2))
def test_the_optimal_map_equals_pot(both):
    """A is POT's linear Monge map; A for the way back is its inverse."""
    zero = np.zeros(len(both[0]))
    theirs, _ = ot.gaussian.bures_wasserstein_mapping(zero, zero, *both)
    tolerance = ROUNDING * 1e2 * np.linalg.cond(both[0]) * np.linalg.cond(both[1])
    np.testing.assert_allclose(optimal_linear(*both), theirs, atol=max(tolerance, 1e-8))
    way_back = optimal_linear(*both[::-1])
    np.testing.assert_allclose(
        way_back @ optimal_linear(*both), np.eye(len(zero)), atol=max(tolerance, 1e-8)
    )


@given(
    dimensions.flatmap(
        lambda d: st.tuples(covariances(d, least=1e-2, singular=True), covariances(d, least=1e-2))
    )
)
def test_the_map_from_a_singular_gaussian(both):
    """A S0 A ⪯ S1, and tr (S0 A) is still the whole cross term: A x is E[Y|X]."""
    s0, s1 = both
    linear = optimal_linear(s0, s1)
    missing = s1 - linear @ s0 @ linear
    assert np.linalg.eigvalsh(missing).min() >= -SINGULAR
    cross = cross_terms(symmetric_root(s0)[None], symmetric_root(s1)[None])[0, 0]
    assert np.trace(s0 @ linear) == pytest.approx(cross, abs=SINGULAR)
    assert np.linalg.eigvalsh(linear).min() >= -SINGULAR
    rank = np.linalg.matrix_rank(s0, tol=1e-6)
    assert np.linalg.matrix_rank(linear @ s0 @ linear, tol=1e-6) <= rank


@given(st.floats(1e-3, 1e3), st.floats(0, 1e3))
def test_in_one_dimension_the_map_is_a_ratio(first, second):
    """In 1-D, A = σ1/σ0."""
    linear = optimal_linear(np.array([[first**2]]), np.array([[second**2]]))
    assert linear[0, 0] == pytest.approx(second / first, rel=ROUNDING)
