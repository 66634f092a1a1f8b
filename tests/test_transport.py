"""Plans applied to rasters: block by block, watched, and only where a mask lets them."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.cleaning import SMOOTH_RADIUS
from gwtransfer.core import raster as blocks
from gwtransfer.core.raster import Film, Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.core.views import masked
from gwtransfer.errors import DataError, UsageError
from gwtransfer.fit.gmm import Gmm
from gwtransfer.io.layout import array_raster
from gwtransfer.map.mean import Mean
from gwtransfer.map.rand import Rand
from gwtransfer.pipeline import fit_item
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mw2 import MW2
from gwtransfer.prepare.color import Color
from gwtransfer.transport import Watch, apply_plan, watch
from gwtransfer_cli.app import main


def scene(rows: int = 60, columns: int = 20, *, seed: int = 0) -> np.ndarray:
    """Return a smooth noisy cube (rows, columns, 6)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns] / 24
    waves = np.linspace(0, 1, 6)
    values = np.sin(3 * x[..., None] + 2 * waves) + np.sin(y)[..., None] * waves + 2
    return values + rng.normal(0, 0.05, values.shape)


def colours(rows: int = 30, columns: int = 20, *, seed: int = 1) -> np.ndarray:
    """Return a picture (rows, columns, 3) in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns] / max(rows, columns)
    picture = np.stack([0.2 + 0.6 * y, 0.1 + x**2 / 2, 0.2 * (x + y) + 0.1], axis=-1)
    return np.clip(picture + rng.normal(0, 0.04, picture.shape), 0, 1)


def cube_of(values: np.ndarray, name: str = "cube") -> Raster:
    return array_raster(values, name=name, kind="cube")


def picture_of(values: np.ndarray, name: str = "picture") -> Raster:
    return array_raster(values, name=name, kind="picture")


@pytest.fixture(scope="module")
def plan() -> TransportPlan:
    """Plan from the cube to the picture."""
    sides = [
        fit_item(raster, Color(), Gmm(components=3), seed=0)
        for raster in (cube_of(scene()), picture_of(colours()))
    ]
    return MEW2(random=2, waves=0)(*sides)


@pytest.fixture(scope="module")
def look() -> TransportPlan:
    """Plan from one picture to another."""
    sides = [
        fit_item(picture_of(values), Color(), Gmm(components=3), seed=0)
        for values in (colours(seed=2)[:, ::-1], colours() ** 2)
    ]
    return MW2()(*sides)


def whole(raster: Raster) -> np.ndarray:
    """Return the values (rows, columns, bands) of a raster, block after block."""
    points = np.concatenate([block.points for block in raster.blocks()])
    return points.reshape(raster.rows, raster.columns, raster.bands)


# --- apply_plan


def test_an_image_is_read_in_any_order(plan: TransportPlan) -> None:
    """Rows computed alone, from the bottom up or all at once have the same values."""
    double = "double"
    for stage, smooth, near in (
        (Mean(precision=double), 0.0, 1e-12),
        (Rand(precision=double), 0.0, 1e-12),
        (Mean(), 0.0, 2e-7),  # products of single floats round as their sizes have it
        (Mean(), 1.0, 4e-7),
        (Rand(), 0.0, 2e-7),
    ):
        image = apply_plan(cube_of(scene()), plan, stage, smooth=smooth)
        assert (image.rows, image.columns, image.bands, image.kind) == (60, 20, 3, "picture")
        at_once = image.read(0, 60).values
        upwards = [image.read(row, row + 3).values for row in reversed(range(0, 60, 3))]
        np.testing.assert_allclose(np.concatenate(upwards[::-1]), at_once, rtol=0, atol=near)
        assert at_once.min() >= 0
        assert at_once.max() <= 1


@pytest.mark.parametrize("most", [40, 333, 65_536])
def test_the_size_of_blocks_does_not_matter(
    plan: TransportPlan, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Holes, a mask and a clean-up included."""
    values = scene()
    values[20:24, 3:9] = np.nan
    rng = np.random.default_rng(4)
    raster = masked(cube_of(values), rng.random((60, 20)))
    expected = apply_plan(raster, plan, Mean(), smooth=1.0).read(0, 60).values
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", most)
    image = apply_plan(raster, plan, Mean(), smooth=1.0)
    np.testing.assert_allclose(whole(image), expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(whole(image)).all(axis=2), np.isnan(values[:, :, 0]))


