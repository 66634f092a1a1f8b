"""The program: what the shell starts. An interrupt is heard before anything else is imported."""

import os
import sys

from gwtransfer_cli.interrupts import ended_by_signals


def run() -> None:
    """Run as a program."""
    if "_GWTRANSFER_COMPLETE" in os.environ:
        # typer would load it to strip markup from help, which has none; this says "not there".
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        with ended_by_signals():
            from gwtransfer_cli import app
    except KeyboardInterrupt:
        sys.stderr.write("gwtransfer: interrupted\n")
        sys.exit(130)
    sys.exit(app.main())
