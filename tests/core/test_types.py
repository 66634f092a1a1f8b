"""The values that travel between stages: what they refuse, and that they cannot be changed."""

import numpy as np
import pytest
from hypothesis import given

from gwtransfer.core.types import Cloud, GaussianMixture, Prepared, Space, TransportPlan
from gwtransfer.errors import ShapeError

from .strategies import ROUNDING, drawn, product_plan, random_mixture, seeds, stiefel

MIXTURE = {
    "weights": [0.25, 0.75],
    "means": np.zeros((2, 3)),
    "covariances": np.stack([np.eye(3)] * 2),
    "space": Space.raw(3),
    "noise": np.eye(3),
    "guide": np.ones(3),
}
SKEW = np.stack([np.eye(3) + np.triu(np.ones((3, 3)), 1)] * 2)
INDEFINITE = np.stack([np.diag([1.0, 1.0, -1e-3])] * 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": []}, "at least one component"),
        ({"weights": [0.5, 0.6]}, "sum to 1, got a sum of 1.1"),
        ({"weights": [1.5, -0.5]}, "least weight of .*-0.5"),
        ({"weights": [1.0, 0.0]}, "weights above 1e-08"),
        ({"weights": [np.nan, 1.0]}, "mixture weights: a value is not finite"),
        ({"means": np.zeros((2, 2))}, r"expected means of \(2, 3\), got \(2, 2\)"),
        ({"means": np.full((2, 3), np.inf)}, "mixture means: a value is not finite"),
        ({"covariances": np.zeros((2, 2, 2))}, r"covariances of \(2, 3, 3\), got \(2, 2, 2\)"),
        ({"covariances": np.full((2, 3, 3), np.nan)}, "mixture covariances: a value is not"),
        ({"covariances": SKEW}, "expected symmetric covariances, off by 1.00e"),
        ({"covariances": INDEFINITE}, "positive semi-definite covariances, .* of -1.00e-03"),
        ({"noise": np.eye(2)}, r"expected noise of \(3, 3\), got \(2, 2\)"),
        ({"noise": -np.eye(3)}, "positive semi-definite noise"),
        ({"noise": SKEW[0]}, "expected symmetric noise"),
        ({"guide": np.ones(2)}, r"expected a guide of \(3,\), got \(2,\)"),
        ({"guide": [0, 0, np.nan]}, "mixture guide: a value is not finite"),
    ],
)
def test_mixtures_refuse(change, words):
    """Whatever is not a mixture is refused with what was expected and what was got."""
    GaussianMixture(**MIXTURE)
    with pytest.raises(ShapeError, match=words):
        GaussianMixture(**(MIXTURE | change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"axes": np.eye(2)}, r"expected axes of \(3, p\), got \(2, 2\)"),
        ({"axes": np.ones(3)}, r"expected axes of \(3, p\), got \(3,\)"),
        ({"axes": 2 * np.eye(3)}, "orthonormal axes"),
        ({"axes": np.eye(3, 4)}, "orthonormal axes"),
        ({"unit": 0.0}, "a unit above zero, got 0.0"),
        ({"unit": -1.0}, "a unit above zero, got -1.0"),
        ({"unit": np.nan}, "a unit above zero, got nan"),
        ({"unit": np.inf}, "a unit above zero, got inf"),
        ({"origin": np.zeros((1, 3))}, "expected axes"),
        ({"wavelengths": [400.0, 500.0]}, r"expected 3 wavelengths, got \(2,\)"),
    ],
)
def test_spaces_refuse(change, words):
    """Axes are orthonormal, the unit is positive, wavelengths one a raw coordinate."""
    fields = {"origin": np.zeros(3), "axes": np.eye(3), "unit": 1.0}
    Space(**fields)
    with pytest.raises(ShapeError, match=words):
        Space(**(fields | change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vertices": np.zeros((4, 2))}, r"expected \(n, 3\) vertices with n > 0, got \(4, 2\)"),
        ({"vertices": np.zeros((0, 3))}, "n > 0"),
        ({"vertices": np.full((4, 3), np.nan)}, "a vertex is not finite"),
        ({"faces": [[0, 1]]}, r"expected \(f, 3\) faces with f > 0, got \(1, 2\)"),
        ({"faces": np.zeros((0, 3))}, "f > 0"),
        ({"faces": [[0, 1, 4]]}, "faces among vertices 0 … 3, got 0 … 4"),
        ({"faces": [[-1, 1, 2]]}, "got -1 … 2"),
    ],
)
def test_clouds_refuse(change, words):
    """Every refusal begins with the cloud's name."""
    fields = {"name": "cat", "vertices": np.zeros((4, 3)), "faces": [[0, 1, 2]]}
    Cloud(**fields)
    with pytest.raises(ShapeError, match=f"^cat: .*{words}"):
        Cloud(**(fields | change))