def test_a_hole_reaches_nobody(plan: TransportPlan) -> None:
    """Clean-up looks around holes: what stands in them changes no other pixel."""
    images = []
    for under in (np.nan, np.inf, -np.inf):
        values = scene()
        values[20:24, 3:9, 0] = under
        images.append(whole(apply_plan(cube_of(values), plan, Mean(), smooth=1.0)))
    np.testing.assert_array_equal(images[1], images[0])
    np.testing.assert_array_equal(images[2], images[0])
    assert np.isfinite(np.delete(images[0], range(20, 24), axis=0)).all()


def test_clean_up_reaches_as_far_as_its_windows(plan: TransportPlan) -> None:
    """A changed pixel changes nothing beyond two radii, and something within them."""
    values = scene()
    before = whole(apply_plan(cube_of(values), plan, Mean(), smooth=1.0))
    values = values.copy()
    values[30, 10] = values[0, 0]
    after = whole(apply_plan(cube_of(values), plan, Mean(), smooth=1.0))
    rows, columns = np.nonzero((np.abs(after - before) > 1e-9).any(axis=2))
    assert np.abs(rows - 30).max() <= 2 * SMOOTH_RADIUS
    assert np.abs(columns - 10).max() <= 2 * SMOOTH_RADIUS
    assert len(rows) > 9


def test_frames_do_not_see_each_other(look: TransportPlan) -> None:
    """A film is cleaned frame by frame, wherever a block begins and ends."""
    frames = np.stack([colours(20, 16, seed=seed) for seed in range(4)])
    alone = [whole(apply_plan(picture_of(f), look, Mean(), smooth=1.0)) for f in frames]
    tall = picture_of(frames.reshape(80, 16, 3))
    film = apply_plan(
        replace(tall, film=Film(frames=4, rate=Fraction(25))), look, Mean(), smooth=1.0
    )
    assert film.film is not None
    for start, stop in ((0, 80), (0, 7), (7, 45), (45, 80), (19, 21), (40, 60)):
        expected = np.concatenate(alone)[start:stop]
        np.testing.assert_allclose(film.read(start, stop).values, expected, rtol=0, atol=1e-12)
    mixed = apply_plan(tall, look, Mean(), smooth=1.0).read(0, 80).values
    assert np.abs(mixed - np.concatenate(alone)).max() > 1e-3


def test_weights_mix_and_zero_is_the_source(look: TransportPlan) -> None:
    """Values of weight w lie w of the way to the image; zero gives the source to the last bit."""
    values = colours(20, 16, seed=2)
    weight = np.repeat(np.array([0.0, 0.25, 0.5, 1.0]), 5)[:, None].repeat(16, axis=1)
    full = whole(apply_plan(picture_of(values), look, Mean()))
    image = whole(apply_plan(masked(picture_of(values), weight), look, Mean()))
    half = whole(apply_plan(masked(picture_of(values), weight), look, Mean(), strength=0.5))
    np.testing.assert_array_equal(image[:5], values[:5])
    inside = ((full > 0) & (full < 1)).all(axis=2)
    assert inside.mean() > 0.5
    for made, share in ((image, weight), (half, weight / 2)):
        mixed = (1 - share[:, :, None]) * values + share[:, :, None] * full
        np.testing.assert_allclose(made[inside], mixed[inside], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("bands", "options", "error", "words"),
    [
        (5, {}, DataError, "cube: expected the 6 bands the plan was made for, found 5"),
        (6, {"strength": 1.5}, UsageError, "from 0 to 1"),
        (6, {"strength": float("nan")}, UsageError, "from 0 to 1"),
        (6, {"keep": "chroma"}, DataError, "source in colour"),
    ],
)
def test_what_cannot_be_applied(
    plan: TransportPlan, bands: int, options: dict[str, object], error: type, words: str
) -> None:
    """It is refused before a row is read."""
    with pytest.raises(error, match=words):
        apply_plan(cube_of(scene()[:, :, :bands]), plan, Mean(), **options)  # type: ignore[arg-type]


# --- Watch


def test_a_watch_does_not_mind_the_order() -> None:
    """Blocks seen in any order, or seen twice, give the same figures."""
    rng = np.random.default_rng(7)
    parts = []
    for start in range(0, 50, 10):
        before = rng.normal(size=30)
        parts.append((start, before, before + rng.normal(0, 1, 30), rng.random(30) > 0.8))
    one, other = Watch(stride=1), Watch(stride=1)
    for part in parts:
        one.add(*part)
    for at in (3, 1, 4, 4, 0, 2, 3):
        other.add(*parts[at])
    assert one.order() == other.order()
    assert one.strange() == other.strange()
    assert 0.3 < one.order() < 0.95
    everything = np.concatenate([strange for *_, strange in parts])
    assert abs(one.strange() - everything.mean()) < 1e-12


