"""Rasters seen through something: bands, masks, thinned, pooled."""

from fractions import Fraction

import numpy as np
import pytest

from gwtransfer.core.raster import Film, Georeference, Raster, Rows
from gwtransfer.core.views import chosen, mask_weight, masked, pooled, thinned
from gwtransfer.errors import DataError


def raster(values, *, kind="picture", dtype="uint8", alpha=None, name="made", **fields):
    """Return a raster that reads from an array (rows, columns, bands)."""
    rows, columns, bands = values.shape
    return Raster(
        name=name, rows=rows, columns=columns, bands=bands, kind=kind, dtype=dtype,
        has_alpha=alpha is not None,
        read=lambda start, stop: Rows(
            values=values[start:stop], alpha=None if alpha is None else alpha[start:stop]
        ),
        **fields,
    )  # fmt: skip


def whole(item):
    return item.read(0, item.rows)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_chosen_bands_keep_their_wavelengths():
    """Bands, wavelengths and marks are picked by the same indices."""
    values = noise(4, 5, 6)
    cube = raster(
        values, kind="cube", wavelengths=np.arange(400.0, 1000, 100), good=np.arange(6) % 2 == 0
    )
    few = chosen(cube, np.array([1, 4]))
    assert (few.bands, few.wavelengths.tolist(), few.good.tolist()) == (
        2,
        [500, 800],
        [False, True],
    )
    assert (whole(few).values == values[:, :, [1, 4]]).all()


def test_a_masked_pixel_is_never_drawn():
    """Samples hold no pixel of weight zero, and those of weight one half half as often."""
    values = np.arange(2000, dtype=float).reshape(40, 50, 1)
    weight = np.ones((40, 50))
    weight[:20] = 0.5
    weight[0] = 0
    drawn = np.concatenate(
        [masked(raster(values, kind="cube"), weight).sample(200, seed=s)[:, 0] for s in range(40)]
    )
    assert drawn.min() >= 50
    share = (drawn < 1000).mean()
    expected = 0.5 * 19 / (0.5 * 19 + 20)
    assert abs(share - expected) < 0.02


def test_transparent_pixels_count_by_their_alpha():
    """A pixel of alpha a fifth is drawn about a fifth as often as an opaque one."""
    values = np.arange(2000, dtype=float).reshape(40, 50, 1)
    alpha = np.where(np.arange(40)[:, None] < 20, 0.2, 1.0).repeat(50, axis=1)
    item = raster(values, kind="cube", alpha=alpha)
    drawn = np.concatenate([item.sample(100, seed=seed)[:, 0] for seed in range(60)])
    assert abs((drawn < 1000).mean() - 0.2 / 1.2) < 0.02


def test_a_mask_for_a_film_is_one_frame():
    """Every frame is masked by the same picture."""
    film = raster(noise(12, 5, 3), film=Film(frames=3, rate=Fraction(25)))
    weight = noise(4, 5)
    seen = masked(film, weight).read(3, 9).weight
    assert (seen == np.concatenate([weight[3:], weight, weight[:1]])).all()


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "expected"),
    [
        ([[0, 255, 51]], "picture", "uint8", [[0, 1, 0.2]]),
        ([[0, 1, 1]], "picture", "uint8", [[0, 1, 1]]),
        ([[0, 65535, 13107]], "picture", "uint16", [[0, 1, 0.2]]),
        ([[0, 1, 0]], "cube", "uint8", [[0, 1, 0]]),
        ([[0, 255, 51]], "cube", "uint8", [[0, 1, 0.2]]),
        ([[0, 1.0, 0.25]], "cube", "float32", [[0, 1, 0.25]]),
    ],
)
def test_white_is_one_and_so_is_a_stored_one(values, kind, dtype, expected):
    """Masks of 0 … 255, of 0 … 65535 and of 0 and 1 all mean the same."""
    array = np.array(values, dtype=float)[:, :, None]
    if kind == "picture":
        array = array / np.iinfo(dtype).max
    mask = raster(array, kind=kind, dtype=dtype, name="mask")
    weight = mask_weight(mask, raster(noise(1, 3, 3)))
    assert np.abs(weight - expected).max() < 1e-6


