"""Distances between many files to a picture of them, or to coordinates of a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gwtransfer.adapters import plots
from gwtransfer.core import scaling
from gwtransfer.errors import DataError, UsageError
from gwtransfer.evaluating import read_distances
from gwtransfer.io import files
from gwtransfer.io.labels import labels_for
from gwtransfer.io.matrix import DistanceMatrix, write_csv

EXTENSIONS = (".png", ".svg", ".csv")


@dataclass(frozen=True, kw_only=True)
class Charted:
    """How far the map of a chart can be trusted.

    Attributes
    ----------
    count : int
    explained, stress : float
        As in `gwtransfer.core.scaling.Scaling`.
    """

    count: int
    explained: float
    stress: float


def chart(
    path: Path, output: Path, *, labels: str | None = None, overwrite: bool = False
) -> Charted:
    """Draw a file of distances as a map, a tree and a heat map; or write the map's coordinates.

    Parameters
    ----------
    output : Path
        Ends in .png, .svg, or .csv for coordinates.
    labels : str or None
        As in `gwtransfer.io.labels.labels_for`.

    Raises
    ------
    UsageError, PluginError, WriteError
        What cannot be written.
    ReadError, DataError
        Not the distances of at least two files among themselves, or a name without label.
    """
    suffix = output.suffix.lower()
    if suffix not in EXTENSIONS:
        raise UsageError(
            f"{output}: expected a name that ends in {', '.join(EXTENSIONS[:-1])} or "
            f"{EXTENSIONS[-1]}, found {output.suffix or 'none of them'}"
        )
    files.check_output(output, overwrite=overwrite, inputs=[path])
    if suffix != ".csv":
        plots.check_installed(output)
    matrix = _all_pairs(path)
    known = None if labels is None else labels_for(matrix.names, labels)
    scaled = scaling.scale(matrix.distances)
    with files.whole(output, overwrite=overwrite) as temporary:
        if suffix == ".csv":
            _write_coordinates(temporary, matrix, scaled, known)
        else:
            plots.draw(_drawn(matrix, scaled, known), temporary)
    return Charted(count=len(matrix.names), explained=scaled.explained, stress=scaled.stress)


def _all_pairs(path: Path) -> DistanceMatrix:
    matrix = read_distances(path)
    if matrix.against is not None:
        raise DataError(
            f"{path}: expected distances of the same files in rows and columns, found "
            f"{len(matrix.names)} files against {len(matrix.against)} others"
        )
    if len(matrix.names) < 2:
        raise DataError(f"{path}: expected at least 2 files, found 1")
    return matrix


def _write_coordinates(
    path: Path, matrix: DistanceMatrix, scaled: scaling.Scaling, labels: Sequence[str] | None
) -> None:
    header = ["name", "x", "y"]
    rows = [
        [name, *map(repr, point)]
        for name, point in zip(matrix.names, scaled.points.tolist(), strict=True)
    ]
    if labels is not None:
        header.append("label")
        rows = [[*row, label] for row, label in zip(rows, labels, strict=True)]
    write_csv(path, [header, *rows])


def _drawn(
    matrix: DistanceMatrix, scaled: scaling.Scaling, labels: Sequence[str] | None
) -> plots.Chart:
    tree = scaling.average_linkage(matrix.distances)
    return plots.Chart(
        names=_short(matrix.names),
        labels=None if labels is None else tuple(labels),
        points=scaled.points,
        caption=f"Map by classical scaling: {scaled.explained:.0%} explained, "
        f"stress {scaled.stress:.2f}",
        distances=matrix.distances,
        order=scaling.leaves(tree),
        branches=scaling.branches(tree),
    )


def _short(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without folder, or without extension, where they still differ."""
    bare = [PurePosixPath(name).with_suffix("") for name in names]
    for short in ([path.name for path in bare], [str(path) for path in bare]):
        if len(set(short)) == len(names):
            return tuple(short)
    return tuple(names)
