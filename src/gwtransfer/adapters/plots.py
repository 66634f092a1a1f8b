"""Pictures of distances by matplotlib, its only importer: a map, a tree and a heat map."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import PluginError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999933",
)  # fmt: skip
"""Okabe and Ito's, which the colour-blind tell apart; their yellow, pale on paper, replaced."""

MARKERS = "osD^vP*X<>hp"
"""Classes beyond the eighth have the same colours and another shape."""

ROW = 0.105
"""Least height of a row of the heat map, in inches: a name of 6 points fits beside it."""

LEAST_SIDE, MOST_SIDE, TREE, LEGEND_ROW = 6.0, 24.0, 1.8, 0.21
"""Sides of the map, width of the tree and height of a line of the legend, in inches."""

LONGEST = 40
"""Characters of a name that are shown; of longer ones the middle is left out."""

DPI = 110
DOT = 6.0
"""Diameter of a dot, in points of 1/72 inch."""

RINGS, DIRECTIONS = (1.0, 2.2, 4.0, 6.5, 10.0, 15.0), 16
"""Where a name may stand around its dot: distances, in diameters, and directions."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Chart:
    """What a picture of distances shows.

    Attributes
    ----------
    names : tuple of n str
    labels : tuple of n str, or None
    points : (n, 2) array
        The map.
    caption : str
        How far to trust the map.
    distances : (n, n) array
    order : (n,) array of int
        Rows of the heat map from top to bottom: the leaves of the tree.
    branches : (n − 1, 4, 2) array
        As `gwtransfer.core.scaling.branches` returns them.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    points: Array
    caption: str
    distances: Array
    order: NDArray[np.int64]
    branches: Array


def check_installed(path: Path, instead: str = ", or write .csv") -> None:
    """Refuse a picture, before any work, where matplotlib is missing.

    Parameters
    ----------
    instead : str
        What else the user may do.

    Raises
    ------
    PluginError
        It cannot be imported.
    """
    try:
        with quiet("matplotlib"):
            import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise PluginError(
            f"{path}: pictures need matplotlib, which cannot be imported ({reason(error)}); "
            f"install it with pip install 'gwtransfer[report]'{instead}"
        ) from error


def draw(chart: Chart, path: Path) -> None:
    """Draw a map, a tree and a heat map side by side; equal charts give equal bytes.

    Parameters
    ----------
    path : Path
        Ends in .png or .svg.

    Raises
    ------
    PluginError
        matplotlib is missing.
    """
    check_installed(path)
    with page(path) as figure:
        place, tree, heat = _axes(chart, figure)
        colours = _draw_map(chart, place)
        _draw_tree(chart, tree)
        _draw_heat(chart, heat, colours)
        figure.draw_without_rendering()
        _write_names(chart, place)


@contextmanager
def page(path: Path) -> "Iterator[Figure]":
    """Give an empty figure, and write what the block has drawn on it into a file.

    Equal drawings give equal bytes, whatever settings of matplotlib a user keeps.

    Parameters
    ----------
    path : Path
        Ends in .png or .svg.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with quiet("matplotlib"), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": "gwtransfer", "text.parse_math": False})
        figure = Figure(dpi=DPI)
        FigureCanvasAgg(figure)
        yield figure
        if path.suffix.lower() == ".svg":
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _axes(chart: Chart, figure: "Figure") -> "tuple[Axes, Axes, Axes]":
    """Give a figure room for the map, the tree, and the heat map with its names."""
    count = len(chart.names)
    side = min(max(LEAST_SIDE, LEAST_SIDE * math.sqrt(count / 30)), MOST_SIDE)
    heat = max(LEAST_SIDE, count * ROW)
    words = max(len(_shown(name)) for name in chart.names)
    beside = 0.3 + words * 0.62 * _row_type(count) / 72
    legend = LEGEND_ROW * math.ceil(len(set(chart.labels or ())) / _legend_columns(chart, side))
    left, gap, top, bottom = 0.5, 0.5, 0.5, 0.7
    width = left + side + gap + TREE + heat + beside
    height = top + max(side + legend, heat) + bottom
    figure.set_size_inches(width, height)

    def axes(x: float, across: float, down: float) -> "Axes":
        box = (x / width, 1 - (top + down) / height, across / width, down / height)
        return figure.add_axes(box)

    place = axes(left, side, side)
    tree = axes(left + side + gap, TREE, heat)
    return place, tree, axes(left + side + gap + TREE, heat, heat)


def _draw_map(chart: Chart, axes: "Axes") -> list[str]:
    """Draw the points and the legend; return each point's colour."""
    labels = chart.labels or ("",) * len(chart.names)
    known = sorted(set(labels))
    colours = [COLOURS[known.index(label) % len(COLOURS)] for label in labels]
    for number, label in enumerate(known):
        chosen = np.array([one == label for one in labels])
        axes.scatter(
            chart.points[chosen, 0],
            chart.points[chosen, 1],
            s=DOT**2,
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number // len(COLOURS) % len(MARKERS)],
            edgecolors="white",
            linewidths=0.4,
            label=_shown(label),
            zorder=3,
        )
    middle = (chart.points.max(axis=0) + chart.points.min(axis=0)) / 2
    half = 0.56 * max(float(np.ptp(chart.points, axis=0).max()), 1e-300)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.tick_params(labelsize=7, length=2)
    axes.grid(color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_title(chart.caption, fontsize=9, loc="left")
    if chart.labels is not None:
        side = _side(axes)
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0, -0.35 / side),
            ncols=_legend_columns(chart, side),
            fontsize=8,
            frameon=False,
            handletextpad=0.2,
            borderaxespad=0,
        )
    return colours


