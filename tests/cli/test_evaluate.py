"""`gwtransfer evaluate` and `embed`: figures of a matrix, its picture, and what they refuse."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer.io.matrix import DistanceMatrix, write_matrix

from .conftest import Run

NAMES = ("cats/m1.obj", "cats/m2.obj", "dogs/m3.obj", "dogs/m4.obj", "owl/m5.obj")
POINTS = np.array([[0.0, 0], [1, 0], [5, 0], [2.4, 1], [9, 9]])


def mutual(points: np.ndarray) -> np.ndarray:
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))


@pytest.fixture
def table(folder: Path) -> Path:
    """Write the distances of five points of the plane, of two classes and one alone."""
    write_matrix(DistanceMatrix(distances=mutual(POINTS), names=NAMES), Path("d.csv"))
    return folder


def test_plain_columns(run: Run, table: Path) -> None:
    """A row a class and one for all; m4 is nearer to a cat, so half the dogs are found wrongly."""
    result = run("evaluate", "d.csv")
    assert result.code == 0
    scores, confusion = result.out.split("\n\n")
    rows = [line.split() for line in scores.splitlines()]
    assert [row[0] for row in rows] == ["class", "cats", "dogs", "all"]
    assert rows[1][1:3] == ["2", "1.000"]
    assert rows[2][1:3] == ["2", "0.500"]
    assert rows[3][1:3] == ["4", "0.750"]
    assert [line.split() for line in confusion.splitlines()[1:]] == [
        ["1", "cats", "2", ".", "."],
        ["2", "dogs", "1", "1", "."],
    ]
    assert result.err == (
        "note: 1 of 5 have no other of their class to find and are no queries: owl/m5.obj\n"
    )


def test_json_has_everything(run: Run, table: Path) -> None:
    """The figures in full, for all and each class, and the counts of the confusion."""
    told = json.loads(run("evaluate", "d.csv", "--json").out)
    assert told["overall"]["queries"] == 4
    assert told["overall"]["nearest"] == 0.75
    assert told["classes"]["dogs"]["first_tier"] == 0.5
    # The other dog is third of four for m4 and first for m3; both cats come first.
    assert told["classes"]["dogs"]["average_precision"] == pytest.approx((1 + 1 / 3) / 2)
    assert told["classes"]["dogs"]["discounted_gain"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert told["confusion"] == {
        "labels": ["cats", "dogs", "owl"],
        "counts": [[2, 0, 0], [1, 1, 0], [0, 0, 0]],
    }
    assert (told["targets"], told["all_pairs"], told["alone"]) == (5, True, ["owl/m5.obj"])


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_queries_against_targets(run: Run, folder: Path, suffix: str) -> None:
    """Rows search the columns only, and find what is at distance 0 too."""
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    matrix = DistanceMatrix(
        distances=np.array([[0.0, 3.0, 4.0]]),
        names=("cats/q.obj",),
        against=("cats/a.obj", "dogs/b.obj", "cats/c.obj"),
    )
    write_matrix(matrix, Path("d" + suffix))
    told = json.loads(run("evaluate", "d" + suffix, "--json").out)
    assert told["all_pairs"] is False
    assert (told["overall"]["nearest"], told["overall"]["first_tier"]) == (1.0, 0.5)
    assert told["overall"]["second_tier"] == 1.0


def test_labels_from_files(run: Run, table: Path) -> None:
    """A CSV of names and a .cla of numbers say the same as the folders."""
    expected = run("evaluate", "d.csv", "--json").out
    rows = ["name,label", *(f"{name},{name.split('/')[0]}" for name in NAMES)]
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    Path("labels.cla").write_text(
        "PSB 1\n4 5\n\nanimal 0 0\n\ncats animal 2\n1\n2\n\ndogs animal 2\n3\n4\n\nowl 0 1\n5\n"
    )
    for labels in ("from-folder", "labels.csv", "labels.cla"):
        assert run("evaluate", "d.csv", "--labels", labels, "--json").out == expected


@pytest.fixture
def refused(run: Run, folder: Path) -> Callable[..., str]:
    """Run, expect an exit code, one line, and nothing written."""

    def call(code: int, *arguments: object) -> str:
        before = sorted(folder.iterdir())
        result = run(*arguments)
        assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
        assert sorted(folder.iterdir()) == before
        return result.err

    return call


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("name,a/1,a/2\na/1,0,nan\na/2,nan,0\n", "expected finite distances"),
        ("name,a/1,a/2\na/1,0,-1\na/2,-1,0\n", "found -1.0 between 'a/1' and 'a/2'"),
        ("name,a/1,a/2\na/1,0,1\na/2,2,0\n", "expected a symmetric matrix"),
        ("name,a/1,a/2\na/1,1,.3\na/2,.3,1\n", "are these similarities?"),
        ("name,a/1,b/2\na/1,0,1\nb/2,1,0\n", "expected a class with something to find"),
        ("name,1,2\n1,0,1\n2,1,0\n", "1: expected a folder before the name"),
        ("name,a/1,a/2\na/1,0,x\na/2,1,0\n", "expected numbers"),
    ],
)
def test_what_are_no_distances_is_refused(
    refused: Callable[..., str], rows: str, words: str
) -> None:
    """One line that says what was found."""
    Path("d.csv").write_text(rows)
    assert words in refused(1, "evaluate", "d.csv")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("l.csv", "name,label\ncats/m1.obj,cat\n", "found none for 4 of them, 'cats/m2.obj' first"),
        ("l.csv", "file,class\n", "expected a first row name,label, found 'file,class'"),
        ("l.csv", "name,label\na,b\na,c\n", "expected one label for 'a', found two"),
        ("l.csv", "name,label\na\n", "expected a name and a label"),
        ("l.cla", "OFF\n", "expected a first line PSB 1"),
        ("l.cla", "PSB 1\n1 3\ncats 0 3\n1\n2\n", "expected classes as lines"),
        ("l.cla", "PSB 1\n1 3\ncats 0 2\n1\n2\n", "expected 3 models"),
        ("l.cla", "PSB 1\n1 2\ncats 0 2\n1\n2\n", "found none for 3 of them, 'dogs/m3.obj' first"),
    ],
)
def test_wrong_labels_are_refused(
    refused: Callable[..., str], table: Path, name: str, text: str, words: str
) -> None:
    """Whatever is wrong with a file of labels is said with its name."""
    Path(name).write_text(text)
    said = refused(1, "evaluate", "d.csv", "--labels", name)
    assert said.startswith(f"gwtransfer: {name}: ")
    assert words in said


def test_coordinates_have_the_distances(done: Run, table: Path) -> None:
    """Points of a plane come back up to an isometry, with nothing lost."""
    said = done("embed", "d.csv", "-o", "map.csv", "--labels", "from-folder").out
    assert said == "map      5 files, 100.0% explained, stress 0.000\nresult   map.csv\n"
    with Path("map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == list(NAMES)
    assert [row["label"] for row in rows] == [name.split("/")[0] for name in NAMES]
    points = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    np.testing.assert_allclose(mutual(points), mutual(POINTS), rtol=0, atol=1e-9)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_pictures_are_the_same_twice(done: Run, table: Path, suffix: str) -> None:
    """Equal distances give equal bytes, which hold no date and no program."""
    pytest.importorskip("matplotlib")
    for turn in ("one", "two"):
        done("embed", "d.csv", "-o", turn + suffix, "--labels", "from-folder")
    made = Path("one" + suffix).read_bytes()
    assert made == Path("two" + suffix).read_bytes()
    for word in (b"Matplotlib", b"<dc:date>", b"Created with"):
        assert word not in made
    if suffix == ".png":
        with Image.open("one.png") as picture:
            assert min(picture.size) > 600
            assert "Software" not in picture.info


def test_pictures_of_awkward_names(done: Run, folder: Path) -> None:
    """Two files, one of a long name and one of signs that are no letters of the type."""
    pytest.importorskip("matplotlib")
    names = ("x" * 90 + ".obj", "$_{猫}$ & <b>.obj")
    write_matrix(DistanceMatrix(distances=np.zeros((2, 2)), names=names), Path("d.csv"))
    done("embed", "d.csv", "-o", "map.png")
    with Image.open("map.png") as picture:
        assert picture.size[0] > picture.size[1] > 600


def test_embed_refuses(refused: Callable[..., str], table: Path) -> None:
    """Other formats, what exists, distances of others, and a single file."""
    assert "ends in .png, .svg or .csv" in refused(2, "embed", "d.csv", "-o", "map.pdf")
    assert "already exists" in refused(1, "embed", "d.csv", "-o", "photo.png")
    assert "the output is the input" in refused(2, "embed", "d.csv", "-o", "d.csv", "--overwrite")
    Path("q.csv").write_text("name,a,b\nc,1,2\n")
    assert "1 files against 2 others" in refused(1, "embed", "q.csv", "-o", "map.csv")
    Path("one.csv").write_text("name,a\na,0\n")
    assert "at least 2 files" in refused(1, "embed", "one.csv", "-o", "map.csv")


def test_without_matplotlib_only_pictures_are_refused(
    run: Run, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what to install; coordinates are written all the same."""
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    result = run("embed", "d.csv", "-o", "map.png")
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert "pip install 'gwtransfer[report]'" in result.err
    assert not Path("map.png").exists()
    assert run("embed", "d.csv", "-o", "map.csv").code == 0
