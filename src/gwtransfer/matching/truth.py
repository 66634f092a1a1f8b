"""A match held against what is known: errors along the surface."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.geodesics import Geodesics
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, ReadError
from gwtransfer.io.files import check_readable
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


def errors(matched: Matched, truth: str, *, seed: int) -> Errors:
    """Measure a match against the truth, at up to JUDGED seeded source vertices.

    Parameters
    ----------
    truth : str
        "same-index" where vertex i of one file is vertex i of the other, or a file, see `read`.

    Raises
    ------
    ReadError
        The file is no list of vertex numbers.
    DataError
        Numbers that a shape does not have, or a target without a surface.
    """
    known, right = _known(matched.source, matched.target, truth)
    if len(known) > JUDGED:
        chosen = np.random.default_rng([seed, 8]).choice(len(known), JUDGED, replace=False)
        chosen.sort()
        known, right = known[chosen], right[chosen]
    surface = Geodesics(matched.target)
    found = matched.index[known]
    each = np.empty(len(known))
    order = np.argsort(right, kind="stable")
    last, apart = -1, np.empty(0)
    for place in order:
        if right[place] != last:
            last, apart = int(right[place]), surface.from_vertex(int(right[place]))
        each[place] = apart[found[place]]
    return Errors(each=each)


def _known(source: Cloud, target: Cloud, truth: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return vertices of the source, and the vertex of the target each truly is."""
    mine, other = numbers(source), numbers(target)
    if truth == SAME_INDEX:
        if mine[-1] != other[-1] and len(mine) != len(other):
            raise DataError(
                f"--truth same-index: expected files of one numbering, found "
                f"{len(mine)} and {len(other)} points"
            )
        pairs = np.column_stack([mine, mine])
        name = "--truth same-index"
    else:
        pairs, name = read(Path(truth), mine), truth
    return indices(pairs[:, 0], mine, f"{name}: {source.name}"), indices(
        pairs[:, 1], other, f"{name}: {target.name}"
    )


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
        raise DataError(
            f"{name}: expected vertex numbers from 0 to {having[-1]}, found "
            f"{wanted[np.flatnonzero(wrong)[0]]}"
        )
    return np.asarray(place, dtype=np.intp)


def read(path: Path, mine: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read pairs of source and target numbers (q, 2), from 0.

    A .csv or text file with columns ``source,target`` (as `gwtransfer match` writes), or with two
    numbers a line; or one target number a line, for each source vertex in order; .vts likewise but
    counted from 1. A .npy or the array ``target`` of an .npz: one number for each source vertex.

    Raises
    ------
    ReadError
        Something else, or not a number for each source vertex.
    """
    check_readable(path)
    suffix = path.suffix.lower()
    listed = _stored(path, suffix) if suffix in (".npy", ".npz") else _written(path)
    if suffix == ".vts":
        listed = listed - 1
    if listed.ndim == 2 and listed.shape[1] == 2:
        return listed
    listed = listed.reshape(-1)
    if len(listed) != len(mine):
        raise ReadError(
            f"{path}: expected a target vertex for each of {len(mine)} source vertices, found "
            f"{len(listed)}"
        )
    return np.column_stack([mine, listed])


def _stored(path: Path, suffix: str) -> NDArray[np.int64]:
    try:
        loaded = np.load(path, allow_pickle=False)
        array = loaded if suffix == ".npy" else loaded["target"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ReadError(
            f"{path}: expected an array of target vertices, found something else"
        ) from error
    if array.dtype.kind not in "iu":
        raise ReadError(f"{path}: expected whole numbers, found {array.dtype}")
    return np.asarray(array, dtype=np.int64)


def _written(path: Path) -> NDArray[np.int64]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: expected a list of vertex numbers, found no text") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = [next(csv.reader([line])) if "," in line else line.split() for line in lines]
    columns = [0, 1]
    if rows and not _is_number(rows[0][0]):
        header = [word.strip().lower() for word in rows.pop(0)]
        if "source" not in header or "target" not in header:
            raise ReadError(
                f"{path}: expected columns source,target in the first line, found "
                f"{','.join(header)}"
            )
        columns = [header.index("source"), header.index("target")]
    if not rows:
        raise ReadError(f"{path}: expected vertex numbers, found none")
    width = min(len(rows[0]), 2) if columns == [0, 1] else 2
    try:
        return np.array([[int(row[column]) for column in columns[:width]] for row in rows])
    except (ValueError, IndexError) as error:
        raise ReadError(f"{path}: expected {width} whole numbers a line, found others") from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
