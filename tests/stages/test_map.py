"""The map stages: options, and what they hand to the maps of the core."""

from dataclasses import replace

import numpy as np
import pytest
from tests.core.strategies import drawn, product_plan, random_mixture, stiefel

from gwtransfer.core.affine import pair_maps
from gwtransfer.core.maps import mean_map, rand_map
from gwtransfer.errors import UsageError
from gwtransfer.map.mean import Mean
from gwtransfer.map.nearest import Nearest
from gwtransfer.map.rand import Rand


@pytest.fixture
def plan():
    rng = np.random.default_rng(0)
    return product_plan(
        random_mixture(rng, 3, 3), random_mixture(rng, 2, 2), embedding=stiefel(rng, 3, 2)
    )


@pytest.mark.parametrize("cap", [None, 0.4])
def test_stages_make_the_maps_of_the_core(plan, cap):
    """Mean and rand return the core's maps, with the gain cap they were given."""
    rng = np.random.default_rng(1)
    points = drawn(plan.source, rng, 30)
    number = np.inf if cap is None else cap
    np.testing.assert_array_equal(
        Mean(gain_cap=cap, precision="double", restored=False)(plan)(points),
        mean_map(plan, gain_cap=number)(points),
    )
    np.testing.assert_array_equal(
        Rand(gain_cap=cap, precision="double")(plan)(points),
        rand_map(plan, gain_cap=number)(points),
    )
    assert np.linalg.norm(pair_maps(plan).linear, ord=2, axis=(1, 2)).max() > 0.4


@pytest.mark.parametrize("stage", [Mean, Rand])
def test_single_precision_is_near_double(plan, stage):
    """Within a quarter of a step of 16 bits of the images' range, far from zero too."""
    rng = np.random.default_rng(1)
    points = drawn(plan.source, rng, 3000)
    double = stage(precision="double")(plan)(points)
    single = stage()(plan)(points)
    assert single.dtype == np.float32
    assert np.abs(single - double).max() < np.ptp(double) / 65535 / 4
    from_single = stage()(plan)(points.astype(np.float32))
    assert np.abs(from_single - double).max() < np.ptp(double) / 65535 / 4
    space = replace(plan.source.space, origin=plan.source.space.origin + 1e4)
    moved = replace(plan, source=replace(plan.source, space=space))
    assert np.abs(stage()(moved)(points + 1e4) - double).max() < np.ptp(double) / 65535 / 4


def test_restored_images_have_the_targets_moments():
    """Mean and covariance of T_mean's images contract; the stage gives them back."""
    rng = np.random.default_rng(4)
    target = random_mixture(rng, 3, 3)
    kept = 0.6 * np.diag(target.weights) + 0.4 * np.outer(target.weights, target.weights)
    plan = product_plan(target, target, coupling=kept)
    points = target.space.to_raw(target.drawn(40_000, rng))
    errors = {}
    for restored in (False, True):
        images = target.space.to_working(
            Mean(restored=restored, gain_cap=None, precision="double")(plan)(points)
        )
        covariance = np.cov(images.T, bias=True)
        scale = np.trace(target.covariance)
        errors[restored] = np.abs(covariance - target.covariance).max() / scale
        assert np.trace(covariance) <= 1.05 * scale
        assert np.linalg.norm(images.mean(axis=0) - target.mean) < 0.05 * np.sqrt(scale)
    assert errors[True] < 0.03 < errors[False]


@pytest.mark.parametrize("cap", [0.5, 1.0, 3.0])
def test_a_cap_holds_for_what_is_restored(plan, cap):
    """No piece stretches more than it was allowed to, and each mean goes where it went."""
    mapping = Mean(gain_cap=cap, precision="double")(plan)
    free = Mean(gain_cap=None, precision="double", restored=False)(plan)
    assert mapping.gains().max() <= cap * (1 + 1e-12)
    assert free.gains().max() > 0.5


def test_nothing_is_restored_where_nothing_is_lost():
    """One Gaussian on another: T_mean is exact, and stays so."""
    rng = np.random.default_rng(5)
    source, target = (random_mixture(rng, 1, 3) for _ in range(2))
    plan = product_plan(source, target)
    points = drawn(source, rng, 50)
    difference = Mean(gain_cap=None, precision="double")(plan)(points) - mean_map(plan)(points)
    assert np.abs(difference).max() < 1e-9


def test_points_beyond_single_floats_are_mapped_in_double(plan):
    """What overflows a square is computed again; nothing is lost, and nothing warns."""
    points = drawn(plan.source, np.random.default_rng(3), 10)
    points[3] = 1e25
    images = Mean(gain_cap=None, restored=False)(plan)(points)
    assert np.isfinite(images).all()
    np.testing.assert_allclose(images, mean_map(plan)(points), rtol=1e-5)


def test_nearest_returns_points_of_the_palette(plan):
    """Every image is a candidate, and a cap changes which."""
    rng = np.random.default_rng(2)
    candidates = drawn(plan.target, rng, 500)
    points = drawn(plan.source, rng, 200)
    free, capped = (Nearest(gain_cap=cap)(plan, candidates=candidates) for cap in (None, 0.2))
    allowed = {tuple(colour) for colour in candidates}
    for mapping in (free, capped):
        assert {tuple(image) for image in mapping(points)} <= allowed
    assert (free(points) != capped(points)).any()


def test_nearest_needs_candidates(plan):
    """Without the target's points there is nothing to choose from."""
    with pytest.raises(UsageError, match="map nearest: expected the target's points"):
        Nearest()(plan)


@pytest.mark.parametrize("stage", [Mean, Rand, Nearest])
@pytest.mark.parametrize("cap", [0.0, -1.0, np.nan])
def test_a_gain_cap_is_positive(stage, cap):
    """Zero, negative and undefined caps are refused by name."""
    with pytest.raises(UsageError, match="option gain_cap: expected a number above 0"):
        stage(gain_cap=cap)
