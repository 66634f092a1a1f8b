"""Recipes: printed, run, taken by commands, kept in artefacts, refused."""

import io
import sys
import tomllib
from pathlib import Path

import pytest

from gwtransfer.io import store

from .conftest import QUICK, Run

COLOR = ("color", "cube.npy", "palette.png", "-k", "3", *QUICK)
MESH = "OFF\n4 4 0\n0 0 0\n1 0 0\n0 1.5 0\n0 0 2\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"


def printed(done: Run, *arguments: object) -> str:
    """Print the recipe of a command into r.toml."""
    text = done(*arguments, "--print-recipe").out
    Path("r.toml").write_text(text)
    return text


def test_a_printed_recipe_says_everything_and_does_nothing(done: Run, folder: Path) -> None:
    """Every stage is named with every option, what the files decide included."""
    before = sorted(folder.iterdir())
    told = tomllib.loads(done(*COLOR, "-o", "out.png", "--print-recipe").out)
    assert sorted(folder.iterdir()) == before
    assert (told["command"], told["source"], told["output"]) == ("color", "cube.npy", "out.png")
    assert (told["seed"], told["anchor"], told["strength"], told["smooth"]) == (0, 2.0, 1.0, 1.0)
    assert {kind: told[kind]["stage"] for kind in ("prepare", "fit", "plan", "map")} == {
        "prepare": "color",
        "fit": "gmm",
        "plan": "mew2",
        "map": "mean",
    }
    assert (told["fit"]["components"], told["plan"]["random"]) == (3, 2)
    assert (told["prepare"]["space"], told["map"]["gain_cap"]) == ("oklab", 5.0)


JOBS = {
    "color": (*COLOR, "--save-plan", "p.npz"),
    "color, many options": (
        "color", "photo.png", "palette.png", "--palette", "rgba.png", "--palette-weights", "2,1",
        "-k", "3", "--keep", "luminance", "--strength", "0.7", "--pair", "3,4=#ff8000",
        "--feather", "2", "--mask", "gray.png", "--depth", "16", "--map", "rand", "--seed", "5",
    ),
    "preview": (*COLOR, "--preview"),
    "fit": ("fit", "photo.png", "-k", "3", "--space", "lab"),
    "plan": ("plan", "a.npz", "b.npz", "--solver", "mgw2", *QUICK),
    "apply": ("apply", "ab.npz", "photo.png", "--map", "rand", "--gain-cap", "none"),
    "lut": ("lut", "ab.npz", "--size", "9", "--strength", "0.5"),
    "match": ("match", "m.off", "n.off", "--prepare", "xyz", "-k", "2", "--sample", "60"),
    "pairwise": ("pairwise", "shapes", "-k", "2", "--sample", "60", "--jobs", "1"),
}  # fmt: skip
ENDINGS = {"fit": ".npz", "plan": ".npz", "lut": ".cube", "match": ".csv", "pairwise": ".csv"}


@pytest.fixture
def inputs(done: Run, folder: Path) -> Path:
    """Make the mixtures, the plan and the shapes that jobs read."""
    for name, picture in (("a.npz", "photo.png"), ("b.npz", "palette.png")):
        done("fit", picture, "-o", name, "-k", "3")
    done("plan", "a.npz", "b.npz", "-o", "ab.npz")
    Path("shapes").mkdir()
    for name, longer in (("m.off", "2"), ("n.off", "3")):
        Path(name).write_text(MESH.replace("0 0 2", f"0 0 {longer}"))
        Path("shapes", name).write_text(Path(name).read_text())
    return folder


@pytest.mark.parametrize("job", JOBS)
def test_a_printed_recipe_runs_to_the_same_bytes(done: Run, inputs: Path, job: str) -> None:
    """`run`, and the command with --recipe, write what the options wrote."""
    arguments = JOBS[job]
    ending = ENDINGS.get(arguments[0], ".png")
    printed(done, *arguments, "-o", f"first{ending}")
    done(*arguments, "-o", f"first{ending}")
    done("run", "r.toml", "-o", f"again{ending}", *more(arguments, "q.npz"))
    done(arguments[0], "--recipe", "r.toml", "-o", f"more{ending}", *more(arguments, "s.npz"))
    written = Path(f"first{ending}").read_bytes()
    assert Path(f"again{ending}").read_bytes() == written
    assert Path(f"more{ending}").read_bytes() == written
    if "--save-plan" in arguments:
        assert Path("p.npz").read_bytes() == Path("q.npz").read_bytes()


def more(arguments: tuple[str, ...], plan: str) -> tuple[str, ...]:
    """Return the option that moves a second output, where there is one."""
    return ("--save-plan", plan) if "--save-plan" in arguments else ()


