"""A 512 × 512 × 15 cube in the colours of a 786k-pixel painting, beside the published pipeline.

Each side runs in a process of its own, so that its peak memory is its own; files are decoded and
libraries imported before any clock starts. The published pipeline runs once with one thread of
linear algebra and once with one a core: which is quicker differs from machine to machine, and the
quicker one counts.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import published
from contact_sheet import pixels
from numpy.typing import NDArray
from rows import Row
from scenes import missing, raster_of, required, scene
from threadpoolctl import threadpool_limits

from gwtransfer.core.embedding import between
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, Space
from gwtransfer.core.views import thinned
from gwtransfer.jobs import fit_opened, plan_between
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.recipe import Recipe
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Given = ParamSpec("Given")
Made = TypeVar("Made")

GROUP = "end to end"
COMPONENTS = 15
SEEDS = 3
RUNS = 5
HELD_OUT = 40_000 / 512**2
"""Share of the cube's pixels no fit sees."""

WANTED = 40.0
NATS = 0.08

RECIPES = {
    "PCA to 99.9 % of the variance": Recipe(options={"fit": {"components": COMPONENTS}}),
    "all 15 bands": Recipe(
        options={"fit": {"components": COMPONENTS}, "prepare": {"variance": 1.0}}
    ),
}


@dataclass(frozen=True, eq=False)
class Taken:
    """Median seconds of each of our steps and of the whole, and CPU seconds of the whole."""

    steps: dict[str, float]
    whole: float
    cpu: float


