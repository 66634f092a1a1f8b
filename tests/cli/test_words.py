"""What the program says: distances, files, stages, and the summary of a job."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from gwtransfer import registry

from .conftest import QUICK, Run, geotiff

SHAPE = "v 0 0 0\nv 2 0 0\nv 0 1 0\nv 0 0 3\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n"


def number(text: str) -> float:
    """Return the one number a command printed."""
    assert re.fullmatch(r"\S+\n", text)
    return float(text)


@pytest.mark.parametrize("solver", [(), ("--solver", "mew2"), ("--solver", "mgw2")])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("photo.png", "palette.png"),
        ("cube.npy", "photo.png"),
        ("cube.npy", "holes.npy"),
        ("gray.png", "photo.png"),
        ("shape.obj", "other.obj"),
        ("a.npz", "b.npz"),
        ("a.npz", "photo.png"),
    ],
)
def test_a_distance_is_symmetric(
    done: Run, folder: Path, first: str, second: str, solver: tuple[str, ...]
) -> None:
    """To the last digit, for files, mixtures, and one of each; and not zero."""
    Path("shape.obj").write_text(SHAPE)
    Path("other.obj").write_text(SHAPE.replace("v 0 0 3", "v 0 0 7"))
    if first == "a.npz":
        done("fit", "cube.npy", "-o", "a.npz", "-k", "3")
        done("fit", "palette.png", "-o", "b.npz", "-k", "3", "--seed", "7")
    quick = () if not solver and first == "photo.png" else QUICK
    fitted = () if second == "b.npz" else ("-k", "3")
    forth = done("distance", first, second, *fitted, *solver, *quick).out
    back = done("distance", second, first, *fitted, *solver, *quick).out
    assert forth == back
    assert number(forth) > 0.01


@pytest.mark.parametrize("name", ["photo.png", "cube.npy", "gray.png", "shape.obj"])
@pytest.mark.parametrize("solver", ["mew2", "mgw2"])
def test_a_distance_to_itself_is_zero(done: Run, folder: Path, name: str, solver: str) -> None:
    """As a file and as a mixture of itself."""
    Path("shape.obj").write_text(SHAPE)
    done("fit", name, "-o", "m.npz", "-k", "3")
    for pair in ((name, name, "-k", "3"), (name, "m.npz", "-k", "3"), ("m.npz", "m.npz")):
        assert number(done("distance", *pair, "--solver", solver, *QUICK).out) < 1e-6


def test_a_mixture_stands_for_its_file(done: Run, folder: Path) -> None:
    """The same number for files and for what was fitted to them."""
    done("fit", "cube.npy", "-o", "a.npz", "-k", "3")
    done("fit", "palette.png", "-o", "b.npz", "-k", "3")
    files = done("distance", "cube.npy", "palette.png", "-k", "3", *QUICK).out
    assert done("distance", "a.npz", "b.npz", *QUICK).out == files
    assert done("distance", "a.npz", "palette.png", "-k", "3", *QUICK).out == files


def test_size_counts_only_where_it_is_asked_for(done: Run, folder: Path) -> None:
    """A shape and its double are one shape, unless sizes are kept."""
    Path("one.obj").write_text(SHAPE)
    double = re.sub(r"\d", lambda m: str(2 * int(m[0])), SHAPE[: SHAPE.index("f")])
    Path("two.obj").write_text(double + SHAPE[SHAPE.index("f") :])
    same = ("distance", "one.obj", "two.obj", "-k", "3", *QUICK)
    assert number(done(*same).out) < 1e-6
    assert number(done(*same, "--set", "prepare.size=true").out) > 0.1


def words(text: str) -> dict[str, str]:
    """Return what `inspect` printed, by its first column."""
    return {line[:14].rstrip(): line[15:] for line in text.splitlines()}


def test_inspect_a_picture(done: Run, folder: Path) -> None:
    """Size, alpha and range."""
    told = words(done("inspect", "rgba.png").out)
    assert told["kind"] == "picture"
    assert (told["rows"], told["columns"], told["bands"]) == ("24", "20", "3")
    assert told["stored as"] == "uint8"
    assert (told["alpha"], told["georeferenced"], told["nodata"]) == ("yes", "no", "none")
    assert re.fullmatch(r"\d+ of 480", told["valid pixels"])
    assert told["valid pixels"] != "480 of 480"


def test_inspect_a_cube(done: Run, folder: Path) -> None:
    """Holes are counted and do not enter the range; nodata and wavelengths are told."""
    told = words(done("inspect", "holes.npy").out)
    assert (told["kind"], told["bands"], told["stored as"]) == ("cube", "6", "float32")
    assert told["valid pixels"] == "459 of 480"
    low, high = (float(value) for value in told["range"].split(" … "))
    array = np.load("holes.npy")
    whole = array[np.isfinite(array).all(axis=2)]
    assert (low, high) == pytest.approx((whole.min(), whole.max()), rel=1e-5)
    geotiff(Path("scene.tif"), under=3)
    told = words(done("inspect", "scene.tif").out)
    assert (told["nodata"], told["georeferenced"]) == ("-9999", "yes")
    assert told["wavelengths"] == "unknown"


def test_inspect_an_empty_cube(done: Run, folder: Path) -> None:
    """Without a valid pixel there is no range."""
    np.save("nan.npy", np.full((5, 5, 4), np.nan))
    told = words(done("inspect", "nan.npy").out)
    assert told["valid pixels"] == "0 of 25"
    assert "range" not in told


def test_inspect_a_shape(done: Run, folder: Path) -> None:
    """A mesh with its box, and a cloud."""
    Path("shape.obj").write_text(SHAPE)
    told = words(done("inspect", "shape.obj").out)
    assert (told["kind"], told["vertices"], told["faces"]) == ("mesh", "4", "4")
    assert (told["least"], told["largest"]) == ("0 0 0", "2 1 3")
    Path("cloud.xyz").write_text("0 0 0\n1 2 3\n4 5 6\n")
    told = words(done("inspect", "cloud.xyz").out)
    assert (told["kind"], told["vertices"]) == ("cloud", "3")


def test_inspect_artefacts(done: Run, folder: Path) -> None:
    """A mixture and a plan say what they are and what they were made from."""
    done("fit", "cube.npy", "-o", "a.npz", "-k", "3", "--seed", "4")
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "p.npz", *QUICK)
    told = words(done("inspect", "a.npz").out)
    assert (told["kind"], told["components"], told["seed"]) == ("mixture", "3", "4")
    assert re.fullmatch(r"cube\.npy [0-9a-f]{12}", told["made from"])
    text = done("inspect", "p.npz").out
    told = words(text)
    assert (told["kind"], told["solver"], told["components"]) == ("plan", "mew2", "3 to 2")
    assert float(told["value"]) >= float(told["bound"])
    assert text.count("made from") == 2


def test_stages_lists_every_stage_and_option(done: Run) -> None:
    """Each with its owner, its default and its meaning; one kind alone when asked."""
    text = done("stages").out
    for stage in registry.stages():
        assert f"{stage.kind} {stage.name}  ({stage.package} {stage.version})" in text
    assert (
        "    components = none  an integer or none\n        K, how many Gaussians; None is 15"
        in text
    )
    assert "    gain_cap = 5.0  a number or none\n" in text
    only = done("stages", "map").out
    heads = [line for line in only.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in heads] == ["mean", "nearest", "rand"]


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Declare a plug-in that works and others that do not."""
    folder.joinpath("gw_third.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Half:\n"
        '    """Half.\n\n    Attributes\n    ----------\n    share : float\n        How much.\n'
        '    """\n'
        "    share: float = 0.5\n"
        "    def __call__(self, plan, *, candidates=None):\n"
        "        return lambda points, index=None: self.share + 0 * points[:, :3]\n"
    )
    folder.joinpath("gw_broken.py").write_text("raise RuntimeError('first\\nsecond')\n")
    monkeypatch.syspath_prepend(folder)
    known = registry._discover()

    def stage(kind: str, name: str, value: str) -> registry.Stage:
        return registry.Stage(
            kind=kind, name=name, package="gw-third", version="2.1",
            entry=EntryPoint(name, value, f"gwtransfer.{kind}"),
        )  # fmt: skip

    added = (
        stage("map", "half", "gw_third:Half"),
        stage("map", "gone", "gw_third:Gone"),
        stage("load", "broken", "gw_broken:Loader"),
        stage("write", "absent", "gw_absent:Writer"),
    )
    monkeypatch.setattr(registry, "_discover", lambda: (*known, *added))


