"""EW2 and MEW2: the bracket, its gradient, the monotone step and the alternation."""

import numpy as np
import ot.gaussian
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtransfer.core import bounds
from gwtransfer.core.coupling import exact, random_couplings
from gwtransfer.core.embedding import (
    MixtureEmbedding,
    between,
    gaussian_embedding,
    sign_embeddings,
)
from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.guide import Guide
from gwtransfer.core.points import embed_points
from gwtransfer.core.types import GaussianMixture, Space
from gwtransfer.errors import ShapeError

from .strategies import (
    ROUNDING,
    covariances,
    moved,
    naive_bracket,
    random_mixture,
    scale,
    seeds,
    stiefel,
)

shapes = st.sampled_from([(2, 2), (3, 2), (4, 3), (3, 3), (3, 1)])


def problem_of(source, target, **fields):
    sides = [side for one in (source, target) for side in (one.weights, one.means, one.covariances)]
    return MixtureEmbedding(*sides, **fields)


def two(rng, shape, counts=(4, 3), **fields):
    """Return a source and a target of dimensions (m, n)."""
    return tuple(random_mixture(rng, c, d, **fields) for c, d in zip(counts, shape, strict=True))


def guides_of(rng, shape):
    return rng.standard_normal(shape[0]), rng.standard_normal(shape[1])


@given(seeds, shapes)
def test_the_bracket(seed, shape):
    """Σ w [|m̃ − Pñ|² + tr Σ + tr S − 2|Σ^½ P S^½|_*] pair by pair, m >= n."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    embedding = stiefel(rng, *shape)
    coupling = random_couplings(rng, 1, source.weights, target.weights)[0]
    problem = problem_of(source, target)
    expected = naive_bracket(source, target, coupling, embedding)
    tolerance = ROUNDING * 100 * scale(source, target)
    assert problem.value(coupling, embedding) == pytest.approx(expected, abs=tolerance)
    assert problem.constant == pytest.approx(scale(source, target), rel=ROUNDING)


@given(seeds, shapes)
def test_guides_add_the_squared_difference_of_their_luminances(seed, shape):
    """Zero covariances: the guided cost of a pair is |m̃ − Pñ|² + (g·m̃ − h·ñ)²."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape, rank=0)
    g, h = guides_of(rng, shape)
    embedding = stiefel(rng, *shape)
    problem = problem_of(source, target, guides=(g, h))
    x, y = source.means - source.mean, target.means - target.mean
    expected = ((x[:, None] - (y @ embedding.T)[None]) ** 2).sum(-1)
    expected += ((x @ g)[:, None] - (y @ h)[None]) ** 2
    np.testing.assert_allclose(
        problem.costs(embedding[None])[0], expected, atol=ROUNDING * expected.max() * 10
    )


@given(seeds, shapes, st.booleans())
def test_the_value_leaves_the_guides_out(seed, shape, guided):
    """The value at (w, P) is the unguided objective, whatever steers the search."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    embedding = stiefel(rng, *shape)
    coupling = random_couplings(rng, 1, source.weights, target.weights)[0]
    linear = rng.random((source.count, target.count))
    problem = problem_of(
        source, target, guides=guides_of(rng, shape) if guided else None, linear=linear
    )
    plain = problem_of(source, target).value(coupling, embedding)
    assert problem.value(coupling, embedding) == pytest.approx(plain, rel=1e-10)


@given(seeds, shapes, st.booleans())
def test_the_gradient_against_finite_differences(seed, shape, guided):
    """∇_P F = −½ ∂/∂P Σ w costs, by central differences, with and without guides."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    problem = problem_of(source, target, guides=guides_of(rng, shape) if guided else None)
    coupling = random_couplings(rng, 1, source.weights, target.weights)[0]
    embedding = stiefel(rng, *shape)
    gradient = problem.gradient(coupling[None], embedding[None])[0]
    step = 1e-5
    numeric = np.zeros(shape)
    for entry in np.ndindex(*shape):
        change = np.zeros(shape)
        change[entry] = step
        costs = problem.costs(np.stack([embedding + change, embedding - change]))
        up, down = (costs * coupling).sum(axis=(1, 2))
        numeric[entry] = -(up - down) / (4 * step)
    # Central differences err by step²·(third derivative) and eps·cost/step.
    np.testing.assert_allclose(gradient, numeric, atol=1e-6 * max(1, np.abs(gradient).max()))


