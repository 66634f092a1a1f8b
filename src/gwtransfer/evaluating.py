"""Distances held against known classes: what a search by them would find."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.retrieval import retrieve
from gwtransfer.errors import DataError
from gwtransfer.io.labels import labels_for
from gwtransfer.io.matrix import DistanceMatrix, read_matrix

Array = NDArray[np.float64]

SCORES = ("nearest", "first_tier", "second_tier", "discounted_gain", "average_precision")
"""Scores of a query, means over queries; see `gwtransfer.core.retrieval.Retrieval`."""

ITSELF = 1e-6
"""Share of the largest distance up to which a file may be away from itself."""


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Means over the queries of one class, or over all of them.

    Attributes
    ----------
    label : str or None
        None for all.
    queries : int
    scores : tuple of float
        One for each of SCORES, in [0, 1].
    """

    label: str | None
    queries: int
    scores: tuple[float, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """What distances are worth for finding things of the same class.

    Attributes
    ----------
    overall : ClassScores
    classes : tuple of ClassScores
        By label; classes without a scored query are left out.
    labels : tuple of str
        All classes, the rows and columns of ``confusion``.
    confusion : (c, c) array
        Queries by their class and that of their nearest target.
    targets : int
        Columns of the matrix.
    itself : bool
        Rows and columns are the same files, which do not find themselves.
    alone : tuple of str
        Queries whose class has no target, which have no scores.
    """

    overall: ClassScores
    classes: tuple[ClassScores, ...]
    labels: tuple[str, ...]
    confusion: Array
    targets: int
    itself: bool
    alone: tuple[str, ...]


def evaluate(path: Path, labels: str) -> Evaluation:
    """Score a file of distances by the classes of what it names.

    Parameters
    ----------
    labels : str
        As in `gwtransfer.io.labels.labels_for`.

    Raises
    ------
    ReadError, UsageError, PluginError
        The matrix or the labels cannot be read.
    DataError
        Not distances, a name without label, or no class with anything to find.
    """
    matrix = read_distances(path)
    itself = matrix.against is None
    queries, targets = (labels_for(names, labels) for names in (matrix.names, matrix.columns))
    known = sorted({*queries, *targets})
    found = retrieve(
        matrix.distances, _numbered(queries, known), _numbered(targets, known), itself=itself
    )
    if not len(found.queries):
        raise DataError(
            f"{path}: expected a class with something to find in it, found {len(known)} classes "
            "of which none has; are these the labels of these files?"
        )
    own = _numbered(queries, known)[found.queries]
    table = np.stack([getattr(found, score) for score in SCORES])
    scored = set(found.queries.tolist())
    return Evaluation(
        overall=_mean(None, table),
        classes=tuple(
            _mean(known[number], table[:, own == number]) for number in sorted(set(own.tolist()))
        ),
        labels=tuple(known),
        confusion=found.confusion,
        targets=len(targets),
        itself=itself,
        alone=tuple(name for row, name in enumerate(matrix.names) if row not in scored),
    )


def read_distances(path: Path) -> DistanceMatrix:
    """Read a matrix of distances; of the same files in rows and columns, expect all that follows.

    Returns
    -------
    DistanceMatrix
        With a diagonal of exact zeros where rows and columns are the same files.

    Raises
    ------
    DataError
        Rows and columns of the same names, and the matrix is not symmetric or a file is away from
        itself.
    """
    matrix = read_matrix(path)
    distances = matrix.distances
    if matrix.against == matrix.names:
        row, column = np.argwhere(distances != distances.T)[0]
        raise DataError(
            f"{path}: expected a symmetric matrix, as rows and columns have the same names, found "
            f"{distances[row, column]:g} and {distances[column, row]:g} between "
            f"{matrix.names[row]!r} and {matrix.names[column]!r}"
        )
    if matrix.against is not None:
        return matrix
    diagonal = np.diagonal(distances)
    far = int(diagonal.argmax())
    if diagonal[far] > ITSELF * distances.max():
        raise DataError(
            f"{path}: expected distance 0 from {matrix.names[far]!r} to itself, found "
            f"{diagonal[far]:g}; are these similarities? Distances are small for what is alike"
        )
    return replace(matrix, distances=np.where(np.eye(len(diagonal), dtype=bool), 0.0, distances))


def _numbered(labels: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    number = {label: place for place, label in enumerate(known)}
    return np.array([number[label] for label in labels], dtype=np.int64)


def _mean(label: str | None, table: Array) -> ClassScores:
    return ClassScores(
        label=label,
        queries=table.shape[1],
        scores=tuple(float(value) for value in table.mean(axis=1)),
    )
