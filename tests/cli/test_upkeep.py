"""`--skip-existing` and `--depfile`: what is current stays, what is not is made again."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import QUICK, Run

COLOR = ("color", "cube.npy", "palette.png", "-k", "2", *QUICK, "--skip-existing")


def stamp(path: str) -> tuple[int, int]:
    """Return what changes when a file is written again."""
    status = Path(path).stat()
    return status.st_mtime_ns, status.st_ino


def test_what_is_current_stays(done: Run, folder: Path) -> None:
    """The same contents and options: not touched, though inputs have a new date or place."""
    done(*COLOR, "-o", "out.png")
    first = stamp("out.png")
    os.utime("cube.npy")
    assert done(*COLOR, "-o", "out.png").out == "kept     out.png\n"
    assert stamp("out.png") == first
    assert done(*COLOR, "-o", "out.png", "--overwrite").out == "kept     out.png\n"


@pytest.mark.parametrize("change", ["input", "option", "recipe", "palette"])
def test_what_is_not_current_is_made_again(done: Run, folder: Path, change: str) -> None:
    """Another content or option, and the result is that of a fresh run."""
    done(*COLOR, "-o", "out.png")
    extra: tuple[str, ...] = ()
    if change == "input":
        np.save("cube.npy", np.load("cube.npy")[::-1])
    elif change == "option":
        extra = ("--strength", "0.5")
    elif change == "recipe":
        Path("r.toml").write_text("[map]\ngain_cap = 0.5\n")
        extra = ("--recipe", "r.toml")
    else:
        Path("palette.png").write_bytes(Path("photo.png").read_bytes())
    assert "result   out.png" in done(*COLOR, "-o", "out.png", *extra).out
    done(*COLOR, "-o", "fresh.png", *extra)
    assert Path("out.png").read_bytes() == Path("fresh.png").read_bytes()
    assert done(*COLOR, "-o", "out.png", *extra).out == "kept     out.png\n"


def test_what_others_made_is_not_replaced(run: Run, done: Run, folder: Path) -> None:
    """A file that was there, or was changed since, needs --overwrite."""
    Path("out.png").write_bytes(b"mine")
    for _ in range(2):
        result = run(*COLOR, "-o", "out.png")
        assert (result.code, "already exists" in result.err) == (1, True)
        assert Path("out.png").read_bytes() == b"mine"
    done(*COLOR, "-o", "out.png", "--overwrite")
    Path("out.png").write_bytes(b"mine again")
    assert run(*COLOR, "-o", "out.png").code == 1
    assert Path("out.png").read_bytes() == b"mine again"


def test_a_failed_run_leaves_the_old_output_and_its_note(run: Run, done: Run, folder: Path) -> None:
    """What was current before an error is so after it."""
    done(*COLOR, "-o", "out.png")
    first = stamp("out.png")
    Path("bad.png").write_bytes(Path("palette.png").read_bytes()[:200])
    assert run("color", "cube.npy", "bad.png", *COLOR[3:], "-o", "out.png").code == 1
    assert stamp("out.png") == first
    assert done(*COLOR, "-o", "out.png").out == "kept     out.png\n"


def test_frames_are_kept_one_by_one(done: Run, run: Run, folder: Path) -> None:
    """A changed frame is made again, the others stay; a broken one is named each time."""
    done("color", "photo.png", "palette.png", "-o", "x.png", "-k", "2", "--save-plan", "p.npz")
    Path("in").mkdir()
    for name in ("a.png", "b.png"):
        Path("in", name).write_bytes(Path("photo.png").read_bytes())
    apply = ("apply", "p.npz", "in", "-o", "out/", "--skip-existing")
    done(*apply)
    before = stamp("out/a.png")
    Path("in/b.png").write_bytes(Path("palette.png").read_bytes())
    Path("in/c.png").write_bytes(b"\x89PNG broken")
    result = run(*apply)
    assert (result.code, stamp("out/a.png")) == (3, before)
    assert result.out.startswith("kept     out/a.png\nresult   out/b.png\ndone     2 of 3 files")
    done("apply", "p.npz", "in/b.png", "-o", "fresh.png")
    assert Path("out/b.png").read_bytes() == Path("fresh.png").read_bytes()
    result = run(*apply)
    assert (result.code, result.out.count("kept")) == (3, 2)
    assert "kept     fresh.png" in done(*note_of(done, "fresh.png")).out


def note_of(done: Run, name: str) -> tuple[str, ...]:
    """Make one file with a note, and return the command that did."""
    command = ("apply", "p.npz", "in/b.png", "-o", name, "--skip-existing")
    done(*command, "--overwrite")
    return command


def test_half_a_table_is_made_again(run: Run, done: Run, folder: Path) -> None:
    """A table without a file that failed is no current one, and may be replaced."""
    Path("s").mkdir()
    for number in range(3):
        np.savetxt(f"s/{number}.xyz", np.random.default_rng(number).normal(size=(20, 3)))
    Path("s/broken.off").write_text("OFF\n1 1\n")
    table = ("pairwise", "s", "-o", "d.csv", "-k", "2", "--skip-existing")
    assert run(*table).code == 3
    assert run(*table).code == 3
    Path("s/broken.off").unlink()
    assert "result   d.csv" in done(*table).out
    assert done(*table).out == "kept     d.csv\n"


def test_a_depfile_is_a_rule_that_make_obeys(done: Run, folder: Path) -> None:
    """Each output depends on all that it is made of, the data of an ENVI header too."""
    cube = np.load("cube.npy")
    cube.transpose(2, 0, 1).tofile("my scene.img")
    Path("my scene.hdr").write_text(
        "ENVI\nsamples = 20\nlines = 24\nbands = 6\ndata type = 4\ninterleave = bsq\n"
        "byte order = 0\nheader offset = 0\n"
    )
    done("color", "my scene.hdr", "palette.png", "-o", "out.png", "-k", "2", *QUICK,
         "--depfile", "out.d", "--save-plan", "p.npz")  # fmt: skip
    assert Path("out.d").read_text().splitlines() == [
        "out.png: my\\ scene.hdr my\\ scene.img palette.png",
        "my\\ scene.hdr:",
        "my\\ scene.img:",
        "palette.png:",
        "p.npz: my\\ scene.hdr my\\ scene.img palette.png",
    ]
    Path("Makefile").write_text("all: out.png p.npz\n%.png %.npz:\n\ttouch $@\n-include out.d\n")

    def make() -> str:
        return subprocess.run(
            ["make", "-s", "-n"], capture_output=True, text=True, check=True
        ).stdout

    assert make() == ""
    os.utime("my scene.img", (2e9, 2e9))
    assert make() == "touch out.png\ntouch p.npz\n"


def test_a_depfile_names_each_frame_with_its_own_inputs(done: Run, folder: Path) -> None:
    """One rule a frame: the plan and its source, not those of others."""
    done("color", "photo.png", "palette.png", "-o", "x.png", "-k", "2", "--save-plan", "p.npz")
    Image.open("photo.png").save("other.png")
    done("apply", "p.npz", "photo.png", "other.png", "-o", "out/", "--depfile", "d")
    rules = Path("d").read_text().splitlines()
    assert rules[0] == "out/photo.png: photo.png p.npz"
    assert "out/other.png: other.png p.npz" in rules


def test_a_depfile_of_a_table_names_what_was_compared(done: Run, run: Run, folder: Path) -> None:
    """The shapes and the recipe, and nothing else of the folder; a renamed folder counts as new."""
    Path("s/deep").mkdir(parents=True)
    for number, name in enumerate(("s/a.xyz", "s/deep/b.xyz")):
        np.savetxt(name, np.random.default_rng(number).normal(size=(20, 3)))
    Path("s/notes.txt").write_text("not a shape")
    Path("r.toml").write_text("components = 2\nrecursive = true\n")
    table = ("pairwise", "s", "-o", "d.csv", "--recipe", "r.toml", "--skip-existing")
    done(*table, "--depfile", "d")
    assert Path("d").read_text().splitlines()[0] == "d.csv: s/a.xyz s/deep/b.xyz r.toml"
    Path("s/deep").rename("s/other")
    assert "result   d.csv" in done(*table).out
    assert "s/other" not in Path("d").read_text()
    assert "other/b.xyz" in Path("d.csv").read_text()
    result = run("pairwise", "s", "-o", "s/d.csv", "--skip-existing")
    assert (result.code, "s/d.csv lies in s" in result.err) == (2, True)


def test_the_role_of_an_input_counts(done: Run, folder: Path) -> None:
    """A mask is not a palette's mask, nor a palette, though the contents are the same."""
    color = ("color", "photo.png", "palette.png", "-k", "2", "-o", "out.png", "--skip-existing")
    for role in ("--mask", "--palette-mask", "--palette"):
        assert "result   out.png" in done(*color, role, "gray.png").out
        assert done(*color, role, "gray.png").out == "kept     out.png\n"