@given(seeds, shapes, st.booleans(), st.booleans(), st.integers(0, 3))
def test_a_step_never_lowers_f(seed, shape, guided, proper, rank):
    """P ← polar(∇F) never raises the guided cost, for rotations and singular covariances too."""
    rng = np.random.default_rng(seed)
    source, target = (
        random_mixture(rng, c, d, rank=min(rank, d)) for c, d in zip((4, 3), shape, strict=True)
    )
    proper = proper and shape[0] == shape[1]
    problem = problem_of(
        source, target, guides=guides_of(rng, shape) if guided else None, proper=proper
    )
    coupling = random_couplings(rng, 1, source.weights, target.weights)[0][None]
    embedding = problem.random_starts(rng, 1)
    slack = ROUNDING * 10 * problem.costs(embedding).max()
    last = (problem.costs(embedding) * coupling).sum()
    for _ in range(10):
        embedding = problem.step(coupling, embedding)
        gram = embedding[0].T @ embedding[0]
        np.testing.assert_allclose(gram, np.eye(shape[1]), atol=ROUNDING)
        if proper:
            assert np.linalg.det(embedding[0]) == pytest.approx(1, abs=ROUNDING)
        now = (problem.costs(embedding) * coupling).sum()
        assert now <= last + slack
        last = now


@given(seeds, shapes, st.booleans())
def test_an_alternation_never_rises(seed, shape, guided):
    """The history of every start falls, and ends at the objective of its own (w, P)."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    problem = problem_of(
        source,
        target,
        guides=guides_of(rng, shape) if guided else None,
        linear=rng.random((source.count, target.count)),
    )
    ends = problem.alternate(problem.random_starts(rng, 4), tolerance=1e-12)
    costs = problem.costs(ends.embeddings) + problem.linear
    reached = (costs * ends.couplings).sum(axis=(1, 2))
    np.testing.assert_allclose(ends.objectives, reached, rtol=1e-10)
    for history, objective in zip(ends.histories, ends.objectives, strict=True):
        assert (np.diff(history) <= 0).all()
        assert history[-1] == objective
    for coupling, cost in zip(ends.couplings, costs, strict=True):
        best = (exact(cost, source.weights, target.weights) * cost).sum()
        assert (coupling * cost).sum() <= best + 1e-10 * problem.constant


@given(seeds, shapes)
def test_moving_both_sides_moves_the_embedding_and_not_the_value(seed, shape):
    """value(w, R P Tᵀ) on the moved mixtures is value(w, P), for isometries R, T and any shifts."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    m, n = shape
    turn0, turn1 = stiefel(rng, m, m), stiefel(rng, n, n)
    embedding = stiefel(rng, m, n)
    coupling = np.outer(source.weights, target.weights)
    there = problem_of(moved(source, turn0, 5.0), moved(target, turn1, -7.0))
    here = problem_of(source, target).value(coupling, embedding)
    moved_value = there.value(coupling, turn0 @ embedding @ turn1.T)
    assert moved_value == pytest.approx(here, rel=1e-10)


@given(seeds, shapes)
def test_every_embedding_costs_at_least_the_gelbrich_bound(seed, shape):
    """No coupling and no embedding goes below EW2² of the two total covariances."""
    rng = np.random.default_rng(seed)
    source, target = two(rng, shape)
    bound = bounds.gelbrich(source.covariance, target.covariance)
    problem = problem_of(source, target)
    ends = problem.alternate(problem.sign_starts(4), tolerance=1e-12)
    for coupling, embedding in zip(ends.couplings, ends.embeddings, strict=True):
        assert problem.value(coupling, embedding) >= bound - ROUNDING * problem.constant


def gaussian(covariance):
    d = len(covariance)
    return GaussianMixture(
        weights=[1.0], means=np.ones((1, d)), covariances=covariance[None], space=Space.raw(d)
    )


