"""`gwtransfer fit`: the first step, stored."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console, summary
from gwtransfer_cli.options import (
    BandAxis,
    Components,
    Keep,
    Load,
    Noise,
    Output,
    Overwrite,
    Sample,
    Seed,
    Settings,
    Variable,
    make_opening,
    make_recipe,
)


def fit(
    file: Annotated[Path, typer.Argument(help="Picture, cube or shape.", show_default=False)],
    output: Output,
    components: Components = None,
    sample: Sample = None,
    keep: Keep = None,
    noise: Noise = None,
    seed: Seed = 0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Fit a Gaussian mixture to FILE and store it as .npz for `plan` and `distance`."""
    from gwtransfer import jobs

    recipe = make_recipe(
        settings,
        ("prepare", "fit"),
        seed=seed,
        options={
            "prepare": {"sample": sample, "keep": keep, "noise": noise},
            "fit": {"components": components},
        },
    )
    opening = make_opening(load, variable, band_axis)
    with console.progress() as progress:
        progress(f"fit {file.name}", 0.0)
        item, mixture = jobs.fit(file, output, recipe, opening=opening, overwrite=overwrite)
    console.say(f"{'fit':<9}{item.name}: {summary.mixture_words(mixture)}")
    console.say(f"{'result':<9}{output}")
