"""A raster shared out gives what this process gives alone, to the last bit."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtransfer import jobs
from gwtransfer.adapters.workers import Pool, here
from gwtransfer.core import raster as blocks
from gwtransfer.core.em import Statistics
from gwtransfer.core.pixels import summed
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.spreading import Reopening, Spread
from gwtransfer.transport import apply_plan, watch

RECIPE = Recipe(options={"fit": {"passes": 3, "components": 3}})


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=70), st.integers(0, 5))
def test_sums_of_groups_have_the_sum_of_all(values: list[float], power: int) -> None:
    parts = [Statistics(sums=np.array([[value]]), log_likelihood=value) for value in values]
    size = 2**power
    groups = [summed(parts[at : at + size]) for at in range(0, len(parts), size)]
    assert summed(groups).log_likelihood == summed(parts).log_likelihood
    np.testing.assert_array_equal(summed(groups).sums, summed(parts).sums)


@pytest.fixture
def cube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a cube of 41 blocks, with holes."""
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 40)
    rng = np.random.default_rng(1)
    values = rng.normal(size=(81, 20, 5)) + np.linspace(0, 4, 81)[:, None, None]
    values[7, 3:9] = np.nan
    np.save(tmp_path / "cube.npy", values)
    return tmp_path / "cube.npy"


@pytest.fixture
def mask(cube: Path) -> Mask:
    np.save(cube.with_name("mask.npy"), np.linspace(0.1, 1, 81 * 20).reshape(81, 20))
    return Mask(path=cube.with_name("mask.npy"))


def opened(path: Path) -> Raster:
    (item,) = Opening()(path)
    assert isinstance(item, Raster)
    return item


def spread(path: Path, pool: Pool, mask: Mask | None = None, size: int = 1) -> Spread:
    reopening = Reopening.of(path, Opening(), mask)
    return Spread(reopening=reopening, pool=replace(pool, size=size))


@pytest.fixture
def plan(cube: Path) -> TransportPlan:
    palette = cube.with_name("palette.npy")
    np.save(palette, np.random.default_rng(2).random((30, 20, 3)) ** 2)
    recipe = Recipe(options={"fit": {"components": 3}})
    source, target = (jobs.fit_opened(opened(path), recipe) for path in (cube, palette))
    return jobs.plan_between(source, target, recipe)


def assert_equal(one: GaussianMixture, other: GaussianMixture) -> None:
    for name in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("size", [1, 3])
def test_a_fit_is_the_same(cube: Path, mask: Mask, size: int) -> None:
    """Whatever the tasks are, with holes and with pixels that count for less."""
    with here() as pool:
        shared = spread(cube, pool, size=size)
        assert len(shared.grouped(opened(cube).ranges(), 16)) == {1: 6, 3: 21}[size]
        assert_equal(
            jobs.fit_opened(opened(cube), RECIPE, shared), jobs.fit_opened(opened(cube), RECIPE)
        )
        masked = mask(opened(cube))
        assert_equal(
            jobs.fit_opened(masked, RECIPE, spread(cube, pool, mask, size)),
            jobs.fit_opened(masked, RECIPE),
        )


def test_an_image_is_the_same(cube: Path, mask: Mask, plan: TransportPlan) -> None:
    """And so is what is said of it, how much stays of the source, and a second reading."""
    source, how = mask(opened(cube)), {"strength": 0.7, "smooth": 0.5}
    stage = Recipe(stages={"map": "rand"}).build("map")
    told, untold = watch(source), watch(source)
    expected = apply_plan(source, plan, stage, record=told, **how)
    values = [block.points for block in expected.blocks()]
    with here() as pool:
        image = spread(cube, pool, mask).apply_plan(source, plan, stage, record=untold, **how)
        for _ in range(2):
            for block, points in zip(image.blocks(), values, strict=True):
                np.testing.assert_array_equal(block.points, points)
        assert (told.order(), told.strange()) == (untold.order(), untold.strange())
        ranges = image.ranges()
        for rows in (ranges[1], ranges[0], ranges[0], (3, 8)):
            np.testing.assert_array_equal(image.read(*rows).values, expected.read(*rows).values)


def test_what_fails_is_said_to_all_who_wait(cube: Path, plan: TransportPlan) -> None:
    def each(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Generator[Any, None, None]:
        yield function(next(iter(tasks)))
        raise DataError("lost")

    source = opened(cube)
    image = spread(cube, Pool(size=1, each=each)).apply_plan(source, plan, Recipe().build("map"))
    with pytest.raises(DataError, match="lost"):
        list(image.blocks())
    with pytest.raises(DataError, match="lost"):
        image.read(*image.ranges()[-1])


def test_another_file_or_program_is_refused(cube: Path) -> None:
    reopening = Reopening.of(cube, Opening(), None)
    assert reopening() is reopening()
    with pytest.raises(DataError, match=r"gwtransfer 0\.0, found"):
        replace(reopening, version="0.0")()
    with pytest.raises(DataError, match="changed since"):
        replace(reopening, size=1)()
    with pytest.raises(DataError, match="cannot see it"):
        replace(reopening, path=cube.with_name("no.npy"))()
