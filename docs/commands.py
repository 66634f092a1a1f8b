"""The commands of the program as data, read off the program itself."""

from dataclasses import dataclass
from typing import Any

import typer

from gwtransfer_cli.app import app
from gwtransfer_cli.plainhelp import ARGUMENTS, OPTIONS

PROGRAM = "gwtransfer"


@dataclass(frozen=True)
class Command:
    """What a page of help tells of one command.

    Attributes
    ----------
    name : str
        As typed after the program's; empty for the program itself.
    usage : str
        The line that shows how it is called.
    summary : str
        One sentence.
    paragraphs : tuple of str
        The description, without line breaks of its own.
    panels : dict
        For each section of the help, pairs of a parameter as typed and what is said of it.
    """

    name: str
    usage: str
    summary: str
    paragraphs: tuple[str, ...]
    panels: dict[str, tuple[tuple[str, str], ...]]


def program() -> Command:
    """Return the options that come before any command."""
    group = typer.main.get_command(app)
    return _described(group, "", _context(group, PROGRAM))


def commands() -> tuple[Command, ...]:
    """Return all commands in the order in which the program lists them."""
    group: Any = typer.main.get_command(app)
    above = _context(group, PROGRAM)
    return tuple(
        _described(command, name, _context(command, name, above))
        for name in group.list_commands(above)
        if not (command := group.get_command(above, name)).hidden
    )


def _context(command: Any, name: str, above: Any = None) -> Any:
    settings = command.context_settings
    return command.context_class(command, info_name=name, parent=above, **settings)


def _described(command: Any, name: str, context: Any) -> Command:
    panels: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], OPTIONS: []}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            usual = ARGUMENTS if parameter.param_type_name == "argument" else OPTIONS
            panel = getattr(parameter, "rich_help_panel", None) or usual
            panels.setdefault(panel, []).append((record[0], " ".join(record[1].split())))
    paragraphs = tuple(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    return Command(
        name=name,
        usage=" ".join([context.command_path, *command.collect_usage_pieces(context)]),
        summary=paragraphs[0],
        paragraphs=paragraphs,
        panels={panel: tuple(records) for panel, records in panels.items() if records},
    )
