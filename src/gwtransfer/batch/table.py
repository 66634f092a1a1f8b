"""The values of pairs, as far as they are known."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[str, str]


def in_key_order(one: str, other: str) -> Pair:
    """Return two keys as the journals have them."""
    return (one, other) if one <= other else (other, one)


class PairTable:
    """Values between the files of the rows and those of the columns, not a number where unknown.

    A file is known by the key of its fit, and may occur several times. Equal fits are at 0.

    Parameters
    ----------
    rows : sequence of str
    columns : sequence of str or None
        None where they are the rows again.
    """

    def __init__(self, rows: Sequence[str], columns: Sequence[str] | None) -> None:
        self.rows = tuple(rows)
        self.columns = self.rows if columns is None else tuple(columns)
        self._at_rows, self._at_columns = (_places(keys) for keys in (self.rows, self.columns))
        self.values: Array = np.full((len(self.rows), len(self.columns)), np.nan)
        for key in self._at_rows.keys() & self._at_columns.keys():
            self._set(key, key, 0.0)

    def put(self, one: str, other: str, value: float) -> bool:
        """Note a value; return whether it was asked for and unknown."""
        return any([self._set(one, other, value), self._set(other, one, value)])

    def _set(self, row: str, column: str, value: float) -> bool:
        if row not in self._at_rows or column not in self._at_columns:
            return False
        places = np.ix_(self._at_rows[row], self._at_columns[column])
        new = bool(np.isnan(self.values[places][0, 0]))
        self.values[places] = value
        return new

    def pair(self, row: int, column: int) -> Pair:
        """Return the keys of a place, in order."""
        return in_key_order(self.rows[row], self.columns[column])

    def missing(self) -> Iterator[Pair]:
        """Yield every pair that is unknown now, once, row by row."""
        first_rows = [places[0] for places in self._at_rows.values()]
        first_columns = np.array([places[0] for places in self._at_columns.values()])
        for row in first_rows:
            for column in first_columns[np.isnan(self.values[row, first_columns])].tolist():
                one, other = self.rows[row], self.columns[column]
                mirrored = other in self._at_rows and one in self._at_columns
                if one < other or not mirrored:
                    yield self.pair(row, column)

    def __len__(self) -> int:
        """Count the pairs there are, known or not; equal fits are none."""
        rows, columns = self._at_rows.keys(), self._at_columns.keys()
        both = len(rows & columns)
        return len(rows) * len(columns) - both - both * (both - 1) // 2


def _places(keys: Sequence[str]) -> dict[str, list[int]]:
    places = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)
    return dict(places)
