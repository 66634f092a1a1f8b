"""Linear algebra on one thread: sums are then always added alike, and thin matrices do not wait."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra on one thread, so that results do not depend on how many there are."""
    import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, to be limited too
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
