"""Judgements of rasters whose figures are known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gwtransfer import judging
from gwtransfer.core import tiles
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import DataError
from gwtransfer.io.layout import array_raster
from gwtransfer.judging import judge
from gwtransfer.tally import MEANINGS

PERFECT = dict.fromkeys(MEANINGS, 1.0) | {"edges_made": 0.0, "palette_distance": 0.0}


def raster(values, kind):
    return array_raster(np.asarray(values), name=kind, kind=kind)


def scene(rows=60, columns=50, bands=6, noise=0.01):
    """Return a smooth cube with noise."""
    rng = np.random.default_rng(0)
    i, j = np.mgrid[0:rows, 0:columns, 0:1][:2] / 20
    waves = np.linspace(0, 2, bands)
    return 2 + np.sin(i + waves) * np.cos(j * waves) + rng.normal(0, noise, (rows, columns, bands))


def colours(rows=60, columns=50):
    """Return the colours of a picture, (rows, columns, 3) in [0, 1]."""
    cube = scene(rows, columns, 3, 0.02)
    return (cube - cube.min()) / np.ptp(cube)


def values(judgement):
    return {figure.key: figure.value for figure in judgement.figures}


@pytest.mark.parametrize("bands", [1, 3])
def test_a_picture_is_perfect_to_itself(bands):
    """A picture judged against itself has the best value of every figure, all pixels seen."""
    picture = raster(colours()[..., :bands], "picture")
    judgement = judge(picture, picture, palette=picture)
    assert list(values(judgement)) == list(MEANINGS)
    assert values(judgement) == pytest.approx(PERFECT, abs=1e-12)
    assert not any(figure.undefined for figure in judgement.figures)
    assert (judgement.pixels, judgement.whole) == (3000, True)


def test_a_negative_is_seen_as_one():
    """Turning light and dark round turns the signs of order and gradients, and SSIM is low."""
    picture = colours()
    found = values(judge(raster(picture, "picture"), raster(1 - picture, "picture")))
    assert found["luminance_order"] == pytest.approx(-1, abs=1e-12)
    assert found["gradient_correlation"] == pytest.approx(-1, abs=1e-12)
    assert found["structure"] < 0.2
    assert "palette_distance" not in found


def test_units_of_a_cube_do_not_matter():
    """Multiplying a cube by a factor and shifting it by an offset changes no figure."""
    cube, picture = scene(), raster(colours(), "picture")
    found = values(judge(raster(cube, "cube"), picture))
    scaled = values(judge(raster(1000 * cube + 5, "cube"), picture))
    assert scaled == pytest.approx(found, rel=1e-6)


def test_a_gray_made_of_brightness_keeps_it_all():
    """The mean of the bands as gray has order, gradients and structure 1, and less noise."""
    cube = scene(noise=0.1)
    mean = cube.mean(axis=-1, keepdims=True)
    gray = (mean - mean.min()) / np.ptp(mean)
    found = values(judge(raster(cube, "cube"), raster(gray, "picture")))
    for key in ("luminance_order", "gradient_correlation", "structure"):
        assert found[key] == pytest.approx(1, abs=1e-9)
    assert found["distance_rank_correlation"] < 0.9
    assert found["noise_gain"] < 1


def test_edges_stand_out_of_the_noise():
    """Of two halves only pairs across are edges; an even result misses and a grainy one adds."""
    rng = np.random.default_rng(1)
    halves = np.where(np.arange(40) < 20, 0.3, 0.7)[None, :, None] * np.ones((40, 40, 3))
    cube = raster(halves + rng.normal(0, 0.005, halves.shape), "cube")
    clean = values(judge(cube, raster(halves, "picture")))
    assert (clean["edges_kept"], clean["edges_made"]) == (1, 0)
    even = values(judge(cube, raster(np.full(halves.shape, 0.5), "picture")))
    assert (even["edges_kept"], even["edges_made"]) == (0, 0)
    grainy = np.clip(halves + rng.normal(0, 0.2, halves.shape), 0, 1)
    found = values(judge(cube, raster(grainy, "picture")))
    assert found["edges_kept"] > 0.9
    assert found["edges_made"] > 0.9


def test_noise_added_is_noise_gained():
    """White noise n times the source's gives a gain of √(1 + n²), where the spread stays."""
    rng = np.random.default_rng(2)
    i = np.sin(np.arange(300) / 30)[:, None, None]
    clean = i * np.ones((300, 200, 2))
    noisy = clean + rng.normal(0, 0.01, clean.shape)
    worse = noisy + rng.normal(0, 0.03, clean.shape)
    found = values(judge(raster(noisy, "cube"), raster(worse, "cube")))
    assert found["noise_gain"] == pytest.approx(math.sqrt(10), rel=0.03)
    assert math.isnan(found["edges_kept"])


