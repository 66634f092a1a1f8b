"""Guides: what luminance and pairs cost, and when they may be asked for."""

import numpy as np
import pytest
from hypothesis import given

from gwtransfer.core.gaussian import squared_w2
from gwtransfer.core.guide import (
    DEFAULT_ANCHOR,
    PAIR_WEIGHT,
    Guide,
    luminance_costs,
    luminance_moments,
    pair_costs,
    summed,
)
from gwtransfer.core.types import Space
from gwtransfer.errors import DataError, ShapeError, UsageError

from .strategies import ROUNDING, drawn, random_mixture, seeds, stiefel


def guided_pair(seed):
    rng = np.random.default_rng(seed)
    return (
        random_mixture(rng, 4, 3, guide=rng.standard_normal(3)),
        random_mixture(rng, 3, 2, guide=rng.standard_normal(2)),
    )


@given(seeds)
def test_luminance_costs_are_w2_between_standardised_marginals(seed):
    """Λ_kl = W2² in 1-D between the luminance marginals, each side at mean 0 and variance 1."""
    source, target = guided_pair(seed)
    lines = []
    for side in (source, target):
        centre = side.guide @ side.mean
        spread = np.sqrt(side.guide @ side.covariance @ side.guide)
        means = (side.means @ side.guide - centre) / spread
        variances = [side.guide @ c @ side.guide / spread**2 for c in side.covariances]
        assert side.weights @ (means**2 + variances) == pytest.approx(1, rel=ROUNDING)
        lines += [means[:, None], np.array(variances)[:, None, None]]
    np.testing.assert_allclose(luminance_costs(source, target), squared_w2(*lines), atol=1e-10)
    means, deviations = luminance_moments(source)
    np.testing.assert_allclose(means, source.means @ source.guide, rtol=ROUNDING)
    np.testing.assert_allclose(
        deviations**2, [source.guide @ c @ source.guide for c in source.covariances], rtol=1e-10
    )


def test_luminance_costs_do_not_know_units():
    """Brighter exposure, other units and another space of the same pixels change no cost."""
    source, target = guided_pair(0)
    expected = luminance_costs(source, target)
    rng = np.random.default_rng(0)
    space = Space(origin=rng.standard_normal(3), axes=stiefel(rng, 3, 3), unit=7.0)
    np.testing.assert_allclose(
        luminance_costs(source.in_space(space), target), expected, rtol=1e-10
    )


def test_a_guide_means_the_same_in_every_space():
    """Re-expressed in another space, the guide differs between two points by as much as before."""
    source, _ = guided_pair(1)
    rng = np.random.default_rng(1)
    space = Space(origin=rng.standard_normal(3), axes=stiefel(rng, 3, 3), unit=7.0)
    there = source.in_space(space)
    points = drawn(source, rng, 10)
    before = source.space.to_working(points) @ source.guide
    after = there.space.to_working(points) @ there.guide
    np.testing.assert_allclose(after - after[0], before - before[0], atol=1e-11)


def test_a_side_of_constant_luminance_guides_nothing():
    """A guide that is zero leaves its side at luminance 0, without dividing by it."""
    rng = np.random.default_rng(2)
    flat = random_mixture(rng, 2, 2, guide=[0.0, 0.0])
    other = random_mixture(rng, 2, 2, guide=[1.0, 0.0])
    costs = luminance_costs(flat, other)
    assert np.isfinite(costs).all()
    np.testing.assert_array_equal(costs[0], costs[1])
    directions = Guide(anchor=1.0).directions(flat, other, 1.0)
    np.testing.assert_array_equal(directions[0], [0, 0])


@given(seeds)
def test_directions_are_standardised(seed):
    """E (g·x̃)² = E (h·ỹ)² = weight × constant."""
    source, target = guided_pair(seed)
    g, h = Guide(anchor=0.3).directions(source, target, 5.0)
    assert g @ source.covariance @ g == pytest.approx(1.5, rel=1e-10)
    assert h @ target.covariance @ h == pytest.approx(1.5, rel=1e-10)


@given(seeds)
def test_pair_costs_by_definition(seed):
    """Σ_i r_k(x_i) |n_l − y_i|² / q, in units of the target's total variance."""
    source, target = guided_pair(seed)
    rng = np.random.default_rng(seed)
    x, y = drawn(source, rng, 5), drawn(target, rng, 5)
    expected = np.zeros((4, 3))
    shares = source.densities.shares(x)
    for i in range(5):
        for k in range(4):
            for l in range(3):
                gap = target.means[l] - y[i]
                expected[k, l] += shares[i, k] * (gap @ gap) / 5
    expected /= np.trace(target.covariance)
    np.testing.assert_allclose(pair_costs(source, target, x, y), expected, rtol=1e-10)
    scaled = Guide(points0=x, points1=y).pair_costs(source, target, 2.0)
    np.testing.assert_allclose(scaled, 2 * PAIR_WEIGHT * expected, rtol=1e-10)


@pytest.mark.parametrize(("given0", "given1"), [(3, 2), (0, 0)])
def test_pairs_need_two_ends(given0, given1):
    """One target point for each source point, and at least one."""
    source, target = guided_pair(0)
    with pytest.raises(ShapeError, match=f"got {given0} and {given1}"):
        pair_costs(source, target, np.zeros((given0, 3)), np.zeros((given1, 2)))


@pytest.mark.parametrize("anchor", [-0.1, np.nan, np.inf])
def test_an_anchor_is_a_weight(anchor):
    """A negative or infinite anchor is refused with its name."""
    with pytest.raises(UsageError, match="option anchor: expected a number of at least 0"):
        Guide(anchor=anchor)


def test_the_weight_of_the_anchor():
    """The default anchors only where both sides know their luminance; asking more is an error."""
    source, target = guided_pair(0)
    blind = random_mixture(np.random.default_rng(0), 2, 2)
    assert Guide().weight(source, target) == DEFAULT_ANCHOR
    assert Guide(anchor=0.2).weight(source, target) == 0.2
    for sides in ((source, blind), (blind, target), (blind, blind)):
        assert Guide().weight(*sides) == 0
        assert Guide(anchor=0.0).weight(*sides) == 0
        assert Guide().luminance_costs(*sides, 1.0) is None
        assert Guide().directions(*sides, 1.0) is None
        with pytest.raises(DataError, match="a luminance anchor needs two pictures or cubes"):
            Guide(anchor=0.2).weight(*sides)
    with pytest.raises(DataError, match="needs mixtures that carry one"):
        luminance_moments(blind)
    assert Guide(anchor=0.0).directions(source, target, 1.0) is None
    assert Guide().pair_costs(source, target, 1.0) is None


def test_costs_that_are_absent_add_nothing():
    """None where nothing is given, else the sum of what is."""
    one = np.ones((2, 2))
    assert summed(None, None) is None
    np.testing.assert_array_equal(summed(one, None), one)
    np.testing.assert_array_equal(summed(one, None, 2 * one), 3 * one)
