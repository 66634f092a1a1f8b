"""`gwtransfer distance`: one number."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console
from gwtransfer_cli.options import (
    BandAxis,
    BandChoice,
    Components,
    Load,
    Sample,
    Seed,
    Settings,
    Solver,
    Variable,
    Variance,
    make_opening,
    make_recipe,
)


def distance(
    first: Annotated[
        Path, typer.Argument(help="File, or mixture of `gwtransfer fit`.", show_default=False)
    ],
    second: Annotated[
        Path, typer.Argument(help="File, or mixture of `gwtransfer fit`.", show_default=False)
    ],
    components: Components = None,
    sample: Sample = None,
    variance: Variance = None,
    seed: Seed = 0,
    solver: Solver = "auto",
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    settings: Settings = None,
) -> None:
    """Print the distance between FIRST and SECOND: the root of the solver's value, never guided.

    Each side is measured in its own isotropic unit (radius 1), except by mw2, which uses one unit
    for both: mew2 and mgw2 do not see size. `--set prepare.size=true` keeps the size of shapes.
    """
    from gwtransfer import jobs

    recipe = make_recipe(
        settings,
        ("prepare", "fit", "plan"),
        solver=solver,
        seed=seed,
        options={
            "prepare": {"sample": sample, "variance": variance},
            "fit": {"components": components},
        },
    )
    opening = make_opening(load, variable, band_axis, bands)
    with console.progress() as progress:
        progress("distance", 0, 0)
        plan = jobs.distance(first, second, recipe, opening=opening)
    console.say(f"{plan.distance:.12g}")
