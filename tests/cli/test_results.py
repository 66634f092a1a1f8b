"""What is written is read back: sizes, types, holes, alpha, and where it lies on the ground."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from .conftest import QUICK, Run, geotiff

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")

COLOR = ("-k", "2", *QUICK)


def pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.jpeg", "out.tif", "out.tiff"])
def test_a_picture_in_every_format(done: Run, folder: Path, name: str) -> None:
    """8-bit RGB of the cube's size; lossless formats agree."""
    done("color", "cube.npy", "palette.png", "-o", name, *COLOR)
    read = pixels(name)
    assert (read.shape[:2], read.dtype) == ((24, 20), np.uint8)
    done("color", "cube.npy", "palette.png", "-o", "again.png", *COLOR)
    off = np.abs(read[:, :, :3].astype(int) - pixels("again.png")).max()
    assert off <= (0 if name[-3:] in ("png", "tif", "iff") else 60)
    if read.shape[2] == 4:
        assert (read[:, :, 3] == 255).all()


def test_a_picture_as_array(done: Run, folder: Path) -> None:
    """float32 in [0, 1], the same as the picture before rounding; read back as a picture."""
    done("color", "cube.npy", "palette.png", "-o", "out.npy", *COLOR)
    done("color", "cube.npy", "palette.png", "-o", "out.png", *COLOR)
    array = np.load("out.npy")
    assert (array.shape, array.dtype) == ((24, 20, 3), np.float32)
    assert array.min() >= 0
    assert array.max() <= 1
    np.testing.assert_array_equal(np.floor(array * 255 + 0.5), pixels("out.png"))
    assert "kind           picture" in done("inspect", "out.npy").out


def test_the_colours_are_the_palettes(done: Run, folder: Path) -> None:
    """Mean and spread of the result come near the palette's, far from the source's."""
    done("color", "photo.png", "palette.png", "-o", "out.png", "-k", "5")
    result, palette = pixels("out.png") / 255, pixels("palette.png") / 255
    assert np.abs(result.mean((0, 1)) - palette.mean((0, 1))).max() < 0.02
    assert np.abs(result.std((0, 1)) - palette.std((0, 1))).max() < 0.05


def test_soft_marginals_leave_the_palettes_proportions(done: Run, folder: Path) -> None:
    """Nearer to the source's own colours, and said in the summary; a high price is hard again."""
    photo = np.random.default_rng(3).integers(0, 256, (24, 20, 1)) * np.array([1.0, 0.8, 0.6])
    photo[:, :17] //= 8  # a dark picture with a bright edge
    Image.fromarray(photo.astype(np.uint8)).save("dark.png")
    Image.fromarray((255 - photo).astype(np.uint8)).save("bright.png")
    told = {}
    for name, options in {
        "hard": (),
        "soft": ("--marginals", "soft"),
        "high": ("--marginals", "soft", "--penalty", "1e6"),
    }.items():
        out = ("-o", f"{name}.png", "-k", "4", "--json", *options)
        told[name] = json.loads(done("color", "dark.png", "bright.png", *out).out)["plan"]
    assert told["hard"]["proportions_left"] == 0
    assert told["soft"]["proportions_left"] > 0.2
    assert told["soft"]["bound"] is None
    assert told["soft"]["value"] < told["hard"]["value"]
    assert told["high"]["value"] == pytest.approx(told["hard"]["value"], rel=1e-4)
    away = {name: np.abs(pixels(f"{name}.png") - photo[:, :, :3]).mean() for name in told}
    assert away["soft"] < 0.8 * away["hard"]
    assert np.abs(pixels("high.png") * 1.0 - pixels("hard.png")).mean() < 1
    words = done("color", "dark.png", "bright.png", "-o", "x.png", "-k", "4", "--marginals", "soft")
    share = told["soft"]["proportions_left"]
    assert f"{share:.0%} out of the palette's proportions" in words.out


def test_gray_becomes_colour_and_colour_gray(done: Run, folder: Path) -> None:
    """One band to three and back."""
    done("color", "gray.png", "palette.png", "-o", "out.png", *COLOR)
    assert pixels("out.png").shape == (24, 20, 3)
    done("color", "photo.png", "gray.png", "-o", "out.jpg", *COLOR)
    assert pixels("out.jpg").shape == (24, 20)


@pytest.mark.parametrize("name", ["out.npy", "out.tif"])
def test_a_cube(done: Run, folder: Path, name: str) -> None:
    """float32 with the palette's bands, in the palette's range."""
    done("color", "photo.png", "cube.npy", "-o", name, *COLOR)
    if name == "out.npy":
        array = np.load(name)
    else:
        with rasterio.open(name) as file:
            assert np.isnan(file.nodata)
            array = np.moveaxis(file.read(), 0, -1)
    assert (array.shape, array.dtype) == ((24, 20, 6), np.float32)
    palette = np.load("cube.npy")
    assert np.abs(array.mean((0, 1)) - palette.mean((0, 1))).max() < 0.1
    assert "kind           cube" in done("inspect", name).out


