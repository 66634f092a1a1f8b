"""Figures of quality against their definitions."""

import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import pearsonr, spearmanr

from gwtransfer.measure import (
    correlation,
    edges,
    gradients,
    local_similarity,
    mixed_differences,
    neighbour_distances,
    noise_deviation,
    noise_distance,
    noise_gain,
    rank_correlation,
    sliced_w2,
)


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
    """Repeating every point changes neither the law nor sliced W2."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 2))
    y = x + 1.0
    doubled = np.repeat(y, 2, axis=0)
    assert sliced_w2(x, doubled) == pytest.approx(sliced_w2(x, y), rel=1e-12)


def test_correlation_is_pearsons():
    """It is scipy's; scale and offset leave it, a turned sign turns it, a constant has none."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal(300)
    y = x + rng.standard_normal(300)
    value = correlation(x, y)
    assert value == pytest.approx(pearsonr(x, y).statistic, rel=1e-12)
    assert correlation(1e200 * x, 5 - 3 * y) == pytest.approx(-value, rel=1e-9)
    assert correlation(x, x) == pytest.approx(1, rel=1e-12)
    assert math.isnan(correlation(np.full(7, 0.1), x[:7]))
    assert math.isnan(correlation(x[:0], y[:0]))
    assert math.isnan(rank_correlation(x[:0], y[:0]))


def test_sliced_w2_is_exact_in_one_dimension():
    """It is scipy's 1-D transport of unequal sets, squared costs and all."""
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal(7), rng.standard_normal(5) + 1
    costs = (x[:, None] - y[None]) ** 2
    rows = np.kron(np.eye(7), np.ones(5)), np.kron(np.ones(7), np.eye(5))
    sums = np.concatenate([np.full(7, 1 / 7), np.full(5, 1 / 5)])
    least = linprog(costs.ravel(), A_eq=np.concatenate(rows), b_eq=sums).fun
    assert sliced_w2(x[:, None], y[:, None]) == pytest.approx(math.sqrt(least), rel=1e-9)


VALID = np.ones((4, 5), dtype=bool)


def test_neighbours_are_right_and_below():
    """A ramp of a in rows and b in columns differs by |b| to the right and |a| below."""
    i, j = np.mgrid[0:4, 0:5].astype(float)
    ramp = 3 * i - 2 * j
    np.testing.assert_array_equal(gradients(ramp, VALID), np.repeat([-2.0, 3.0], [16, 15]))
    both = neighbour_distances(np.stack([ramp, ramp], axis=-1), VALID)
    np.testing.assert_allclose(both, np.sqrt(2) * np.repeat([2, 3], [16, 15]), rtol=1e-14)
    holed = VALID.copy()
    holed[1, 2] = False  # has four neighbours
    assert len(gradients(ramp, holed)) == len(neighbour_distances(ramp[..., None], holed)) == 27


def test_edges_are_counted_on_their_own_side():
    """Kept is the visible share of the source's edges, made that of its flat places."""
    before, after = np.array([5.0, 5.0, 5.0, 5.0, 1.0, 1.0]), np.array([9, 9, 9, 0.0, 0, 9])
    assert edges(before, after, threshold=2, visible=1) == (0.75, 0.5)
    assert edges(before, before, threshold=1, visible=1) == (1.0, 0.0)
    assert edges(before, 0 * after, threshold=2, visible=1) == (0.0, 0.0)
    kept, made = edges(before, after, threshold=9, visible=1)
    assert math.isnan(kept)
    assert made == pytest.approx(4 / 6)
    assert math.isnan(edges(before, after, threshold=0, visible=1)[1])