@given(covariances(3), covariances(2), seeds)
def test_between_gaussians_the_closed_form_is_reached(s0, s1, seed):
    """U0[:, :n] ± U1ᵀ attains Σ (√λ − √κ)² + Σ λ for any signs, and no embedding is better."""
    problem = problem_of(gaussian(s0), gaussian(s1))
    expected = bounds.gelbrich(s0, s1)
    coupling = np.ones((1, 1))
    for embedding in sign_embeddings(s0, s1, 4):
        assert problem.value(coupling, embedding) == pytest.approx(expected, abs=ROUNDING * 100)
    for embedding in problem.random_starts(np.random.default_rng(seed), 20):
        assert problem.value(coupling, embedding) >= expected - ROUNDING * 100


@given(covariances(4, least=0.05), covariances(2, least=0.05))
def test_the_gaussian_embedding_gives_the_gromov_map_of_pot(s0, s1):
    """A Pᵀ is POT's Gaussian Gromov–Wasserstein map up to signs, and pushes S0 on S1."""
    embedding = gaussian_embedding(s0, s1)
    linear = optimal_linear(embedding.T @ s0 @ embedding, s1) @ embedding.T
    np.testing.assert_allclose(linear @ s0 @ linear.T, s1, atol=1e-10)
    zero = np.zeros(4), np.zeros(2)
    axes = np.linalg.eigh(s1)[1][:, ::-1]
    ratios = []
    for sign in ([1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]):
        theirs, _ = ot.gaussian.gaussian_gromov_wasserstein_mapping(
            *zero, s0, s1, sign_eigs=np.array(sign)
        )
        assert theirs.shape == (4, 2)  # (ds, dt), opposite to POT's docstring
        ratios.append(np.abs(axes.T @ (theirs.T - linear)).max())
    gap = np.diff(np.linalg.eigvalsh(s1)).min() + 1e-9
    assert min(ratios) <= 1e-10 / gap + 1e-8


def test_the_means_do_not_name_an_embedding_when_their_rank_is_low():
    """K = 1 leaves Σ w m̃ñᵀ = 0: the coupling start is withheld."""
    problem = problem_of(gaussian(np.diag([4.0, 1.0])), gaussian(np.diag([1.0, 4.0])))
    assert problem.from_coupling(np.ones((1, 1))) is None
    rng = np.random.default_rng(0)
    source, target = two(rng, (3, 2), counts=(2, 2))
    coupling = np.outer(source.weights, target.weights)
    assert problem_of(source, target).from_coupling(coupling) is None


def test_a_coupling_start_recovers_the_isometry():
    """With the true coupling of a copy, polar(Σ w m̃ñᵀ) is the isometry itself."""
    rng = np.random.default_rng(1)
    target = random_mixture(rng, 5, 2)
    isometry = stiefel(rng, 4, 2)
    problem = problem_of(moved(target, isometry, 3.0), target)
    found = problem.from_coupling(np.diag(target.weights))
    np.testing.assert_allclose(found, isometry, atol=1e-10)
    settled, converged = problem.settle(np.diag(target.weights))
    assert converged
    np.testing.assert_allclose(settled, isometry, atol=1e-8)


def test_settling_is_the_best_of_many_embeddings_at_a_fixed_coupling():
    """At a fixed coupling no random start, stepped to its end, beats the settled embedding much."""
    rng = np.random.default_rng(2)
    source, target = two(rng, (3, 2), counts=(5, 4))
    problem = problem_of(source, target)
    coupling = random_couplings(rng, 1, source.weights, target.weights)[0]
    settled, _ = problem.settle(coupling)
    starts = problem.random_starts(rng, 30)
    couplings = np.broadcast_to(coupling, (30, *coupling.shape))
    for _ in range(300):
        starts = problem.step(couplings, starts)
    best = (problem.costs(starts) * coupling).sum(axis=(1, 2)).min()
    assert problem.value(coupling, settled) <= best + 1e-9 * problem.constant