def test_stages_lists_plugins_that_work_and_that_do_not(done: Run, plugins: None) -> None:
    """A third-party stage with its owner; a broken one with its fault, in one line."""
    text = done("stages").out
    assert "map half  (gw-third 2.1)\n    share = 0.5  a number\n        How much.\n" in text
    for name in ("map gone", "load broken", "write absent"):
        after = text[text.index(f"{name}  (gw-third 2.1)\n") :].splitlines()[1]
        assert after.startswith("    unusable: ")
    assert "RuntimeError: first\n" in text
    assert "map rand  (gwtransfer" in text


def test_broken_plugins_hinder_nobody(done: Run, run: Run, plugins: None, folder: Path) -> None:
    """Files are read and written as ever; the plug-in's map maps; asked for, a broken one says."""
    done("color", "photo.png", "palette.png", "-o", "out.png", "-k", "2", "--map", "half",
         "--space", "srgb", "--set", "map.share=0.25")  # fmt: skip
    from PIL import Image

    with Image.open("out.png") as image:
        assert (np.asarray(image) == 64).all()
    result = run("color", "photo.png", "palette.png", "-o", "o.png", "--map", "gone")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "gw-third 2.1" in result.err
    result = run("inspect", "photo.png", "--load", "broken")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "RuntimeError: first" in result.err