@pytest.mark.parametrize("kept", ["fit.npz", "plan.npz", "color.npz"])
def test_an_artefact_makes_itself_again(done: Run, inputs: Path, kept: str) -> None:
    """A mixture or plan is a recipe too; whatever it is called, the bytes are the same."""
    done("fit", "photo.png", "-o", "fit.npz", "-k", "2", "--seed", "3")
    done("plan", "a.npz", "b.npz", "-o", "plan.npz", "--solver", "mew2", *QUICK)
    done(*COLOR, "-o", "out.png", "--save-plan", "color.npz")
    given = ("-o", "x.png", "--save-plan", "x.npz") if kept == "color.npz" else ("-o", "x.npz")
    done("run", kept, *given)
    assert Path("x.npz").read_bytes() == Path(kept).read_bytes()
    assert (
        store.load_artefact(Path("x.npz"))[1]["recipe"]["command"] == kept.split(".", maxsplit=1)[0]
    )


def test_options_win_over_the_recipe(done: Run, folder: Path) -> None:
    """An argument, an option, a stage and --set each replace what the recipe says, and no more."""
    printed(done, *COLOR, "-o", "out.png", "--solver", "mgw2", "--seed", "4")

    def told(*given: str) -> dict[str, object]:
        text = done("color", "--recipe", "r.toml", *given, "--print-recipe").out
        return tomllib.loads(text)

    same = told()
    assert (same["seed"], same["plan"]["stage"], same["palette"]) == (4, "mgw2", "palette.png")
    other = told("photo.png", "gray.png", "--seed", "7", "-k", "5")
    assert (other["source"], other["palette"]) == ("photo.png", "gray.png")
    assert (other["seed"], other["fit"]["components"], other["plan"]["random"]) == (7, 5, 2)
    assert told("--set", "plan.random=9")["plan"]["random"] == 9
    plan = told("--solver", "mew2")["plan"]
    assert (plan["stage"], plan["random"], plan["signs"]) == ("mew2", "none", 16)


def test_short_names_and_tables_mean_the_same(done: Run, folder: Path) -> None:
    """A recipe by hand needs what differs only; hyphens are as good as underscores."""
    head = 'command = "color"\nsource = "cube.npy"\npalette = "palette.png"\noutput = "o.png"\n'
    forms = (
        'components = 3\nsolver = "mgw2"\ngain-cap = 2\nmap = "rand"',
        'fit = {components = 3}\nplan = "mgw2"\nmap = {stage = "rand", gain_cap = 2}',
        '[fit]\ncomponents = "3"\n[plan]\nstage = "mgw2"\n[map]\nstage = "rand"\ngain-cap = 2.0',
    )
    told = []
    for form in forms:
        Path("r.toml").write_text(head + form)
        told.append(done("run", "r.toml", "--print-recipe").out)
    assert told[0] == told[1] == told[2]


