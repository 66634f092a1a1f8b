"""A match held against what is known: errors along the surface."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.geodesics import Geodesics
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.npz import decoded, read_arrays
from gwtransfer.matching.matched import Matched, numbers

Array = NDArray[np.float64]

SAME_INDEX = "same-index"

JUDGED = 1_000
"""Source vertices whose errors are measured: one geodesic solution each."""

THRESHOLDS = np.round(np.linspace(0.0, 0.25, 26), 2)
"""Errors at which the curve says what share of the vertices is no worse."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Errors:
    """How far matches are from the truth along the target's surface, over the root of its area.

    Attributes
    ----------
    each : (q,) array
        Of the judged source vertices.
    """

    each: Array

    @property
    def mean(self) -> float:
        """Mean error."""
        return float(self.each.mean())

    @property
    def curve(self) -> Array:
        """Share of vertices whose error is at most each of THRESHOLDS."""
        return np.asarray((self.each[:, None] <= THRESHOLDS).mean(axis=0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What is known of a pair of shapes, and the surface on which errors are measured.

    Attributes
    ----------
    source, target : (q,) arrays
        Vertices of the source, and the vertex of the target that each truly is, as indices.
    surface : Geodesics
        Of the target.
    """

    source: NDArray[np.intp]
    target: NDArray[np.intp]
    surface: Geodesics

    @classmethod
    def of(cls, source: Cloud, target: Cloud, given: str) -> "Truth":
        """Understand a truth in the files' numbering, before any matching.

        Parameters
        ----------
        given : str
            "same-index" where vertex i of one file is vertex i of the other, or a file, see `read`.

        Raises
        ------
        ReadError
            The file is no list of vertex numbers.
        DataError
            Numbers that a shape does not have, or a target without a surface.
        MissingError
            potpourri3d is not installed.
        """
        mine, other = numbers(source), numbers(target)
        if given == SAME_INDEX:
            whole = source.numbers is None and target.numbers is None
            both = np.intersect1d(mine, other)
            if not len(both) or (whole and len(mine) != len(other)):
                raise DataError(
                    f"--truth same-index: expected files of one numbering, found "
                    f"{len(mine)} and {len(other)} points; name a file"
                )
            pairs = np.column_stack([both, both])
        else:
            pairs = read(Path(given), mine)
        return cls(
            source=indices(pairs[:, 0], mine, f"{given}: {source.name}"),
            target=indices(pairs[:, 1], other, f"{given}: {target.name}"),
            surface=Geodesics(target),
        )

    def errors(self, matched: Matched, *, seed: int) -> Errors:
        """Measure a match at up to JUDGED seeded source vertices.

        Raises
        ------
        DataError
            No finite distances along the target's surface.
        """
        known, right = self.source, self.target
        if len(known) > JUDGED:
            chosen = np.random.default_rng([seed, 8]).choice(len(known), JUDGED, replace=False)
            known, right = known[chosen], right[chosen]
        found = matched.index[known]
        each = np.empty(len(known))
        for vertex in np.unique(right):
            here = right == vertex
            each[here] = self.surface.from_vertex(int(vertex))[found[here]]
        return Errors(each=each)


def indices(wanted: NDArray[np.int64], having: NDArray[np.int64], name: str) -> NDArray[np.intp]:
    """Return where a file's vertex numbers are among those a cloud has.

    Raises
    ------
    DataError
        It does not have one of them.
    """
    place = np.searchsorted(having, wanted)
    wrong = (place >= len(having)) | (having[np.minimum(place, len(having) - 1)] != wanted)
    if wrong.any():
        number = wanted[np.flatnonzero(wrong)[0]]
        if 0 <= number <= having[-1]:
            raise DataError(f"{name}: point {number} is not finite in the file; leave it out")
        raise DataError(f"{name}: expected vertex numbers from 0 to {having[-1]}, found {number}")
    return np.asarray(place, dtype=np.intp)


def read(path: Path, mine: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read pairs of source and target numbers (q, 2), from 0.

    A .csv or text file with columns ``source,target`` (as `gwtransfer match` writes), or with two
    numbers a line; or one target number a line, for each source vertex in order; .vts likewise but
    counted from 1. A .npy of either; an .npz with an array ``target`` and, if not for all source
    vertices, ``source``.

    Raises
    ------
    ReadError
        Something else, or not a number for each source vertex.
    """
    check_readable(path)
    suffix = path.suffix.lower()
    listed = _stored(path, suffix) if suffix in (".npy", ".npz") else _written(path)
    if suffix == ".vts":
        if listed.min() < 1:
            raise ReadError(f"{path}: expected numbers from 1 in a .vts, found {listed.min()}")
        listed = listed - 1
    if listed.ndim == 2 and listed.shape[1] == 2:
        return listed
    if listed.ndim == 0 or listed.size != len(mine) or max(listed.shape) != len(mine):
        raise ReadError(
            f"{path}: expected a target vertex for each of {len(mine)} source vertices, or pairs, "
            f"found {' x '.join(map(str, listed.shape))} numbers"
        )
    return np.column_stack([mine, listed.reshape(-1)])


def _stored(path: Path, suffix: str) -> NDArray[np.int64]:
    try:
        if suffix == ".npz":
            held = read_arrays(path)
            array = held["target"]
            if "source" in held and held["source"].shape == array.shape:
                array = np.column_stack([held["source"], array])
        else:
            array = decoded(path.read_bytes())
    except Exception as error:  # the parser of a header raises what its tokenizer does
        raise ReadError(
            f"{path}: expected an array of target vertices, found something else"
        ) from error
    if array.dtype.kind not in "iu" or not array.size:
        raise ReadError(f"{path}: expected whole numbers, found {array.size} of {array.dtype}")
    return np.asarray(array, dtype=np.int64)


def _written(path: Path) -> NDArray[np.int64]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: expected a list of vertex numbers, found no text") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = [re.split(r"\s*[,;]\s*|\s+", line.strip()) for line in lines]
    columns: list[int] | None = None
    if rows and not _is_number(rows[0][0]):
        header = [word.strip('"').lower() for word in rows.pop(0)]
        if "source" not in header or "target" not in header:
            raise ReadError(
                f"{path}: expected vertex numbers, or columns source,target named in the first "
                f"line, found {','.join(header)[:60]}"
            )
        columns = [header.index("source"), header.index("target")]
    if not rows:
        raise ReadError(f"{path}: expected vertex numbers, found none")
    width = len(rows[0])
    if columns is None:
        if width > 2:
            raise ReadError(f"{path}: expected one or two numbers a line, found {width}")
        columns = list(range(width))
    try:
        if any(len(row) != width for row in rows):
            raise ValueError
        return np.array([[int(row[column]) for column in columns] for row in rows], dtype=np.int64)
    except (ValueError, IndexError, OverflowError) as error:
        raise ReadError(
            f"{path}: expected {len(columns)} whole numbers in each line, found others"
        ) from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
