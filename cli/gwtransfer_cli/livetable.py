"""A table on stderr that says how far a batch is, where stderr is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from gwtransfer_cli import console

if TYPE_CHECKING:
    from rich.table import Table

    from gwtransfer.batch.run import State, Watch

REDRAWN = 8
"""Times a second."""


@contextmanager
def shown() -> "Iterator[Watch]":
    """Show counts, rate and time left while the block runs, and nothing away from a terminal."""
    doing = ""

    def stepped(state: "State") -> None:
        nonlocal doing
        if state.doing != doing:
            doing = state.doing
            console.step(doing)

    if not console.is_watched():
        yield stepped
        return
    from rich.console import Console
    from rich.live import Live

    began: dict[str, tuple[float, int]] = {}
    latest: list[State] = []

    def table() -> "Table | str":
        return _table(latest[0], began) if latest else ""

    with Live(
        console=Console(stderr=True),
        get_renderable=table,
        refresh_per_second=REDRAWN,
        transient=True,
    ):

        def watch(state: "State") -> None:
            stepped(state)
            began.setdefault(state.doing, (monotonic(), _count(state)))
            latest[:] = [state]

        yield watch


def _count(state: "State") -> int:
    if state.doing == "bounding":
        return state.bounds
    return state.pairs_made if state.doing == "solving" else state.fits_made + len(state.failed)


def _table(state: "State", began: dict[str, tuple[float, int]]) -> "Table":
    from rich.table import Table

    since, before = began[state.doing]
    made, seconds = _count(state) - before, monotonic() - since
    rate = made / seconds if made and seconds > 0 else 0.0
    fits = state.fits_kept + state.fits_made + state.copies
    pairs = state.pairs_kept + state.pairs_made
    left = {
        "fitting": state.files - fits - len(state.failed),
        "bounding": state.pairs - state.pairs_kept - state.bounds,
        "solving": state.pairs - pairs,
    }
    table = Table(box=None, pad_edge=False)
    for title in ("", "fitted", "failed", "pairs", "rate", "left", "last"):
        table.add_column(title, justify="right" if title in ("rate", "left") else "left")
    table.add_row(
        state.doing,
        f"{fits} of {state.files}",
        str(len(state.failed)),
        f"{pairs} of {state.pairs}" if state.pairs else "",
        f"{rate:.3g}/s" if rate else "",
        _time(left[state.doing] / rate) if rate and state.doing in left else "",
        state.last,
    )
    return table


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
