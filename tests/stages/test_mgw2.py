"""MGW2: Gromov–Wasserstein between mixtures that share no space."""

from dataclasses import replace

import numpy as np
import ot
import pytest
from tests.core.strategies import ROUNDING, drawn, moved, random_mixture, scale, stiefel

from gwtransfer.core import bounds
from gwtransfer.core.gaussian import own_squared_w2
from gwtransfer.core.guide import Guide
from gwtransfer.core.maps import mean_map
from gwtransfer.core.types import GaussianMixture, Space
from gwtransfer.errors import DataError, SolverError, UsageError
from gwtransfer.plan.mgw2 import MGW2, Coupled

INNER = pytest.mark.parametrize("inner", ["w2sq", "w2"])
QUICK = {"signs": 4, "random": 10, "waves": 1}


def distances(mixture, inner):
    own = own_squared_w2(mixture.means, mixture.covariances)
    return own if inner == "w2sq" else np.sqrt(own)


def constant(source, target, inner):
    return sum(
        side.weights @ distances(side, inner) ** 2 @ side.weights for side in (source, target)
    )


@INNER
@pytest.mark.parametrize("shape", [(2, 2), (4, 2), (2, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_a_moved_copy_is_found_again(inner, shape, seed):
    """Rotated, translated, embedded, permuted: value 0, the permutation, the isometry, the map."""
    rng = np.random.default_rng(seed)
    small = random_mixture(rng, 6, min(shape))
    isometry = stiefel(rng, max(shape), min(shape))
    order = rng.permutation(6)
    copy = moved(small, isometry, rng.standard_normal(max(shape)), order)
    sides = (copy, small) if shape[0] >= shape[1] else (small, copy)
    plan = MGW2(inner=inner, **QUICK)(*sides)
    assert plan.value <= 1e-20 * constant(*sides, inner)  # the root of rounding, 1e-10
    coupling = plan.coupling if shape[0] >= shape[1] else plan.coupling.T
    expected = np.zeros((6, 6))
    expected[np.arange(6), order] = small.weights[order]
    np.testing.assert_allclose(coupling, expected, atol=1e-12)
    np.testing.assert_allclose(plan.embedding, isometry, atol=1e-8)
    points = drawn(sides[0], rng, 20)
    if shape[0] >= shape[1]:
        exact = (points - (copy.mean - isometry @ small.mean)) @ isometry
    else:
        exact = (points - small.mean) @ isometry.T + copy.mean
    np.testing.assert_allclose(mean_map(plan)(points), exact, atol=1e-6)


@INNER
def test_permuting_components_permutes_the_coupling(inner):
    """The order in which a fit lists its components means nothing."""
    rng = np.random.default_rng(1)
    source, target = random_mixture(rng, 5, 3), random_mixture(rng, 4, 2)
    plan = MGW2(inner=inner)(source, target)
    order, other = rng.permutation(5), rng.permutation(4)
    permuted = MGW2(inner=inner)(
        moved(source, np.eye(3), order=order), moved(target, np.eye(2), order=other)
    )
    assert permuted.value == pytest.approx(plan.value, rel=1e-10)
    np.testing.assert_allclose(permuted.coupling, plan.coupling[np.ix_(order, other)], atol=1e-10)


@INNER
@pytest.mark.parametrize("seed", range(3))
def test_the_value_sees_no_isometry(inner, seed):
    """Turned, mirrored, moved and lifted into more dimensions, two mixtures are as far apart."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 4, 3), random_mixture(rng, 4, 2)
    plan = MGW2(inner=inner)(source, target)
    there = MGW2(inner=inner)(
        moved(source, stiefel(rng, 5, 3), 10.0), moved(target, stiefel(rng, 2, 2), -4.0)
    )
    assert there.value == pytest.approx(plan.value, rel=1e-8)
    back = MGW2(inner=inner)(target, source)
    assert back.value == pytest.approx(plan.value, rel=1e-8)
    np.testing.assert_allclose(back.coupling, plan.coupling.T, atol=1e-8)


@INNER
@pytest.mark.parametrize("counts", [(1, 1), (1, 4)])
def test_one_component_has_no_mutual_distance(inner, counts):
    """K = L = 1 is at distance 0; K = 1 against L has the second moment of D1."""
    rng = np.random.default_rng(2)
    source, target = random_mixture(rng, counts[0], 3), random_mixture(rng, counts[1], 2)
    plan = MGW2(inner=inner, **QUICK)(source, target)
    own = distances(target, inner)
    expected = target.weights @ own**2 @ target.weights
    assert plan.value == pytest.approx(expected, rel=1e-10)
    assert (plan.value == 0) == (counts == (1, 1))


@INNER
@pytest.mark.parametrize("seed", range(5))
def test_value_bound_and_vertex(inner, seed):
    """SLB <= TLB <= value; w has at most K + L − 1 entries; POT finds nothing better."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 7, 3), random_mixture(rng, 5, 2)
    plan = MGW2(inner=inner, **QUICK)(source, target)
    own = distances(source, inner), distances(target, inner)
    slb = bounds.second_lower_bound(*own, source.weights, target.weights)
    assert slb <= plan.bound * (1 + ROUNDING) <= plan.value * (1 + 2 * ROUNDING)
    assert plan.bound > 0
    assert np.count_nonzero(plan.coupling) <= 7 + 5 - 1
    pot = ot.gromov.gromov_wasserstein2(
        *own, source.weights, target.weights, G0=plan.coupling, max_iter=1
    )
    assert plan.value == pytest.approx(float(pot), rel=1e-6)  # POT finds nothing better from here
    assert (np.diff(plan.history) <= ROUNDING * constant(source, target, inner)).all()
    assert plan.converged
    assert plan.distance == np.sqrt(plan.value)


def test_the_inner_cost_matters():
    """w2sq and w2 are different objectives: each is best at its own."""
    rng = np.random.default_rng(3)
    source, target = random_mixture(rng, 6, 3), random_mixture(rng, 6, 2)
    plans = {inner: MGW2(inner=inner)(source, target) for inner in ("w2sq", "w2")}
    assert plans["w2sq"].value != pytest.approx(plans["w2"].value, rel=0.1)


@pytest.mark.parametrize("coordinates", ["xyz", "spectral", "bands", "raw"])
def test_shapes_are_compared_by_w2(coordinates):
    """Unless told, the inner cost is w2 between shapes and w2sq between all else."""
    rng = np.random.default_rng(9)
    spaces = [replace(Space.raw(d), coordinates=coordinates) for d in (3, 2)]
    source, target = (replace(random_mixture(rng, 5, s.dimension), space=s) for s in spaces)
    expected = "w2" if coordinates in ("xyz", "spectral") else "w2sq"
    found, told = (MGW2(inner=i, **QUICK).coupled(source, target) for i in (None, expected))
    assert found.value == told.value
    assert MGW2().lower_bounds([source], [target]) <= found.value


def test_a_shape_and_another_thing_need_an_inner_cost():
    """Two costs do not compare: the pair is refused unless one is chosen."""
    rng = np.random.default_rng(10)
    shape, other = random_mixture(rng, 3, 3), random_mixture(rng, 3, 3)
    shape = replace(shape, space=replace(shape.space, coordinates="xyz"))
    with pytest.raises(DataError, match="mgw2: expected shapes only, or none, found both"):
        MGW2().coupled(shape, other)
    with pytest.raises(DataError, match="mgw2: expected shapes only, or none, found both"):
        MGW2().lower_bounds([shape, other])
    assert MGW2(inner="w2sq", **QUICK).coupled(shape, other).value > 0


def test_pairs_together_are_as_each_alone():
    """Pairs of several sizes in any order give the same bits as one by one."""
    rng = np.random.default_rng(12)
    sides = [random_mixture(rng, k, 3) for k in (5, 7, 5, 7, 6)]
    pairs = [(sides[i], sides[j]) for i, j in ((0, 1), (2, 3), (4, 0), (1, 0), (2, 1))]
    solver = MGW2(**QUICK)
    for (source, target), found in zip(pairs, solver.coupled_each(pairs), strict=True):
        alone = solver.coupled(source, target)
        np.testing.assert_array_equal(found.coupling, alone.coupling)
        assert (found.value, found.bound, found.history) == (
            alone.value, alone.bound, alone.history
        )  # fmt: skip
        assert (found.starts, found.reached) == (alone.starts, alone.reached)
    assert solver.coupled_each([]) == []


def test_few_starts_are_some_of_all():
    """They are 2 + 4 + 30 in two dimensions instead of 2 + 4 + 100, unless numbers are given."""
    rng = np.random.default_rng(13)
    source, target = random_mixture(rng, 5, 3), random_mixture(rng, 4, 2)
    full, few = (MGW2(starts=starts)(source, target) for starts in ("full", "few"))
    assert (full.starts, few.starts) == (106, 36)
    assert few.value >= full.value * (1 - ROUNDING)
    assert MGW2(starts="few", random=3, signs=2)(source, target).starts == 2 + 2 + 3


def test_annealing_adds_one_start():
    """The annealed start is one more, its plan is feasible, and a copy is found with it."""
    rng = np.random.default_rng(4)
    target = random_mixture(rng, 6, 2)
    copy = moved(target, stiefel(rng, 3, 2))
    few = {"signs": 1, "random": 0, "waves": 0}
    plain, annealed = (MGW2(annealed=a, **few)(copy, target) for a in (False, True))
    assert annealed.starts == plain.starts + 1
    assert annealed.value <= plain.value + ROUNDING
    assert annealed.value <= 1e-20 * constant(copy, target, "w2sq")


def test_the_same_seed_gives_the_same_plan():
    """Two runs agree bit by bit."""
    rng = np.random.default_rng(5)
    source, target = random_mixture(rng, 6, 3, seed=3), random_mixture(rng, 5, 2)
    one, two = (MGW2(**QUICK)(source, target) for _ in range(2))
    np.testing.assert_array_equal(one.coupling, two.coupling)
    np.testing.assert_array_equal(one.embedding, two.embedding)
    assert (one.value, one.reached, one.starts) == (two.value, two.reached, two.starts)


@INNER
def test_a_distance_needs_no_embedding(inner):
    """`coupled` is the plan bit by bit, without its embedding, whatever was computed before."""
    rng = np.random.default_rng(6)
    source, target, other = (random_mixture(rng, k, d) for k, d in ((7, 3), (5, 2), (6, 3)))
    solver = MGW2(inner=inner, **QUICK)
    plan = solver(source, target)
    solver.coupled(source, other)
    solver.lower_bounds([source, other, target])
    for first in (source, moved(source, np.eye(3))):
        found = solver.coupled(first, target)
        np.testing.assert_array_equal(found.coupling, plan.coupling)
        np.testing.assert_array_equal(found.history, plan.history)
        assert (found.value, found.bound) == (plan.value, plan.bound)
        assert (found.starts, found.reached) == (plan.starts, plan.reached)
        assert found.converged


@INNER
def test_no_pair_is_nearer_than_its_lower_bound(inner):
    """All pairs, or one list against another: at most the value, and 0 between copies."""
    rng = np.random.default_rng(7)
    shapes = [random_mixture(rng, k, 3) for k in (4, 6, 9)]
    shapes.append(moved(shapes[1], stiefel(rng, 3, 3), 2.0))
    solver = MGW2(inner=inner, **QUICK)
    table = solver.lower_bounds(shapes)
    for i, source in enumerate(shapes):
        for j, target in enumerate(shapes):
            assert table[i, j] <= solver.coupled(source, target).value
    assert table[0, 2] > 0.05 * solver.coupled(shapes[0], shapes[2]).value
    assert table[1, 3] == 0
    np.testing.assert_allclose(solver.lower_bounds(shapes[:1], shapes), table[:1], atol=ROUNDING)


def test_a_mixture_knows_its_own_costs():
    """They are W2² between its components, computed once and never changed."""
    mixture = random_mixture(np.random.default_rng(8), 5, 3)
    expected = own_squared_w2(mixture.means, mixture.covariances)
    np.testing.assert_array_equal(mixture.own_costs, expected)
    assert mixture.own_costs is mixture.own_costs
    with pytest.raises(ValueError, match="read-only"):
        mixture.own_costs[0, 1] = 0.0


def test_a_value_below_its_bound_is_refused():
    """A certificate that contradicts the value is an error, not a result."""
    with pytest.raises(SolverError, match=r"the value 1\.0 is below its bound 2\.0"):
        Coupled(
            coupling=np.ones((1, 1)),
            value=1.0,
            bound=2.0,
            starts=1,
            reached=1,
            converged=True,
            history=(1.0,),
        )


def four_corners():
    """Return four equal round components on a square: nothing tells its corners apart."""
    corners = np.array([[1.0, 1], [-1, 1], [-1, -1], [1, -1]])
    return GaussianMixture(
        weights=np.full(4, 0.25),
        means=corners,
        covariances=np.stack([0.01 * np.eye(2)] * 4),
        space=Space.raw(2),
    )


@pytest.mark.parametrize("goal", range(4))
def test_a_pair_says_which_corner_goes_where(goal):
    """On a square every rotation is optimal; one pair chooses its corner's image, at no cost."""
    square = four_corners()
    guide = Guide(points0=square.means[:1], points1=square.means[goal : goal + 1])
    plan = MGW2(**QUICK)(square, square, guide=guide)
    assert plan.coupling[0, goal] == pytest.approx(0.25, abs=ROUNDING)
    assert plan.value <= ROUNDING * scale(square, square) ** 2


@pytest.mark.parametrize(("option", "least"), [("signs", 1), ("random", 0), ("waves", 0)])
def test_options_are_not_negative(option, least):
    """Every refused option is named."""
    with pytest.raises(UsageError, match=f"option {option}: expected at least {least}, got -1"):
        MGW2(**{option: -1})
