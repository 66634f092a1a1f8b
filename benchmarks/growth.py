"""How time and memory grow: with pixels, bands, components, and the vertices of shapes.

Each point is a process of its own, so that its peak memory is its own. It first works on something
tiny, so that no import is measured. Rasters have no file: their rows are made as they are read.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rows import Row, show

from gwtransfer.core.raster import Kind, Raster, Rows
from gwtransfer.core.types import Cloud
from gwtransfer.jobs import fit_opened, plan_between
from gwtransfer.recipe import Recipe
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Steps = dict[str, float]

GROUP = "growth"
COLUMNS = 1000
"""Pixels in a row, whatever the size: blocks then have one size too."""

TILE, TILE_VALUES = 300, 12_000_000
"""Rows of the scene that is repeated; fewer where they would hold more values than this."""

FLAT = 0.05
"""Largest slope of memory that counts as none."""

LINEAR = 1.1
"""Largest slope that counts as linear."""

REPEATED = 2.0
"""A run shorter than this many seconds is taken REPEATS times, and its median kept."""

REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One thing that grows.

    Attributes
    ----------
    title, unit : str
        What is done, and what is counted along the axis.
    sizes : tuple of int
    run : callable
        Carries out a size and returns the seconds of each of its steps.
    slope_from : int
        The slope is that of the points from this size on: below it, what is constant counts most.
    linear : tuple of str
        Steps whose slope is to be LINEAR at most.
    """

    title: str
    unit: str
    sizes: tuple[int, ...]
    run: Callable[[int], Steps]
    slope_from: int
    linear: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Point:
    """Seconds of each step and the process's peak memory in MB, at one size."""

    size: int
    steps: Steps
    megabytes: float


def scene(pixels: int, bands: int, kind: Kind, seed: int = 0) -> Raster:
    """Return a raster of COLUMNS columns whose spectra lie on a curved sheet with texture."""
    rng = np.random.default_rng(seed)
    tall = min(TILE, TILE_VALUES // (COLUMNS * bands))
    down, across = np.mgrid[:tall, :COLUMNS] / TILE
    fields = [
        np.sin(2 * np.pi * (a * down + b * across + c)) for a, b, c in rng.uniform(0.3, 4, (6, 3))
    ]
    latent = 0.5 + 0.2 * (np.stack(fields[:3], axis=-1) + np.stack(fields[3:], axis=-1))
    latent += 0.02 * rng.standard_normal(latent.shape)
    places = np.linspace(0, 1, bands)
    windows = np.exp(-0.5 * ((np.linspace(0.1, 0.9, 3)[:, None] - places) / 0.2) ** 2)
    tile = np.log1p(9 * np.clip(latent, 0, 1).astype(np.float32) ** 2 @ windows.astype(np.float32))
    tile /= tile.max()
    rows = -(-pixels // COLUMNS)

    def read(start: int, stop: int) -> Rows:
        return Rows(values=tile[np.arange(start, stop) % tall])

    return Raster(
        name=f"{rows} × {COLUMNS} × {bands}",
        rows=rows,
        columns=COLUMNS,
        bands=bands,
        read=read,
        kind=kind,
        dtype="uint8" if kind == "picture" else "float32",
    )


def coloured(pixels: int, bands: int, kind: Kind, recipe: Recipe) -> Steps:
    """Give a raster the colours of a picture of 300 000 pixels; return seconds by step."""
    source, palette = scene(pixels, bands, kind), scene(TILE * COLUMNS, 3, "picture", seed=1)
    marks = [time.perf_counter()]
    mixtures = [fit_opened(raster, recipe) for raster in (source, palette)]
    marks.append(time.perf_counter())
    plan = plan_between(*mixtures, recipe)
    marks.append(time.perf_counter())
    for _ in apply_plan(source, plan, recipe.build("map")).blocks():
        pass
    marks.append(time.perf_counter())
    return dict(zip(("fits", "plan", "map"), np.diff(marks).tolist(), strict=True))


def compared(vertices: int) -> Steps:
    """Compare two closed surfaces of so many vertices; return seconds by step."""
    shapes = [surface(vertices, seed) for seed in (0, 1)]
    begun = time.perf_counter()
    mixtures = [fit_opened(shape, Recipe()) for shape in shapes]
    fitted = time.perf_counter()
    plan_between(*mixtures, Recipe())
    return {"fits": fitted - begun, "plan": time.perf_counter() - fitted}


def surface(vertices: int, seed: int) -> Cloud:
    """Return a bumpy sphere of about so many vertices, triangulated."""
    rings = max(4, round(np.sqrt(vertices / 2)))
    around = 2 * rings
    polar, angle = np.meshgrid(
        np.pi * (np.arange(rings) + 0.5) / rings, 2 * np.pi * np.arange(around) / around,
        indexing="ij",
    )  # fmt: skip
    waves = np.random.default_rng(seed).integers(1, 5, (4, 2))
    radius = 1 + 0.1 * sum(np.cos(a * polar) * np.cos(b * angle) for a, b in waves)
    directions = (np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar))
    grid = np.arange(rings * around).reshape(rings, around)
    a, b = grid[:-1], np.roll(grid, -1, axis=1)[:-1]
    c, d = grid[1:], np.roll(grid, -1, axis=1)[1:]
    halves = [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, c, b), (b, c, d))]
    points = np.stack([radius * part for part in directions], axis=-1).reshape(-1, 3)
    return Cloud(name=f"surface {seed}", vertices=points, faces=np.concatenate(halves))


