"""What a study has found, and the folder it is written into."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from gwtransfer.adapters import curves, plots
from gwtransfer.errors import GwTransferError, UsageError, WriteError
from gwtransfer.io import files
from gwtransfer.io.matrix import write_csv
from gwtransfer.io.unfinished import is_unfinished, sweep, working_folder

Cell = str | int | float | bool | None
"""A value of a table; None and what is not finite are left empty."""

WORDS, TABLE, SUMMARY = "findings.txt", "table.csv", "findings.json"

DRAWINGS = ("plot", "spread", "results", "samples", "bounds")
"""Names that figures may have, without their ending."""

MEMBERS = (WORDS, TABLE, *(f"{name}.png" for name in DRAWINGS), SUMMARY)
"""What a folder may hold; the summary comes last, and a folder that holds it is whole."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings:
    """What a study has found.

    Attributes
    ----------
    title : str
    sentences : tuple of str
        In plain words, the most important first.
    columns : tuple of str
        Names of the table's columns.
    rows : tuple of tuples
        A value a column.
    figures : mapping of str to Figure
        By one of DRAWINGS each.
    summary : mapping of str to value
        The few figures the sentences speak of, for programs.
    """

    title: str
    sentences: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figures: Mapping[str, curves.Figure]
    summary: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert set(self.figures) <= set(DRAWINGS)
        assert all(len(row) == len(self.columns) for row in self.rows)


def check(folder: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse a folder, before any work.

    Raises
    ------
    WriteError
        It cannot be made, holds what no study wrote, or one that may not be replaced.
    UsageError
        An input lies in it.
    PluginError
        matplotlib is missing.
    """
    plots.check_installed(folder, instead="")
    real = Path(os.path.realpath(folder))
    if not os.path.lexists(real):
        files.check_output(folder, overwrite=False)
        return
    if not real.is_dir():
        raise WriteError(f"{folder}: expected a folder's name, found a file; choose another name")
    if not os.access(real, os.W_OK | os.X_OK):
        raise WriteError(f"{folder}: no permission to write in it")
    for given in inputs:
        if real in Path(os.path.realpath(given)).parents:
            raise UsageError(
                f"{given}: the input lies in the output {folder}; choose another folder"
            )
    held = sorted(one.name for one in real.iterdir() if not is_unfinished(Path(one.name)))
    strangers = [name for name in held if name not in MEMBERS]
    if strangers:
        raise WriteError(
            f"{folder}: expected an empty folder or an earlier study, found {strangers[0]} in it; "
            "choose another folder"
        )
    if held and not overwrite:
        raise WriteError(f"{folder}: already exists; add --overwrite to replace it")


def write(findings: Findings, folder: Path, *, overwrite: bool) -> None:
    """Write findings into a folder: words, a table, figures and a summary, all of them or none.

    Equal findings give equal bytes.

    Raises
    ------
    WriteError, UsageError, PluginError
        As `check`, or the system refuses to write.
    """
    check(folder, overwrite=overwrite)
    real = Path(os.path.realpath(folder))
    beside = real / SUMMARY if real.is_dir() else real
    sweep(beside.parent)
    try:
        with working_folder(beside) as work:
            made = work / "made"
            made.mkdir()
            _fill(made, findings)
            check(folder, overwrite=overwrite)  # another run may have written it meanwhile
            if real.is_dir():
                _replace(real, made)
            else:
                made.rename(real)
    except GwTransferError:
        raise
    except OSError as error:
        raise WriteError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _fill(folder: Path, findings: Findings) -> None:
    (folder / WORDS).write_text(text_of(findings), "utf-8")
    header = list(findings.columns)
    write_csv(folder / TABLE, [header, *([_shown(cell) for cell in row] for row in findings.rows)])
    for name, figure in findings.figures.items():
        curves.draw(figure, folder / f"{name}.png")
    whole = {
        "title": findings.title,
        "sentences": list(findings.sentences),
        "summary": held(findings.summary),
        "columns": header,
        "rows": held([list(row) for row in findings.rows]),
    }
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY).write_text(f"{text}\n", "utf-8")


def text_of(findings: Findings) -> str:
    """Return title and sentences as a text, a paragraph each."""
    return "\n\n".join([findings.title, *findings.sentences]) + "\n"


def _replace(folder: Path, made: Path) -> None:
    """Move what was made into a folder that exists, and stays the same folder."""
    (folder / SUMMARY).unlink(missing_ok=True)
    for member in MEMBERS:
        if (made / member).exists():
            (made / member).replace(folder / member)
        else:
            (folder / member).unlink(missing_ok=True)


def _shown(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not isfinite(cell)):
        return ""
    return repr(float(cell)) if isinstance(cell, float) else str(cell)


def held(value: Any) -> Any:
    """Return figures as JSON holds them: what is not finite as null."""
    if isinstance(value, Mapping):
        return {key: held(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [held(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
