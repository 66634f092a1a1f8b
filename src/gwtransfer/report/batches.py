"""The page of a table of distances: map, nearest, heat map and tree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core import scaling
from gwtransfer.evaluating import Evaluation
from gwtransfer.io.matrix import DistanceMatrix
from gwtransfer.report import batches_words as words
from gwtransfer.report.batches_drawn import joints, laid_out
from gwtransfer.report.batches_held import Side, check_folder, judged, side, table
from gwtransfer.report.page import Page, packed, render
from gwtransfer.report.shapes_page import Progress, recipe_text, sections_of, unwatched

Array = NDArray[np.float64]

NEAREST = 5
"""Neighbours that are shown of each file."""

SINGLE, HALF = 500_000, 1_200_000
"""Distances that are stored as single floats, and in steps of the largest; more are left out."""

WRITTEN = 40
"""Files of which the whole table is written out."""

LISTED = 600
"""Files whose neighbours are listed."""

STEPS = 65_535


def page(
    path: Path,
    folder: Path | None = None,
    *,
    against: Path | None = None,
    labels: str | None = None,
    recipe: Mapping[str, Any] | None = None,
    progress: Progress = unwatched,
) -> Page:
    """Return the page of a table that `gwtransfer pairwise` wrote.

    Parameters
    ----------
    folder, against : Path or None
        Where the files of the rows, and of the columns, are; None shows names only.
    labels : str or None
        As in `gwtransfer.io.labels.labels_for`; None takes folders that hold several files.
    recipe : mapping or None
        What the table was made by.

    Raises
    ------
    ReadError, DataError
        Not a table of distances, or labels that do not fit it.
    """
    matrix = table(path)
    if folder is not None:
        check_folder(folder, path, matrix.names)
    labels, scores = judged(path, matrix, labels)
    tree = None if matrix.against is not None else scaling.average_linkage(matrix.distances)
    order = np.arange(len(matrix.names)) if tree is None else scaling.leaves(tree)
    rows = side(matrix.names, folder, labels, order.tolist(), progress)
    columns = rows
    if matrix.against is not None:
        places = range(len(matrix.against))
        columns = side(matrix.against, against, labels, places, progress)
    progress("draw", 0, 0)
    scaled = None if tree is None else scaling.scale(matrix.distances)
    text = render(
        "batch.html.j2",
        {
            "title": _title(matrix, folder, path),
            "said": words.pairs_said(matrix.distances, rows.short)
            if tree is not None
            else words.against_said(matrix.distances, rows.short, columns.short),
            "trusted": _trusted(scaled, scores),
            "rows": rows,
            "columns": columns,
            "itself": matrix.against is None,
            "classes": _classes(rows, columns),
            "drawn": None
            if scaled is None
            else laid_out(
                scaled.points,
                rows.short,
                [place in rows.pictures for place in range(len(rows.names))],
            ),
            "order": order.tolist(),
            "joints": [] if tree is None else joints(tree, scaling.branches(tree)),
            "nearest": _nearest(matrix, rows, columns, order.tolist()),
            "missing": _missing(rows, columns, folder, against),
            "figures": words.figures(matrix.distances, scaled),
            "scores": None if scores is None else words.class_figures(scores),
            "per_class": [] if scores is None else _per_class(scores),
            "alone": () if scores is None else scores.alone,
            "written": _written(matrix, rows, columns, order.tolist()),
            "pictures": _symbols(rows, columns),
            "recipe": None if not recipe else recipe_text(recipe),
            "table": path.name,
            "data": _data(matrix, rows, columns, order.tolist()),
        },
        scripts=("batch.js",),
    )
    return Page(kind="pairwise", text=text, sections=sections_of(text))


def _title(matrix: DistanceMatrix, folder: Path | None, path: Path) -> str:
    where = path.name if folder is None else (folder.resolve().name or path.name)
    if matrix.against is None:
        return f"{len(matrix.names)} files of {where}, compared with each other"
    return f"{len(matrix.names)} files of {where}, compared with {len(matrix.against)} others"


def _trusted(scaled: scaling.Scaling | None, scores: Evaluation | None) -> list[str]:
    """Say how far to trust the distances and their map."""
    found = [] if scores is None else [words.classes_said(scores)]
    return found if scaled is None else [*found, words.map_said(scaled)]


def _per_class(scores: Evaluation) -> list[dict[str, Any]]:
    return [
        {"label": one.label or "", "queries": one.queries, "scores": one.scores}
        for one in scores.classes
    ]


def _classes(rows: Side, columns: Side) -> dict[str, int]:
    """Return the number of each class."""
    known = sorted({*(rows.labels or ()), *(columns.labels or ())})
    return {label: number for number, label in enumerate(known)}


def _nearest(
    matrix: DistanceMatrix, rows: Side, columns: Side, order: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the nearest of each file, in the order of the tree."""
    itself = matrix.against is None
    found = []
    for row in order[:LISTED]:
        apart = matrix.distances[row].copy()
        if itself:
            apart[row] = np.inf
        near = np.argsort(apart, kind="stable")[: min(NEAREST, len(apart) - itself)]
        found.append(
            {
                "row": row,
                "near": [
                    {
                        "column": int(column),
                        "apart": f"{apart[column]:.4g}",
                        "same": rows.labels is not None
                        and columns.labels is not None
                        and rows.labels[row] == columns.labels[column],
                    }
                    for column in near
                ],
            }
        )
    return found