def test_noise_is_what_was_added():
    """White noise of deviation s in each of b bands is s√b; ramps, offsets and holes add none."""
    rng = np.random.default_rng(6)
    i, j = np.mgrid[0:200, 0:150].astype(float)
    ramp = np.stack([i + 2 * j, 7 - 3 * i], axis=-1)
    valid = np.ones(i.shape, dtype=bool)
    assert noise_deviation(mixed_differences(ramp, valid, most=10**6)) == 0
    noisy = ramp + rng.normal(0, 0.3, ramp.shape)
    valid[50] = False
    noisy[50] = 1e6
    found = noise_deviation(mixed_differences(noisy, valid, most=10**6))
    assert found == pytest.approx(0.3 * math.sqrt(2), rel=0.03)
    some = mixed_differences(noisy, valid, most=1000)
    assert 500 < len(some) <= 1000
    assert math.isnan(noise_deviation(mixed_differences(ramp, valid & False, most=9)))


@pytest.mark.parametrize(("bands", "expected"), [(1, 2.10 * 2), (400, (1 + 3 / 28.3) * 40)])
def test_noise_distance_bounds_what_noise_does(bands, expected):
    """For deviation √2 it is 2.10 · 2 in one band and (1 + 3/√800) · 2√bands in many.

    A tenth of wild pixels raises it little; hardly a pair of mere noise is farther apart.
    """
    rng = np.random.default_rng(9)
    mixed = 2 * np.sqrt(2) * rng.standard_normal((20_000, bands))
    found = noise_distance(mixed, beyond=3)
    assert found == pytest.approx(expected, rel=0.03)
    pairs = np.linalg.norm(2 * rng.standard_normal((5000, bands)), axis=1)
    assert (pairs > found).mean() < (0.05 if bands == 1 else 0.005)
    mixed[::10] *= 100
    assert noise_distance(mixed, beyond=3) == pytest.approx(found, rel=0.2)
    assert noise_distance(mixed[:0], beyond=3) == 0


def test_noise_gain_is_a_ratio_of_ratios():
    """Noise and spread grown alike gain 1; without noise before there is no gain to speak of."""
    assert noise_gain((0.1, 0.3), (2.0, 6.0)) == pytest.approx(1)
    assert noise_gain((0.1, 0.2), (2.0, 2.0)) == pytest.approx(2)
    assert noise_gain((0.1, 0.0), (2.0, 2.0)) == 0
    for noise, spread in (((0.0, 1.0), (1, 1)), ((1.0, 1.0), (0, 1)), ((1.0, 1.0), (1, 0))):
        assert math.isnan(noise_gain(noise, spread))


def plain_ssim(x, y, span):
    """Return SSIM at the centre of an 11 × 11 window, from its definition."""
    place = np.arange(-5, 6)
    window = np.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    window /= window.sum()
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    variance_x, variance_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    covariance = (window * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return light * (2 * covariance + c2) / (variance_x + variance_y + c2)


def test_ssim_is_wangs():
    """Every whole window has the value of the definition; a hole takes its windows away."""
    rng = np.random.default_rng(7)
    x = rng.random((16, 14))
    y = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1)
    valid = np.ones(x.shape, dtype=bool)
    found = local_similarity(x, y, valid, span=1).reshape(6, 4)
    for i in range(6):
        for j in range(4):
            slow = plain_ssim(x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11], 1)
            assert found[i, j] == pytest.approx(slow, rel=1e-9)
    np.testing.assert_allclose(local_similarity(x, x, valid, span=1), 1, rtol=1e-12)
    valid[0, 0], x[0, 0] = False, np.nan
    np.testing.assert_allclose(local_similarity(x, y, valid, span=1), found.ravel()[1:], rtol=1e-9)
    valid[8, 7] = False
    assert local_similarity(x, y, valid, span=1).size == 0


def test_ssim_of_a_shift_and_of_a_negative():
    """A gray shift leaves only the term of light; a negative has a negative value."""
    rng = np.random.default_rng(8)
    flat = np.full((11, 11), 0.2)
    valid = np.ones(flat.shape, dtype=bool)
    (value,) = local_similarity(flat, flat + 0.4, valid, span=1)
    assert value == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4), rel=1e-12)
    wild = rng.random((11, 11))
    (value,) = local_similarity(wild, 1 - wild, valid, span=1)
    assert -1 <= value < -0.8
