"""The folder of a study, and its figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.adapters import curves
from gwtransfer.errors import GwTransferError
from gwtransfer.study import output

X = np.logspace(-1, 2, 9)


def figure(label: str = "falling") -> curves.Figure:
    """Return one of everything a panel may hold."""
    series = (
        curves.Series(label=label, x=X, y=1 / X, low=0.5 / X, high=2 / X),
        curves.Series(label="dots", x=X, y=np.where(X > 1, X, np.nan), style="dots"),
    )
    panel = curves.Panel(series=series, title="T_λ $1$", across="λ", log_across=True, log_up=True)
    ticked = curves.Panel(series=series[:1], ticks=((1.0, "one"), (10.0, "ten")))
    return curves.Figure(panels=(panel, ticked))


def pictures() -> curves.Figure:
    """Return colours, and numbers with a hole."""
    rng = np.random.default_rng(0)
    numbers = rng.random((8, 6))
    numbers[2, 3] = np.nan
    return curves.Figure(
        panels=(
            curves.Picture(values=rng.random((8, 6, 3)), title="colours"),
            curves.Picture(values=numbers, title="numbers", unit="ΔE"),
        )
    )


def findings(**figures: curves.Figure) -> output.Findings:
    """Return findings with a hole in the table."""
    return output.Findings(
        title="A study",
        sentences=("First.", "Second."),
        columns=("name", "value"),
        rows=(("a, b", 0.1), ("c", float("nan")), ("d", None), ("e", np.float64(2.5))),
        figures=figures,
        summary={"mean": float("inf"), "list": [1.0, None]},
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_folder_holds_words_table_figures_and_summary(tmp_path: Path) -> None:
    """Numbers read back as they were, nothing is where there is none; twice the same bytes."""
    folder = tmp_path / "study"
    output.write(findings(plot=figure(), spread=pictures()), folder, overwrite=False)
    assert sorted(contents(folder)) == [
        "findings.json", "findings.txt", "plot.png", "spread.png", "table.csv",
    ]  # fmt: skip
    assert (folder / "findings.txt").read_text() == "A study\n\nFirst.\n\nSecond.\n"
    assert (folder / "table.csv").read_text() == 'name,value\n"a, b",0.1\nc,\nd,\ne,2.5\n'
    held = json.loads((folder / "findings.json").read_text())
    assert held["rows"] == [["a, b", 0.1], ["c", None], ["d", None], ["e", 2.5]]
    assert held["summary"] == {"mean": None, "list": [1.0, None]}
    again = tmp_path / "again"
    output.write(findings(plot=figure(), spread=pictures()), again, overwrite=False)
    assert contents(again) == contents(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "study"]


def test_a_folder_is_replaced_only_when_told_and_then_as_a_whole(tmp_path: Path) -> None:
    """What the new study has not goes; the folder itself, and what it is called, stays."""
    folder = tmp_path / "study"
    folder.mkdir()
    place = folder.stat().st_ino
    output.write(findings(plot=figure(), spread=figure()), folder, overwrite=False)
    before = contents(folder)
    with pytest.raises(GwTransferError, match="add --overwrite"):
        output.write(findings(plot=figure("other")), folder, overwrite=False)
    assert contents(folder) == before
    output.write(findings(plot=figure("other")), folder, overwrite=True)
    assert sorted(set(before) - set(contents(folder))) == ["spread.png"]
    assert contents(folder)["plot.png"] != before["plot.png"]
    assert folder.stat().st_ino == place


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a folder nor a trace of one; an earlier study stays as it was."""
    folder = tmp_path / "study"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(curves, "draw", fail)
        with pytest.raises(GwTransferError, match="study: cannot be written: No space left"):
            output.write(findings(plot=figure()), folder, overwrite=False)
        assert list(tmp_path.iterdir()) == []
    output.write(findings(plot=figure()), folder, overwrite=False)
    before = contents(folder)
    monkeypatch.setattr(curves, "draw", fail)
    with pytest.raises(GwTransferError):
        output.write(findings(plot=figure("other")), folder, overwrite=True)
    assert contents(folder) == before


def test_what_another_run_has_written_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs at once: the second is refused, and the first one's folder is whole."""
    fill, folder = output._fill, tmp_path / "study"

    def late(made: Path, found: output.Findings) -> None:
        monkeypatch.setattr(output, "_fill", fill)
        output.write(findings(), folder, overwrite=False)
        fill(made, found)

    monkeypatch.setattr(output, "_fill", late)
    with pytest.raises(GwTransferError, match="already exists; add --overwrite"):
        output.write(replace(findings(), title="Another"), folder, overwrite=False)
    assert json.loads(contents(folder)["findings.json"])["title"] == "A study"
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    """One with another file in it, one that holds an input, a file, one nowhere."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    for path, inputs, words in (
        (folder, (), "found mine.txt in it"),
        (folder, (folder / "mine.txt",), "the input lies in the output"),
        (folder / "mine.txt", (), "found a file"),
        (tmp_path / "no" / "study", (), "there is no folder"),
    ):
        with pytest.raises(GwTransferError, match=words):
            output.check(path, overwrite=True, inputs=inputs)
    assert contents(folder) == {"mine.txt": b"mine"}


def test_figures_are_drawn_with_their_words_and_twice_alike(tmp_path: Path) -> None:
    """In SVG: plain numbers on logarithmic axes, nothing taken for a formula, told colours."""
    for name in ("a", "b"):
        curves.draw(figure(), tmp_path / f"{name}.svg")
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    for word in ("<!-- T_λ $1$ -->", "<!-- falling -->", "<!-- 0.1 -->", "<!-- 100 -->",
                 "<!-- ten -->", "#0072b2", "#e69f00"):  # fmt: skip
        assert word in text
    assert "mathdefault" not in text


def test_a_picture_keeps_its_colours(tmp_path: Path) -> None:
    """A red and a blue half are drawn red and blue."""
    from PIL import Image

    values = np.zeros((40, 40, 3))
    values[:, :20, 0] = values[:, 20:, 2] = 1
    curves.draw(curves.Figure(panels=(curves.Picture(values=values),)), tmp_path / "p.png")
    drawn = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    middle = drawn[len(drawn) // 2]
    coloured = middle[(middle != 255).any(axis=1)]
    assert coloured[len(coloured) // 4].tolist() == [255, 0, 0]
    assert coloured[3 * len(coloured) // 4].tolist() == [0, 0, 255]
