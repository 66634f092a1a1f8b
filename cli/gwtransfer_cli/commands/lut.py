"""`gwtransfer lut`: a plan as a table of colours, for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    GainCap,
    Keep,
    Map,
    Output,
    Overwrite,
    Settings,
    Strength,
    make_recipe,
)

KINDS = ("map",)


@calls.command(kinds=KINDS, reads=("plan",), writes=("output",), stream=".cube")
def lut(
    plan: Annotated[
        Path,
        typer.Argument(
            help="Plan of `gwtransfer plan` between two pictures in colour.", show_default=False
        ),
    ],
    output: Output,
    size: Annotated[
        int | None,
        typer.Option(
            help="Points along each axis of a .cube file: 17, 33 or 65 as a rule.",
            show_default="33",
        ),
    ] = None,
    level: Annotated[
        int | None,
        typer.Option(
            help="Of a Hald .png: level³ pixels a side, level² points along each axis.",
            show_default="8",
        ),
    ] = None,
    mapping: Map = None,
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    keep: Keep = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Write PLAN as a 3D LUT: a .cube file, or a Hald picture when OUT ends in .png."""
    from gwtransfer.look import look

    clock = summary.Clock()
    recipe = make_recipe(
        settings, KINDS, map=mapping, gain_cap=gain_cap, strength=strength, keep=keep
    )
    table = look(
        plan, output, recipe, size=size, level=level, overwrite=overwrite, settled=calls.settled
    )
    console.say(summary.plan_line(table.plan))
    console.say(
        f"{'result':<9}{output}: {table.size}³ colours, on the source's off by "
        f"{255 * table.mean:.2f} of 255 on average and up to {255 * table.worst:.1f}, {clock}"
    )
    return calls.Answer(
        figures={
            "output": str(output),
            "size": table.size,
            "error": {"mean": summary.number(table.mean), "most": summary.number(table.worst)},
            "plan": summary.plan_figures(table.plan),
        }
    )
