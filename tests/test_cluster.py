"""A real Dask scheduler with workers in processes of their own, on this machine."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gwtransfer import applying, jobs
from gwtransfer.adapters.cluster import workers_of
from gwtransfer.adapters.workers import Pool
from gwtransfer.errors import DataError, UsageError
from gwtransfer.imaging import Progress, silent
from gwtransfer.io import store
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.spreading import Reopening, Spread
from gwtransfer.writing import Writing
from gwtransfer_cli.app import main

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

CODE = "from gwtransfer_cli.program import run; run()"
STARTS = ("-k", "3", "--set", "plan.random=2000")
"""So many starts that a pair takes some tenths of a second."""
WAIT = 60.0


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Make seven clouds."""
    rng = np.random.default_rng(3)
    (tmp_path / "shapes").mkdir()
    for number in range(7):
        points = rng.normal(size=(60, 3)) * [1 + number / 2, 2, 1]
        np.savetxt(tmp_path / "shapes" / f"m{number}.xyz", points)
    return tmp_path


def pairwise(folder: Path, output: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a run in a process in which any warning is an error."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CODE, "pairwise", "shapes", "-o", output, *STARTS,
         "--json", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip


def figures(process: subprocess.Popen[str]) -> dict[str, dict[str, int]]:
    """Return what a run says that must succeed in silence."""
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, err) == (0, "")
    said: dict[str, dict[str, int]] = json.loads(out)
    return said


