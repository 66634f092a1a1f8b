"""Noise put on a source, the same wherever and in whatever order it is read."""

from dataclasses import replace

import numpy as np

from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Cloud

SAMPLE = 20_000
"""Pixels the spread of a raster is measured on."""

STREAM = 11
"""Which of a seed's streams of random numbers the noise is drawn from."""


def noisy(item: Raster | Cloud, level: float, *, seed: int) -> Raster | Cloud:
    """Return a raster or shape with white Gaussian noise on every value.

    The noise of one seed is one field, scaled: another level only makes it stronger.

    Parameters
    ----------
    level : float >= 0
        Deviation of the noise, over the root-mean-square deviation of the values from the means
        of their bands or coordinates. 0 returns the item itself.
    """
    if level == 0:
        return item
    if isinstance(item, Cloud):
        rng = np.random.default_rng([seed, STREAM])
        drawn = rng.standard_normal(item.vertices.shape)
        size = level * float(np.sqrt(item.vertices.var(axis=0).mean()))
        return replace(item, vertices=item.vertices + size * drawn)
    return _noisy_raster(item, level, seed)


def _noisy_raster(raster: Raster, level: float, seed: int) -> Raster:
    size = level * float(np.sqrt(raster.sample(SAMPLE, seed=0).var(axis=0).mean()))
    shape = (raster.columns, raster.bands)

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        drawn = np.stack(
            [
                np.random.default_rng([seed, STREAM, row]).standard_normal(shape, dtype=np.float32)
                for row in range(start, stop)
            ]
        )
        values = rows.values + np.asarray(size * drawn, dtype=rows.values.dtype)
        if raster.kind == "picture" and not raster.scene:
            values = np.clip(values, 0.0, 1.0)
        return replace(rows, values=values)

    return replace(raster, read=read)
