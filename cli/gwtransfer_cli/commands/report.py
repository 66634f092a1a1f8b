"""`gwtransfer report`: a result as one page for a browser."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    BandAxis,
    BandChoice,
    Load,
    Output,
    Overwrite,
    Variable,
    make_opening,
)


@calls.command(
    files=("load",),
    reads=("plan", "source", "target", "result", "labels"),
    writes=("output",),
    stream=".html",
)
def report(
    plan: Annotated[
        Path,
        typer.Argument(
            help="Plan of `color --save-plan` or `plan`; or a folder of `match`; or a table of "
            "`pairwise`.",
            show_default=False,
        ),
    ],
    output: Output,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="The plan's source; of a match its first shape; of a table the folder of its "
            "files.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Argument(help="The plan's palette; of a match its second shape.", show_default=False),
    ] = None,
    result: Annotated[
        Path | None,
        typer.Argument(help="Picture that was made of SOURCE by the plan.", show_default=False),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="from-folder|FILE",
            help="Classes of a table's files, as `evaluate` takes them.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same measures.")] = 0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Show what PLAN did as one page that every browser opens, offline and on a phone.

    OUT is .html, under 5 MB, and asks no network for anything. With the plan alone it shows the
    colours on either side and which became which; with SOURCE, TARGET and RESULT also the pictures,
    where each colour sits, and the measures. Needs jinja2, of the extra report.
    """
    from gwtransfer.report import job

    clock = summary.Clock()
    with console.progress() as progress:
        page = job.report(
            plan,
            job.Shown(
                source=source,
                target=target,
                result=result,
                opening=make_opening(load, variable, band_axis, bands),
                labels=labels,
                seed=seed,
            ),
            output=output,
            overwrite=overwrite,
            progress=progress,
        )
    for note in page.notes:
        console.note(note)
    size = len(page.text.encode())
    console.say(f"{'result':<9}{output}: {size / 1e6:.2f} MB, {clock}")
    return calls.Answer(
        figures={
            "output": str(output),
            "kind": page.kind,
            "bytes": size,
            "sections": list(page.sections),
            "notes": list(page.notes),
        }
    )
