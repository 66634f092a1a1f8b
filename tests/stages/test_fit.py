"""Expectation–maximisation: what it recovers and what it refuses."""

import numpy as np
import pytest
from tests.core.strategies import drawn, random_mixture

from gwtransfer.core.densities import Densities
from gwtransfer.core.em import maximised, statistics
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import GaussianMixture, Prepared, Space
from gwtransfer.errors import DataError, UsageError
from gwtransfer.fit.gmm import Gmm
from gwtransfer.prepare.color import Color


def test_a_well_separated_mixture_is_recovered():
    """Weights, means and covariances come out within five standard errors."""
    rng = np.random.default_rng(0)
    truth = random_mixture(rng, 3, 2)
    means = np.array([[0.0, 0], [20, 0], [0, 20]])
    truth = GaussianMixture(
        weights=[0.5, 0.3, 0.2], means=means, covariances=truth.covariances, space=Space.raw(2)
    )
    count = 20_000
    weights, found, covariances = Gmm(components=3, floor=0.0)(drawn(truth, rng, count), seed=0)
    order = np.linalg.norm(found[:, None] - means, axis=-1).argmin(axis=0)
    assert sorted(order) == [0, 1, 2]
    a = truth.weights
    assert (np.abs(weights[order] - a) <= 5 * np.sqrt(a * (1 - a) / count)).all()
    own = np.diagonal(truth.covariances, axis1=1, axis2=2)
    error = np.sqrt(own / (a * count)[:, None])
    assert (np.abs(found[order] - means) <= 5 * error).all()
    spread = own[:, :, None] * own[:, None] + truth.covariances**2
    error = np.sqrt(spread / (a * count)[:, None, None])
    assert (np.abs(covariances[order] - truth.covariances) <= 5 * error).all()


@pytest.mark.parametrize("floor", [1e-4, 1e-2])
def test_clipped_pixels_do_not_collapse_a_component(floor):
    """A third of the points in one place: every variance is still at least the floor."""
    rng = np.random.default_rng(1)
    points = rng.random((3000, 3))
    points[:1000] = 1.0
    _, _, covariances = Gmm(components=4, floor=floor)(points, seed=0)
    least = floor * points.var(axis=0).sum()
    assert np.linalg.eigvalsh(covariances).min() >= least * (1 - 1e-9)
    assert np.linalg.eigvalsh(covariances).min() <= least * 1.1  # the clipped ones are at it


def test_a_fit_is_a_mixture_and_keeps_the_moments():
    """EM's total mean is the sample's, its covariance the sample's plus the floor."""
    rng = np.random.default_rng(2)
    points = rng.standard_normal((2000, 3)) @ np.diag([1, 2, 0.5])
    floor = 1e-3
    weights, means, covariances = Gmm(components=5, floor=floor)(points, seed=0)
    mixture = GaussianMixture(
        weights=weights, means=means, covariances=covariances, space=Space.raw(3)
    )
    np.testing.assert_allclose(mixture.mean, points.mean(axis=0), atol=1e-9)
    total = np.cov(points.T, bias=True)
    np.testing.assert_allclose(
        mixture.covariance, total + floor * np.trace(total) * np.eye(3), atol=1e-9
    )
    np.testing.assert_array_equal(covariances, np.swapaxes(covariances, 1, 2))


def test_the_same_seed_gives_the_same_fit():
    """Two fits of one seed agree bit by bit; those of two seeds need not."""
    points = np.random.default_rng(3).standard_normal((1000, 2))
    one, two, other = (Gmm(components=6)(points, seed=seed) for seed in (0, 0, 1))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.allclose(one[1], other[1])


@pytest.mark.parametrize("distinct", [1, 8, 40])
def test_unless_told_as_many_components_as_there_can_be(distinct):
    """Fifteen, or one for each distinct point where these are fewer."""
    rng = np.random.default_rng(1)
    points = np.repeat(rng.normal(size=(distinct, 3)), 20, axis=0)
    weights, _, _ = Gmm()(points, seed=0)
    assert len(weights) == min(15, distinct)
    if distinct <= 15:
        assert abs(weights - 1 / distinct).max() < 1e-6


