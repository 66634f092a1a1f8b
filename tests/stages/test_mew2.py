"""MEW2: the best coupling and the best isometry together."""

import numpy as np
import pytest
from tests.core.strategies import (
    ROUNDING,
    drawn,
    moved,
    naive_bracket,
    random_mixture,
    scale,
    stiefel,
)

from gwtransfer.core import bounds
from gwtransfer.core.guide import DEFAULT_ANCHOR, Guide
from gwtransfer.core.maps import mean_map
from gwtransfer.core.points import embed_points
from gwtransfer.core.types import GaussianMixture, Space
from gwtransfer.errors import DataError, UsageError
from gwtransfer.measure import rank_correlation
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.plan.mw2 import MW2

SHAPES = pytest.mark.parametrize("shape", [(2, 2), (4, 2), (2, 4)])
SOLVED = 1e-9
"""A round that gains under 1e-12 of the constant is the last; 1e3 as slow may be left."""


def oriented(plan):
    """Return larger side, smaller side and coupling of a plan."""
    if plan.source.dimension >= plan.target.dimension:
        return plan.source, plan.target, plan.coupling
    return plan.target, plan.source, plan.coupling.T


@SHAPES
@pytest.mark.parametrize("seed", range(2))
def test_a_moved_copy_is_found_again(shape, seed):
    """Rotated, translated, embedded, permuted: value 0, the permutation, the isometry, the map."""
    rng = np.random.default_rng(seed)
    small = random_mixture(rng, 6, min(shape))
    isometry = stiefel(rng, max(shape), min(shape))
    order = rng.permutation(6)
    copy = moved(small, isometry, rng.standard_normal(max(shape)), order)
    sides = (copy, small) if shape[0] >= shape[1] else (small, copy)
    plan = MEW2()(*sides)
    assert 0 <= plan.value <= SOLVED * scale(*sides)
    expected = np.zeros((6, 6))
    expected[np.arange(6), order] = small.weights[order]
    np.testing.assert_allclose(oriented(plan)[2], expected, atol=1e-10)
    np.testing.assert_allclose(plan.embedding, isometry, atol=1e-6)
    points = drawn(sides[0], rng, 20)
    if shape[0] >= shape[1]:
        exact = (points - copy.mean) @ isometry + small.mean
    else:
        exact = (points - small.mean) @ isometry.T + copy.mean
    np.testing.assert_allclose(mean_map(plan)(points), exact, atol=1e-5)


@SHAPES
def test_the_value_is_the_bracket(shape):
    """The plan's value is Σ w [|m̃ − Pñ|² + …] pair by pair, the residual of m > n included."""
    rng = np.random.default_rng(1)
    plan = MEW2()(random_mixture(rng, 5, shape[0]), random_mixture(rng, 4, shape[1]))
    source, target, coupling = oriented(plan)
    expected = naive_bracket(source, target, coupling, plan.embedding)
    assert plan.value == pytest.approx(expected, rel=1e-9)
    assert plan.bound == pytest.approx(bounds.gelbrich(source.covariance, target.covariance))
    assert plan.value > plan.bound
    assert np.count_nonzero(coupling) <= 5 + 4 - 1
    assert (np.diff(plan.history) <= 0).all()
    assert plan.history[-1] == pytest.approx(plan.value, rel=1e-9)
    assert plan.converged
    assert plan.tilt is None


@SHAPES
def test_the_value_is_unguided_with_the_anchor_on(shape):
    """An anchored plan reports the plain objective at its own w and P, not below the bound."""
    rng = np.random.default_rng(2)
    sides = [
        random_mixture(rng, count, d, guide=rng.standard_normal(d))
        for count, d in zip((5, 4), shape, strict=True)
    ]
    guide = Guide(points0=drawn(sides[0], rng, 2), points1=drawn(sides[1], rng, 2))
    plan, plain = MEW2()(*sides, guide=guide), MEW2()(*sides, guide=Guide(anchor=0.0))
    source, target, coupling = oriented(plan)
    expected = naive_bracket(source, target, coupling, plan.embedding)
    assert plan.value == pytest.approx(expected, rel=1e-9)
    assert plan.value >= plain.value - SOLVED * scale(*sides)
    assert plan.value >= plan.bound
    assert np.linalg.matrix_rank(plan.tilt) == 1
    assert plain.tilt is None
    g, h = source.guide, target.guide
    g, h = (v / np.sqrt(v @ s.covariance @ v) for v, s in ((g, source), (h, target)))
    expected = DEFAULT_ANCHOR * scale(*sides) * np.outer(g, h)
    np.testing.assert_allclose(plan.tilt, expected, rtol=1e-9)


