"""Whatever is wrong is said in one line, with the right exit code, and leaves nothing behind."""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from .conftest import QUICK, Run, geotiff

REFUSED, MISUSED = 1, 2
COLOR = ("color", "{a}", "palette.png", "-o", "out.png", "-k", "2")


@pytest.fixture
def fails(run: Run, folder: Path) -> Callable[..., str]:
    """Run, expect an exit code and one line that holds the words, and no change in the folder."""

    def call(code: int, words: tuple[str, ...], *arguments: object) -> str:
        before = snapshot(folder)
        result = run(*arguments)
        assert result.code == code, result
        assert result.out == ""
        assert result.err.endswith("\n")
        assert result.err.count("\n") == 1
        assert result.err.startswith("gwtransfer: ")
        assert "internal error" not in result.err
        for word in words:
            assert word in result.err
        assert snapshot(folder) == before
        return result.err

    return call


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def png_header(columns: int, rows: int, depth: int, colour: int) -> bytes:
    """Return a PNG without pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def write_bad(name: str) -> None:
    """Write one bad input into the working folder."""
    path = Path(name)
    if name == "folder.png":
        path.mkdir()
    elif name == "empty.png":
        path.touch()
    elif name == "text.png":
        path.write_text("this is no picture\n")
    elif name == "short.png":
        path.write_bytes(Path("photo.png").read_bytes()[:300])
    elif name == "short.tif":
        geotiff(path, under=1)
        path.write_bytes(path.read_bytes()[:-500])
    elif name == "short.dat":
        lines = ["samples = 10", "lines = 10", "bands = 4", "data type = 4", "interleave = bsq",
                 "byte order = 0", "header offset = 0", "file type = ENVI Standard"]  # fmt: skip
        Path("short.hdr").write_text("\n".join(["ENVI", *lines, ""]))
        path.write_bytes(bytes(900))
    elif name == "deep.png":
        path.write_bytes(png_header(4, 4, 16, 2))
    elif name == "dot.png":
        Image.new("RGB", (1, 1), (9, 8, 7)).save(path)
    elif name == "flat.png":
        Image.new("RGB", (9, 9), (9, 8, 7)).save(path)
    elif name == "two.png":
        pixels = np.zeros((9, 9, 3), dtype=np.uint8)
        pixels[:4] = 200
        Image.fromarray(pixels).save(path)
    elif name == "pair.mat":
        scipy.io.savemat(path, {"first": np.ones((4, 5, 3)), "second": np.ones((6, 7, 3))})
    else:
        arrays = {
            "nan.npy": np.full((6, 6, 4), np.nan),
            "onepixel.npy": np.ones((1, 1, 4)),
            "square.npy": np.ones((8, 40, 40)),
            "bool.npy": np.ones((5, 5, 4), dtype=bool),
            "complex.npy": np.ones((5, 5, 4), dtype=complex),
            "objects.npy": np.array([{}], dtype=object),
            "line.npy": np.ones(7),
            "none.npy": np.ones((4, 0, 5)),
            "huge.npy": np.linspace(-1e200, 1e200, 96).reshape(4, 6, 4),
            "wide.npy": np.linspace(-1e145, 1e145, 96).reshape(4, 6, 4),
            "tiny.npy": np.linspace(-1e-150, 1e-150, 96).reshape(4, 6, 4),
        }
        np.save(path, arrays[name])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.png", ("missing.png: no such file",)),
        ("phto.png", ("phto.png: no such file", "did you mean photo.png?")),
        ("photo.png/x.png", ("no such file",)),
        ("folder.png", ("folder.png: expected a file, a Zarr folder, or a folder of one image",)),
        ("empty.png", ("empty.png: expected data, found an empty file",)),
        ("text.png", ("text.png: expected a picture, cube, film or shape",)),
        ("short.png", ("short.png: expected a PNG picture",)),
        ("short.tif", ("short.tif:", "bytes")),
        ("short.dat", ("short.dat:", "1600", "900")),
        ("deep.png", ("deep.png: expected a PNG",)),
        ("dot.png", ("dot.png: expected at least 2", "found 1")),
        ("onepixel.npy", ("onepixel.npy: expected at least 2", "found 1")),
        ("flat.png", ("flat.png:", "found 1 for 2", "--components 1")),
        ("nan.npy", ("nan.npy: no valid pixel",)),
        ("pair.mat", ("pair.mat:", "first", "second", "--variable")),
        ("square.npy", ("square.npy:", "--band-axis 0 or --band-axis 2")),
        ("bool.npy", ("bool.npy: expected real numbers",)),
        ("complex.npy", ("complex.npy: expected real numbers",)),
        ("objects.npy", ("objects.npy:", "never loaded")),
        ("line.npy", ("line.npy: expected (rows, columns)",)),
        ("none.npy", ("none.npy: expected pixels",)),
        ("huge.npy", ("huge.npy: expected values up to",)),
        ("wide.npy", ("wide.npy: expected a spread",)),
        ("tiny.npy", ("tiny.npy: expected a spread",)),
    ],
)
def test_a_bad_source_or_palette_is_refused(
    fails: Callable[..., str], name: str, words: tuple[str, ...]
) -> None:
    """The message begins with the file, on either side and in a fit and a distance."""
    if "." in name and not name.startswith(("missing", "phto", "photo")):
        write_bad(name)
    first = fails(REFUSED, words, "color", name, "palette.png", "-o", "out.png", "-k", "2")
    assert first.startswith("gwtransfer: " + name[:4])
    assert fails(REFUSED, words, "color", "photo.png", name, "-o", "out.npy", "-k", "2") == first
    assert fails(REFUSED, words, "fit", name, "-o", "out.npz", "-k", "2") == first
    assert fails(REFUSED, words, "distance", "photo.png", name, "-k", "2") == first


def test_more_components_than_distinct_pixels(fails: Callable[..., str]) -> None:
    """The message says how many there are."""
    write_bad("two.png")
    words = ("two.png:", "found 2 for 3", "--components 2")
    fails(REFUSED, words, "color", "two.png", "palette.png", "-o", "out.png", "-k", "3")
    fails(REFUSED, words, "color", "palette.png", "two.png", "-o", "out.png", "-k", "3")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-k", "0"), ("components", "at least 1", "0")),
        (("--components", "-3"), ("components", "at least 1", "-3")),
        (("-k", "x"), ("--components", "integer")),
        (("-k", "2.5"), ("--components", "integer")),
        (("--sample", "0"), ("sample", "at least 1")),
        (("--sample", "-1"), ("sample", "-1")),
        (("--gain-cap", "0"), ("gain_cap", "above 0")),
        (("--gain-cap", "-2"), ("gain_cap", "-2")),
        (("--gain-cap", "nan"), ("gain_cap", "nan")),
        (("--gain-cap", "much"), ("gain_cap", "much")),
        (("--strength", "-0.1"), ("strength", "0 to 1", "-0.1")),
        (("--strength", "1.1"), ("strength", "0 to 1", "1.1")),
        (("--strength", "nan"), ("strength", "nan")),
        (("--anchor", "-1"), ("anchor", "-1")),
        (("--anchor", "nan"), ("anchor", "nan")),
        (("--anchor", "inf"), ("anchor", "inf")),
        (("--anchor", "1e308"), ("anchor", "1e+308")),
        (("--variance", "0"), ("variance", "above 0")),
        (("--variance", "-0.5"), ("variance", "-0.5")),
        (("--variance", "1.5"), ("variance", "1.5")),
        (("--variance", "nan"), ("variance", "nan")),
        (("--seed", "-1"), ("seed", "-1")),
        (("--seed", "4294967296"), ("seed", "4294967295")),
        (("--solver", "nope"), ("plan", "nope", "mew2, mgw2, mw2")),
        (("--map", "men"), ("men", "did you mean mean?", "nearest, rand")),
        (("--load", "nope"), ("load", "nope", "picture")),
        (("--set", "fit=nope"), ("fit", "nope", "gmm, halving")),
        (("--set", "prepare=nope"), ("prepare", "nope", "color, spectral, xyz")),
        (("--set", "paln=mew2"), ("--set paln=mew2", "did you mean plan?")),
        (("--set", "load.x=1"), ("no load stage has an option 'x'",)),
        (("--set", "loda.x=1"), ("--set loda.x=1", "did you mean load?")),
        (("--set", "fit"), ("--set fit", "KIND=STAGE or KIND.OPTION=VALUE")),
        (("--set", "fit.=3"), ("KIND.OPTION=VALUE",)),
        (("--set", "fit.floor="), ("KIND.OPTION=VALUE",)),
        (("--set", "fit.flor=1"), ("fit stage gmm has no option 'flor'", "did you mean floor?")),
        (("--set", "fit.floor=low"), ("floor", "a number", "low")),
        (("--set", "fit.floor=-1"), ("floor", "-1")),
        (("--set", "fit.iterations=1e2"), ("iterations", "an integer", "1e2")),
        (("--set", "prepare.noise=maybe"), ("noise", "true or false", "maybe")),
        (("--set", "plan.rotation=left"), ("rotation", "any, proper", "left")),
        (("--set", "plan.random=-1"), ("random", "-1")),
        (("--set", "plan.waves=-1"), ("waves", "-1")),
        (("--marginals", "loose"), ("marginals", "hard, soft", "loose")),
        (("--penalty", "0.5"), ("penalty", "--marginals soft")),
        (("--marginals", "soft", "--penalty", "-1"), ("penalty", "from 0 to", "-1")),
        (("--marginals", "soft", "--penalty", "much"), ("--penalty", "a valid number")),
        (("--marginals", "soft", "--set", "plan.divergence=js"), ("divergence", "kl, squared")),
        (("--band-axis", "3"), ("band-axis", "3")),
        (("--frobnicate",), ("No such option", "--frobnicate")),
        (("--strenght", "1"), ("--strenght",)),
        (("--seed",), ("--seed",)),
        (("extra.png",), ("extra",)),
    ],
)
def test_a_wrong_option_is_misuse(
    fails: Callable[..., str], arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """It is said whatever the files hold."""
    fails(MISUSED, words, "color", "cube.npy", "palette.png", "-o", "out.png", *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nosuch",), ("No such command", "nosuch")),
        (("color",), ("Missing argument",)),
        (("color", "photo.png", "palette.png"), ("Missing option", "--output")),
        (("color", "photo.png", "palette.png", "-o", "out.xyz"), ("out.xyz", ".png", ".tif")),
        (("color", "photo.png", "palette.png", "-o", "out"), ("out:", "without extension")),
        (("fit", "photo.png", "-o", "out.png"), ("out.png", "ends in .npz", ".png")),
        (("fit", "photo.png", "-o", "out"), ("out:", "ends in .npz")),
        (("plan", "a.npz", "b.npz", "-o", "out.json"), ("out.json", "ends in .npz")),
        (("stages", "plans"), ("plans", "did you mean plan?")),
        (
            ("distance", "photo.png", "cube.npy", "--set", "plan.marginals=soft"),
            ("marginals", "a distance needs hard ones"),
        ),
        (
            ("pairwise", ".", "-o", "d.csv", "--glob", "*.png", "--set", "plan.marginals=soft"),
            ("marginals", "a distance needs hard ones"),
        ),
        (("inspect", "photo.png", "--variable", "x"), ("photo.png", "--variable")),
        (("inspect", "cube.npy", "--variable", "x"), ("cube.npy", "--variable")),
        (("--nosuch", "stages"), ("--nosuch",)),
    ],
)
def test_a_wrong_command_line_is_misuse(
    fails: Callable[..., str], arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """Nothing of it depends on what the files hold."""
    fails(MISUSED, words, *arguments)


def outputs() -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield each command that writes, without its output, and a good name for it."""
    yield "out.png", ("color", "photo.png", "palette.png", "-k", "2"), ("photo.png", "palette.png")
    yield "out.npz", ("fit", "photo.png", "-k", "2"), ()
    yield "out2.npz", ("plan", "a.npz", "b.npz"), ("a.npz", "b.npz")
    yield "out2.png", ("apply", "p.npz", "photo.png"), ("photo.png",)