@pytest.mark.parametrize(("distinct", "components"), [(3, 5), (1, 2)])
def test_too_few_distinct_points(distinct, components):
    """Fewer distinct points than components is an error with both numbers and the remedy."""
    points = np.repeat(np.arange(float(distinct))[:, None], 50, axis=0)
    words = f"found {distinct} for {components}; use --components {distinct} or fewer"
    with pytest.raises(DataError, match=words):
        Gmm(components=components)(points, seed=0)
    weights, _, _ = Gmm(components=distinct)(points, seed=0)
    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_a_short_fit_is_no_warning():
    """A fit that runs out of iterations is still a mixture, and says nothing on the way."""
    points = np.random.default_rng(4).standard_normal((500, 2))
    weights, _, _ = Gmm(components=8, iterations=1)(points, seed=0)
    assert len(weights) == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"components": 0}, "option components: expected at least 1, got 0"),
        ({"iterations": 0}, "option iterations: expected at least 1, got 0"),
        ({"passes": -1}, "option passes: expected at least 0, got -1"),
        ({"accuracy": 0.0}, "option accuracy: expected nats above 0 and up to 1, got 0.0"),
        ({"accuracy": 1.5}, "option accuracy"),
        ({"floor": -0.1}, r"option floor: expected a share in \[0, 1\), got -0.1"),
        ({"floor": 1.0}, "option floor"),
        ({"floor": float("nan")}, "option floor"),
    ],
)
def test_gmm_refuses_options(options, words):
    """Every refused option is named."""
    with pytest.raises(UsageError, match=words):
        Gmm(**options)


def cube(count=60):
    """Return a cube of 60 × count pixels around four centres."""
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(4, 3)) * 2
    values = centres[rng.integers(4, size=(60, count))] + rng.normal(size=(60, count, 3)) * 0.3
    return Raster(
        name="cube", rows=60, columns=count, bands=3, kind="cube", dtype="float64", reads=200_000,
        read=lambda start, stop: Rows(values=values[start:stop]),
    )  # fmt: skip


def likelihood(prepared, mixture):
    """Return the mean log density of all pixels."""
    found = prepared.whole.statistics(Densities.of(*mixture))
    return found.log_likelihood / found.sums[-1].sum()


def test_passes_raise_the_likelihood_of_all_pixels():
    """A fit of few pixels, then over all in passes, block by block, ends as EM in memory does."""
    prepared = Color(sample=60, variance=1.0)(cube(), seed=0)
    assert len(prepared.points) == 60
    of_sample = Gmm(components=4).of_prepared(prepared, seed=0)
    once = Gmm(components=4, passes=1).of_prepared(prepared, seed=0)
    often = Gmm(components=4, passes=30).of_prepared(prepared, seed=0)
    scores = [likelihood(prepared, mixture) for mixture in (of_sample, once, often)]
    assert scores[0] < scores[1] <= scores[2] + 1e-9
    everything = prepared.whole.sample(10**6, seed=0)
    found = statistics(everything, None, Densities.of(*of_sample))
    floor = 1e-4 * prepared.points.var(axis=0).sum()
    for passed, expected in zip(once, maximised(found, floor), strict=True):
        np.testing.assert_allclose(passed, expected, rtol=0, atol=1e-12)


def test_accuracy_sizes_the_sample(monkeypatch):
    """D / 2n nats: twice the accuracy takes twice the pixels, whatever the prepared sample is."""
    seen = []
    prepared = Color(sample=60, variance=1.0)(cube(), seed=0)
    call = Gmm.__call__
    monkeypatch.setattr(
        Gmm, "__call__", lambda self, points, *, seed: seen.append(len(points)) or call(
            self, points, seed=seed
        ),
    )  # fmt: skip
    for accuracy in (0.1, 0.05, 0.01):
        Gmm(components=4, accuracy=accuracy).of_prepared(prepared, seed=0)
    assert seen == [195, 390, 1950]  # D = 4 · (1 + 3 + 6) − 1


def test_more_than_a_sample_needs_a_raster():
    """Points that come from nowhere cannot be passed over."""
    prepared = Prepared(points=np.random.default_rng(0).normal(size=(50, 2)), space=Space.raw(2))
    for options in ({"passes": 1}, {"accuracy": 0.1}):
        with pytest.raises(DataError, match="expected a picture or a cube"):
            Gmm(components=2, **options).of_prepared(prepared, seed=0)
