"""Work done ahead of who needs it, by a few threads, and handed out in order."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from gwtransfer.core.threads import one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
"""Threads that work ahead."""


def ahead(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the function's result for each item, in order; the next ones are computed meanwhile.

    What is yielded does not depend on how many threads there are.
    """
    with one_thread():  # an item is a thread's work; more would wait in circles
        if len(items) == 1 or WORKERS == 1:
            yield from map(function, items)
            return
        coming: deque[Future[Result]] = deque()
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ahead")
        try:
            for item in items:
                coming.append(pool.submit(function, item))
                if len(coming) > WORKERS:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
