"""Linear algebra on one thread: sums are then always added alike, and thin matrices do not wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any


class _Limit:
    """The process's limit, and how many are inside it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = 0
        self.held: list[Any] = []

    def enter(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:  # again for each, as a library may have been loaded meanwhile
            self.held.append(threadpool_limits(1))
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            while self.inside == 0 and self.held:
                self.held.pop().restore_original_limits()


_limit = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra on one thread, so that results do not depend on how many there are.

    The limit is set for the first who enters and lifted after the last has left, in whatever
    order they do.
    """
    import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, to be limited too

    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()
