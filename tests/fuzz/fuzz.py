"""Fuzz every reader for a stated time: ``python tests/fuzz/fuzz.py [--seconds N] [TARGET …]``.

Each target runs in a process of its own, again and again when it dies of an input, until its share
of the time is over. New inputs that reach new code are kept in ``.fuzz/TARGET`` and are the start
of the next run; what fails is kept in ``.fuzz/findings`` and ends this program with 1.
"""

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".fuzz"

START = 4
"""Seconds that a process takes to import what it fuzzes."""


def names() -> list[str]:
    """Return all targets: those with a corpus."""
    return sorted(folder.name for folder in (HERE / "corpus").iterdir() if folder.is_dir())


def fuzz(target: str, seconds: float, findings: Path) -> int:
    """Fuzz one target for so many seconds; return how often its process died."""
    grown = KEPT / target
    grown.mkdir(parents=True, exist_ok=True)
    end, died = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > START or not died:
        share = max(int(left - START), 1)
        command = [sys.executable, "-m", "fuzz.child", target, "--seconds", str(share)]
        command += ["--grown", str(grown), "--seeds", str(HERE / "corpus" / target)]
        command += ["--findings", str(findings)]
        with (findings / f"{target}.log").open("ab") as log, TemporaryDirectory() as folder:
            environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": folder}
            try:
                code = subprocess.run(
                    command, cwd=HERE.parent, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, timeout=left + 60, check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                code = -1
        now = findings / f"{target}.now"
        if code == 0:
            now.unlink(missing_ok=True)
            return died
        died += 1
        if now.exists():
            data = now.read_bytes()
            now.replace(findings / f"{target}-died-{hashlib.sha256(data).hexdigest()[:8]}")
    return died


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Fuzz the targets one after the other and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(names()))
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    asked = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        say(
            "fuzzing needs atheris (Linux, CPython 3.11 to 3.13): pip install atheris; "
            "without it the tests feed the same targets from hypothesis"
        )
        return 0
    targets = asked.targets or names()
    findings = KEPT / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    for target in targets:
        died = fuzz(target, asked.seconds / len(targets), findings)
        inputs = len(list((KEPT / target).iterdir()))
        say(f"{target:10} {inputs} inputs kept, died {died} times")
    found = sorted(
        path
        for path in set(findings.iterdir()) - before
        if path.suffix not in (".txt", ".log", ".now")
    )
    for path in found:
        say(f"found: {path.relative_to(ROOT)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
