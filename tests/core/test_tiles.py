"""Two rasters read together by tiles."""

import numpy as np

from gwtransfer.core import tiles as module
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.tiles import Tiles


def numbered(rows, columns, bands=2, *, asked=None, **more):
    """Return a cube whose bands are row and column."""

    def read(start, stop):
        if asked is not None:
            asked.update(range(start, stop))
        place = np.mgrid[start:stop, 0:columns].astype(np.float32)
        return Rows(
            values=np.repeat(np.moveaxis(place, 0, -1), -(-bands // 2), axis=2)[..., :bands]
        )

    return Raster(name="numbered", rows=rows, columns=columns, bands=bands, read=read,
                  kind="cube", dtype="float32", **more)  # fmt: skip


def places(tiles):
    """Return the places of all pixels of tiles, as row and column, in the order they come."""
    return np.concatenate(
        [tile.first.reshape(-1, tile.first.shape[2])[:, [0, -1]] for tile in tiles]
    )


def test_small_rasters_are_covered_once(monkeypatch):
    """Every pixel of a raster within the budget is in exactly one tile, and both sides agree."""
    monkeypatch.setattr(module, "TILE_VALUES", 4000)
    raster = numbered(101, 67)
    tiles = Tiles(first=raster, second=raster, seed=0)
    seen = places(tiles)
    assert tiles.whole
    assert tiles.count > 4
    assert len(seen) == tiles.pixels == raster.pixels == len(np.unique(seen, axis=0))
    for tile in tiles:
        assert tile.first.size * 2 <= 4000
        assert tile.valid.all()
        np.testing.assert_array_equal(tile.first, tile.second)


def test_large_rasters_are_read_in_part(monkeypatch):
    """Tiles of a large raster keep the budget, differ, reach every quarter, and obey the seed."""
    monkeypatch.setattr(module, "PIXELS", 60_000)
    asked = set()
    raster = numbered(3000, 2000, asked=asked)
    tiles = Tiles(first=raster, second=raster, seed=1)
    seen = places(tiles)
    assert not tiles.whole
    assert 30_000 <= len(seen) == tiles.pixels <= 60_000
    assert len(np.unique(seen, axis=0)) == len(seen)
    assert len(asked) < 1500
    quarters = (seen[:, 0] * 4 // 3000) * 4 + seen[:, 1] * 4 // 2000
    assert len(np.unique(quarters)) == 16
    again = Tiles(first=raster, second=raster, seed=1)
    other = Tiles(first=raster, second=raster, seed=2)
    np.testing.assert_array_equal(places(again), seen)
    assert not np.array_equal(places(other), seen)


def test_no_tile_crosses_two_frames(monkeypatch):
    """The rows of a tile belong to one frame of a film."""
    from fractions import Fraction

    from gwtransfer.core.raster import Film

    monkeypatch.setattr(module, "TILE_VALUES", 4000)
    raster = numbered(120, 30, film=Film(frames=3, rate=Fraction(25)))
    frames = [
        np.unique(tile.first[:, :, 0] // 40) for tile in Tiles(first=raster, second=raster, seed=0)
    ]
    assert all(len(frame) == 1 for frame in frames)
    assert {float(frame[0]) for frame in frames} == {0.0, 1.0, 2.0}


def test_a_hole_on_either_side_is_a_hole():
    """A pixel is valid where both rasters have it."""

    def holed(row):
        def read(start, stop):
            values = np.ones((stop - start, 5, 1))
            if start <= row < stop:
                values[row - start, 2] = np.nan
            return Rows(values=values)

        return Raster(name="holed", rows=6, columns=5, bands=1, read=read, kind="cube", dtype="f4")

    (tile,) = Tiles(first=holed(1), second=holed(4), seed=0)
    expected = np.ones((6, 5), dtype=bool)
    expected[[1, 4], 2] = False
    np.testing.assert_array_equal(tile.valid, expected)
