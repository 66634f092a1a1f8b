"""Couplings and plans that may leave the target's weights at a price."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gwtransfer.core import relaxed as module
from gwtransfer.core.coupling import exact
from gwtransfer.core.embedding import MixtureEmbedding, between
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.guide import Guide
from gwtransfer.core.relaxed import Penalty, relaxed, relaxed_each
from gwtransfer.core.relaxedsearch import (
    Candidate,
    RelaxedEmbedding,
    RelaxedGromov,
    chosen,
    counted,
)
from gwtransfer.errors import SolverError

from .strategies import random_mixture, seeds

sizes = st.integers(1, 7)
divergences = st.sampled_from(["kl", "squared"])


def problem(seed, count0, count1):
    rng = np.random.default_rng(seed)
    weights = [rng.dirichlet(np.full(count, 2.0)) + 1e-6 for count in (count0, count1)]
    first, second = (side / side.sum() for side in weights)
    return rng.random((count0, count1)) * 10.0 ** rng.integers(-3, 4), first, second


def entropy(attained, weights):
    """Return Σ q log(q/b), written once more."""
    return sum(q * np.log(q / b) for q, b in zip(attained, weights, strict=True) if q > 0)


def price(penalty, attained, weights):
    if penalty.divergence == "squared":
        return penalty.weight * ((attained - weights) ** 2).sum() / 2
    return penalty.weight * entropy(attained, weights)


def dual(prices, costs, weights0, weights1, penalty):
    """Return Σ a_k min_l (c_kl + v_l) − (λD)*(v): no coupling costs less."""
    scaled = prices / penalty.weight
    if penalty.divergence == "squared":
        best = np.clip(weights1 + scaled, 0, None)
        conjugate = prices @ best - penalty.weight * ((best - weights1) ** 2).sum() / 2
    else:  # over all marginals, of whatever mass
        conjugate = penalty.weight * (weights1 * np.expm1(scaled)).sum()
    return weights0 @ (costs + prices).min(axis=1) - conjugate


@given(seeds, sizes, sizes, divergences, st.floats(-3, 4))
def test_a_relaxed_coupling_is_optimal(seed, count0, count1, divergence, log):
    """The dual value at its own prices meets it; the source keeps its weights; it is a vertex."""
    costs, weights0, weights1 = problem(seed, count0, count1)
    penalty = Penalty(weight=10**log * costs.max(), divergence=divergence)
    coupling = relaxed(costs, weights0, weights1, penalty)
    np.testing.assert_allclose(coupling.sum(axis=1), weights0, atol=1e-12)
    assert (coupling >= 0).all()
    assert np.count_nonzero(coupling) <= count0 + count1 - 1
    attained = coupling.sum(axis=0)
    paid = (costs * coupling).sum() + price(penalty, attained, weights1)
    prices = penalty.slope(np.maximum(attained, 1e-13), weights1)
    below = dual(prices, costs, weights0, weights1, penalty)
    spread = np.ptp(costs) + 1e-12 * penalty.weight
    assert below - 1e-8 * spread <= paid <= below + 1e-8 * spread
    hard = exact(costs, weights0, weights1)
    assert paid <= (costs * hard).sum() + 1e-9 * spread


@pytest.mark.parametrize("divergence", ["kl", "squared"])
def test_a_general_optimiser_finds_nothing_better(divergence):
    """scipy's SLSQP on all entries ends at the same objective."""
    for seed in range(4):
        costs, weights0, weights1 = problem(seed, 3, 4)
        costs = costs / costs.max()
        penalty = Penalty(weight=0.2, divergence=divergence)

        def objective(flat, costs=costs, penalty=penalty, weights1=weights1):
            coupling = flat.reshape(3, 4)
            return (costs * coupling).sum() + price(penalty, coupling.sum(axis=0), weights1)

        rows = np.kron(np.eye(3), np.ones(4))
        found = minimize(
            objective,
            np.outer(weights0, weights1).ravel(),
            method="SLSQP",
            bounds=[(0, 1)] * 12,
            constraints={
                "type": "eq",
                "fun": lambda flat, rows=rows, weights0=weights0: rows @ flat - weights0,
            },
            options={"ftol": 1e-13, "maxiter": 500},
        )
        ours = objective(relaxed(costs, weights0, weights1, penalty).ravel())
        assert ours == pytest.approx(found.fun, abs=2e-7)
        assert ours <= found.fun + 1e-10


