"""Curves, dots and pictures in panels side by side, drawn on a page of `plots`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.plots import COLOURS, MARKERS, check_installed, page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Array = NDArray[np.float64]

Style = Literal["line", "dashed", "dotted", "dots", "joined"]
"""How a series is drawn: "dots" are not joined, "joined" are dots with a line."""

WIDTH, HEIGHT = 5.2, 3.9
"""Inches of a panel with curves."""

PICTURE, TITLE = 3.4, 0.35
"""Inches of the longer side of a picture, and of the line above it."""

MANY_DECADES = 200.0
"""Ends of a logarithmic axis this many times apart leave no room between the tens."""

SHADE = 0.2
"""Opacity of a band."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """One curve, or some dots.

    Attributes
    ----------
    label : str
        What the legend says; empty is not in it.
    x, y : (n,) arrays
        NaN is a gap.
    low, high : (n,) arrays or None
        Ends of a band around a line, or of the error bars of dots.
    style : str
    colour : int or None
        Which of the colours, from 0; None is one that the panel's earlier series have not.
    """

    label: str
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    low: Sequence[float] | Array | None = None
    high: Sequence[float] | Array | None = None
    style: Style = "line"
    colour: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """Axes with curves.

    Attributes
    ----------
    series : tuple of Series
    title, across, up : str
        Words above, and along the two axes.
    log_across, log_up : bool
        A logarithmic axis, of positive values only.
    ticks : tuple of (float, str), or None
        Places along the axis across and what to write there; None leaves it to the numbers.
    """

    series: tuple[Series, ...]
    title: str = ""
    across: str = ""
    up: str = ""
    log_across: bool = False
    log_up: bool = False
    ticks: tuple[tuple[float, str], ...] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """An image with words above it.

    Attributes
    ----------
    values : (rows, columns, 3) array in [0, 1], or (rows, columns) array
        Colours; or numbers, drawn as shades with a scale beside them. NaN stays empty.
    title : str
    unit : str
        What the scale measures.
    most : float or None
        Upper end of the scale, from 0; None is the largest number.
    """

    values: NDArray[np.floating]
    title: str = ""
    unit: str = ""
    most: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """Panels row by row.

    Attributes
    ----------
    panels : tuple of Panel and Picture
    columns : int
        How many stand side by side at most.
    """

    panels: tuple[Panel | Picture, ...]
    columns: int = 2


def draw(figure: Figure, path: Path) -> None:
    """Draw a figure; equal figures give equal bytes.

    Parameters
    ----------
    path : Path
        Ends in .png or .svg.

    Raises
    ------
    PluginError
        matplotlib is missing.
    """
    check_installed(path, instead="")
    columns = min(figure.columns, len(figure.panels))
    rows = math.ceil(len(figure.panels) / columns)
    with page(path) as drawn:
        width, height = _panel_size(figure)
        drawn.set_size_inches(columns * width, rows * height)
        drawn.set_layout_engine("constrained")
        for number, panel in enumerate(figure.panels):
            axes = drawn.add_subplot(rows, columns, number + 1)
            if isinstance(panel, Picture):
                _draw_picture(panel, axes)
            else:
                _draw_curves(panel, axes)


def _panel_size(figure: Figure) -> tuple[float, float]:
    """Return the inches of each panel."""
    pictures = [panel for panel in figure.panels if isinstance(panel, Picture)]
    if not pictures:
        return WIDTH, HEIGHT
    rows, columns = np.max([picture.values.shape[:2] for picture in pictures], axis=0)
    longer = max(rows, columns)
    scale = 0.9 if any(picture.values.ndim == 2 for picture in pictures) else 0.1
    return PICTURE * columns / longer + scale, PICTURE * rows / longer + TITLE


def _draw_curves(panel: Panel, axes: "Axes") -> None:
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.set_xlabel(panel.across, fontsize=9)
    axes.set_ylabel(panel.up, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    for number, series in enumerate(panel.series):
        _draw_series(series, number if series.colour is None else series.colour, axes)
    if panel.log_across:
        axes.set_xscale("log")
        _write_plainly(axes.xaxis)
    if panel.log_up:
        axes.set_yscale("log")
        _write_plainly(axes.yaxis)
    if panel.ticks is not None:
        axes.set_xticks([at for at, _ in panel.ticks], labels=[words for _, words in panel.ticks])
        axes.minorticks_off()
    if any(series.label for series in panel.series):
        axes.legend(fontsize=8, frameon=False)


def _write_plainly(axis: "Axis") -> None:
    """Write numbers and no powers along a logarithmic axis; between tens only where it is short."""
    low, high = sorted(axis.get_view_interval())
    between = ("2", "5") if high < MANY_DECADES * low else ()
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in between else "")
    axis.set_tick_params(which="minor", labelsize=7)


def _draw_series(series: Series, number: int, axes: "Axes") -> None:
    colour = COLOURS[number % len(COLOURS)]
    x, y = (np.asarray(values, dtype=np.float64) for values in (series.x, series.y))
    low, high = (
        None if values is None else np.asarray(values, dtype=np.float64)
        for values in (series.low, series.high)
    )
    dots = series.style in ("dots", "joined")
    if low is not None and high is not None:
        if dots:
            axes.vlines(x, low, high, color=colour, linewidth=1.0)
        else:
            axes.fill_between(x, low, high, color=colour, alpha=SHADE, linewidth=0)
    lines = {"dashed": "--", "dotted": ":", "dots": "none"}
    axes.plot(
        x,
        y,
        color=colour,
        linestyle=lines.get(series.style, "-"),
        linewidth=1.6,
        marker=MARKERS[number % len(MARKERS)] if dots else "none",
        markersize=5,
        label=series.label or None,
    )


def _draw_picture(picture: Picture, axes: "Axes") -> None:
    axes.set_title(picture.title, fontsize=9, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if picture.values.ndim == 3:
        axes.imshow(np.clip(picture.values, 0.0, 1.0), interpolation="antialiased")
        return
    finite = picture.values[np.isfinite(picture.values)]
    most = picture.most if picture.most is not None else float(finite.max(initial=0.0))
    shades = axes.imshow(
        picture.values, cmap="magma", vmin=0.0, vmax=most or 1.0, interpolation="antialiased"
    )
    bar = axes.figure.colorbar(shades, ax=axes, shrink=0.9)
    bar.set_label(picture.unit, fontsize=8)
    bar.ax.tick_params(labelsize=7)
