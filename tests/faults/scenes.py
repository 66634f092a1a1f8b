"""Small inputs, the runs that are disturbed, and how the program is started."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CODE = "from gwtransfer_cli.program import run; run()"
QUICK = ("-k", "3", "--starts", "few")


@dataclass(frozen=True)
class Run:
    """A command, the folder its outputs are in, and what they are called.

    Attributes
    ----------
    arguments : tuple of str
    outputs : str
        A pattern inside the folder of the run.
    """

    arguments: tuple[str, ...]
    outputs: str


COLOR = Run(("color", "cube.npy", "palette.png", "-o", "out.tif", *QUICK), "out.tif")
APPLY = Run(("apply", "plan.npz", "frames", "-o", "done"), "done/*.png")
PAIRWISE = Run(
    ("pairwise", "shapes", "-o", "d.csv", "-k", "4", "--sample", "500", "--jobs", "1",
     "--set", "plan.starts=few"),
    "d.csv",
)  # fmt: skip
RUNS = {"color": COLOR, "apply": APPLY, "pairwise": PAIRWISE}


def started(arguments: tuple[str, ...], folder: Path, **changes: str) -> subprocess.Popen[str]:
    """Start the program in a folder, with some of the environment changed."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"} | changes, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(
    arguments: tuple[str, ...], folder: Path, *, code: int = 0, **changes: str
) -> tuple[str, str]:
    """Run the program to its end, expect an exit code, and return stdout and stderr."""
    process = started(arguments, folder, **changes)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, err)
    return out, err


def results(run: Run, folder: Path) -> dict[str, bytes]:
    """Return the outputs that are there, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob(run.outputs))
        if not path.name.startswith(".")
    }


def leftovers(folder: Path) -> list[Path]:
    """Return what unfinished outputs lie in a folder or below it."""
    return sorted(folder.rglob(".gwtransfer-*"))


def make(folder: Path) -> None:
    """Write the inputs of all runs."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:240, 0:320] / 320
    bands = np.linspace(0, 1, 8)
    cube = np.sin(9 * x[..., None] + 4 * bands) + y[..., None] * bands + 2
    np.save(folder / "cube.npy", (cube + rng.normal(0, 0.05, cube.shape)).astype(np.float32))

    def picture(path: Path, seed: float) -> None:
        colours = np.stack([x, (x + y) / 2 * seed, 1 - y], axis=-1)
        noisy = colours * 255 + rng.normal(0, 12, colours.shape)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(path)

    picture(folder / "palette.png", 0.3)
    (folder / "frames").mkdir()
    for index in range(5):
        picture(folder / "frames" / f"frame{index}.png", 0.5 + index / 10)
    (folder / "shapes").mkdir()
    for index in range(4):
        points = rng.normal(size=(400, 3)) * [1, 1 + index / 4, 0.3]
        (folder / "shapes" / f"s{index}.xyz").write_text(
            "\n".join(" ".join(f"{value:.5f}" for value in point) for point in points)
        )
    ended(("color", "frames/frame0.png", "palette.png", "-o", "first.png", "--save-plan",
           "plan.npz", "-k", "3"), folder)  # fmt: skip


def copied(made: Path, folder: Path) -> Path:
    """Return a fresh copy of the inputs."""
    shutil.copytree(made, folder)
    return folder
