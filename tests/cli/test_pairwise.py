"""`pairwise`: the table of a folder, gone on with after any end, the same however it was made."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.io.matrix import DistanceMatrix, read_matrix

from .conftest import Run
from .test_process import program

DONE, REFUSED, MISUSED, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

FITTED = ("-k", "3")
NAMES = ("a2.xyz", "a10.xyz", "b.off", "c, d.ply", "e.npy")


def write_shapes(folder: Path) -> None:
    """Write five clouds and meshes of some form."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    clouds = [rng.normal(size=(80, 3)) * [1 + i, 2, 0.5 + i / 3] for i in range(5)]
    for i in (0, 1):
        clouds[i][:40] += 6 + i
        np.savetxt(folder / NAMES[i], clouds[i])
    faces = rng.permuted(np.tile(np.arange(80), (30, 1)), axis=1)[:, :3]
    lines = [" ".join(map(str, point)) for point in clouds[2].tolist()]
    lines += ["3 " + " ".join(map(str, face)) for face in faces.tolist()]
    (folder / NAMES[2]).write_text("OFF\n80 30 0\n" + "\n".join(lines) + "\n")
    header = "ply\nformat ascii 1.0\nelement vertex 80\n"
    header += "".join(f"property double {axis}\n" for axis in "xyz") + "end_header\n"
    body = "\n".join(" ".join(map(str, point)) for point in clouds[3].tolist())
    (folder / NAMES[3]).write_text(header + body + "\n")
    np.save(folder / NAMES[4], clouds[4])


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the shapes once, and their table."""
    from gwtransfer_cli.app import main

    folder = tmp_path_factory.mktemp("pairwise")
    write_shapes(folder / "shapes")
    assert main(["pairwise", str(folder / "shapes"), "-o", str(folder / "d.csv"), *FITTED]) == DONE
    return folder


@pytest.fixture
def here(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a fresh folder with the shapes."""
    shutil.copytree(shapes / "shapes", tmp_path / "shapes")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(shapes: Path) -> bytes:
    """Return the table of an undisturbed run."""
    return (shapes / "d.csv").read_bytes()


@pytest.fixture
def figures(run: Run) -> Callable[..., dict[str, object]]:
    """Run with --json and give the figures back."""

    def call(*arguments: object, code: int = DONE) -> dict[str, object]:
        result = run("pairwise", *arguments, *FITTED, "--json")
        assert result.code == code, result
        figures: dict[str, object] = json.loads(result.out)
        return figures

    return call


Figures = Callable[..., dict[str, object]]


def pairs(made: int, kept: int = 0, never: int = 0) -> dict[str, int]:
    return {
        "all": made + kept + never, "made": made, "kept": kept, "never": never, "not_converged": 0,
    }  # fmt: skip


def test_a_folder_becomes_a_table(done: Run, here: Path, table: bytes) -> None:
    """A row and a column for each file in natural order; as `distance` says of two."""
    words = done("pairwise", "shapes", "-o", "d.csv", *FITTED).out
    assert words.splitlines()[:2] == [
        "files    5 of 5: 5 fitted, 0 kept from before",
        "pairs    10: 10 solved, 0 kept from before",
    ]
    assert Path("d.csv").read_bytes() == table
    matrix = read_matrix(Path("d.csv"))
    assert (matrix.names, matrix.against) == (NAMES, None)
    assert (np.diagonal(matrix.distances) == 0).all()
    off = matrix.distances[~np.eye(5, dtype=bool)]
    assert (off > 1e-3).all()
    few = ("--set", "plan.signs=16", "--set", "plan.random=10", "--set", "plan.waves=0")
    one = done("distance", "shapes/e.npy", "shapes/a10.xyz", *FITTED, *few).out
    assert abs(float(one) - matrix.distances[4, 1]) < 1e-11


@pytest.mark.parametrize("extension", [".npz", ".parquet"])
def test_other_formats_hold_the_same(figures: Figures, here: Path, extension: str) -> None:
    """And need no work when the work folder is shared."""
    figures("shapes", "-o", "d.csv", "--cache", "kept")
    output = f"d{extension}"
    assert figures("shapes", "-o", output, "--cache", "kept")["pairs"] == pairs(0, 10)
    one, other = read_matrix(Path("d.csv")), read_matrix(Path(output))
    assert one.names == other.names
    np.testing.assert_array_equal(one.distances, other.distances)
    assert sorted(p.name for p in here.iterdir()) == ["d.csv", output, "kept", "shapes"]


