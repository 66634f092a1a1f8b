"""`gwtransfer study`: rows equal to what other commands give alone, folders, refusals."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from .conftest import QUICK, Run

PHOTOS = ("photo.png", "palette.png", "-k", "3")
SHORT = ("--set", "prepare.sample=150")


def table(folder: str) -> list[dict[str, str]]:
    """Read a table."""
    with Path(folder, "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def held(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_rows_of_pictures_are_what_color_gives(run: Run, done: Run, folder: Path) -> None:
    """The root of each seed's plan, to the last digit; and the words say their mean."""
    cube = ("cube.npy", "palette.png", "-k", "3", *SHORT, *QUICK)
    said = done("study", "starts", *cube, "--seeds", "2", "--seed", "4", "-o", "s").out
    rows = [row for row in table("s") if row["varied"] == "fit and search"]
    roots = []
    for seed in (4, 5):
        told = json.loads(done("color", *cube, "--seed", seed, "-o", f"{seed}.png", "--json").out)
        roots.append(told["plan"]["root"])
    assert [float(row["distance"]) for row in rows] == roots
    assert [row["seed"] for row in rows] == ["4", "5"]
    assert f"{np.mean(roots):.4g} ± {np.std(roots, ddof=1):.2g}" in said
    assert said.rstrip().splitlines()[-1].startswith("result   s, ")
    names = ["findings.json", "findings.txt", "plot.png", "results.png", "spread.png", "table.csv"]
    assert list(held("s")) == names


def test_rows_of_shapes_are_what_distance_gives(done: Run, folder: Path) -> None:
    """At every number of components and every seed; shapes have no pictures."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(("m.xyz", "n.xyz")):
        np.savetxt(name, rng.normal(size=(400, 3)) * (1, 2, 3 + number))
    shapes = ("m.xyz", "n.xyz", *SHORT)
    done("study", "components", *shapes, "--levels", "6,4", "--seeds", "2", "-o", "s")
    rows = table("s")
    assert [(row["components"], row["seed"]) for row in rows] == [
        ("4", "0"), ("4", "1"), ("6", "0"), ("6", "1"),
    ]  # fmt: skip
    for row in (rows[0], rows[3]):
        alone = done(
            "distance", *shapes, "-k", row["components"], "--seed", row["seed"], "--json"
        ).out
        assert float(row["distance"]) == json.loads(alone)["root"]
    assert list(held("s")) == ["findings.json", "findings.txt", "plot.png", "table.csv"]


def test_an_exact_plan_has_no_search_to_vary(done: Run, folder: Path) -> None:
    """Between two photographs: one group of rows, and a word about it."""
    said = done("study", "starts", *PHOTOS, "--seeds", "2", "-o", "s").out
    assert "mw2 is exact and has no search to vary." in said
    assert [row["varied"] for row in table("s")] == ["fit and search"] * 2


def test_a_printed_recipe_makes_the_same_folder(done: Run, folder: Path) -> None:
    """Levels, seeds and stages included; nothing is made while it is printed."""
    call = ("study", "noise", *PHOTOS, "--levels", "0.1", "--seeds", "1", "--map", "rand")
    printed = done(*call, "-o", "s", "--print-recipe").out
    assert not Path("s").exists()
    done(*call, "-o", "s")
    Path("r.toml").write_text(printed.replace('output = "s"', 'output = "again"'))
    done("study", "--recipe", "r.toml")
    assert held("again") == held("s")
    assert [row["noise"] for row in table("s")] == ["0.0", "0.1"]


def test_a_current_study_is_kept(done: Run, folder: Path) -> None:
    """And one of other levels is made anew in its place."""
    call = ("study", "components", *PHOTOS[:2], "--seeds", "1", "-o", "s", "--skip-existing")
    done(*call, "--levels", "1,2")
    before = held("s")
    assert done(*call, "--levels", "1,2").out == "kept     s\n"
    done(*call, "--levels", "1,3")
    assert held("s")["table.csv"] != before["table.csv"]


def test_what_cannot_be_fitted_is_refused_first(run: Run, folder: Path) -> None:
    """Before the levels that can be; the words name the option that gave the number."""
    result = run("study", "components", *PHOTOS[:2], "--levels", "1,9999", "-o", "s", "-v")
    assert (result.code, Path("s").exists()) == (1, False)
    assert "run 1 of 6" in result.err
    assert "run 2 of 6" not in result.err
    assert "found 480 for 9999; use --levels of 480 or fewer" in result.err


def test_names_that_are_no_text_are_shown_as_text(run: Run, folder: Path) -> None:
    """A name of bytes that no encoding has stands in the findings with signs for them."""
    name = os.fsdecode(b"a\xff.xyz")
    np.savetxt(name, np.random.default_rng(0).normal(size=(30, 3)))
    few = ("-k", "1", "--seeds", "1", "--levels", "0.1")
    assert run("study", "noise", name, name, *few, "-o", "s").code == 0
    title = json.loads(Path("s", "findings.json").read_text("utf-8"))["title"]
    assert title.startswith("a\ufffd.xyz and a\ufffd.xyz")


def test_pot_needs_nothing(done: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files, no options; its words speak of W2² and the table holds its limit."""
    from gwtransfer.study import encoders, pot

    monkeypatch.setattr(pot, "SEARCHED", ())
    monkeypatch.setattr(encoders, "SEARCHES", 1)
    said = done("study", "pot", "-o", "s").out
    assert "is W2² of data and model" in said
    limits = [row for row in table("s") if row["lambda"] == ""]
    assert [row["share"] for row in limits] == ["1.0"] * 4
    assert 'kind = "pot"' in done("study", "pot", "-o", "t", "--print-recipe").out


