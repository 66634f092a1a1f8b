"""A result held against its source and its palette, in figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gwtransfer.core.raster import Raster
from gwtransfer.core.tiles import Tiles
from gwtransfer.errors import DataError
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.tally import Figure, Tally

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many of how many pixels are done."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a result is worth.

    Attributes
    ----------
    figures : tuple of Figure
    pixels : int
        Valid pixels that were looked at.
    whole : bool
        Whether the whole rasters were looked at, or tiles spread over them.
    notes : tuple of str
        What was guessed or left out while the files were read.
    """

    figures: tuple[Figure, ...]
    pixels: int
    whole: bool
    notes: tuple[str, ...]

    def value(self, key: str) -> float:
        """Return the value of a figure; NaN when it is undefined or was not asked for."""
        return {figure.key: figure.value for figure in self.figures}.get(key, float("nan"))


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


def judge_files(
    source: Path,
    result: Path,
    *,
    palette: Path | None = None,
    opening: Opening,
    seed: int = 0,
    progress: Progress = _silent,
) -> Judgement:
    """Judge a file that was made of another.

    Parameters
    ----------
    palette : Path or None
        Whose colours the result was given.
    opening : Opening
        How to open the source; the others are opened by their content.

    Raises
    ------
    GwTransferError
        What cannot be read or compared.
    """
    (before,) = open_rasters(opening, source)
    after, *rest = open_rasters(Opening(), result, *([] if palette is None else [palette]))
    return judge(before, after, palette=rest[0] if rest else None, seed=seed, progress=progress)


def judge(
    source: Raster,
    result: Raster,
    *,
    palette: Raster | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> Judgement:
    """Judge a raster that was made of another.

    Pixels with a hole on either side are left out. Large rasters are judged by tiles spread over
    them; memory does not grow with them.

    Raises
    ------
    DataError
        Different sizes, no pixel valid on both sides, a palette of another kind than the result,
        or values whose squares a double cannot hold.
    """
    _check(source, result, palette)
    tiles = Tiles(first=source, second=result, seed=seed)
    tally = Tally(tiles, np.random.default_rng([seed, 4]))
    done = 0
    try:
        with np.errstate(over="raise"):
            for tile in tiles:
                tally.add(tile)
                done += tile.valid.size
                progress("measure", done, tiles.pixels)
            if not tally.pixels:
                raise DataError(f"{result.name}: no pixel is valid both here and in {source.name}")
            figures = [*tally.figures()]
            if palette is not None:
                figures.append(tally.palette_distance(palette, seed))
    except FloatingPointError:
        raise DataError(
            f"{result.name}: it or {source.name} holds values too large to square; divide them"
        ) from None
    opened = (source, result) if palette is None else (source, result, palette)
    return Judgement(
        figures=tuple(figures),
        pixels=tally.pixels,
        whole=tiles.whole,
        notes=tuple(note for raster in opened for note in raster.notes),
    )


def _check(source: Raster, result: Raster, palette: Raster | None) -> None:
    """Refuse what cannot be compared."""
    if (result.rows, result.columns) != (source.rows, source.columns):
        raise DataError(
            f"{result.name}: expected {source.rows} × {source.columns} pixels as {source.name} "
            f"has, found {result.rows} × {result.columns}"
        )
    if palette is None or palette.kind == result.kind == "picture":
        return
    if (palette.kind, palette.bands) != (result.kind, result.bands):
        raise DataError(
            f"{palette.name}: expected a palette like {result.name}, a {result.kind} of "
            f"{result.bands} bands, found a {palette.kind} of {palette.bands}"
        )
