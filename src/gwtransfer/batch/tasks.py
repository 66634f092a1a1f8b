"""What a worker does, in whichever process: fit a file, or solve a few pairs of fitted ones.

A result depends on nothing but the files and options named in the task, so it is the same wherever
and beside whatever it is computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

from gwtransfer import __version__, jobs
from gwtransfer.adapters.workers import check_version
from gwtransfer.batch import journal, keys
from gwtransfer.core.bounds import ROUNDING
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.guide import Guide
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, GwTransferError
from gwtransfer.io import files, store
from gwtransfer.opening import Opening
from gwtransfer.pipeline import PlanStage, planned
from gwtransfer.plan.mgw2 import MGW2, Coupled
from gwtransfer.recipe import Recipe

REMEMBERED = 1024
"""Mixtures a process keeps in memory."""

STARTS_TOGETHER = 1024
"""Starts of several pairs whose descents share their steps: more gain nothing, and a kill loses
what is solved together."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A folder of what is kept between runs, with one file for each fit and journals of pairs.

    Attributes
    ----------
    folder : Path
        Absolute: every worker must see it under this name.
    """

    folder: Path

    @property
    def fits(self) -> Path:
        """Mixtures, ``KEY.npz``."""
        return self.folder / "fits"

    @property
    def pairs(self) -> Path:
        """Journals."""
        return self.folder / "pairs"

    def fit(self, key: str) -> Path:
        """Return where the mixture of that key is kept."""
        return self.fits / f"{key}.npz"


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """A file to be fitted.

    Attributes
    ----------
    path : Path
        Absolute.
    key, digest : str
        Of the fit, and of the content that was found when the key was made.
    recipe : Recipe
        Its prepare and fit stages are named.
    work : Work
    version : str
        Of this program, where the task was made.
    """

    path: Path
    key: str
    digest: str
    recipe: Recipe
    work: Work
    version: str = __version__


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What became of a FitTask.

    Attributes
    ----------
    key : str
    made : bool
        False where another process had fitted it meanwhile.
    error : str or None
        Why there is no mixture, in one line that names the file.
    """

    key: str
    made: bool = True
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class PairsTask:
    """Pairs to be solved.

    Attributes
    ----------
    pairs : tuple of (str, str)
        Keys of fits, each pair in order.
    stage : PlanStage
    plan : str
        The key of the stage and its options.
    run : str
        What journals of one run have in common.
    work : Work
    version : str
    """

    pairs: tuple[tuple[str, str], ...]
    stage: PlanStage
    plan: str
    run: str
    work: Work
    version: str = __version__


@dataclass(frozen=True, kw_only=True)
class BoundedPairs:
    """Lower bounds of the values of a PairsTask's pairs, and how long they took."""

    bounds: tuple[tuple[str, str, float], ...]
    seconds: float

    @property
    def count(self) -> int:
        """How many pairs."""
        return len(self.bounds)


@dataclass(frozen=True, kw_only=True)
class SolvedPairs:
    """What became of a PairsTask, and how long it took."""

    pairs: tuple[journal.Solved, ...]
    seconds: float

    @property
    def count(self) -> int:
        """How many pairs."""
        return len(self.pairs)


def fit(task: FitTask) -> Fitted:
    """Fit a file and keep the mixture under its key; what is wrong with the file is not raised.

    Raises
    ------
    WriteError
        The mixture cannot be kept.
    DataError
        This process runs another version of the program than the one that made the task.
    """
    check_version(task.version)
    kept = task.work.fit(task.key)
    if kept.exists():
        return Fitted(key=task.key, made=False)
    try:
        mixture, provenance = _fitted(task)
        if keys.content(task.path) != task.digest:
            raise DataError(f"{task.path}: changed while it was read; run again")
    except GwTransferError as error:
        return Fitted(key=task.key, error=str(error))
    except Exception as error:  # one broken file must not end a batch of thousands
        kind = type(error).__name__
        return Fitted(key=task.key, error=f"{task.path}: internal error: {kind}: {error}")
    with files.whole(kept, overwrite=True) as temporary:
        store.save_mixture(mixture, temporary, provenance)
    return Fitted(key=task.key)


def _fitted(task: FitTask) -> tuple[GaussianMixture, dict[str, Any]]:
    if store.is_artefact(task.path):
        return jobs.load_mixture(task.path)
    opening = Opening()
    (item,) = opening(task.path)
    mixture = jobs.fit_opened(item, task.recipe)
    return mixture, jobs.fit_provenance([task.path], item, task.recipe, opening, None)


def bound(task: PairsTask) -> BoundedPairs:
    """Return what no solver's value of these pairs is below; 0 for solvers without such bounds."""
    check_version(task.version)
    start = perf_counter()
    least = [(*pair, _bound(task, *pair)) for pair in task.pairs]
    return BoundedPairs(bounds=tuple(least), seconds=perf_counter() - start)


def _bound(task: PairsTask, first: str, second: str) -> float:
    if not isinstance(task.stage, MGW2):
        return 0.0
    source, target = (mixture(task.work.fit(key)) for key in (first, second))
    problem = GromovProblem(
        own0=task.stage.own(source),
        own1=task.stage.own(target),
        weights0=source.weights,
        weights1=target.weights,
    )
    return problem.bound() - ROUNDING * problem.constant


def solve(task: PairsTask) -> SolvedPairs:
    """Solve pairs, some at a time, each written into a journal as soon as it is there.

    Raises
    ------
    GwTransferError
        A pair cannot be solved; the message begins with the keys of both.
    """
    check_version(task.version)
    start = perf_counter()
    own = journal.own(task.work.pairs, task.run)
    together = 1
    if isinstance(task.stage, MGW2):
        together = max(1, STARTS_TOGETHER // task.stage.most_starts)
    solved: list[journal.Solved] = []
    for first in range(0, len(task.pairs), together):
        for pair in _solved(task, task.pairs[first : first + together]):
            own.append(pair)
            solved.append(pair)
    return SolvedPairs(pairs=tuple(solved), seconds=perf_counter() - start)


def _solved(task: PairsTask, pairs: Sequence[tuple[str, str]]) -> Iterator[journal.Solved]:
    """Yield what pairs come to; where they cannot be solved together, one after the other."""
    sides = [jobs.in_order(*(mixture(task.work.fit(key)) for key in pair)) for pair in pairs]
    try:
        plans = _plans(task.stage, sides)
    except GwTransferError as error:
        if len(pairs) > 1:
            for pair in pairs:
                yield from _solved(task, [pair])
            return
        (first, second), *_ = pairs
        raise type(error)(f"{first} and {second}: {error}") from error
    for (first, second), plan in zip(pairs, plans, strict=True):
        yield journal.Solved(
            first=first,
            second=second,
            plan=task.plan,
            value=plan.value,
            bound=plan.bound,
            reached=plan.reached,
            starts=plan.starts,
            converged=plan.converged,
        )


def _plans(
    stage: PlanStage, sides: Sequence[tuple[GaussianMixture, GaussianMixture]]
) -> Sequence[Coupled | TransportPlan]:
    guide = Guide(anchor=0.0)
    if isinstance(stage, MGW2):
        return stage.coupled_each(sides, guide=guide)
    return [planned(stage, source, target, guide=guide) for source, target in sides]


@lru_cache(maxsize=REMEMBERED)
def mixture(path: Path) -> GaussianMixture:
    """Return a kept mixture; its name is made of its content, so it never changes."""
    return jobs.load_mixture(path)[0]
