"""`gwtransfer diagnose`: what it says, as words and as JSON, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Run


@pytest.fixture
def split(folder: Path, done: Run) -> Path:
    """Store the plan of a gray picture and a palette of red and blue, one component to two."""
    rng = np.random.default_rng(0)

    def save(name: str, colours: np.ndarray) -> None:
        noisy = colours * 255 + rng.normal(0, 6, colours.shape)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(name)

    save("sky.png", np.full((40, 30, 3), 0.5))
    red = np.arange(30)[None, :, None] < 15
    save("flag.png", np.where(red, [0.8, 0.2, 0.2], [0.2, 0.2, 0.8]) + np.zeros((40, 1, 1)))
    done("fit", "sky.png", "-o", "a.npz", "-k", "1")
    done("fit", "flag.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "ab.npz")
    return folder


FILES = ("--source", "sky.png", "--target", "flag.png")


def test_the_words_say_what_to_do_and_the_table_how_much(done: Run, split: Path) -> None:
    """The split, both colours, and the same shares in JSON; the same bytes every time."""
    out = done("diagnose", "ab.npz", *FILES).out
    assert done("diagnose", "ab.npz", *FILES).out == out
    words, table = out.split("\n\n")
    assert "Component 1, pixels that are alike and 100 % of the source, is split" in words
    assert "`mean` puts 100 % of all pixels in between, where `rand` puts" in words
    assert "--map rand" in words.splitlines()[1]
    told = json.loads(done("diagnose", "ab.npz", *FILES, "--json").out)
    assert told["sentences"] == words.splitlines()
    assert (told["points"], told["from_source"], told["from_target"]) == (1200, True, True)
    assert told["gain_cap"] == 5.0
    rows = {line[:18].strip(): line[18:36].split() for line in table.splitlines()[1:]}
    for name, place in (("mean", 0), ("rand", 1)):
        found = told["maps"][name]
        assert float(rows["piece gain"][place]) == pytest.approx(found["piece_gain"], rel=5e-3)
        said = table.splitlines()[[*rows].index("in between") + 1][18:36].split("%")[place]
        assert float(said) == pytest.approx(100 * found["between"], abs=0.051)
    assert told["maps"]["rand"]["local_slope"] is None
    owed = told["splits"][0]["pairs"][0]["estimates"]
    for word, value in (("forced", owed["slope_99"]), ("unavoidable", owed["unavoidable"])):
        assert float(rows[word][0]) == pytest.approx(100 * value, abs=0.051)
    assert 0.2 < owed["unavoidable"] <= 0.55  # of the half that is to go to the other side
    parts = told["splits"][0]["parts"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)
    levels = sorted(tuple(bytes.fromhex(part["name"][1:])) for part in parts)
    for found, painted in zip(levels, ((51, 51, 204), (204, 51, 51)), strict=True):
        assert np.abs(np.subtract(found, painted)).max() <= 3


def test_without_files_points_are_drawn_from_the_plan(done: Run, split: Path) -> None:
    """And another cap is another map, whose pieces it bounds."""
    drawn = json.loads(done("diagnose", "ab.npz", "--json").out)
    assert (drawn["points"], drawn["from_source"], drawn["from_target"]) == (20_000, False, False)
    assert done("diagnose", "ab.npz").out.splitlines()[-1].endswith("target: drawn from the plan")
    capped = json.loads(done("diagnose", "ab.npz", "--gain-cap", "0.25", "--json").out)
    free = json.loads(done("diagnose", "ab.npz", "--gain-cap", "none", "--json").out)
    assert (capped["gain_cap"], free["gain_cap"]) == (0.25, None)
    for name in ("mean", "rand"):
        assert capped["maps"][name]["piece_gain"] <= 0.25 * (1 + 1e-9)
        assert free["maps"][name]["piece_gain"] > 0.25


def test_refusals_name_the_file(run: Run, split: Path) -> None:
    """A mixture, a missing file, another kind of file, and a cap that is none."""
    np.savetxt("m.xyz", np.eye(3))
    Image.new("RGB", (1, 1)).save("one.png")
    for arguments, code, words in (
        (("a.npz",), 1, "a.npz: expected a plan of `gwtransfer plan`, found a mixture"),
        (("no.npz",), 1, "no.npz: no such file"),
        (("ab.npz", "--source", "no.png"), 1, "no.png: no such file"),
        (("ab.npz", "--source", "cube.npy"), 1, "cube.npy: expected a picture of 3 bands"),
        (("ab.npz", "--target", "gray.png"), 1, "gray.png: expected a picture of 3 bands"),
        (("ab.npz", "--source", "m.xyz"), 1, "m.xyz: expected a picture, as the plan was made"),
        (("ab.npz", "--source", "one.png"), 1, "one.png: expected at least 2 points"),
        (("ab.npz", "--bands", "1-2"), 2, "options of reading are for the source"),
        (("ab.npz", "--source", "sky.png", "--bands", "1-2"), 2, "--bands chooses among a cube's"),
        (("ab.npz", "--gain-cap", "0"), 2, "gain_cap: expected a number above 0"),
    ):
        result = run("diagnose", *arguments)
        assert (result.code, result.err.count("\n"), result.out) == (code, 1, "")
        assert words in result.err


def test_a_printed_recipe_says_the_same(done: Run, split: Path) -> None:
    """That nothing is capped included, which is not the default."""
    for cap in ("none", "3"):
        call = ("diagnose", "ab.npz", *FILES, "--gain-cap", cap)
        Path("r.toml").write_text(done(*call, "--print-recipe").out)
        assert done("diagnose", "--recipe", "r.toml").out == done(*call).out