def test_a_recipe_comes_from_standard_input(
    done: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--print-recipe | run -` is the command."""
    from gwtransfer_cli.streams import stdin_once

    text = done(*COLOR, "-o", "out.png", "--print-recipe").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    stdin_once.cache_clear()
    done("run", "-")
    done(*COLOR, "-o", "same.png")
    assert Path("out.png").read_bytes() == Path("same.png").read_bytes()


WRONG = {
    'command = "colr"': ("r.toml", "unknown command 'colr'", "did you mean color?"),
    'sourc = "a"': ("r.toml", "unknown keyword 'sourc'", "did you mean source?"),
    "component = 3": ("r.toml", "unknown keyword 'component'", "did you mean components?"),
    "[fti]\nfloor = 1": ("r.toml", "unknown keyword 'fti'", "did you mean fit?"),
    "[fit]\ncomponent = 3": ("r.toml", "no option 'component'", "did you mean components?"),
    "[map]\nstage = 'maen'": ("r.toml", "no map stage is called 'maen'", "did you mean mean?"),
    "[fit]\ncomponents = 2.5": ("r.toml", "option components of gmm", "an integer", "2.5"),
    "seed = 'x'": ("r.toml", "seed: expected an integer", "'x'"),
    "seed = -1": ("r.toml", "option seed: expected 0"),
    "strength = true": ("r.toml", "strength: expected a number"),
    "dither = 1": ("r.toml", "dither: expected true or false"),
    "pair = [1]": ("r.toml", "pair: expected a list of texts"),
    "mask = 3": ("r.toml", "mask: expected text"),
    "components = 3\nfit = {components = 4}": ("r.toml", "fit.components: given twice"),
    "gain_cap = 1\ngain-cap = 2": ("r.toml", "given twice"),
    "feather = 1\nfeather = 2": ("r.toml", "expected a recipe in TOML", "overwrite"),
    "x = [": ("r.toml", "expected a recipe in TOML"),
    "seed = 2020-01-01": ("r.toml", "seed: expected an integer"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_recipe_is_refused_in_words(run: Run, folder: Path, text: str) -> None:
    """One line: the recipe, the key, the nearest name; nothing is written."""
    head = "" if "command" in text else 'command = "color"\n'
    Path("r.toml").write_text(
        f'{head}source = "cube.npy"\npalette = "palette.png"\noutput = "out.png"\n{text}'
        if not text.startswith("sourc") else f"{head}{text}"
    )  # fmt: skip
    result = run("run", "r.toml")
    assert (result.code, result.out) == (1 if "TOML" in " ".join(WRONG[text]) else 2, "")
    assert result.err.count("\n") == 1
    for words in WRONG[text]:
        assert words in result.err
    assert not Path("out.png").exists()


def test_what_is_no_recipe_is_refused(run: Run, done: Run, folder: Path) -> None:
    """A recipe of another command, none at all, a picture, an artefact from elsewhere."""
    printed(done, *COLOR, "-o", "out.png")
    assert "found one of color; use gwtransfer run" in run("fit", "--recipe", "r.toml").err
    assert "no such file" in run("run", "nowhere.toml").err
    assert "expected a recipe in TOML, found no text" in run("run", "photo.png").err
    Path("e.toml").write_text("seed = 1")
    assert 'expected a line command = "color"' in run("run", "e.toml").err
    done("fit", "photo.png", "-o", "m.npz", "-k", "2")
    mixture, provenance = store.load_artefact(Path("m.npz"))
    del provenance["recipe"]
    store.save_mixture(mixture, Path("old.npz"), provenance)  # type: ignore[arg-type]
    assert "expected an artefact with its recipe" in run("run", "old.npz").err


def test_all_is_refused_before_the_first_fit(run: Run, folder: Path) -> None:
    """Stages, options, files and folders are checked first: no step is ever begun."""
    for wrong, words in (
        (("-o", "nowhere/out.png"), "there is no folder nowhere"),
        (("-o", "out.xyz"), "out.xyz"),
        (("-o", "out.png", "--mask", "none.png"), "none.png: no such file"),
        (("-o", "out.png", "--set", "map.gain=1"), "no option 'gain'"),
        (("-o", "out.png", "--pair", "900,3=#ff0000"), "900"),
        (("-o", "out.png", "--save-plan", "plan.txt"), "plan.txt"),
        (("-o", "out.jpg", "--depth", "16"), "does not hold --depth 16"),
    ):
        result = run("color", "cube.npy", "palette.png", *wrong, "-v")
        assert result.code in (1, 2)
        assert words in result.err
        assert " fit " not in result.err


@pytest.mark.parametrize(
    ("recipe", "option", "key"),
    [("dither = true", "--no-dither", "dither"), ("preview = true", "--no-preview", "preview")],
)
def test_a_flag_of_the_recipe_can_be_undone(
    done: Run, folder: Path, recipe: str, option: str, key: str
) -> None:
    """Options win, also to say no."""
    Path("r.toml").write_text(recipe)
    command = (*COLOR, "-o", "out.png", "--recipe", "r.toml", "--print-recipe")
    assert tomllib.loads(done(*command).out)[key] is True
    assert tomllib.loads(done(*command, option).out)[key] is False


def test_load_and_write_stages_take_options_too(done: Run, run: Run, folder: Path) -> None:
    """By --set and by a table, and in the printed recipe; what the format has not is refused."""
    depth = ("--set", "write.depth=16")
    told = tomllib.loads(done(*COLOR, "-o", "out.png", *depth, "--print-recipe").out)
    assert told["write"] == {"depth": "16"}
    Path("r.toml").write_text("[write]\ndepth = 16\n[load]\nband_axis = 2\n")
    done(*COLOR, "-o", "table.png", "--recipe", "r.toml")
    done(*COLOR, "-o", "plain.png", "--depth", "16")
    assert Path("table.png").read_bytes() == Path("plain.png").read_bytes()
    refused = run(*COLOR, "-o", "out.png", "--set", "write.deep=16")
    assert (refused.code, "no option 'deep'; did you mean depth?" in refused.err) == (2, True)
    refused = run(*COLOR, "-o", "out.png", "--set", "load.deep=16")
    assert (refused.code, "no load stage has an option 'deep'" in refused.err) == (2, True)
    Path("r.toml").write_text('write = {stage = "png", dither = true}\n')
    command = (*COLOR, "-o", "out.png", "--recipe", "r.toml", "--print-recipe")
    assert tomllib.loads(done(*command).out)["write"] == {"stage": "png", "dither": True}
    assert "write" not in done(*command, "--no-dither").out.partition("[write]")[2]
    assert "[write]" not in done(*command, "--write", "tiff", "-o", "out.tif").out
    assert "use --write tiff" in run(*COLOR, "-o", "out.png", "--set", "write=tiff").err


def test_artefacts_do_not_say_where_files_lay(done: Run, folder: Path) -> None:
    """Another spelling of a path, another output, another folder: the same bytes."""
    Path("deep").mkdir()
    Path("deep/photo.png").write_bytes(Path("photo.png").read_bytes())
    done("fit", "photo.png", "-o", "a.npz", "-k", "2")
    for number, source in enumerate(("./photo.png", folder / "photo.png", "deep/photo.png")):
        done("fit", source, "-o", f"{number}.npz", "-k", "2", "--overwrite", "-q")
        assert Path(f"{number}.npz").read_bytes() == Path("a.npz").read_bytes()


def test_inputs_of_one_name_are_told_apart(done: Run, folder: Path) -> None:
    """A plan between a/x.png and b/x.png is made again of both, not of one twice."""
    for name, content in (("a", "photo.png"), ("b", "palette.png")):
        Path(name).mkdir()
        Path(name, "x.png").write_bytes(Path(content).read_bytes())
    done("color", folder / "a/x.png", "b/x.png", "-o", "o.png", "-k", "2", "--save-plan", "p.npz")
    done("run", "p.npz", "-o", "again.png", "--save-plan", "q.npz")
    assert Path("again.png").read_bytes() == Path("o.png").read_bytes()
    assert Path("q.npz").read_bytes() == Path("p.npz").read_bytes()


def test_another_file_of_the_same_name_is_noticed(run: Run, done: Run, folder: Path) -> None:
    """A rerun on other contents is done, and said to be one."""
    done("fit", "photo.png", "-o", "m.npz", "-k", "2")
    Path("photo.png").write_bytes(Path("palette.png").read_bytes())
    result = run("run", "m.npz", "-o", "n.npz")
    words = "note: photo.png: is not the file of this name that m.npz was made of\n"
    assert (result.code, result.err) == (0, words)


def test_a_newer_recipe_is_refused(run: Run, folder: Path) -> None:
    """By its version, before its keywords are looked at."""
    Path("r.toml").write_text('gwtransfer = "99.0"\ncommand = "color"\nnew_word = 1\n')
    result = run("run", "r.toml")
    assert result.code == 2
    assert "expected a recipe of version" in result.err
    assert "99.0; update gwtransfer" in result.err


def test_palettes_over_a_recipe_come_without_its_weights(done: Run, folder: Path) -> None:
    """Weights belong to the palettes they were given with."""
    weighed = ("--palette", "gray.png", "--palette-weights", "2,1")
    printed(done, *COLOR, *weighed, "-o", "out.png")
    told = tomllib.loads(
        done("color", "--recipe", "r.toml", "--palette", "photo.png", "--print-recipe").out
    )
    assert (told["palette"], "palette_weights" in told) == ("photo.png", False)


def test_one_recipe_is_enough(run: Run, folder: Path) -> None:
    """`run A --recipe B` would have to drop one."""
    Path("r.toml").write_text('command = "color"\n')
    result = run("run", "r.toml", "--recipe", "other.toml")
    assert (result.code, "run has its recipe already" in result.err) == (2, True)


def test_nothing_is_refused_by_name(run: Run, folder: Path) -> None:
    """An empty argument is an unset variable; an empty text in a recipe is none."""
    for arguments in (
        ("color", "", "palette.png", "-o", "x.png"),
        ("pairwise", "", "-o", "d.csv"),
        ("color", "photo.png", "palette.png", "-o", "x.png", "--log-file", ""),
    ):
        result = run(*arguments)
        assert (result.code, "is a variable unset?" in result.err) == (2, True)
    Path("r.toml").write_text('source = ""\n')
    assert "source: expected text, got ''" in run("color", "--recipe", "r.toml").err


def test_a_printed_recipe_needs_its_inputs(run: Run, folder: Path) -> None:
    """A recipe of files that are not there is not printed."""
    for arguments in (
        ("apply", "no.npz", "photo.png", "-o", "x.png"),
        ("lut", "no.npz", "-o", "x.cube"),
        ("measure", "photo.png", "no.png"),
        ("inspect", "no.png"),
        ("embed", "no.csv", "-o", "x.png"),
    ):
        result = run(*arguments, "--print-recipe")
        assert (result.code, result.out, "no such file" in result.err) == (1, "", True)
