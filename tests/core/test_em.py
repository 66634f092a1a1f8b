"""Expectation–maximisation by sums: the same as the textbook's, however the points are split."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Textbook

from gwtransfer.core import em, kernels
from gwtransfer.core.densities import Densities, with_ones
from gwtransfer.core.em import Statistics, ascend, hard_statistics, maximised, statistics
from gwtransfer.core.pixels import Pixels, summed
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Space

FLOOR = 1e-4


def points_of(dimension: int, count: int = 3000, seed: int = 0) -> np.ndarray:
    """Return points around a few centres, of unit variance together."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, dimension))
    mixing = rng.normal(size=(6, dimension, dimension)) * 0.3 / np.sqrt(dimension)
    chosen = rng.integers(6, size=count)
    points = centres[chosen] + np.einsum(
        "npq,nq->np", mixing[chosen], rng.normal(size=(count, dimension))
    )
    points -= points.mean(axis=0)
    return points / np.sqrt(points.var(axis=0).sum())


def started(points: np.ndarray, count: int = 6) -> em.Mixture:
    """Return a mixture of points that belong where a random hyperplane fan puts them."""
    labels = np.random.default_rng(1).integers(count, size=len(points))
    return maximised(hard_statistics(points, labels, count), FLOOR)


@pytest.mark.parametrize("dimension", [1, 3, 15, em.WIDE, em.WIDE + 1])
def test_an_iteration_is_the_textbooks(dimension: int) -> None:
    """Likelihood, weights, means and covariances of one step, to 1e-9, by features or without."""
    points = points_of(dimension)
    mixture = started(points)
    found = statistics(points, None, Densities.of(*mixture))
    weights, means, covariances = maximised(found, FLOOR)
    model = Textbook(
        6, weights_init=mixture[0], means_init=mixture[1],
        precisions_init=np.linalg.inv(mixture[2]), reg_covar=FLOOR, max_iter=1, tol=0,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="did not converge"):
        model.fit(points)
    assert found.log_likelihood / len(points) == pytest.approx(model.lower_bounds_[0], rel=1e-9)
    np.testing.assert_allclose(weights, model.weights_, rtol=1e-9)
    np.testing.assert_allclose(means, model.means_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(covariances, model.covariances_, rtol=0, atol=1e-9)


def test_parts_add_up() -> None:
    """Statistics of any split have the sum of the whole; a weight of two is a point twice."""
    points = points_of(4)
    densities = Densities.of(*started(points))
    whole = statistics(points, None, densities)
    parts = summed(statistics(part, None, densities) for part in np.array_split(points, 7))
    np.testing.assert_allclose(parts.sums, whole.sums, rtol=1e-12, atol=1e-12)
    twice = statistics(np.concatenate([points, points[:500]]), None, densities)
    weights = np.ones(len(points))
    weights[:500] = 2
    weighted = statistics(points, weights, densities)
    np.testing.assert_allclose(weighted.sums, twice.sums, rtol=1e-12, atol=1e-12)
    assert weighted.log_likelihood == pytest.approx(twice.log_likelihood, rel=1e-12)


def test_no_points_add_nothing() -> None:
    """A block without a valid pixel is a zero."""
    densities = Densities.of(*started(points_of(3)))
    nothing = statistics(np.empty((0, 3)), None, densities)
    assert nothing.log_likelihood == 0
    assert not nothing.sums.any()


@pytest.mark.parametrize("dimension", [2, em.WIDE + 2])
def test_the_likelihood_rises(dimension: int) -> None:
    """At every step, up to what the floor takes."""
    points = points_of(dimension, 1500)
    ascent = ascend(
        lambda densities: statistics(points, None, densities),
        started(points, 4), floor=1e-9, most=12, tolerance=0,
    )  # fmt: skip
    assert len(ascent.history) == 12
    assert not ascent.converged
    assert (np.diff(ascent.history) > -1e-6).all()


def test_points_in_one_place_have_the_floor() -> None:
    """A component of equal points keeps the floor as its variance, at any scale of the data."""
    for scale in (1e-6, 1.0, 1e6):
        points = points_of(2, 400) * scale
        points[:200] = points[0]
        labels = np.repeat([0, 1], 200)
        floor = FLOOR * points.var(axis=0).sum()
        mixture = maximised(hard_statistics(points, labels, 2), floor)
        np.testing.assert_allclose(mixture[2][0], floor * np.eye(2), rtol=1e-6, atol=floor * 1e-9)
        again = maximised(statistics(points, None, Densities.of(*mixture)), floor)
        assert np.isfinite(again[1]).all()


def test_a_far_point_belongs_to_the_least_far_component() -> None:
    """No share is lost where every density underflows."""
    densities = Densities.of(*started(points_of(3)))
    far = statistics(np.full((1, 3), 1e6), None, densities)
    assert far.sums[-1].sum() == pytest.approx(1, abs=1e-12)


def test_coefficients_give_the_log_densities() -> None:
    """The product with quadratic features is what whitening gives."""
    points = points_of(5, 50)
    densities = Densities.of(*started(points_of(5)))
    block = with_ones(points)
    by_features = densities.coefficients @ kernels.quadratic_features(np, block)
    np.testing.assert_allclose(
        by_features, kernels.log_densities(np, block, *densities.arrays), rtol=0, atol=1e-9
    )


def picture(values: np.ndarray, weight: np.ndarray | None = None) -> Raster:
    """Return an array (r, c, b) as a cube that is read in blocks of two rows."""
    rows, columns, bands = values.shape

    def read(start: int, stop: int) -> Rows:
        part = None if weight is None else weight[start:stop]
        return Rows(values=values[start:stop], weight=part)

    return Raster(
        name="cube", rows=rows, columns=columns, bands=bands, read=read, kind="cube",
        dtype="float64", reads=10**6,
    )  # fmt: skip


def test_a_raster_is_the_sum_of_its_blocks() -> None:
    """Holes count nothing, weights count as they say, in one pass over many blocks."""
    rng = np.random.default_rng(3)
    values = points_of(3, 40 * 30).reshape(40, 30, 3)
    weight = rng.random((40, 30))
    values[7, 3:9] = np.nan
    raster = picture(values, weight)
    assert len(raster.ranges()) > 10
    pixels = Pixels(raster=raster, space=Space.raw(3))
    flat, valid = values.reshape(-1, 3), np.isfinite(values).all(axis=2).ravel()
    densities = Densities.of(*started(flat[valid]))
    found = pixels.statistics(densities)
    expected = statistics(flat[valid], weight.ravel()[valid], densities)
    assert isinstance(found, Statistics)
    np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-12, atol=1e-12)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
