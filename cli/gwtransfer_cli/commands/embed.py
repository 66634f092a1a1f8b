"""`gwtransfer embed`: distances seen."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console
from gwtransfer_cli.options import Output, Overwrite


@calls.command(reads=("distances", "labels"), writes=("output",), stream=".csv")
def embed(
    distances: Annotated[
        Path,
        typer.Argument(
            help="Matrix of `gwtransfer pairwise`, all pairs: .csv, .npz or .parquet.",
            show_default=False,
        ),
    ],
    output: Output,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="from-folder|FILE",
            help="Colour by class: the first folder of each name, a CSV with a first row "
            "name,label, or a .cla of the Princeton Shape Benchmark.",
            show_default="one colour",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Draw DISTANCES: a map where near is alike, a tree, and a heat map in its order.

    OUT is .png or .svg, or .csv for the coordinates of the map. A plane cannot
    hold all distances: the share the map explains and its stress (0 is exact,
    0.2 is poor) are printed. Pictures need matplotlib, of the extra report.
    """
    from gwtransfer import charting

    with console.progress() as progress:
        progress("draw", 0, 0)
        made = charting.chart(distances, output, labels=labels, overwrite=overwrite)
    console.say(
        f"{'map':<9}{made.count} files, {made.explained:.1%} explained, stress {made.stress:.3f}"
    )
    console.say(f"{'result':<9}{output}")
    return calls.Answer(
        figures={
            "output": str(output),
            "files": made.count,
            "explained": made.explained,
            "stress": made.stress,
        }
    )
