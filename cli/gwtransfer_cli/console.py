"""Where words go: results to stdout, all else to stderr and into the log."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import typer


@dataclass(kw_only=True)
class Voice:
    """How this run speaks.

    Attributes
    ----------
    json : bool
        One JSON object on stdout instead of lines.
    quiet : bool
        Errors and what was asked for, nothing else.
    verbose : bool
        Say each step on stderr, with the seconds since the start.
    taken : bool
        stdout is the output's; lines go to stderr.
    log : file or None
        Gets every line, whatever else is shown.
    names : dict of str to str
        What to call files that the user knows by other names.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    taken: bool = False
    log: IO[str] | None = None
    names: dict[str, str] = field(default_factory=dict)
    start: float = field(default_factory=perf_counter)

    def shown(self, text: str) -> str:
        """Return words with files called as the user calls them."""
        for name, known in self.names.items():
            text = text.replace(name, known)
        return text

    def write(self, kind: str, text: str) -> None:
        """Add a line to the log."""
        if self.log is None:
            return
        seconds = perf_counter() - self.start
        try:
            print(f"{seconds:9.3f} {kind:<7} {text}", file=self.log, flush=True)
        except OSError as error:
            name, self.log = self.log.name, None
            note(f"{name}: no more can be written: {error.strerror}; the log ends here")


_voice: ContextVar[Voice] = ContextVar("voice", default=Voice())  # noqa: B039  # never changed


def begin(voice: Voice, line: str) -> None:
    """Speak like this from now on; the line, as it was typed, goes into the log."""
    end()
    _voice.set(voice)
    voice.write("run", line)


def end() -> None:
    """Close the log and speak in the usual way."""
    log = _voice.get().log
    if log is not None:
        log.close()
    _voice.set(Voice())


def call_it(path: Path, known: str) -> None:
    """Let messages call a file by the name the user gave."""
    _voice.get().names[str(path)] = known


def say(line: str) -> None:
    """Print a line that sums up what was done: on stdout, unless that is taken."""
    line = _voice.get().shown(line)
    _voice.get().write("said", line)
    if not (_voice.get().quiet or _voice.get().json):
        typer.echo(line, err=_voice.get().taken)


def result(line: str) -> None:
    """Print what was asked for on stdout, in whatever voice but JSON."""
    line = _voice.get().shown(line)
    _voice.get().write("result", line)
    if not _voice.get().json:
        typer.echo(line)


def answer(figures: Mapping[str, Any]) -> None:
    """Print the figures of a run as one JSON object, where that was asked for."""
    if _voice.get().json:
        typer.echo(
            _voice.get().shown(json.dumps(_held(figures), ensure_ascii=False, allow_nan=False))
        )


def _held(value: Any) -> Any:
    """Return figures as JSON holds them: what is not finite as null."""
    if isinstance(value, Mapping):
        return {key: _held(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_held(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _tell(line: str) -> None:
    """Print a line on stderr; where nobody can read it, the exit code has to do."""
    with suppress(OSError):
        typer.echo(line, err=True)


def complain(message: str) -> None:
    """Print one line of error on stderr."""
    line = _voice.get().shown(" ".join(message.split()))
    _voice.get().write("error", line)
    _tell(f"gwtransfer: {line}")


def note(message: str) -> None:
    """Print one line of advice on stderr."""
    line = _voice.get().shown(" ".join(message.split()))
    _voice.get().write("note", line)
    if not _voice.get().quiet:
        _tell(f"note: {line}")


def step(what: str) -> None:
    """Say what is done next, to who wants to know."""
    line = _voice.get().shown(what)
    _voice.get().write("step", line)
    if _voice.get().verbose:
        _tell(f"{perf_counter() - _voice.get().start:7.2f} s  {line}")


def is_json() -> bool:
    """Tell whether one JSON object is all that stdout gets."""
    return _voice.get().json


def is_watched() -> bool:
    """Tell whether anybody watches stderr while the program runs."""
    return sys.stderr is not None and sys.stderr.isatty() and not _voice.get().quiet


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being done, how fast and how long still, where stderr is a terminal."""
    doing = ""

    def stepped(what: str) -> None:
        nonlocal doing
        if what != doing:
            step(what)
            doing = what

    if not is_watched():
        yield lambda what, _done, _total: stepped(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None, rate="")

        def show(what: str, done: int, total: int) -> None:
            stepped(what)
            what = _voice.get().shown(what)
            if bar.tasks[0].description != what or done == 0:
                bar.reset(task, description=what, total=total or None, rate="")
            speed = bar.tasks[0].speed
            rate = f"{speed / 1e6:.1f} Mpixel/s" if speed and total else ""
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield show
