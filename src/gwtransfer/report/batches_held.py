"""What a page of distances shows: the table, names, classes, and small pictures of the files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, GwTransferError, ReadError
from gwtransfer.evaluating import Evaluation, evaluate, read_distances
from gwtransfer.io.labels import FROM_FOLDER, labels_for
from gwtransfer.io.matrix import DistanceMatrix
from gwtransfer.io.store import is_artefact
from gwtransfer.opening import Opening
from gwtransfer.report.batches_painted import painted
from gwtransfer.report.inlined import inlined
from gwtransfer.report.page import data_url
from gwtransfer.report.shapes_page import Progress
from gwtransfer.report.shown import Showing, seen

Array = NDArray[np.float64]

PAINTED = 80
"""Files that are read for a small picture, at most."""

SMALL = 60
"""Pixels of the longer side of a small picture of a picture."""

NEAREST, MATCHED = b"name,rank,neighbor,distance", b"source,target"
"""How tables begin that are none of distances: of the nearest, and of a match."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """The files of rows, or of columns.

    Attributes
    ----------
    names, short : tuple of n str
        As the table has them, and as short as they still differ.
    labels : tuple of n str, or None
    pictures : dict of int to str
        Small pictures by place, as addresses that hold them.
    """

    names: tuple[str, ...]
    short: tuple[str, ...]
    labels: tuple[str, ...] | None
    pictures: dict[int, str]


def table(path: Path) -> DistanceMatrix:
    """Read the distances of at least two files.

    Raises
    ------
    ReadError, DataError
        Something else, as a table of the nearest, or of a match.
    """
    if path.suffix.lower() == ".csv":
        with path.open("rb") as file:
            first = file.read(len(NEAREST))
        if first.startswith(MATCHED):
            raise ReadError(
                f"{path}: expected distances of `gwtransfer pairwise`, found a match; write it "
                "into a folder by `gwtransfer match -o FOLDER` and name that"
            )
        if first == NEAREST:
            raise ReadError(
                f"{path}: expected all distances, found the nearest only; run gwtransfer pairwise "
                "without --nearest"
            )
    matrix = read_distances(path)
    if matrix.distances.size < 2:
        raise DataError(f"{path}: expected at least 2 files, found 1")
    return matrix


def check_folder(folder: Path, path: Path, names: Sequence[str]) -> None:
    """Refuse a folder that holds none of a table's files.

    Raises
    ------
    DataError
    """
    inside = [PurePosixPath(name) for name in names]
    there = (
        folder.name in names if folder.is_file() else any((folder / one).exists() for one in inside)
    )
    if not there:
        raise DataError(
            f"{folder}: expected the files of {path}, found none of them, as {names[0]}; name "
            "the folder that was compared"
        )


def side(
    names: Sequence[str],
    folder: Path | None,
    labels: str | None,
    order: Sequence[int],
    progress: Progress,
) -> Side:
    """Return what is known of the files that are named.

    Parameters
    ----------
    folder : Path or None
        Where the files are; None shows no pictures.
    labels : str or None
        As in `gwtransfer.io.labels.labels_for`; None is none.
    order : sequence of int
        The places of the names as they are shown: of many files some are painted, spread over it.
    """
    return Side(
        names=tuple(names),
        short=shortened(names),
        labels=None if labels is None else tuple(labels_for(names, labels)),
        pictures={} if folder is None else _pictures(names, folder, order, progress),
    )


def judged(
    path: Path, matrix: DistanceMatrix, labels: str | None
) -> tuple[str | None, Evaluation | None]:
    """Return where classes come from and the scores by them; None where nobody knows classes.

    They come from what was asked for, else from folders of which some hold several files.

    Raises
    ------
    ReadError, DataError
        Labels that were asked for cannot be had.
    """
    if labels is not None:
        return labels, evaluate(path, labels)
    try:
        found = labels_for(matrix.columns, FROM_FOLDER)
        if not 1 < len(set(found)) < len(found):
            return None, None
        return FROM_FOLDER, evaluate(path, FROM_FOLDER)
    except DataError:
        return None, None


def shortened(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without folder, or without extension, where they still differ."""
    bare = [PurePosixPath(name).with_suffix("") for name in names]
    for short in ([path.name for path in bare], [str(path) for path in bare]):
        if len(set(short)) == len(names):
            return tuple(short)
    return tuple(names)


def _pictures(
    names: Sequence[str], folder: Path, order: Sequence[int], progress: Progress
) -> dict[int, str]:
    """Paint files, spread over an order where they are many; what cannot be read has none."""
    count = min(PAINTED, len(names))
    spread = np.linspace(0, len(names) - 1, count).round().astype(int)
    chosen = [int(order[place]) for place in spread]
    found: dict[int, str] = {}
    for done, place in enumerate(sorted(chosen)):
        progress("paint", done, len(chosen))
        path = _file(names[place], folder)
        if path is None:
            continue
        try:
            (item,) = Opening()(path)
            found[place] = _picture(item)
        except GwTransferError:
            continue
    return found


def _picture(item: Cloud | Raster) -> str:
    if isinstance(item, Cloud):
        return data_url(painted(item), "image/png")
    showing = Showing.of_raster(item, seed=0)
    return inlined(seen(item, showing, most=SMALL).colours, most_side=SMALL).url


def _file(name: str, folder: Path) -> Path | None:
    """Return the file of a name, where it is one of the folder."""
    if folder.is_file():
        return folder
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        return None
    path = folder / inside
    return path if path.is_file() and not is_artefact(path) else None