def holes() -> np.ndarray:
    mask = np.zeros((24, 20), dtype=bool)
    mask[3, 4] = mask[7] = True
    return mask


def test_missing_pixels_stay_missing(done: Run, folder: Path) -> None:
    """Transparent in pictures, NaN in arrays and cubes, and nowhere else."""
    for name in ("out.png", "out.tif", "out.npy"):
        done("color", "holes.npy", "palette.png", "-o", name, *COLOR)
    for name in ("out.png", "out.tif"):
        read = pixels(name)
        assert read.shape == (24, 20, 4)
        np.testing.assert_array_equal(read[:, :, 3], np.where(holes(), 0, 255))
        assert not read[holes()].any()
    np.testing.assert_array_equal(np.isnan(np.load("out.npy")).all(axis=2), holes())
    np.testing.assert_array_equal(np.isnan(np.load("out.npy")).any(axis=2), holes())
    for name in ("cube.npy", "cube.tif"):
        done("color", "holes.npy", "cube.npy", "-o", "c" + name, *COLOR)
    np.testing.assert_array_equal(np.isnan(np.load("ccube.npy")).any(axis=2), holes())
    with rasterio.open("ccube.tif") as file:
        np.testing.assert_array_equal(np.isnan(file.read()).all(axis=0), holes())
        np.testing.assert_array_equal(file.read_masks(1) == 0, holes())


def test_alpha_is_kept(done: Run, folder: Path) -> None:
    """The source's own opacity, bit by bit, in PNG and TIFF; it does not enter the colours."""
    for name in ("out.png", "out.tif"):
        done("color", "rgba.png", "palette.png", "-o", name, "-k", "2")
        np.testing.assert_array_equal(pixels(name)[:, :, 3], pixels("rgba.png")[:, :, 3])
    changed = pixels("rgba.png").copy()
    changed[changed[:, :, 3] == 0, :3] = (255, 0, 255)
    Image.fromarray(changed).save("rgba.png")
    done("color", "rgba.png", "palette.png", "-o", "other.png", "-k", "2")
    assert Path("other.png").read_bytes() == Path("out.png").read_bytes()


@pytest.mark.parametrize("output", ["out.tif", "cube.tif"])
def test_the_ground_is_kept(done: Run, folder: Path, output: str) -> None:
    """Transform and reference system are those of the source, to the last bit."""
    geotiff(Path("scene.tif"), under=7)
    palette = "palette.png" if output == "out.tif" else "cube.npy"
    done("color", "scene.tif", palette, "-o", output, *COLOR)
    with rasterio.open("scene.tif") as before, rasterio.open(output) as after:
        assert after.transform == before.transform
        assert after.crs == before.crs
        np.testing.assert_array_equal(after.dataset_mask() > 0, before.read_masks(1) > 0)
    assert "georeferenced  yes" in done("inspect", output).out


def test_what_lies_under_nodata_never_matters(done: Run, folder: Path) -> None:
    """Other values under nodata give the same bytes, at the source and at the palette."""
    for turn, under in (("one", 3.0), ("two", 1e6)):
        geotiff(Path("scene.tif"), under=under)
        done("color", "scene.tif", "palette.png", "-o", f"{turn}.tif", *COLOR)
        done("color", "photo.png", "scene.tif", "-o", f"{turn}.npy", *COLOR)
        done("color", "photo.png", "scene.tif", "-o", f"{turn}n.npy", "--map", "nearest", *COLOR)
    for suffix in (".tif", ".npy", "n.npy"):
        assert Path("one" + suffix).read_bytes() == Path("two" + suffix).read_bytes()


def test_strength(done: Run, folder: Path) -> None:
    """Zero gives the source, or gray where a cube becomes a picture; half lies half way."""
    for strength in ("0", "0.5", "1"):
        done("color", "photo.png", "palette.png", "-o", f"p{strength}.npy", "-k", "2",
             "--strength", strength)  # fmt: skip
        done("color", "cube.npy", "palette.png", "-o", f"c{strength}.npy", *COLOR,
             "--strength", strength)  # fmt: skip
    start, middle, end = (np.load(f"p{strength}.npy") for strength in ("0", "0.5", "1"))
    np.testing.assert_allclose(start, pixels("photo.png") / 255, atol=1e-6)
    gray = np.load("c0.npy")
    np.testing.assert_allclose(gray, np.repeat(gray[:, :, :1], 3, axis=2), atol=1e-6)
    inside = (end > 0) & (end < 1)
    np.testing.assert_allclose(middle[inside], (start + end)[inside] / 2, atol=1e-6)