@SHAPES
@pytest.mark.parametrize("seed", range(2))
def test_the_value_sees_no_isometry_and_no_order(shape, seed):
    """Turned, moved, lifted or permuted, two mixtures are as far apart."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 4, shape[0]), random_mixture(rng, 4, shape[1])
    plan = MEW2()(source, target)
    order = rng.permutation(4)
    there = MEW2()(
        moved(source, stiefel(rng, shape[0], shape[0]), 10.0, order),
        moved(target, stiefel(rng, shape[1], shape[1]), -4.0),
    )
    tolerance = SOLVED * scale(source, target)
    assert there.value == pytest.approx(plan.value, abs=tolerance)
    np.testing.assert_allclose(there.coupling, plan.coupling[order], atol=1e-8)


def test_the_smaller_source_is_the_larger_one_turned_round():
    """m < n has the value, the embedding and the transposed coupling of the exchanged sides."""
    rng = np.random.default_rng(3)
    source, target = random_mixture(rng, 4, 2), random_mixture(rng, 5, 3)
    there, back = MEW2()(source, target), MEW2()(target, source)
    assert there.value == pytest.approx(back.value, abs=SOLVED * scale(source, target))
    np.testing.assert_allclose(there.coupling, back.coupling.T, atol=1e-10)
    np.testing.assert_allclose(there.embedding, back.embedding, atol=1e-4)


def gaussian(covariance, mean=1.0):
    d = len(covariance)
    return GaussianMixture(
        weights=[1.0],
        means=np.full((1, d), mean),
        covariances=np.array([covariance]),
        space=Space.raw(d),
    )


@pytest.mark.parametrize(
    ("s0", "s1"),
    [
        (np.diag([4.0, 1.0]), np.diag([1.0, 4.0])),  # the means' start would stay at a saddle, 2
        (np.diag([3.0, 2.0, 1.0]), np.diag([1.0, 2.0])),
        (np.diag([1.0, 0.0]), np.diag([0.0, 2.0])),
        (np.diag([2.0, 1.0]), np.diag([1.0, 5.0, 3.0])),
        (np.zeros((2, 2)), np.eye(2)),
    ],
)
def test_between_gaussians_it_is_the_closed_form(s0, s1):
    """K = L = 1: MEW2² = Σ (√λ_i − √κ_i)² + Σ_{i>n} λ_i, which is also its bound."""
    plan = MEW2()(gaussian(s0), gaussian(s1, -3.0))
    expected = bounds.gelbrich(s0, s1)
    tolerance = ROUNDING * 10 * (np.trace(s0) + np.trace(s1))
    assert plan.value == pytest.approx(expected, abs=tolerance)
    assert plan.bound <= plan.value
    if s0[0, 0] == 4:
        assert plan.value <= tolerance


def test_without_covariances_it_is_ew2_of_the_means():
    """Mixtures of points of equal weight: MEW2 is EW2 between the point clouds."""
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    sides = [
        GaussianMixture(
            weights=np.full(7, 1 / 7),
            means=points,
            covariances=np.zeros((7, points.shape[1], points.shape[1])),
            space=Space.raw(points.shape[1]),
        )
        for points in (x, y)
    ]
    plan = MEW2()(*sides)
    points = embed_points(x, y, rng=rng, random=200)
    assert plan.value == pytest.approx(points.value, abs=SOLVED * scale(*sides))
    np.testing.assert_allclose(plan.coupling, points.coupling, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_proper_rotation_costs_no_less(seed):
    """rotation=proper gives det P = +1, and at least the value of rotation=any."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 4, 3), random_mixture(rng, 4, 3)
    free, proper = MEW2()(source, target), MEW2(rotation="proper")(source, target)
    assert np.linalg.det(proper.embedding) == pytest.approx(1, abs=ROUNDING)
    assert proper.value >= free.value - SOLVED * scale(source, target)
    if np.linalg.det(free.embedding) > 0:
        assert proper.value == pytest.approx(free.value, abs=SOLVED * scale(source, target))