def test_a_word_that_is_no_file_counts(done: Run, folder: Path) -> None:
    """A truth or labels by a word are asked for, as by a file."""
    Path("d.csv").write_text("name,a/1,a/2,b/3\na/1,0,1,2\na/2,1,0,3\nb/3,2,3,0\n")
    embed = ("embed", "d.csv", "-o", "map.png", "--skip-existing")
    done(*embed)
    assert "kept" not in done(*embed, "--labels", "from-folder").out


def test_a_reader_who_leaves_does_not_lock_the_output(folder: Path, done: Run) -> None:
    """The output was made before the words could not be said: the next run may make it again."""
    program = "from gwtransfer_cli.program import run; run()"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        failed = subprocess.run(
            [sys.executable, "-c", program, *COLOR, "-o", "out.png"],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert failed.returncode == 1
    assert Path("out.png").exists()
    assert "result   out.png" in done(*COLOR, "-o", "out.png").out


def test_a_kill_does_not_make_a_file_ours(run: Run, done: Run, folder: Path) -> None:
    """What lay there before the note of a run that was killed stays; what came after is ours."""
    Path("out.png").write_bytes(b"mine")
    os.utime("out.png", (1e9, 1e9))
    Path(".out.png.made").write_text('{"key": "", "making": "x"}')
    assert run(*COLOR, "-o", "out.png").code == 1
    assert Path("out.png").read_bytes() == b"mine"
    os.utime("out.png", (4e9, 4e9))
    assert "result   out.png" in done(*COLOR, "-o", "out.png").out


def test_a_shard_is_never_kept(done: Run, folder: Path) -> None:
    """It writes no table, so there is none that could be current."""
    Path("s").mkdir()
    for number in range(3):
        np.savetxt(f"s/{number}.xyz", np.random.default_rng(number).normal(size=(20, 3)))
    shard = ("pairwise", "s", "-o", "d.csv", "-k", "2", "--shard", "1/2", "--skip-existing")
    for _ in range(2):
        assert "shard" in done(*shard, "--depfile", "d").out
    assert Path("d").read_text() == ""


@pytest.mark.parametrize("other", ["--depfile", "--log-file"])
def test_a_recipe_is_not_written_over(run: Run, folder: Path, other: str) -> None:
    """Neither by the depfile nor by the log."""
    Path("r.toml").write_text("components = 2\n")
    assert run(*COLOR, "-o", "out.png", "--recipe", "r.toml", other, "r.toml").code == 2
    assert Path("r.toml").read_text() == "components = 2\n"