def rasters(side: int) -> tuple[Raster, Raster]:
    """Return the cube and the painting in memory, thinned to about ``side`` pixels either way."""
    cube, palette = scene("synthetic15"), scene("gauguin")
    assert isinstance(cube, Raster)
    assert isinstance(palette, Raster)
    if side >= cube.rows:
        return cube, palette
    small = thinned(palette, side * palette.columns // cube.columns)
    picture = raster_of(pixels(small), palette.name)
    return (
        raster_of(pixels(thinned(cube, side)), cube.name),
        replace(picture, kind="picture", dtype="uint8"),
    )


def spectra(raster: Raster) -> Array:
    """Return every pixel (N, bands)."""
    return pixels(raster).reshape(-1, raster.bands)


def in_unit(points: Array) -> tuple[Array, float, float]:
    """Return points scaled to [0, 1] by one factor, with what was taken off and the factor."""
    low, span = float(points.min()), float(np.ptp(points))
    return (points - low) / span, low, span


def apart(call: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made:
    """Return what a call returns in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(call, *args, **kwargs).result()


def forget_peak() -> None:
    """Let this process's peak memory begin anew, so that making the inputs has no part in it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    """Return this process's peak resident memory in MB since it was forgotten."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def theirs(side: int, threads: int) -> tuple[published.Run, float]:
    """Run the published pipeline once; return it without its image, and its peak in MB."""
    cube, palette = (in_unit(spectra(raster))[0] for raster in rasters(side))
    forget_peak()
    with threadpool_limits(threads):
        done = published.run(cube, palette, COMPONENTS)
    return replace(done, images=np.empty((0, 3))), peak_mb()


def ours(side: int, recipe: Recipe) -> tuple[Taken, float]:
    """Run our pipeline RUNS times after one that is not counted; return medians and the peak."""
    cube, palette = rasters(side)
    forget_peak()
    _steps(cube, palette, recipe)
    begun = time.process_time()
    runs = [_steps(cube, palette, recipe) for _ in range(RUNS)]
    cpu = (time.process_time() - begun) / RUNS
    steps = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return Taken(steps, statistics.median(sum(run.values()) for run in runs), cpu), peak_mb()


def _steps(cube: Raster, palette: Raster, recipe: Recipe) -> dict[str, float]:
    marks = [time.perf_counter()]

    def mark() -> None:
        marks.append(time.perf_counter())

    source = fit_opened(cube, recipe)
    mark()
    target = fit_opened(palette, recipe)
    mark()
    plan = plan_between(source, target, recipe)
    mark()
    for _ in apply_plan(cube, plan, recipe.build("map")).blocks():
        pass
    mark()
    names = ("fit source", "fit target", "plan", "maps")
    return dict(zip(names, np.diff(marks).tolist(), strict=True))


def held_out(side: int) -> tuple[float, list[float]]:
    """Return nats a pixel on pixels no fit saw: of scikit-learn on all others, and of our seeds."""
    cube = rasters(side)[0]
    points, low, span = in_unit(spectra(cube))
    out = np.random.default_rng(0).choice(len(points), int(HELD_OUT * len(points)), replace=False)
    seen = np.setdiff1d(np.arange(len(points)), out)
    values = spectra(cube).copy()
    values[out] = np.nan
    holed = raster_of(values.reshape(cube.rows, cube.columns, -1), cube.name)
    own = []
    for seed in range(SEEDS):
        mixture = in_raw(fit_opened(holed, replace(RECIPES["all 15 bands"], seed=seed)))
        scaled = published.Mixture(
            mixture.weights, (mixture.means - low) / span, mixture.covariances / span**2
        )
        own.append(published.log_likelihood(points[out], scaled))
    fitted = published.fit(points[seen], COMPONENTS)
    return published.log_likelihood(points[out], fitted), own


def in_raw(mixture: GaussianMixture) -> published.Mixture:
    """Return a mixture that keeps every axis in raw coordinates."""
    axes = mixture.space.axes * mixture.space.unit
    return published.Mixture(
        mixture.weights, mixture.space.to_raw(mixture.means), axes @ mixture.covariances @ axes.T
    )


def as_ours(mixture: published.Mixture) -> GaussianMixture:
    """Return the same mixture as a value of the package."""
    return GaussianMixture(
        weights=mixture.weights / mixture.weights.sum(),
        means=mixture.means,
        covariances=(mixture.covariances + np.swapaxes(mixture.covariances, 1, 2)) / 2,
        space=Space.raw(mixture.means.shape[1]),
    )


def value_rows(run: published.Run) -> Iterator[Row]:
    """Compare values on the published pipeline's own mixtures, without any guide."""
    sides, free = (as_ours(run.source), as_ours(run.target)), Guide(anchor=0.0)
    mixtures = (run.source, run.target)
    problem = GromovProblem(
        own0=sides[0].own_costs,
        own1=sides[1].own_costs,
        weights0=sides[0].weights,
        weights1=sides[1].weights,
    )
    embedded = MEW2()(*sides, guide=free)
    coupled = MGW2()(*sides, guide=free)
    assert embedded.embedding is not None
    figures = {
        "MEW2": (
            embedded.value,
            between(*sides, free).value(run.coupling, run.embedding),
            published.embedded_value(*mixtures, embedded.coupling, embedded.embedding),
            published.embedded_value(*mixtures, run.coupling, run.embedding),
        ),
        "MGW2": (
            coupled.value,
            problem.value(run.coupling),
            published.gromov_value(*mixtures, coupled.coupling),
            published.gromov_value(*mixtures, run.coupling),
        ),
    }
    for name, (own, other, plain, plain_other) in figures.items():
        apart_by = max(abs(own - plain) / plain, abs(other - plain_other) / plain_other)
        yield Row(
            group=GROUP,
            name=f"{name} value on the published pipeline's mixtures, ours over its own",
            value=own / other,
            unit="×",
            at_most=1.0,
            limit=f"{own:.6g} over {other:.6g}",
            note=f"the plain formula agrees with both to {apart_by:.0e}",
        )


def rows(side: int = 512) -> Iterator[Row]:
    """Yield times, values, likelihoods and memory; ``side`` thins both pictures."""
    required()
    size = f"{min(side, 512)} × {min(side, 512)} × 15 to the painting, K = {COMPONENTS}"
    everyone = {
        threads: apart(theirs, side, threads) for threads in sorted({1, os.cpu_count() or 1})
    }
    for threads, (run, _) in everyone.items():
        for step, seconds in run.seconds.items():
            yield Row(
                group=GROUP,
                name=f"published, {step}, threads of linear algebra: {threads}",
                value=seconds,
                unit="s",
                note="one run",
            )
    run, most = min(everyone.values(), key=lambda done: done[0].whole)
    peaks = {"published": most}
    for label, recipe in RECIPES.items():
        taken, peaks[label] = apart(ours, side, recipe)
        for step, seconds in taken.steps.items():
            yield Row(group=GROUP, name=f"{label}, {step}", value=seconds, unit="s")
        yield Row(
            group=GROUP,
            name=f"{size}: published over ours, {label}",
            value=run.whole / taken.whole,
            unit="×",
            at_least=WANTED,
            limit=f"{run.whole:.1f} s (one run) over {taken.whole:.2f} s (median of {RUNS})",
        )
        yield Row(
            group=GROUP,
            name=f"{size}: published over ours in CPU seconds, {label}",
            value=run.cpu / taken.cpu,
            unit="×",
            limit=f"{run.cpu:.1f} s over {taken.cpu:.2f} s (mean of {RUNS})",
            note="what other work on the machine touches least",
        )
    yield from value_rows(run)
    fitted, own = apart(held_out, side)
    yield Row(
        group=GROUP,
        name="log-likelihood of held-out pixels, scikit-learn on the others less ours, all bands",
        value=fitted - float(np.mean(own)),
        unit="nats",
        at_most=NATS,
        limit=f"{fitted:.3f} less {np.mean(own):.3f}",
        note=f"the mean of {SEEDS} seeds, {min(own):.3f} to {max(own):.3f}",
    )
    for label, megabytes in peaks.items():
        yield Row(
            group=GROUP,
            name=f"peak memory, {label}",
            value=megabytes,
            unit="MB",
            note="with the interpreter, the libraries and both inputs",
        )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, default=512**2, help="thin the cube to about so many")
    args = parser.parse_args()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    for row in rows(round(args.pixels**0.5)):
        wanted = {None: "", True: "  met", False: "  NOT met"}[row.met]
        print(f"{row.value:10.4g} {row.unit:5} {row.name}{wanted}", flush=True)
        print(*(f"{'':17}{text}\n" for text in (row.limit, row.note) if text), sep="", end="")


if __name__ == "__main__":
    main()
