"""Figures of quality against their definitions."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from gwtransfer.measure import rank_correlation, sliced_w2


@pytest.mark.parametrize("ties", [False, True])
def test_rank_correlation_is_spearmans(ties):
    """It is scipy's, with ties or without; monotone changes leave it, reversal turns its sign."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200)
    y = x + rng.standard_normal(200)
    if ties:
        x, y = x.round(), y.round()
    value = rank_correlation(x, y)
    assert value == pytest.approx(spearmanr(x, y).statistic, rel=1e-12)
    assert rank_correlation(np.exp(x), y**3) == pytest.approx(value, rel=1e-12)
    assert rank_correlation(-x, y) == pytest.approx(-value, rel=1e-12)
    assert rank_correlation(x, x) == pytest.approx(1, rel=1e-12)


def test_a_constant_has_no_rank():
    """Nothing to order gives NaN."""
    assert math.isnan(rank_correlation(np.ones(5), np.arange(5.0)))


def test_sliced_w2_is_a_distance_of_laws():
    """Zero between a set and its permutation, symmetric, and |t| for a shift by t in 1-D."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, 3))
    y = rng.standard_normal((300, 3)) + 1
    assert sliced_w2(x, rng.permutation(x)) <= 1e-12
    assert sliced_w2(x, y) == pytest.approx(sliced_w2(y, x), rel=1e-12)
    line = rng.standard_normal((100, 1))
    assert sliced_w2(line, line + 2.5) == pytest.approx(2.5, rel=1e-12)
    assert sliced_w2(3 * x, 3 * y) == pytest.approx(3 * sliced_w2(x, y), rel=1e-12)


def test_a_shift_is_seen_by_the_average_direction():
    """In d dimensions a shift by t costs |t|/√d, within the error of the directions drawn."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((50, 3))
    shift = np.array([1.0, 2.0, -2.0])
    # ⟨u, t⟩² has mean |t|²/3 and relative deviation √0.8; 4000 directions: 1.4 %, five of them 7 %.
    value = sliced_w2(x, x + shift, directions=4000)
    assert value**2 == pytest.approx(3.0, rel=0.07)


def test_sets_of_different_sizes_compare_by_quantiles():
    """Repeating every point changes the law not at all, and sliced W2 little."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 2))
    y = x + 1.0
    doubled = np.repeat(y, 2, axis=0)
    assert sliced_w2(x, doubled) == pytest.approx(sliced_w2(x, y), rel=0.01)
