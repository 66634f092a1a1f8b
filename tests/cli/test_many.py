"""One plan for many files: which, in which order, under which names, and what if some fail."""

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gwtransfer import imaging
from gwtransfer.core.raster import Film, Raster, Rows
from gwtransfer.io.layout import array_raster

from .conftest import Result, Run

DONE, REFUSED, MISUSED, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


@pytest.fixture
def plan(done: Run, folder: Path) -> str:
    """Add a plan of two pictures to the folder."""
    done("color", "photo.png", "palette.png", "-k", "2", "-o", "any.png", "--save-plan", "p.npz")
    Path("any.png").unlink()
    return "p.npz"


@pytest.fixture
def frames(folder: Path) -> Path:
    """Make a folder of frames 1, 2 and 10 that are almost the photo, and a hidden file."""
    where = folder / "frames"
    where.mkdir()
    photo = pixels("photo.png")
    for number in (1, 2, 10):
        shifted = np.roll(photo, number, axis=1)
        Image.fromarray(shifted).save(where / f"f{number}.png")
    (where / ".hidden.png").write_bytes(b"no picture")
    (where / "notes.txt").write_text("of another kind\n")
    return where


def pixels(name: str | Path) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def results(result: Result) -> list[str]:
    """Return the names said on stdout, in order."""
    lines = [line.split(maxsplit=1) for line in result.out.splitlines()]
    assert lines[-1][0] == "done"
    assert all(word == "result" for word, _ in lines[:-1])
    return [name for _, name in lines[:-1]]


