"""`gwtransfer plan`: the second step, stored."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console, summary
from gwtransfer_cli.options import Anchor, Output, Overwrite, Settings, Solver, Starts, make_recipe


def plan(
    source: Annotated[Path, typer.Argument(help="Mixture of the source.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="Mixture of the target.", show_default=False)],
    output: Output,
    solver: Solver = "auto",
    starts: Starts = None,
    anchor: Anchor = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Plan the transport between two mixtures of `gwtransfer fit` and store it as .npz.

    Random starts draw from the seed the source was fitted with.
    """
    from gwtransfer import jobs

    recipe = make_recipe(
        settings, ("plan",), solver=solver, anchor=anchor, options={"plan": {"starts": starts}}
    )
    with console.progress() as progress:
        progress("plan", 0, 0)
        made = jobs.plan(source, target, output, recipe, overwrite=overwrite)
    console.say(summary.plan_line(made))
    console.say(f"{'result':<9}{output}")
