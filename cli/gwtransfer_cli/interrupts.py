"""End the program on the first interrupt, even where somebody swallows it.

`KeyboardInterrupt` is raised wherever the program happens to be. Raised inside the import of a
compiled module, a callback or a finaliser it is lost there, or comes out as an `ImportError`. So
it is raised again every tenth of a second until it has left the block; while it is on its way and
the `finally` clauses it meets clean up, they are left alone.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.1
"""Seconds from one raise to the next."""

PATIENCE = 5.0
"""Seconds left to those who clean up; later the interrupt is raised in their midst."""

HEARD = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What asks the program to end; SIGHUP when its terminal or connection is gone."""


class Interrupts:
    """What happened in the block: `asked` is true from the first signal on."""

    def __init__(self) -> None:
        self.asked = False
        self.over = False
        self._since = 0.0

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: raise, unless an earlier interrupt is being handled."""
        del number, frame
        if self.over:
            return
        if not self.asked:
            self.asked = True
            self._since = time.monotonic()
            sys.unraisablehook = _unless_interrupt
            _repeat(AGAIN)
        elif _on_its_way() and time.monotonic() - self._since < PATIENCE:
            return
        raise KeyboardInterrupt


@contextmanager
def ended_by_signals() -> Iterator[Interrupts]:
    """Turn SIGINT, SIGTERM and SIGHUP into one `KeyboardInterrupt` that leaves the block.

    An error that ends the block after a signal counts as its consequence. A signal that is
    ignored stays so: the shell ignores SIGINT for a job in the background, nohup SIGHUP. Outside
    the main thread nothing is changed.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    numbers = [n for n in HEARD if signal.getsignal(n) != signal.SIG_IGN]
    if hasattr(signal, "SIGALRM"):
        numbers.append(signal.SIGALRM)
    hook = sys.unraisablehook
    before = [(number, signal.signal(number, interrupts.stop)) for number in numbers]
    try:
        yield interrupts
    except Exception as error:
        if interrupts.asked:
            raise KeyboardInterrupt from error
        raise
    finally:
        interrupts.over = True
        _repeat(0)
        sys.unraisablehook = hook
        for number, handler in before:
            signal.signal(number, handler)


def _on_its_way() -> bool:
    """Tell whether an interrupt, or an error met while one was handled, is being handled."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def _repeat(seconds: float) -> None:
    """Send SIGALRM every so many seconds, or none for 0; nothing where there are no such timers."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _unless_interrupt(unraisable: "sys.UnraisableHookArgs") -> None:
    """Keep quiet about an interrupt that somebody swallowed; it comes again."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