@pytest.mark.slow
def test_jobs_give_the_same_bytes(figures: Figures, here: Path, table: bytes) -> None:
    """Two processes, or as many as there are cores."""
    assert figures("shapes", "-o", "d.csv", "--jobs", "2")["pairs"] == pairs(10)
    assert Path("d.csv").read_bytes() == table
    assert lines(Path("d.csv.work")) == 10


def test_shards_merge_into_the_same_bytes(figures: Figures, here: Path, table: bytes) -> None:
    """Each writes no table; without --shard what they left is gathered, or computed if missing."""
    made = 0
    for part in (1, 3, 1):
        given = figures("shapes", "-o", "d.csv", "--shard", f"{part}/3")
        assert given["output"] is None
        assert not Path("d.csv").exists()
        assert given["pairs"]["kept"] == made  # type: ignore[index]
        made += given["pairs"]["made"]  # type: ignore[index]
    assert figures("shapes", "-o", "d.csv")["pairs"] == pairs(10 - made, made)
    assert Path("d.csv").read_bytes() == table
    for part in (1, 2, 3):
        figures("shapes", "-o", "e.csv", "--shard", f"{part}/3", "--cache", f"work{part}")
    for part in (2, 3):
        shutil.copytree(f"work{part}", "work1", dirs_exist_ok=True)
    assert figures("shapes", "-o", "e.csv", "--cache", "work1")["pairs"] == pairs(0, 10)
    assert Path("e.csv").read_bytes() == table


def test_a_new_or_changed_file_costs_its_own_pairs_only(
    figures: Figures, here: Path, table: bytes
) -> None:
    """As does a changed option; a renamed or copied file costs nothing."""
    figures("shapes", "-o", "d.csv")
    np.savetxt("shapes/new.xyz", np.random.default_rng(1).normal(size=(50, 3)))
    more = figures("shapes", "-o", "d.csv", "--overwrite")
    assert more["pairs"] == pairs(5, 10)
    assert more["fits"] == {"kept": 5, "made": 1}
    shutil.copy("shapes/new.xyz", "shapes/copy.xyz")
    Path("shapes/new.xyz").rename("shapes/renamed.xyz")
    copied = figures("shapes", "-o", "d.csv", "--overwrite")
    assert (copied["copies"], copied["pairs"]) == (1, pairs(0, 15))
    matrix = read_matrix(Path("d.csv"))
    one, other = (matrix.names.index(name) for name in ("copy.xyz", "renamed.xyz"))
    np.testing.assert_array_equal(matrix.distances[one], matrix.distances[other])
    np.savetxt("shapes/copy.xyz", np.random.default_rng(2).normal(size=(50, 3)))
    assert figures("shapes", "-o", "d.csv", "--overwrite")["pairs"] == pairs(6, 15)
    for name in ("copy.xyz", "renamed.xyz"):
        Path("shapes", name).unlink()
    for option in (("--set", "fit=gmm"), ("--keep-size",), ("--set", "plan.inner=w2sq")):
        other_pairs = figures("shapes", "-o", "d.csv", "--overwrite", *option)["pairs"]
        assert other_pairs == pairs(10)
        assert Path("d.csv").read_bytes() != table
    assert figures("shapes", "-o", "d.csv", "--overwrite")["pairs"] == pairs(0, 10)
    assert Path("d.csv").read_bytes() == table


def test_torn_lines_and_damaged_fits_are_made_again(
    figures: Figures, here: Path, table: bytes
) -> None:
    """Nothing that a crash or a bad copy leaves in the work folder gets into the table."""
    figures("shapes", "-o", "d.csv")
    (path,) = Path("d.csv.work/pairs").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b" converged ", b" stopped ")
    path.write_bytes(b"".join(lines)[:-5])
    first, second, *_ = Path("d.csv.work/fits").iterdir()
    first.write_bytes(first.read_bytes()[:300])
    second.unlink()
    again = figures("shapes", "-o", "d.csv", "--overwrite")
    assert again["pairs"] == pairs(2, 8)
    assert again["fits"] == {"kept": 3, "made": 2}
    assert Path("d.csv").read_bytes() == table


