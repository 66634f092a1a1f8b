"""Gaps between far components: where they are, what they hold, and which components they split."""

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm

from gwtransfer.core.modes import DEVIATIONS, LEAST_PART, LEAST_WIDTH, Gaps, split_by
from gwtransfer.core.types import GaussianMixture, Space

from .strategies import drawn, moved, random_mixture, seeds, stiefel


def line(means: list[float], deviations: list[float]) -> GaussianMixture:
    """Return a mixture on the line, all components alike heavy."""
    return GaussianMixture(
        weights=np.full(len(means), 1 / len(means)),
        means=np.array(means)[:, None],
        covariances=(np.array(deviations) ** 2)[:, None, None],
        space=Space.raw(1),
    )


def test_a_slab_lies_between_two_deviations_of_either() -> None:
    """N(−5, 1) and N(5, 0.5²): from −3 to 4; its mass is that of the two tails."""
    mixture = line([-5.0, 5.0], [1.0, 0.5])
    gaps = Gaps.of(mixture)
    assert len(gaps) == 1
    assert gaps.width == pytest.approx([7.0])
    places = gaps.sides(np.array([[-3.01], [-2.99], [3.99], [4.01]]))
    assert places.below[:, 0].tolist() == [True, False, False, False]
    assert places.slab[:, 0].tolist() == [False, True, True, False]
    points = drawn(mixture, np.random.default_rng(0), 100_000)
    tails = (norm.sf(2) + norm.sf(2)) / 2
    assert gaps.sides(points).slab.mean() == pytest.approx(tails, abs=5 * np.sqrt(tails / 1e5))


def test_what_overlaps_is_not_far() -> None:
    """Nor are equal means, nor a slab that is thin beside the whole mixture."""
    assert len(Gaps.of(line([0.0, 3.9], [1.0, 1.0]))) == 0
    assert len(Gaps.of(line([1.0, 1.0], [1.0, 0.0]))) == 0
    assert len(Gaps.of(line([0.0], [1.0]))) == 0
    reach = 2 * DEVIATIONS
    for width, far in ((0.9, 0), (1.2, 1)):
        step = reach / (1 - width * LEAST_WIDTH / 2)  # a radius of about half the step
        assert len(Gaps.of(line([0.0, step], [1.0, 1.0]))) == far


def test_a_gap_is_the_part_of_a_slab_about_the_line() -> None:
    """A point half a width aside is inside; farther aside it is in the slab only."""
    mixture = GaussianMixture(
        weights=[0.5, 0.5],
        means=[[-5.0, 0.0], [5.0, 0.0]],
        covariances=[np.diag([1.0, 0.01])] * 2,
        space=Space.raw(2),
    )
    places = Gaps.of(mixture).sides(np.array([[0.0, 2.9], [0.0, 3.1], [3.1, 0.0]]))
    assert places.slab[:, 0].tolist() == [True, True, False]
    assert places.inside[:, 0].tolist() == [True, False, False]
    wide = GaussianMixture(
        weights=[0.5, 0.5],
        means=mixture.means,
        covariances=[np.diag([1.0, 4.0]), np.diag([1.0, 0.01])],
        space=Space.raw(2),
    )
    assert Gaps.of(wide).radius == pytest.approx([4.0])


@given(seeds)
def test_gaps_follow_every_isometry(seed: int) -> None:
    """Points moved with the mixture lie on the sides they lay on."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(rng, 5, 3, spread=6.0)
    points = drawn(mixture, rng, 200)
    turn, shift = stiefel(rng, 3, 3), rng.standard_normal(3)
    before, after = Gaps.of(mixture), Gaps.of(moved(mixture, turn, shift))
    assert before.width == pytest.approx(after.width, abs=1e-9)
    for one, other in zip(before.sides(points), after.sides(points @ turn.T + shift), strict=True):
        assert (one != other).mean() < 1e-3  # a point on a plane may round to either side


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many points are told block by block."""
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng, 6, 3, spread=6.0)
    points = drawn(mixture, rng, 500)
    gaps = Gaps.of(mixture)
    whole = gaps.sides(points)
    monkeypatch.setattr("gwtransfer.core.modes.BLOCK_VALUES", 1)
    for one, other in zip(whole, gaps.sides(points), strict=True):
        assert (one == other).all()


def test_a_component_is_split_where_both_sides_get_a_part() -> None:
    """Parts are shares of the component, not of the source."""
    gaps = Gaps.of(line([-9.0, 0.0, 9.0], [1.0, 1.0, 1.0]))
    assert list(zip(gaps.first.tolist(), gaps.second.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 2),
    ]  # fmt: skip
    few = 0.9 * LEAST_PART
    coupling = np.array([[0.01, 0.01, 0.0], [0.0, 0.5 * few, 0.5 * (1 - few)], [0.2, 0.0, 0.28]])
    assert split_by(coupling, gaps).tolist() == [
        [True, False, False], [False, False, False], [False, True, False],
    ]  # fmt: skip
