"""Couplings: linear and entropic."""

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from gwtransfer.core import coupling as module
from gwtransfer.core.coupling import (
    entropic,
    exact,
    exact_each,
    onto_marginals,
    random_couplings,
)
from gwtransfer.errors import SolverError

from .strategies import ROUNDING, seeds

sizes = st.integers(1, 6)


def simplex(rng, count):
    return rng.dirichlet(np.full(count, 2.0))


def expect_marginals(coupling, weights0, weights1, tolerance=1e-12):
    assert (coupling >= 0).all()
    np.testing.assert_allclose(coupling.sum(axis=1), weights0, atol=tolerance)
    np.testing.assert_allclose(coupling.sum(axis=0), weights1, atol=tolerance)


@given(seeds, sizes, sizes, st.sampled_from([-10.0, -0.5, 5.0]))
def test_exact_solves_the_linear_programme(seed, count0, count1, shift):
    """The value is that of scipy's linear programme, all-negative costs included, at a vertex."""
    rng = np.random.default_rng(seed)
    weights0, weights1 = simplex(rng, count0), simplex(rng, count1)
    costs = rng.random((count0, count1)) + shift
    coupling = exact(costs, weights0, weights1)
    expect_marginals(coupling, weights0, weights1)
    assert np.count_nonzero(coupling) <= count0 + count1 - 1
    rows = np.kron(np.eye(count0), np.ones(count1))
    columns = np.kron(np.ones(count0), np.eye(count1))
    oracle = linprog(
        costs.ravel(),
        A_eq=np.vstack([rows, columns]),
        b_eq=np.concatenate([weights0, weights1]),
    )
    assert (costs * coupling).sum() == pytest.approx(oracle.fun, abs=1e-9)  # HiGHS stops at 1e-7


def test_exact_does_not_know_the_units_of_its_costs():
    """Costs of 1e-30 and of 1e30 give the same coupling."""
    rng = np.random.default_rng(0)
    costs, weights = rng.random((5, 5)), np.full(5, 0.2)
    for unit in (1e-30, 1e30):
        np.testing.assert_array_equal(exact(costs * unit, weights, weights).nonzero(), (
            exact(costs, weights, weights).nonzero()
        ))  # fmt: skip


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_costs_that_are_not_finite_are_refused(bad):
    """A cost that is not a number is an error with a cause, not an empty plan."""
    costs = np.ones((2, 2))
    costs[0, 1] = bad
    with pytest.raises(SolverError, match="not finite"):
        exact(costs, np.full(2, 0.5), np.full(2, 0.5))


@pytest.fixture(params=["compiled", "renamed"])
def solver(request, monkeypatch):
    """POT as it is, and a POT that keeps its compiled solver under another name."""
    if request.param == "renamed":
        monkeypatch.delattr("ot.lp.emd_wrap.emd_c")
    module._solver.cache_clear()
    yield request.param
    module._solver.cache_clear()


@pytest.mark.parametrize("count", [0, 1, 7])
def test_several_programmes_at_once_are_each_one_s_optimum(solver, count):
    """Each coupling costs what POT's public solver says, at a vertex, all-negative costs too."""
    rng = np.random.default_rng(count)
    weights0, weights1 = simplex(rng, 9), simplex(rng, 6)
    costs = rng.standard_normal((count, 9, 6)) - 4
    couplings = exact_each(costs, weights0, weights1)
    assert couplings.shape == costs.shape
    for cost, coupling in zip(costs, couplings, strict=True):
        expect_marginals(coupling, weights0, weights1)
        assert np.count_nonzero(coupling) <= 9 + 6 - 1
        expected = ot.emd2(weights0, weights1, cost - cost.min()) + cost.min()
        assert (cost * coupling).sum() == pytest.approx(expected, rel=1e-12)
        np.testing.assert_array_equal(coupling, exact(cost, weights0, weights1))


def test_a_weight_of_zero_moves_nothing(solver):
    """Points without weight keep empty rows and columns, and the rest is solved as without them."""
    rng = np.random.default_rng(3)
    weights0, weights1 = simplex(rng, 5), simplex(rng, 4)
    costs = rng.random((5, 4))
    wide = np.insert(np.insert(costs, 2, -1.0, axis=0), 0, -1.0, axis=1)
    coupling = exact(wide, np.insert(weights0, 2, 0.0), np.insert(weights1, 0, 0.0))
    assert not coupling[2].any()
    assert not coupling[:, 0].any()
    np.testing.assert_allclose(
        np.delete(coupling[:, 1:], 2, axis=0), exact(costs, weights0, weights1), atol=1e-15
    )


