"""Two doors to one job: keywords in Python and keywords in a recipe file do the same."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import gwtransfer as gw
from gwtransfer import recipefile
from gwtransfer.errors import UsageError

from .conftest import Run

DONE, REFUSED, MISUSED = 0, 1, 2

PHOTO = {"source": "photo.png", "palette": "palette.png", "components": 2}
CUBE = {"source": "cube.npy", "palette": "palette.png", "components": 2, "starts": "few"}

SAME: dict[str, Mapping[str, object]] = {
    "what has a default is left out": {"source": "photo.png", "palette": "palette.png"},
    "short names": {**PHOTO, "solver": "mw2", "space": "lab", "seed": 7, "gain_cap": "none"},
    "a cube, by name of its bands": {**CUBE, "bands": "1-4", "variance": 1, "noise": False},
    "tables": {
        **{name: CUBE[name] for name in ("source", "palette")},
        "prepare": {"sample": 300},
        "fit": {"stage": "gmm", "components": 3, "floor": 1e-3},
        "plan": {"stage": "mew2", "random": 2, "waves": 0},
        "map": {"stage": "rand", "gain-cap": 2.0},
    },
    "beside the stages": {**PHOTO, "strength": 0.5, "keep": "chroma", "anchor": 1.0, "smooth": 0.5},
    "several palettes": {
        **PHOTO, "palette": ["palette.png", "photo.png"], "palette_weights": "3,1"
    },
    "masks": {**PHOTO, "mask": "gray.png", "palette_mask": "gray.png", "feather": 1.5},
    "pairs": {**PHOTO, "pair": ["3,4=#ff8800", "5,6=#0044aa"]},
    "writing": {**PHOTO, "depth": "16", "dither": True, "strip": True},
    "a small fast result": {**PHOTO, "preview": True},
}  # fmt: skip
"""What is asked of `color`."""

REFUSALS: dict[str, tuple[int, Mapping[str, object], tuple[str, ...]]] = {
    "unknown keyword": (MISUSED, {"componets": 3}, ("'componets'", "did you mean components?")),
    "unknown stage": (MISUSED, {"map": "meen"}, ("no map stage is called 'meen'", "mean?")),
    "unknown solver": (MISUSED, {"solver": "mw3"}, ("no plan stage is called 'mw3'",)),
    "unknown option": (MISUSED, {"fit": {"flor": 1e-3}}, ("no option 'flor'", "mean floor?")),
    "option of another stage": (MISUSED, {"plan": {"stage": "mw2", "waves": 1}}, ("'waves'",)),
    "another type": (MISUSED, {"seed": "x"}, ("seed", "expected an integer, got 'x'")),
    "another type of an option": (MISUSED, {"fit": {"floor": "x"}}, ("floor", "got 'x'")),
    "text for true": (MISUSED, {"preview": "x"}, ("preview", "expected true or false")),
    "out of range": (MISUSED, {"strength": 1.5}, ("strength: expected a number from 0 to 1",)),
    "two names": (MISUSED, {"fit": {"components": 3}}, ("fit.components: given twice",)),
    "weights": (MISUSED, {"palette_weights": "1,2"}, ("expected 1 numbers, one a palette",)),
    "no pair": (MISUSED, {"pair": ["3=4"]}, ("expected X,Y=#rrggbb",)),
    "feather alone": (MISUSED, {"feather": 2.0}, ("feather softens the edges of a mask",)),
    "another command": (MISUSED, {"command": "match"}, ("match",)),
    "output that nothing writes": (MISUSED, {"output": "out.doc"}, ("nothing writes .doc",)),
    "missing file": (REFUSED, {"source": "fotto.png"}, ("no such file", "mean photo.png?")),
    "missing mask": (REFUSED, {"mask": "maks.png"}, ("maks.png: no such file",)),
    "output that exists": (REFUSED, {"output": "gray.png"}, ("already exists",)),
    "bands of a picture": (MISUSED, {"bands": "1-2"}, ("bands chooses among a cube's bands",)),
    "too many components": (REFUSED, {"components": 5000}, ("distinct points",)),
}
"""What is asked beside PHOTO, the exit code it is refused with, and words of the refusal."""


def written(folder: Path, keywords: Mapping[str, object], command: str = "color") -> Path:
    """Write keywords as a recipe file."""
    path = folder / "recipe.toml"
    path.write_text(recipefile.text({"command": command, **keywords}), "utf-8")
    return path


@pytest.mark.parametrize("case", SAME)
def test_same_bytes(case: str, folder: Path, done: Run) -> None:
    """A recipe file, and its keywords in Python, write the same bytes."""
    done("run", written(folder, {**SAME[case], "output": "recipe.png"}))
    result = gw.transfer(**SAME[case], output="python.png")
    assert result.output == Path("python.png")
    assert (folder / "python.png").read_bytes() == (folder / "recipe.png").read_bytes()


@pytest.mark.parametrize("case", REFUSALS)
def test_same_refusal(case: str, folder: Path, run: Run) -> None:
    """What one door refuses the other refuses, in the same words; neither writes anything."""
    code, asked, words = REFUSALS[case]
    keywords = {"output": "out.png", **PHOTO, **asked}
    before = sorted(folder.iterdir())
    with pytest.raises(gw.GwTransferError) as caught:
        gw.transfer(recipe=keywords)
    assert sorted(folder.iterdir()) == before
    command = str(keywords.pop("command", "color"))
    recipe = written(folder, keywords, command)
    result = run("color", "--recipe", recipe) if command != "color" else run("run", recipe)
    assert sorted(folder.iterdir()) == sorted([*before, recipe])
    assert result.code == code == (MISUSED if isinstance(caught.value, UsageError) else REFUSED)
    for word in words:
        assert word in str(caught.value)
        assert word in result.err


def test_recipe_file_and_keywords(folder: Path, done: Run) -> None:
    """Python reads recipe files itself, and keywords win over them as options do."""
    recipe = written(folder, {**PHOTO, "output": "a.png", "seed": 3, "map": {"stage": "rand"}})
    gw.transfer(recipe=recipe)
    done("run", recipe, "-o", "b.png")
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    gw.transfer(recipe=recipe, output="c.png", seed=4, map={"gain_cap": 1.5})
    done("run", recipe, "-o", "d.png", "--seed", 4, "--gain-cap", 1.5)
    assert (folder / "c.png").read_bytes() == (folder / "d.png").read_bytes()
    assert (folder / "c.png").read_bytes() != (folder / "a.png").read_bytes()


def test_stored_plan_is_a_recipe(folder: Path, done: Run) -> None:
    """A plan that Python stored makes the image again, by either door, to the same bytes."""
    gw.transfer(
        **PHOTO,
        output="first.png",
        save_plan="look.npz",
        palette_weights=[2.0],
        pair="3,4=#ff8800",
        depth=16,
        strength=0.7,
    )
    done("run", "look.npz", "-o", "second.png")
    gw.transfer(recipe="look.npz", output="third.png")
    first = (folder / "first.png").read_bytes()
    assert (folder / "second.png").read_bytes() == first
    assert (folder / "third.png").read_bytes() == first


def test_other_jobs(folder: Path, done: Run) -> None:
    """The doors of `apply`, `fit`, `plan` and `distance` lead to the same results as well."""
    done("fit", "cube.npy", "-o", "cube.npz", "-k", 2, "--bands", "1-4")
    done("fit", "palette.png", "-o", "palette.npz", "-k", 2)
    done("plan", "cube.npz", "palette.npz", "-o", "plan.npz", "--starts", "few")
    plan = gw.plan_between("cube.npz", gw.fit_mixture("palette.png", components=2), starts="few")
    stored = gw.load("plan.npz")
    assert isinstance(stored, gw.TransportPlan)
    assert plan.coupling.tobytes() == stored.coupling.tobytes()
    assert plan.source.means.tobytes() == gw.fit_mixture(
        recipe="cube.npz", item="cube.npy"
    ).means.tobytes()  # fmt: skip
    done("apply", "plan.npz", "cube.npy", "-o", "a.tif", "--bands", "1-4", "--depth", "float")
    gw.apply("plan.npz", "cube.npy", "b.tif", bands="1-4", depth="float")
    gw.apply(plan, "cube.npy", "c.tif", bands="1-4", depth="float")
    assert (folder / "a.tif").read_bytes() == (folder / "b.tif").read_bytes()
    assert (folder / "a.tif").read_bytes() == (folder / "c.tif").read_bytes()
    printed = done("distance", "photo.png", "palette.png", "-k", 2).out
    assert printed == f"{gw.distance('palette.png', 'photo.png', components=2):.12g}\n"
