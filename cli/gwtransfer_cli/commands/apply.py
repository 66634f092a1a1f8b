"""`gwtransfer apply`: the third step."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console, summary
from gwtransfer_cli.options import (
    BandAxis,
    GainCap,
    Load,
    Map,
    Output,
    Overwrite,
    Settings,
    Strength,
    Variable,
    Write,
    make_opening,
    make_recipe,
)


def apply(
    plan: Annotated[Path, typer.Argument(help="Plan of `gwtransfer plan`.", show_default=False)],
    source: Annotated[Path, typer.Argument(help="Picture or cube to map.", show_default=False)],
    output: Output,
    mapping: Map = "mean",
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    palette: Annotated[
        Path | None,
        typer.Option(
            help="The target's file, which --map nearest chooses from.", rich_help_panel="Mapping"
        ),
    ] = None,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    settings: Settings = None,
    write: Write = None,
    overwrite: Overwrite = False,
) -> None:
    """Map SOURCE, or any raster of the same bands, with a stored plan."""
    from gwtransfer import coloring

    clock = summary.Clock()
    recipe = make_recipe(
        settings,
        ("map",),
        mapping=mapping,
        strength=strength,
        options={"map": {"gain_cap": gain_cap}},
    )
    with console.progress() as progress:
        done = coloring.apply(
            plan,
            source,
            output,
            recipe,
            opening=make_opening(load, variable, band_axis),
            palette_path=palette,
            write=write,
            overwrite=overwrite,
            progress=progress,
        )
    console.say(summary.raster_line("source", done.source))
    console.say(summary.plan_line(done.plan))
    console.say(summary.result_line(output, done.order, clock))
