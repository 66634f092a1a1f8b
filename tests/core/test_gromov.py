"""Gromov–Wasserstein couplings: their values, descents and searches."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtransfer.core import gromov as module
from gwtransfer.core.coupling import REACHED, exact, exact_each, random_couplings
from gwtransfer.core.gaussian import own_squared_w2
from gwtransfer.core.gromov import GromovProblem, search_each

from .strategies import ROUNDING, mixtures, random_mixture, seeds


def simplex(rng, count):
    return rng.dirichlet(np.full(count, 2.0))


def expect_marginals(coupling, weights0, weights1, tolerance=1e-12):
    assert (coupling >= 0).all()
    np.testing.assert_allclose(coupling.sum(axis=1), weights0, atol=tolerance)
    np.testing.assert_allclose(coupling.sum(axis=0), weights1, atol=tolerance)


def gromov(source, target, **fields):
    return GromovProblem(
        own0=own_squared_w2(source.means, source.covariances),
        own1=own_squared_w2(target.means, target.covariances),
        weights0=source.weights,
        weights1=target.weights,
        **fields,
    )


@given(mixtures(2, most=4), mixtures(3, most=4), seeds)
def test_the_gromov_value_is_the_sum_over_four_indices(source, target, seed):
    """Σ (D0[k,i] − D1[l,j])² w_kl w_ij, for vertices and for full couplings."""
    problem = gromov(source, target)
    vertex = random_couplings(np.random.default_rng(seed), 1, source.weights, target.weights)[0]
    for coupling in (vertex, np.outer(source.weights, target.weights)):
        gaps = problem.own0[:, None, :, None] - problem.own1[None, :, None, :]
        expected = np.einsum("klij,kl,ij->", gaps**2, coupling, coupling)
        slack = ROUNDING * (problem.constant + 1)
        assert problem.value(coupling) == pytest.approx(expected, abs=slack)
        assert problem.value(coupling) >= 0


def test_the_value_of_a_large_dense_coupling():
    """Where the product form is used, it agrees with the sum over four indices."""
    rng = np.random.default_rng(2)
    problem = gromov(random_mixture(rng, 20, 2), random_mixture(rng, 20, 3))
    coupling = np.outer(problem.weights0, problem.weights1)
    assert np.count_nonzero(coupling) > 4 * 40
    gaps = problem.own0[:, None, :, None] - problem.own1[None, :, None, :]
    expected = np.einsum("klij,kl,ij->", gaps**2, coupling, coupling)
    assert problem.value(coupling) == pytest.approx(expected, rel=1e-11)


@given(mixtures(2), mixtures(3), seeds, st.booleans())
def test_a_descent_never_rises(source, target, seed, guided):
    """The objective falls at every step, and ends at the value plus the guide's cost."""
    rng = np.random.default_rng(seed)
    problem = gromov(source, target)
    scale = problem.constant + 1
    if guided:
        problem = replace(problem, linear=scale * rng.random((source.count, target.count)))
    start = np.outer(source.weights, target.weights)
    end = problem.descend(start)
    history = np.array(end.history)
    slack = ROUNDING * 2 * scale
    assert (np.diff(history) <= slack).all()
    assert end.converged
    expect_marginals(end.coupling, source.weights, target.weights)
    extra = 0.0 if problem.linear is None else (problem.linear * end.coupling).sum()
    assert end.objective == pytest.approx(problem.value(end.coupling) + extra, rel=ROUNDING)
    assert history[-1] == pytest.approx(end.objective, abs=slack)


@given(mixtures(2), mixtures(3), seeds)
def test_a_descent_ends_where_no_coupling_is_lower_to_first_order(source, target, seed):
    """At the end min ⟨∇, v − w⟩ over all couplings v is 0: the first-order condition."""
    problem = gromov(source, target)
    start = random_couplings(np.random.default_rng(seed), 1, source.weights, target.weights)[0]
    coupling = problem.descend(start).coupling
    gradient = -4 * problem.own0 @ coupling @ problem.own1
    best = exact(gradient, source.weights, target.weights)
    assert (gradient * (best - coupling)).sum() >= -1e-11 * (problem.constant + 1)


