"""Runs that are repeated: equal to the commands', and different only where something differs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.stats import multivariate_normal, norm

from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Cloud, GaussianMixture, Space
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.study import components, noise, repeated, starts
from gwtransfer.study.disagreement import Disagreement, Scale, difference
from gwtransfer.study.levels import Sweep
from gwtransfer.study.noisy import noisy

FEW = {
    "prepare": {"sample": 150},
    "fit": {"components": 3},
    "plan": {"random": 2, "waves": 0},
}
"""Options of a short run of mew2 whose seeds see other pixels."""

DELTA = Scale(is_picture=True)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Write a cube and a palette."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:24, 0:20] / 24
    waves = np.linspace(0, 1, 6)
    cube = np.sin(3 * x[..., None] + 2 * waves) + y[..., None] * waves + 2
    np.save(tmp_path / "cube.npy", cube + rng.normal(0, 0.05, cube.shape))
    palette = np.stack([0.3 + 0.6 * y, x**2, 0.2 * (x + y)], axis=-1)
    palette += rng.normal(0, 0.05, palette.shape)
    Image.fromarray((palette.clip(0, 1) * 255).astype(np.uint8)).save(tmp_path / "palette.png")
    return tmp_path / "cube.npy", tmp_path / "palette.png"


@pytest.fixture
def subject(pair: tuple[Path, Path]) -> repeated.Subject:
    """Open both."""
    return repeated.opened(*pair, Recipe(options=FEW, stages={"plan": "mew2"}), Opening())


def raster(values: np.ndarray, **rest: object) -> Raster:
    """Return a picture that holds an array."""
    rows, columns, bands = values.shape
    return Raster(
        name="held", rows=rows, columns=columns, bands=bands, kind="picture", dtype="float32",
        read=lambda start, stop: Rows(values=values[start:stop]), **rest,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_run_is_repeated_to_the_bit(subject: repeated.Subject) -> None:
    """Equal seeds give equal plans and pictures, so their spread is 0; another seed does not."""
    one, same = (subject.run(subject.recipe) for _ in range(2))
    assert one.plan.value == same.plan.value
    assert one.picture is not None
    assert same.picture is not None
    assert one.picture.tobytes() == same.picture.tobytes()
    agreed = Disagreement.of([one.picture, same.picture], DELTA)
    assert (agreed.mean, agreed.worst, agreed.where.max()) == (0, 0, 0)
    other = subject.run(repeated.with_seed(subject.recipe, 1))
    assert other.picture is not None
    assert difference(one.picture, other.picture, DELTA) > 0.01


def test_a_search_from_the_runs_own_seed_is_the_run(subject: repeated.Subject) -> None:
    """The search alone takes the fits and all other draws as they are."""
    run = subject.run(subject.recipe)
    again = subject.searched(run.fits, subject.recipe)
    assert again.plan.value == run.plan.value
    assert np.array_equal(again.plan.coupling, run.plan.coupling)
    assert again.picture is not None
    assert run.picture is not None
    assert again.picture.tobytes() == run.picture.tobytes()
    other = subject.searched(run.fits, repeated.with_seed(subject.recipe, 5))
    assert other.fits == run.fits
    assert other.plan.source.seed == run.plan.source.seed


def test_seeds_are_told_apart_from_searches(subject: repeated.Subject) -> None:
    """A row a run; the first row of both groups is one run, and the means are those of rows."""
    found = starts.study(subject, seeds=3)
    table = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    both, search = table[:3], table[3:]
    assert [row["varied"] for row in table] == ["fit and search"] * 3 + ["search"] * 3
    assert [row["seed"] for row in both] == [row["seed"] for row in search] == [0, 1, 2]
    assert both[0]["distance"] == search[0]["distance"] == subject.run(subject.recipe).plan.distance
    assert both[0]["difference_to_first"] == 0
    told = found.summary["fit_and_search"]
    assert told["mean"] == pytest.approx(np.mean([row["distance"] for row in both]), rel=1e-12)
    assert told["deviation"] == pytest.approx(np.std([row["distance"] for row in both], ddof=1))
    others = np.mean([row["difference_to_others"] for row in both])
    assert told["difference"] == pytest.approx(others, rel=1e-9)
    assert f"± {told['deviation']:.2g}" in found.sentences[0]
    assert set(found.figures) == {"plot", "spread", "results"}
    assert len(found.figures["results"].panels) == 3


def test_components_are_compared_with_the_most(subject: repeated.Subject) -> None:
    """The last differs from itself by 0, the first has no previous; fits have what was asked."""
    found = components.study(subject, levels=(1, 3), seeds=2)
    table = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert [(row["components"], row["seed"]) for row in table] == [(1, 0), (1, 1), (3, 0), (3, 1)]
    assert [row["source_components"] for row in table] == [1, 1, 3, 3]
    assert [row["difference_to_most"] == 0 for row in table] == [False, False, True, True]
    assert [row["difference_to_previous"] for row in table[:2]] == [None, None]
    assert table[2]["difference_to_previous"] == table[0]["difference_to_most"] > 0.1
    assert table[2]["distance"] == subject.run(subject.recipe).plan.distance
    assert np.isnan(table[0]["likelihood_source"])  # of 480 pixels too many were fitted


def sweep_of(*grays: float) -> Sweep:
    """Return runs of two seeds at levels 1, 2, …, whose pictures are of one gray each."""
    plan = SimpleNamespace(distance=1.0)
    pictures = [np.full((2, 3, 1), gray, dtype=np.float32) for gray in grays]
    runs = [[SimpleNamespace(plan=plan, picture=picture)] * 2 for picture in pictures]
    levels = tuple(float(level) for level in range(1, len(grays) + 1))
    scale = Scale(is_picture=False, unit=100.0)
    return Sweep(levels=levels, seeds=(0, 1), runs=runs, scale=scale)  # type: ignore[arg-type]


def test_levels_are_compared_with_the_one_before_and_with_any() -> None:
    """Grays 0, 1, 3, 7: steps of 1, 2 and 4; and 7, 6, 4 and 0 from the last."""
    sweep = sweep_of(0.0, 1.0, 3.0, 7.0)
    assert sweep.from_previous().tolist() == [[0, 0], [1, 1], [2, 2], [4, 4]]
    assert sweep.from_level(-1).tolist() == [[7, 7], [6, 6], [4, 4], [0, 0]]


def test_as_many_components_are_enough_as_are_near_the_best() -> None:
    """Within 0.05 nats a point: 3 of the source, whose last is best, 2 of the target."""
    gains = np.array([[0.0, 0.91], [0.94, 0.97], [0.96, 1.0], [1.0, 0.9]])
    likely = np.repeat(gains[:, None], 2, axis=1)
    source, target = components._sentences(sweep_of(0, 0, 0, 0), None, None, likely)[-2:]
    assert "the source" in source
    assert "gains +1.00 nats a point from 1 to 4 components; 3 are within 0.05" in source
    assert "the target" in target
    assert "gains -0.01 nats a point from 1 to 4 components; 2 are within 0.05" in target


def test_a_clear_difference_is_one_that_seeds_make_in_one_of_twenty_cases() -> None:
    """Two distances of one normal law are √2 deviations apart, as a rule."""
    said = starts._advice([99.0, 101.0], None, DELTA)[0]
    clear = float(said.split("less than ")[1].split()[0])
    usual = np.sqrt(2) * np.std([99.0, 101.0], ddof=1)
    assert 2 * norm.sf(clear / usual) == pytest.approx(0.05, abs=0.005)


def test_without_noise_nothing_differs(subject: repeated.Subject) -> None:
    """Exactly; with noise distance and picture do, and the plan is not all of it."""
    found = noise.study(subject, levels=(0.2,), seeds=2)
    table = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert [(row["noise"], row["seed"]) for row in table] == [(0, 0), (0, 1), (0.2, 0), (0.2, 1)]
    for row in table[:2]:
        assert row["difference_to_clean"] == row["difference_of_plan"] == 0
    assert table[0]["distance"] == subject.run(subject.recipe).plan.distance
    for clean, row in zip(table[:2], table[2:], strict=True):
        assert row["difference_to_clean"] > 0.5
        assert row["difference_of_plan"] > 0.05
        assert row["difference_to_clean"] != row["difference_of_plan"]
        assert row["distance"] != clean["distance"]


def test_noise_is_as_strong_as_it_is_said_and_stays_where_it_is() -> None:
    """Its deviation is the share of the source's; blocks of any size see the same field."""
    values = np.random.default_rng(0).normal(0.5, 0.05, (60, 70, 3)).astype(np.float32)
    source = raster(values)
    assert noisy(source, 0, seed=3) is source
    made = noisy(source, 0.5, seed=3)
    assert isinstance(made, Raster)
    whole = made.read(0, 60).values
    assert (whole - values).std() == pytest.approx(0.5 * values.std(), rel=0.02)
    assert np.array_equal(made.read(17, 19).values, whole[17:19])
    stronger = noisy(source, 1.0, seed=3)
    assert isinstance(stronger, Raster)
    twice = stronger.read(0, 60).values - values
    assert np.abs(twice - 2 * (whole - values)).max() < 1e-6
    shape = Cloud(name="shape", vertices=np.random.default_rng(1).normal(size=(5000, 3)))
    moved = noisy(shape, 0.1, seed=0)
    assert isinstance(moved, Cloud)
    apart = (moved.vertices - shape.vertices).std()
    assert apart == pytest.approx(0.1 * shape.vertices.std(), rel=0.02)


