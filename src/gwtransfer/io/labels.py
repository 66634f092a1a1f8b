"""Which class a file belongs to: from its folder, a table, or a classification of the Princeton
Shape Benchmark.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gwtransfer.errors import DataError, ReadError
from gwtransfer.io.files import check_readable

FROM_FOLDER = "from-folder"
HEADER = ["name", "label"]
MODEL = re.compile(r"m?([0-9]+)")
"""Model 7 of a .cla file is called 7 or m7."""


def labels_for(names: Sequence[str], labels: str) -> list[str]:
    """Return the class of each name.

    Parameters
    ----------
    names : sequence of str
        Relative paths, as the distances have them.
    labels : str
        "from-folder" for the first folder of each name, or the path of a file: CSV with a first
        row ``name,label``, or ``.cla``.

    Raises
    ------
    ReadError
        The file cannot be read as what it should be.
    DataError
        A name without a class.
    """
    if labels == FROM_FOLDER:
        return [_folder(name) for name in names]
    path = Path(labels)
    check_readable(path)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix.lower() == ".cla":
        numbered = _classified(path, text)
        found = [numbered.get(_number(name)) for name in names]
    else:
        named = _tabled(path, text)
        found = [named.get(name) for name in names]
    missing = [name for name, label in zip(names, found, strict=True) if label is None]
    if missing:
        raise DataError(
            f"{path}: expected a label for each of {len(names)} files, found none for "
            f"{len(missing)} of them, {missing[0]!r} first; add them, named as in the distances"
        )
    return [label for label in found if label is not None]


def _folder(name: str) -> str:
    parts = PurePosixPath(name).parts
    if len(parts) < 2:
        raise DataError(
            f"{name}: expected a folder before the name, to take as label, found none; "
            "give a file of labels, or make the distances with --recursive"
        )
    return parts[0]


def _number(name: str) -> int | None:
    """Return the number of a model, or None where its name is no number."""
    match = MODEL.fullmatch(PurePosixPath(name).stem)
    return int(match[1]) if match else None


def _tabled(path: Path, text: str) -> dict[str, str]:
    try:
        rows = [row for row in csv.reader(text.splitlines(), strict=True) if row]
    except csv.Error as error:
        raise ReadError(f"{path}: expected a table of labels: {error}") from error
    if not rows or [cell.strip().lower() for cell in rows[0]] != HEADER:
        found = repr(",".join(rows[0])[:60]) if rows else "nothing"
        raise ReadError(f"{path}: expected a first row {','.join(HEADER)}, found {found}")
    labels: dict[str, str] = {}
    for row in rows[1:]:
        if len(row) != 2 or not row[1].strip():
            raise ReadError(f"{path}: expected a name and a label, found {','.join(row)[:60]!r}")
        if labels.setdefault(row[0], row[1].strip()) != row[1].strip():
            raise ReadError(f"{path}: expected one label for {row[0][:60]!r}, found two")
    return labels


def _classified(path: Path, text: str) -> dict[int | None, str]:
    """Return the classes of a .cla file: ``PSB 1``, counts, then ``name parent count`` and models.

    Of nested classes the models have the one they are listed under.
    """
    lines = iter([line for line in text.splitlines() if line.strip()])
    if next(lines, "").split()[:1] != ["PSB"]:
        raise ReadError(f"{path}: expected a first line PSB 1, found another one")
    try:
        classes, models = (int(word) for word in next(lines, "").split())
        labels: dict[int | None, str] = {}
        for _ in range(classes):
            label, _, count = next(lines).split()
            for _ in range(int(count)):
                labels[int(next(lines))] = label
    except (ValueError, StopIteration) as error:
        raise ReadError(
            f"{path}: expected classes as lines of name, parent and count, each followed by so "
            "many numbers of models, found something else or the end"
        ) from error
    if len(labels) != models:
        raise ReadError(f"{path}: expected {models} models as its header says, found {len(labels)}")
    return labels
