"""Distances between many files: CSV, NPZ and Parquet, written and read, by the file's name."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import parquet
from gwtransfer.adapters.foreign import reason
from gwtransfer.errors import ReadError, UsageError
from gwtransfer.io import npz
from gwtransfer.io.files import MOST_SWELLING, MOST_SWOLLEN, check_readable, check_swelling

Array = NDArray[np.float64]

EXTENSIONS = (".csv", ".npz", ".parquet")
CORNER = "name"
"""What the column of names is called."""

_MOST_SAID = 80
_AS_DOUBLES = 4 * 8
"""Bytes a distance takes while a matrix is checked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DistanceMatrix:
    """Distances between named files, or from each of some to each of others.

    Attributes
    ----------
    distances : (N, M) array, finite and at least 0
    names : tuple of N str
        Rows; paths relative to their folder, with slashes.
    against : tuple of M str or None
        Columns; None where they are the rows again, and the matrix is square and symmetric.

    Raises
    ------
    ReadError
        Counts that disagree, a name twice, or a value that is no distance.
    """

    distances: Array
    names: tuple[str, ...]
    against: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        distances = np.array(self.distances, dtype=np.float64)
        distances.flags.writeable = False
        object.__setattr__(self, "distances", distances)
        expected = (len(self.names), len(self.columns))
        if distances.shape != expected or 0 in expected:
            raise ReadError(f"expected distances of {expected}, found {distances.shape}")
        for names in (self.names, self.columns):
            if len(set(names)) < len(names):
                (twice, _), *_ = Counter(names).most_common(1)
                raise ReadError(f"expected every name once, found {_said(twice)} twice")
        for row, column in np.argwhere(~(distances >= 0) | np.isinf(distances))[:1]:
            raise ReadError(
                f"expected finite distances of at least 0, found {distances[row, column]} between "
                f"{_said(self.names[row])} and {_said(self.columns[column])}"
            )
        if self.against is None and not np.array_equal(distances, distances.T):
            row, column = np.argwhere(distances != distances.T)[0]
            raise ReadError(
                f"expected a symmetric matrix, found {distances[row, column]} and "
                f"{distances[column, row]} between {_said(self.names[row])} and "
                f"{_said(self.names[column])}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.names if self.against is None else self.against


def check_name(path: Path) -> None:
    """Refuse, before any work, a table's name that says no format or one that cannot be written.

    Raises
    ------
    UsageError
        Another extension, or none.
    MissingError
        Parquet without pyarrow.
    """
    if _extension(path) not in EXTENSIONS:
        raise UsageError(
            f"{path}: expected a name that ends in {', '.join(EXTENSIONS[:-1])} or "
            f"{EXTENSIONS[-1]}, found {path.suffix or 'none of them'}"
        )
    if _extension(path) == ".parquet":
        parquet.check_installed(path)


def write_matrix(matrix: DistanceMatrix, path: Path) -> None:
    """Write a matrix as the name says; equal matrices give equal bytes.

    CSV has a first row ``name,…`` and a row for each file, numbers as short as they read back the
    same. NPZ has ``distances``, ``names`` and, where the columns are others, ``against``. Parquet
    has a column ``name`` and one for each file.

    Parameters
    ----------
    path : Path
        Written as it is; see `gwtransfer.io.files.whole` for a safe name.

    Raises
    ------
    UsageError, MissingError
        As `check_name`.
    WriteError
        The format cannot hold a name.
    """
    check_name(path)
    if _extension(path) == ".csv":
        rows = [
            [name, *map(repr, row)]
            for name, row in zip(matrix.names, matrix.distances.tolist(), strict=True)
        ]
        write_csv(path, [[CORNER, *matrix.columns], *rows])
    elif _extension(path) == ".npz":
        arrays = {"distances": matrix.distances, "names": np.array(matrix.names)}
        if matrix.against is not None:
            arrays["against"] = np.array(matrix.against)
        npz.write_arrays(path, arrays)
    else:
        columns = zip(matrix.columns, matrix.distances.T, strict=True)
        parquet.write_columns(path, [(CORNER, np.array(matrix.names)), *columns])


def read_matrix(path: Path) -> DistanceMatrix:
    """Read a matrix that `write_matrix` wrote, or anyone in the same form.

    Columns that are called like the rows, in a symmetric matrix, are the rows again.

    Raises
    ------
    UsageError, MissingError
        As `check_name`.
    ReadError
        Not such a file, or not a matrix of distances; the message says where.
    """
    check_name(path)
    check_readable(path)
    read = {".csv": _from_csv, ".npz": _from_npz, ".parquet": _from_parquet}[_extension(path)]
    names, columns, distances = read(path)
    alike = names == columns and np.array_equal(distances, distances.T)
    try:
        return DistanceMatrix(distances=distances, names=names, against=None if alike else columns)
    except ReadError as error:
        raise ReadError(f"{path}: {error}") from None


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write rows of text, quoted where they need it; names that are no UTF-8 keep their bytes."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _said(name: str) -> str:
    """Return how a message quotes a name, which may be a megabyte long."""
    return repr(name if len(name) <= _MOST_SAID else f"{name[:_MOST_SAID]}…")


def _extension(path: Path) -> str:
    return path.suffix.lower()


Parts = tuple[tuple[str, ...], tuple[str, ...], Array]


def _from_csv(path: Path) -> Parts:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (ValueError, csv.Error) as error:
        raise ReadError(f"{path}: expected a table of distances: {error}") from error
    header, rows = rows[0] if rows else [], rows[1:]
    if len(header) < 2:
        raise ReadError(
            f"{path}: expected a first row of names with commas between them, found "
            f"{_said(','.join(header))}"
        )
    for row in rows:
        if len(row) != len(header):
            raise ReadError(
                f"{path}: expected {len(header)} cells in every row as in the first, "
                f"found {len(row)} in that of {_said(row[0])}"
            )
    distances = np.empty((len(rows), len(header) - 1))
    for place, row in enumerate(rows):
        try:
            distances[place] = [float(cell) for cell in row[1:]]
        except ValueError as error:
            raise ReadError(
                f"{path}: expected numbers in the row of {_said(row[0])}: {reason(error)}; the "
                "first row and the first column hold names"
            ) from None
    return tuple(row[0] for row in rows), tuple(header[1:]), distances


def _from_npz(path: Path) -> Parts:
    arrays = npz.read_arrays(path)
    for name, kinds, dimensions in (
        ("distances", "fiu", 2),
        ("names", "U", 1),
        ("against", "U", 1),
    ):
        array = arrays.get(name)
        if array is None and name == "against":
            continue
        if array is None or array.dtype.kind not in kinds or array.ndim != dimensions:
            what = "text" if kinds == "U" else "numbers"
            found = "none" if array is None else f"{array.dtype} of {array.shape}"
            raise ReadError(
                f"{path}: expected an array {name} of {what} with {dimensions} axes, found {found}"
            )
    needed = arrays["distances"].size * _AS_DOUBLES
    check_swelling(str(path), path.stat().st_size, needed, instead="save it without compression")
    names = tuple(arrays["names"].tolist())
    columns = tuple(arrays["against"].tolist()) if "against" in arrays else names
    return names, columns, arrays["distances"].astype(np.float64)


def _from_parquet(path: Path) -> Parts:
    most = max(MOST_SWOLLEN, MOST_SWELLING * path.stat().st_size) // 4
    columns = parquet.read_columns(path, most_bytes=most)
    text = [name for name, values in columns if values.dtype.kind == "U"]
    if len(columns) < 2 or text != [columns[0][0]]:
        raise ReadError(
            f"{path}: expected a first column of names and else numbers, found text in "
            f"{', '.join(text) or 'none'} of {len(columns)} columns"
        )
    (_, names), *others = columns
    distances = np.stack([values.astype(np.float64) for _, values in others], axis=1)
    return tuple(names.tolist()), tuple(name for name, _ in others), distances
