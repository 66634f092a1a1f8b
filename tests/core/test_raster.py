"""Rasters: blocks, samples of valid pixels, and the noise between neighbours."""

import numpy as np
import pytest
from scipy.stats import chi2

from gwtransfer.core import raster as module
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import DataError, ShapeError


def raster_of(values, alpha=None, kind="cube", **fields):
    """Return a raster that reads from an array."""

    def read(start, stop):
        return Rows(values=values[start:stop], alpha=None if alpha is None else alpha[start:stop])

    rows, columns, bands = values.shape
    return Raster(
        name="made",
        rows=rows,
        columns=columns,
        bands=bands,
        read=read,
        kind=kind,
        dtype=str(values.dtype),
        **fields,
    )


def numbered(rows, columns):
    """Return a raster whose pixel is its own number."""
    return raster_of(np.arange(rows * columns, dtype=float).reshape(rows, columns, 1))


@pytest.mark.parametrize(
    ("shape", "fields", "words"),
    [
        ((0, 2, 1), {}, "at least one row, column and band, got 0 × 2 × 1"),
        ((2, 2, 2), {"kind": "picture"}, "a picture has 1 or 3 bands, got 2"),
        ((2, 2, 2), {"wavelengths": np.ones(3)}, "expected 2 wavelengths, one a band, got 3"),
    ],
)
def test_rasters_refuse(shape, fields, words):
    """Every refusal begins with the raster's name."""
    with pytest.raises(ShapeError, match=f"^made: .*{words}"):
        raster_of(np.zeros(shape), **fields)


def test_a_reader_of_the_wrong_shape_is_found_out():
    """Rows that are not of the raster's shape are an error, not a reshape."""
    wrong = Raster(
        name="made", rows=4, columns=3, bands=2, kind="cube", dtype="float64",
        read=lambda start, stop: Rows(values=np.zeros((stop - start, 2, 3))),
    )  # fmt: skip
    with pytest.raises(ShapeError, match=r"made: expected rows of \(4, 3, 2\), got \(4, 2, 3\)"):
        next(wrong.blocks())


def test_blocks_cover_every_row_once(monkeypatch):
    """Blocks are consecutive whole rows from top to bottom, and the spread ones a permutation."""
    monkeypatch.setattr(module, "BLOCK_PIXELS", 30)
    monkeypatch.setattr(module, "SAMPLE_BLOCKS", 4)
    raster = numbered(50, 7)
    points = np.concatenate([block.points for block in raster.blocks()])
    np.testing.assert_array_equal(points[:, 0], np.arange(350))
    starts = [block.start for block in raster.spread_blocks(3)]
    assert sorted(starts) == list(range(0, 50, raster.block_rows()))
    quarter = np.searchsorted([0, 13, 26, 38], starts[:4], side="right")
    assert len(set(quarter)) == 4  # the first four see the whole height
    assert [b.start for b in raster.spread_blocks(3)] == starts
    assert [b.start for b in raster.spread_blocks(4)] != starts


def test_invalid_pixels_never_enter_a_sample():
    """NaN in any band, or alpha zero, keeps a pixel out; the rest come in the raster's order."""
    rng = np.random.default_rng(0)
    values = rng.random((20, 30, 3))
    values[rng.random((20, 30)) < 0.3, 1] = np.nan
    values[0, 0, 2] = np.inf
    alpha = (rng.random((20, 30)) > 0.3).astype(float)
    valid = np.isfinite(values).all(axis=2) & (alpha > 0)
    raster = raster_of(values, alpha)
    np.testing.assert_array_equal(raster.sample(10_000, seed=0), values[valid])
    some = raster.sample(50, seed=0)
    assert np.isfinite(some).all()
    allowed = {tuple(pixel) for pixel in values[valid]}
    assert {tuple(pixel) for pixel in some} <= allowed


@pytest.mark.parametrize("block", [65_536, 20])
def test_a_sample_is_seeded_and_without_replacement(monkeypatch, block):
    """The same seed draws the same pixels, each at most once, in the raster's order."""
    monkeypatch.setattr(module, "BLOCK_PIXELS", block)
    raster = numbered(40, 10)
    one = raster.sample(100, seed=5)
    np.testing.assert_array_equal(one, raster.sample(100, seed=5))
    assert one.shape == (100, 1)
    assert one.dtype == np.float64
    assert (np.diff(one[:, 0]) > 0).all()
    assert not np.array_equal(one, raster.sample(100, seed=6))


