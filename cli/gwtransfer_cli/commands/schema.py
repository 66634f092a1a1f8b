"""`gwtransfer schema`: what --json prints."""

from typing import Annotated

import typer

from gwtransfer_cli import console


def schema(
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", help="One that has --json.", show_default=False)
    ],
) -> None:
    """Print the JSON Schema of what COMMAND prints with --json."""
    import json

    from gwtransfer_cli.schemas import schema_of

    console.result(json.dumps(schema_of(command), indent=2, ensure_ascii=False))
