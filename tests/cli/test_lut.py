"""`lut`: what other programs make of our tables is what `apply` makes of the pixels."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer.core.lut import lattice

from .conftest import Run

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not here")

VARIANTS = {
    "plain": (),
    "half": ("--strength", "0.5"),
    # A hue at the edge of what a screen shows magnifies the rounding of single floats.
    "its light": ("--keep", "luminance", "--set", "map.precision=double"),
    "its chroma": ("--keep", "chroma", "--set", "map.precision=double"),
    "flat": ("--gain-cap", "0.5"),
    "set": ("--set", "map.gain_cap=1.5"),
}


def planned(done: Run, source: str, palette: str, *options: str) -> str:
    """Fit both files and return the name of a plan between them."""
    for name, path in (("s.npz", source), ("t.npz", palette)):
        done("fit", path, "-o", name, "-k", "3", "--overwrite", *options)
    done("plan", "s.npz", "t.npz", "-o", "plan.npz", "--overwrite")
    return "plan.npz"


@pytest.fixture
def plan(done: Run, folder: Path) -> str:
    """Return the name of a plan between two pictures."""
    return planned(done, "photo.png", "palette.png")


def read_cube(path: str) -> np.ndarray:
    """Return the table of a .cube file, as its words say."""
    lines = Path(path).read_text(encoding="ascii").splitlines()
    words = [line for line in lines if line[0].isalpha()]
    size = int(next(line for line in words if line.startswith("LUT_3D_SIZE")).split()[1])
    table = np.array([line.split() for line in lines[len(words) :]], dtype=np.float64)
    assert table.shape == (size**3, 3)
    return table


def applied(run: Run, colours: np.ndarray, *options: str) -> np.ndarray:
    """Return what `apply` makes of 16-bit colours (n, 3), in [0, 1]."""
    write_tiff(colours)
    result = run("apply", "plan.npz", "colours.tif", "-o", "out.tif", "--overwrite", *options)
    assert result.code == 0  # it may note that these colours are strange to the plan
    import tifffile

    return tifffile.imread("out.tif").reshape(-1, 3) / 65535


def write_tiff(colours: np.ndarray) -> None:
    """Write colours (n, 3) in [0, 1] as a 16-bit picture of one row."""
    import tifffile

    stored = np.round(colours * 65535).astype(np.uint16)[None]
    tifffile.imwrite("colours.tif", stored, photometric="rgb")


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_table_holds_what_apply_makes(run: Run, done: Run, plan: str, name: str) -> None:
    """On the lattice both agree to 2 in 16 bits, with every option that changes colours."""
    done("lut", plan, "-o", "look.cube", "--size", "16", *VARIANTS[name])
    table = read_cube("look.cube")
    image = applied(run, lattice(16), *VARIANTS[name])
    assert np.abs(table - image).max() < 2 / 65535
    if name != "plain":
        done("lut", plan, "-o", "plain.cube", "--size", "16")
        assert np.abs(read_cube("plain.cube") - table).max() > 0.01


def test_the_words_of_a_cube(done: Run, plan: str) -> None:
    """It says whose colours these are, its size and its domain, and is the same twice."""
    done("lut", plan, "-o", "one.cube")
    done("lut", plan, "-o", "two.cube")
    text = Path("one.cube").read_text(encoding="ascii")
    assert text.splitlines()[:4] == [
        'TITLE "photo.png in the colours of palette.png"',
        "LUT_3D_SIZE 33",
        "DOMAIN_MIN 0.0 0.0 0.0",
        "DOMAIN_MAX 1.0 1.0 1.0",
    ]
    assert len(text.splitlines()) == 4 + 33**3
    assert Path("one.cube").read_bytes() == Path("two.cube").read_bytes()


def test_plans_in_other_spaces(run: Run, done: Run, folder: Path) -> None:
    """A plan made in OKLab still gives a table from sRGB to sRGB."""
    planned(done, "photo.png", "palette.png", "--space", "oklab")
    done("lut", "plan.npz", "-o", "look.cube", "--size", "6")
    assert np.abs(read_cube("look.cube") - applied(run, lattice(6))).max() < 2 / 65535


def test_opencolorio_applies_it_as_we_do(run: Run, done: Run, plan: str) -> None:
    """Where our own interpolation is off by so much, theirs is off by so much and no more."""
    ocio = pytest.importorskip("PyOpenColorIO")
    from gwtransfer.core.lut import trilinear

    said = done("lut", plan, "-o", "look.cube", "--size", "65").out
    colours = np.random.default_rng(1).random((2000, 3))
    theirs = np.ascontiguousarray(colours, dtype=np.float32)
    file = ocio.FileTransform("look.cube", interpolation=ocio.INTERP_LINEAR)
    config = ocio.Config.CreateRaw()
    config.getProcessor(file).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE).applyRGB(theirs)
    assert np.abs(trilinear(read_cube("look.cube"), colours) - theirs).max() < 5e-5
    error = np.abs(theirs - applied(run, colours))
    assert 1e-5 < error.mean() < 0.01
    stated = float(said.split("off by ")[1].split(" of")[0]) / 255
    photo = np.asarray(Image.open("photo.png")).reshape(-1, 3) / 255
    theirs = np.ascontiguousarray(photo, dtype=np.float32)
    config.getProcessor(file).getDefaultCPUProcessor().applyRGB(theirs)
    met = np.abs(theirs - applied(run, photo)).mean()
    assert stated / 2 < met < 2 * stated + 1e-4


def through_ffmpeg(graph: str, *more: str) -> np.ndarray:
    """Return photo.png after a filter graph, as RGB in [0, 1]."""
    assert FFMPEG is not None
    inputs = [word for name in ("photo.png", *more) for word in ("-i", name)]
    done = subprocess.run(
        [FFMPEG, "-v", "error", *inputs, "-filter_complex", graph, "-f", "rawvideo",
         "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, 3) / 255


@needs_ffmpeg
@pytest.mark.parametrize("level", [4, 8])
def test_ffmpeg_applies_it_as_we_do(done: Run, plan: str, level: int) -> None:
    """lut3d with the .cube and haldclut with the picture agree with `apply` to 8 bits and error."""
    size = level * level
    done("lut", plan, "-o", "look.cube", "--size", str(size))
    done("lut", plan, "-o", "look.png", "--level", str(level))
    done("apply", plan, "photo.png", "-o", "out.png")
    ours = np.asarray(Image.open("out.png")).reshape(-1, 3) / 255
    before = np.asarray(Image.open("photo.png")).reshape(-1, 3) / 255
    from gwtransfer.core.lut import tetrahedral

    expected = np.abs(tetrahedral(read_cube("look.cube"), before) - ours).max() + 1.5 / 255
    cube = through_ffmpeg("lut3d=look.cube:interp=tetrahedral")
    hald = through_ffmpeg("[0:v][1:v]haldclut=interp=tetrahedral", "look.png")
    for image in (cube, hald):
        assert np.abs(image - ours).max() < expected
        assert np.abs(image - ours).mean() < 0.02 < np.abs(before - ours).mean()


def test_a_hald_picture(done: Run, plan: str) -> None:
    """Level 8 is 512 × 512 of 16 bits, with the table of 64 points in its order, twice the same."""
    done("lut", plan, "-o", "one.png")
    done("lut", plan, "-o", "two.png")
    done("lut", plan, "-o", "look.cube", "--size", "64")
    head = Path("one.png").read_bytes()[:29]
    assert head[16:26] == bytes([0, 0, 2, 0, 0, 0, 2, 0, 16, 2])  # 512 × 512, 16 bits, RGB
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()
    from gwtransfer.io.pictures.deep import DeepLoader

    raster = DeepLoader()(Path("one.png"))
    values = raster.read(0, 512).values.reshape(-1, 3)
    assert np.abs(values - read_cube("look.cube")).max() <= 0.5 / 65535 + 1e-6


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "rand": (("-o", "a.cube", "--map", "rand"), 2, "draws anew for every pixel"),
    "rand by set": (("-o", "a.cube", "--set", "map=rand"), 2, "draws anew for every pixel"),
    "nearest": (("-o", "a.cube", "--map", "nearest"), 2, "jumps between colours"),
    "another extension": (("-o", "a.3dl"), 2, "a.3dl: expected .cube, or .png"),
    "size of a picture": (("-o", "a.png", "--size", "33"), 2, "--size is for .cube"),
    "level of a cube": (("-o", "a.cube", "--level", "8"), 2, "--level is for a Hald .png"),
    "one point": (("-o", "a.cube", "--size", "1"), 2, "--size: expected 2 to 129, got 1"),
    "too many": (("-o", "a.png", "--level", "13"), 2, "--level: expected 2 to 12, got 13"),
    "strength": (("-o", "a.cube", "--strength", "2"), 2, "strength: expected a number from 0 to 1"),
    "existing": (("-o", "photo.png",), 1, "photo.png: already exists; add --overwrite"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(WRONG))
def test_what_no_table_can_be(run: Run, plan: str, name: str) -> None:
    """One line says what was expected, and nothing is written."""
    arguments, code, words = WRONG[name]
    before = sorted(Path().iterdir())
    result = run("lut", plan, *arguments)
    assert result.code == code
    assert words in result.err
    assert result.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("source", "palette", "words"),
    [
        ("cube.npy", "palette.png", "expected a source picture in colour, found a cube of 6 bands"),
        ("photo.png", "cube.npy", "expected a target picture in colour, found a cube of 6 bands"),
        ("gray.png", "palette.png", "expected a source picture in colour, found a gray one"),
    ],
)
def test_plans_that_are_not_of_two_pictures(
    run: Run, folder: Path, source: str, palette: str, words: str
) -> None:
    """They are refused with the side that does not fit, and with what to do."""
    for name, path in (("s.npz", source), ("t.npz", palette)):
        assert run("fit", path, "-o", name, "-k", "2").code == 0
    assert run("plan", "s.npz", "t.npz", "-o", "p.npz", "--set", "plan=mgw2").code == 0
    result = run("lut", "p.npz", "-o", "a.cube")
    assert result.code == 1
    assert words in result.err
    assert "p.npz: " in result.err
    assert not Path("a.cube").exists()


def test_odd_names_in_the_title(done: Run, folder: Path) -> None:
    """Quotes and letters beyond ASCII do not break the file."""
    Path("photo.png").rename('my "café".png')
    planned(done, 'my "café".png', "palette.png")
    done("lut", "plan.npz", "-o", "look.cube", "--size", "2")
    first = Path("look.cube").read_text(encoding="ascii").splitlines()[0]
    assert first == "TITLE \"my 'caf?'.png in the colours of palette.png\""
