"""Compare bytes between fresh environments: ``python -m faults.two_environments`` in tests/.

Two environments are made, in folders of different length, from `constraints-run.txt` and a wheel of
this tree. The same commands run in both, and every output must be the same, byte for byte. Takes
minutes, and fetches what the lock names.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from .scenes import copied, make

TOP = Path(__file__).resolve().parents[2]

COMMANDS = (
    ("color", "cube.npy", "palette.png", "-o", "c.tif", "--save-plan", "c.npz", "-k", "3"),
    ("color", "cube.npy", "palette.png", "-o", "c.png", "--map", "rand", "-k", "3"),
    ("color", "frames/frame0.png", "palette.png", "-o", "f.jpg", "--depth", "8"),
    ("fit", "cube.npy", "-o", "a.npz", "-k", "4"), ("fit", "palette.png", "-o", "b.npz", "-k", "4"),
    ("plan", "a.npz", "b.npz", "-o", "p.npz"), ("apply", "p.npz", "cube.npy", "-o", "p.exr"),
    ("lut", "plan.npz", "-o", "l.cube", "--size", "9"),
    ("match", "shapes/s0.xyz", "shapes/s1.xyz", "-o", "m.csv", "--rigid"),
    ("pairwise", "shapes", "-o", "d.csv", "-k", "4", "--sample", "500"),
    ("pairwise", "shapes", "-o", "d.npz", "-k", "4", "--sample", "500", "--jobs", "2"),
)  # fmt: skip
OUTPUTS = ("c.tif", "c.npz", "c.png", "f.jpg", "a.npz", "b.npz", "p.npz", "p.exr", "l.cube",
           "m.csv", "d.csv", "d.npz")  # fmt: skip


def environment(folder: Path, wheel: Path, lock: Path) -> Path:
    """Make an environment and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(lock)], check=True
    )
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    return python


def outputs(python: Path, folder: Path) -> dict[str, bytes]:
    """Run all commands in an environment and return what they write."""
    program = python.parent / "gwtransfer"
    for arguments in COMMANDS:
        subprocess.run(
            [str(program), *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


def main() -> int:
    """Say which outputs differ; 1 if any does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, default=TOP / "constraints-run.txt")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", root]
        subprocess.run([*build, str(TOP)], check=True, cwd=root, stdout=subprocess.DEVNULL)
        (wheel,) = Path(root).glob("*.whl")
        made = Path(root, "made")
        made.mkdir()
        make(made)
        found = []
        for name in ("one", "another-with-a-longer-name"):
            python = environment(Path(root, name), wheel, asked.lock)
            found.append(outputs(python, copied(made, Path(root, f"in-{name}"))))
    different = [name for name in OUTPUTS if found[0][name] != found[1][name]]
    sys.stdout.write(f"{len(OUTPUTS)} outputs, different: {', '.join(different) or 'none'}\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
