"""Lines and bars of a page, as places of an SVG that the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 16.0, 16.0, 48.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A mark of an axis: where it stands along it, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar and what it says."""

    x: float
    y: float
    width: float
    height: float
    inside: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn, in units of an SVG of WIDTH by HEIGHT, and the same as a table.

    Attributes
    ----------
    line : str
        Points of a polyline, or nothing.
    bars : sequence of Bar
    across, up : sequence of Mark
        Marks of the axes.
    rows : sequence of tuple of (str, str)
        The table.
    """

    line: str = ""
    bars: Sequence[Bar] = ()
    across: Sequence[Mark]
    up: Sequence[Mark]
    rows: Sequence[tuple[str, str]]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def curve(at: Array, share: Array) -> Chart:
    """Draw which share of the points has at most an error."""
    most = float(at[-1]) or 1.0
    x = _across(at / most)
    y = _up(share)
    return Chart(
        line=" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)),
        across=[
            Mark(at=float(_across(np.array(value / most))), text=_percent(value))
            for value in np.linspace(0, most, 6)
        ],
        up=_shares(1.0),
        rows=[
            (_percent(error), _percent(part))
            for error, part in zip(at.tolist(), share.tolist(), strict=True)
        ],
    )


def bars(edges: Array, shares: Array) -> Chart:
    """Draw the shares of classes whose limits are powers of two."""
    x = _across((np.log2(edges) - np.log2(edges[0])) / np.log2(edges[-1] / edges[0]))
    most = max(float(shares.max()), 1e-9)
    top = next((step for step in (0.1, 0.2, 0.4, 0.6, 0.8) if step >= most), 1.0)
    y = _up(shares / top)
    texts = [f"{_times(low)} to {_times(high)}" for low, high in pairwise(edges.tolist())]
    texts[0], texts[-1] = f"below {_times(edges[1])}", f"above {_times(edges[-2])}"
    return Chart(
        bars=[
            Bar(
                x=float(left) + 1,
                y=float(high),
                width=float(right - left) - 2,
                height=float(HEIGHT - BOTTOM - high),
                inside=bool(low >= 0.5 and upper <= 2.0),
                text=f"{text}: {_percent(share)}",
            )
            for left, right, high, low, upper, text, share in zip(
                x[:-1], x[1:], y, edges[:-1], edges[1:], texts, shares, strict=True
            )
        ],
        across=[
            Mark(at=float(place), text=_times(value))
            for place, value in zip(x, edges, strict=True)
            if float(np.log2(value)).is_integer()
        ],
        up=_shares(top),
        rows=[(text, _percent(share)) for text, share in zip(texts, shares, strict=True)],
    )


def _across(part: Array) -> Array:
    return np.asarray(LEFT + part * (WIDTH - LEFT - RIGHT))


def _up(part: Array) -> Array:
    return np.asarray(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM))


def _shares(top: float) -> list[Mark]:
    return [
        Mark(at=float(_up(np.array(value / top))), text=_percent(value))
        for value in np.linspace(0, top, 5)
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _times(ratio: float) -> str:
    """Return a ratio as people say it: 1/2, 0.71, 1, 2."""
    if ratio < 1 and (1 / ratio).is_integer():
        return f"1/{1 / ratio:g}"
    return f"{ratio:.2g}"