def test_the_summary_is_five_lines(done: Run, folder: Path) -> None:
    """Source, palette, fit, plan and result."""
    lines = done("color", "cube.npy", "palette.png", "-o", "out.png", "-k", "3",
                 "--variance", "0.9", *QUICK).out  # fmt: skip
    source, palette, fit, plan, result = lines.splitlines()
    assert source == "source   cube.npy: 24 × 20 pixels, 6 bands, float32"
    assert palette == "palette  palette.png: 24 × 20 pixels, 3 bands, uint8"
    axes = r"3 components in \d principal axes of 6; 3 components in 3 axes"
    assert re.fullmatch(rf"fit      {axes}", fit)
    found = re.fullmatch(
        r"plan     mew2, value (\S+), bound (\S+), (\d+) of (\d+) starts agree(, not converged)?",
        plan,
    )
    assert found
    assert float(found[1]) >= float(found[2])
    assert re.fullmatch(r"result   out\.png: luminance order kept [+-]\d\.\d{3}, \d+\.\d s", result)


def test_the_summary_of_an_exact_plan(done: Run, folder: Path) -> None:
    """Nothing to say of starts where there is only one."""
    lines = done("color", "gray.png", "gray.png", "-o", "out.png", "-k", "1").out.splitlines()
    assert len(lines) == 5
    assert lines[0].endswith("1 band, uint8")
    assert lines[2] == "fit      1 component in 1 axis; 1 component in 1 axis"
    assert "starts" not in lines[3]
    assert "kept +1.000" in lines[4]


def test_the_summaries_of_the_steps(done: Run, folder: Path) -> None:
    """Each names its result last."""
    fitted = done("fit", "cube.npy", "-o", "a.npz", "-k", "2").out.splitlines()
    assert fitted[0].startswith("fit      cube.npy: 2 components in ")
    assert fitted[1:] == ["result   a.npz"]
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    planned = done("plan", "a.npz", "b.npz", "-o", "p.npz", *QUICK).out.splitlines()
    assert planned[0].startswith("plan     mew2, value ")
    assert planned[1:] == ["result   p.npz"]
    applied = done("apply", "p.npz", "cube.npy", "-o", "out.png").out.splitlines()
    assert [line.split()[0] for line in applied] == ["source", "plan", "result"]
    assert applied[1] == planned[0]