WRONG = {
    ("pot", "photo.png"): (2, "study pot: brings its own data along, found photo.png"),
    ("pot", "-k", "4"): (2, "study pot: takes no stages"),
    ("pot", "--seed", "4"): (2, "study pot: takes no stages, options of stages or seed"),
    ("pushforward", "--levels", "4"): (2, "study pushforward: takes no --levels"),
    ("starts",): (2, "expected two files, SOURCE and TARGET, found 0"),
    ("noise", "photo.png"): (2, "expected two files, SOURCE and TARGET, found 1"),
    ("start", "photo.png", "palette.png"): (2, "study start: expected one of"),
    ("starts", *PHOTOS, "--seeds", "1"): (2, "--seeds: expected 2 to 50, got 1"),
    ("noise", *PHOTOS, "--seeds", "51"): (2, "--seeds: expected 1 to 50, got 51"),
    ("components", *PHOTOS): (2, "--components: study components goes through --levels"),
    ("components", *PHOTOS[:2], "--set", "fit.components=3"): (2, "goes through --levels"),
    ("components", *PHOTOS[:2], "--levels", "2,1e300"): (2, "two or more numbers of components"),
    ("starts", *PHOTOS, "--levels", "1"): (2, "--levels is for study components and noise"),
    ("starts", *PHOTOS, "--generative"): (2, "--generative is for study pushforward"),
    ("noise", *PHOTOS, "--levels", "a,b"): (2, "--levels a,b: expected numbers like"),
    ("components", *PHOTOS[:2], "--levels", "4"): (2, "two or more numbers of components like 5"),
    ("noise", *PHOTOS, "--levels", "0"): (2, "--levels: expected levels of noise from 0"),
    ("noise", *PHOTOS, "--levels", "-1"): (2, "--levels: expected levels of noise from 0"),
    ("components", *PHOTOS[:2], "--levels", "2.5"): (2, "two or more numbers of components like 5"),
    ("components", *PHOTOS[:2], "--levels", "2,2"): (2, "none twice, got 2,2"),
    ("starts", "photo.png", "m.xyz"): (1, "m.xyz: expected a picture or cube, as photo.png is"),
    ("starts", "m.xyz", "m.xyz", "--map", "rand"): (2, "shapes are not painted"),
    ("starts", "a.npz", "photo.png"): (1, "a.npz: expected a picture, cube or shape, found what"),
    ("starts", "photo.png", "no.png"): (1, "no.png: no such file"),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_cannot_be_studied_is_refused(
    run: Run, folder: Path, arguments: tuple[str, ...]
) -> None:
    """One line that says what to do; nothing appears."""
    np.savetxt("m.xyz", np.random.default_rng(0).normal(size=(30, 3)))
    if "a.npz" in arguments:
        run("fit", "photo.png", "-o", "a.npz", "-k", "2")
    result = run("study", *arguments, "-o", "out")
    code, words = WRONG[arguments]
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert words in result.err
    assert not Path("out").exists()
