"""A match as a page needs it: of a folder that `gwtransfer match` wrote, or from memory."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, GwTransferError, ReadError, UsageError
from gwtransfer.io import npz
from gwtransfer.io.files import check_readable
from gwtransfer.matching.matched import numbers
from gwtransfer.matching.output import MEMBERS, SUMMARY, position_colors
from gwtransfer.opening import Opening

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SIDES = ("source", "target")

END, ROW = b"end_header\n", np.dtype([("place", "<f8", 3), ("colour", "u1", 3)])
"""What ends the header of a PLY of ours, and each vertex that follows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Held:
    """A match and what is known of it.

    Attributes
    ----------
    source, target : Cloud
    index : (n,) array
        The target vertex of each source vertex.
    colours : (n, 3) and (m, 3) arrays
        Of the source's and the target's vertices, in [0, 1]: equal ones are matched.
    summary : dict
        What match.json says.
    files : dict of str to int
        Names and bytes of what was written.
    """

    source: Cloud
    target: Cloud
    index: Index
    colours: tuple[Array, Array]
    summary: dict[str, Any]
    files: dict[str, int] = field(default_factory=dict)


def held_in(folder: Path, *, source: Path | None, target: Path | None) -> Held:
    """Read a match's folder, and the shapes if they are given.

    Without them the coloured PLY pair of the folder is taken, and where that is gone, or does not
    tell the target's numbers, what match.json names beside the folder.

    Raises
    ------
    ReadError, DataError
        No match, or shapes that are missing or are not those that were matched.
    UsageError
        One shape without the other.
    """
    if (source is None) != (target is None):
        raise UsageError("expected SOURCE and TARGET, or neither, found one of them")
    summary = _summary(folder)
    stored = folder / "match.npz"
    check_readable(stored)
    arrays = npz.read_arrays(stored)
    if not {"source", "target"} <= arrays.keys():
        raise ReadError(f"{stored}: expected arrays source and target, found others")
    given = None if source is None or target is None else (source, target)
    try:
        return _with(folder, summary, arrays, _shapes(folder, summary, given))
    except _OtherNumbersError:
        beside = _beside(folder, summary)
        if given is not None or beside is None:
            raise
        return _with(folder, summary, arrays, _shapes(folder, summary, beside))


class _OtherNumbersError(DataError):
    """The numbers of a match are not those of the points at hand."""


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    if not path.is_file():
        raise ReadError(
            f"{folder}: expected a folder that gwtransfer match wrote, found no {SUMMARY} in it"
        )
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(f"{path}: expected what gwtransfer match writes, found no JSON") from error
    if not isinstance(said, dict) or not {"method", "score", *SIDES} <= said.keys():
        raise ReadError(f"{path}: expected what gwtransfer match writes, found other JSON")
    return said


def _shapes(
    folder: Path,
    summary: dict[str, Any],
    given: tuple[Path, Path] | None,
) -> tuple[Cloud, Cloud]:
    """Return the shapes: those given, else the folder's pair, else what lies beside the folder."""
    paths = given
    if paths is None and not all((folder / f"{side}.ply").is_file() for side in SIDES):
        paths = _beside(folder, summary)
        if paths is None:
            named = " and ".join(str(summary[side].get("file")) for side in SIDES)
            raise ReadError(
                f"{folder}: expected source.ply and target.ply in it, or {named} beside it, found "
                "neither; give SOURCE and TARGET"
            )
    if paths is None:
        paths = (folder / "source.ply", folder / "target.ply")
    both = Opening()(*paths)
    shapes: list[Cloud] = []
    for path, cloud, side in zip(paths, both, SIDES, strict=True):
        if not isinstance(cloud, Cloud):
            raise DataError(f"{path}: expected a shape, found a picture or cube")
        if len(cloud.vertices) != summary[side].get("vertices"):
            raise DataError(
                f"{path}: expected the {side} of {folder}, with {summary[side].get('vertices')} "
                f"points, found {len(cloud.vertices)}"
            )
        shapes.append(cloud)
    return shapes[0], shapes[1]


def _beside(folder: Path, summary: dict[str, Any]) -> tuple[Path, Path] | None:
    """Return the files that match.json names, where they lie beside the folder."""
    named = [Path(str(summary[side].get("file"))).name for side in SIDES]
    found = [Path(folder).absolute().parent / name for name in named]
    return (found[0], found[1]) if all(one.is_file() for one in found) else None


def _with(
    folder: Path,
    summary: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    shapes: tuple[Cloud, Cloud],
) -> Held:
    source, target = shapes
    having = numbers(target)
    choices = np.asarray(arrays.get("choices", arrays["target"][:, None]), dtype=np.int64)
    weights = arrays.get("weights", np.ones(choices.shape))
    places = np.searchsorted(having, choices).clip(0, len(having) - 1)
    painted = position_colors(target.vertices, target.faces)
    if len(choices) != len(source.vertices) or (having[places] != choices).any():
        raise _other_numbers(folder, having)
    carried = np.einsum("nq,nqc->nc", weights, painted[places]).clip(0.0, 1.0)
    if Path(source.name) == folder / "source.ply":
        written_colours = _colours_of(folder / "source.ply", len(carried))
        if np.abs(written_colours - 255 * carried).max() > 1:
            raise _other_numbers(folder, having)
    return Held(
        source=source,
        target=target,
        index=np.asarray(places[:, 0]),
        colours=(carried, painted),
        summary=summary,
        files=written(folder),
    )


def _other_numbers(folder: Path, having: NDArray[np.int64]) -> _OtherNumbersError:
    return _OtherNumbersError(
        f"{folder}: expected matches among the {len(having)} points of its shapes, found other "
        "numbers, as points without coordinates were left out; give SOURCE and TARGET"
    )


def _colours_of(path: Path, count: int) -> Array:
    """Return the colours (n, 3) from 0 to 255 of a PLY that a match wrote."""
    data = path.read_bytes()
    start = data.find(END) + len(END)
    try:
        rows = np.frombuffer(data, dtype=ROW, count=count, offset=start)
    except ValueError as error:
        raise ReadError(f"{path}: expected the file that gwtransfer match wrote") from error
    return np.asarray(rows["colour"], dtype=np.float64)


def written(path: Path) -> dict[str, int]:
    """Return names and bytes of what a match wrote: a folder's members, or a table."""
    try:
        if path.is_dir():
            names = [name for name in MEMBERS if (path / name).is_file()]
            return {name: (path / name).stat().st_size for name in names}
        return {path.name: path.stat().st_size}
    except OSError as error:
        raise GwTransferError(f"{path}: cannot be read: {error.strerror}") from error
