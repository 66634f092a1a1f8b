"""`gwtransfer color`: the main job."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console, summary
from gwtransfer_cli.options import (
    Anchor,
    BandAxis,
    Components,
    GainCap,
    Keep,
    Load,
    Map,
    Noise,
    Output,
    Overwrite,
    Sample,
    Seed,
    Settings,
    Solver,
    Strength,
    Variable,
    Write,
    make_opening,
    make_recipe,
)


def color(
    source: Annotated[Path, typer.Argument(help="Picture or cube to colour.", show_default=False)],
    palette: Annotated[
        Path, typer.Argument(help="Picture (or cube) whose colours to take.", show_default=False)
    ],
    output: Output,
    components: Components = None,
    sample: Sample = None,
    keep: Keep = None,
    noise: Noise = None,
    seed: Seed = 0,
    solver: Solver = "auto",
    anchor: Anchor = None,
    mapping: Map = "mean",
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    settings: Settings = None,
    write: Write = None,
    overwrite: Overwrite = False,
) -> None:
    """Give SOURCE the colours of PALETTE: cube to RGB, RGB to RGB, gray to RGB, RGB to cube."""
    from gwtransfer import coloring

    clock = summary.Clock()
    recipe = make_recipe(
        settings,
        ("prepare", "fit", "plan", "map"),
        solver=solver,
        mapping=mapping,
        seed=seed,
        anchor=anchor,
        strength=strength,
        options={
            "prepare": {"sample": sample, "keep": keep, "noise": noise},
            "fit": {"components": components},
            "map": {"gain_cap": gain_cap},
        },
    )
    with console.progress() as progress:
        done, opened = coloring.color(
            source,
            palette,
            output,
            recipe,
            opening=make_opening(load, variable, band_axis),
            write=write,
            overwrite=overwrite,
            progress=progress,
        )
    console.say(summary.raster_line("source", done.source))
    console.say(summary.raster_line("palette", opened))
    console.say(summary.fit_line(done.plan))
    console.say(summary.plan_line(done.plan))
    console.say(summary.result_line(output, done.order, clock))
