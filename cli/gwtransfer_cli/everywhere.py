"""Options that every command has, and those of every command that writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

SCRIPTING, SPEAKING = "Scripts", "Speaking"

PrintRecipe = Annotated[
    bool,
    typer.Option(
        "--print-recipe",
        help="Print this run as a recipe with every stage and option, and do nothing else.",
        rich_help_panel=SCRIPTING,
    ),
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Leave an output that was made of the same contents with the same options; what was "
        "so made of others is made again. Kept in .OUT.made.",
        rich_help_panel=SCRIPTING,
    ),
]
Depfile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write which files each output is made of, for make and ninja.",
        rich_help_panel=SCRIPTING,
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON object on stdout instead; `gwtransfer schema` describes it.",
        rich_help_panel=SPEAKING,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Say errors and what was asked for only.", rich_help_panel=SPEAKING
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say each step on stderr.", rich_help_panel=SPEAKING),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Add everything that is said to this file, with seconds since the start.",
        rich_help_panel=SPEAKING,
        show_default=False,
    ),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=SPEAKING),
]

COMMON: Mapping[str, tuple[Any, Any]] = {
    "print_recipe": (PrintRecipe, False),
    "as_json": (AsJson, False),
    "quiet": (Quiet, False),
    "verbose": (Verbose, False),
    "log_file": (LogFile, None),
    "debug": (Debug, False),
}
WRITERS: Mapping[str, tuple[Any, Any]] = {
    "skip_existing": (SkipExisting, False),
    "depfile": (Depfile, None),
}
