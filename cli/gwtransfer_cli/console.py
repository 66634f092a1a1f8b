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


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Show what is being done on stderr where it is a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)

        def show(what: str, share: float) -> None:
            total = 1.0 if share > 0 else None
            bar.update(task, description=what, completed=share, total=total)

        yield show


def _unseen(what: str, share: float) -> None:
    del what, share
