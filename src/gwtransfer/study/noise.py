"""How far distance and picture stand noise on the source."""

from collections.abc import Sequence

import numpy as np

from gwtransfer.adapters import curves
from gwtransfer.imaging import Progress, silent
from gwtransfer.study.disagreement import difference
from gwtransfer.study.levels import Sweep, over_levels
from gwtransfer.study.output import Cell, Findings
from gwtransfer.study.repeated import Array, Subject, counted, with_seed

LEVELS = (0.0, 0.02, 0.05, 0.1, 0.2)
SEEDS = 3

COLUMNS = (
    "noise", "seed", "distance", "value", "bound", "difference_to_clean", "difference_of_plan",
    "difference_of_seeds",
)  # fmt: skip


def study(
    subject: Subject,
    *,
    levels: Sequence[float] = LEVELS,
    seeds: int = SEEDS,
    progress: Progress = silent,
) -> Findings:
    """Return what noise does to distance and picture, beside what the seed does.

    Level 0 is run whether it is asked for or not. The difference of a plan is that of the clean
    source painted by the plan of the noisy one.
    """
    levels = (0.0, *(float(level) for level in levels if level > 0))
    recipes = [with_seed(subject.recipe, step) for step in range(seeds)]
    say = counted(progress, len(levels) * seeds)
    runs, by_plan = [], []
    for level in levels:
        row, changed = [], []
        for recipe in recipes:
            say()
            run = subject.run(recipe, level=level)
            row.append(run)
            changed.append(run.picture if level == 0 else subject.painted(run.plan, recipe))
        runs.append(row)
        by_plan.append(changed)
    sweep = Sweep.of(subject, levels, recipes, runs)
    painted = sweep.is_painted
    to_clean = sweep.from_level(0) if painted else None
    of_plan = None
    if painted:
        of_plan = np.array(
            [
                [difference(one, clean, sweep.scale)
                 for one, clean in zip(row, by_plan[0], strict=True)
                 if one is not None and clean is not None]
                for row in by_plan
            ]
        )  # fmt: skip
    of_seeds = sweep.of_seeds() if painted and seeds > 1 else None
    rows: list[tuple[Cell, ...]] = []
    for i, level in enumerate(levels):
        for j, recipe in enumerate(recipes):
            plan = runs[i][j].plan
            rows.append(
                (level, recipe.seed, plan.distance, plan.value, plan.bound,
                 None if to_clean is None else float(to_clean[i, j]),
                 None if of_plan is None else float(of_plan[i, j]),
                 None if of_seeds is None else float(of_seeds[i]))
            )  # fmt: skip
    figures = {"plot": _drawn(sweep, to_clean, of_plan, of_seeds)}
    if painted:
        figures |= sweep.figures([f"noise {level:g}" if level else "no noise" for level in levels])
    return Findings(
        title=f"{subject.title}, with noise on the source",
        sentences=tuple(_sentences(sweep, to_clean, of_plan, of_seeds)),
        columns=COLUMNS,
        rows=tuple(rows),
        figures=figures,
        summary={
            "noise": list(levels),
            "distances": sweep.distances.mean(axis=1).tolist(),
            "difference_to_clean": None if to_clean is None else to_clean.mean(axis=1).tolist(),
            "difference_of_plan": None if of_plan is None else of_plan.mean(axis=1).tolist(),
            "difference_of_seeds": None if of_seeds is None else of_seeds.tolist(),
        },
    )


def _sentences(
    sweep: Sweep, to_clean: Array | None, of_plan: Array | None, of_seeds: Array | None
) -> list[str]:
    means = sweep.distances.mean(axis=1)
    sentences = [
        f"Without noise the distance is {means[0]:.4g}. White noise was put on the source, its "
        "deviation a share of the source's own."
    ]
    own = float(np.ptp(sweep.distances[0])) if len(sweep.seeds) > 1 else None
    said = ", ".join(
        f"{mean:.4g} ({mean - means[0]:+.2g}) at {level:.0%}"
        for level, mean in zip(sweep.levels[1:], means[1:], strict=True)
    )
    if said:
        words = "" if own is None else f"; other seeds move it by {own:.2g} without noise"
        sentences.append(f"The distance becomes {said}{words}.")
    if to_clean is not None and of_plan is not None and len(sweep.levels) > 1:
        said, plan = (
            ", ".join(
                f"{sweep.scale.said(value)} at {level:.0%}"
                for level, value in zip(sweep.levels[1:], values.mean(axis=1)[1:], strict=True)
            )
            for values in (to_clean, of_plan)
        )
        sentences.append(
            f"The picture differs from the clean one by {said}. The plan alone, where that of the "
            f"noisy source paints the clean one, makes {plan}."
        )
    if of_seeds is not None:
        sentences.append(
            f"Two seeds differ by {sweep.scale.said(float(of_seeds[0]))} without any noise."
        )
    return sentences


def _drawn(
    sweep: Sweep, to_clean: Array | None, of_plan: Array | None, of_seeds: Array | None
) -> curves.Figure:
    across = "deviation of the noise / deviation of the source"
    panels = [
        curves.Panel(
            series=(over_levels(sweep, sweep.distances, label="mean and span of the seeds"),),
            title="Distance",
            across=across,
            up="distance",
        )
    ]
    if to_clean is not None and of_plan is not None:
        series = [
            over_levels(sweep, to_clean, label="noisy source, its plan"),
            over_levels(sweep, of_plan, label="clean source, noisy one's plan", colour=1),
        ]
        if of_seeds is not None:
            level = np.full(len(sweep.levels), of_seeds[0])
            series.append(
                curves.Series(
                    label="between seeds, no noise", x=sweep.levels, y=level, style="dashed",
                    colour=6,
                )
            )  # fmt: skip
        panels.append(
            curves.Panel(
                series=tuple(series),
                title="Picture",
                across=across,
                up=f"{sweep.scale.word} to the clean one",
            )
        )
    return curves.Figure(panels=tuple(panels), columns=len(panels))
