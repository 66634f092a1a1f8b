"""`gwtransfer inspect`: what a file is."""

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console
from gwtransfer_cli.options import BandAxis, BandChoice, Load, Variable, make_opening

SEVERAL = ("note", "made from")
"""Facts there may be several of."""


@calls.command(files=("load",), reads=("file",))
def inspect(
    file: Annotated[
        Path, typer.Argument(help="Picture, cube, shape, mixture or plan.", show_default=False)
    ],
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
) -> calls.Answer:
    """Say what FILE is: size, bands, wavelengths, nodata, range; reads all of it once."""
    from dataclasses import replace

    from gwtransfer import inspection

    opening = replace(make_opening(load, variable, band_axis, bands), default_bands="all")
    said = list(inspection.inspect(file, opening=opening))
    for word, value in said:
        console.result(f"{word:<14} {value}")
    facts: dict[str, object] = {}
    for word, value in said:
        name = word.replace(" ", "_")
        if word in SEVERAL:
            facts[name] = [*facts.get(name, []), value]  # type: ignore[misc]
        else:
            facts[name] = _plain(value)
    return calls.Answer(figures={"facts": facts})


def _plain(value: str) -> int | float | str:
    """Return a number where the words are one."""
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        return number if isfinite(number) else value
    return value