@given(mixtures(2), mixtures(3), seeds, st.booleans(), st.booleans())
def test_descents_together_end_where_each_ends_alone(source, target, seed, guided, one_by_one):
    """Sharing steps and what was found changes no end, in whatever batches the starts come."""
    rng = np.random.default_rng(seed)
    problem = gromov(source, target)
    scale = problem.constant + 1
    if guided:
        problem = replace(problem, linear=scale * rng.random((source.count, target.count)))
    starts = random_couplings(rng, 12, source.weights, target.weights)
    starts = np.concatenate([starts, [np.outer(source.weights, target.weights)], starts[:3]])
    alone = [problem.descend(start) for start in starts]
    with pytest.MonkeyPatch.context() as patch:
        if one_by_one:
            patch.setattr(module, "BATCH", 1)
        best = problem.search(starts, rng, waves=0)
    slack = ROUNDING * scale
    objectives = np.array([end.objective for end in alone])
    assert best.objective == pytest.approx(objectives.min(), abs=slack)
    assert (np.diff(best.history) <= slack).all()
    assert best.history[-1] == pytest.approx(best.objective, abs=slack)
    assert best.converged
    assert (best.starts, len(starts)) == (16, 16)
    near = objectives.min() + REACHED * abs(objectives.min()) + 1e-9 * problem.constant
    assert best.reached == (objectives <= near).sum()


def test_what_one_descent_has_found_another_does_not_look_for(monkeypatch):
    """Twenty starts cost fewer linear programmes together than one after the other."""
    solved = 0

    def counted(costs, weights0, weights1):
        nonlocal solved
        solved += len(costs)
        return exact_each(costs, weights0, weights1)

    rng = np.random.default_rng(7)
    source, target = random_mixture(rng, 10, 3), random_mixture(rng, 10, 2)
    problem = gromov(source, target)
    starts = random_couplings(rng, 20, source.weights, target.weights)
    monkeypatch.setattr(module, "exact_each", counted)
    for start in starts:
        problem.descend(start)
    alone, solved = solved, 0
    problem.search(starts, rng, waves=0)
    assert len(starts) < solved < 0.9 * alone


@given(seeds, st.integers(2, 6), st.integers(2, 6))
def test_with_equal_covariances_every_descent_ends_at_a_vertex(seed, count0, count1):
    """Squared Euclidean distances make the objective concave: nnz(w) <= K + L − 1."""
    rng = np.random.default_rng(seed)
    points0, points1 = rng.standard_normal((count0, 2)), rng.standard_normal((count1, 3))
    problem = GromovProblem(
        own0=((points0[:, None] - points0) ** 2).sum(-1),
        own1=((points1[:, None] - points1) ** 2).sum(-1),
        weights0=simplex(rng, count0),
        weights1=simplex(rng, count1),
    )
    end = problem.descend(np.outer(problem.weights0, problem.weights1))
    stopped_at_once = len(end.history) == 1  # the product plan itself may be stationary
    assert stopped_at_once or np.count_nonzero(end.coupling) <= count0 + count1 - 1


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_the_best_permutation(seed):
    """With uniform weights and a concave objective the optimum is one of the K! permutations."""
    rng = np.random.default_rng(seed)
    count = 5
    points0, points1 = rng.standard_normal((count, 2)), rng.standard_normal((count, 3))
    uniform = np.full(count, 1 / count)
    problem = GromovProblem(
        own0=((points0[:, None] - points0) ** 2).sum(-1),
        own1=((points1[:, None] - points1) ** 2).sum(-1),
        weights0=uniform,
        weights1=uniform,
    )
    best = min(
        problem.value(np.eye(count)[list(order)] / count) for order in permutations(range(count))
    )
    starts = random_couplings(rng, 40, uniform, uniform)
    found = problem.search(starts, rng, waves=1)
    assert found.objective == pytest.approx(best, rel=1e-10)
    assert found.starts == 40
    assert 1 <= found.reached <= found.starts


