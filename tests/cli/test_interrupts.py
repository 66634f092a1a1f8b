"""One interrupt ends the program, wherever it arrives."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gwtransfer_cli.interrupts import ended_by_signals

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")


def swallow() -> None:
    """Lose the first interrupt, as a callback of a compiled module does."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except BaseException:
        pass


def fail() -> None:
    """Turn the interrupt into another error, as an interrupted import does."""
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    except BaseException as error:
        raise ImportError("half a module") from error


def test_an_interrupt_that_was_swallowed_comes_again() -> None:
    """Within a few tenths of a second."""
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        swallow()
        time.sleep(5)
    assert time.monotonic() - begun < 2


def test_what_fails_after_an_interrupt_failed_by_it() -> None:
    """The program says interrupted, not that a module is missing."""
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        fail()


def test_errors_without_an_interrupt_are_themselves() -> None:
    """And the handlers are as they were."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(ImportError, match="really"), ended_by_signals() as interrupts:
        raise ImportError("really")
    assert not interrupts.asked
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_cleaning_up_is_not_disturbed() -> None:
    """Neither by the repetition nor by a second signal, even inside a nested `try`."""
    cleaned = []

    def clean() -> None:
        try:
            raise OSError
        except OSError:
            time.sleep(0.3)
            cleaned.append("nested")

    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.3)
            cleaned.append("finally")
            clean()
    assert cleaned == ["finally", "nested"]


def test_no_interrupt_is_sent_later() -> None:
    """The timer ends with the block."""
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    time.sleep(0.3)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_ignored_interrupt_stays_ignored() -> None:
    """As for a job in the background, which Ctrl-C is not meant for."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ended_by_signals() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
        assert not interrupts.asked
    finally:
        signal.signal(signal.SIGINT, before)


SWALLOWING = """
import os, signal, sys, time

class Lost:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

from gwtransfer import inspection

def inspect(*_, **__):
    Lost()
    time.sleep(10)

inspection.inspect = inspect
from gwtransfer_cli.program import run
run()
"""

EARLY = """
import os, signal, sys

class Early:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Early())
from gwtransfer_cli.program import run
run()
"""


@pytest.mark.parametrize("code", [SWALLOWING, EARLY])
def test_the_program_says_interrupted_and_no_more(code: str, tmp_path: Path) -> None:
    """Lost in a finaliser, or received before the commands are imported: 130 and one line."""
    file = tmp_path / "some.png"
    file.touch()
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", str(file)],
        capture_output=True, text=True, check=False, timeout=8,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "gwtransfer: interrupted\n")
