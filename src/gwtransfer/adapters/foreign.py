"""What every call into a reading or writing library needs: silence, and one line of its errors."""

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""Letters that a terminal obeys instead of showing them."""

_ONE_AT_A_TIME = threading.RLock()
"""The filters of `warnings` belong to the whole process, so they are changed by one thread only."""


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Keep warnings and the named loggers of a library from reaching anybody.

    Parameters
    ----------
    *loggers : str
        Names of the loggers that are switched off, with those below them, inside the block.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = [logging.getLogger(name) for name in loggers]
        before = [logger.level for logger in named]
        for logger in named:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(named, before, strict=True):
                logger.setLevel(level)


def reason(error: BaseException) -> str:
    """Return the first line of what an error says, or the name of its class.

    An error that only points to its cause is replaced by that. What a terminal would obey and not
    show, from the middle of a file perhaps, becomes a question mark.
    """
    if error.__cause__ is not None and "previous exception" in str(error):
        return reason(error.__cause__)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return CONTROL.sub("?", lines[0].rstrip(".")[:200])