def sides(m=3, n=2):
    rng = np.random.default_rng(0)
    return random_mixture(rng, 3, m), random_mixture(rng, 2, n)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"coupling": np.ones((2, 3)) / 6}, r"expected a coupling of \(3, 2\), got \(2, 3\)"),
        ({"coupling": np.full((3, 2), np.nan)}, "plan coupling: a value is not finite"),
        ({"embedding": np.eye(2)}, r"expected an embedding of \(3, 2\), got \(2, 2\)"),
        ({"embedding": np.eye(3, 2).T}, r"expected an embedding of \(3, 2\), got \(2, 3\)"),
        ({"embedding": 1.001 * np.eye(3, 2)}, "orthonormal columns"),
        ({"embedding": None}, "a plan without embedding needs equal dimensions, got 3 and 2"),
        ({"tilt": np.zeros((2, 3))}, r"expected a tilt of \(3, 2\), got \(2, 3\)"),
        ({"value": -1e-9}, "expected a value of at least 0, got -1e-09"),
        ({"value": np.nan}, "expected a value of at least 0, got nan"),
        ({"value": 1.0, "bound": 1.1}, "not below its bound 1.1, got 1.0"),
        ({"attained": [0.3, 0.7]}, "the coupling misses the target weights by"),
    ],
)
def test_plans_refuse(change, words):
    """A plan that is not one is refused with what was expected and what was got."""
    fields = {"embedding": np.eye(3, 2)}
    product_plan(*sides(), **fields)
    with pytest.raises(ShapeError, match=words):
        product_plan(*sides(), **(fields | change))


@pytest.mark.parametrize(("move", "side"), [([[1, 0], [-1, 0]], "source"), ([[1, -1]], "target")])
def test_plans_keep_their_marginals(move, side):
    """Mass moved against a marginal is refused beyond 1e-8 and accepted below; never negative."""
    source, target = sides()
    coupling = np.outer(source.weights, target.weights)
    pattern = np.zeros((3, 2))
    pattern[: len(move)] = move
    for mass in (1e-6, 2e-8):
        with pytest.raises(ShapeError, match=f"the coupling misses the {side} weights by"):
            product_plan(source, target, coupling=coupling + mass * pattern, embedding=np.eye(3, 2))
    product_plan(source, target, coupling=coupling + 5e-9 * pattern, embedding=np.eye(3, 2))
    cycle = np.array([[1, -1], [-1, 1], [0, 0]])  # changes no marginal
    product_plan(source, target, coupling=coupling + 1e-3 * cycle, embedding=np.eye(3, 2))
    with pytest.raises(ShapeError, match="without negative entries"):
        product_plan(source, target, coupling=coupling + cycle, embedding=np.eye(3, 2))


def test_a_plan_may_attain_other_target_weights():
    """A relaxed coupling says which target marginal it attains; by default the target's."""
    source, target = sides()
    plain = product_plan(source, target, embedding=np.eye(3, 2))
    np.testing.assert_array_equal(plain.attained, target.weights)
    attained = np.array([0.4, 0.6])
    plan = product_plan(
        source,
        target,
        embedding=np.eye(3, 2),
        coupling=np.outer(source.weights, attained),
        attained=attained,
    )
    np.testing.assert_allclose(plan.coupling.sum(axis=0), attained)
    assert product_plan(source, target, embedding=np.eye(3, 2), value=4.0).distance == 2


def test_values_cannot_be_changed():
    """Arrays are read-only copies: neither the value nor its maker can change what was made."""
    means = np.zeros((2, 3))
    mixture = GaussianMixture(**(MIXTURE | {"means": means}))
    means[:] = 7
    np.testing.assert_array_equal(mixture.means, np.zeros((2, 3)))
    plan = product_plan(*sides(), embedding=np.eye(3, 2), tilt=np.zeros((3, 2)))
    cloud = Cloud(name="cat", vertices=np.zeros((3, 3)), faces=[[0, 1, 2]])
    space = Space(origin=[0.0], axes=[[1.0]], unit=1, wavelengths=[400.0])
    prepared = Prepared(points=np.zeros((2, 1)), space=space)
    for value, fields in (
        (mixture, ("weights", "means", "covariances", "noise", "guide")),
        (plan, ("coupling", "embedding", "tilt", "history", "attained")),
        (cloud, ("vertices", "faces")),
        (space, ("origin", "axes", "wavelengths")),
        (prepared, ("points",)),
    ):
        for field in fields:
            with pytest.raises(ValueError, match="read-only"):
                getattr(value, field)[:] = 0
            with pytest.raises(AttributeError):
                setattr(value, field, None)


