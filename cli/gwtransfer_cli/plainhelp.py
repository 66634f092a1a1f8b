"""Help and completion at the price of their own lines.

rich, as typer uses it for help, and the library by which typer converts values each take longer to
import than everything else a page of help or a completion needs. Neither is needed for them.
"""

import os
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

MISUSED = 2
TYPED = "gwtransfer.typed"
"""Where a context keeps what was typed after the command."""

ARGUMENTS, OPTIONS = "Arguments", "Options"


class Command(TyperCommand):
    """A command whose help is plain text, a section a panel."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options of no panel, and each panel."""
        write_panels(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse a command line; values that nobody asks for are not converted."""
        leave_values(self, ctx)
        ctx.meta[TYPED] = list(args)
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The program: its own options and its commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        write_panels(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse a command line; values that nobody asks for are not converted."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit(MISUSED)
        leave_values(self, ctx)
        return super().parse_args(ctx, args)


def write_panels(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    """Write a section for each panel of a command's parameters."""
    panels: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], OPTIONS: []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            usual = ARGUMENTS if param.param_type_name == "argument" else OPTIONS
            panel = getattr(param, "rich_help_panel", None) or usual
            name, text = record
            panels.setdefault(panel, []).append((name.replace("list[Path]", "path"), text))
    for panel, records in panels.items():
        if records:
            plain = "NO_COLOR" in os.environ
            with formatter.section(panel if plain else typer.style(panel, bold=True)):
                formatter.write_dl(records)


def leave_values(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Leave values as typed while a line is completed; else only absent `--help` and its like."""
    for param in command.get_params(ctx):
        if ctx.resilient_parsing:
            param.process_value = as_typed  # type: ignore[method-assign]
        elif getattr(param, "is_flag", False) and not param.expose_value and param.default is None:
            param.default = False


def as_typed(ctx: Any, value: Any) -> Any:
    """Return a value as it stands on the command line."""
    del ctx
    return value
