"""The nearest files of each file: CSV, NPZ and Parquet, by the file's name."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import parquet
from gwtransfer.io import npz
from gwtransfer.io.matrix import check_name, write_csv


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbors:
    """The k nearest of each file, nearest first.

    Attributes
    ----------
    neighbors : (N, k) array of int
        Places among ``against``, or among ``names`` where that is None.
    distances : (N, k) array
    names : tuple of N str
    against : tuple of str or None
    """

    neighbors: NDArray[np.int64]
    distances: NDArray[np.float64]
    names: tuple[str, ...]
    against: tuple[str, ...] | None = None


def write_neighbors(near: Neighbors, path: Path) -> None:
    """Write them as the name says; equal ones give equal bytes.

    CSV and Parquet have columns ``name``, ``rank`` (from 1), ``neighbor`` and ``distance``; NPZ has
    the arrays of `Neighbors`.

    Parameters
    ----------
    path : Path
        Written as it is.

    Raises
    ------
    UsageError, MissingError
        As `gwtransfer.io.matrix.check_name`.
    """
    check_name(path)
    if path.suffix.lower() == ".npz":
        arrays = {
            "distances": near.distances,
            "names": np.array(near.names),
            "neighbors": near.neighbors,
        }
        if near.against is not None:
            arrays["against"] = np.array(near.against)
        npz.write_arrays(path, arrays)
        return
    names, others = np.array(near.names), np.array(near.against or near.names)
    ranks = np.arange(1, near.neighbors.shape[1] + 1)
    columns = [
        ("name", np.repeat(names, len(ranks))),
        ("rank", np.tile(ranks, len(names))),
        ("neighbor", others[near.neighbors].ravel()),
        ("distance", near.distances.ravel()),
    ]
    if path.suffix.lower() == ".parquet":
        parquet.write_columns(path, columns)
        return
    titles, values = zip(*columns, strict=True)
    rows = zip(*(column.tolist() for column in values), strict=True)
    write_csv(path, [titles, *([*map(str, row[:3]), repr(row[3])] for row in rows)])