def test_prepared_points_have_the_dimension_of_their_space():
    """Points are rows of working coordinates."""
    for points in (np.zeros((4, 2)), np.zeros(3)):
        with pytest.raises(ShapeError, match=r"expected points of"):
            Prepared(points=points, space=Space.raw(3))


@given(seeds)
def test_working_coordinates_are_isotropic_and_invertible(seed):
    """z = (x − origin)·axes / unit: distances are divided by the unit, to_raw is its inverse."""
    rng = np.random.default_rng(seed)
    unit = float(rng.uniform(0.1, 10))
    space = Space(origin=rng.standard_normal(4), axes=stiefel(rng, 4, 4), unit=unit)
    points = rng.standard_normal((6, 4))
    z = space.to_working(points)
    np.testing.assert_allclose(
        np.linalg.norm(z[:, None] - z, axis=-1) * unit,
        np.linalg.norm(points[:, None] - points, axis=-1),
        atol=ROUNDING * 100,
    )
    np.testing.assert_allclose(space.to_raw(z), points, atol=ROUNDING * 100)
    reduced = Space(origin=space.origin, axes=space.axes[:, :2], unit=unit)
    assert (reduced.raw_dimension, reduced.dimension) == (4, 2)
    projected = reduced.to_raw(reduced.to_working(points))
    again = reduced.to_raw(reduced.to_working(projected))
    np.testing.assert_allclose(again, projected, atol=ROUNDING * 100)


def test_the_moments_of_a_mixture_are_those_of_its_draws():
    """Mean and covariance are within five standard errors of those of 50 000 draws."""
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng, 4, 3)
    points = drawn(mixture, rng, 50_000)
    error = points.std(axis=0) / np.sqrt(50_000)
    assert (np.abs(points.mean(axis=0) - mixture.mean) <= 5 * error).all()
    centred = points - mixture.mean
    products = centred[:, :, None] * centred[:, None]
    error = products.std(axis=0) / np.sqrt(50_000)
    assert (np.abs(products.mean(axis=0) - mixture.covariance) <= 5 * error).all()


@given(seeds)
def test_another_space_is_another_way_to_write_the_same_mixture(seed):
    """in_space leaves raw means, raw covariances and raw noise; there and back is the identity."""
    rng = np.random.default_rng(seed)
    spaces = [
        Space(origin=rng.standard_normal(3), axes=stiefel(rng, 3, 3), unit=rng.uniform(0.5, 3))
        for _ in range(2)
    ]
    made = random_mixture(rng, 3, 3)
    mixture = GaussianMixture(
        weights=made.weights,
        means=made.means,
        covariances=made.covariances,
        space=spaces[0],
        noise=0.1 * np.eye(3),
        guide=rng.standard_normal(3),
    )
    there = mixture.in_space(spaces[1])

    def raw(one):
        turn = one.space.axes * one.space.unit
        return (
            one.space.to_raw(one.means),
            turn @ one.covariances @ turn.T,
            turn @ one.noise @ turn.T,
        )

    for before, after in zip(raw(mixture), raw(there), strict=True):
        np.testing.assert_allclose(after, before, atol=ROUNDING * 100)
    back = there.in_space(spaces[0])
    for field in ("means", "covariances", "noise", "guide"):
        np.testing.assert_allclose(
            getattr(back, field), getattr(mixture, field), atol=ROUNDING * 100
        )
    with pytest.raises(ShapeError, match="expected a space of 3 raw coordinates, got 2"):
        mixture.in_space(Space.raw(2))


def test_a_plan_is_no_ordinary_tuple():
    """Two plans of equal content are not compared array by array: they are themselves."""
    plan = product_plan(*sides(), embedding=np.eye(3, 2))
    assert isinstance(plan, TransportPlan)
    assert plan == plan  # noqa: PLR0124
    assert plan != product_plan(*sides(), embedding=np.eye(3, 2))
    assert len({plan, plan}) == 1
