"""`gwtransfer report` and `--report`: what is refused, what is noted, what is said."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Run

TINY = ("-k", "2", "--set", "prepare.sample=100")


@pytest.fixture
def made(folder: Path, done: Run) -> Path:
    """Store a plan and its result, a table, a match of two shapes and its own table."""
    call = ("color", "photo.png", "palette.png", *TINY, "-o", "out.png", "--save-plan", "p.npz")
    done(*call)
    Image.new("RGB", (9, 9), (200, 9, 9)).save("other.png")
    Path("shapes").mkdir()
    Path("empty").mkdir()
    rng = np.random.default_rng(0)
    for name in ("m", "n"):
        np.savetxt(f"shapes/{name}.xyz", rng.normal(size=(60, 3)) * (1, 2, 3))
    Path("d.csv").write_text("name,m.xyz,n.xyz\nm.xyz,0,1\nn.xyz,1,0\n")
    Path("pairs.csv").write_text("source,target,distance\n0,1,0.5\n1,0,0.5\n")
    return folder


WRONG = {
    ("p.npz", "--bands", "1-2"): (2, "options of reading are for the source; name it after"),
    ("p.npz", "--seed", "-1"): (2, "option seed: expected 0 … 4294967295, got -1"),
    ("p.npz", "--seed", "4294967296"): (2, "option seed: expected 0 …"),
    ("pairs.csv",): (1, "pairs.csv: expected distances of `gwtransfer pairwise`, found a match"),
    ("d.csv", "empty"): (1, "empty: expected the files of d.csv, found none of them, as m.xyz"),
    ("d.csv", "photo.png"): (1, "photo.png: expected the files of d.csv"),
    ("d.csv", "no"): (1, "no: no such file"),
}


def test_what_makes_no_page_is_refused(run: Run, made: Path) -> None:
    """One line that says what to do; nothing appears."""
    for arguments, (code, words) in WRONG.items():
        result = run("report", *arguments, "-o", "r.html")
        assert (result.code, result.err.count("\n")) == (code, 1), result.err
        assert words in result.err
        assert not Path("r.html").exists()


def test_files_of_another_run_are_noted(run: Run, done: Run, made: Path) -> None:
    """By their contents, on either side; the plan's own, under whatever name, are not."""
    Path("photo.png").rename("mine.png")
    done("report", "p.npz", "mine.png", "palette.png", "out.png", "-o", "r.html")
    for files, note in (
        (("other.png", "palette.png"), "other.png: is not the source that p.npz was made of"),
        (("mine.png", "other.png"), "other.png: is not the target that p.npz was made of"),
    ):
        result = run("report", "p.npz", *files, "-o", f"{files[1]}.html")
        assert (result.code, result.err.count("note:")) == (0, 1), result.err
        assert note in result.err


def test_shapes_of_a_match_are_known_by_name(run: Run, made: Path) -> None:
    """Places changed are refused, other names noted."""
    one, two = "shapes/m.xyz", "shapes/n.xyz"
    assert run("match", one, two, "--prepare", "xyz", *TINY[:2], "-o", "k").code == 0
    result = run("report", "k", two, one, "-o", "r.html")
    assert (result.code, Path("r.html").exists()) == (1, False)
    assert "n.xyz: expected the match's source, m.xyz, found its target; change" in result.err
    assert run("report", "k", one, two, "-o", "r.html").err == ""
    Path(one).rename("shapes/l.xyz")
    assert "is not called m.xyz" in run("report", "k", "shapes/l.xyz", two, "-o", "s.html").err


def test_color_says_where_its_page_is(done: Run, made: Path) -> None:
    """In a line of its own, and in JSON; null where there is none."""
    call = ("color", "photo.png", "palette.png", *TINY, "--overwrite", "-o", "out.png")
    assert done(*call, "--report", "r.html").out.splitlines()[-1] == "report   r.html"
    assert json.loads(done(*call, "--report", "r.html", "--json").out)["report"] == "r.html"
    assert json.loads(done(*call, "--json").out)["report"] is None
