"""Assemble the commands; the one place where errors become exit codes."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from gwtransfer import __version__
from gwtransfer.errors import GwTransferError, UsageError
from gwtransfer_cli import console, plainhelp, streams
from gwtransfer_cli.commands import (
    apply,
    color,
    diagnose,
    distance,
    embed,
    evaluate,
    fit,
    inspect,
    lut,
    match,
    measure,
    new_stage,
    pairwise,
    plan,
    report,
    run,
    schema,
    stages,
    study,
)
from gwtransfer_cli.interrupts import ended_by_signals
from gwtransfer_cli.plainhelp import MISUSED

DONE, REFUSED, INTERRUPTED = 0, 1, 130

app = typer.Typer(
    name="gwtransfer",
    help="Give a hyperspectral cube the colours of a picture, move colours between pictures, and "
    "compare shapes, by optimal transport of Gaussian mixtures.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=plainhelp.Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        console.say(f"gwtransfer {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Hold the options that come before the command."""
    del debug, version


for command in (
    color.color,
    fit.fit,
    plan.plan,
    apply.apply,
    lut.lut,
    measure.measure,
    diagnose.diagnose,
    distance.distance,
    match.match,
    pairwise.pairwise,
    evaluate.evaluate,
    embed.embed,
    report.report,
    study.study,
    inspect.inspect,
    stages.stages,
    new_stage.new_stage,
    run.run,
    schema.schema,
):
    summary = " ".join((command.__doc__ or "").split("\n\n")[0].split())
    passed_on = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(
        cls=plainhelp.Command,
        short_help=summary,
        context_settings=passed_on if command is run.run else None,
    )(command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done · 1 refused, because of what files hold · 2 misused, wrong from the command line alone ·
    130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    streams.forget()
    try:
        with ended_by_signals() as interrupts:
            code = typer.main.get_command(app).main(
                arguments, prog_name="gwtransfer", standalone_mode=False
            )
            if interrupts.asked and code:
                code = INTERRUPTED  # whatever failed did so because it was interrupted
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        console.end()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return REFUSED
    except Exception as error:
        code = _report(error, debug="--debug" in arguments)
        console.end()
        return code
    if code == INTERRUPTED:  # typer too makes this code of an interrupt, and says nothing
        console.complain("interrupted")
    console.end()
    return code if isinstance(code, int) else DONE


def _report(error: Exception, *, debug: bool) -> int:
    """Say an error in one line and return its exit code."""
    if debug:
        traceback.print_exception(error)
    if hasattr(error, "format_message"):  # a usage error of the option parser
        message = error.format_message()
        if message:
            console.complain(message)
        return MISUSED
    if isinstance(error, UsageError):
        console.complain(str(error))
        return MISUSED
    if isinstance(error, GwTransferError):
        console.complain(str(error))
        return REFUSED
    if isinstance(error, MemoryError):
        console.complain("not enough memory; use fewer --components, or --variance below 1")
        return REFUSED
    if isinstance(error, OSError):
        console.complain(f"{error.filename or 'system'}: {error.strerror or error}")
        return REFUSED
    kind = type(error).__name__
    console.complain(f"internal error: {kind}: {error}; run again with --debug and report it")
    return REFUSED
