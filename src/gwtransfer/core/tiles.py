"""Two rasters of one size read together by rectangles: all of them, or some spread over both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats, Raster

Span = tuple[int, int]
Mask = NDArray[np.bool_]

PIXELS, VALUES = 1 << 20, 64_000_000
"""Rasters of more pixels, or of more values together, are read in part."""

TILE_VALUES = 4_000_000
"""Values of a tile at most, both rasters together."""

TILES = 64
"""Tiles at least, about, when rasters are read in part."""

LEAST_SIDE = 24
"""Rows and columns of a tile at least, or half as many where that parts a raster evenly."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tile:
    """The same rectangle of two rasters.

    Attributes
    ----------
    first, second : (r, c, bands) arrays of floats
    valid : (r, c) array of bool
        Where both are.
    """

    first: Floats
    second: Floats
    valid: Mask


@dataclass(frozen=True, eq=False, kw_only=True)
class Tiles:
    """Disjoint tiles, none across two frames of a film.

    Rasters that are not too large are covered by them. Of larger ones the tiles are drawn, one
    from each of equal stretches of rows, and in it one from each of equal stretches of columns,
    so that they see the whole scene; rows between them are not read.

    Attributes
    ----------
    first, second : Raster
        Of the same size.
    seed : int
        Of the draw.
    whole : bool
        Whether the tiles cover the rasters.
    count, pixels : int
        How many there are, and how many pixels they hold.
    """

    first: Raster
    second: Raster
    seed: int
    whole: bool = field(init=False)
    count: int = field(init=False)
    pixels: int = field(init=False)
    _places: list[tuple[Span, list[Span]]] = field(init=False)

    def __post_init__(self) -> None:
        bands, height = self.first.bands + self.second.bands, self.first.frame_rows
        budget = min(PIXELS, VALUES // bands)
        whole = self.first.pixels <= budget
        area = TILE_VALUES // bands if whole else min(TILE_VALUES // bands, budget // TILES)
        tall = min(height, max(LEAST_SIDE, isqrt(area)))
        wide = min(self.first.columns, max(LEAST_SIDE, area // tall))
        rows = [
            (start + above, stop + above)
            for above in range(0, self.first.rows, height)
            for start, stop in _spans(height, tall)
        ]
        columns = _spans(self.first.columns, wide)
        places = [(row, columns) for row in rows]
        if not whole:
            rng = np.random.default_rng([self.seed, 3])
            most = max(1, budget // (tall * wide))
            across = min(len(columns), max(isqrt(most), -(-most // len(rows))))
            rows = _spread(rows, max(1, most // across), rng)
            places = [(row, _spread(columns, across, rng)) for row in rows]
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "count", sum(len(spans) for _, spans in places))
        object.__setattr__(self, "pixels", sum(_area(*place) for place in places))

    def __iter__(self) -> Iterator[Tile]:
        for (start, stop), spans in self._places:
            sides = [_strip(side, start, stop, spans) for side in (self.first, self.second)]
            for (first, valid0), (second, valid1) in zip(*sides, strict=True):
                yield Tile(first=first, second=second, valid=valid0 & valid1)


def _spans(length: int, side: int) -> list[Span]:
    """Part a length into the fewest nearly equal spans not longer than ``side``."""
    bounds = np.linspace(0, length, -(-length // side) + 1).round().astype(int).tolist()
    return list(pairwise(bounds))


def _area(rows: Span, columns: Sequence[Span]) -> int:
    return (rows[1] - rows[0]) * sum(right - left for left, right in columns)


def _spread(spans: Sequence[Span], count: int, rng: np.random.Generator) -> list[Span]:
    """Draw a span from each of ``count`` equal stretches of them."""
    stretches = np.array_split(np.arange(len(spans)), min(count, len(spans)))
    return [spans[int(rng.choice(stretch))] for stretch in stretches]


def _strip(
    raster: Raster, start: int, stop: int, spans: Sequence[Span]
) -> list[tuple[Floats, Mask]]:
    """Read rows start … stop − 1 a block at a time, and keep some columns of them."""
    values: list[list[Floats]] = [[] for _ in spans]
    valid: list[list[Mask]] = [[] for _ in spans]
    step = raster.block_rows()
    for row in range(start, stop, step):
        block = raster.block(row, min(row + step, stop))
        shape = (block.stop - block.start, raster.columns)
        points, good = block.points.reshape(*shape, -1), block.valid.reshape(shape)
        for place, (left, right) in enumerate(spans):
            values[place].append(points[:, left:right].copy())
            valid[place].append(good[:, left:right].copy())
    return [(np.concatenate(v), np.concatenate(g)) for v, g in zip(values, valid, strict=True)]