@pytest.fixture
def steps(done: Run, folder: Path) -> Path:
    """Add two mixtures and their plan to the folder."""
    done("fit", "photo.png", "-o", "a.npz", "-k", "2")
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "p.npz")
    return folder


@pytest.mark.parametrize(("name", "command", "inputs"), list(outputs()))
def test_an_output_that_cannot_be_is_refused_before_any_work(
    fails: Callable[..., str],
    steps: Path,
    name: str,
    command: tuple[str, ...],
    inputs: tuple[str, ...],
) -> None:
    """It exists, has no folder, lies under a file, is a folder, or is an input."""
    Path(name).write_bytes(b"precious")
    fails(REFUSED, (f"{name}: already exists", "--overwrite"), *command, "-o", name)
    Path("link" + name).symlink_to("nowhere")
    fails(REFUSED, ("already exists",), *command, "-o", "link" + name)
    fails(REFUSED, ("there is no folder nofolder",), *command, "-o", f"nofolder/{name}")
    fails(REFUSED, ("photo.png to be a folder",), *command, "-o", f"photo.png/{name}")
    if command[0] != "apply":  # which writes into folders
        Path("x" + name).mkdir()
        fails(REFUSED, ("found a folder",), *command, "-o", "x" + name)
    for given in inputs:
        words = ("the output is the input", "choose another name")
        fails(MISUSED, words, *command, "-o", given, "--overwrite")
        Path("s" + given).symlink_to(given)
        fails(MISUSED, words, *command, "-o", "s" + given, "--overwrite")
        Path("h" + given).hardlink_to(given)
        fails(MISUSED, words, *command, "-o", "h" + given, "--overwrite")
        fails(MISUSED, words, *command, "-o", f"../{steps.name}/{given}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(fails: Callable[..., str], folder: Path) -> None:
    """A folder nobody may write to, and a file nobody may read."""
    closed = folder / "closed"
    closed.mkdir(mode=0o500)
    fails(REFUSED, ("no permission",), "fit", "photo.png", "-o", "closed/out.npz")
    Path("gray.png").chmod(0)
    fails(REFUSED, ("gray.png: no permission",), "inspect", "gray.png")
    Path("gray.png").chmod(0o600)


def test_overwrite_replaces_only_on_success(done: Run, fails: Callable[..., str]) -> None:
    """A refused run leaves the old file as it was."""
    Path("out.png").write_bytes(b"old")
    command = ("color", "photo.png", "palette.png", "-o", "out.png", "--overwrite", "-k")
    fails(REFUSED, ("distinct",), *command, 100000)
    done(*command, 2)
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["out.png", "out.jpg"])
def test_a_picture_format_holds_no_cube(fails: Callable[..., str], name: str) -> None:
    """Whether the result is one depends on the palette's content, so this is no misuse."""
    words = ("found a cube of 6 bands", ".tif or .npy")
    fails(REFUSED, words, "color", "photo.png", "cube.npy", "-o", name, "-k", "2")