def _missing(rows: Side, columns: Side, folder: Path | None, against: Path | None) -> str | None:
    """Say why some files have no picture; None where all have."""
    if folder is None:
        return "Name the folder of the files as well to see small pictures of them."
    names = len(rows.names) + (0 if columns is rows else len(columns.names))
    shown = len(rows.pictures) + (0 if columns is rows else len(columns.pictures))
    if columns is not rows and against is None:
        return "Of the columns' files only names are shown, as their folder was not named."
    if shown == names:
        return None
    return (
        f"Small pictures are shown of {shown} of {names} files: of many files some are drawn, and "
        "none of what is no shape or is not in the folder any more."
    )


def _symbols(rows: Side, columns: Side) -> list[dict[str, str]]:
    """Return each small picture once, under the name by which the page shows it."""
    sides = [("r", rows)] if columns is rows else [("r", rows), ("c", columns)]
    return [
        {"id": f"{letter}{place}", "url": url}
        for letter, one in sides
        for place, url in one.pictures.items()
    ]


def _written(
    matrix: DistanceMatrix, rows: Side, columns: Side, order: Sequence[int]
) -> dict[str, Any] | None:
    """Return the whole table as text; None where it would be too long to read."""
    if max(matrix.distances.shape) > WRITTEN:
        return None
    across = order if matrix.against is None else range(len(columns.names))
    return {
        "columns": [columns.short[column] for column in across],
        "rows": [
            {
                "name": rows.short[row],
                "cells": [f"{matrix.distances[row, column]:.4g}" for column in across],
            }
            for row in order
        ],
    }


def _data(
    matrix: DistanceMatrix, rows: Side, columns: Side, order: Sequence[int]
) -> dict[str, Any]:
    """Return what the page's script draws and says."""
    distances, most = matrix.distances, float(matrix.distances.max())
    held: dict[str, Any] = {
        "rows": rows.short,
        "columns": columns.short,
        "itself": matrix.against is None,
        "pictured": {
            "r": sorted(rows.pictures),
            "c": sorted(columns.pictures) if columns is not rows else [],
        },
        "labels": rows.labels,
        "order": list(order),
        "most": most,
        "step": None,
        "distances": None,
    }
    if distances.size <= SINGLE:
        held["distances"] = packed(distances.astype(np.float32))
    elif distances.size <= HALF:
        step = (most or 1.0) / STEPS
        held |= {"step": step, "distances": packed(np.round(distances / step).astype(np.uint16))}
    return held