def test_each_programme_may_have_its_own_weights(solver):
    """Rows of weights, some of them with zeros, give what each problem gives alone."""
    rng = np.random.default_rng(6)
    weights0 = np.stack([simplex(rng, 6), np.insert(simplex(rng, 5), 2, 0.0), simplex(rng, 6)])
    weights1 = np.stack([simplex(rng, 4) for _ in range(3)])
    costs = rng.random((3, 6, 4))
    for each in zip(exact_each(costs, weights0, weights1), costs, weights0, weights1, strict=True):
        np.testing.assert_array_equal(each[0], exact(*each[1:]))


def test_a_programme_that_does_not_end_is_told(solver, monkeypatch):
    """A solver stopped before its optimum warns or loses mass; it is never taken for solved."""
    monkeypatch.setattr(module, "PIVOTS", 1)
    rng = np.random.default_rng(4)
    weights = np.full(8, 1 / 8)
    with pytest.raises((UserWarning, SolverError)):
        exact(rng.random((8, 8)), weights, weights)


@given(seeds, sizes, sizes, st.sampled_from([1.0, 0.1, 1e-3]))
def test_entropic_is_feasible_and_tends_to_exact(seed, count0, count1, epsilon):
    """Its marginals are exact, its cost between the optimum and optimum + ε·spread·log(KL)."""
    rng = np.random.default_rng(seed)
    weights0, weights1 = simplex(rng, count0), simplex(rng, count1)
    costs = 100 * rng.random((count0, count1)) - 50
    coupling = entropic(costs, weights0, weights1, epsilon=epsilon)
    expect_marginals(coupling, weights0, weights1)
    best = (exact(costs, weights0, weights1) * costs).sum()
    spread = np.ptp(costs)
    value = (coupling * costs).sum()
    # What rounding onto the marginals may add when 500 sweeps leave a residue at ε = 1e-3.
    slack = 0.02 * spread + ROUNDING * 100
    assert best - ROUNDING * 100 <= value
    assert value <= best + epsilon * spread * np.log(count0 * count1) + slack


def test_entropic_is_equivariant_under_affine_changes_of_cost():
    """ε is a share of the spread: cost c and 7c + 3 give one plan; a constant cost the product."""
    rng = np.random.default_rng(1)
    costs, weights0, weights1 = rng.random((3, 4)), simplex(rng, 3), simplex(rng, 4)
    np.testing.assert_allclose(
        entropic(7 * costs + 3, weights0, weights1, epsilon=0.1),
        entropic(costs, weights0, weights1, epsilon=0.1),
        atol=ROUNDING,
    )
    constant = entropic(np.full((3, 4), 2.0), weights0, weights1, epsilon=0.1)
    np.testing.assert_array_equal(constant, np.outer(weights0, weights1))


@given(seeds, sizes, sizes)
def test_rounding_lands_on_the_marginals(seed, count0, count1):
    """Any nonnegative matrix is moved into Π(a, b), by at most twice its violation in mass."""
    rng = np.random.default_rng(seed)
    weights0, weights1 = simplex(rng, count0), simplex(rng, count1)
    rough = np.outer(weights0, weights1) * rng.uniform(0.5, 1.5, (count0, count1))
    rounded = onto_marginals(rough, weights0, weights1)
    expect_marginals(rounded, weights0, weights1)
    violation = np.abs(rough.sum(1) - weights0).sum() + np.abs(rough.sum(0) - weights1).sum()
    # Altschuler, Weed, Rigollet 2017, lemma 7.
    assert np.abs(rounded - rough).sum() <= 2 * violation + ROUNDING
    np.testing.assert_allclose(onto_marginals(rounded, weights0, weights1), rounded, atol=ROUNDING)


def test_random_couplings_are_seeded_vertices():
    """Each is a vertex of the polytope, the same for the same seed, and they differ."""
    weights0, weights1 = simplex(np.random.default_rng(0), 5), simplex(np.random.default_rng(1), 4)
    one, two = (random_couplings(np.random.default_rng(3), 6, weights0, weights1) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one, axis=0)) > 1
    for coupling in one:
        expect_marginals(coupling, weights0, weights1)
        assert np.count_nonzero(coupling) <= 8