def test_a_watch_that_saw_nothing_says_so() -> None:
    """NaN, not zero, and no warning."""
    empty = Watch(stride=1)
    assert np.isnan(empty.order())
    assert np.isnan(empty.strange())


def test_a_watch_looks_at_about_as_many_pixels_whatever_the_size() -> None:
    """One in so many that some 50 000 are seen."""
    small = picture_of(np.zeros((10, 10, 3)))
    assert watch(small).stride == 1
    large = replace(small, rows=20_000, columns=20_000)
    assert 25_000 < large.pixels / watch(large).stride < 100_000


def watched(values: np.ndarray, plan: TransportPlan, weight: np.ndarray | None = None) -> Watch:
    """Return what was noted while an image was read."""
    raster = cube_of(values)
    record = watch(raster)
    whole(
        apply_plan(
            raster if weight is None else masked(raster, weight), plan, Mean(), record=record
        )
    )
    return record


def test_what_a_watch_says_of_an_image(plan: TransportPlan) -> None:
    """Bright stays bright, the pixels of the fit are known, and other threads change nothing."""
    record = watched(scene(), plan)
    assert record.order() > 0.9
    assert record.strange() < 0.001
    again = watched(scene(), plan)
    assert (again.order(), again.strange()) == (record.order(), record.strange())


def test_strange_is_what_lies_far_from_all_components(plan: TransportPlan) -> None:
    """The share of pixels that are replaced by spectra unlike any is the share that is told."""
    values = scene()
    values[:15] = 40 * np.array([1, -1, 1, -1, 1, -1])
    assert abs(watched(values, plan).strange() - 0.25) < 0.01


def test_pixels_of_weight_zero_are_not_watched(plan: TransportPlan) -> None:
    """What the map does not touch is neither strange nor out of order."""
    values = scene()
    values[:15] = 40 * np.array([1, -1, 1, -1, 1, -1])
    weight = np.ones((60, 20))
    weight[:15] = 0
    record = watched(values, plan, weight)
    assert record.strange() < 0.001
    assert record.order() > 0.9
    assert np.isnan(watched(values, plan, np.zeros((60, 20))).strange())


# --- strange pixels at the command line


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a cube, a picture and the plan between them."""
    monkeypatch.chdir(tmp_path)
    np.save("cube.npy", scene().astype(np.float32))
    np.save("picture.npy", colours().astype(np.float32))
    quick = ("--set", "plan.random=2", "--set", "plan.waves=0")
    asked = ("color", "cube.npy", "picture.npy", "-o", "first.png", "-k", "3")
    assert main([*asked, "--save-plan", "p.npz", *quick]) == 0
    return tmp_path


@pytest.mark.parametrize("factor", [1000.0, 1e-4, -1.0, 1e30])
def test_another_unit_is_refused(
    fitted: Path, capsys: pytest.CaptureFixture[str], factor: float
) -> None:
    """The same cube in other units: exit 1, one line that asks for the unit, and no output."""
    np.save("other.npy", (scene() * factor).astype(np.float32))
    before = sorted(fitted.iterdir())
    capsys.readouterr()
    assert main(["apply", "p.npz", "other.npy", "-o", "out.png"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gwtransfer: other.npy: expected values like those the plan was fitted")
    assert "another unit?" in err
    assert err.count("\n") == 1
    assert sorted(fitted.iterdir()) == before


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.05, 1.15, 1.3, 1.45])
def test_other_light_is_done_and_never_in_silence(
    fitted: Path, capsys: pytest.CaptureFixture[str], plan: TransportPlan, factor: float
) -> None:
    """A darker or brighter cube is mapped; above 2 % of strange pixels a note says how many."""
    values = (scene() * factor).astype(np.float32)
    np.save("other.npy", values)
    share = watched(values, plan).strange()
    assert share <= 0.95
    capsys.readouterr()
    assert main(["apply", "p.npz", "other.npy", "-o", "out.png"]) == 0
    err = capsys.readouterr().err
    if share > 0.02:
        assert err.startswith(f"note: other.npy: {share:.0%} of its pixels are unlike")
        assert err.count("\n") == 1
    else:
        assert err == ""
    if factor == 1.0:
        assert share < 0.001
    if factor == 1.45:
        assert share > 0.02
