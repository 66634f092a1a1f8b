"""An input that goes or shrinks while it is read: one line that names it, and no output."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .scenes import COLOR, ended, leftovers, started

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process cannot be stopped")


def stopped_when(happened: Callable[[], object], arguments: tuple[str, ...], folder: Path):
    """Start a run and stop it, for the time being, as soon as something has happened."""
    process = started(arguments, folder)
    end = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    return process


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(Path.unlink, "No such file", id="gone"),
        pytest.param(cut, "truncated", id="cut", marks=pytest.mark.slow),
    ],
)
def test_a_cube_lost_while_its_image_is_written(
    folder: Path, change: Callable[[Path], None], words: str
) -> None:
    """Refused by its name; no output, and nothing left of it."""
    row = np.random.default_rng(0).normal(size=(1, 1000, 8)).astype(np.float32)
    np.save(folder / "cube.npy", np.repeat(row, 1500, axis=0))
    before = sorted(folder.iterdir())
    process = stopped_when(lambda: leftovers(folder), COLOR.arguments, folder)
    change(folder / "cube.npy")
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert err.startswith("gwtransfer: cube.npy: "), err
    assert words in err
    assert len(err.splitlines()) == 1
    assert not leftovers(folder)
    assert sorted({*folder.iterdir(), folder / "cube.npy"}) == before


def test_a_frame_lost_before_its_turn(folder: Path) -> None:
    """The others are whole, the lost one is named, and the exit code is 3."""
    arguments = ("apply", "plan.npz", "frames", "-o", "done")
    process = stopped_when((folder / "done" / "frame0.png").exists, arguments, folder)
    (folder / "frames" / "frame4.png").unlink()
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, (out, err)
    assert "frame4.png" in err
    names = sorted(path.name for path in (folder / "done").iterdir())
    assert names == [f"frame{index}.png" for index in range(4)]
    ended(("apply", "plan.npz", "frames", "-o", "again"), folder)
    for name in names:
        assert (folder / "done" / name).read_bytes() == (folder / "again" / name).read_bytes()
