"""MW2: transport between mixtures of one space."""

import numpy as np
import ot.gmm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import norm
from tests.core.strategies import ROUNDING, mixtures, random_mixture, scale, seeds, stiefel

from gwtransfer.core import bounds
from gwtransfer.core.guide import Guide
from gwtransfer.core.types import GaussianMixture, Space
from gwtransfer.errors import DataError
from gwtransfer.plan.mw2 import MW2, common_space


def arrays_of(source, target, unit=1.0):
    return (
        source.means / unit,
        target.means / unit,
        source.covariances / unit**2,
        target.covariances / unit**2,
        source.weights,
        target.weights,
    )


@given(st.integers(1, 3).flatmap(lambda d: st.tuples(mixtures(d), mixtures(d))))
def test_mw2_equals_pot(both):
    """Value and coupling are POT's for the same two mixtures."""
    plan = MW2()(*both)
    tolerance = 1e-9 * scale(*both) + 1e-9
    assert plan.value == pytest.approx(float(ot.gmm.gmm_ot_loss(*arrays_of(*both))), abs=tolerance)
    np.testing.assert_allclose(plan.coupling, ot.gmm.gmm_ot_plan(*arrays_of(*both)), atol=1e-9)
    assert np.count_nonzero(plan.coupling) <= both[0].count + both[1].count - 1


@given(st.integers(1, 3).flatmap(lambda d: st.tuples(mixtures(d), mixtures(d))))
def test_mw2_is_exact_and_symmetric(both):
    """The bound is the value; sides may be exchanged; one start ran and reached it."""
    plan, back = MW2()(*both), MW2()(*both[::-1])
    assert plan.bound == plan.value
    assert plan.value == pytest.approx(back.value, rel=1e-10, abs=ROUNDING)
    assert (plan.starts, plan.reached, plan.converged) == (1, 1, True)
    assert plan.embedding is None
    assert plan.tilt is None
    assert MW2()(both[0], both[0]).value <= ROUNDING * (scale(both[0]) + 1)


@given(seeds)
def test_mw2_is_not_below_w2(seed):
    """In 1-D W2 is a matter of quantiles; MW2, whose plans are mixtures, is at least as large."""
    rng = np.random.default_rng(seed)
    source, target = random_mixture(rng, 1, 1), random_mixture(rng, 3, 1)
    levels = (np.arange(20_000) + 0.5) / 20_000
    quantiles = []
    for side in (source, target):
        deviations = np.sqrt(side.covariances[:, 0, 0])
        ends = side.means[:, 0], 6 * deviations
        grid = np.linspace((ends[0] - ends[1]).min(), (ends[0] + ends[1]).max(), 20_000)
        cdf = norm.cdf((grid[:, None] - side.means[:, 0]) / deviations) @ side.weights
        quantiles.append(np.interp(levels, cdf, grid))
    w2 = ((quantiles[0] - quantiles[1]) ** 2).mean()
    assert np.abs(quantiles[0] - source.means[0] - np.sqrt(source.covariances[0, 0]) * ndtri(
        levels)).max() < 1e-2  # the grid is fine enough  # fmt: skip
    value = MW2()(source, target).value
    unit = 1e-3 * (scale(source, target) + 1)
    assert w2 <= value + unit
    assert bounds.gelbrich(source.covariance, target.covariance) <= value + ROUNDING * unit * 1e3


def test_mw2_may_be_strictly_above_w2():
    """N(0, 1 + d²) against ½N(−d, 1) + ½N(d, 1): MW2² is 2(1 + d²) − 2√(1 + d²), W2² far less."""
    d = 3.0
    line = Space.raw(1)
    one = GaussianMixture(weights=[1], means=[[0]], covariances=[[[1 + d**2]]], space=line)
    two = GaussianMixture(
        weights=[0.5, 0.5], means=[[-d], [d]], covariances=[[[1]], [[1]]], space=line
    )
    expected = 2 * (1 + d**2) - 2 * np.sqrt(1 + d**2)
    assert MW2()(one, two).value == pytest.approx(expected, rel=ROUNDING)


