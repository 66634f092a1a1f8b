"""Certificates: one-dimensional transport and the bounds made of it."""

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact, random_couplings
from gwtransfer.core.gaussian import own_squared_w2, squared_w2
from gwtransfer.core.gromov import GromovProblem

from .strategies import ROUNDING, SINGULAR, covariances, mixtures, orthogonal, seeds, stiefel

sizes = st.integers(1, 6)


@given(seeds, st.tuples(sizes, sizes), st.tuples(sizes, sizes), st.booleans())
def test_quantile_cost_equals_pot(seed, counts, lengths, ties):
    """Each entry is the squared 1-D Wasserstein cost of POT, ties and unequal sizes included."""
    rng = np.random.default_rng(seed)
    (count0, count1), (size0, size1) = counts, lengths
    values0, values1 = rng.standard_normal((count0, size0)), rng.standard_normal((count1, size1))
    if ties:
        values0, values1 = values0.round(), values1.round()
    weights0 = rng.dirichlet(np.ones(size0), count0)
    weights1 = rng.dirichlet(np.ones(size1), count1)
    costs = bounds.quantile_cost(values0, weights0, values1, weights1)
    assert costs.shape == (count0, count1)
    for k in range(count0):
        for l in range(count1):
            expected = ot.wasserstein_1d(values0[k], values1[l], weights0[k], weights1[l], p=2)
            assert costs[k, l] == pytest.approx(float(expected), rel=1e-9, abs=ROUNDING)


def problem_of(source, target):
    return GromovProblem(
        own0=own_squared_w2(source.means, source.covariances),
        own1=own_squared_w2(target.means, target.covariances),
        weights0=source.weights,
        weights1=target.weights,
    )


@given(mixtures(2), mixtures(3))
def test_tlb_is_a_linear_programme_over_profiles(source, target):
    """TLB: POT's 1-D cost between every two rows of distances, then POT's transport over them."""
    problem = problem_of(source, target)
    costs = np.array(
        [
            [ot.emd2_1d(row, line, source.weights, target.weights) for line in problem.own1]
            for row in problem.own0
        ]
    )
    expected = ot.emd2(source.weights, target.weights, costs)
    coupling, value = problem.tlb()
    assert value == pytest.approx(expected, rel=1e-9, abs=ROUNDING)
    np.testing.assert_allclose(coupling.sum(axis=1), source.weights, atol=ROUNDING)


@given(mixtures(2), mixtures(3))
def test_slb_is_one_transport_between_all_distances(source, target):
    """SLB: POT's 1-D cost between the laws of the distances under a⊗a and b⊗b."""
    problem = problem_of(source, target)
    expected = ot.emd2_1d(
        problem.own0.ravel(),
        problem.own1.ravel(),
        np.outer(source.weights, source.weights).ravel(),
        np.outer(target.weights, target.weights).ravel(),
    )
    slb = bounds.second_lower_bound(problem.own0, problem.own1, source.weights, target.weights)
    assert slb == pytest.approx(expected, rel=1e-9, abs=ROUNDING)


@given(st.lists(mixtures(2), min_size=1, max_size=4), st.lists(mixtures(3), max_size=3))
def test_bounds_of_many_pairs_are_those_of_each(sources, targets):
    """Each entry is its pair's SLB, lowered a little, whatever the sizes of the others."""
    first, second = (
        [(own_squared_w2(m.means, m.covariances), m.weights) for m in side]
        for side in (sources, targets)
    )
    for others in [None, second] if second else [None]:
        table = bounds.second_lower_bounds(first, others)
        assert table.shape == (len(first), len(first if others is None else others))
        for i, (own0, weights0) in enumerate(first):
            for j, (own1, weights1) in enumerate(first if others is None else others):
                constant = weights0 @ own0**2 @ weights0 + weights1 @ own1**2 @ weights1
                slb = bounds.second_lower_bound(own0, own1, weights0, weights1)
                assert abs(table[i, j] - slb) <= 1e-12 * constant
                assert table[i, j] <= slb
        if others is None:
            np.testing.assert_array_equal(table, table.T)
            assert not np.diag(table).any()