def listed(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize("how", ["folder", "pattern", "names", "mixed"])
def test_files_are_named_in_several_ways(done: Run, plan: str, frames: Path, how: str) -> None:
    """A folder, a pattern and names give the same files; folders and patterns count naturally."""
    given = {
        "folder": ("frames",),
        "pattern": ("frames/f*.png",),
        "names": ("frames/f1.png", "frames/f2.png", "frames/f10.png"),
        "mixed": ("frames/f1.png", "frames/f[!1]*.png", "frames/f10.png"),
    }[how]
    result = done("apply", plan, *given, "-o", "out/")
    assert results(result) == ["out/f1.png", "out/f2.png", "out/f10.png"]
    assert "3 of 3 files into out" in result.out
    assert listed("out") == ["f1.png", "f10.png", "f2.png"]
    for number in (1, 2, 10):
        done("apply", plan, f"frames/f{number}.png", "-o", f"alone{number}.png")
        alone = Path(f"alone{number}.png").read_bytes()
        assert Path(f"out/f{number}.png").read_bytes() == alone


def test_one_map_for_all_frames(done: Run, plan: str, frames: Path) -> None:
    """A value that occurs in two frames becomes the same colour in both."""
    assert len(results(done("apply", plan, "frames/f[12].png", "-o", "out/"))) == 2
    looks: dict[tuple[int, ...], tuple[int, ...]] = {}
    seen = 0
    for number in (1, 2):
        before, after = pixels(frames / f"f{number}.png"), pixels(f"out/f{number}.png")
        for value, colour in zip(before.reshape(-1, 3), after.reshape(-1, 3), strict=True):
            key = tuple(value.tolist())
            seen += key in looks
            assert looks.setdefault(key, tuple(colour.tolist())) == tuple(colour.tolist())
    assert seen >= 480


def test_an_existing_folder_needs_no_slash(done: Run, plan: str, frames: Path) -> None:
    """One source into a folder that is there, or that is made for it."""
    Path("there").mkdir()
    assert results(done("apply", plan, "photo.png", "-o", "there")) == ["there/photo.png"]
    assert results(done("apply", plan, "photo.png", "-o", "new/")) == ["new/photo.png"]
    words = done("apply", plan, "photo.png", "-o", "new/../other/").out
    assert "1 of 1 file into" in words
    assert Path("other/photo.png").read_bytes() == Path("there/photo.png").read_bytes()


@pytest.mark.parametrize(
    ("extension", "name"), [("tif", "f1.tif"), (".jpg", "f1.jpg"), ("PNG", "f1.PNG")]
)
def test_a_format_for_all(done: Run, plan: str, frames: Path, extension: str, name: str) -> None:
    """With the dot or without; the content is of that format."""
    done("apply", plan, "frames", "-o", "out/", "--format", extension)
    assert name in listed("out")
    assert len(listed("out")) == 3
    with Image.open(f"out/{name}") as image:
        wanted = {"tif": "TIFF", "jpg": "JPEG", "png": "PNG"}[name[-3:].lower()]
        assert (image.format, image.size) == (wanted, (20, 24))


def test_each_keeps_its_own_extension(done: Run, plan: str, folder: Path) -> None:
    """Where something writes it; else it is a PNG."""
    Image.fromarray(pixels("photo.png")).save("a.jpg", quality=95)
    Image.fromarray(pixels("photo.png")).save("b.webp", lossless=True)
    Image.fromarray(pixels("photo.png")).save("c.tif")
    done("apply", plan, "a.jpg", "b.webp", "c.tif", "photo.png", "-o", "out/")
    assert listed("out") == ["a.jpg", "b.png", "c.tif", "photo.png"]
    np.testing.assert_array_equal(pixels("out/b.png"), pixels("out/photo.png"))


def test_one_failure_does_not_stop_the_others(run: Run, plan: str, frames: Path) -> None:
    """Exit code 3, one line for each that failed, and all others written."""
    (frames / "f5.png").write_bytes((frames / "f1.png").read_bytes()[:200])
    shutil.copy("gray.png", frames / "f7.png")
    result = run("apply", plan, "frames", "missing.png", "-o", "out/")
    assert result.code == SOME_FAILED
    assert results(result) == ["out/f1.png", "out/f2.png", "out/f10.png"]
    assert "3 of 6 files" in result.out
    said = result.err.splitlines()
    assert [line.split(":")[1].strip() for line in said] == [
        "frames/f5.png", "frames/f7.png", "missing.png",
    ]  # fmt: skip
    assert all(line.startswith("gwtransfer: ") for line in said)
    assert "expected the 3 bands" in said[1]
    assert listed("out") == ["f1.png", "f10.png", "f2.png"]


def test_what_is_there_stays_unless_told(run: Run, done: Run, plan: str, frames: Path) -> None:
    """An existing output is a failure of that file; --overwrite replaces it."""
    Path("out").mkdir()
    Path("out/f2.png").write_bytes(b"precious")
    result = run("apply", plan, "frames", "-o", "out")
    assert result.code == SOME_FAILED
    assert results(result) == ["out/f1.png", "out/f10.png"]
    assert result.err.startswith("gwtransfer: out/f2.png: already exists; add --overwrite")
    assert Path("out/f2.png").read_bytes() == b"precious"
    assert len(results(done("apply", plan, "frames", "-o", "out", "--overwrite"))) == 3
    assert pixels("out/f2.png").shape == (24, 20, 3)


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (MISUSED, ("out/photo.png: both photo.png and frames/photo.png",),
         ("photo.png", "frames/photo.png", "-o", "out/")),
        (MISUSED, ("both photo.png and photo.png",), ("photo.png", "photo.png", "-o", "out/")),
        (MISUSED, ("out/a.png: both a.jpg and a.tif",),
         ("a.jpg", "a.tif", "-o", "out/", "--format", "png")),
        (MISUSED, ("the output is the input",), ("frames", "-o", "frames", "--overwrite")),
        (MISUSED, ("out.png: expected a folder", "several sources"),
         ("photo.png", "palette.png", "-o", "out.png")),
        (MISUSED, ("--format names the files in a folder",),
         ("photo.png", "-o", "out.png", "--format", "png")),
        (MISUSED, ("nothing writes .xyz",), ("frames", "-o", "out/", "--format", "xyz")),
        (MISUSED, ("nothing writes files without ext",), ("frames", "-o", "out/", "--format", "")),
        (MISUSED, ("--format", "an extension"), ("frames", "-o", "out/", "--format", "../x.png")),
        (MISUSED, ("does not hold --depth float",), ("frames", "-o", "out/", "--depth", "float")),
        (MISUSED, ("--bands zzz",), ("frames", "-o", "out/", "--bands", "zzz")),
        (MISUSED, ("no map stage is called 'nope'",), ("frames", "-o", "out/", "--map", "nope")),
        (MISUSED, ("nearest", "--palette"), ("frames", "-o", "out/", "--map", "nearest")),
        (MISUSED, ("option strength",), ("frames", "-o", "out/", "--strength", "7")),
        (MISUSED, ("--feather",), ("frames", "-o", "out/", "--feather", "7")),
        (REFUSED, ("no.png: no such file",), ("frames", "-o", "out/", "--mask", "no.png")),
        (REFUSED, ("gray.png: expected palette.png", "another file"),
         ("frames", "-o", "out/", "--map", "nearest", "--palette", "gray.png")),
        (REFUSED, ("empty: expected pictures or cubes", "this folder"), ("empty", "-o", "out/")),
        (REFUSED, ("*.gif: expected pictures or cubes", "this pattern"), ("*.gif", "-o", "out/")),
        (REFUSED, ("p.npz: expected a folder",), ("photo.png", "palette.png", "-o", "p.npz")),
        (REFUSED, ("no/such: cannot be made",), ("frames", "-o", "no/such/")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_all_is_said_once(
    run: Run, plan: str, frames: Path, *, code: int, words: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:  # fmt: skip
    """One line before any work, no folder made, nothing replaced."""
    shutil.copy("photo.png", frames)
    (frames.parent / "empty").mkdir()
    for name in ("a.jpg", "a.tif"):
        Image.fromarray(pixels("photo.png")).save(name)
    before = {path: path.read_bytes() for path in frames.parent.rglob("*") if path.is_file()}
    result = run("apply", plan, *arguments)
    assert (result.code, result.out) == (code, ""), result
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err
    assert not Path("out").exists()
    after = {path: path.read_bytes() for path in frames.parent.rglob("*") if path.is_file()}
    assert after == before


def test_a_missing_plan_is_said_once(run: Run, plan: str, frames: Path) -> None:
    """Also a plan that is none."""
    for name in ("none.npz", "photo.png"):
        result = run("apply", name, "frames", "-o", "out/")
        assert (result.code, result.err.count("\n")) == (REFUSED, 1)
        assert not Path("out").exists()


def test_masks_and_depth_hold_for_all(done: Run, plan: str, frames: Path) -> None:
    """Each frame is masked and stored as one alone would be."""
    mask = np.zeros((24, 20), dtype=np.uint8)
    mask[4:20, 5:15] = 255
    Image.fromarray(mask).save("mask.png")
    given = ("--mask", "mask.png", "--depth", "16", "--strength", "0.5")
    done("apply", plan, "frames", "-o", "out/", *given)
    done("apply", plan, "frames/f2.png", "-o", "alone.png", *given)
    assert Path("out/f2.png").read_bytes() == Path("alone.png").read_bytes()
    words = done("inspect", "out/f2.png").out
    assert "stored as      uint16" in words
    done("apply", plan, "frames", "-o", "plain/")
    assert (pixels("plain/f2.png") != pixels(frames / "f2.png")).any(axis=2)[mask == 0].any()


def test_a_film_among_pictures(run: Run, plan: str, frames: Path) -> None:
    """It becomes a film of the same frames, each as the picture of that frame becomes."""
    pytest.importorskip("av")
    from gwtransfer.io.film.film import FilmWriter

    array = np.stack([pixels(frames / f"f{number}.png") for number in (1, 2, 10)])
    made = array_raster(array.reshape(-1, 20, 3), name="made", kind="picture", scale=255)
    film = replace(made, film=Film(frames=3, rate=Fraction(25)))
    FilmWriter(codec="ffv1")(film, frames / "g.mkv")
    result = run("apply", plan, "frames", "-o", "out/")
    assert result.code == DONE
    assert results(result)[-1] == "out/g.mkv"
    assert listed("out") == ["f1.png", "f10.png", "f2.png", "g.mkv"]
    assert "frames         3\n" in run("inspect", "out/g.mkv").out
    run("apply", plan, "frames/g.mkv", "-o", "film.npy")
    values = np.load("film.npy").reshape(3, 24, 20, 3)
    for at, number in enumerate((1, 2, 10)):
        expected = pixels(f"out/f{number}.png")
        np.testing.assert_array_equal(np.floor(values[at] * 255 + 0.5), expected)


def test_notes_are_said_with_their_file(run: Run, plan: str, frames: Path) -> None:
    """On stderr, and the file counts as done."""
    Image.fromarray(pixels("photo.png") // 4).save("dark.png")
    run("color", "dark.png", "palette.png", "-k", "2", "-o", "any.png", "--save-plan", "d.npz")
    Image.fromarray(np.full((24, 20, 3), 255, dtype=np.uint8)).save(frames / "f5.png")
    shutil.copy("dark.png", frames / "f6.png")
    result = run("apply", "d.npz", "frames", "-o", "out/")
    assert result.code == DONE
    assert "5 of 5 files" in result.out
    assert all(line.startswith("note: frames/f") for line in result.err.splitlines())
    assert "note: frames/f5.png: 100% of its pixels are unlike" in result.err
    assert "f6.png" not in result.err


def test_an_interrupt_leaves_whole_files_only(
    run: Run, plan: str, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """130; what was finished stays, what was begun goes, and the next run can go on."""
    made = imaging.apply_plan
    calls = []

    def stopped(raster: Raster, *arguments: Any, **options: Any) -> Raster:
        image = made(raster, *arguments, **options)
        calls.append(raster.name)
        if len(calls) < 3:
            return image

        def read(start: int, stop: int) -> Rows:
            raise KeyboardInterrupt

        return replace(image, read=read)

    monkeypatch.setattr(imaging, "apply_plan", stopped)
    result = run("apply", plan, "frames", "-o", "out/")
    assert (result.code, result.err) == (INTERRUPTED, "gwtransfer: interrupted\n")
    assert calls == ["frames/f1.png", "frames/f2.png", "frames/f10.png"]
    assert listed("out") == ["f1.png", "f2.png"]
    for number in (1, 2):
        assert pixels(f"out/f{number}.png").shape == (24, 20, 3)
    monkeypatch.setattr(imaging, "apply_plan", made)
    again = run("apply", plan, "frames", "-o", "out/")
    assert (again.code, results(again)) == (SOME_FAILED, ["out/f10.png"])


@pytest.mark.parametrize("name", ["ünï ☃.png", "two words.png", "a*b.png", "[x].png", "-.png"])
def test_any_name_will_do(done: Run, plan: str, folder: Path, name: str) -> None:
    """Other alphabets, spaces, and what would be a pattern if no such file were there."""
    Path("photo.png").rename(name)
    assert results(done("apply", plan, "-o", "out/", "--", name)) == [f"out/{name}"]
    assert listed("out") == [name]
