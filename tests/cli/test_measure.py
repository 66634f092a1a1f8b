"""`gwtransfer measure`: what it says, as words and as JSON, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer.tally import MEANINGS

from .conftest import QUICK, Run


def test_one_line_a_figure(done: Run, folder: Path) -> None:
    """A picture against itself: the names in order, the best values, and how many pixels."""
    lines = done("measure", "photo.png", "photo.png", "--palette", "photo.png").out.splitlines()
    assert [line[:26].strip() for line in lines] == [
        *(key.replace("_", " ") for key in MEANINGS),
        "pixels",
    ]
    best = [0.0 if key in ("edges_made", "palette_distance") else 1.0 for key in MEANINGS]
    assert [float(line[26:34]) for line in lines] == [*best, 480]
    assert lines[-1].endswith("all")


def test_json_has_stable_names_and_full_precision(done: Run, folder: Path) -> None:
    """One line, one object, the same bytes every time, the values of the words."""
    done("color", "cube.npy", "palette.png", "-o", "out.png", "-k", "2", *QUICK)
    words = done("measure", "cube.npy", "out.png", "--palette", "palette.png").out
    first = done("measure", "cube.npy", "out.png", "--palette", "palette.png", "--json").out
    again = done("measure", "cube.npy", "out.png", "--palette", "palette.png", "--json").out
    assert first == again
    assert first.count("\n") == 1
    told = json.loads(first)
    held = ["gwtransfer", "command", "figures", "undefined", "pixels", "whole", "notes"]
    assert list(told) == held
    assert list(told["figures"]) == list(MEANINGS)
    assert (told["pixels"], told["whole"], told["undefined"]) == (480, True, {})
    assert told["figures"]["luminance_order"] > 0.5
    for line, value in zip(words.splitlines(), told["figures"].values(), strict=False):
        assert float(line[26:34]) == pytest.approx(value, abs=5.1e-5)


def test_the_undefined_is_null_and_said(done: Run, folder: Path) -> None:
    """A result of one colour: null in JSON, a dash in words, the reason in both."""
    Image.new("RGB", (20, 24), (9, 9, 9)).save("flat.png")
    told = json.loads(done("measure", "cube.npy", "flat.png", "--json").out)
    assert told["figures"]["luminance_order"] is None
    assert "same brightness" in told["undefined"]["luminance_order"]
    assert "palette_distance" not in told["figures"]
    line = done("measure", "cube.npy", "flat.png").out.splitlines()[0]
    assert line.split()[2] == "—"
    assert "undefined: one side has the same brightness everywhere" in line


def test_holes_are_not_counted(done: Run, folder: Path) -> None:
    """Missing pixels of the cube and transparent ones of the result are left out."""
    done("color", "holes.npy", "palette.png", "-o", "out.png", "-k", "2", *QUICK)
    told = json.loads(done("measure", "holes.npy", "out.png", "--json").out)
    assert told["pixels"] == 480 - 21


def test_reading_options_are_for_the_source(done: Run, folder: Path) -> None:
    """--band-axis opens the source and leaves an array as result alone; --bands chooses bands."""
    cube = np.load("cube.npy")
    np.save("first.npy", np.moveaxis(cube, -1, 0))
    done("color", "cube.npy", "palette.png", "-o", "out.npy", "-k", "2", *QUICK)
    plain = done("measure", "cube.npy", "out.npy", "--json").out
    assert done("measure", "first.npy", "out.npy", "--band-axis", "0", "--json").out == plain
    np.save("some.npy", cube[:, :, :3])
    chosen = done("measure", "cube.npy", "out.npy", "--bands", "1-3", "--json").out
    axis = ("--band-axis", "2", "--json")
    assert done("measure", "some.npy", "out.npy", *axis).out == chosen != plain


def test_refusals_name_file_and_sizes(run: Run, folder: Path) -> None:
    """Sizes that differ, a missing file and a shape end in one line and exit code 1."""
    Image.new("RGB", (20, 23)).save("short.png")
    result = run("measure", "cube.npy", "short.png")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "gwtransfer: short.png: expected 24 × 20 pixels as cube.npy has, found 23 × 20\n"
    )
    assert "nowhere.png" in run("measure", "cube.npy", "nowhere.png").err
    assert run("measure", "cube.npy").code == 2
