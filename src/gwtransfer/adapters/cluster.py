"""Tasks carried out by the workers of a Dask scheduler, through distributed; its only importer."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.adapters.workers import Pool, Result, Task, on_one_thread
from gwtransfer.errors import DataError, MissingError, UsageError

CONNECTING = 10.0
"""Seconds until a scheduler must have answered, and then until it must have a worker."""

AHEAD = 4
"""Tasks given to the scheduler for each thread of its workers."""

LOGGERS = ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado")
"""Those that distributed gives a level of their own are not silenced with their parent."""


@contextmanager
def workers_of(address: str, *, must_see: Path) -> Iterator[Pool]:
    """Carry tasks out on a cluster, for as long as it takes, whichever workers come and go.

    A task whose worker is lost is given to another one.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` of a scheduler.
    must_see : Path
        A folder that every worker must see under this name.

    Raises
    ------
    MissingError
        distributed is not there.
    UsageError
        That is no address.
    DataError
        No scheduler answers there, it has no workers, or is lost; the workers see no such folder,
        or not this program.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingError(
            f"--scheduler: a cluster needs distributed, which cannot be imported "
            f"({reason(error)}); install it with pip install 'gwtransfer[dask]'"
        ) from error
    if not re.fullmatch(r"(tcp|tls)://.+:\d+", address):
        raise UsageError(f"--scheduler {address}: expected an address like tcp://host:8786")
    with quiet(*LOGGERS):
        try:
            client: Any = distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=CONNECTING, set_as_default=False
            )
        except (OSError, ValueError, TimeoutError) as error:
            raise DataError(
                f"{address}: expected a scheduler, none answers ({reason(error)}); start it with "
                "`dask scheduler`, or correct the address"
            ) from error
        try:
            size = _threads(client, address, must_see)
            yield Pool(size=size, each=partial(_each, client, address, AHEAD * size))
        finally:
            with suppress(Exception):  # it may be gone, and nothing is lost with it
                client.close(timeout=1)


def _threads(client: Any, address: str, folder: Path) -> int:
    """Return how many tasks the workers do at once; refuse workers that could do none."""
    try:
        client.wait_for_workers(1, timeout=CONNECTING)
    except TimeoutError:
        raise DataError(
            f"{address}: expected workers, found none after {CONNECTING:g} s; start some with "
            f"`dask worker {address}`"
        ) from None
    try:
        blind = [worker for worker, seen in client.run(folder.is_dir).items() if not seen]
    except Exception as error:
        raise DataError(f"{address}: its workers do not answer: {reason(error)}") from error
    if blind:
        raise DataError(
            f"{folder}: worker {blind[0]} sees no such folder; --scheduler needs a file system "
            "that all workers share, under the same names"
        )
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def _each(
    client: Any,
    address: str,
    ahead: int,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
) -> Generator[Result, None, None]:
    import distributed

    left = iter(tasks)
    running: Any = distributed.as_completed(loop=client.loop)  # type: ignore[no-untyped-call]
    given: set[Any] = set()

    def give(count: int) -> None:
        for task in islice(left, count):
            future = client.submit(on_one_thread, function, task, pure=False)
            given.add(future)
            running.add(future)

    try:
        give(ahead)
        for future in running:
            result = _result(future, address)
            given.discard(future)
            give(1)
            yield result
    finally:
        if given:
            with suppress(Exception):  # whoever is lost needs no telling
                client.cancel(list(given), asynchronous=False)


def _result(future: Any, address: str) -> Any:
    import distributed

    try:
        return future.result(timeout=CONNECTING)
    except distributed.KilledWorker as error:
        raise DataError(
            f"{address}: a task was lost with several workers one after the other, probably for "
            "want of memory; give them more, or fewer threads, and run the same command again"
        ) from error
    except (distributed.CancelledError, TimeoutError, OSError) as error:
        if future.status == "error":
            raise  # the task's own
        raise DataError(
            f"{address}: the scheduler is lost; start it again and run the same command again"
        ) from error