def dask(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a part of a cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Give the address of a scheduler and, after it, the processes of the workers."""
    told = folder / "scheduler.json"
    parts = [dask(folder, "scheduler", "--host", "127.0.0.1", "--port", "0",
                  "--scheduler-file", str(told))]  # fmt: skip
    try:
        parts += [
            dask(folder, "worker", "--scheduler-file", str(told), "--nthreads", "1", "--no-nanny",
                 "--host", "127.0.0.1", "--local-directory", str(folder / f"worker{number}"))
            for number in range(workers)
        ]  # fmt: skip
        end = time.monotonic() + WAIT
        while not told.exists() or not told.read_text().endswith("}"):
            assert time.monotonic() < end
            time.sleep(0.05)
        yield json.loads(told.read_text())["address"], parts
    finally:
        for part in parts:
            part.kill()
            part.wait()


def lines(folder: Path) -> list[str]:
    """Return the lines of all journals of a work folder."""
    return "".join(path.read_text() for path in folder.glob("pairs/*")).splitlines()


def test_a_lost_worker_loses_no_pair(shapes: Path) -> None:
    """Two workers, one killed while they solve: every pair is there, in the bytes of one process.

    Then the scheduler is killed: one line says so, and without it the run goes on.
    """
    assert figures(pairwise(shapes, "alone.csv"))["pairs"]["made"] == 21
    with cluster(shapes, 2) as (address, (scheduler, first, _)):
        run = pairwise(shapes, "d.csv", "--scheduler", address)
        end = time.monotonic() + WAIT
        while len(list((shapes / "d.csv.work").glob("pairs/*"))) < 2:
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < end
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
        assert len(lines(shapes / "d.csv.work")) < 21
        said = figures(run)
        assert (said["pairs"]["made"], said["fits"]["made"]) == (21, 7)
        assert (shapes / "d.csv").read_bytes() == (shapes / "alone.csv").read_bytes()
        assert len({line[:65] for line in lines(shapes / "d.csv.work")}) == 21

        run = pairwise(shapes, "e.csv", "--scheduler", address)
        while not lines(shapes / "e.csv.work"):
            assert run.poll() is None, run.communicate()
            time.sleep(0.005)
        scheduler.send_signal(signal.SIGKILL)
        out, err = run.communicate(timeout=WAIT)
        assert (run.returncode, out, err.count("\n")) == (1, "", 1)
        assert "the scheduler is lost" in err
    kept = len({line[:65] for line in lines(shapes / "e.csv.work")})
    assert figures(pairwise(shapes, "e.csv"))["pairs"]["made"] == 21 - kept
    assert (shapes / "e.csv").read_bytes() == (shapes / "alone.csv").read_bytes()


def test_a_cluster_that_cannot_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No address, no scheduler there, or no workers."""
    monkeypatch.setattr("gwtransfer.adapters.cluster.CONNECTING", 1.0)
    for address in ("127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1"):
        with (
            pytest.raises(UsageError, match="tcp://host:8786"),
            workers_of(address, must_see=tmp_path),
        ):
            pass
    with (
        pytest.raises(DataError, match="none answers"),
        workers_of("tcp://127.0.0.1:9", must_see=tmp_path),
    ):
        pass
    with cluster(tmp_path, 0) as (address, _):
        monkeypatch.setattr("gwtransfer.adapters.cluster.CONNECTING", 3.0)
        with (
            pytest.raises(DataError, match="expected workers"),
            workers_of(address, must_see=tmp_path),
        ):
            pass


def test_workers_must_see_the_folder(shapes: Path) -> None:
    """One line names the worker that does not; what is in its way is the fault of no file."""
    with cluster(shapes, 1) as (address, _):
        with (
            pytest.raises(DataError, match="sees no such folder"),
            workers_of(address, must_see=shapes / "elsewhere"),
        ):
            pass
        with workers_of(address, must_see=shapes) as pool:
            assert pool.size == 1
            assert sorted(pool.each(abs, range(-9, 0))) == list(range(1, 10))
            with pytest.raises(TypeError):
                list(pool.each(len, [3]))


def killing(pool: Pool, victim: "subprocess.Popen[bytes]") -> Pool:
    """Return a pool that kills a process as soon as the first results are there."""

    def each(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Generator[Any, None, None]:
        for result in pool.each(function, tasks):
            victim.send_signal(signal.SIGKILL)
            yield result

    return Pool(size=pool.size, each=each)


def test_a_raster_is_passed_over_by_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is that of one process; a lost worker changes nothing, a lost scheduler is said."""
    path, recipe = tmp_path / "cube.npy", Recipe(options={"fit": {"components": 3, "passes": 2}})
    np.save(path, np.random.default_rng(4).normal(size=(900, 400, 4)).astype(np.float32) ** 2)
    stored = {name: tmp_path / f"{name}.npz" for name in ("alone", "shared", "again", "lost")}

    def fit(output: Path, pool: Pool) -> None:
        shared = Spread(reopening=Reopening.of(path, Opening(), None), pool=pool)
        (item,) = Opening()(path)
        mixture = jobs.fit_opened(item, recipe, shared)
        store.save_mixture(mixture, output, store.load_artefact(stored["alone"])[1])

    arguments = ["-k", "3", "--set", "fit.passes=2"]
    main(["fit", str(path), "-o", str(stored["alone"]), *arguments])
    with cluster(tmp_path, 2) as (address, (scheduler, first, _)):
        main(["fit", str(path), "-o", str(stored["shared"]), *arguments, "--scheduler", address])
        monkeypatch.setattr("gwtransfer.adapters.cluster.CONNECTING", 3.0)
        with workers_of(address, must_see=tmp_path, in_order=True) as pool:
            assert list(pool.each(abs, range(-40, 0))) == list(range(40, 0, -1))
            with pytest.raises(TypeError):
                list(pool.each(len, [3]))
            fit(stored["again"], killing(pool, first))
            with pytest.raises(DataError, match="the scheduler is lost"):
                fit(stored["lost"], killing(pool, scheduler))
    assert len({stored[name].read_bytes() for name in ("alone", "shared", "again")}) == 1


def test_a_fit_without_passes_needs_no_cluster(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.random.default_rng(4).normal(size=(30, 40, 4)))
    with pytest.raises(UsageError, match=r"fit\.passes=20"):
        jobs.fit(
            tmp_path / "cube.npy", tmp_path / "m.npz", Recipe(), opening=Opening(),
            scheduler="tcp://127.0.0.1:9",
        )  # fmt: skip


def test_a_raster_is_mapped_by_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image is that of one process, and a lost scheduler leaves none."""
    rng = np.random.default_rng(4)
    for name, shape in (("cube", (1500, 800, 4)), ("palette", (60, 40, 3))):
        np.save(tmp_path / f"{name}.npy", rng.random(shape, dtype=np.float32) ** 2)
    recipe = Recipe(options={"fit": {"components": 3}})
    for name in ("cube", "palette"):
        jobs.fit(tmp_path / f"{name}.npy", tmp_path / f"{name}.npz", recipe, opening=Opening())
    jobs.plan(*(tmp_path / f"{name}.npz" for name in ("cube", "palette", "plan")), Recipe())

    def apply(output: str, scheduler: str | None, progress: Progress = silent) -> float:
        return applying.apply(
            tmp_path / "plan.npz", tmp_path / "cube.npy", tmp_path / output, Recipe(smooth=0.0),
            opening=Opening(), writing=Writing(), progress=progress, scheduler=scheduler,
        ).order  # fmt: skip

    with cluster(tmp_path, 1) as (address, (scheduler, _)):
        assert apply("alone.tif", None) == apply("shared.tif", address)
        assert (tmp_path / "alone.tif").read_bytes() == (tmp_path / "shared.tif").read_bytes()
        monkeypatch.setattr("gwtransfer.adapters.cluster.CONNECTING", 3.0)
        with pytest.raises(DataError, match="the scheduler is lost"):
            apply("lost.tif", address, lambda *_: scheduler.send_signal(signal.SIGKILL))
        assert not list(tmp_path.glob("lost*"))