@pytest.mark.parametrize("block", [65_536, 8])
def test_a_sample_is_uniform(monkeypatch, block):
    """Over 3000 seeds every pixel is drawn equally often: χ² below its 99.9 % quantile."""
    monkeypatch.setattr(module, "BLOCK_PIXELS", block)
    raster, pixels, count, repeats = numbered(10, 8), 80, 12, 3000
    drawn = np.concatenate([raster.sample(count, seed=seed)[:, 0] for seed in range(repeats)])
    observed = np.bincount(drawn.astype(int), minlength=pixels)
    expected = repeats * count / pixels
    # Without replacement the counts vary less, by (1 − n/N)·N/(N − 1).
    spread = expected * (1 - count / pixels) * pixels / (pixels - 1)
    statistic = ((observed - expected) ** 2).sum() / spread
    assert statistic < chi2(pixels - 1).ppf(0.999)
    assert statistic > chi2(pixels - 1).ppf(0.001)


def test_a_large_raster_is_sampled_without_being_read_whole(monkeypatch):
    """Beyond SAMPLE_BLOCKS, reading stops as soon as there are pixels enough."""
    monkeypatch.setattr(module, "BLOCK_PIXELS", 10)
    monkeypatch.setattr(module, "SAMPLE_BLOCKS", 8)
    seen = []
    values = np.zeros((100, 10, 1))
    values[:, :, 0] = np.arange(100)[:, None]

    def read(start, stop):
        seen.append(start)
        return Rows(values=values[start:stop])

    raster = Raster(
        name="made", rows=100, columns=10, bands=1, read=read, kind="cube", dtype="float64"
    )
    assert len(raster.sample(20, seed=0)) == 20
    assert len(seen) < 100 / raster.block_rows()


def test_the_last_valid_pixels_are_found(monkeypatch):
    """Few valid pixels anywhere in a large raster are all found, and none is an error by name."""
    monkeypatch.setattr(module, "BLOCK_PIXELS", 10)
    monkeypatch.setattr(module, "SAMPLE_BLOCKS", 4)
    values = np.full((60, 10, 2), np.nan)
    with pytest.raises(DataError, match=r"^made: no valid pixel"):
        raster_of(values).sample(5, seed=0)
    values[[3, 31, 59], [1, 2, 9]] = [[1, 2], [3, 4], [5, 6]]
    found = raster_of(values).sample(5, seed=0)
    np.testing.assert_array_equal(found, [[1, 2], [3, 4], [5, 6]])
    assert len(raster_of(values).sample(2, seed=0)) == 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_noise_is_found_on_a_ramp(dtype):
    """White noise of known σ on a linear ramp is measured within 5 %, the ramp itself as none."""
    rng = np.random.default_rng(1)
    sigma = np.array([0.5, 2.0, 0.05])
    i, j = np.mgrid[:512, :512]
    ramp = (0.3 * i - 0.2 * j)[..., None] + np.arange(3)
    values = (ramp + sigma * rng.standard_normal((512, 512, 3))).astype(dtype)
    # A median of n differences has relative deviation 1.17/√(2n), 2 % for the 2000 of one block.
    np.testing.assert_allclose(np.sqrt(raster_of(values).noise(seed=0)), sigma, rtol=0.05)
    assert (raster_of(ramp).noise(seed=0) < 1e-20).all()


def test_holes_and_outliers_do_not_spoil_the_noise():
    """Quadruples with an invalid corner are left out, and one pixel in a hundred gone wild too."""
    rng = np.random.default_rng(2)
    values = rng.standard_normal((300, 300, 1))
    values[rng.random((300, 300)) < 0.01] = 1e6
    values[rng.random((300, 300)) < 0.2] = np.nan
    # 4 % of the quadruples hold an outlier, which moves the median by 4 %·0.5/(2·0.32·0.67).
    assert np.sqrt(raster_of(values).noise(seed=0))[0] == pytest.approx(1, rel=0.05 + 0.05)


@pytest.mark.parametrize("shape", [(1, 50, 2), (50, 1, 2)])
def test_a_line_has_no_measurable_noise(shape):
    """Without 2 × 2 neighbours the estimate is zero."""
    values = np.random.default_rng(3).standard_normal(shape)
    np.testing.assert_array_equal(raster_of(values).noise(seed=0), [0, 0])


def test_very_wide_rasters_have_noise_too():
    """A row longer than half a block still meets the row below it."""
    values = np.random.default_rng(4).standard_normal((4, 40_000, 1))
    assert np.sqrt(raster_of(values).noise(seed=0))[0] == pytest.approx(1, rel=0.1)
