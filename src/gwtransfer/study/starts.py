"""How far distance and picture move when nothing but the seed is another."""

import numpy as np

from gwtransfer.adapters import curves
from gwtransfer.imaging import Progress, silent
from gwtransfer.study.disagreement import (
    NOTICED,
    Disagreement,
    Scale,
    sheet_figure,
    spread_figure,
)
from gwtransfer.study.output import Cell, Findings
from gwtransfer.study.repeated import Outcome, Subject, counted, spread_of, with_seed

SEEDS = 8

BOTH, SEARCH = "fit and search", "search"
"""What the seeds of a run are for."""

SAME = 1e-6
"""Deviation over mean below which distances are the same."""

UNSEEN, OTHER = 0.005, 5.0
"""Mean difference below which pictures are the same, and above which they are other pictures."""

CLEAR = 2 * 2**0.5
"""Deviations that two distances differ by in one of twenty cases where nothing but seeds does."""

BESIDE = 0.15
"""How far apart the dots of one seed stand in the plot."""

COLUMNS = (
    "varied", "seed", "distance", "value", "bound", "starts", "reached", "difference_to_first",
    "difference_to_others",
)  # fmt: skip


def study(subject: Subject, *, seeds: int = SEEDS, progress: Progress = silent) -> Findings:
    """Return what changes over seeds: of fits and search together, and of the search alone.

    The search alone goes between the fits of the first seed; where it is exact nothing is said of
    it.
    """
    recipes = [with_seed(subject.recipe, step) for step in range(seeds)]
    say = counted(progress, seeds)
    runs: dict[str, list[Outcome]] = {BOTH: []}
    for recipe in recipes:
        say()
        runs[BOTH].append(subject.run(recipe))
    first = runs[BOTH][0]
    if first.plan.starts > 1 and seeds > 1:
        runs[SEARCH] = [first]
        say = counted(progress, seeds - 1, "search")
        for recipe in recipes[1:]:
            say()
            runs[SEARCH].append(subject.searched(first.fits, recipe))
    rows: list[tuple[Cell, ...]] = []
    sentences, summary = [], {}
    compared: dict[str, Disagreement] = {}
    scale = Scale.of(getattr(subject.target, "kind", ""), first.fits[1].space)
    for varied, found in runs.items():
        pictures = [run.picture for run in found if run.picture is not None]
        if pictures:
            compared[varied] = Disagreement.of(pictures, scale)
        for step, run in enumerate(found):
            plan, differs = run.plan, compared.get(varied)
            rows.append(
                (varied, recipes[step].seed, plan.distance, plan.value, plan.bound, plan.starts,
                 plan.reached, None if differs is None else float(differs.pairs[0, step]),
                 None if differs is None else float(differs.each[step]))
            )  # fmt: skip
        distances = [run.plan.distance for run in found]
        sentences.append(_of_distances(varied, distances))
        if varied in compared:
            sentences.append(_of_pictures(varied, compared[varied], scale, recipes[0].seed))
        summary[varied.replace(" ", "_")] = _figures(distances, compared.get(varied))
    if SEARCH not in runs and seeds > 1:
        sentences.append(f"{first.plan.solver} is exact and has no search to vary.")
    distances = [run.plan.distance for run in runs[BOTH]]
    sentences += _advice(distances, compared.get(BOTH), scale)
    figures = {"plot": _drawn(runs, recipes[0].seed, compared, scale)}
    if BOTH in compared:
        figures["spread"] = spread_figure(compared[BOTH], scale)
        figures["results"] = sheet_figure(
            [run.picture for run in runs[BOTH] if run.picture is not None],
            [f"seed {recipe.seed}" for recipe in recipes],
            scale,
        )
    return Findings(
        title=f"{subject.title} over {seeds} seeds",
        sentences=tuple(sentences),
        columns=COLUMNS,
        rows=tuple(rows),
        figures=figures,
        summary=summary,
    )


def _of_distances(varied: str, distances: list[float]) -> str:
    mean, deviation = spread_of(distances)
    if deviation <= SAME * mean:
        words = f"the distance stays {mean:.4g}."
    else:
        words = (
            f"the distance is {mean:.4g} ± {deviation:.2g} ({deviation / mean:.1%}), from "
            f"{min(distances):.4g} to {max(distances):.4g}."
        )
    if varied == SEARCH:
        return f"With the fits of the first seed kept and other seeds for the search alone {words}"
    return f"Over {len(distances)} seeds {words}"


def _of_pictures(varied: str, differs: Disagreement, scale: Scale, seed: int) -> str:
    if differs.mean < UNSEEN:
        return f"The pictures stay the same{' then' if varied == SEARCH else ''}."
    words = f"Two of the pictures differ by {scale.said(differs.mean)} on average"
    if varied == SEARCH:
        return f"{words} then."
    if scale.is_picture:
        words += f" ({NOTICED:g} is just noticeable side by side)"
    words += f", and by {scale.said(differs.worst)} or more in the worst hundredth of the pixels"
    words += ": spread.png shows where, results.png all of them."
    if len(differs.pairs) > 2:
        first, second = (seed + step for step in sorted(differs.worst_pair))
        most = float(differs.pairs.max())
        words += f" Seeds {first} and {second} differ most, by {scale.said(most)}."
    return words


def _advice(distances: list[float], differs: Disagreement | None, scale: Scale) -> list[str]:
    """Return what to do about it."""
    mean, deviation = spread_of(distances)
    said = []
    if differs is not None and scale.is_picture and differs.mean > OTHER:
        said.append(
            "These are different pictures of equal right: look at results.png, take the one you "
            "like by its --seed, and keep its plan (--save-plan) for what shall look alike."
        )
    if deviation > SAME * mean:
        said.append(
            f"A difference of less than {CLEAR * deviation:.2g} between two such distances may be "
            "the seeds' doing; distance --restarts takes the median of several."
        )
    return said


def _figures(distances: list[float], differs: Disagreement | None) -> dict[str, Cell]:
    mean, deviation = spread_of(distances)
    found: dict[str, Cell] = {
        "runs": len(distances),
        "mean": mean,
        "median": float(np.median(distances)),
        "deviation": deviation,
        "least": min(distances),
        "most": max(distances),
    }
    if differs is not None:
        found |= {
            "difference": differs.mean,
            "difference_worst_hundredth": differs.worst,
            "difference_worst_pair": float(differs.pairs.max()),
        }
    return found


def _drawn(
    runs: dict[str, list[Outcome]],
    seed: int,
    compared: dict[str, Disagreement],
    scale: Scale,
) -> curves.Figure:
    """Return distances, and differences from the other pictures, over seeds."""

    def panel(values: dict[str, list[float]], title: str, up: str) -> curves.Panel:
        series = tuple(
            curves.Series(
                label=varied,
                x=[seed + step + BESIDE * number for step in range(len(found))],
                y=found,
                style="dots",
                colour=number,
            )
            for number, (varied, found) in enumerate(values.items())
        )
        count = len(values[BOTH])
        ticks = tuple((float(seed + step), str(seed + step)) for step in range(count))
        return curves.Panel(
            series=series, title=title, across="seed", up=up, ticks=ticks if count <= 16 else None
        )

    distances = {varied: [run.plan.distance for run in found] for varied, found in runs.items()}
    panels = [panel(distances, "Distance", "distance")]
    if compared:
        each = {varied: differs.each.tolist() for varied, differs in compared.items()}
        panels.append(panel(each, "Picture", f"{scale.word} to the others, mean"))
    return curves.Figure(panels=tuple(panels))