@given(seeds, sizes, st.floats(-2, 3))
def test_one_source_component_has_a_closed_form(seed, count, log):
    """With relative entropy q ∝ b exp(−c/λ)."""
    costs, _, weights = problem(seed, 1, count)
    weight = 10**log * float(np.ptp(costs) or 1.0)
    attained = relaxed(costs, np.ones(1), weights, Penalty(weight=weight))[0]
    meant = weights * np.exp((costs.min() - costs[0]) / weight)
    np.testing.assert_allclose(attained, meant / meant.sum(), atol=1e-9)


@given(seeds, sizes, sizes, divergences)
def test_without_a_price_everything_goes_to_the_nearest(seed, count0, count1, divergence):
    """λ = 0 sends each row where it is cheapest; a little above, nearly everything."""
    costs, weights0, weights1 = problem(seed, count0, count1)
    for weight, close in ((0.0, 1e-15), (1e-9 * costs.max(), 1e-6)):
        coupling = relaxed(costs, weights0, weights1, Penalty(weight=weight, divergence=divergence))
        least = (weights0 * costs.min(axis=1)).sum()
        assert (coupling * costs).sum() == pytest.approx(least, rel=1e-6, abs=close * costs.max())


@pytest.mark.parametrize("divergence", ["kl", "squared"])
def test_a_high_price_gives_the_hard_plan_at_the_rate_of_its_inverse(divergence):
    """λ |q − b| tends to a constant, and the cost to the hard plan's."""
    costs, weights0, weights1 = problem(3, 6, 5)
    hard = (exact(costs, weights0, weights1) * costs).sum()
    scaled, lacks = [], []
    for weight in (1e3, 1e4, 1e5):
        penalty = Penalty(weight=weight * costs.max(), divergence=divergence)
        coupling = relaxed(costs, weights0, weights1, penalty)
        scaled.append(weight * np.abs(coupling.sum(axis=0) - weights1).max())
        lacks.append(weight * (hard - (coupling * costs).sum()) / costs.max())
    assert scaled[0] > 1e-3
    np.testing.assert_allclose(scaled, scaled[-1], rtol=0.02)
    np.testing.assert_allclose(lacks, lacks[-1], rtol=0.02)


