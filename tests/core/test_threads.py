"""One thread of linear algebra inside, as many as before outside, whoever leaves first."""

from threadpoolctl import threadpool_info, threadpool_limits

from gwtransfer.core.ahead import ahead
from gwtransfer.core.threads import one_thread


def threads() -> set[int]:
    """Return how many threads the libraries of linear algebra have."""
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_the_last_to_leave_lifts_the_limit() -> None:
    """Two overlap as generators do: still one thread when the first has left."""
    import scipy.linalg  # noqa: F401

    with threadpool_limits(2):
        before = threads()
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        assert threads() == {1}
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == before


def test_two_at_a_time_work_ahead_on_one_thread_each() -> None:
    """Iterators that are read in turns do not lift each other's limit."""
    import scipy.linalg  # noqa: F401

    with threadpool_limits(2):
        before = threads()
        pairs = list(zip(*(ahead(lambda _: threads(), range(n)) for n in (3, 5)), strict=False))
        assert all(one == {1} for pair in pairs for one in pair)
        assert threads() == before
