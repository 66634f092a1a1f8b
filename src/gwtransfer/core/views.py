"""Rasters made of rasters, computed as they are read: chosen bands, masks, thinned, pooled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Carried, Floats, Georeference, Raster, Rows
from gwtransfer.errors import DataError

WHITES = (1, 255, 65535)
"""Stored values that may mean white: the least that no pixel of a mask exceeds."""

POOLED = 200_000
"""Pixels a pool of several rasters holds."""

POOLED_VALUES = 10_000_000
"""Values it holds at most, so that many bands do not multiply its memory."""


def chosen(raster: Raster, bands: NDArray[np.intp]) -> Raster:
    """Return a raster of some bands of a cube, given by their indices from 0."""

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        return replace(rows, values=np.ascontiguousarray(rows.values[:, :, bands]))

    return replace(
        raster,
        bands=len(bands),
        reads=max(raster.bands, raster.reads),
        read=read,
        wavelengths=None if raster.wavelengths is None else raster.wavelengths[bands],
        good=None if raster.good is None else raster.good[bands],
    )


def masked(raster: Raster, weight: Floats) -> Raster:
    """Return a raster whose pixels count by a mask's weight.

    Parameters
    ----------
    weight : (rows, columns) array of floats in [0, 1]
        For a film, of the size of one frame.
    """
    tall = raster.frame_rows

    def read(start: int, stop: int) -> Rows:
        return replace(raster.read(start, stop), weight=weight[np.arange(start, stop) % tall])

    return replace(raster, read=read)


def mask_weight(mask: Raster, raster: Raster, *, feather: float = 0.0) -> Floats:
    """Return a mask as weights (rows, columns) in [0, 1] for the pixels of a raster.

    White counts fully and black not at all; white is the least of WHITES that nothing exceeds.
    Transparent and missing pixels of the mask do not count.

    Parameters
    ----------
    mask : Raster
        A picture, or one band.
    feather : float >= 0
        Deviation in pixels of the Gaussian that softens the mask's edges.

    Raises
    ------
    DataError
        Another size, or more than one band that is no picture.
    """
    size = (raster.frame_rows, raster.columns)
    if (mask.rows, mask.columns) != size:
        raise DataError(
            f"{mask.name}: expected a mask of {size[0]} × {size[1]} pixels as {raster.name}, "
            f"found {mask.rows} × {mask.columns}"
        )
    if mask.kind == "cube" and mask.bands > 1:
        raise DataError(f"{mask.name}: expected a mask of one band, found {mask.bands}")
    weight = np.empty(size, dtype=np.float32)
    for block in mask.blocks():
        values = np.where(block.valid[:, None], block.points, 0).clip(0, 1e30).mean(axis=1)
        if block.alpha is not None:
            values *= block.alpha
        weight[block.start : block.stop] = values.reshape(-1, mask.columns)
    stored = np.dtype(mask.dtype)
    most = np.iinfo(stored).max if stored.kind in "ui" else 65535.0
    one = 1 / most if mask.kind == "picture" and stored.kind in "ui" else 1.0  # a stored 1
    brightest = float(weight.max(initial=0.0)) / one
    white = next((w for w in WHITES if brightest <= 1.01 * w), most)
    weight = np.clip(weight / (white * one), 0.0, 1.0)
    if not weight.any():
        raise DataError(f"{mask.name}: expected a mask with something in it, found only black")
    if feather > 0:
        from scipy.ndimage import gaussian_filter

        weight = gaussian_filter(weight, feather, mode="nearest")
    return np.asarray(weight)


def thinned(raster: Raster, most: int) -> Raster:
    """Return every s-th row and column, s the least that leaves at most ``most`` of either."""
    step = -(-max(raster.rows, raster.columns) // most)
    if step == 1:
        return raster

    def read(start: int, stop: int) -> Rows:
        parts = [raster.read(row, row + 1) for row in range(start * step, stop * step, step)]

        def joined(arrays: Sequence[Floats | None]) -> Floats | None:
            given = [array[:, ::step] for array in arrays if array is not None]
            return np.concatenate(given) if given else None

        values = joined([part.values for part in parts])
        assert values is not None
        return Rows(
            values=values,
            alpha=joined([part.alpha for part in parts]),
            weight=joined([part.weight for part in parts]),
        )

    return replace(
        raster,
        rows=-(-raster.rows // step),
        columns=-(-raster.columns // step),
        read=read,
        georeference=_coarser(raster.georeference, step),
        carried=replace(raster.carried, dpi=None),
    )


def _coarser(where: Georeference | None, step: int) -> Georeference | None:
    if where is None:
        return None
    a, b, c, d, e, f = where.transform
    placed = (a, b, c, d, e, f) != (1, 0, 0, 0, 1, 0)
    return replace(
        where,
        transform=(a * step, b * step, c, d * step, e * step, f) if placed else where.transform,
        gcps=tuple((row / step, column / step, x, y, z) for row, column, x, y, z in where.gcps),
        rpcs={},
    )


def same_waves(one: Floats | None, other: Floats | None) -> bool:
    """Tell whether wavelengths agree within 1 %, or are unknown on a side."""
    return one is None or other is None or bool(np.allclose(one, other, rtol=0.01))


def pooled(rasters: Sequence[Raster], weights: Sequence[float], *, seed: int) -> Raster:
    """Return one row of pixels drawn from several rasters, in proportion to their weights.

    Parameters
    ----------
    rasters : sequence of Raster
        Of one kind; gray pictures among colour ones count as neutral colours.
    weights : sequence of float > 0

    Raises
    ------
    DataError
        Pictures and cubes together, or cubes of different bands.
    """
    first = rasters[0]
    bands = max(raster.bands for raster in rasters)
    for raster in rasters[1:]:
        if raster.kind != first.kind:
            raise DataError(
                f"{raster.name}: expected a {first.kind} to pool with {first.name}, "
                f"found a {raster.kind}"
            )
        if raster.kind == "cube" and raster.bands != first.bands:
            raise DataError(
                f"{raster.name}: expected {first.bands} bands to pool with {first.name}, "
                f"found {raster.bands}"
            )
        if not same_waves(raster.wavelengths, first.wavelengths):
            raise DataError(
                f"{raster.name}: expected the wavelengths of {first.name} to pool with it, "
                "found others"
            )
    shares = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    rng = np.random.default_rng([seed, 2])
    count = min(POOLED, POOLED_VALUES // bands)
    drawn = [
        raster.sample(max(1, round(share * count)), seed=seed)
        for raster, share in zip(rasters, shares, strict=True)
    ]
    most = min(len(points) / share for points, share in zip(drawn, shares, strict=True))
    parts = []
    for points, share in zip(drawn, shares, strict=True):
        kept = rng.choice(len(points), max(1, round(share * most)), replace=False)
        parts.append(np.broadcast_to(points[kept], (len(kept), bands)))
    pool = np.concatenate(parts)[None]
    return replace(
        first,
        name=" + ".join(raster.name for raster in rasters),
        rows=1,
        columns=pool.shape[1],
        bands=bands,
        read=lambda start, stop: Rows(values=pool[start:stop]),
        nodata=None,
        has_alpha=False,
        georeference=None,
        carried=Carried(),
        film=None,
    )