def test_annealing_ends_in_an_embedding():
    """The annealed embedding has orthonormal columns, and does not depend on units."""
    rng = np.random.default_rng(3)
    source, target = two(rng, (3, 2))
    problem = problem_of(source, target)
    start = problem.sign_starts(1)[0]
    embedding = problem.anneal(start)
    np.testing.assert_allclose(embedding.T @ embedding, np.eye(2), atol=ROUNDING)
    large = [
        GaussianMixture(
            weights=side.weights,
            means=side.means * 1e3,
            covariances=side.covariances * 1e6,
            space=side.space,
        )
        for side in (source, target)
    ]
    np.testing.assert_allclose(problem_of(*large).anneal(start), embedding, atol=1e-5)


def test_between_puts_the_larger_side_first():
    """m < n swaps the sides and turns couplings, pair costs and guides with them."""
    rng = np.random.default_rng(4)
    source = random_mixture(rng, 3, 2, guide=[1.0, 0.0])
    target = random_mixture(rng, 4, 3, guide=[0.0, 1.0, 1.0])
    guide = Guide(points0=source.means[:1], points1=target.means[:1])
    problem, mirror = between(source, target, guide), between(target, source, Guide())
    assert problem.swapped
    assert not mirror.swapped
    np.testing.assert_allclose(problem.tilt, mirror.tilt, atol=ROUNDING)
    coupling = np.outer(source.weights, target.weights)
    np.testing.assert_array_equal(problem.oriented(coupling), coupling.T)
    expected = guide.pair_costs(source, target, scale(source, target))
    np.testing.assert_allclose(problem.linear, expected.T, rtol=1e-10)


@pytest.mark.parametrize(
    ("shape", "proper", "words"),
    [((2, 3), False, "larger space first"), ((3, 2), True, "equal dimensions")],
)
def test_impossible_embeddings_are_refused(shape, proper, words):
    """The larger space comes first, and only equal dimensions have rotations."""
    source, target = two(np.random.default_rng(0), shape)
    with pytest.raises(ShapeError, match=words):
        problem_of(source, target, proper=proper)


@pytest.mark.parametrize("annealed", [False, True])
@pytest.mark.parametrize(("m", "n"), [(2, 2), (3, 2)])
def test_isotropic_points_are_found_again_in_their_rotated_copy(m, n, annealed):
    """EW2 of 60 isotropic points and their permuted, rotated, shifted, embedded copy is 0."""
    rng = np.random.default_rng(6)
    points = rng.standard_normal((60, n))
    order, isometry = rng.permutation(60), stiefel(rng, m, n)
    copy = points[order] @ isometry.T + 3.0
    found = embed_points(copy, points, rng=rng, random=40, annealed=annealed)
    assert 0 <= found.value <= ROUNDING * 10
    np.testing.assert_allclose(found.embedding, isometry, atol=1e-9)
    np.testing.assert_array_equal(found.coupling.argmax(axis=1), order)
    np.testing.assert_allclose(found.coupling.sum(axis=0), 1 / 60, atol=ROUNDING)
    np.testing.assert_allclose(found.coupling.sum(axis=1), 1 / 60, atol=ROUNDING)
    assert found.converged
    assert 1 <= found.reached <= found.starts


@settings(max_examples=10)
@given(seeds, st.booleans(), st.booleans())
def test_points_never_go_below_gelbrich(seed, proper, annealed):
    """EW2² >= Gelbrich; the history falls; a proper embedding is a rotation and costs no less."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((12, 2)) * [2, 1], rng.standard_normal((9, 2))
    found = embed_points(x, y, rng=rng, random=4, proper=proper, annealed=annealed)
    bound = bounds.gelbrich(np.cov(x.T, bias=True), np.cov(y.T, bias=True))
    assert found.value >= bound - ROUNDING * 10
    assert (np.diff(found.history) <= ROUNDING * 10).all()
    gaps = ((x - x.mean(0))[:, None] - ((y - y.mean(0)) @ found.embedding.T)[None]) ** 2
    assert found.value == pytest.approx((gaps.sum(-1) * found.coupling).sum(), rel=1e-10)
    if proper:
        assert np.linalg.det(found.embedding) == pytest.approx(1, abs=ROUNDING)


def test_points_need_the_larger_space_first():
    """Points of fewer coordinates cannot hold an isometric copy of points of more."""
    with pytest.raises(ShapeError, match="larger space first"):
        embed_points(np.zeros((3, 2)), np.zeros((3, 3)), rng=np.random.default_rng(0))
