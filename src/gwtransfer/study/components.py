"""How far distance and picture depend on the number of Gaussians."""

from collections.abc import Sequence

import numpy as np

from gwtransfer.adapters import curves
from gwtransfer.errors import DataError
from gwtransfer.imaging import Progress, silent
from gwtransfer.recipe import Recipe
from gwtransfer.study.levels import Sweep, over_levels
from gwtransfer.study.output import Cell, Findings
from gwtransfer.study.repeated import (
    Array,
    Outcome,
    Subject,
    counted,
    likelihood,
    with_components,
    with_seed,
)

LEVELS = (5, 10, 15, 20, 30)
SEEDS = 3

LITTLE = 0.05
"""Nats a point beyond which another component is no gain worth a word."""

COLUMNS = (
    "components", "seed", "source_components", "target_components", "distance", "value", "bound",
    "difference_to_most", "difference_to_previous", "difference_of_seeds", "likelihood_source",
    "likelihood_target",
)  # fmt: skip


def study(
    subject: Subject,
    *,
    levels: Sequence[float] = LEVELS,
    seeds: int = SEEDS,
    progress: Progress = silent,
) -> Findings:
    """Return what changes with the number of components, and what with the seed at each.

    The largest number is fitted first, as it is the one that may be refused.

    Raises
    ------
    DataError
        Fewer distinct points than components, among others.
    """
    recipes = [with_seed(subject.recipe, step) for step in range(seeds)]
    say = counted(progress, len(levels) * seeds)
    fresh = subject.fresh()
    runs = []
    for level in reversed(levels):
        row = []
        for recipe in recipes:
            say()
            row.append(_run(subject, with_components(recipe, int(level))))
        runs.append(row)
    runs.reverse()
    sweep = Sweep.of(subject, levels, recipes, runs)
    likely = np.array(
        [
            [[likelihood(fit, points) for fit, points in zip(run.fits, fresh, strict=True)]
             for run in row]
            for row in runs
        ],
        dtype=np.float64,
    )  # fmt: skip
    painted = sweep.is_painted
    to_most = sweep.from_level(-1) if painted else None
    to_previous = sweep.from_previous() if painted else None
    of_seeds = sweep.of_seeds() if painted and seeds > 1 else None
    rows: list[tuple[Cell, ...]] = []
    for i, level in enumerate(levels):
        for j, recipe in enumerate(recipes):
            run = runs[i][j]
            rows.append(
                (int(level), recipe.seed, *(fit.count for fit in run.fits), run.plan.distance,
                 run.plan.value, run.plan.bound, _at(to_most, i, j),
                 None if i == 0 else _at(to_previous, i, j),
                 None if of_seeds is None else float(of_seeds[i]), *likely[i, j].tolist())
            )  # fmt: skip
    figures = {"plot": _drawn(sweep, to_most, of_seeds, likely)}
    if painted:
        figures |= sweep.figures([f"{int(level)} components" for level in levels])
    return Findings(
        title=f"{subject.title} over numbers of components",
        sentences=tuple(_sentences(sweep, to_previous, of_seeds, likely)),
        columns=COLUMNS,
        rows=tuple(rows),
        figures=figures,
        summary={
            "components": [int(level) for level in levels],
            "distances": sweep.distances.mean(axis=1).tolist(),
            "difference_to_most": None if to_most is None else to_most.mean(axis=1).tolist(),
            "difference_of_seeds": None if of_seeds is None else of_seeds.tolist(),
            "likelihood_source": likely[:, :, 0].mean(axis=1).tolist(),
            "likelihood_target": likely[:, :, 1].mean(axis=1).tolist(),
        },
    )


def _run(subject: Subject, recipe: Recipe) -> Outcome:
    """Run a recipe; what refuses its number of components speaks of levels."""
    try:
        return subject.run(recipe)
    except DataError as error:
        raise DataError(str(error).replace("use --components", "use --levels of")) from error


def _at(values: Array | None, i: int, j: int) -> float | None:
    return None if values is None else float(values[i, j])


def _sentences(
    sweep: Sweep, to_previous: Array | None, of_seeds: Array | None, likely: Array
) -> list[str]:
    counts = [int(level) for level in sweep.levels]
    distances = sweep.distances
    means = distances.mean(axis=1)
    words = ", ".join(f"{mean:.4g} with {count}" for mean, count in zip(means, counts, strict=True))
    sentences = [f"The distance is {words} components."]
    if len(sweep.seeds) > 1:
        own = float(np.ptp(distances, axis=1).max())
        sentences.append(
            f"From one number of components to another it moves by {np.ptp(means):.2g}, from one "
            f"seed to another by up to {own:.2g}."
        )
    if to_previous is not None and len(counts) > 1:
        steps = to_previous.mean(axis=1)
        said = "; ".join(
            f"from {counts[i - 1]} to {counts[i]}, {sweep.scale.said(steps[i])}"
            for i in range(1, len(counts))
        )
        sentences.append(f"The picture changes: {said}.")
        if of_seeds is not None:
            sentences.append(
                "Two seeds with one number of components differ by "
                f"{sweep.scale.said(float(of_seeds.min()))} to "
                f"{sweep.scale.said(float(of_seeds.max()))}; what is below that says nothing of "
                "the number of components."
            )
    for side, name in enumerate(("source", "target")):
        gained = likely[:, :, side].mean(axis=1)
        if not np.isfinite(gained).all() or len(counts) < 2:
            continue
        enough = next(i for i in range(len(counts)) if gained[i] >= gained.max() - LITTLE)
        sentences.append(
            f"On points of the {name} that were drawn anew the fit gains "
            f"{gained[-1] - gained[0]:+.2f} nats a point from {counts[0]} to {counts[-1]} "
            f"components; {counts[enough]} are within {LITTLE:g} of the best of these."
        )
    return sentences


def _drawn(
    sweep: Sweep, to_most: Array | None, of_seeds: Array | None, likely: Array
) -> curves.Figure:
    across, ticks = "components", tuple((level, f"{level:g}") for level in sweep.levels)
    panels = [
        curves.Panel(
            series=(over_levels(sweep, sweep.distances, label="mean and span of the seeds"),),
            title="Distance",
            across=across,
            up="distance",
            ticks=ticks,
        )
    ]
    if to_most is not None:
        series = [over_levels(sweep, to_most, label=f"to {sweep.levels[-1]:g} components")]
        if of_seeds is not None:
            series.append(
                curves.Series(
                    label="between seeds", x=sweep.levels, y=of_seeds, style="dashed", colour=6
                )
            )
        panels.append(
            curves.Panel(
                series=tuple(series),
                title="Picture",
                across=across,
                up=sweep.scale.word,
                ticks=ticks,
            )
        )
    if np.isfinite(likely).any():
        sides = ("source", "target")
        gains = [likely[:, :, side] - likely[0, :, side].mean() for side in range(2)]
        panels.append(
            curves.Panel(
                series=tuple(
                    over_levels(sweep, gains[side], label=sides[side], colour=side)
                    for side in range(2)
                    if np.isfinite(gains[side]).all()
                ),
                title="Fit, on points drawn anew",
                across=across,
                up=f"nats a point above {sweep.levels[0]:g} components",
                ticks=ticks,
            )
        )
    return curves.Figure(panels=tuple(panels), columns=len(panels))
