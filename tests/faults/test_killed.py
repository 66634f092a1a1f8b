"""Kill −9 leaves every output absent or whole, and the next run ends in the same bytes."""

import os
from pathlib import Path

import numpy as np
import pytest

from .killed import check, kill
from .scenes import RUNS, leftovers, started

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no kill −9")
Whole = dict[str, tuple[dict[str, bytes], float]]


@pytest.mark.parametrize("name", RUNS)
def test_a_kill_while_an_output_is_written(folder: Path, whole: Whole, name: str) -> None:
    """What it left is not taken for an output, nor for an input, and the next run removes it."""
    assert kill(RUNS[name], folder, 0.0, while_writing=True)
    assert leftovers(folder)
    check(RUNS[name], folder, whole[name][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("moment", [0, 1])
def test_a_kill_at_any_moment(folder: Path, whole: Whole, name: str, moment: int) -> None:
    """Between the first import and the end."""
    content, took = whole[name]
    delay = np.random.default_rng([3, moment]).uniform(0.3, 1) * took
    kill(RUNS[name], folder, delay, while_writing=False)
    check(RUNS[name], folder, content)


def test_what_a_live_run_is_writing_is_let_be(folder: Path, whole: Whole) -> None:
    """A second run in the same folder sweeps, and the first one still finishes."""
    run = RUNS["apply"]
    first = started(run.arguments, folder)
    second = started((*run.arguments[:-1], "done/", "--overwrite"), folder)
    said = [process.communicate(timeout=60) for process in (first, second)]
    assert first.returncode in (0, 3), said
    assert second.returncode == 0, said
    check(run, folder, whole["apply"][0])
