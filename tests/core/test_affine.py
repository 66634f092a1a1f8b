"""Maps: affine pieces, conditional means, random draws, and the nearest real point."""

import numpy as np
import ot.gmm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from gwtransfer.core.affine import pair_maps, shrinkage
from gwtransfer.core.draws import uniforms
from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.maps import NearestMap, mean_map, rand_map
from gwtransfer.core.nearest import nearest
from gwtransfer.core.types import GaussianMixture, Space

from .strategies import (
    ROUNDING,
    SINGULAR,
    covariances,
    drawn,
    product_plan,
    random_mixture,
    seeds,
    stiefel,
)

SHAPES = [(2, 2), (3, 2), (2, 3), (5, 3), (3, 5)]
shapes = st.sampled_from(SHAPES)


def plan_of(rng, shape, *, tilted=False, count=3, rank=None, **fields):
    """Return a plan between random mixtures of dimensions (m, n) and K = 3, L = 2."""
    m, n = shape
    source = random_mixture(rng, count, m, rank=rank, **fields)
    target = random_mixture(rng, 2, n)
    large, small = max(shape), min(shape)
    tilt = None
    if tilted:
        tilt = 0.5 * np.outer(rng.standard_normal(large), rng.standard_normal(small))
    return product_plan(source, target, embedding=stiefel(rng, large, small), tilt=tilt)


def down_of(plan):
    """Return the matrix from source vectors to the target's space."""
    matrix = plan.embedding if plan.tilt is None else plan.embedding + plan.tilt
    return matrix.T if plan.source.dimension >= plan.target.dimension else matrix


def naive_mean(plan, points):
    """Return Σ_k r_k(x) Σ_l (w_kl/a_k) (n_l + A_kl Qᵀ H_k (x − m_k)), one pair at a time."""
    source, target, down = plan.source, plan.target, down_of(plan)
    shares = source.densities.shares(points)
    total = np.zeros((len(points), target.dimension))
    for k in range(source.count):
        keep = np.eye(source.dimension)
        if source.noise is not None:
            keep = shrinkage(source.covariances[k : k + 1], source.noise)[0]
        for l in range(target.count):
            seen = down @ source.covariances[k] @ down.T
            linear = optimal_linear(seen, target.covariances[l]) @ down @ keep
            images = (points - source.means[k]) @ linear.T + target.means[l]
            share = plan.coupling[k, l] / source.weights[k]
            total += shares[:, k : k + 1] * share * images
    return total


@given(seeds, shapes, st.booleans(), st.booleans())
def test_the_mean_map_is_the_double_sum(seed, shape, tilted, noisy):
    """T_mean collapsed to K pieces equals the sum over K·L pairs, for m > n, m = n and m < n."""
    rng = np.random.default_rng(seed)
    noise = 0.02 * np.eye(shape[0]) if noisy else None
    plan = plan_of(rng, shape, tilted=tilted, noise=noise)
    points = drawn(plan.source, rng, 20)
    np.testing.assert_allclose(mean_map(plan)(points), naive_mean(plan, points), atol=1e-10)


def test_maps_speak_raw_coordinates():
    """The same mixtures in other working coordinates give the same map of raw points."""
    rng = np.random.default_rng(0)
    plan = plan_of(rng, (3, 2))
    points = drawn(plan.source, rng, 30)
    spaces = [
        Space(origin=rng.standard_normal(d), axes=stiefel(rng, d, d), unit=unit)
        for d, unit in ((3, 2.0), (2, 2.0))
    ]
    # An embedding P of raw coordinates reads axesᵀ P axes where both units agree.
    there = product_plan(
        plan.source.in_space(spaces[0]),
        plan.target.in_space(spaces[1]),
        embedding=spaces[0].axes.T @ plan.embedding @ spaces[1].axes,
    )
    np.testing.assert_allclose(mean_map(there)(points), mean_map(plan)(points), atol=1e-10)
    np.testing.assert_allclose(rand_map(there)(points), rand_map(plan)(points), atol=1e-10)


