"""`gwtransfer plan`: the second step, stored."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    Anchor,
    Marginals,
    Output,
    Overwrite,
    Penalty,
    Settings,
    Solver,
    Starts,
    make_recipe,
)

KINDS = ("plan",)


@calls.command(kinds=KINDS, reads=("source", "target"), writes=("output",), stream=".npz")
def plan(
    source: Annotated[Path, typer.Argument(help="Mixture of the source.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="Mixture of the target.", show_default=False)],
    output: Output,
    solver: Solver = None,
    starts: Starts = None,
    anchor: Anchor = None,
    marginals: Marginals = None,
    penalty: Penalty = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Plan the transport between two mixtures of `gwtransfer fit` and store it as .npz.

    Random starts draw from the seed the source was fitted with.
    """
    from gwtransfer import jobs

    recipe = make_recipe(
        settings,
        KINDS,
        solver=solver,
        starts=starts,
        anchor=anchor,
        marginals=marginals,
        penalty=penalty,
    )
    with console.progress() as progress:
        progress("plan", 0, 0)
        made = jobs.plan(source, target, output, recipe, overwrite=overwrite, settled=calls.settled)
    console.say(summary.plan_line(made))
    console.say(f"{'result':<9}{output}")
    return calls.Answer(figures={"output": str(output), "plan": summary.plan_figures(made)})
