"""The best Lipschitz maps of the line: an oracle, the paper's figures, and laws nobody has seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import erfinv, ndtr, ndtri

from gwtransfer.core.pushforward import a_priori_bound, exact_fit_constant
from gwtransfer.study.landing import Path
from gwtransfer.study.law import NORMAL, Law
from gwtransfer.study.lipschitz import best_map, covered
from gwtransfer.study.pushforward import exact_constant

ACCURACY = 3e-4
"""Of the distances, on the usual grid; halving it moves none by more."""


def normal(points):
    return np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)


def one_climb(law, constant, ends):
    """Return the distance left by an exact fit up to u1, the steepest climb to u2, an exact fit."""
    begin, end = ends
    if not -4 < begin < end < 5:
        return 1.0
    nodes = np.linspace(begin, end, 2001)
    first = law.quantiles(np.array([begin]))
    images = first + constant * (nodes - begin)
    outer = np.array([begin, end])
    if (normal(outer) > constant * law.density(images[[0, -1]])).any():
        return 1.0  # an exact fit beyond would be too steep
    rest = min(ndtr(-end), float(law.above(images[-1:])[0]))
    return 1.0 - float(ndtr(begin)) - covered(law, nodes, images) - rest


@pytest.mark.parametrize(
    ("constant", "published", "start"),
    [(2, 0.418, (-0.6, 2.6)), (3, 0.309, (-0.4, 2.2)), (5, 0.168, (-0.2, 1.2)),
     (10, 0.060, (-0.1, 0.5))],
)  # fmt: skip
def test_the_best_map_is_that_of_one_climb(constant, published, start):
    """Modes 6 apart: a search over two numbers, told what the map looks like, ends there too."""
    law = Law.balanced(3.0)
    found = best_map(law, constant)
    oracle = minimize(lambda ends: one_climb(law, constant, ends), start, method="Nelder-Mead")
    assert found.total_variation == pytest.approx(oracle.fun, abs=ACCURACY)
    assert published - 0.01 < found.total_variation < published + ACCURACY


def test_a_constant_of_one_leaves_almost_a_mode():
    """MATHS 7.4, L = 1: 0.498; the best symmetric map leaves 0.524 at L = 2, so none is assumed."""
    law = Law.balanced(3.0)
    assert best_map(law, 1.0).total_variation == pytest.approx(0.498, abs=6e-4)
    nodes = np.linspace(0, 2.7, 4001)  # twice as steep, and an exact fit beyond
    symmetric = 2 * (covered(law, nodes, 2 * nodes) + float(ndtr(-2.7)))
    assert 1 - symmetric == pytest.approx(0.524, abs=1e-3)
    assert best_map(law, 2.0).total_variation < 0.42


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1), st.floats(0.6, 6))
def test_unseen_laws(seed, constant):
    """Slopes stay below L, the bound of MATHS 7.4 holds, and no random map comes closer."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4))
    law = Law(
        weights=rng.dirichlet(np.ones(count) * 3),
        means=rng.uniform(-4, 4, count),
        deviations=rng.uniform(0.5, 1.5, count),
    )
    found = best_map(law, constant)
    assert found.path.steepest <= constant * (1 + 1e-9)
    assert found.path.slopes.min() >= -1e-9
    assert found.total_variation == pytest.approx(found.path.distance(law), abs=5e-4)
    assert found.total_variation >= a_priori_bound(constant, law.cdf, *law.reach) - 1e-9
    assert found.total_variation == pytest.approx(
        best_map(law, constant, fineness=0.5).total_variation, abs=2e-3
    )
    nodes = np.linspace(-5, 5, 41)
    for _ in range(20):
        climbs = constant * np.diff(nodes) * rng.uniform(rng.uniform(-1, 1), 1, 40)
        images = law.means[0] + np.concatenate([[0], np.cumsum(climbs)]) - climbs[:20].sum()
        path = Path(source=NORMAL, nodes=nodes, images=images)
        assert path.distance(law) >= found.total_variation - 2e-3


def test_refining_the_grid_changes_little():
    """Twice as many nodes along both axes: less than the accuracy that is stated."""
    law = Law.balanced(3.0)
    for constant in (2.0, 10.0):
        coarse, fine = (best_map(law, constant, fineness=one) for one in (1.0, 2.0))
        assert abs(coarse.total_variation - fine.total_variation) < ACCURACY
        assert abs(fine.total_variation - fine.estimate) < abs(
            coarse.total_variation - coarse.estimate
        )


@pytest.mark.parametrize("law", [NORMAL, Law.balanced(1.0)])
def test_a_constant_that_suffices_leaves_nothing(law):
    """A little above the least constant of an exact fit, the best map fits exactly."""
    assert best_map(law, 1.02 * exact_constant(law)).total_variation < ACCURACY


@pytest.mark.parametrize("mean", [0.0, 0.5, 3.0, 10.0])
def test_the_equality_of_balanced_modes(mean):
    """The increasing map that fits has difference quotients up to exp(μ²/2), to 1e-6, none above.

    Near the middle masses are differences of tails, far from it tails: no 1/2 swallows them.
    """
    images = np.linspace(0, mean + 6, 120_001)
    halves = (ndtr(images - mean) - ndtr(-images - mean)) / 2
    above = (ndtr(mean - images) + ndtr(-images - mean)) / 2
    scores = np.where(halves < 0.25, np.sqrt(2) * erfinv(2 * halves), -ndtri(above))
    quotients = np.diff(images) / np.diff(scores)
    wanted = float(np.exp(mean**2 / 2))
    assert quotients.max() == pytest.approx(wanted, rel=1e-6)
    assert exact_constant(Law.balanced(mean)) == pytest.approx(wanted, rel=1e-9)
    assert float(exact_fit_constant(2 * mean)) == pytest.approx(wanted, rel=1e-12)


def test_unequal_modes_obey_the_bound():
    """MATHS 7.3 with unequal shares: the least constant of an exact fit is never below it."""
    for share, distance in ((0.1, 6.0), (0.3, 4.0), (0.02, 8.0)):
        law = Law(
            weights=np.array([share, 1 - share]),
            means=np.array([0.0, distance]) / 2,
            deviations=np.full(2, 0.5),
        )
        bound = float(exact_fit_constant(distance / 2, 0.5, share))
        assert 1 < exact_constant(law) / bound < 5