def test_a_feather_softens_and_keeps_the_amount():
    """A feathered edge goes from 0 to 1 with the deviation asked for."""
    array = np.zeros((60, 60, 1))
    array[:, 30:] = 1
    weight = mask_weight(raster(array), raster(noise(60, 60, 3)), feather=4.0)
    slope = np.diff(weight[30])
    places = np.arange(59) - 29
    assert abs(slope.sum() - 1) < 1e-3
    assert abs(np.sqrt((slope * places**2).sum()) - 4) < 0.1


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (noise(3, 5, 1), "expected a mask of 4 × 5 pixels as made, found 3 × 5"),
        (np.zeros((4, 5, 1)), "found only black"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, words):
    """A mask of another size, or of nothing, is an error that names the mask."""
    with pytest.raises(DataError, match=f"^mask: .*{words}"):
        mask_weight(raster(mask, name="mask"), raster(noise(4, 5, 3)))


def test_thinned_keeps_every_sth_pixel_and_the_ground():
    """Rows and columns are taken at the same step, and the transform grows by it."""
    values = noise(31, 45, 3)
    where = Georeference(crs="", transform=(2.0, 0.0, 10.0, 0.0, -2.0, 20.0))
    small = thinned(raster(values, georeference=where), 12)
    assert (small.rows, small.columns) == (8, 12)
    assert (whole(small).values == values[::4, ::4]).all()
    assert small.georeference.transform == (8.0, 0.0, 10.0, 0.0, -8.0, 20.0)
    assert thinned(raster(values), 45).rows == 31


def test_a_pool_holds_its_parts_by_weight():
    """Of palettes weighted 3 to 1 three quarters of the pool come from the first."""
    dark, bright = raster(noise(50, 60, 3) * 0.4), raster(0.6 + noise(70, 80, 3) * 0.4)
    pool = pooled([dark, bright], [3, 1], seed=0)
    values = whole(pool).values.reshape(-1, 3)
    assert abs((values.max(axis=1) < 0.5).mean() - 0.75) < 0.001
    assert pool.rows == 1
    assert (whole(pooled([dark, bright], [3, 1], seed=0)).values == whole(pool).values).all()


def test_a_gray_palette_among_colours_is_neutral():
    """Gray pixels of a pool have three equal bands."""
    values = whole(pooled([raster(noise(9, 9, 3)), raster(noise(9, 9, 1))], [1, 1], seed=0)).values
    neutral = (np.ptp(values, axis=2) == 0).mean()
    assert abs(neutral - 0.5) < 0.02


def test_pools_of_unlike_things_are_refused():
    """A cube does not pool with a picture, nor with one of other bands or wavelengths."""
    cube = raster(noise(3, 3, 5), kind="cube")
    with pytest.raises(DataError, match="expected a picture to pool with made, found a cube"):
        pooled([raster(noise(3, 3, 3)), cube], [1, 1], seed=0)
    with pytest.raises(DataError, match="expected 5 bands to pool with made, found 4"):
        pooled([cube, raster(noise(3, 3, 4), kind="cube")], [1, 1], seed=0)
    near, far = (
        raster(noise(3, 3, 5), kind="cube", wavelengths=np.linspace(start, start + 100, 5))
        for start in (400.0, 1500.0)
    )
    with pytest.raises(DataError, match="expected the wavelengths of made to pool with it"):
        pooled([near, far], [1, 1], seed=0)


def test_a_pool_of_many_bands_holds_fewer_pixels(monkeypatch):
    """Its values are bounded, not only its pixels."""
    monkeypatch.setattr("gwtransfer.core.views.POOLED_VALUES", 2000)
    pool = pooled([raster(noise(50, 60, 20), kind="cube")] * 2, [1, 1], seed=0)
    assert pool.columns == 100
