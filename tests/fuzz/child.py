"""One target under atheris, in a process of its own that may die of what it is fed."""

import argparse
import faulthandler
import hashlib
import pkgutil
import shutil
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

import atheris

MOST_MB = 1024
"""Megabytes the process may hold."""

LONGEST = 1_000_000
"""Bytes of an input."""


def instrumented(target: str) -> None:
    """Import what a target runs, with its branches watched."""
    with atheris.instrument_imports(include=["gwtransfer", "gwtransfer_cli"]):
        package = import_module("gwtransfer.io")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
        for name in ("opening", "pairs", "recipe", "matching.truth"):
            import_module(f"gwtransfer.{name}")
        if target in ("argv", "recipes"):
            import_module("gwtransfer_cli.app")


def main() -> None:
    """Fuzz for a while; what is found lies in a folder, one file for each place in the code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--grown", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    asked = parser.parse_args()
    instrumented(asked.target)
    from .targets import SLOW, run

    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{asked.target}-"))

    now = asked.findings / f"{asked.target}.now"

    def one(data: bytes) -> None:
        inside = folder / "in"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        now.write_bytes(data)
        faulthandler.dump_traceback_later(2 * SLOW, exit=True)
        begun = time.monotonic()
        try:
            run(asked.target, data, inside)
        except Exception as error:
            keep(asked.findings, asked.target, data, error)
        faulthandler.cancel_dump_traceback_later()
        if time.monotonic() - begun > SLOW:
            keep(asked.findings, asked.target, data, TimeoutError(f"over {SLOW:g} s"))

    grown, seeds = str(asked.grown), str(asked.seeds)
    options = [f"-max_total_time={asked.seconds}", f"-timeout={int(3 * SLOW)}"]
    options += [f"-rss_limit_mb={MOST_MB}", f"-max_len={LONGEST}", "-print_final_stats=1"]
    options += [f"-artifact_prefix={asked.findings}/{asked.target}-", "-len_control=20"]
    faulthandler.enable()
    atheris.Setup([sys.argv[0], *options, grown, seeds], one)
    atheris.Fuzz()


def keep(folder: Path, target: str, data: bytes, error: Exception) -> None:
    """Save an input and its traceback, unless one of the same place is there."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "gwtransfer" in frame.filename][-1:] + frames[-1:]
    place = f"{type(error).__name__} {[(Path(f.filename).name, f.name) for f in ours]}"
    name = f"{target}-{type(error).__name__}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    if not (folder / name).exists():
        (folder / name).write_bytes(data)
        (folder / f"{name}.txt").write_text(
            "".join(traceback.format_exception(error)), errors="backslashreplace"
        )


if __name__ == "__main__":
    main()