def of_components(count: int) -> Recipe:
    """Return the recipe of so many components a side."""
    return Recipe(options={"fit": {"components": count}})


CURVES = {
    "pixels": Curve(
        title="A picture in the colours of another",
        unit="pixels",
        sizes=(10**4, 10**5, 10**6, 10**7, 10**8),
        run=lambda pixels: coloured(pixels, 3, "picture", Recipe()),
        slope_from=10**6,
        linear=("map", "whole"),
    ),
    "bands": Curve(
        title="A cube of 300 000 pixels in the colours of a picture",
        unit="bands",
        sizes=(3, 15, 50, 100, 200, 400),
        run=lambda bands: coloured(TILE * COLUMNS, bands, "cube", Recipe()),
        slope_from=50,
    ),
    "components": Curve(
        title="A cube of 300 000 × 15 in the colours of a picture",
        unit="components a side",
        sizes=(2, 5, 10, 20, 50, 100, 200),
        run=lambda count: coloured(TILE * COLUMNS, 15, "cube", of_components(count)),
        slope_from=20,
    ),
    "shapes": Curve(
        title="The distance of two triangulated surfaces",
        unit="vertices a surface",
        sizes=(1_000, 10_000, 100_000, 500_000),
        run=compared,
        slope_from=10_000,
    ),
}


def measured(name: str, size: int) -> Point:
    """Return a point, measured in a process of its own."""
    command = [sys.executable, __file__, "--point", name, str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Point(size=size, **json.loads(done.stdout))


def in_this_process(name: str, size: int) -> dict[str, object]:
    """Return the median seconds of each step, and the peak memory of this process in MB."""
    run = CURVES[name].run
    run(min(size, CURVES[name].sizes[0]))
    runs = [run(size)]
    while len(runs) < REPEATS and sum(runs[0].values()) < REPEATED:
        runs.append(run(size))
    steps = {step: statistics.median(one[step] for one in runs) for step in runs[0]}
    steps["whole"] = statistics.median(sum(one.values()) for one in runs)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {"steps": steps, "megabytes": int(peak) / 1024}


def slope(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through log(value) over log(size)."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


@cache
def points_of(name: str) -> list[Point]:
    """Return the points of a curve, measured once."""
    return [measured(name, size) for size in CURVES[name].sizes]


def slopes(name: str, points: Sequence[Point]) -> Iterator[Row]:
    """Yield the slope of each step's time, and the memory."""
    curve = CURVES[name]
    far = [point for point in points if point.size >= curve.slope_from]
    sizes = [point.size for point in far]
    span = f"{far[0].size:,} … {far[-1].size:,} {curve.unit}"
    for step in far[0].steps:
        times = [point.steps[step] for point in far]
        yield Row(
            group=GROUP,
            name=f"time of {step}, {span}",
            value=slope(sizes, times),
            unit="slope",
            at_most=LINEAR if step in curve.linear else None,
            note=f"{curve.title}: " + ", ".join(f"{seconds:.3g} s" for seconds in times),
        )
    yield Row(
        group=GROUP,
        name=f"peak memory, {span}",
        value=slope(sizes, [point.megabytes for point in far]),
        unit="slope",
        at_most=FLAT if curve.linear else None,
        note=f"{curve.title}: " + ", ".join(f"{point.megabytes:.0f} MB" for point in far),
    )


def rows() -> Iterator[Row]:
    """Yield the slopes of all curves."""
    for name in CURVES:
        yield from slopes(name, points_of(name))


def draw(folder: Path) -> None:
    """Draw every curve as growth-NAME.svg."""
    for name, curve in CURVES.items():
        draw_curve(curve, points_of(name), folder / f"growth-{name}.svg")


def draw_curve(curve: Curve, points: Sequence[Point], path: Path) -> None:
    """Draw a curve as SVG: time on the left, memory on the right."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sizes = [point.size for point in points]
    mpl.rcParams.update({"svg.hashsalt": "gwtransfer", "font.size": 9})
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    figure.suptitle(curve.title, fontsize=10)
    time_axes, memory_axes = figure.subplots(1, 2)
    for step in points[0].steps:
        times = [point.steps[step] for point in points]
        far = [i for i, size in enumerate(sizes) if size >= curve.slope_from]
        steepness = slope([sizes[i] for i in far], [times[i] for i in far])
        time_axes.plot(sizes, times, marker="o", ms=3, label=f"{step}, slope {steepness:.2f}")
    time_axes.set_ylabel("seconds")
    time_axes.set_yscale("log")
    time_axes.legend(frameon=False, fontsize=8)
    memory_axes.plot(sizes, [point.megabytes for point in points], marker="o", ms=3, color="black")
    memory_axes.set_ylabel("peak memory, MB")
    memory_axes.set_ylim(0, 1.1 * max(point.megabytes for point in points))
    for axes in (time_axes, memory_axes):
        axes.set_xscale("log")
        axes.set_xlabel(curve.unit)
        axes.grid(color="#e6e6e6", linewidth=0.5)
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def main() -> None:
    """Print the rows, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="write growth-*.svg there")
    parser.add_argument("--point", nargs=2, metavar=("CURVE", "SIZE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        print(json.dumps(in_this_process(args.point[0], int(args.point[1]))))
        return
    for row in rows():
        show(row)
    if args.draw:
        draw(args.draw)


if __name__ == "__main__":
    main()
