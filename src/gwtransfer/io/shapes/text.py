"""Points as text, a line each: XYZ, PTS, PWN, CSV and their like."""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import ReadError

AXES = (("x", "y", "z"), ("points:0", "points:1", "points:2"), ("points_0", "points_1", "points_2"))
"""What headers call the coordinates; the later ones are ParaView's."""

LOOKED_AT = 20
"""Lines by which to tell points from other text."""

_COMMENT = re.compile(r"\A(?:#|//)+")


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """How the lines of a file are laid out.

    Attributes
    ----------
    separator : str or None
        None for any white space.
    places : three of int
        The columns of x, y and z.
    width : int
        Fields in every line.
    promised : int or None
        Points by a first line that holds only their number.
    """

    separator: str | None
    places: tuple[int, int, int]
    width: int
    promised: int | None


def looks_like_points(head: bytes, *, whole: bool) -> bool:
    """Tell whether the beginning of a text is lines of at least three numbers; never raises.

    Parameters
    ----------
    head : bytes
    whole : bool
        The last line is complete.
    """
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    try:
        columns, rows = _laid_out(lines if whole else lines[:-1], name="")
        for number, fields in islice(rows, LOOKED_AT):
            _coordinates(fields, columns, number, name="")
    except ReadError:
        return False
    return True


def read_text(path: Path) -> NDArray[np.float64]:
    """Read the points of a text file in its order.

    Lines beginning with ``#`` or ``//`` are left out, but where one names x, y and z it says which
    columns they are, as a header without these signs does; else they are the first three.

    Returns
    -------
    (n, 3) array
        NaN where the file says so.

    Raises
    ------
    ReadError
        A line with other fields than numbers, or more or fewer of them than the first; fewer
        points than a first line promises; a header without x, y and z.
    """
    values = array("d")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        columns, rows = _laid_out(file, name=f"{path}: ")
        for number, fields in rows:
            values.extend(_coordinates(fields, columns, number, name=f"{path}: "))
    points = np.frombuffer(values, dtype=np.float64).reshape(-1, 3)
    if columns.promised is not None and columns.promised != len(points):
        raise ReadError(
            f"{path}: expected {columns.promised} points as its first line says, found "
            f"{len(points)}; the file is truncated or joined, get it again"
        )
    return points


def _laid_out(
    lines: Iterable[str], *, name: str
) -> tuple[_Columns, Iterator[tuple[int, list[str]]]]:
    """Return the layout, and every line of points with its number in the file, from 1."""
    rows = ((number, line.partition(" #")[0].strip()) for number, line in enumerate(lines, start=1))
    promised: int | None = None
    named: tuple[int, int, int] | None = None
    for number, line in rows:
        words, separator = _split(_COMMENT.sub("", line))
        found = _named_places(words)
        if found is not None:
            named = found
        elif not line or _COMMENT.match(line):
            continue
        elif promised is None and len(words) == 1 and words[0].isdecimal():
            promised = int(words[0])
        elif not any(map(_is_number, words)):
            raise ReadError(
                f"{name}expected numbers, or columns named x, y and z, found "
                f"{', '.join(words)[:60]!r} in line {number}"
            )
        else:
            break
    else:
        raise ReadError(f"{name}expected points, found none in this file of text")
    if len(words) < 3:
        raise ReadError(
            f"{name}expected at least three coordinates in line {number}, found {len(words)}"
        )
    places = named or (0, 1, 2)
    if max(places) >= len(words):
        raise ReadError(
            f"{name}expected as many fields as the header has names, found {len(words)} in line "
            f"{number}"
        )
    columns = _Columns(separator=separator, places=places, width=len(words), promised=promised)

    def points() -> Iterator[tuple[int, list[str]]]:
        yield number, words
        for later, text in rows:
            if text and not _COMMENT.match(text):
                yield later, _split(text, separator)[0]

    return columns, points()


def _coordinates(
    fields: list[str], columns: _Columns, number: int, *, name: str
) -> tuple[float, float, float]:
    if len(fields) != columns.width:
        raise ReadError(
            f"{name}expected {columns.width} fields in line {number} as in the first, found "
            f"{len(fields)}; the file is truncated or holds several tables"
        )
    x, y, z = (fields[place] for place in columns.places)
    try:
        return float(x), float(y), float(z)
    except ValueError:
        wrong = next(word for word in (x, y, z) if not _is_number(word))
        raise ReadError(
            f"{name}expected numbers with decimal points in line {number}, found {wrong[:40]!r}"
        ) from None


def _split(line: str, separator: str | None = None) -> tuple[list[str], str | None]:
    """Return the fields of a line, and what separates them."""
    if separator is None:
        separator = next((mark for mark in (";", ",") if mark in line), None)
    fields = [field.strip().strip("\"'").strip() for field in line.split(separator)]
    return fields, separator


def _named_places(words: list[str]) -> tuple[int, int, int] | None:
    """Return the columns of x, y and z where the words are names of columns."""
    names = [word.lower() for word in words]
    for x, y, z in AXES:
        if all(names.count(axis) == 1 for axis in (x, y, z)):
            return names.index(x), names.index(y), names.index(z)
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
