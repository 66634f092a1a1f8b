"""A match written down: as a table, as arrays, or as a folder with shapes to look at."""

import csv
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import UsageError, WriteError
from gwtransfer.io import files
from gwtransfer.io.npz import write_arrays
from gwtransfer.io.shapes.plywriter import write_ply
from gwtransfer.matching.matched import Matched, numbers
from gwtransfer.matching.truth import THRESHOLDS, Errors

Array = NDArray[np.float64]

TABLES = (".csv", ".npz")

SUMMARY = "match.json"

MEMBERS = (
    "match.csv",
    "match.npz",
    "source.ply",
    "target.ply",
    "transform.txt",
    "transferred.csv",
    "transferred.npy",
    "errors.csv",
    SUMMARY,
)
"""What a folder may hold."""

PART = ".part"
"""End of the name under which a folder is made."""


def is_folder_name(path: Path) -> bool:
    """Tell whether an output is a folder: it has no suffix, or is a folder already."""
    return files.is_folder(path) or not path.suffix


def check(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse an output before any work.

    Raises
    ------
    UsageError
        A suffix other than .csv and .npz, an input, or a folder that holds one.
    WriteError
        It exists and may not be replaced, or cannot be made.
    """
    if is_folder_name(path):
        _check_folder(path, overwrite=overwrite, inputs=inputs)
        return
    if path.suffix.lower() not in TABLES:
        raise UsageError(
            f"{path}: expected a name that ends in .csv or .npz, or a folder's name without "
            f"ending, found {path.suffix}"
        )
    files.check_output(path, overwrite=overwrite, inputs=inputs)


def _check_folder(path: Path, *, overwrite: bool, inputs: Sequence[Path]) -> None:
    real = Path(os.path.realpath(path))
    if not os.path.lexists(real):
        files.check_output(path, overwrite=False)
        return
    if not real.is_dir():
        raise WriteError(f"{path}: expected a folder's name, found a file; choose another name")
    if not os.access(real, os.W_OK | os.X_OK):
        raise WriteError(f"{path}: no permission to write in it")
    held = sorted(one for one in real.iterdir() if one.name != PART)
    strangers = [one.name for one in held if one.name not in MEMBERS or not one.is_file()]
    if strangers:
        raise WriteError(
            f"{path}: expected an empty folder or an earlier match, found {strangers[0]} in it; "
            "choose another folder"
        )
    for given in inputs:
        if real in Path(os.path.realpath(given)).parents:
            raise UsageError(f"{given}: the input lies in the output {path}; choose another folder")
    if held and not overwrite:
        raise WriteError(f"{path}: already exists; add --overwrite to replace it")


def write(
    matched: Matched,
    path: Path,
    *,
    overwrite: bool,
    summary: Mapping[str, Any],
    errors: Errors | None,
    transferred: tuple[str, NDArray[Any]] | None,
) -> None:
    """Write a match under the name that says how.

    Parameters
    ----------
    summary : mapping
        What `match.json` of a folder says.
    transferred : pair of str and array, or None
        Name and values of what was carried from the target's vertices to the source's.
    """
    check(path, overwrite=overwrite)
    if not is_folder_name(path):
        with files.whole(path, overwrite=overwrite) as temporary:
            if path.suffix.lower() == ".csv":
                temporary.write_bytes(_table(matched))
            else:
                write_arrays(temporary, _arrays(matched))
        return
    real = Path(os.path.realpath(path))
    exists = real.is_dir()
    made = real / PART if exists else real.with_name(f".{real.name}{PART}")
    try:
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        _fill(made, matched, summary, errors, transferred)
        if exists:
            _replace(real, made)
        else:
            made.rename(real)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _replace(folder: Path, made: Path) -> None:
    """Move what was made into a folder that exists, and stays the same folder.

    The summary goes first and comes last: a folder that holds it is whole.
    """
    (folder / SUMMARY).unlink(missing_ok=True)
    for member in MEMBERS:
        if not (made / member).exists():
            (folder / member).unlink(missing_ok=True)
        elif member != SUMMARY:
            (made / member).replace(folder / member)
    (made / SUMMARY).replace(folder / SUMMARY)


def _fill(
    folder: Path,
    matched: Matched,
    summary: Mapping[str, Any],
    errors: Errors | None,
    transferred: tuple[str, NDArray[Any]] | None,
) -> None:
    (folder / "match.csv").write_bytes(_table(matched))
    write_arrays(folder / "match.npz", _arrays(matched))
    colors = position_colors(matched.target.vertices, matched.target.faces)
    write_ply(folder / "target.ply", matched.target.vertices, matched.target.faces, colors)
    carried = np.einsum("nq,nqc->nc", matched.weights, colors[matched.choices]).clip(0.0, 1.0)
    write_ply(folder / "source.ply", matched.source.vertices, matched.source.faces, carried)
    if matched.motion is not None:
        (folder / "transform.txt").write_text(motion_text(matched.motion) + "\n", "utf-8")
    if errors is not None:
        lines = [f"{at:g},{share:.6g}" for at, share in zip(THRESHOLDS, errors.curve, strict=True)]
        (folder / "errors.csv").write_text("\n".join(["error,share", *lines, ""]), "utf-8")
    if transferred is not None:
        name, values = transferred
        if name.endswith(".npy"):
            with (folder / name).open("wb") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)
        else:
            (folder / name).write_text("\n".join([*map(str, values.tolist()), ""]), "utf-8")
    text = json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / SUMMARY).write_text(text + "\n", "utf-8")


def _table(matched: Matched) -> bytes:
    """Return columns source,target,distance and, of several choices, weight; a line a choice."""
    mine, other = numbers(matched.source), numbers(matched.target)
    text = StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    if matched.choices.shape[1] == 1:
        rows.writerow(["source", "target", "distance"])
        apart = matched.distance.tolist()
        rows.writerows(zip(mine.tolist(), other[matched.index].tolist(), apart, strict=True))
        return text.getvalue().encode()
    rows.writerow(["source", "target", "distance", "weight"])
    for vertex, choices, weights, apart in zip(
        mine.tolist(),
        other[matched.choices].tolist(),
        matched.weights.tolist(),
        matched.apart.tolist(),
        strict=True,
    ):
        rows.writerows(
            [vertex, choice, gap, weight]
            for choice, gap, weight in zip(choices, apart, weights, strict=True)
        )
    return text.getvalue().encode()


def _arrays(matched: Matched) -> dict[str, NDArray[Any]]:
    other = numbers(matched.target)
    held: dict[str, NDArray[Any]] = {
        "source": numbers(matched.source),
        "target": other[matched.index],
        "distance": matched.distance,
        "embedding": matched.embedding,
    }
    if matched.choices.shape[1] > 1:
        held |= {"choices": other[matched.choices], "weights": matched.weights}
    if matched.motion is not None:
        held["motion"] = matched.motion
    return held


def motion_text(motion: Array) -> str:
    """Return a 4 × 4 matrix as four lines of numbers that read back exactly."""
    return "\n".join(" ".join(repr(float(value)) for value in row) for row in motion)


def position_colors(vertices: Array, faces: NDArray[np.int64] | None = None) -> Array:
    """Return a colour (n, 3) in [0, 1] for each place, so that near places look alike.

    The axes of the shape's box are red, green and blue, each over its own extent, and lightened. A
    vertex no face uses has no say in the box, and the colour of its nearest side.
    """
    seen = vertices if faces is None else vertices[np.unique(faces)]
    low, extent = seen.min(axis=0), np.ptp(seen, axis=0)
    inside = (vertices - low) / np.where(extent > 0, extent, 1.0)
    return np.asarray(0.1 + 0.85 * inside.clip(0.0, 1.0))