def test_the_mean_map_equals_pot():
    """T_mean in one space is POT's barycentric mixture map."""
    rng = np.random.default_rng(1)
    source, target = random_mixture(rng, 4, 3), random_mixture(rng, 3, 3)
    points = drawn(source, rng, 50)
    arrays = [
        getattr(side, field)
        for field in ("means", "covariances", "weights")
        for side in (source, target)
    ]
    coupling = ot.gmm.gmm_ot_plan(*arrays)
    ours = mean_map(product_plan(source, target, coupling=coupling))(points)
    theirs = ot.gmm.gmm_ot_apply_map(points, *arrays, plan=coupling, method="bary")
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_the_mean_map_is_the_average_of_the_random_map(shape):
    """Over many seeds T_rand(x) averages to T_mean(x), within five standard errors."""
    rng = np.random.default_rng(2)
    plan = plan_of(rng, shape)
    points = drawn(plan.source, rng, 6)
    seeds_tried = 3000
    index = np.arange(6)
    one = rand_map(plan)
    images = np.stack(
        [
            type(one)(mixture=one.mixture, pairs=one.pairs, space=one.space, seed=seed)(
                points, index
            )
            for seed in range(seeds_tried)
        ]
    )
    error = images.std(axis=0) / np.sqrt(seeds_tried)
    gap = np.abs(images.mean(axis=0) - mean_map(plan)(points))
    assert (gap <= 5 * error + ROUNDING).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tilted", [False, True])
def test_the_random_map_pushes_source_on_target(shape, tilted):
    """T_rand of an exact mixture has the target's mean and covariance, residual drawn for m < n."""
    rng = np.random.default_rng(3)
    plan = plan_of(rng, shape, tilted=tilted)
    count = 60_000
    images = rand_map(plan)(drawn(plan.source, rng, count))
    target = plan.target
    error = images.std(axis=0) / np.sqrt(count)
    assert (np.abs(images.mean(axis=0) - target.mean) <= 5 * error).all()
    centred = images - target.mean
    products = centred[:, :, None] * centred[:, None]
    error = products.std(axis=0) / np.sqrt(count)
    assert (np.abs(products.mean(axis=0) - target.covariance) <= 5 * error).all()