def test_strength_zero_of_a_gray_picture_is_that_picture(done: Run, folder: Path) -> None:
    """Gray becomes the same gray in three bands, whatever the palette."""
    done("color", "gray.png", "palette.png", "-o", "out.png", "-k", "2", "--strength", "0", *QUICK)
    gray = pixels("gray.png")[:, :, None]
    np.testing.assert_array_equal(pixels("out.png"), np.repeat(gray, 3, axis=2))


def test_nearest_takes_only_colours_of_the_palette(done: Run, folder: Path) -> None:
    """Every pixel of the result is one of the palette's."""
    done("color", "cube.npy", "palette.png", "-o", "out.png", "--map", "nearest", *COLOR)
    known = {tuple(colour) for colour in pixels("palette.png").reshape(-1, 3)}
    assert {tuple(colour) for colour in pixels("out.png").reshape(-1, 3)} <= known


@pytest.mark.parametrize("shape", [(1, 300, 5), (300, 1, 5), (2, 3, 5), (9, 9, 2), (9, 9, 1)])
def test_odd_shapes(done: Run, folder: Path, shape: tuple[int, int, int]) -> None:
    """One row, one column, six pixels, two bands and one, in both directions."""
    np.save("odd.npy", np.random.default_rng(1).normal(0, 5, shape))
    axis = ("--band-axis", "2")
    for mapping in ("mean", "rand", "nearest"):
        both = (*COLOR, *axis, "--map", mapping, "--overwrite")
        done("color", "odd.npy", "palette.png", "-o", "out.npy", *both)
        assert np.load("out.npy").shape == (*shape[:2], 3)
        done("color", "photo.png", "odd.npy", "-o", "back.npy", *both)
        assert np.load("back.npy").shape == (24, 20, shape[2])
        assert np.isfinite(np.load("out.npy")).all()
        assert np.isfinite(np.load("back.npy")).all()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "i8", "u8", "f2", "f4", ">f4", "f8"])
def test_every_type_of_number(done: Run, folder: Path, dtype: str) -> None:
    """Integers and floats of any width and order make a cube of the stored type."""
    values = np.random.default_rng(2).uniform(0, 100, (12, 11, 5)).astype(dtype)
    np.save("typed.npy", values)
    done("color", "typed.npy", "palette.png", "-o", "out.png", *COLOR)
    assert pixels("out.png").shape == (12, 11, 3)


def odd_cubes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    plain = rng.normal(size=(12, 11, 2)) @ rng.normal(size=(2, 5))
    constant_band, infinite, outlier = plain.copy(), plain.copy(), plain.copy()
    constant_band[:, :, 2] = 7
    infinite[0, 0, 0], infinite[5, 5] = np.inf, -np.inf
    outlier[4, 4] = 1e30
    return {
        "rank two": plain,
        "constant band": constant_band,
        "equal bands": np.repeat(plain[:, :, :1], 5, axis=2),
        "infinite": infinite,
        "outlier": outlier,
        "1e30": plain * 1e30,
        "denormal": (plain * 1e-40).astype(np.float32),
        "far from zero": plain * 1e-6 + 1e6,
        "two spectra": np.where(plain[:, :, :1] > 0, 1.0, 2.0) * np.arange(1, 6),
    }


def test_a_palette_of_one_value(done: Run, folder: Path) -> None:
    """All of the result is that value."""
    np.save("one.npy", np.full((12, 11, 5), 3.0, dtype=np.float32))
    done("color", "photo.png", "one.npy", "-o", "out.npy", *QUICK)
    np.testing.assert_allclose(np.load("out.npy"), 3.0, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-39, 1e39, 1e100])
def test_a_source_beyond_single_floats(done: Run, folder: Path, unit: float) -> None:
    """Another unit makes the same picture, clean-up included, though no single float holds it."""
    plain = odd_cubes()["rank two"]
    for name, cube in (("plain", plain), ("scaled", plain * unit)):
        np.save(f"{name}.npy", cube)
        done("color", f"{name}.npy", "palette.png", "-o", f"{name}.png", *COLOR)
    difference = pixels("plain.png").astype(int) - pixels("scaled.png")
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", list(odd_cubes()))
@pytest.mark.parametrize("solver", ["mew2", "mgw2"])
def test_odd_cubes(done: Run, folder: Path, name: str, solver: str) -> None:
    """Whatever is finite becomes finite, silently, in both directions."""
    cube = odd_cubes()[name]
    np.save("odd.npy", cube)
    valid = np.isfinite(cube).all(axis=2)
    done("color", "odd.npy", "palette.png", "-o", "out.npy", "--solver", solver, *COLOR)
    np.testing.assert_array_equal(np.isfinite(np.load("out.npy")).all(axis=2), valid)
    done("color", "photo.png", "odd.npy", "-o", "back.npy", "--solver", solver, *COLOR)
    assert np.isfinite(np.load("back.npy")).all()
