"""Pairs of kept mixtures to values: which solver, which pairs are known, and the rest."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from math import ceil
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.batch import journal, keys, nearest, tasks
from gwtransfer.batch.run import Run
from gwtransfer.batch.table import Pair, PairTable
from gwtransfer.batch.tasks import BoundedPairs, PairsTask, SolvedPairs
from gwtransfer.core.types import SHAPES
from gwtransfer.errors import DataError, GwTransferError
from gwtransfer.pipeline import PlanStage, default_solver
from gwtransfer.recipe import AUTO, Recipe

BATCH_STARTS: Mapping[str, object] = {"signs": 16, "random": 10, "waves": 0}
"""Options of mgw2 for many pairs, unless others are given."""

TASK_SECONDS, FIRST_PAIRS, MOST_PAIRS = 0.3, 4, 256
"""How long a task shall take, so that what it costs to hand it over vanishes; and how many pairs it
has before it is known how long they take, and at most."""

SHARES = 4
"""Tasks for each worker at least, so that all end at about the same time."""

Result = TypeVar("Result", SolvedPairs, BoundedPairs)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """The pairs of a run.

    Attributes
    ----------
    run : Run
    table : PairTable
        Filled as they are solved.
    stage : PlanStage
    plan : str
        The key of the stage and its options.
    name_of : mapping of str to str
        Keys of fits to names of files.
    """

    run: Run
    table: PairTable
    stage: PlanStage
    plan: str
    name_of: Mapping[str, str]
    _speeds: "dict[str, _Speed]" = field(default_factory=dict, init=False)

    @property
    def unknown(self) -> int:
        """How many pairs have no value yet."""
        return self.run.state.skipped

    def gather(self) -> None:
        """Fill the table with what journals know."""
        state = self.run.state
        state.pairs = len(self.table)
        self.run.doing("gathering")
        for pair in journal.read(self.run.work.pairs):
            if pair.plan == self.plan and self.table.put(pair.first, pair.second, pair.value):
                state.pairs_kept += 1
                state.stopped += not pair.converged

    def solve(self, pairs: Iterable[Pair], count: int) -> None:
        """Solve those of so many pairs that belong to the run's shard.

        Raises
        ------
        GwTransferError
            A pair cannot be solved; the message names both files.
        """
        state = self.run.state
        self.run.doing("solving")
        own = (pair for pair in pairs if self.run.asks_for(" ".join(pair)))
        for done in self._each(tasks.solve, own, count):
            for pair in done.pairs:
                state.pairs_made += self.table.put(pair.first, pair.second, pair.value)
                state.stopped += not pair.converged
            state.last = " – ".join(self.name_of[key] for key in done.pairs[-1][:2])
            self.run.watch(state)

    def nearest(self, count: int, *, itself: bool) -> NDArray[np.int64]:
        """Return the columns of the nearest of each row; solve only what may be among them.

        Parameters
        ----------
        count : int
        itself : bool
            Whether the columns are the rows.
        """
        state = self.run.state
        self.run.doing("bounding")
        least = PairTable(self.table.rows, None if itself else self.table.columns)
        for done in self._each(tasks.bound, self.table.missing(), self.unknown):
            state.bounds += sum(least.put(*bound) for bound in done.bounds)
            self.run.watch(state)
        return nearest.search(
            self.table,
            np.nan_to_num(least.values, nan=0.0),
            min(count, len(self.table.columns) - itself),
            itself=itself,
            solve=lambda pairs: self.solve(pairs, len(pairs)),
        )

    def _each(
        self, function: Callable[[PairsTask], Result], pairs: Iterable[Pair], count: int
    ) -> Iterator[Result]:
        """Yield what becomes of pairs, some at a time."""
        speed = self._speeds.setdefault(function.__name__, _Speed())
        most = min(MOST_PAIRS, ceil(count / (SHARES * self.run.workers.size)))
        asked = (
            PairsTask(
                pairs=some,
                stage=self.stage,
                plan=self.plan,
                run=self.run.token,
                work=self.run.work,
            )
            for some in speed.tasks(pairs, most)
        )
        try:
            with closing(self.run.workers.each(function, asked)) as results:
                for done in results:
                    speed.note(done)
                    yield done
        except GwTransferError as error:
            message = str(error)
            for key, name in self.name_of.items():
                message = message.replace(key, name)
            raise type(error)(message) from error


class _Speed:
    """How long pairs take, and so how many of them a task should have."""

    def __init__(self) -> None:
        self._pairs, self._seconds = 0, 0.0

    def note(self, done: SolvedPairs | BoundedPairs) -> None:
        self._pairs += done.count
        self._seconds += done.seconds

    def tasks(self, pairs: Iterable[Pair], most: int) -> Iterator[tuple[Pair, ...]]:
        left = iter(pairs)
        while some := tuple(islice(left, min(self._wanted(), most))):
            yield some

    def _wanted(self) -> int:
        if not self._pairs:
            return FIRST_PAIRS
        wanted = TASK_SECONDS * self._pairs / max(self._seconds, 1e-9)
        return max(1, int(wanted))


def solver(
    recipe: Recipe, rows: Mapping[str, str], columns: Mapping[str, str]
) -> tuple[PlanStage, str]:
    """Return the solver of all pairs, and the key of its options.

    Parameters
    ----------
    recipe : Recipe
    rows, columns : mapping of str to str
        The coordinates that occur on either side, each with a file that has them.

    Raises
    ------
    DataError
        Shapes among pictures, or files that were prepared differently.
    """
    kinds = {**columns, **rows}
    (one, first), *others = kinds.items()
    mixed = max(len(rows), len(columns)) > 1 or any(name in SHAPES for name in kinds)
    for other, second in others:
        if mixed:
            raise DataError(
                f"{second}: expected {one} coordinates, as {first} has, found {other}; "
                "compare files of one kind, prepared alike"
            )
    auto = default_solver(next(iter(rows)), next(iter(columns)))
    recipe = with_starts(recipe, auto)
    return recipe.build("plan", auto=auto), keys.plan_key(recipe.resolved("plan", auto=auto))


def with_starts(recipe: Recipe, auto: str) -> Recipe:
    """Return the recipe with the starts of mgw2 for many pairs, if that is the solver."""
    if (auto if recipe.name("plan") == AUTO else recipe.name("plan")) != "mgw2":
        return recipe
    chosen = {**BATCH_STARTS, **recipe.options.get("plan", {})}
    return replace(recipe, options={**recipe.options, "plan": chosen})