def test_the_palette_is_met_or_missed():
    """Colours moved by t are |t|/√3 from where they were; gray counts as neutral colour."""
    picture = 0.2 + 0.5 * colours()
    shift = np.array([0.1, 0.2, -0.2])
    source, moved = raster(picture, "picture"), raster(picture + shift, "picture")
    found = values(judge(source, moved, palette=source))["palette_distance"]
    assert found == pytest.approx(0.3 / math.sqrt(3), rel=0.15)
    shuffled = np.random.default_rng(3).permutation(picture.reshape(-1, 3)).reshape(30, 100, 3)
    again = values(judge(source, source, palette=raster(shuffled, "picture")))["palette_distance"]
    assert again == pytest.approx(0, abs=1e-12)
    gray = raster(np.repeat(picture[..., :1], 3, axis=2), "picture")
    thin = raster(picture[..., :1], "picture")
    assert values(judge(source, gray, palette=thin))["palette_distance"] < 1e-12


def test_constants_are_said_to_be_undefined():
    """A result of one colour leaves six figures undefined, and each says why."""
    even = raster(np.full((60, 50, 3), 0.5), "picture")
    judgement = judge(raster(scene(), "cube"), even)
    undefined = {figure.key for figure in judgement.figures if math.isnan(figure.value)}
    assert undefined == {
        "luminance_order", "distance_correlation", "distance_rank_correlation", "noise_gain",
        "structure", "gradient_correlation",
    }  # fmt: skip
    assert undefined == {figure.key for figure in judgement.figures if figure.undefined}


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_holes_on_either_side_are_left_out(hole):
    """Whatever stands in a hole of one side has no part in any figure."""
    cube, picture = scene(), colours()
    cube[10:13, 20] = hole
    wild = picture.copy()
    wild[10:13, 20] = [1.0, 0.0, 1.0]
    wild[40] = np.nan
    other = wild.copy()
    other[10:13, 20] = 0.25
    first = judge(raster(cube, "cube"), raster(wild, "picture"))
    assert values(judge(raster(cube, "cube"), raster(other, "picture"))) == values(first)
    assert first.pixels == 3000 - 3 - 50
    whole = values(judge(raster(scene(), "cube"), raster(picture, "picture")))
    assert values(first) == pytest.approx(whole, abs=0.15)


def test_tiny_rasters_are_judged_as_far_as_they_go():
    """One row, or one pixel, has no window and no quadruple; what is left is still right."""
    row = raster(colours()[:1], "picture")
    found = values(judge(row, row))
    assert found["luminance_order"] == found["gradient_correlation"] == pytest.approx(1)
    assert math.isnan(found["structure"])
    assert math.isnan(found["noise_gain"])
    pixel = raster(colours()[:1, :1], "picture")
    assert all(math.isnan(value) for value in values(judge(pixel, pixel)).values())


def test_a_large_cube_is_judged_by_a_part_of_it(monkeypatch):
    """The figures of a part are near those of the whole, the same for the same seed, and cheap."""
    monkeypatch.setattr(tiles, "PIXELS", 100_000)
    asked = set()

    def read(start, stop):
        asked.update(range(start, stop))
        i, j = np.mgrid[start:stop, 0:700] / 40
        grain = (
            np.sin(np.arange(start, stop)[:, None] * 12.9898 + np.arange(700) ** 2 * 78.233) / 99
        )
        bands = [np.sin(i + k) + np.cos(j * 0.5 * k) + (k + 1) * grain for k in range(4)]
        return Rows(values=np.stack(bands, axis=-1).astype(np.float32))

    def shown(start, stop):
        return Rows(values=np.clip(0.5 + read(start, stop).values[..., :3] / 6, 0, 1))

    large = Raster(name="large", rows=3000, columns=700, bands=4, read=read, kind="cube",
                   dtype="float32")  # fmt: skip
    result = replace(large, bands=3, read=shown, kind="picture")
    judgement = judge(large, result, seed=3)
    assert not judgement.whole
    assert 50_000 < judgement.pixels <= 100_000
    assert len(asked) < 1500
    small = values(judge(replace(large, rows=140), replace(result, rows=140)))
    for key, value in values(judgement).items():
        assert value == pytest.approx(small[key], abs=0.1), key
    assert values(judge(large, result, seed=3)) == values(judgement)


def test_what_cannot_be_compared_is_refused():
    """Other sizes, nothing valid in common, another palette's kind, and values beyond squares."""
    picture, cube = raster(colours(), "picture"), raster(scene(), "cube")
    with pytest.raises(DataError, match=r"picture: expected 30 × 50 pixels as cube has, found 60"):
        judge(raster(scene(30), "cube"), picture)
    with pytest.raises(DataError, match=r"no pixel is valid both here and in cube"):
        judge(raster(scene() * np.nan, "cube"), picture)
    with pytest.raises(DataError, match=r"expected a palette like picture, a picture of 3 bands"):
        judge(cube, picture, palette=cube)
    with pytest.raises(DataError, match=r"too large to square; divide them"):
        judge(raster(1e200 * scene(), "cube"), picture)


def test_progress_ends_with_all_pixels():
    """What is reported grows to the pixels that are read."""
    picture = raster(colours(), "picture")
    said = []
    judging.judge(picture, picture, progress=lambda *words: said.append(words))
    assert said[-1] == ("measure", 3000, 3000)
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)
