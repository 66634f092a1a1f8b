"""The user's pairs: this pixel shall get that colour."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.errors import DataError, UsageError
from gwtransfer.io.layout import array_raster
from gwtransfer.io.pictures.profile import in_profile

Array = NDArray[np.float64]

PAIR = re.compile(r"\s*(\d{1,9})\s*,\s*(\d{1,9})\s*=\s*#?([0-9a-fA-F]{6})\s*")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A pixel of the source and the colour it shall get.

    Attributes
    ----------
    column, row : int
        From 0, at the top left.
    colour : tuple of 3 floats
        sRGB in [0, 1].
    """

    column: int
    row: int
    colour: tuple[float, float, float]


def parse_pair(text: str) -> Pair:
    """Understand ``X,Y=#rrggbb``.

    Raises
    ------
    UsageError
        It is not that.
    """
    found = PAIR.fullmatch(text)
    if not found:
        raise UsageError(
            f"--pair {text}: expected X,Y=#rrggbb: column and row of a pixel, from 0, and its "
            "colour, like 120,45=#3366cc"
        )
    red, green, blue = (int(found[3][at : at + 2], 16) / 255 for at in (0, 2, 4))
    return Pair(column=int(found[1]), row=int(found[2]), colour=(red, green, blue))


def parse_pairs(texts: Sequence[str]) -> list[Pair]:
    """Understand several, each for a pixel of its own.

    Raises
    ------
    UsageError
        One is not understood, or a pixel is given two colours.
    """
    pairs: dict[tuple[int, int], Pair] = {}
    for text in texts:
        pair = parse_pair(text)
        if pairs.setdefault((pair.column, pair.row), pair) != pair:
            raise UsageError(f"--pair {text}: this pixel already has another colour; drop one")
    return list(pairs.values())


def pair_values(source: Raster, palette: Raster, pairs: Sequence[Pair]) -> tuple[Array, Array]:
    """Return the values (q, d) of the pairs' pixels and the colours (q, 3) they shall get.

    Raises
    ------
    DataError
        A pixel lies outside the source or has no data, or the palette is not in colour.
    """
    if palette.kind != "picture" or palette.bands != 3:
        raise DataError(f"{palette.name}: --pair needs a palette in colour")
    values = []
    for pair in pairs:
        where = f"{source.name}: --pair {pair.column},{pair.row}"
        if pair.column >= source.columns or pair.row >= source.rows:
            raise DataError(
                f"{where}: expected a pixel of {source.columns} columns and {source.rows} rows"
            )
        block = source.block(pair.row, pair.row + 1)
        if not block.valid[pair.column]:
            raise DataError(f"{where}: this pixel has no data")
        values.append(block.points[pair.column])
    asked = np.array([[pair.colour for pair in pairs]])
    told = array_raster(asked, name="--pair", kind="picture")
    if source.kind == "picture":  # the result's numbers are those of the source's profile
        told = in_profile(told, source.carried.icc)
    return np.array(values, dtype=np.float64), told.block(0, 1).points.astype(np.float64)