def test_a_mirror_image_is_a_copy_only_with_reflections():
    """The mirror image is at distance 0 with reflections, and at a positive one with rotations."""
    rng = np.random.default_rng(5)
    source = random_mixture(rng, 5, 2)
    mirror = moved(source, np.diag([1.0, -1.0]))
    free, proper = MEW2()(mirror, source), MEW2(rotation="proper")(mirror, source)
    assert free.value <= SOLVED * scale(source, mirror)
    assert np.linalg.det(free.embedding) < 0
    assert proper.value > 1e-3 * scale(source, mirror)
    turned = MEW2(rotation="proper")(moved(mirror, np.array([[0.6, -0.8], [0.8, 0.6]])), mirror)
    assert turned.value <= SOLVED * scale(source, mirror)


def test_annealing_adds_starts():
    """The annealed starts come on top and find no worse."""
    rng = np.random.default_rng(6)
    source, target = random_mixture(rng, 6, 3), random_mixture(rng, 5, 2)
    few = {"signs": 2, "random": 0, "waves": 0}
    plain, annealed = (MEW2(annealed=a, **few)(source, target) for a in (False, True))
    assert annealed.starts == plain.starts + 2
    assert annealed.value <= plain.value + SOLVED * scale(source, target)


def test_more_starts_are_no_worse():
    """The default search is at least as good as its own smallest version."""
    rng = np.random.default_rng(7)
    source, target = random_mixture(rng, 8, 4), random_mixture(rng, 8, 3)
    least = MEW2(signs=1, random=0, waves=0)(source, target)
    best = MEW2()(source, target)
    assert best.value <= least.value + SOLVED * scale(source, target)
    assert best.starts > least.starts
    assert 1 <= best.reached <= best.starts


def test_the_same_seed_gives_the_same_plan():
    """Two runs agree bit by bit."""
    rng = np.random.default_rng(8)
    source, target = random_mixture(rng, 5, 3, seed=3), random_mixture(rng, 5, 2)
    one, two = (MEW2()(source, target) for _ in range(2))
    np.testing.assert_array_equal(one.coupling, two.coupling)
    np.testing.assert_array_equal(one.embedding, two.embedding)
    assert (one.value, one.reached, one.starts) == (two.value, two.reached, two.starts)


def negative(rng, dimension):
    """Return a mixture along its luminance, and its photographic negative in ``dimension``."""
    bright = np.array([-1.0, -0.5, 0.0, 0.7, 1.8])
    means = np.stack([bright, 0.1 * rng.standard_normal(5), 0.1 * rng.standard_normal(5)], axis=1)
    source = GaussianMixture(
        weights=[0.3, 0.25, 0.2, 0.15, 0.1],
        means=means,
        covariances=np.stack([0.01 * np.eye(3)] * 5),
        space=Space.raw(3),
        guide=[1.0, 0.0, 0.0],
    )
    isometry = stiefel(rng, dimension, 3)
    copy = moved(source, isometry)
    guide = -isometry @ source.guide  # what is bright here is dark there
    target = GaussianMixture(
        weights=copy.weights,
        means=copy.means,
        covariances=copy.covariances,
        space=copy.space,
        guide=guide,
    )
    return source, target


def luminance_order(plan, rng):
    points = drawn(plan.source, rng, 400)
    images = mean_map(plan)(points)
    return rank_correlation(points @ plan.source.guide, images @ plan.target.guide)


@pytest.mark.parametrize(
    ("solver", "dimension"), [(MEW2(), 3), (MEW2(), 5), (MGW2(), 3), (MGW2(), 5), (MW2(), 3)]
)
@pytest.mark.parametrize("swap", [False, True])
def test_the_anchor_turns_a_negative_into_a_positive(solver, dimension, swap):
    """The isometric optimum of a negative exchanges bright and dark; the anchored one does not."""
    rng = np.random.default_rng(9)
    source, target = negative(rng, dimension)
    if solver == MW2():  # in one space: the negative must lie where the positive does
        target = GaussianMixture(
            weights=source.weights,
            means=source.means,
            covariances=source.covariances,
            space=source.space,
            guide=-source.guide,
        )
    if swap:
        source, target = target, source
    blind = solver(source, target, guide=Guide(anchor=0.0))
    anchored = solver(source, target, guide=Guide(anchor=1.0))
    # In one space the anchor can move components but not turn them: inside each one order stays.
    least = 0.8 if solver == MW2() else 0.95
    assert luminance_order(blind, rng) < -least
    assert luminance_order(anchored, rng) > least
    assert anchored.value > blind.value
    if solver != MW2():
        default = solver(source, target)
        np.testing.assert_array_equal(default.coupling, anchored.coupling)


