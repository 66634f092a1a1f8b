"""The nearest files of each file, solving only pairs whose lower bound leaves them a chance."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gwtransfer.batch.table import Pair, PairTable

Array = NDArray[np.float64]

AT_ONCE = 16
"""Pairs solved before distances are looked at again, or one a query where these are more."""


def search(
    table: PairTable,
    least: Array,
    count: int,
    *,
    itself: bool,
    solve: Callable[[list[Pair]], None],
) -> NDArray[np.int64]:
    """Return the columns of the nearest files of every row, nearest first.

    Row by row, unknown pairs are solved in the order of their lower bounds until no bound is below
    the largest of the ``count`` least values: exactly what solving all pairs gives. Of equal
    values the earlier column comes first.

    Parameters
    ----------
    table : PairTable
        What is known already costs nothing.
    least : (N, M) array
        Lower bounds of the values.
    count : int
        At most as many as there are others.
    itself : bool
        Whether the columns are the rows, so that a row's own column is none of its neighbours.
    solve : callable
        Puts the values of these pairs into the table.

    Returns
    -------
    (N, count) array of columns
    """
    values = table.values.view()
    others = np.ones(values.shape, dtype=bool)
    if itself:
        np.fill_diagonal(others, val=False)
    order = np.argsort(least, axis=1, kind="stable")
    active = list(range(len(values)))
    while active:
        width = max(1, AT_ONCE // len(active))
        wanted: dict[Pair, None] = {}
        still = []
        for row in active:
            chances = _chances(values[row], least[row], order[row], others[row], count)
            if len(chances):
                still.append(row)
                missing = count - int((~np.isnan(values[row]) & others[row]).sum())
                for column in chances[: max(width, missing)].tolist():
                    wanted[table.pair(row, column)] = None
        if wanted:
            solve(list(wanted))
        active = still
    ranked = np.where(others & ~np.isnan(values), values, np.inf)
    return np.argsort(ranked, axis=1, kind="stable")[:, :count]


def _chances(
    values: Array, least: Array, order: NDArray[np.int64], others: NDArray[np.bool_], count: int
) -> NDArray[np.int64]:
    """Return the unknown columns of a row that may be among the nearest, least bound first."""
    known = np.sort(values[others & ~np.isnan(values)])
    farthest = known[count - 1] if len(known) >= count else np.inf
    chance = np.isnan(values) & others & (least <= farthest)
    return order[chance[order]]