@pytest.mark.parametrize("source", ["rgba.png", "holes.npy"])
def test_jpeg_holds_no_holes(fails: Callable[..., str], source: str) -> None:
    """Transparent or missing pixels need another format."""
    words = (f"{source}:", "JPEG cannot hold", ".png or .tif")
    fails(REFUSED, words, "color", source, "palette.png", "-o", "out.jpg", "-k", "2", *(
        QUICK if source == "holes.npy" else ()))  # fmt: skip


def test_cubes_of_other_bands_do_not_blend(fails: Callable[..., str], folder: Path) -> None:
    """Two cubes are both bands, but a strength below 1 needs the same bands."""
    np.save("five.npy", np.load("cube.npy")[:, :, :5])
    fails(REFUSED, ("strength 0.5", "6 bands"), "color", "five.npy", "cube.npy", "-o", "out.npy",
          "-k", "2", "--strength", "0.5", *QUICK)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("fit", "cube.npy", "-o", "o.npz"), "plan.random=1"),
        (("plan", "a.npz", "b.npz", "-o", "o.npz"), "fit.components=3"),
        (("apply", "p.npz", "cube.npy", "-o", "o.png"), "prepare.variance=0.5"),
        (("distance", "a.npz", "b.npz"), "map=rand"),
    ],
)
def test_a_step_refuses_the_settings_of_another(
    fails: Callable[..., str], steps: Path, command: tuple[str, ...], setting: str
) -> None:
    """An option that would do nothing is a mistake."""
    fails(MISUSED, ("of another step", setting), *command, "--set", setting)


