"""The program: what the shell starts. An interrupt is heard before anything else is imported."""

import os
import signal
import sys
from contextlib import suppress

from gwtransfer_cli.interrupts import HEARD, ended_by_signals


def run() -> None:
    """Run as a program."""
    _fill_closed()
    if "_GWTRANSFER_COMPLETE" in os.environ:
        # typer would load it to strip markup from help, which has none; this says "not there".
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        with ended_by_signals():
            from gwtransfer_cli import app
    except KeyboardInterrupt:
        with suppress(OSError, AttributeError):  # a lost terminal, a closed stream
            sys.stderr.write("gwtransfer: interrupted\n")
        sys.exit(130)
    code = app.main()
    for number in HEARD:  # all is done and said: there is nothing left to interrupt
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _fill_closed() -> None:
    """Put the null device where a stream was closed, so that no file of ours takes its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
