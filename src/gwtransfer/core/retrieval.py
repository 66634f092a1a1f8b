"""How well a ranking by distance finds the targets of a query's own class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Ranking:
    """One query's targets in order of distance; targets at one distance share a tie.

    Attributes
    ----------
    before : (t,) array of int
        Targets nearer than each tie, ties ordered from near to far.
    sizes : (t,) array of int
        Targets in each tie, at least 1.
    relevant : (t,) array of int
        How many of them are of the query's class.
    """

    before: NDArray[np.int64]
    sizes: NDArray[np.int64]
    relevant: NDArray[np.int64]

    @classmethod
    def of(cls, distances: Array, relevant: NDArray[np.bool_]) -> "Ranking":
        """Rank targets (n,) by their distances, exact ties together."""
        _, tie, sizes = np.unique(distances, return_inverse=True, return_counts=True)
        return cls(
            before=np.cumsum(sizes) - sizes,
            sizes=sizes,
            relevant=np.bincount(tie, weights=relevant).astype(np.int64),
        )

    @property
    def found(self) -> int:
        """Targets of the query's class."""
        return int(self.relevant.sum())

    @property
    def gains(self) -> Array:
        """Expected relevance (n,) of each rank over random orders of the tied."""
        return np.repeat(self.relevant / self.sizes, self.sizes)


def recall(ranking: Ranking, depth: int) -> float:
    """Return the expected share of the class found among the ``depth`` nearest."""
    return float(ranking.gains[:depth].sum() / ranking.found)


def discounted_gain(ranking: Ranking) -> float:
    """Return the discounted cumulative gain of the whole ranking over that of a perfect one.

    Rank 1 counts 1 and rank i counts 1/log₂ i, as in the Princeton Shape Benchmark.
    """
    gains = ranking.gains
    ranks = np.arange(1, len(gains) + 1)
    discounts = 1 / np.log2(np.maximum(ranks, 2))
    return float(gains @ discounts / discounts[: ranking.found].sum())


def average_precision(ranking: Ranking) -> float:
    """Return the mean of the precisions at the ranks of the class, expected over ties.

    Inside a tie of n targets, g of them relevant, rank i of it is relevant with probability g/n,
    and then (i − 1)(g − 1)/(n − 1) relevant ones are expected before it in the tie.
    """
    total, above = 0.0, 0
    for before, size, relevant in zip(ranking.before, ranking.sizes, ranking.relevant, strict=True):
        place = np.arange(size)
        expected = above + 1 + place * (relevant - 1) / max(size - 1, 1)
        total += float((relevant / size * expected / (before + 1 + place)).sum())
        above += int(relevant)
    return total / ranking.found


@dataclass(frozen=True, eq=False, kw_only=True)
class Retrieval:
    """Scores of every query whose class has a target, in [0, 1], and what its nearest was.

    Attributes
    ----------
    queries : (q,) array of int
        Rows of the matrix that were scored; the others have nothing to find.
    nearest : (q,) array
        Whether the nearest target is of the query's class; the share of these where several are
        equally near.
    first_tier, second_tier : (q,) arrays
        Share of the class's c targets among the c, and the 2c, nearest.
    discounted_gain : (q,) array
        Normalised discounted cumulative gain of the whole ranking.
    average_precision : (q,) array
    confusion : (c, c) array
        Scored queries by their own class (rows) and by that of their nearest target (columns),
        split evenly among the equally near.
    """

    queries: NDArray[np.int64]
    nearest: Array
    first_tier: Array
    second_tier: Array
    discounted_gain: Array
    average_precision: Array
    confusion: Array


def retrieve(
    distances: Array,
    queries: NDArray[np.int64],
    targets: NDArray[np.int64],
    *,
    itself: bool,
) -> Retrieval:
    """Score a matrix of distances.

    Parameters
    ----------
    distances : (n, m) array, finite
        Queries in rows, targets in columns.
    queries, targets : (n,) and (m,) arrays of int
        Classes, numbered from 0.
    itself : bool
        Row i and column i are one item, which is no target of its own.
    """
    classes = int(max(queries.max(initial=-1), targets.max(initial=-1))) + 1
    confusion = np.zeros((classes, classes))
    scored: list[int] = []
    scores: list[tuple[float, float, float, float, float]] = []
    for row, own in enumerate(queries):
        kept = np.ones(len(targets), dtype=bool)
        if itself:
            kept[row] = False
        others, away = targets[kept], distances[row, kept]
        ranking = Ranking.of(away, others == own)
        if not ranking.found:
            continue
        nearest = others[away == away.min()]
        confusion[own] += np.bincount(nearest, minlength=classes) / len(nearest)
        scored.append(row)
        scores.append(
            (
                float(ranking.gains[0]),
                recall(ranking, ranking.found),
                recall(ranking, 2 * ranking.found),
                discounted_gain(ranking),
                average_precision(ranking),
            )
        )
    columns = np.array(scores).reshape(-1, 5).T
    return Retrieval(
        queries=np.array(scored, dtype=np.int64),
        nearest=columns[0],
        first_tier=columns[1],
        second_tier=columns[2],
        discounted_gain=columns[3],
        average_precision=columns[4],
        confusion=confusion,
    )