@pytest.mark.parametrize("divergence", ["kl", "squared"])
@pytest.mark.parametrize("log", [6, 7])
def test_the_highest_prices_are_certified(divergence, log):
    """With equal weights, of which many couplings are, and with very small ones too."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        count0, count1 = rng.choice([2, 5, 10, 20], size=2)
        small = 10.0 ** rng.uniform(-7, 0, count1)
        weights1 = small / small.sum() if seed % 2 else np.full(count1, 1 / count1)
        weights0 = np.full(count0, 1 / count0)
        costs = rng.random((count0, count1))
        penalty = Penalty(weight=10.0**log, divergence=divergence)
        coupling = relaxed(costs, weights0, weights1, penalty)
        np.testing.assert_allclose(coupling.sum(axis=1), weights0, atol=1e-12)
        hard = (exact(costs, weights0, weights1) * costs).sum()
        assert -1e-9 <= hard - (coupling * costs).sum() <= 1e-9 + 10 * count1 / 10.0**log


@pytest.mark.parametrize("divergence", ["kl", "squared"])
def test_mismatch_is_what_fenchel_and_young_leave(divergence):
    """λD(q) + (λD)*(v) − v·q, for squared over marginals of whatever mass and sign."""
    rng = np.random.default_rng(0)
    b, q = rng.dirichlet(np.ones(4), size=2)
    v, penalty = rng.normal(size=4), Penalty(weight=0.7, divergence=divergence)
    if divergence == "kl":
        conjugate = 0.7 * (b * np.expm1(v / 0.7)).sum()
    else:
        conjugate = v @ b + (v @ v) / (2 * 0.7)
    expected = price(penalty, q, b) + conjugate - v @ q
    assert float(penalty.mismatch(q, v, b)) == pytest.approx(float(expected), rel=1e-12)


def test_a_coupling_does_not_depend_on_what_is_solved_beside_it():
    """Several at once are those one by one, to the certified digits."""
    rng = np.random.default_rng(0)
    _, weights0, weights1 = problem(0, 6, 5)
    costs = rng.random((9, 6, 5))
    penalty = Penalty(weight=0.1)
    together = relaxed_each(costs, weights0, weights1, penalty)
    alone = [relaxed(one, weights0, weights1, penalty) for one in costs]
    np.testing.assert_allclose(together, alone, atol=1e-9)


def test_what_is_not_certified_is_refused(monkeypatch):
    """Too few steps end in words, not in a worse plan; so do costs that are no numbers."""
    costs, weights0, weights1 = problem(0, 6, 5)
    monkeypatch.setattr(module, "STEPS", 2)
    with pytest.raises(SolverError, match="uncertain"):
        relaxed(costs, weights0, weights1, Penalty(weight=0.1 * costs.max()))
    with pytest.raises(SolverError, match="not finite"):
        relaxed(costs * np.nan, weights0, weights1, Penalty(weight=1.0))


def sides_of(seed, m, n, *, guided):
    rng = np.random.default_rng(seed)
    guides = [{"guide": rng.standard_normal(d)} if guided else {} for d in (m, n)]
    return random_mixture(rng, 6, m, **guides[0]), random_mixture(rng, 5, n, **guides[1])


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 3), (3, 5)])
def test_the_whole_cost_is_that_of_a_target_centred_anew(m, n, guided):
    """⟨c, w⟩ − |d|² − (h·d)² is the bracket of a problem whose target has the attained weights."""
    source, target = sides_of(1, m, n, guided=guided)
    embedded = between(source, target, Guide(anchor=0.5 if guided else 0.0))
    search = RelaxedEmbedding(embedded, Penalty(weight=0.3))
    rng = np.random.default_rng(2)
    coupling = rng.dirichlet(np.ones(5), size=6) * source.weights[:, None]
    embedding = embedded.random_starts(rng, 1)
    paid = search.parts(search.costs(embedding, quick=False), coupling[None])[0][0]
    attained = coupling.sum(axis=0)
    swapped = m < n
    first, second = (target, source) if swapped else (source, target)
    weights = [attained, source.weights] if swapped else [source.weights, attained]
    again = MixtureEmbedding(
        weights[0],
        first.means,
        first.covariances,
        weights[1],
        second.means,
        second.covariances,
        guides=(embedded.guide0, embedded.guide1) if guided else None,
    )
    oriented = coupling.T if swapped else coupling
    assert paid == pytest.approx((again.costs(embedding)[0] * oriented).sum(), rel=1e-12)


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 3), (3, 5)])
def test_a_free_coupling_goes_down_the_slope_of_the_whole_cost(m, n, guided):
    """At a penalty of 0 each source component goes where C, centre included, falls fastest."""
    source, target = sides_of(1, m, n, guided=guided)
    embedded = between(source, target, Guide(anchor=0.5 if guided else 0.0))
    search = RelaxedEmbedding(embedded, Penalty(weight=0.0))
    rng = np.random.default_rng(2)
    coupling = rng.dirichlet(np.ones(5), size=6) * source.weights[:, None]
    costs = search.costs(embedded.random_starts(rng, 1), quick=False)
    steps = 1e-4 * np.eye(30).reshape(30, 6, 5)
    ahead, behind = (search.parts(costs, coupling + way)[0] for way in (steps, -steps))
    fastest = (ahead - behind).reshape(6, 5).argmin(axis=1)
    found = search.couple(costs, search.shift(coupling[None]))[0]
    assert found.argmax(axis=1).tolist() == fastest.tolist()


@settings(max_examples=15)
@given(seeds, st.sampled_from([(3, 3), (5, 3), (3, 5)]), divergences)
def test_embeddings_descend(seed, dimensions, divergence):
    """No round raises J, and the ends keep the source's weights."""
    source, target = sides_of(seed, *dimensions, guided=bool(seed % 2))
    embedded = between(source, target, Guide())
    penalty = Penalty(weight=0.1 * embedded.constant, divergence=divergence)
    starts = embedded.random_starts(np.random.default_rng(seed), 3)
    for end in RelaxedEmbedding(embedded, penalty).descend(starts, quick=False):
        assert (np.diff(end.history) <= 0).all()
        assert end.history[-1] == pytest.approx(end.objective(penalty.weight))
        np.testing.assert_allclose(end.coupling.sum(axis=1), source.weights, atol=1e-10)


