"""Where words go: results to stdout, progress and errors to stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


def say(line: str) -> None:
    """Print a line of results on stdout."""
    typer.echo(line)


def complain(message: str) -> None:
    """Print one line on stderr."""
    typer.echo(f"gwtransfer: {' '.join(message.split())}", err=True)


def note(message: str) -> None:
    """Print one line of advice on stderr."""
    typer.echo(f"note: {' '.join(message.split())}", err=True)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being done, how fast and how long still, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield _unseen
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
            if bar.tasks[0].description != what or done == 0:
                bar.reset(task, description=what, total=total or None, rate="")
            speed = bar.tasks[0].speed
            rate = f"{speed / 1e6:.1f} Mpixel/s" if speed and total else ""
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield show


def _unseen(what: str, done: int, total: int) -> None:
    del what, done, total
