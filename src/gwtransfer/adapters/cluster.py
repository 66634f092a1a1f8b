"""Tasks carried out by the workers of a Dask scheduler, through distributed; its only importer."""

import re
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from gwtransfer import __version__
from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.adapters.workers import Pool, Result, Task, check_version, on_one_thread
from gwtransfer.errors import DataError, MissingError, UsageError

CONNECTING = 10.0
"""Seconds until a scheduler must have answered, and then until it must have a worker."""

AHEAD = 4
"""Tasks given to the scheduler for each thread of its workers."""

LOGGERS = ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado")
"""Those that distributed gives a level of their own are not silenced with their parent."""


@contextmanager
def workers_of(address: str, *, must_see: Path, in_order: bool = False) -> Iterator[Pool]:
    """Carry tasks out on a cluster, for as long as it takes, whichever workers come and go.

    A task whose worker is lost is given to another one. The function goes to each worker once,
    however much it holds.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` of a scheduler.
    must_see : Path
        A folder that every worker must see under this name.
    in_order : bool
        Give results in the order of the tasks. Those done before their turn, AHEAD a thread at
        most, wait with their workers.

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
            yield Pool(size=size, each=partial(_each, client, address, AHEAD * size, in_order))
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
        blind = [
            worker for worker, seen in client.run(_sees, folder, __version__).items() if not seen
        ]
    except DataError as error:
        raise DataError(f"{address}: {error}") from error
    except Exception as error:
        raise DataError(f"{address}: its workers do not answer: {reason(error)}") from error
    if blind:
        raise DataError(
            f"{folder}: worker {blind[0]} sees no such folder; --scheduler needs a file system "
            "that all workers share, under the same names"
        )
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def _sees(folder: Path, version: str) -> bool:
    check_version(version)
    return folder.is_dir()


def _each(  # noqa: PLR0917  what is bound comes first
    client: Any,
    address: str,
    ahead: int,
    in_order: bool,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
) -> Generator[Result, None, None]:
    import distributed

    submit = _submitter(client, function)
    left = iter(tasks)
    running: Any = distributed.as_completed(loop=client.loop)  # type: ignore[no-untyped-call]
    given: dict[Any, None] = {}  # in order
    done: set[Any] = set()

    def give(most: int) -> None:
        for task in islice(left, most):
            future = submit(task)
            given[future] = None
            running.add(future)

    try:
        give(ahead)
        for future in running:
            done.add(future)
            while (ready := next(iter(given if in_order else done), None)) in done:
                result = _result(client, ready, address)
                done.discard(ready)
                del given[ready]
                give(1)
                yield result
    finally:
        if given:
            with suppress(Exception):  # whoever is lost needs no telling
                client.cancel(list(given), asynchronous=False)


def _submitter(client: Any, function: Callable[[Task], Any]) -> Callable[[Task], Any]:
    """Return what gives a task to the scheduler; the function is a result that all tasks need.

    So workers pass it on to each other, and have it made again when its only holder is lost. Keys
    of one group are what the scheduler spreads over all workers, not only over its holders.
    """
    name = uuid.uuid4().hex
    numbers = count()
    shared = client.submit(_itself, function, key=(f"function-{name}", 0))

    def submit(task: Task) -> Any:
        return client.submit(on_one_thread, shared, task, key=(f"task-{name}", next(numbers)))

    return submit


def _itself(function: Callable[[Task], Any]) -> Callable[[Task], Any]:
    return function


def _result(client: Any, future: Any, address: str) -> Any:
    """Return the result of a task that is done, or once was: it may be lost with its worker."""
    import distributed

    while True:
        try:
            return future.result(timeout=CONNECTING)
        except distributed.KilledWorker as error:
            raise DataError(
                f"{address}: a task was lost with several workers one after the other, probably "
                "for want of memory; give them more, or fewer threads, and run the same command "
                "again"
            ) from error
        except (distributed.CancelledError, TimeoutError, OSError) as error:
            connected = client.status == "running"
            if future.status == "error" and connected:
                raise  # the task's own
            if isinstance(error, TimeoutError) and connected:
                continue  # it is being made again
            raise DataError(
                f"{address}: the scheduler is lost; start it again and run the same command again"
            ) from error
