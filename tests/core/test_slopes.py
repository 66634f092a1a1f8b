"""The Jacobian of the mean map: finite differences, identities, and what singular fits do to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer.core.gaussian import optimal_linear
from gwtransfer.core.maps import MeanMap, mean_map
from gwtransfer.core.slopes import jacobians, slopes
from gwtransfer.core.types import GaussianMixture, Space

from .strategies import drawn, product_plan, random_mixture, seeds, stiefel

STEP = 1e-5
"""Of central differences: their error is STEP² times a third derivative, plus 1e-16 / STEP."""


def central(mapping: MeanMap, points: np.ndarray) -> np.ndarray:
    """Return the Jacobian by central differences, (N, n, m), in raw spaces."""
    columns = [
        (mapping(points + STEP * axis) - mapping(points - STEP * axis)) / (2 * STEP)
        for axis in np.eye(points.shape[1])
    ]
    return np.stack(columns, axis=2)


def plan_of(rng: np.random.Generator, m: int, n: int, rank: int | None = None):  # type: ignore[no-untyped-def]
    """Return a plan between random mixtures of any dimensions, everything coupled."""
    source = random_mixture(rng, int(rng.integers(2, 6)), m, rank=rank)
    target = random_mixture(rng, int(rng.integers(1, 5)), n)
    embedding = None if m == n else stiefel(rng, max(m, n), min(m, n))
    return product_plan(source, target, embedding=embedding)


@given(seeds, st.sampled_from([(1, 1), (3, 3), (2, 4), (5, 2), (8, 3)]))
def test_the_jacobian_is_that_of_finite_differences(seed: int, sizes: tuple[int, int]) -> None:
    """At points of the mixture and halfway between its means, where components meet; m < n too."""
    rng = np.random.default_rng(seed)
    plan = plan_of(rng, *sizes)
    mapping = mean_map(plan)
    means = plan.source.means
    points = np.concatenate([drawn(plan.source, rng, 20), (means[:-1] + means[1:]) / 2])
    found, expected = jacobians(mapping, points), central(mapping, points)
    scale = np.abs(expected).max(axis=(1, 2), keepdims=True) + mapping.gains().max()
    curved = 1 / np.linalg.eigvalsh(plan.source.covariances).min()  # scores turn as fast
    assert (np.abs(found - expected) <= (1e-9 + (STEP * curved) ** 2) * scale * 10).all()
    assert np.allclose(slopes(mapping, points), np.linalg.svd(found)[1].max(axis=1), rtol=1e-12)


def test_singular_covariances_have_a_slope() -> None:
    """On the planes of flat components, density floor and all, differences find the same."""
    rng = np.random.default_rng(5)
    plan = plan_of(rng, 3, 3, rank=2)
    mapping = mean_map(plan)
    points = drawn(plan.source, rng, 50)
    found = jacobians(mapping, points)
    # Across a plane the scores turn within 1e-4.5: the step has to be smaller than that.
    step = 1e-9
    for axis in range(3):
        shift = step * np.eye(3)[axis]
        differences = (mapping(points + shift) - mapping(points - shift)) / (2 * step)
        scale = np.abs(found[:, :, axis]).max(axis=1) + 1
        assert (np.abs(differences - found[:, :, axis]).max(axis=1) < 1e-5 * scale).all()


def test_one_component_has_one_slope() -> None:
    """An affine map: J is the optimal map between the two Gaussians, everywhere."""
    rng = np.random.default_rng(2)
    source, target = random_mixture(rng, 1, 3), random_mixture(rng, 1, 3)
    mapping = mean_map(product_plan(source, target))
    points = 10 * rng.standard_normal((7, 3))
    linear = optimal_linear(source.covariances, target.covariances)
    assert np.allclose(jacobians(mapping, points), linear, atol=1e-12)
    assert np.allclose(slopes(mapping, points), np.linalg.eigvalsh(linear).max(), atol=1e-12)


def test_two_components_are_a_known_function() -> None:
    """½N(−2,1) + ½N(2,1) with pieces ∓5 is 5 tanh(2x): slope 10 / cosh²(2x)."""
    mixture = GaussianMixture(
        weights=[0.5, 0.5], means=[[-2.0], [2.0]], covariances=[[[1.0]]] * 2, space=Space.raw(1)
    )
    mapping = MeanMap(
        mixture=mixture,
        linear=np.zeros((2, 1, 1)),
        offset=np.array([[-5.0], [5.0]]),
        space=Space.raw(1),
    )
    x = np.linspace(-3, 3, 41)[:, None]
    assert mapping(x) == pytest.approx(5 * np.tanh(2 * x), abs=1e-13)
    assert slopes(mapping, x) == pytest.approx(10 / np.cosh(2 * x[:, 0]) ** 2, abs=1e-12)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points in many blocks have the slopes they have in one, and no point has none."""
    rng = np.random.default_rng(3)
    plan = plan_of(rng, 3, 2)
    mapping, points = mean_map(plan), drawn(plan.source, rng, 300)
    whole = slopes(mapping, points)
    monkeypatch.setattr("gwtransfer.core.slopes.BLOCK_VALUES", 1)
    assert np.allclose(slopes(mapping, points), whole, rtol=1e-12)
    assert slopes(mapping, points[:0]).shape == (0,)
