"""Raw points as working columns, and back, in single or double precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Space

Floats = NDArray[np.floating]


class Columns:
    """Working points laid out a column each, as block kernels take them.

    Points are centred before they are rounded to single floats, so that a spread far from zero
    keeps its digits. What rounding the centre itself moves is put back afterwards.

    Parameters
    ----------
    space : Space
    dtype : dtype
        Of the columns and of the raw values that come back.
    """

    def __init__(self, space: Space, dtype: np.dtype[Any]) -> None:
        self.space, self.dtype = space, dtype
        self.is_plain = space.axes.shape[0] == space.axes.shape[1] and bool(
            (space.axes == np.eye(len(space.axes))).all()
        )
        self._projection = (space.axes.T / space.unit).astype(dtype)
        self._back = (space.axes * space.unit).astype(dtype)
        self._origin = space.origin.astype(dtype)[:, None]
        self._rounded = space.origin.astype(np.float32)
        self._moved = (space.axes.T @ (space.origin - self._rounded) / space.unit)[:, None]
        self._moved = self._moved.astype(dtype)

    def of(self, points: Floats) -> Floats:
        """Return raw points (N, d) as working columns above a row of ones, (p + 1, N)."""
        single = points.dtype == np.float32 and self.dtype == np.float32
        origin = self._rounded if single else self.space.origin
        centred = np.subtract(points, origin, dtype=self.dtype if single else None)
        centred = centred.astype(self.dtype, copy=False).T
        columns = np.ones((self.space.dimension + 1, len(points)), dtype=self.dtype)
        working = columns[:-1]
        if self.is_plain:
            np.multiply(centred, self.dtype.type(1 / self.space.unit), out=working)
        else:
            np.matmul(self._projection, centred, out=working)
        if single:
            working -= self._moved
        return columns

    def raw(self, columns: Floats) -> Floats:
        """Return working columns (n, N) as raw points (N, e)."""
        if self.is_plain:
            columns *= self.dtype.type(self.space.unit)
        else:
            columns = self._back @ columns
        columns += self._origin
        return columns.T
