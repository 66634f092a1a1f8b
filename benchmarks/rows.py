"""A measured row, and how two things are measured side by side."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of a benchmark.

    Attributes
    ----------
    group : str
        Which table it belongs to: "end to end", "pictures", "fit", "plan", "map", "start-up",
        "growth", "distributed", "device".
    name : str
        What is measured, with its size.
    value : float
    unit : str
        "×" for a ratio of two medians, else "s", "ms", "MB", "nats".
    at_most, at_least : float or None
        What is wanted.
    limit : str
        What bounds it, in words with figures: the bare matrix products took 0.05 s.
    note : str
    """

    group: str
    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    limit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether what is wanted is had; None where nothing is."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def paired(*calls: Callable[[], object], runs: int = 5) -> list[float]:
    """Return the median seconds of several calls, taken in turns so that noise meets all alike.

    Each is called once before, unmeasured.
    """
    for call in calls:
        call()
    taken = [[seconds(call) for call in calls] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def shown(row: Row) -> tuple[str, str, str]:
    """Return a row's value, what is wanted of it, and whether it is had, as words."""
    bound = row.at_least if row.at_most is None else row.at_most
    value = f"{row.value:.3g}" if abs(row.value) < 1000 else f"{row.value:,.0f}"
    wanted = "" if bound is None else f"{'≥' if row.at_most is None else '≤'} {bound:g}"
    had = {True: "yes", False: "no", None: ""}[row.met]
    return f"{value} {row.unit}", wanted, had


def show(row: Row) -> None:
    """Print a row."""
    value, wanted, had = shown(row)
    print(f"  {row.name:64} {value:>11}  {wanted:>7} {had:3}  {row.limit}", flush=True)
    if row.note:
        print(f"  {'':64} {row.note}", flush=True)
