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


def read_columns(path: Path, *, most_bytes: int) -> list[Column]:
    """Return the columns of a table in their order; text comes as an array of str.

    Parameters
    ----------
    path : Path
    most_bytes : int
        What all columns may become in memory.

    Raises
    ------
    MissingError
        pyarrow is missing.
    ReadError
        Not a Parquet file, damaged, with empty cells or values that are no text or numbers, or
        larger than that.
    """
    check_installed(path)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with quiet():
            file = parquet.ParquetFile(str(path), page_checksum_verification=True)
            _check_size(path, file.metadata, most_bytes)
            text = [
                field.name
                for field in file.schema_arrow
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            ]
            table = parquet.ParquetFile(
                str(path), page_checksum_verification=True, read_dictionary=text
            ).read()
            return [
                (name, _values(path, name, column, most_bytes))
                for name, column in zip(table.column_names, table.columns, strict=True)
            ]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{path}: expected a Parquet table, found a file that is truncated, changed or "
            f"something else: {reason(error)}"
        ) from error


def _check_size(path: Path, about: Any, most_bytes: int) -> None:
    """Refuse what the file's own words make larger than it may become: runs cost it nothing."""
    groups = [about.row_group(index) for index in range(about.num_row_groups)]
    decoded = max(
        about.num_rows * about.num_columns * 8, sum(group.total_byte_size for group in groups)
    )
    if decoded > most_bytes:
        raise ReadError(
            f"{path}: expected a table of at most {most_bytes} bytes for a file of its size, found "
            f"{about.num_rows} rows of {about.num_columns} columns"
        )


def _values(path: Path, name: str, column: Any, most_bytes: int) -> NDArray[Any]:
    """Return a column as an array, text of a dictionary spelt out unless that would be too much."""
    import pyarrow as pa
    from pyarrow import compute

    form = pa.types
    is_number = form.is_integer(column.type) or form.is_floating(column.type)
    if column.null_count or not (is_number or form.is_dictionary(column.type)):
        raise ReadError(
            f"{path}: expected column {name[:60]!r} to be text or numbers without gaps, "
            f"found {str(column.type)[:60]} with {column.null_count} empty cells"
        )
    if not is_number:
        lengths = [
            compute.take(compute.binary_length(part.dictionary), part.indices)
            for part in column.chunks
        ]
        longest = max((compute.max(part).as_py() or 0 for part in lengths), default=0)
        if 4 * longest * len(column) > most_bytes:
            raise ReadError(
                f"{path}: expected names in column {name[:60]!r}, found text of {longest} letters"
            )
    return np.asarray(column.to_numpy() if is_number else np.array(column.to_pylist(), dtype=str))
