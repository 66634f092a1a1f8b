"""Cubes kept as a matrix of spectra beside two scalars, as MATLAB users do."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gwtransfer.io.arrays.variables import Contents, Index, Numbers, Variable

ROW_NAMES = ("lines", "rows", "row", "nrow", "nrows", "nrw", "nl", "h", "height")
COLUMN_NAMES = ("cols", "columns", "col", "ncol", "ncols", "samples", "ns", "w", "width")


def unfold_lazily(contents: Contents) -> Contents:
    """Return the contents of a file in which matrices may be cubes.

    A matrix is one when an axis is as long as the product of two scalars named like rows and
    columns; its pixels run down the columns.
    """
    rows, columns = (_scalar(contents.variables, names) for names in (ROW_NAMES, COLUMN_NAMES))

    def unfold(variable: Variable) -> Variable | None:
        if rows is None or columns is None or len(variable.shape) != 2 or min(variable.shape) < 2:
            return None
        if variable.shape.count(rows * columns) != 1 or min(rows, columns) < 1:
            return None
        return _unfolded(variable, rows, columns)

    return replace(contents, unfold=unfold)


def _scalar(variables: Mapping[str, Variable], names: tuple[str, ...]) -> int | None:
    lowered = {one.last.lower(): one for one in variables.values()}
    for name in names:
        one = lowered.get(name)
        if one is not None and set(one.shape) <= {1}:
            value = float(one.all().flat[0])
            if value.is_integer():
                return int(value)
    return None


def _unfolded(variable: Variable, rows: int, columns: int) -> Variable:
    """Return (rows, columns, bands), of which whole columns are read."""
    pixels = variable.shape.index(rows * columns)
    chunks = variable.chunks

    def read(index: Index) -> Numbers:
        down, along, bands = index
        where = [bands, bands]
        where[pixels] = slice(along.start * rows, along.stop * rows)
        matrix = np.moveaxis(variable.read(tuple(where)), pixels, 0)
        cube = matrix.reshape(along.stop - along.start, rows, bands.stop - bands.start)
        return cube.transpose(1, 0, 2)[down]

    wide = columns if chunks is None else max(1, min(columns, chunks[pixels] // rows))
    deep = variable.shape[1 - pixels] if chunks is None else chunks[1 - pixels]
    return replace(
        variable,
        shape=(rows, columns, variable.shape[1 - pixels]),
        read=read,
        dims=(),
        chunks=(rows, max(1, min(wide, 1_000_000 // rows)), deep),
        band=2,
    )