@pytest.mark.parametrize("shape", SHAPES)
@given(seed=seeds, tilted=st.booleans())
def test_every_pair_pushes_its_component_on_its_target(shape, seed, tilted):
    """B Σ_k Bᵀ plus the residual is S_l; the residual is PSD and of rank n − m."""
    rng = np.random.default_rng(seed)
    plan = plan_of(rng, shape, tilted=tilted)
    pairs = pair_maps(plan)
    assert (pairs.residual is None) == (shape[0] >= shape[1])
    for q, (k, l) in enumerate(zip(pairs.source_index, pairs.target_index, strict=True)):
        pushed = pairs.linear[q] @ plan.source.covariances[k] @ pairs.linear[q].T
        if pairs.residual is not None:
            values = np.linalg.eigvalsh(pairs.residual[q])
            assert values.min() >= -SINGULAR
            assert (values > 1e-6).sum() == shape[1] - shape[0]
            pushed = pushed + pairs.residual[q]
        np.testing.assert_allclose(pushed, plan.target.covariances[l], atol=SINGULAR)
        np.testing.assert_array_equal(pairs.image[q], plan.target.means[l])
    totals = np.bincount(pairs.source_index, pairs.share)
    np.testing.assert_allclose(totals, 1, rtol=ROUNDING)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_the_random_map_does_not_know_its_blocks(shape):
    """A point's image depends on the seed and its place alone; GEMMs may differ in last bits."""
    rng = np.random.default_rng(4)
    plan = plan_of(rng, shape)
    mapping = rand_map(plan)
    points = drawn(plan.source, rng, 101)
    index = np.cumsum(rng.integers(1, 5, 101)) + 1000
    whole = mapping(points, index)
    assert np.abs(whole[1:] - whole[:-1]).max() > 0.1
    for cuts in ([1], [50], [3, 4, 99], list(range(1, 101))):
        parts = np.split(points, cuts), np.split(index, cuts)
        images = np.concatenate([mapping(p, i) for p, i in zip(*parts, strict=True)])
        # Another component would move a point by a distance between means, about 1.
        np.testing.assert_allclose(images, whole, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(mapping(points, index), whole)
    assert mapping(points[:0], index[:0]).shape == (0, shape[1])


def test_places_count_from_zero_when_none_are_given():
    """Without an index the points are places 0 … N − 1, and another seed gives other images."""
    rng = np.random.default_rng(5)
    plan = plan_of(rng, (2, 2))
    points = drawn(plan.source, rng, 40)
    images = rand_map(plan)(points)
    np.testing.assert_array_equal(images, rand_map(plan)(points, np.arange(40)))
    other = plan_of(np.random.default_rng(5), (2, 2), seed=1)
    assert np.abs(rand_map(other)(points) - images).max() > 0.1


def test_the_random_map_draws_components_by_their_shares():
    """At one point, the frequency of each pair is r_k(x) w_kl / a_k, within five deviations."""
    rng = np.random.default_rng(6)
    plan = plan_of(rng, (2, 2))
    source, target = plan.source, plan.target
    count = 40_000
    point = source.mean[None]
    images = rand_map(plan)(np.repeat(point, count, axis=0))
    shares = source.densities.shares(point)[0]
    pairs = pair_maps(plan)
    for q, (k, l) in enumerate(zip(pairs.source_index, pairs.target_index, strict=True)):
        expected = shares[k] * plan.coupling[k, l] / source.weights[k]
        image = (point[0] - source.means[k]) @ pairs.linear[q].T + target.means[l]
        frequency = (np.abs(images - image).max(axis=1) < 1e-9).mean()
        deviation = np.sqrt(expected * (1 - expected) / count)
        assert abs(frequency - expected) <= 5 * deviation + 1e-9


@given(st.integers(0, 2**40), st.lists(st.integers(1, 9), min_size=1, max_size=30), seeds)
def test_uniforms_do_not_know_their_neighbours(first, steps, seed):
    """The draw of a place is the same alone and among others, bit by bit."""
    index = first + np.cumsum(steps)
    together = uniforms(seed, 3, index)
    alone = np.concatenate([uniforms(seed, 3, index[i : i + 1]) for i in range(len(index))])
    np.testing.assert_array_equal(together, alone)
    assert ((together >= 0) & (together < 1)).all()


def test_uniforms_are_uniform_and_streams_independent():
    """Each stream passes Kolmogorov–Smirnov at 1 %, and two streams do not correlate."""
    index = np.arange(7, 20_007)
    draws = [uniforms(seed, stream, index) for seed, stream in ((0, 0), (0, 1), (1, 0))]
    for one in draws:
        assert kstest(one, "uniform").pvalue > 0.01
    bound = 5 / np.sqrt(len(index))
    assert np.abs(np.corrcoef(draws) - np.eye(3)).max() < bound
    assert np.abs(np.corrcoef(draws[0][1:], draws[0][:-1])[0, 1]) < bound


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rank", [None, 1, 0])
def test_outliers_and_flat_components_get_finite_images(shape, rank):
    """A point a million units away has an image, and so have those of flat components."""
    rng = np.random.default_rng(7)
    plan = plan_of(rng, shape, rank=rank)
    points = np.vstack([plan.source.means, 1e6 * rng.standard_normal((5, shape[0]))])
    for mapping in (mean_map(plan), rand_map(plan)):
        assert np.isfinite(mapping(points)).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cap", [0.3, 1.0])
@pytest.mark.parametrize("noisy", [False, True])
def test_the_gain_cap_bounds_every_piece(shape, cap, noisy):
    """|B_k| <= cap for the mean map, |B_kl| for every pair, while T_k(m_k) stays where it was."""
    rng = np.random.default_rng(8)
    noise = 0.02 * np.eye(shape[0]) if noisy else None
    plan = plan_of(rng, shape, tilted=True, noise=noise)
    free, capped = mean_map(plan), mean_map(plan, gain_cap=cap)
    assert free.gains().max() > cap  # the cap has something to do
    assert capped.gains().max() <= cap * (1 + ROUNDING)
    gains = np.linalg.norm(pair_maps(plan, gain_cap=cap).linear, ord=2, axis=(1, 2))
    assert gains.max() == pytest.approx(cap, rel=ROUNDING)
    for mapping in (free, capped):
        centre = np.einsum("knm,km->kn", mapping.linear, plan.source.means) + mapping.offset
        expected = plan.coupling @ plan.target.means / plan.source.weights[:, None]
        np.testing.assert_allclose(centre, expected, atol=ROUNDING * 10)
    loose = mean_map(plan, gain_cap=1e9)
    np.testing.assert_allclose(loose.linear, free.linear, atol=ROUNDING * 10)


@given(covariances(3), covariances(3, singular=True), st.floats(1e-3, 10))
def test_shrinkage_keeps_a_share_in_every_direction(covariance, noise, unit):
    """The eigenvalues of H are in [0, 1] whatever the noise."""
    shrunk = shrinkage(covariance[None], unit * noise)[0]
    values = np.linalg.eigvals(shrunk)
    condition = np.linalg.cond(covariance)
    tolerance = ROUNDING * 10 * np.sqrt(condition)
    assert np.abs(values.imag).max() <= tolerance
    assert values.real.min() >= -tolerance
    assert values.real.max() <= 1 + tolerance


@given(covariances(3), covariances(3, singular=True))
def test_shrinkage_is_the_posterior_mean(signal, noise):
    """Where Σ = signal + noise, H = I − N Σ⁻¹; without noise it is the identity."""
    total = signal + noise
    tolerance = ROUNDING * 10 * np.linalg.cond(total)
    expected = np.eye(3) - noise @ np.linalg.inv(total)
    np.testing.assert_allclose(shrinkage(total[None], noise)[0], expected, atol=tolerance)
    none = shrinkage(total[None], np.zeros((3, 3)))[0]
    np.testing.assert_allclose(none, np.eye(3), atol=tolerance)


def test_noise_beyond_the_signal_leaves_the_mean_only():
    """Where noise exceeds the variance in every direction, H = 0 and a piece is constant."""
    rng = np.random.default_rng(9)
    plan = plan_of(rng, (3, 2), noise=10 * np.eye(3))
    np.testing.assert_allclose(mean_map(plan).linear, 0, atol=ROUNDING)
    centre = mean_map(plan).offset
    expected = plan.coupling @ plan.target.means / plan.source.weights[:, None]
    np.testing.assert_allclose(centre, expected, atol=ROUNDING)


@pytest.mark.parametrize("dimension", [1, 3, 12])
@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_nearest_is_brute_force(dimension, offset):
    """The index and distance are those of all pairs, wherever the origin is."""
    rng = np.random.default_rng(10)
    points, candidates = (offset + rng.standard_normal((c, dimension)) for c in (300, 500))
    index, distances = nearest(points, candidates)
    gaps = np.linalg.norm(points[:, None] - candidates[None], axis=-1)
    # An offset of 1e7 leaves coordinates good to 2e-9.
    np.testing.assert_allclose(gaps[np.arange(300), index], gaps.min(axis=1), atol=1e-8)
    np.testing.assert_allclose(distances, gaps.min(axis=1), atol=1e-8)


def test_nearest_in_blocks():
    """More pairs than one block holds give what one block would."""
    rng = np.random.default_rng(11)
    points, candidates = rng.standard_normal((5000, 12)), rng.standard_normal((2000, 12))
    index, _ = nearest(points, candidates)
    last = np.linalg.norm(points[4000:, None] - candidates[None, :], axis=-1)
    np.testing.assert_array_equal(index[4000:], last.argmin(axis=1))


def test_the_nearest_map_returns_candidates():
    """Every image is one of the candidates, the nearest one to the mean map's image."""
    rng = np.random.default_rng(12)
    plan = plan_of(rng, (3, 2))
    candidates = drawn(plan.target, rng, 50)
    points = drawn(plan.source, rng, 40)
    mapping = NearestMap(mean=mean_map(plan), candidates=candidates)
    images = mapping(points)
    index, distances = mapping.match(points)
    np.testing.assert_array_equal(images, candidates[index])
    gaps = np.linalg.norm(mean_map(plan)(points)[:, None] - candidates[None], axis=-1)
    np.testing.assert_array_equal(index, gaps.argmin(axis=1))
    np.testing.assert_allclose(distances, gaps.min(axis=1), atol=ROUNDING)


def test_one_component_each_is_the_monge_map():
    """K = L = 1 in one space: T(x) = n + A (x − m), whatever the point."""
    rng = np.random.default_rng(13)
    covariance0, covariance1 = np.diag([1.0, 4.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    sides = [
        GaussianMixture(weights=[1], means=[mean], covariances=[cov], space=Space.raw(2))
        for mean, cov in (([1, 2], covariance0), ([-3, 0], covariance1))
    ]
    points = 100 * rng.standard_normal((10, 2))
    expected = (points - [1, 2]) @ optimal_linear(covariance0, covariance1) + [-3, 0]
    np.testing.assert_allclose(mean_map(product_plan(*sides))(points), expected, atol=1e-10)
    np.testing.assert_allclose(rand_map(product_plan(*sides))(points), expected, atol=1e-10)