def test_one_side_against_another(figures: Figures, here: Path, table: bytes) -> None:
    """A row for each file of DIR, a column for each of DIR2, named within their own folders."""
    Path("queries").mkdir()
    shutil.move("shapes/b.off", "queries/q.off")
    shutil.copy("shapes/e.npy", "queries/e.npy")
    made = figures("queries", "--against", "shapes", "-o", "d.csv")
    assert made["pairs"] == pairs(7)
    matrix = read_matrix(Path("d.csv"))
    assert matrix.names == ("e.npy", "q.off")
    assert matrix.against == ("a2.xyz", "a10.xyz", "c, d.ply", "e.npy")
    Path("t.csv").write_bytes(table)
    whole = read_matrix(Path("t.csv"))
    columns = [whole.names.index(name) for name in matrix.against]
    np.testing.assert_array_equal(matrix.distances, whole.distances[[4, 2]][:, columns])
    one = figures("queries/q.off", "--against", "shapes", "-o", "one.csv", "--cache", "d.csv.work")
    assert one["pairs"] == pairs(0, 4)
    np.testing.assert_array_equal(read_matrix(Path("one.csv")).distances, matrix.distances[1:])


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_nearest_are_those_of_the_matrix(
    done: Run, here: Path, table: bytes, count: int
) -> None:
    """Name, rank, neighbour and distance; what is asked for beyond all others is all others."""
    words = done("pairwise", "shapes", "--nearest", count, "-o", "n.csv", *FITTED).out
    assert "never computed" in words
    Path("t.csv").write_bytes(table)
    matrix = read_matrix(Path("t.csv"))
    expected = ["name,rank,neighbor,distance"]
    for row, name in enumerate(matrix.names):
        others = [other for other in range(5) if other != row]
        others.sort(key=lambda other: matrix.distances[row, other])
        for rank, other in enumerate(others[:count], start=1):
            cells = (name, rank, matrix.names[other], repr(float(matrix.distances[row, other])))
            quoted = [f'"{cell}"' if "," in str(cell) else str(cell) for cell in cells]
            expected.append(",".join(quoted))
    assert Path("n.csv").read_text().splitlines() == expected
    done("pairwise", "shapes", "--nearest", count, "-o", "n.npz", *FITTED)
    with np.load("n.npz") as arrays:
        assert tuple(arrays["names"]) == NAMES
        assert arrays["neighbors"].shape == arrays["distances"].shape == (5, min(count, 4))
        first = [line.split(",")[-1] for line in expected[1 :: min(count, 4)]]
        assert [repr(value) for value in arrays["distances"][:, 0].tolist()] == first


def test_broken_files_are_said_at_the_end(run: Run, here: Path, table: bytes) -> None:
    """Exit 3, one line each, and the table of the others."""
    Path("shapes/a5.ply").write_text("ply\nnonsense\n")
    Path("shapes/x.off").write_bytes(b"")
    Path("shapes/flat.xyz").write_text("0 0 0\n0 0 0\n")
    result = run("pairwise", "shapes", "-o", "d.csv", *FITTED)
    assert result.code == SOME_FAILED
    lines = result.err.splitlines()
    assert sorted(line.split(":")[1].strip() for line in lines) == [
        "shapes/a5.ply", "shapes/flat.xyz", "shapes/x.off",
    ]  # fmt: skip
    assert all(line.startswith("gwtransfer: ") for line in lines)
    assert "files    5 of 8" in result.out
    assert Path("d.csv").read_bytes() == table