def _legend_columns(chart: Chart, side: float) -> int:
    """Return how many labels fit beside one another under the map."""
    longest = max((len(_shown(label)) for label in chart.labels or ()), default=1)
    return max(1, int(side / (0.45 + 0.075 * longest)))


def _draw_tree(chart: Chart, axes: "Axes") -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(list(chart.branches), colors="#404040", linewidths=0.8))
    highest = float(chart.branches[..., 0].max())
    axes.set_xlim(1.02 * highest if highest > 0 else 1.0, 0.0)
    axes.set_ylim(len(chart.names) - 0.5, -0.5)
    axes.set_title("Average linkage", fontsize=9, loc="left")
    axes.set_yticks([])
    axes.tick_params(labelsize=7, length=2)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _draw_heat(chart: Chart, axes: "Axes", colours: list[str]) -> None:
    """Draw the distances in the order of the tree, names at the right in their label's colour."""
    count = len(chart.names)
    ordered = chart.distances[np.ix_(chart.order, chart.order)]
    image = axes.imshow(ordered, cmap="viridis", interpolation="nearest", aspect="equal")
    axes.set_xticks([])
    axes.yaxis.tick_right()
    shown = [_shown(chart.names[index]) for index in chart.order]
    axes.set_yticks(range(count), labels=shown, fontsize=_row_type(count))
    axes.tick_params(length=0, pad=3)
    for text, index in zip(axes.get_yticklabels(), chart.order, strict=True):
        text.set_color(colours[index] if chart.labels is not None else "black")
    axes.set_title("Distances, in the order of the tree", fontsize=9, loc="left")
    side = _side(axes)
    bar = axes.inset_axes((0.0, -0.35 / side, min(1.0, 4 / side), 0.12 / side))
    axes.figure.colorbar(image, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=7, length=2)


def _side(axes: "Axes") -> float:
    """Return the height of axes in inches."""
    return float(axes.get_window_extent().height / DPI)


def _row_type(count: int) -> float:
    """Return the size of type of the heat map's names, in points."""
    return min(9.0, 0.8 * 72 * max(ROW, LEAST_SIDE / count))


def _write_names(chart: Chart, axes: "Axes") -> None:
    """Write each name near its dot where it covers least of other names and dots.

    Crowded dots come first; a name that has to stand away gets a line to its dot.
    """
    size = 8.0 if len(chart.names) <= 60 else 6.0
    texts = [
        axes.text(0, 0, _shown(name), fontsize=size, ha="center", va="center", zorder=4)
        for name in chart.names
    ]
    extents = [text.get_window_extent() for text in texts]
    halves = np.array([(box.width / 2 + 1, box.height / 2) for box in extents])
    dots = axes.transData.transform(chart.points)
    frame = np.array(axes.bbox.extents)
    dot = DOT * DPI / 72
    crowd = np.sqrt(((dots[:, None] - dots[None]) ** 2).sum(axis=-1))
    nearest = np.sort(crowd, axis=1)[:, : min(6, len(dots))].sum(axis=1)
    boxes = np.concatenate([dots - dot / 2, dots + dot / 2], axis=1)
    for index in np.argsort(nearest, kind="stable"):
        places, rings = _candidates(dots[index], halves[index], dot)
        found = np.concatenate([places - halves[index], places + halves[index]], axis=1)
        cost = _overlap(found, boxes).sum(axis=1) + _outside(found, frame)
        best = int(np.argmin(cost + 0.02 * rings * dot**2))
        boxes = np.concatenate([boxes, found[best : best + 1]])
        texts[index].set_position(tuple(axes.transData.inverted().transform(places[best])))
        if rings[best] > RINGS[0]:
            ends = axes.transData.inverted().transform([dots[index], places[best]])
            axes.plot(*ends.T, color="#b0b0b0", linewidth=0.5, zorder=2)


def _candidates(dot: Array, half: Array, diameter: float) -> tuple[Array, Array]:
    """Return centres (c, 2) of boxes around a dot, and the ring of each; right and above first."""
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = np.repeat(RINGS, DIRECTIONS)
    away = np.tile(directions, (len(RINGS), 1))
    return dot + away * (half + diameter * rings[:, None]), rings


def _overlap(found: Array, boxes: Array) -> Array:
    """Return the common area (c, b) of boxes given by left, bottom, right, top."""
    low = np.maximum(found[:, None, :2], boxes[None, :, :2])
    high = np.minimum(found[:, None, 2:], boxes[None, :, 2:])
    sides = np.clip(high - low, 0.0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def _outside(found: Array, frame: Array) -> Array:
    """Return a cost (c,) for boxes that leave the frame: ten times the area outside."""
    area = (found[:, 2:] - found[:, :2]).prod(axis=1)
    return np.asarray(10 * (area - _overlap(found, frame[None])[:, 0]))


def _shown(name: str) -> str:
    """Return a name as it is drawn: not too long, and without bytes that are no text."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[: half - 1]}…{text[-half:]}"