@pytest.mark.parametrize("seed", range(5))
def test_the_search_is_not_above_pot(seed):
    """POT's own plan has the value POT says, and our search ends no higher."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 6, 2), random_mixture(rng, 5, 4)
    problem = gromov(source, target)
    value, log = ot.gromov.gromov_wasserstein2(
        problem.own0, problem.own1, source.weights, target.weights, log=True, tol_rel=1e-12
    )
    assert problem.value(log["T"]) == pytest.approx(float(value), rel=1e-9)
    starts = problem.starts(
        rng,
        moments0=(source.means - source.mean, source.covariance),
        moments1=(target.means - target.mean, target.covariance),
        most_signs=4,
        random=10,
    )
    assert len(starts) == 2 + 4 + 10
    for start in starts:
        expect_marginals(start, source.weights, target.weights)
    assert problem.search(starts, rng, waves=1).objective <= float(value) * (1 + 1e-9)


@settings(max_examples=6)
@given(mixtures(2), mixtures(3))
def test_annealing_is_feasible_and_free_of_units(source, target):
    """The annealed start is a coupling, and the same when all distances are multiplied."""
    problem = gromov(source, target)
    coupling = problem.anneal()
    expect_marginals(coupling, source.weights, target.weights)
    stretched = replace(problem, own0=problem.own0 * 1e6, own1=problem.own1 * 1e6)
    np.testing.assert_allclose(stretched.anneal(), coupling, atol=1e-6)  # sinkhorn stops at 1e-7


@given(seeds, st.booleans())
def test_a_descent_falls_where_the_objective_is_not_concave(seed, guided):
    """For any symmetric costs the line search never overshoots: no step raises the objective."""
    rng = np.random.default_rng(seed)
    own0, own1 = rng.standard_normal((5, 5)), rng.standard_normal((4, 4))
    problem = GromovProblem(
        own0=own0 + own0.T,
        own1=own1 + own1.T,
        weights0=simplex(rng, 5),
        weights1=simplex(rng, 4),
        linear=rng.standard_normal((5, 4)) if guided else None,
    )
    end = problem.descend(random_couplings(rng, 1, problem.weights0, problem.weights1)[0])
    slack = ROUNDING * 10 * (problem.constant + 1)
    assert (np.diff(end.history) <= slack).all()
    assert end.history[-1] == pytest.approx(end.objective, abs=slack)
    expect_marginals(end.coupling, problem.weights0, problem.weights1)


def test_a_convex_line_is_minimised_inside():
    """Along a direction of positive curvature the step stops at the minimum, not at the vertex."""
    half = np.full(2, 0.5)
    exchange = np.array([[0.0, 1.0], [1.0, 0.0]])
    # At w = [[t, ½ − t], [½ − t, t]] the objective is 3/2 + 8 (t − ¼)².
    problem = GromovProblem(own0=exchange, own1=-exchange, weights0=half, weights1=half)
    end = problem.descend(np.diag(half))
    np.testing.assert_allclose(end.coupling, np.full((2, 2), 0.25), atol=1e-7)
    assert end.objective == pytest.approx(1.5, abs=ROUNDING)
    assert problem.value(np.diag(half)) == pytest.approx(2, abs=ROUNDING)


def test_problems_together_are_solved_as_each_alone():
    """Three problems of one size, guided or not, waves included: the same bits as one by one."""
    rng = np.random.default_rng(9)
    problems = [gromov(random_mixture(rng, 7, 3), random_mixture(rng, 5, 2)) for _ in range(3)]
    guide = problems[1].constant * rng.random((7, 5))
    problems[1] = replace(problems[1], linear=guide)
    starts = [random_couplings(rng, 6 + i, p.weights0, p.weights1) for i, p in enumerate(problems)]
    rngs = [[np.random.default_rng(seed) for seed in range(3)] for _ in range(2)]
    together = search_each(problems, starts, rngs[0], waves=2)
    for problem, begun, own, found in zip(problems, starts, rngs[1], together, strict=True):
        alone = problem.search(begun, own, waves=2)
        np.testing.assert_array_equal(found.coupling, alone.coupling)
        assert (found.objective, found.history) == (alone.objective, alone.history)
        assert (found.starts, found.reached) == (alone.starts, alone.reached)