def test_noise_leaves_pictures_pictures_and_holes_holes() -> None:
    """Values stay in [0, 1], missing pixels missing."""
    values = np.random.default_rng(0).random((30, 30, 3)).astype(np.float32)
    values[4, 5] = np.nan
    made = noisy(raster(values), 2.0, seed=0)
    assert isinstance(made, Raster)
    seen = made.read(0, 30).values
    assert np.isnan(seen[4, 5]).all()
    kept = seen[np.isfinite(seen)]
    assert (kept.min(), kept.max(), kept.size) == (0, 1, 30 * 30 * 3 - 3)


def test_differences_are_those_of_cielab() -> None:
    """Black to white is 100; red to green 170.58 (CIE76); grays count as neutral colours."""

    def flat(*colour: float) -> np.ndarray:
        return np.full((4, 5, len(colour)), colour, dtype=np.float32)

    assert difference(flat(0, 0, 0), flat(1, 1, 1), DELTA) == pytest.approx(100, abs=0.01)
    assert difference(flat(1, 0, 0), flat(0, 1, 0), DELTA) == pytest.approx(170.58, abs=0.05)
    assert difference(flat(0.5), flat(0.5, 0.5, 0.5), DELTA) == pytest.approx(0, abs=1e-3)
    cube = Scale.of("cube", Space(origin=np.zeros(2), axes=np.eye(2), unit=5.0))
    assert difference(flat(1, 1), flat(4, 5), cube) == pytest.approx(100, rel=1e-6)


