"""Kill runs at seeded moments: ``python -m faults.killed [--times 20]`` in tests/.

After each kill every output is absent or whole, what the kill left does not disturb the next run,
and that ends in the same bytes with nothing left over.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .scenes import RUNS, Run, copied, ended, leftovers, make, results, started


def reference(run: Run, made: Path, folder: Path) -> tuple[dict[str, bytes], float]:
    """Return what an undisturbed run makes, and the seconds it takes."""
    copied(made, folder)
    begun = time.monotonic()
    ended(run.arguments, folder)
    took = time.monotonic() - begun
    whole = results(run, folder)
    assert whole
    assert not leftovers(folder)
    return whole, took


def kill(run: Run, folder: Path, delay: float, *, while_writing: bool) -> bool:
    """Start a run and kill it after so many seconds; return whether it was still alive then."""
    process = started(run.arguments, folder)
    end = time.monotonic() + 60
    while while_writing and process.poll() is None and not leftovers(folder):
        assert time.monotonic() < end
        time.sleep(0.002)
    time.sleep(delay)
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


def check(run: Run, folder: Path, whole: dict[str, bytes]) -> None:
    """Hold what a kill has left against the reference, and run again."""
    for name, content in results(run, folder).items():
        assert content == whole[name], f"{name} is there and is not whole"
    ended((*run.arguments, "--overwrite"), folder)
    assert results(run, folder) == whole
    assert not leftovers(folder)


def main() -> int:
    """Kill every run many times, anywhere in it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        made = Path(root, "made")
        made.mkdir()
        make(made)
        for name, run in RUNS.items():
            rng = np.random.default_rng(asked.seed)
            whole, took = reference(run, made, Path(root, f"{name}-whole"))
            killed = held = some = 0
            for index in range(asked.times):
                folder = copied(made, Path(root, f"{name}-{index}"))
                killed += kill(run, folder, rng.uniform(0, took), while_writing=False)
                held += bool(leftovers(folder))
                some += bool(results(run, folder))
                check(run, folder, whole)
                shutil.rmtree(folder)
            sys.stdout.write(
                f"{name}: {took:.1f} s whole; of {asked.times} kills {killed} met it alive, {held} "
                f"left unfinished outputs, {some} whole ones; all reran to the same bytes\n"
            )
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