def gromov(seed):
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 5, 4), random_mixture(rng, 4, 3)
    return GromovProblem(
        own0=source.own_costs,
        own1=target.own_costs,
        weights0=source.weights,
        weights1=target.weights,
        linear=rng.random((5, 4)),
    )


def test_gromov_costs_are_sums_and_gradients_are_differences():
    """C is Σ (D0 − D1)² w w + ⟨linear, w⟩ for any marginal; ∇C its slope within rows."""
    asked = gromov(0)
    rng = np.random.default_rng(1)
    search = RelaxedGromov(asked, Penalty(weight=0.1))
    couplings = rng.dirichlet(np.ones(4), size=(2, 5)) * asked.weights0[:, None]
    gaps = asked.own0[:, None, :, None] - asked.own1[None, :, None, :]
    for coupling, cost in zip(couplings, search.cost(couplings), strict=True):
        direct = np.einsum("klij,kl,ij->", gaps**2, coupling, coupling)
        assert cost == pytest.approx(direct + (asked.linear * coupling).sum(), rel=1e-12)
    step = couplings[1] - couplings[0]
    ahead = search.cost((couplings[0] + 1e-6 * step)[None])[0]
    behind = search.cost((couplings[0] - 1e-6 * step)[None])[0]
    slope = (search.gradient(couplings[:1])[0] * step).sum()
    assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-6)


@settings(max_examples=15)
@given(seeds, divergences)
def test_gromov_couplings_descend(seed, divergence):
    """No round raises J."""
    asked = gromov(seed)
    penalty = Penalty(weight=0.2 * asked.constant, divergence=divergence)
    starts = np.stack([np.outer(asked.weights0, asked.weights1), asked.tlb()[0]])
    for end in RelaxedGromov(asked, penalty).descend(starts, tolerance=1e-10):
        assert (np.diff(end.history) <= 0).all()
        np.testing.assert_allclose(end.coupling.sum(axis=1), asked.weights0, atol=1e-10)


@settings(max_examples=15)
@given(seeds, divergences)
def test_over_one_pool_cost_and_penalty_are_monotone(seed, divergence):
    """Exactly, whatever the searches found: J and C rise with λ, and D falls."""
    asked = gromov(seed)
    weights = asked.constant * np.array([0.0, 1e-3, 0.01, 0.1, 1.0, 10.0])
    starts = asked.tlb()[0][None]
    pool = []
    for weight in weights:
        penalty = Penalty(weight=float(weight), divergence=divergence)
        pool += RelaxedGromov(asked, penalty).descend(starts, tolerance=1e-8)
    best = [chosen(pool, float(weight)) for weight in weights]
    objectives = [one.objective(float(weight)) for one, weight in zip(best, weights, strict=True)]
    assert (np.diff(objectives) >= 0).all()
    assert (np.diff([one.cost for one in best]) >= 0).all()
    assert (np.diff([one.divergence for one in best]) <= 0).all()
    assert best[0].divergence > best[-1].divergence


def test_as_many_as_end_with_the_best_are_counted():
    """Of four ends two are as good as the best, to rounding."""
    ends = [
        Candidate(
            coupling=np.eye(1),
            embedding=None,
            cost=cost,
            divergence=0.0,
            converged=True,
            history=(cost,),
        )
        for cost in (2.0, 1.0, 1.0 + 1e-9, 1.5)
    ]
    best = counted(ends, ends, Penalty(weight=1.0))[0]
    assert (best.cost, best.starts, best.reached) == (1.0, 4, 2)