def test_one_choice_is_made_once(fails: Callable[..., str], folder: Path) -> None:
    """A solver named twice is refused."""
    fails(MISUSED, ("--solver mgw2 already chose",), "color", "photo.png", "palette.png",
          "-o", "o.png", "--solver", "mgw2", "--set", "plan=mew2")  # fmt: skip


def test_nearest_wants_the_palette_of_its_plan(
    fails: Callable[..., str], done: Run, steps: Path
) -> None:
    """Another file than the target was fitted to, or a palette nothing asked for, is refused."""
    apply = ("apply", "p.npz", "photo.png", "-o", "o.png", "--palette")
    fails(REFUSED, ("gray.png: expected", "another file"), *apply, "gray.png", "--map", "nearest")
    fails(MISUSED, ("--palette is of no use to --map mean",), *apply, "palette.png")


def test_sides_that_do_not_fit(fails: Callable[..., str], steps: Path, done: Run) -> None:
    """A solver, a strength or a plan that these files do not allow."""
    cube = ("color", "cube.npy", "palette.png", "-o", "out.png", "-k", "2")
    fails(REFUSED, ("mw2", "one space", "--solver mew2"), *cube, "--solver", "mw2")
    fails(REFUSED, ("proper", "one dimension"), *cube, "--set", "plan.rotation=proper")
    fails(REFUSED, ("visible luminance",), *cube, "--set", "prepare.luminance=visible")
    fails(REFUSED, ("strength 0.5", "6 bands", "--strength 1"), "color", "photo.png", "cube.npy",
          "-o", "out.npy", "-k", "2", "--strength", "0.5", *QUICK)  # fmt: skip
    done("fit", "cube.npy", "-o", "c.npz", "-k", "2")
    fails(REFUSED, ("mw2", "one space"), "plan", "c.npz", "b.npz", "-o", "q.npz",
          "--solver", "mw2")  # fmt: skip
    fails(REFUSED, ("mw2", "one space"), "distance", "c.npz", "b.npz", "--solver", "mw2")
    fails(REFUSED, ("cube.npy: expected the 3 bands", "found 6"), "apply", "p.npz", "cube.npy",
          "-o", "out.png")  # fmt: skip
    fails(REFUSED, ("gray.png: expected the 3 bands",), "apply", "p.npz", "gray.png",
          "-o", "out.png")  # fmt: skip
    fails(MISUSED, ("nearest", "palette"), "apply", "p.npz", "photo.png", "-o", "out.png",
          "--map", "nearest")  # fmt: skip


