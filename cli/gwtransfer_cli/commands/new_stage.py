"""`gwtransfer new-stage`: a package of one's own to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console


@calls.command()
def new_stage(
    name: Annotated[
        str,
        typer.Argument(
            help="Of the stage and its package: lower-case letters, digits and underscores.",
            show_default=False,
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="load, prepare, fit, plan, map or write."),
    ] = "map",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder to make; what exists is never overwritten.",
            show_default="NAME",
        ),
    ] = None,
) -> calls.Answer:
    """Write a package with a working stage NAME, to be changed into yours.

    The folder holds the stage, a test that passes, a README, and the
    pyproject.toml that tells gwtransfer of it. `pip install -e FOLDER`, and
    `gwtransfer stages` lists it; docs/extending.md tells the rest.
    """
    from gwtransfer import scaffolding

    folder = Path(name) if output is None else output
    written = [str(path) for path in scaffolding.new_stage(name, kind, folder)]
    for path in written:
        console.result(path)
    console.note(f"pip install -e {folder}, then `gwtransfer stages {kind}` lists {name}")
    return calls.Answer(figures={"folder": str(folder), "files": written})
