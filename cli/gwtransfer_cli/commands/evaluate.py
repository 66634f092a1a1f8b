"""`gwtransfer evaluate`: how well distances find what belongs together."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console

if TYPE_CHECKING:
    from gwtransfer.evaluating import Evaluation

HEADINGS = ("class", "queries", "NN", "1st tier", "2nd tier", "DCG", "mAP")
ALL = "all"


@calls.command(reads=("distances", "labels"))
def evaluate(
    distances: Annotated[
        Path,
        typer.Argument(
            help="Matrix of `gwtransfer pairwise`: .csv, .npz or .parquet.", show_default=False
        ),
    ],
    labels: Annotated[
        str,
        typer.Option(
            metavar="from-folder|FILE",
            help="Class of each file: the first folder of its name (class01/m1.obj), a CSV with "
            "a first row name,label, or a .cla of the Princeton Shape Benchmark.",
        ),
    ] = "from-folder",
) -> calls.Answer:
    """Score DISTANCES as a search: is the nearest of the same class, and are the next?

    Each row is a query and ranks all columns; all other files, where rows and
    columns are the same. With c the number of targets of the query's class:

    NN: the nearest is of the class. 1st and 2nd tier: the share of the class
    among the c, and the 2c, nearest. DCG: discounted cumulative gain of the
    whole ranking. mAP: mean precision at the ranks of the class. 1 is perfect.

    Figures are means over queries. Files at the same distance count by the mean
    over their orders; a query with nothing to find is left out, and said.

    The last table counts queries by their class (rows) and by that of the
    nearest target (columns).
    """
    from gwtransfer import evaluating

    found = evaluating.evaluate(distances, labels)
    if found.alone:
        few = ", ".join(found.alone[:5]) + (", …" if len(found.alone) > 5 else "")
        console.note(
            f"{len(found.alone)} of {len(found.alone) + found.overall.queries} have no other of "
            f"their class to find and are no queries: {few}"
        )
    if not console.is_json():
        _table(HEADINGS, _score_rows(found))
        console.result("")
        _table(*_confusion_table(found))
    return calls.Answer(figures=_figures(found))


def _score_rows(found: "Evaluation") -> list[list[str]]:
    return [
        [row.label or ALL, str(row.queries), *(f"{score:.3f}" for score in row.scores)]
        for row in (*found.classes, found.overall)
    ]


def _confusion_table(found: "Evaluation") -> tuple[list[str], list[list[str]]]:
    """Return headings and rows; columns are numbered, as names would not fit."""
    numbers = [str(number) for number in range(1, len(found.labels) + 1)]
    rows = [
        [number, label, *(f"{count:.4g}" if count else "." for count in counts)]
        for number, label, counts in zip(numbers, found.labels, found.confusion, strict=True)
        if counts.any()
    ]
    return ["", "nearest is of", *numbers], rows


def _table(headings: Sequence[str], rows: list[list[str]]) -> None:
    """Print a table: drawn on a terminal, in plain columns elsewhere. Words left, numbers right."""
    words = [heading in ("class", "nearest is of") for heading in headings]
    if sys.stdout is not None and sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table()
        for heading, word in zip(headings, words, strict=True):
            table.add_column(heading, justify="left" if word else "right", overflow="fold")
        for row in rows:
            table.add_row(*row, style="bold" if row[0] == ALL else None)
        Console(markup=False, highlight=False).print(table)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in [list(headings), *rows]:
        cells = [
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(row, widths, words, strict=True)
        ]
        console.result("  ".join(cells).rstrip())


def _figures(found: "Evaluation") -> calls.Figures:
    """Return an evaluation as JSON holds it."""
    from gwtransfer.evaluating import SCORES, ClassScores

    def scores(row: ClassScores) -> dict[str, float]:
        return {"queries": row.queries, **dict(zip(SCORES, row.scores, strict=True))}

    return {
        "overall": scores(found.overall),
        "classes": {row.label: scores(row) for row in found.classes},
        "confusion": {"labels": found.labels, "counts": found.confusion.tolist()},
        "targets": found.targets,
        "all_pairs": found.itself,
        "alone": found.alone,
    }
