"""`gwtransfer inspect`: what a file is."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import console
from gwtransfer_cli.options import BandAxis, BandChoice, Load, Variable, make_opening


def inspect(
    file: Annotated[
        Path, typer.Argument(help="Picture, cube, shape, mixture or plan.", show_default=False)
    ],
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
) -> None:
    """Say what FILE is: size, bands, wavelengths, nodata, range; reads all of it once."""
    from dataclasses import replace

    from gwtransfer import inspection

    opening = replace(make_opening(load, variable, band_axis, bands), default_bands="all")
    for word, value in inspection.inspect(file, opening=opening):
        console.say(f"{word:<14} {value}")