def test_a_copy_is_never_bounded_away():
    """Of a turned copy of any size the bound is 0: rounding does not lift it above its value."""
    rng = np.random.default_rng(11)
    for unit in (1e-6, 1.0, 1e6):
        points = unit * rng.standard_normal((20, 3))
        turned = points @ stiefel(rng, 3, 3).T
        weights = rng.dirichlet(np.ones(20))
        order = rng.permutation(20)
        own = [((x[:, None] - x) ** 2).sum(axis=-1) for x in (points, turned[order])]
        sides = [(own[0], weights), (own[1], weights[order])]
        assert not bounds.second_lower_bounds(sides).any()
        assert not bounds.second_lower_bounds(sides[:1], sides[1:]).any()


@given(mixtures(2), mixtures(3), seeds)
def test_no_coupling_goes_below_the_bounds(source, target, seed):
    """SLB <= TLB <= Σ (D0 − D1)² w w for every coupling w."""
    problem = problem_of(source, target)
    slb = bounds.second_lower_bound(problem.own0, problem.own1, source.weights, target.weights)
    tlb = problem.tlb()[1]
    slack = ROUNDING * (problem.constant + 1)
    assert slb <= tlb + slack
    assert problem.bound() == tlb
    rng = np.random.default_rng(seed)
    couplings = random_couplings(rng, 5, source.weights, target.weights)
    couplings = [*couplings, np.outer(source.weights, target.weights)]
    for coupling in couplings:
        assert problem.value(coupling) >= tlb - slack
        assert problem.descend(coupling).objective >= tlb - slack


@pytest.mark.parametrize("n", [1, 2])
def test_gelbrich_is_the_least_over_all_embeddings(n):
    """Σ (√λ_i − √κ_i)² + Σ λ_i is the minimum of the Bures cost over a fine grid of embeddings."""
    rng = np.random.default_rng(n)
    first, second = stiefel(rng, 2, 2), stiefel(rng, n, n)
    s0 = (first * [3.0, 0.7]) @ first.T
    s1 = (second * np.array([2.0, 0.2])[:n]) @ second.T
    angles = np.linspace(0, 2 * np.pi, 20_000)
    cos, sin = np.cos(angles), np.sin(angles)
    grid = np.stack([np.stack([cos, sin], 1), np.stack([-sin, cos], 1)], 2)[:, :, :n]
    grid = np.concatenate([grid, grid * np.array([1.0, -1.0])[:n]])
    zero = np.zeros((1, 2))
    lifted = grid @ s1 @ np.swapaxes(grid, 1, 2)
    costs = squared_w2(zero, s0[None], np.zeros((len(grid), 2)), lifted)
    step = angles[1] ** 2 * 10  # the cost is quadratic in the angle around its minimum
    assert bounds.gelbrich(s0, s1) == pytest.approx(costs.min(), abs=step)
    assert costs.min() >= bounds.gelbrich(s0, s1) - SINGULAR
    assert bounds.gelbrich(s0, s1) == pytest.approx(bounds.gelbrich(s1, s0), abs=ROUNDING)


@given(covariances(4, singular=True), covariances(3, singular=True), orthogonal(4), orthogonal(3))
def test_gelbrich_sees_no_isometry(s0, s1, turn0, turn1):
    """It depends on the eigenvalues only, and is 0 for a copy in more dimensions."""
    turned = bounds.gelbrich(turn0 @ s0 @ turn0.T, turn1 @ s1 @ turn1.T)
    assert bounds.gelbrich(s0, s1) == pytest.approx(turned, abs=SINGULAR)
    copy = turn0[:, :3] @ s1 @ turn0[:, :3].T
    assert bounds.gelbrich(copy, s1) == pytest.approx(0, abs=SINGULAR)


@given(mixtures(3), mixtures(3))
def test_gelbrich_is_below_mw2(source, target):
    """The best isometry of two Gaussians costs no more than staying in one space (centred)."""
    costs = squared_w2(
        source.means - source.mean,
        source.covariances,
        target.means - target.mean,
        target.covariances,
    )
    mw2 = (exact(costs, source.weights, target.weights) * costs).sum()
    assert bounds.gelbrich(source.covariance, target.covariance) <= mw2 + SINGULAR