def spaced(rng, mixture, *, coordinates="srgb"):
    """Return the mixture in random working coordinates of the same raw points."""
    d = mixture.dimension
    space = Space(
        origin=rng.standard_normal(d),
        axes=stiefel(rng, d, d),
        unit=rng.uniform(0.5, 3),
        coordinates=coordinates,
    )
    return mixture.in_space(space)


def raw_moments(mixture):
    turn = mixture.space.axes * mixture.space.unit
    return mixture.space.to_raw(mixture.means), turn @ mixture.covariances @ turn.T


@given(seeds)
def test_both_sides_are_put_in_one_space_exactly(seed):
    """Whatever origin, axes and unit: raw moments stay, the value is POT's over unit²."""
    rng = np.random.default_rng(seed)
    made = [random_mixture(rng, count, 3) for count in (4, 3)]
    source, target = (spaced(rng, side) for side in made)
    plan = MW2()(source, target)
    assert plan.source.space is plan.target.space
    for before, after in zip(made, (plan.source, plan.target), strict=True):
        for expected, found in zip(
            (before.means, before.covariances), raw_moments(after), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=ROUNDING * 100)
    space = common_space(source, target)
    unit = space.unit
    assert unit == pytest.approx(np.sqrt((source.space.unit**2 + target.space.unit**2) / 2))
    expected = float(ot.gmm.gmm_ot_loss(*arrays_of(*made))) / unit**2
    assert plan.value == pytest.approx(expected, rel=1e-8)


def test_two_different_spaces_are_refused():
    """Different coordinates, different dimensions and reduced axes name the other solver."""
    rng = np.random.default_rng(0)
    rgb = spaced(rng, random_mixture(rng, 2, 3))
    bands = spaced(rng, random_mixture(rng, 2, 3), coordinates="bands")
    more = spaced(rng, random_mixture(rng, 2, 5), coordinates="bands")
    with pytest.raises(DataError, match="found 3 srgb and 3 bands coordinates; use --solver mew2"):
        MW2()(rgb, bands)
    with pytest.raises(DataError, match="found 3 bands and 5 bands"):
        MW2()(bands, more)
    space = Space(origin=np.zeros(3), axes=np.eye(3, 2), unit=1.0, coordinates="bands")
    reduced = random_mixture(rng, 2, 2)
    reduced = GaussianMixture(
        weights=reduced.weights,
        means=reduced.means,
        covariances=reduced.covariances,
        space=space,
    )
    for sides in ((bands, reduced), (reduced, bands)):
        with pytest.raises(DataError, match="found 2 principal axes of 3; fit with --variance 1"):
            MW2()(*sides)


def test_an_anchor_is_used_only_where_asked_for():
    """Only an anchor that is given couples bright with dark; the value stays unguided."""
    line = Space.raw(1)
    means, covariances = [[-1.0], [1.0]], np.full((2, 1, 1), 0.01)
    source, target = (
        GaussianMixture(
            weights=[0.5, 0.5], means=means, covariances=covariances, space=line, guide=[sign]
        )
        for sign in (1.0, -1.0)
    )
    for guide in (None, Guide(), Guide(anchor=0.0)):
        plan = MW2()(source, target, guide=guide)
        np.testing.assert_allclose(plan.coupling, np.eye(2) / 2, atol=ROUNDING)
        assert plan.value <= ROUNDING
    anchored = MW2()(source, target, guide=Guide(anchor=5.0))
    np.testing.assert_allclose(anchored.coupling, np.eye(2)[::-1] / 2, atol=ROUNDING)
    assert anchored.value == pytest.approx(4.0, rel=ROUNDING)  # unguided: every mean moves by 2
    assert anchored.bound <= ROUNDING
    blind = random_mixture(np.random.default_rng(0), 2, 1)
    with pytest.raises(DataError, match="a luminance anchor needs two pictures or cubes"):
        MW2()(blind, target, guide=Guide(anchor=1.0))
