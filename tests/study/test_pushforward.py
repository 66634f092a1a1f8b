"""The one-dimensional experiment: every bound holds, and the two maps of the library beside it."""

import numpy as np
import pytest
from scipy.special import ndtr

from gwtransfer.core.maps import rand_map
from gwtransfer.study import pushforward
from gwtransfer.study.landing import Path, total_variation
from gwtransfer.study.law import NORMAL, Law
from gwtransfer.study.outcome import COLUMNS
from gwtransfer.study.output import text_of
from gwtransfer.study.pushforward import SOURCES, mean_path, plan_between, rand_law


@pytest.fixture(scope="module")
def findings():
    return pushforward.found(modes=(0.0, 2.0, 3.0), constants=(1.0, 2.0, 5.0, 10.0))


def rows_of(findings, **wanted):
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in findings.rows]
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_every_bound_holds(findings):
    """No distance is below its bound, and the bound says something: it is above 0.2 for L = 1."""
    bounded = [row for row in rows_of(findings) if row["bound"] is not None]
    assert len(bounded) == 3 * (4 + 1 + 3)
    assert all(row["holds"] for row in bounded)
    assert all(row["bound"] <= row["total_variation"] + 1e-6 for row in bounded)
    assert min(row["bound"] for row in bounded if row["constant"] == 1 and row["mode"] == 3) > 0.2
    assert findings.summary["bounds_that_hold"] == findings.summary["bounds"] == len(bounded)
    assert "Every bound holds" in text_of(findings)


def test_distances_fall_with_the_constant_and_rise_with_the_modes(findings):
    """More slope never harms, and farther modes cost more."""
    for mode in (2.0, 3.0):
        best = [row["total_variation"] for row in rows_of(findings, map="best", mode=mode)]
        assert best == sorted(best, reverse=True)
    near, far = (rows_of(findings, map="best", mode=mode) for mode in (2.0, 3.0))
    for one, two in zip(near, far, strict=True):
        assert one["total_variation"] < two["total_variation"]


def test_the_equality_is_among_the_rows(findings):
    """The largest slope of the exact map is exp(μ²/2) to 1e-6."""
    exact = rows_of(findings, map="exact")
    for row in exact:
        assert row["slope"] == pytest.approx(np.exp(row["mode"] ** 2 / 2), rel=1e-6)
        assert row["exact_fit_constant"] == pytest.approx(row["slope"], rel=1e-6)
    assert findings.summary["worst_equality"] < 1e-6


def test_the_mean_map_of_one_gaussian_is_the_identity(findings):
    """From N(0, 1) both pieces are shifts by ∓μ, and their mean is no shift at all."""
    path = mean_path(NORMAL, Law.balanced(3.0))
    np.testing.assert_allclose(path.images, path.nodes, atol=1e-12)
    (row,) = rows_of(findings, map="mean", source="one", mode=3.0)
    crossing = 3 - np.log(2) / 3 - 1.5  # φ(x) = φ(x − 3)/2, but for a term below 1e-8
    direct = total_variation(NORMAL.cdf, Law.balanced(3.0).cdf, -12, 12)
    assert row["total_variation"] == pytest.approx(direct, abs=1e-5)
    assert crossing == pytest.approx(1.269, abs=1e-3)
    assert row["between"] == pytest.approx(ndtr(1.5) - ndtr(-1.5), abs=1e-6)


def test_the_mean_map_between_two_modes_is_as_steep_as_they_move(findings):
    """From ½N(−1,1) + ½N(1,1) T is x + (μ−1) tanh x, whose largest slope is μ."""
    path = mean_path(SOURCES["two"], Law.balanced(3.0))
    np.testing.assert_allclose(path.images, path.nodes + 2 * np.tanh(path.nodes), atol=1e-9)
    (row,) = rows_of(findings, map="mean", source="two", mode=3.0)
    assert row["slope"] == pytest.approx(3.0, abs=1e-6)
    assert row["constant"] == pytest.approx(3 * np.exp(0.5), abs=1e-5)


@pytest.mark.parametrize("name", SOURCES)
def test_the_random_map_reaches_the_target(name, findings):
    """Its images follow the target's law: by the pieces exactly, and by drawn points."""
    (row,) = rows_of(findings, map="rand", source=name, mode=3.0)
    assert row["total_variation"] < 1e-9
    assert row["constant"] is None
    source, target = SOURCES[name], Law.balanced(3.0)
    law, steepest = rand_law(source, target)
    assert law.weights.sum() == pytest.approx(1.0)
    assert steepest == pytest.approx(row["slope"])
    plan = plan_between(source, target)
    points = plan.source.space.to_raw(plan.source.drawn(100_000, np.random.default_rng(1)))
    images = np.sort(rand_map(plan)(points)[:, 0])
    shares = np.arange(len(images)) / len(images)
    assert np.abs(shares - target.cdf(images)).max() < 1.63 / np.sqrt(len(images)) + 1e-5


def test_a_map_that_turns_back_keeps_its_mass():
    """|x| of N(0, 1): twice the density on one side, nothing on the other, slopes of −1 and 1."""
    path = Path.of(NORMAL, np.abs)
    points = np.linspace(-2, 4, 25)
    np.testing.assert_allclose(path.cdf(points), np.clip(2 * ndtr(points) - 1, 0, None), atol=1e-6)
    assert path.distance(NORMAL) == pytest.approx(0.5, abs=2e-3)
    assert path.steepest == pytest.approx(1.0)
    assert path.mass(-1.0, 1.0) == pytest.approx(ndtr(1) - ndtr(-1), abs=1e-6)