def test_where_and_which_pictures_differ() -> None:
    """The mean over pixels of the map is that over pairs; holes do not count."""
    rng = np.random.default_rng(0)
    pictures = [rng.random((9, 8, 3)).astype(np.float32) for _ in range(3)]
    pictures.append(pictures[0].copy())
    for picture in pictures:
        picture[0, 0] = np.nan
    found = Disagreement.of(pictures, DELTA)
    assert np.isnan(found.where[0, 0])
    assert np.nanmean(found.where) == pytest.approx(found.mean, rel=1e-9)
    assert found.pairs[0, 3] == 0
    assert np.array_equal(found.pairs, found.pairs.T)
    assert found.pairs[found.worst_pair] == found.pairs.max()
    above = np.mean(found.where[np.isfinite(found.where)] >= found.worst)
    assert 0 < above < 0.03


def test_a_likelihood_is_the_mean_log_density() -> None:
    """As SciPy has it, of raw points of a mixture in a space of its own; none of too few."""
    rng = np.random.default_rng(0)
    space = Space(origin=np.array([1.0, 2.0]), axes=np.eye(2), unit=3.0)
    mixture = GaussianMixture(
        weights=np.array([0.3, 0.7]),
        means=rng.normal(size=(2, 2)),
        covariances=np.stack([np.eye(2), np.array([[2.0, 0.5], [0.5, 1.0]])]),
        space=space,
    )
    working = mixture.drawn(500, rng)
    density = sum(
        weight * multivariate_normal(mean, covariance).pdf(working)
        for weight, mean, covariance in zip(
            mixture.weights, mixture.means, mixture.covariances, strict=True
        )
    )
    expected = np.log(density).mean()
    assert repeated.likelihood(mixture, space.to_raw(working)) == pytest.approx(expected, rel=1e-9)
    assert repeated.likelihood(mixture, None) is None


def test_points_drawn_anew_are_others(subject: repeated.Subject) -> None:
    """Where a file has enough that no fit saw; a surface has always."""
    assert subject.fresh() == (None, None)
    small = {"prepare": {"sample": 50}}
    fewer = replace(subject.recipe, options={**subject.recipe.options, **small})
    source, target = replace(subject, recipe=fewer).fresh()
    assert source is not None
    assert target is not None
    assert (source.shape, target.shape) == ((50, 6), (50, 3))
    assert isinstance(subject.target, Raster)
    seen = fewer.build("prepare")(subject.target, seed=fewer.seed)
    assert not np.allclose(seen.space.to_raw(seen.points), target)