def test_too_few_good_files_are_refused(run: Run, here: Path) -> None:
    """One file, one good file, none on one side: exit 1 and no table."""
    Path("few").mkdir()
    shutil.copy("shapes/a2.xyz", "few")
    cases = [(("few",), "at least two files"), (("few", "--against", "none"), "none: expected")]
    Path("few/b.ply").write_text("ply\nnonsense\n")
    cases += [(("few",), "found 1 of 2: few/b.ply"), (("none",), "none: expected a folder")]
    Path("bad").mkdir()
    shutil.copy("few/b.ply", "bad/b.ply")
    cases += [(("few", "--against", "bad"), "bad: expected at least 1")]
    for arguments, words in cases[2:] + cases[1:2]:
        result = run("pairwise", *arguments, "-o", "d.csv", *FITTED)
        assert (result.code, result.out) == (REFUSED, "")
        assert words in result.err
        assert result.err.count("\n") == 1
    Path("few/b.ply").unlink()
    result = run("pairwise", "few", "-o", "d.csv", *FITTED)
    assert "at least two files" in result.err
    assert not Path("d.csv").exists()


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (REFUSED, "d.csv: already exists; add --overwrite", ("shapes", "-o", "d.csv")),
        (MISUSED, "the output is the input", ("shapes", "-o", "shapes/a.csv", "--overwrite")),
        (MISUSED, "the output is the input",
         ("shapes", "-o", "shapes/e.npz", "--overwrite", "--glob", "*")),
        (MISUSED, "ends in .csv, .npz or .parquet", ("shapes", "-o", "d.txt")),
        (MISUSED, "--shard 0/3", ("shapes", "-o", "e.csv", "--shard", "0/3")),
        (MISUSED, "--shard 4/3", ("shapes", "-o", "e.csv", "--shard", "4/3")),
        (MISUSED, "--shard two", ("shapes", "-o", "e.csv", "--shard", "two")),
        (MISUSED, "no shards", ("shapes", "-o", "e.csv", "--shard", "1/3", "--nearest", "1")),
        (MISUSED, "--nearest 0", ("shapes", "-o", "e.csv", "--nearest", "0")),
        (MISUSED, "--jobs -1", ("shapes", "-o", "e.csv", "--jobs", "-1")),
        (MISUSED, "drop one", ("shapes", "-o", "e.csv", "--jobs", "2", "--scheduler", "tcp://h:1")),
        (MISUSED, "tcp://host:8786", ("shapes", "-o", "e.csv", "--scheduler", "h:1")),
        (MISUSED, "no option 'sings'", ("shapes", "-o", "e.csv", "--set", "plan.sings=1")),
        (MISUSED, "option components", ("shapes", "-o", "e.csv", "-k", "0")),
        (MISUSED, "no prepare stage", ("shapes", "-o", "e.csv", "--prepare", "spctral")),
        (REFUSED, "no folder", ("shapes", "-o", "none/e.csv")),
        (REFUSED, "cannot be made", ("shapes", "-o", "e.csv", "--cache", "d.csv/work")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_any_work(
    run: Run, here: Path, code: int, words: str, arguments: tuple[str, ...]
) -> None:
    """One line, nothing fitted, nothing replaced."""
    Path("d.csv").write_text("precious")
    Path("shapes/a.csv").write_text("1 2 3\n4 5 6\n")
    shutil.copy("shapes/a.csv", "shapes/e.npz")
    given = arguments if "-k" in arguments else (*arguments, *FITTED)
    result = run("pairwise", *given)
    assert (result.code, result.out) == (code, ""), result
    assert words in result.err
    assert result.err.count("\n") == 1
    assert not list(Path().rglob("fits/*.npz"))
    assert Path("d.csv").read_text() == "precious"


def test_shapes_and_pictures_do_not_mix(run: Run, folder: Path, here: Path) -> None:
    """A picture among shapes is one failure; pictures alone have distances among themselves."""
    for name in ("photo", "palette", "rgba"):
        shutil.copy(f"{name}.png", "shapes")
    result = run("pairwise", "shapes", "--glob", "[abp]*", "-o", "d.csv", *FITTED)
    assert result.code == SOME_FAILED
    assert "shapes/photo.png: expected a shape" in result.err
    assert read_matrix(Path("d.csv")).names == ("a2.xyz", "a10.xyz", "b.off")
    result = run("pairwise", "shapes", "--glob", "*.png", "-o", "p.csv", *FITTED)
    assert result.code == DONE, result
    matrix = read_matrix(Path("p.csv"))
    one = float(run("distance", "photo.png", "palette.png", *FITTED).out)
    names = [matrix.names.index(f"{name}.png") for name in ("photo", "palette")]
    assert abs(matrix.distances[names[0], names[1]] - one) < 1e-11


def test_stored_mixtures_are_compared_too(done: Run, here: Path, table: bytes) -> None:
    """As if their files were."""
    for name in ("a2.xyz", "e.npy"):
        done("fit", f"shapes/{name}", "-o", f"{name}.npz", *FITTED)
    done("pairwise", ".", "--glob", "*.npz", "-o", "d.csv")
    Path("t.csv").write_bytes(table)
    expected = read_matrix(Path("t.csv")).distances[0, 4]
    assert read_matrix(Path("d.csv")).distances[0, 1] == expected


SLOW = ("--set", "plan.random=2000")
"""So many starts that a pair takes some tenths of a second."""


def lines(work: Path) -> int:
    """Count the whole lines of all journals."""
    return sum(path.read_bytes().count(b"\n") for path in work.glob("pairs/*"))


def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process of its own."""
    process = subprocess.Popen(
        program("pairwise", "shapes", "-o", "d.csv", *FITTED, *SLOW, *arguments),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Wait until a run has come so far."""
    end = time.monotonic() + 60
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def slow_table(shapes: Path) -> bytes:
    """Return the table of an undisturbed run with many starts."""
    from gwtransfer_cli.app import main

    output = shapes / "slow.csv"
    assert main(["pairwise", str(shapes / "shapes"), "-o", str(output), *FITTED, *SLOW]) == DONE
    return output.read_bytes()


TWO_JOBS = pytest.param("2", marks=pytest.mark.slow)


@pytest.mark.parametrize("jobs", ["1", TWO_JOBS])
def test_a_killed_run_goes_on(figures: Figures, here: Path, slow_table: bytes, jobs: str) -> None:
    """Killed while fitting, after the first pair and after some; then nothing is solved twice."""
    work = Path("d.csv.work")
    moments = [lambda: len(list(work.glob("fits/*.npz"))) > 1, lambda: lines(work) > 0]
    for reached in (*moments, lambda: lines(work) > 4):
        for process in running("--jobs", jobs):
            until(process, reached)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert not Path("d.csv").exists()
    kept = lines(work)
    assert 4 < kept <= 10
    again = figures("shapes", "-o", "d.csv", *SLOW)
    assert again["pairs"] == pairs(10 - kept, kept)
    assert again["fits"] == {"kept": 5, "made": 0}
    assert Path("d.csv").read_bytes() == slow_table


@pytest.mark.parametrize("jobs", ["1", TWO_JOBS])
def test_an_interrupt_says_how_to_go_on(
    figures: Figures, here: Path, slow_table: bytes, jobs: str
) -> None:
    """130 within about a second, two lines, no traceback of any process; then it goes on."""
    work = Path("d.csv.work")
    for process in running("--jobs", jobs):
        until(process, lambda: lines(work) > 1)
        os.killpg(process.pid, signal.SIGINT)
        asked = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - asked < 3
        assert (process.returncode, out) == (INTERRUPTED, "")
        assert err == (
            "note: what is done is kept in d.csv.work; the same command goes on\n"
            "gwtransfer: interrupted\n"
        )
    kept = lines(work)
    assert not Path("d.csv").exists()
    assert figures("shapes", "-o", "d.csv", *SLOW)["pairs"] == pairs(10 - kept, kept)
    assert Path("d.csv").read_bytes() == slow_table


@pytest.mark.slow
def test_two_runs_share_a_work_folder(figures: Figures, here: Path, slow_table: bytes) -> None:
    """They may solve a pair twice, and neither harms the other."""
    for process in running("--cache", "kept"):
        until(process, lambda: lines(Path("kept")) > 0)
        figures("shapes", "-o", "other.csv", "--cache", "kept", *SLOW)
        assert process.wait(timeout=60) == DONE
    assert Path("d.csv").read_bytes() == Path("other.csv").read_bytes() == slow_table


def test_help_says_what_a_newcomer_must_know(run: Run) -> None:
    """How it resumes, what shards need, and which starts are taken."""
    words = " ".join(run("pairwise", "--help").out.split())
    for phrase in ("goes on", "--shard", "OUT.work", "signs=16", "exit code is then 3"):
        assert phrase in words


def test_the_matrix_is_what_its_reader_says(here: Path) -> None:
    """Names and distances of a matrix cannot disagree in number."""
    with pytest.raises(OSError, match="expected distances of"):
        DistanceMatrix(distances=np.zeros((2, 3)), names=("a", "b"))
