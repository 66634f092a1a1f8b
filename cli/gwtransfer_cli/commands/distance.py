"""`gwtransfer distance`: one number."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    FITTING,
    BandAxis,
    BandChoice,
    Components,
    KeepSize,
    Load,
    Prepare,
    Sample,
    Seed,
    Settings,
    Solver,
    Starts,
    Variable,
    Variance,
    make_opening,
    make_recipe,
)

if TYPE_CHECKING:
    from gwtransfer.jobs import Comparison

FEW = 2
"""With at most so many components on a side MGW2 sees one mutual distance, or none."""

KINDS = ("prepare", "fit", "plan")
FILES = ("load",)


@calls.command(kinds=KINDS, files=FILES, reads=("first", "second"))
def distance(
    first: Annotated[
        Path, typer.Argument(help="File, or mixture of `gwtransfer fit`.", show_default=False)
    ],
    second: Annotated[
        Path, typer.Argument(help="File, or mixture of `gwtransfer fit`.", show_default=False)
    ],
    prepare: Prepare = None,
    keep_size: KeepSize = None,
    components: Components = None,
    sample: Sample = None,
    restarts: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Draw and fit both sides N times, with N seeds, and print the median; the spread "
            "goes to stderr and into --json.",
            rich_help_panel=FITTING,
        ),
    ] = 1,
    variance: Variance = None,
    seed: Seed = 0,
    solver: Solver = None,
    starts: Starts = None,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    settings: Settings = None,
) -> calls.Answer:
    """Print how far FIRST is from SECOND: one number, 0 for a moved or turned copy.

    FIRST and SECOND are two shapes, or two pictures or cubes, in any order. The
    number is the root of the solver's value.

    Solver: between shapes mgw2, the fastest, which compares distances inside one
    shape with distances inside the other; between pictures in one colour space
    mw2, which compares the colours themselves; else mew2, which finds the best
    rotation too. Numbers of different solvers, --prepare, --components or
    --sample do not compare.

    Size: every shape is scaled to radius one, so that a shape and its double are
    at distance 0. --keep-size compares sizes too (--prepare xyz).

    Mirror images are at distance 0: Gromov-Wasserstein distances are blind to
    reflections. --solver mew2 --set plan.rotation=proper sees them.

    Trust: points are drawn on a surface, and the number varies with the draw by
    some percent. --restarts 5 draws with five seeds, prints the median and says
    the spread; docs/retrieval.md tells how much to expect.
    """
    from gwtransfer import jobs

    recipe = make_recipe(
        settings,
        KINDS,
        files=FILES,
        seed=seed,
        prepare=prepare,
        sample=sample,
        variance=variance,
        keep_size=keep_size,
        components=components,
        solver=solver,
        starts=starts,
    )
    opening = make_opening(load, variable, band_axis, bands, settings)
    with console.progress() as progress:
        progress("distance", 0, 0)
        found = jobs.distance(
            first, second, recipe, opening=opening, restarts=restarts, settled=calls.settled
        )
    notes = _notes(found)
    for note in notes:
        console.note(note)
    console.result(f"{found.plan.distance:.12g}")
    return calls.Answer(figures={**_figures(found), "notes": notes})


def _notes(found: "Comparison") -> list[str]:
    """Return what a reader of the number should know."""
    notes = [note for side in found.sides for note in side.notes]
    fewest = min(side.mixture.count for side in found.sides)
    if found.plan.solver == "mgw2" and fewest <= FEW:
        notes.append(
            f"mgw2 sees only distances between components, and one side has {fewest}; "
            "use more --components"
        )
    fits = sorted({side.fit.get("stage", "") for side in found.sides} - {""})
    if len(fits) > 1:
        notes.append(
            f"one side was fitted by {fits[0]}, the other by {fits[1]}, which adds to their "
            "distance; fit both alike"
        )
    if not found.plan.converged:
        notes.append("the solver stopped before it converged; the distance may be too large")
    if len(found.seeds) > 1:
        notes.append(
            f"median of {len(found.seeds)} restarts, from {min(found.distances):.6g} to "
            f"{max(found.distances):.6g}"
        )
    return notes


def _figures(found: "Comparison") -> calls.Figures:
    """Return a comparison as JSON holds it."""
    plan = found.plan
    return {
        "root": plan.distance,
        "value": plan.value,
        "bound": summary.number(plan.bound),
        "solver": plan.solver,
        "starts": plan.starts,
        "reached": plan.reached,
        "converged": plan.converged,
        "seeds": list(found.seeds),
        "roots": list(found.distances),
        "least": min(found.distances),
        "most": max(found.distances),
        "sides": [
            {
                "file": str(side.path),
                **summary.mixture_figures(side.mixture),
                "prepare": dict(side.prepare),
                "fit": dict(side.fit),
            }
            for side in found.sides
        ],
    }