def test_the_wrong_artefact(fails: Callable[..., str], steps: Path) -> None:
    """A mixture is no plan, a plan no mixture, a picture neither, and a broken one says so."""
    apply, plan = ("apply", "photo.png", "-o", "o.png"), ("plan", "b.npz", "-o", "o.npz")
    fails(REFUSED, ("a.npz: expected a plan", "mixture"), apply[0], "a.npz", *apply[1:])
    fails(REFUSED, ("p.npz: expected a mixture", "plan"), plan[0], "p.npz", *plan[1:])
    fails(REFUSED, ("p.npz: expected a mixture",), "distance", "p.npz", "b.npz")
    fails(REFUSED, ("gray.png: expected a gwtransfer .npz",), apply[0], "gray.png", *apply[1:])
    fails(REFUSED, ("gray.png: expected a gwtransfer .npz",), plan[0], "gray.png", *plan[1:])
    fails(REFUSED, ("q.npz: no such file", "p.npz?"), apply[0], "q.npz", *apply[1:])
    whole = Path("p.npz").read_bytes()
    for broken in (whole[:-100], whole[: len(whole) // 2], whole[:10], b"x"):
        Path("t.npz").write_bytes(broken)
        fails(REFUSED, ("t.npz: expected a gwtransfer .npz",), apply[0], "t.npz", *apply[1:])
    place = whole.index(b"coupling.npy") + 200
    Path("t.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    fails(REFUSED, ("t.npz:",), apply[0], "t.npz", *apply[1:])
    np.savez("t.npz", x=1)
    fails(REFUSED, ("t.npz: expected a gwtransfer .npz",), apply[0], "t.npz", *apply[1:])
    fails(REFUSED, ("t.npz",), "inspect", "t.npz")


def test_a_result_beyond_single_floats(fails: Callable[..., str]) -> None:
    """No file is written with infinities in it."""
    np.save("big.npy", np.random.default_rng(0).normal(0, 1e60, (9, 8, 4)))
    for name in ("out.npy", "out.tif"):
        words = ("photo.png", "float32")
        fails(REFUSED, words, "color", "photo.png", "big.npy", "-o", name, "-k", "2", *QUICK)


def test_a_full_disk_is_one_line(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own word is passed on."""

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gwtransfer.io.files._to_disk", full)
    fails(REFUSED, ("out.png: cannot be written: No space left",), "color", "photo.png",
          "palette.png", "-o", "out.png", "-k", "2")  # fmt: skip


def test_debug_shows_where(run: Run, folder: Path) -> None:
    """With --debug the traceback comes before the line."""
    result = run("--debug", "inspect", "missing.png")
    assert result.code == REFUSED
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("gwtransfer: missing.png: no such file")


def test_a_bug_is_one_line_too(
    fails: Callable[..., str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error asks to be reported, and memory that runs out says what to do."""

    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("oh\nno")

    def hungry(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("gwtransfer.jobs.fit_opened", broken)
    result = run("fit", "photo.png", "-o", "x.npz")
    assert result.code == REFUSED
    assert result.err == (
        "gwtransfer: internal error: RuntimeError: oh no; run again with --debug and report it\n"
    )
    monkeypatch.setattr("gwtransfer.jobs.fit_opened", hungry)
    fails(REFUSED, ("memory", "--components"), "fit", "photo.png", "-o", "x.npz")
