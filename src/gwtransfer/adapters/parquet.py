"""Parquet tables through pyarrow, its only importer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import MissingError, ReadError, WriteError

Column = tuple[str, NDArray[Any]]


def check_installed(path: Path) -> None:
    """Refuse a table, before any work, where pyarrow is missing.

    Raises
    ------
    MissingError
        It cannot be imported.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingError(
            f"{path}: Parquet files need pyarrow, which cannot be imported ({reason(error)}); "
            "install it with pip install 'gwtransfer[parquet]', or use .csv or .npz"
        ) from error


def write_columns(path: Path, columns: Sequence[Column]) -> None:
    """Write columns of equal length, in this order; equal columns give equal bytes.

    Parameters
    ----------
    path : Path
        Written as it is.
    columns : sequence of (name, (n,) array)
        Text, integers or floats.

    Raises
    ------
    MissingError
        pyarrow is missing.
    WriteError
        Parquet cannot hold it: a name that is no UTF-8, for instance.
    """
    check_installed(path)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with quiet():
            arrays = [
                pa.array(values.tolist() if values.dtype.kind == "U" else values)
                for _, values in columns
            ]
            table = pa.Table.from_arrays(arrays, names=[name for name, _ in columns])
            parquet.write_table(table, str(path), write_page_checksum=True)
    except (pa.ArrowException, UnicodeError) as error:
        raise WriteError(f"{path}: Parquet cannot hold this: {reason(error)}") from error


def read_columns(path: Path) -> list[Column]:
    """Return the columns of a table in their order; text comes as an array of str.

    Raises
    ------
    MissingError
        pyarrow is missing.
    ReadError
        Not a Parquet file, damaged, or with empty cells or values that are no text or numbers.
    """
    check_installed(path)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with quiet():
            table = parquet.ParquetFile(str(path), page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise ReadError(
            f"{path}: expected a Parquet table, found a file that is truncated, changed or "
            f"something else: {reason(error)}"
        ) from error
    columns: list[Column] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = np.array(column.to_pylist())
        if column.null_count or values.dtype.kind not in "iufU" or values.ndim != 1:
            raise ReadError(
                f"{path}: expected column {name!r} to be text or numbers without gaps, "
                f"found {column.type} with {column.null_count} empty cells"
            )
        columns.append((name, values))
    return columns
