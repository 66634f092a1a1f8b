"""What the tests of this room share: real data, small rasters, and one round trip."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.io.files import sha256, whole
from gwtransfer.io.layout import array_raster

DATA = Path(__file__).parents[2].parent / "shared" / "data"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")


def everything(raster: Raster) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Return values (rows, columns, bands), validity and alpha of a whole raster."""
    blocks = list(raster.blocks())
    shape = (raster.rows, raster.columns)
    values = np.concatenate([block.points for block in blocks]).reshape(*shape, raster.bands)
    valid = np.concatenate([block.valid for block in blocks]).reshape(shape)
    alphas = [block.alpha for block in blocks if block.alpha is not None]
    alpha = np.concatenate(alphas).reshape(shape) if alphas else None
    return values, valid, alpha


def picture(rows: int = 7, columns: int = 5, bands: int = 3, *, alpha: bool = False) -> Raster:
    """Return a picture of random bytes, in [0, 1]."""
    rng = np.random.default_rng(3)
    colours = rng.integers(0, 256, (rows, columns, bands), dtype=np.uint8)
    opacity = rng.integers(0, 256, (rows, columns), dtype=np.uint8) if alpha else None
    return array_raster(colours, name="made", kind="picture", scale=255, alpha=opacity)


def cube(rows: int = 6, columns: int = 5, bands: int = 9, *, holes: bool = False) -> Raster:
    """Return a float32 cube without finite decimal expansion, with wavelengths."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1 / 3, (rows, columns, bands)).astype(np.float32)
    if holes:
        values[1, 2, bands // 2] = np.nan
    wavelengths = 400 + 1000 / 7 * np.arange(bands)
    return array_raster(values, name="made", kind="cube", wavelengths=wavelengths)


def round_trip(writer: Any, loader: Any, raster: Raster, folder: Path, suffix: str) -> Raster:
    """Write, read and compare; the input is unharmed and equal inputs give equal bytes."""
    before, valid, alpha = (None if a is None else a.copy() for a in everything(raster))
    writer.check(raster)
    paths = [folder / f"{word}{suffix}" for word in ("one", "two")]
    for path in paths:
        with whole(path, overwrite=False) as temporary:
            writer(raster, temporary)
    assert sha256(paths[0]) == sha256(paths[1])
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(p.name for p in paths)
    after, still_valid, still_alpha = everything(raster)
    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(still_valid, valid)
    np.testing.assert_array_equal(still_alpha, alpha)
    assert loader.claims(paths[0])
    again = loader(paths[0])
    assert (again.rows, again.columns, again.bands) == (raster.rows, raster.columns, raster.bands)
    assert again.kind == raster.kind
    values, again_valid, _ = everything(again)
    np.testing.assert_array_equal(again_valid, valid)
    np.testing.assert_allclose(values[valid], before[valid], rtol=0, atol=1e-7)
    return again
