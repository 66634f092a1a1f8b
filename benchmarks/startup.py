"""What is paid before any work: help, completion, and a picture so small that nothing else counts.

Everything is a process of its own, taken in turns with the bare imports it is compared with.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from rows import Row, paired, show

GROUP = "start-up"
RUNS = 9
SIDE = 64

BARE = "import typer, rich"
PROGRAM = "from gwtransfer_cli.program import run; run()"

NOTING = """
import atexit, sys
noted = open(sys.argv.pop(1), "w")
@atexit.register
def note():
    left_out = {"gwtransfer", "gwtransfer_cli", "__main__", *sys.stdlib_module_names}
    print(*(name for name in sys.modules if name.split(".")[0] not in left_out), file=noted)
from gwtransfer_cli.program import run
run()
"""
"""Runs the program, and writes down in which order it came by modules of others."""

IMPORTING = """
import importlib, sys
for name in open(sys.argv[1]).read().split():
    if "." not in name or name.rpartition(".")[0] in sys.modules:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
"""
"""Imports what was written down; some modules exist only within the package that makes them."""

COMPLETED = {
    "completion of a command, bash": {
        "_GWTRANSFER_COMPLETE": "complete_bash",
        "COMP_WORDS": "gwtransfer c",
        "COMP_CWORD": "1",
    },
    "completion of an option, zsh": {
        "_GWTRANSFER_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": "gwtransfer color --co",
    },
}


def process(code: str, *arguments: str, **environment: str) -> Callable[[], None]:
    """Return what runs some Python in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    surroundings = {**os.environ, **environment}

    def run() -> None:
        subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=True)

    return run


def rows() -> Iterator[Row]:
    """Yield help and completion over bare imports, then a small picture beyond its own."""
    yield from _before_work()
    yield from _small_picture()


def _before_work() -> Iterator[Row]:
    calls = {
        "gwtransfer --help": process(PROGRAM, "--help"),
        "gwtransfer color --help": process(PROGRAM, "color", "--help"),
        **{name: process(PROGRAM, **words) for name, words in COMPLETED.items()},
    }
    bare, *taken = paired(process(BARE), *calls.values(), runs=RUNS)
    for name, seconds in zip(calls, taken, strict=True):
        yield Row(
            group=GROUP,
            name=name,
            value=seconds / bare,
            unit="×",
            at_most=2.5,
            limit=f"{BARE}: {1e3 * bare:.0f} ms",
            note=f"{1e3 * seconds:.0f} ms",
        )


def _small_picture() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        source, palette, noted = (str(Path(folder) / name) for name in ("a.png", "b.png", "names"))
        for seed, path in enumerate((source, palette)):
            Image.fromarray(small_picture(seed)).save(path)
        words = ("color", source, palette, "-o", str(Path(folder) / "c.png"), "--overwrite")
        process(NOTING, noted, *words)()
        modules = Path(noted).read_text(encoding="utf-8").split()
        alone, whole = paired(process(IMPORTING, noted), process(PROGRAM, *words), runs=RUNS)
    packages = Counter(name.split(".")[0] for name in modules)
    heavy = ", ".join(f"{name} {count}" for name, count in packages.most_common(6))
    size = f"{SIDE} × {SIDE} picture"
    yield Row(
        group=GROUP,
        name=f"gwtransfer color, {size}, beyond its imports",
        value=whole - alone,
        unit="s",
        at_most=1.0,
        limit=f"the imports: {alone:.2f} s",
        note=f"{whole:.2f} s in all",
    )
    yield Row(
        group=GROUP,
        name=f"gwtransfer color, {size}, its imports",
        value=alone,
        unit="s",
        note=f"{len(modules)} modules, most of them {heavy}",
    )


def small_picture(seed: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return (SIDE, SIDE, 3) values: two ramps and their mixture, with noise."""
    down, across = np.mgrid[:SIDE, :SIDE] / SIDE
    ramps = np.stack([across, down, np.abs(seed - across * down)], axis=-1)
    noise = np.random.default_rng(seed).normal(0, 0.06, ramps.shape)
    return np.clip(255 * (0.1 + 0.8 * ramps + noise), 0, 255).astype(np.uint8)


def main() -> None:
    """Print the rows."""
    for row in rows():
        show(row)


if __name__ == "__main__":
    main()
