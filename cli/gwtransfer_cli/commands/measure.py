"""`gwtransfer measure`: how good a result is."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console
from gwtransfer_cli.options import BandAxis, BandChoice, Load, Variable, make_opening

if TYPE_CHECKING:
    from gwtransfer.judging import Judgement


@calls.command(files=("load",), reads=("source", "result", "palette"))
def measure(
    source: Annotated[
        Path, typer.Argument(help="Picture or cube that was coloured.", show_default=False)
    ],
    result: Annotated[
        Path, typer.Argument(help="What was made of it, of the same size.", show_default=False)
    ],
    palette: Annotated[
        Path | None, typer.Option(help="Whose colours it was given.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
) -> calls.Answer:
    """Say in figures how much of SOURCE is seen in RESULT, whoever made it.

    Works for any picture of the source's size, not only for those of gwtransfer. The figures are
    defined in docs/quality.md. The options under Reading are for SOURCE.
    """
    from gwtransfer import judging
    from gwtransfer.tally import MEANINGS

    with console.progress() as progress:
        judgement = judging.judge_files(
            source,
            result,
            palette=palette,
            opening=make_opening(load, variable, band_axis, bands),
            seed=seed,
            progress=progress,
        )
    for note in judgement.notes:
        console.note(note)
    for figure in judgement.figures:
        word = figure.key.replace("_", " ")
        value = "—" if isnan(figure.value) else f"{figure.value:.4f}"
        note = f"undefined: {figure.undefined}" if figure.undefined else MEANINGS[figure.key]
        console.result(f"{word:<26}{value:>8}   {note}")
    where = "all" if judgement.whole else "in tiles spread over the file"
    console.result(f"{'pixels':<26}{judgement.pixels:>8}   {where}")
    return calls.Answer(figures=_figures(judgement))


def _figures(judgement: "Judgement") -> calls.Figures:
    """Return a judgement as JSON holds it; what is undefined is null, and said."""
    return {
        "figures": {
            figure.key: None if isnan(figure.value) else figure.value
            for figure in judgement.figures
        },
        "undefined": {
            figure.key: figure.undefined for figure in judgement.figures if figure.undefined
        },
        "pixels": judgement.pixels,
        "whole": judgement.whole,
        "notes": list(judgement.notes),
    }