def test_an_anchor_needs_two_guides():
    """Asked for with a side that knows no luminance, it is an error; unasked it is off."""
    rng = np.random.default_rng(10)
    source, target = random_mixture(rng, 3, 3, guide=[1, 0, 0]), random_mixture(rng, 3, 2)
    for solver in (MEW2(random=2, waves=0), MGW2(random=2, waves=0)):
        with pytest.raises(DataError, match="a luminance anchor needs two pictures or cubes"):
            solver(source, target, guide=Guide(anchor=0.1))
        assert solver(source, target).tilt is None


@pytest.mark.parametrize("goal", range(4))
def test_a_pair_says_which_corner_goes_where(goal):
    """On a square every rotation is optimal; one pair chooses its corner's image, at no cost."""
    corners = np.array([[1.0, 1], [-1, 1], [-1, -1], [1, -1]])
    square = GaussianMixture(
        weights=np.full(4, 0.25),
        means=corners,
        covariances=np.stack([0.01 * np.eye(2)] * 4),
        space=Space.raw(2),
    )
    guide = Guide(points0=corners[:1], points1=corners[goal : goal + 1])
    plan = MEW2()(square, square, guide=guide)
    assert plan.coupling[0, goal] == pytest.approx(0.25, abs=ROUNDING)
    assert plan.value <= SOLVED * scale(square, square)


@pytest.mark.parametrize("goal", [0, 1])
def test_a_pair_moves_an_exact_coupling(goal):
    """MW2 couples ±1 with ±0.1; a pair across outweighs the 0.2 more each would have to go."""
    source, target = (
        GaussianMixture(
            weights=[0.5, 0.5],
            means=[[-size], [size]],
            covariances=np.zeros((2, 1, 1)),
            space=Space.raw(1),
        )
        for size in (1.0, 0.1)
    )
    guide = Guide(points0=source.means[:1], points1=target.means[goal : goal + 1])
    plan = MW2()(source, target, guide=guide)
    assert plan.coupling[0, goal] == 0.5
    assert plan.value == pytest.approx(0.81 if goal == 0 else 1.21)
    assert plan.bound == pytest.approx(0.81)


def test_few_starts_are_some_of_all():
    """They are the sign choices, 16 random ones and the MGW2 coupling's, unless told."""
    rng = np.random.default_rng(12)
    source, target = random_mixture(rng, 5, 3), random_mixture(rng, 4, 2)
    full, few = (MEW2(starts=starts)(source, target) for starts in ("full", "few"))
    assert (full.starts, few.starts) == (4 + 200 + 1, 4 + 16 + 1)
    assert full.value <= few.value + SOLVED * scale(source, target)
    assert MEW2(starts="few", random=3)(source, target).starts == 4 + 3 + 1


def test_an_exact_plan_has_no_starts_to_leave_out():
    """MW2 takes the option, so that any solver can be asked, and nothing changes."""
    rng = np.random.default_rng(13)
    source, target = random_mixture(rng, 5, 3), random_mixture(rng, 4, 3)
    full, few = (MW2(starts=starts)(source, target) for starts in ("full", "few"))
    np.testing.assert_array_equal(full.coupling, few.coupling)


@pytest.mark.parametrize(("option", "least"), [("signs", 1), ("random", 0), ("waves", 0)])
def test_options_are_not_negative(option, least):
    """Every refused option is named."""
    with pytest.raises(UsageError, match=f"option {option}: expected at least {least}, got -1"):
        MEW2(**{option: -1})


def test_a_rotation_needs_equal_dimensions():
    """rotation=proper between different dimensions is refused with both."""
    rng = np.random.default_rng(11)
    with pytest.raises(DataError, match="proper needs sides of one dimension, found 3 and 2"):
        MEW2(rotation="proper")(random_mixture(rng, 2, 3), random_mixture(rng, 2, 2))
