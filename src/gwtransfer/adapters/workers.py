"""Tasks carried out here, or by processes of this machine through joblib, its only importer."""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from gwtransfer import __version__
from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.threads import one_thread
from gwtransfer.errors import DataError, MissingError

Task = TypeVar("Task")
Result = TypeVar("Result")

IDLE_SECONDS = 20
"""A worker without work for so long ends, as when whoever gave it has been killed."""


class Each(Protocol):
    """Results of a function for every task, as they are done or, where asked for, in order."""

    def __call__(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Take tasks as they are needed; closed early, drop what is still running."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Who carries tasks out.

    Attributes
    ----------
    size : int
        How many tasks at once.
    each : Each
    """

    size: int
    each: Each


@contextmanager
def here() -> Iterator[Pool]:
    """Carry tasks out in this process, one after the other."""

    def each(
        function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        for task in tasks:
            yield on_one_thread(function, task)

    yield Pool(size=1, each=each)


@contextmanager
def processes(count: int) -> Iterator[Pool]:
    """Carry tasks out in processes of their own, each on one thread of linear algebra.

    Parameters
    ----------
    count : int

    Raises
    ------
    MissingError
        joblib is not there.
    DataError
        A process died, as it does when memory runs out.
    """
    try:
        import joblib
        from joblib.externals.loky import BrokenProcessPool
    except ImportError as error:
        raise MissingError(
            f"--jobs: processes need joblib, which cannot be imported ({reason(error)}); "
            "install it with pip install joblib, or leave --jobs out"
        ) from error

    def each(
        function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        call = joblib.delayed(partial(on_one_thread, function))
        with joblib.parallel_config(
            backend="loky", inner_max_num_threads=1, idle_worker_timeout=IDLE_SECONDS,
            initializer=_ignore_interrupts,
        ):  # fmt: skip
            parallel = joblib.Parallel(
                n_jobs=count, batch_size=1, return_as="generator_unordered", max_nbytes=None
            )
        results = parallel(call(task) for task in tasks)
        try:
            yield from results
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process ended by itself, probably for want of memory; run the same "
                f"command again with fewer --jobs than {count}"
            ) from error
        finally:
            with quiet():  # it warns of results that nobody will fetch
                results.close()

    yield Pool(size=count, each=each)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_one_thread(function: Callable[[Task], Result], task: Task) -> Result:
    """Call a function with linear algebra on one thread, so that sums are always added alike."""
    with one_thread():
        return function(task)


def check_version(version: str) -> None:
    """Refuse to work for another version of this program.

    Raises
    ------
    DataError
        The one that gave the task is not this one.
    """
    if version != __version__:
        raise DataError(
            f"expected workers with gwtransfer {version}, found one with {__version__}; "
            "install the same version everywhere"
        )


def _ignore_interrupts(*_: Any) -> None:
    """Leave Ctrl-C, which the terminal sends to everyone, to the process that gave the tasks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
