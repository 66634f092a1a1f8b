"""`gwtransfer run`: any command by its recipe."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import recipes

UNSET = ("run", "schema")
"""Commands that have no recipes."""


def run(
    ctx: typer.Context,
    recipe: Annotated[
        Path,
        typer.Argument(
            metavar="RECIPE",
            help='TOML with a line command = "…", as --print-recipe prints it; or a mixture or '
            "plan, which is made again. - is standard input.",
            show_default=False,
        ),
    ],
) -> int:
    """Run the command that RECIPE describes; options after RECIPE are the command's and win.

    A recipe has a line for each argument and option of the command, under the long name of the
    option with _ for -, and a table for each kind of stage. Files are sought from where the
    program is started.
    """
    from gwtransfer import recipefile
    from gwtransfer.errors import UsageError
    from gwtransfer.keywords import refuse_unknown

    if str(recipe).startswith("-") and str(recipe) != "-":
        raise UsageError(f"{recipe}: expected the recipe first; options come after it")
    if any(one.partition("=")[0] == "--recipe" for one in ctx.args):
        raise UsageError("--recipe: run has its recipe already; drop one")
    given, named = recipes.read(recipe), recipes.named_as(recipe)
    name = given.get(recipefile.COMMAND)
    root = ctx.find_root()
    known = [one for one in root.command.commands if one not in UNSET]  # type: ignore[attr-defined]
    if not isinstance(name, str):
        raise UsageError(f'{recipe}: expected a line command = "color", or another command')
    try:
        refuse_unknown([name], known, what="command")
    except UsageError as error:
        raise type(error)(f"{named}: {error}") from error
    code = root.command.main(
        [name, "--recipe", str(recipe), *ctx.args], prog_name="gwtransfer", standalone_mode=False
    )
    return code if isinstance(code, int) else 0
