"""What a result is stored as, and what it takes along: depth, dither, profile, place, holes."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image, ImageCms
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS

from gwtransfer.core.colorspace import encoded
from gwtransfer.io.pictures.deep import DeepLoader

from .conftest import QUICK, Run, geotiff

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")

REFUSED, MISUSED = 1, 2
PHOTO = ("color", "photo.png", "palette.png", "-k", "2")
CUBE = ("color", "cube.npy", "palette.png", "-k", "2", *QUICK)

Fails = Callable[..., None]


@pytest.fixture
def fails(run: Run, folder: Path) -> Fails:
    """Run, expect an exit code and one line that holds the words, and no new file."""

    def call(code: int, words: tuple[str, ...], *arguments: object) -> None:
        before = sorted(folder.rglob("*"))
        result = run(*arguments)
        assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
        for word in words:
            assert word in result.err
        assert sorted(folder.rglob("*")) == before

    return call


def pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def stored(name: str) -> np.ndarray:
    """Return what a file holds, as numbers of its own, by readers that are not ours."""
    if name.endswith((".npy",)):
        return np.load(name)
    if name.endswith(".tif"):
        with rasterio.open(name) as file:
            return np.moveaxis(file.read(), 0, -1)
    import OpenImageIO

    source = OpenImageIO.ImageInput.open(name)
    form = source.spec().format
    array = np.asarray(source.read_image(0, 0, 0, source.spec().nchannels, form))
    source.close()
    return array


def half_up(values: np.ndarray, most: int) -> np.ndarray:
    return np.floor(np.clip(values.astype(np.float64), 0, 1) * most + 0.5)


# --- depth


@pytest.mark.parametrize(
    ("name", "depth", "dtype"),
    [
        ("out.png", "8", np.uint8),
        ("out.png", "16", np.uint16),
        ("out.jpg", "8", np.uint8),
        ("out.tif", "8", np.uint8),
        ("out.tif", "16", np.uint16),
        ("out.tif", "float", np.float32),
        ("out.exr", "16", np.float16),
        ("out.exr", "float", np.float32),
    ],
)
def test_a_depth_is_what_is_stored(
    done: Run, folder: Path, name: str, depth: str, dtype: type
) -> None:
    """The file holds that type, and the numbers of the unrounded result in it."""
    done(*PHOTO, "-o", name, "--depth", depth)
    done(*PHOTO, "-o", "exact.npy")
    array, exact = stored(name), np.load("exact.npy")
    assert (array.shape, array.dtype) == ((24, 20, 3), dtype)
    if name.endswith(".exr"):  # linear light
        seen = encoded(array.astype(np.float64))
        np.testing.assert_allclose(seen, exact, rtol=0, atol=1e-3 if depth == "16" else 1e-6)
    elif depth == "float":
        np.testing.assert_allclose(array, exact, rtol=0, atol=1e-7)
    elif name.endswith(".jpg"):
        assert np.abs(array - half_up(exact, 255)).mean() < 6
    else:
        most = int(np.iinfo(dtype).max)
        off = np.abs(array - half_up(exact, most))
        assert off.max() <= (1 if depth == "16" else 0)
        assert len(np.unique(array.astype(int) % 257)) > 50


@pytest.mark.parametrize(
    ("name", "depth"),
    [("o.png", "float"), ("o.jpg", "16"), ("o.jpg", "float"), ("o.exr", "8"), ("o.hdr", "8"),
     ("o.hdr", "16"), ("o.npy", "8"), ("o.npy", "16"), ("o.mp4", "16")],
)  # fmt: skip
def test_a_depth_a_format_has_not(fails: Fails, name: str, depth: str) -> None:
    """It is misuse, whatever the files hold, and tells which formats hold it."""
    words = (f"{name}: this format does not hold --depth {depth}", "16 into .png, .tif and .exr")
    fails(MISUSED, words, *PHOTO, "-o", name, "--depth", depth)


@pytest.mark.parametrize("depth", ["", "32", "12", "double", "FLOAT", "-8", "8.0"])
def test_what_is_no_depth(fails: Fails, depth: str) -> None:
    """Three words are known."""
    fails(MISUSED, ("--depth: expected 8, 16 or float",), *PHOTO, "-o", "o.png", "--depth", depth)


def test_a_cube_has_one_depth(fails: Fails) -> None:
    """That the result is a cube depends on the palette's content."""
    fails(REFUSED, ("photo.png", "depth"), "color", "photo.png", "cube.npy", "-k", "2",
          "-o", "o.tif", "--depth", "8", *QUICK)  # fmt: skip


def sixteen(name: str = "deep.png") -> np.ndarray:
    """Write a 16-bit RGB picture with more levels than 8 bits have; return it."""
    import OpenImageIO

    rng = np.random.default_rng(8)
    y, x = np.mgrid[0:40, 0:50] / 50
    array = np.stack([x, (x + y) / 2, 1 - y], axis=-1) * 60000 + rng.integers(0, 2000, (40, 50, 3))
    out = OpenImageIO.ImageOutput.create(name)
    out.open(name, OpenImageIO.ImageSpec(50, 40, 3, "uint16"))
    out.write_image(array.astype(np.uint16))
    out.close()
    return array.astype(np.uint16)


@pytest.mark.parametrize("name", ["out.png", "out.tif"])
def test_a_deep_source_gives_a_deep_result(done: Run, folder: Path, name: str) -> None:
    """16 bits stay 16 bits without being asked, and are more than 8 bits stretched."""
    sixteen()
    done("color", "deep.png", "palette.png", "-k", "2", "-o", name)
    array = stored(name)
    assert (array.shape, array.dtype) == ((40, 50, 3), np.uint16)
    assert len(np.unique(array)) > 3000
    done("color", "deep.png", "palette.png", "-k", "2", "-o", "flat.png", "--depth", "8")
    assert stored("flat.png").dtype == np.uint8
    assert np.abs(stored("flat.png") - array / 257).max() <= 0.51


def test_a_deep_source_in_its_own_colours_keeps_every_bit(done: Run, folder: Path) -> None:
    """Through a transfer that is the identity not one of 65 536 levels moves."""
    array = sixteen()
    done("color", "deep.png", "deep.png", "-k", "2", "-o", "out.png")
    np.testing.assert_array_equal(stored("out.png"), array)


def test_a_deep_palette_does_not_make_the_result_deep(done: Run, folder: Path) -> None:
    """The depth is the source's; a cube's picture has 8 bits."""
    sixteen()
    done("color", "photo.png", "deep.png", "-k", "2", "-o", "out.png")
    done("color", "cube.npy", "deep.png", "-k", "2", "-o", "cube.png", *QUICK)
    assert stored("out.png").dtype == stored("cube.png").dtype == np.uint8


# --- dither


def test_dither_is_right_on_average(done: Run, folder: Path) -> None:
    """Each value is one of its two neighbours, the mean is unbiased, and equal runs are equal."""
    y, x = np.mgrid[0:120, 0:160] / 160
    ramp = np.stack([x, (x + y) / 2, 1 - y], axis=-1) / 16 + 0.4  # 16 levels wide
    np.save("ramp.npy", ramp.astype(np.float32))
    own = ("color", "ramp.npy", "photo.png", "-k", "1", "--strength", "0")
    for turn in ("one", "two"):
        done(*own, "-o", f"{turn}.png", "--depth", "8", "--dither")
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()
    done(*own, "-o", "plain.png", "--depth", "8")
    done(*own, "-o", "exact.npy")
    exact = np.load("exact.npy").astype(np.float64) * 255
    off = stored("one.png") - exact
    assert np.abs(off).max() < 1 + 1e-3
    # 57 600 draws of variance at most 1/4: the mean lies within 4 standard errors of 0.
    assert abs(off.mean()) < 4 * 0.5 / np.sqrt(off.size)
    assert 0.3 < off.std() < 0.5
    np.testing.assert_array_equal(stored("plain.png"), np.floor(exact + 0.5))


@pytest.mark.parametrize(("name", "option"), [("o.exr", "--dither"), ("o.npy", "--dither"),
                                              ("o.png", "--cog"), ("o.jpg", "--cog")])  # fmt: skip
def test_options_a_format_has_not(fails: Fails, name: str, option: str) -> None:
    """They are misuse and name the option."""
    fails(MISUSED, (f"{name}:", option.strip("-")), *PHOTO, "-o", name, option)


# --- what is carried


def exif() -> bytes:
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0112] = "Maker", "Model 7", 1
    block.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    return block.tobytes()


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def save_carrying(name: str) -> None:
    """Write the photo with an ICC profile, an Exif block and 300 × 150 dpi."""
    picture = Image.fromarray(pixels("photo.png"))
    picture.save(name, icc_profile=SRGB, exif=exif(), dpi=(300, 150))


@pytest.mark.parametrize("output", ["out.jpg", "out.png"])
@pytest.mark.parametrize("source", ["a.jpg", "a.png"])
def test_what_a_picture_carries_comes_along(
    done: Run, folder: Path, source: str, output: str
) -> None:
    """Profile, Exif and resolution reach the result; --strip leaves all of them out."""
    save_carrying(source)
    done("color", source, "palette.png", "-k", "2", "-o", output)
    with Image.open(output) as image:
        assert image.info["icc_profile"] == SRGB
        np.testing.assert_allclose(image.info["dpi"], (300, 150), atol=0.02)
        read = image.getexif()
        assert (read[0x010F], read[0x0110]) == ("Maker", "Model 7")
        assert read.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
    words = done("inspect", output).out
    assert f"ICC profile    {len(SRGB)} bytes" in words
    done("color", source, "palette.png", "-k", "2", "-o", "bare" + output, "--strip")
    with Image.open("bare" + output) as image:
        assert not {"icc_profile", "exif", "dpi"} & set(image.info)
    if output.endswith(".png"):
        np.testing.assert_array_equal(pixels("bare" + output), pixels(output))


def test_a_tiff_carries_profile_and_resolution(done: Run, folder: Path) -> None:
    """From PNG to TIFF and back; a TIFF has no Exif of ours."""
    save_carrying("a.png")
    done("color", "a.png", "palette.png", "-k", "2", "-o", "out.tif")
    done("color", "out.tif", "palette.png", "-k", "2", "-o", "back.png")
    for name in ("out.tif", "back.png"):
        with Image.open(name) as image:
            assert image.info["icc_profile"] == SRGB
            np.testing.assert_allclose([float(v) for v in image.info["dpi"]], (300, 150), atol=0.02)
    done("color", "a.png", "palette.png", "-k", "2", "-o", "bare.tif", "--strip")
    with Image.open("bare.tif") as image:
        assert "icc_profile" not in image.info


def test_a_turned_picture_is_turned_once(done: Run, folder: Path) -> None:
    """Orientation is applied to the pixels, and what is written says upright."""
    block = Image.Exif()
    block[0x0112] = 6
    Image.fromarray(pixels("photo.png")).save("turned.jpg", exif=block.tobytes(), quality=100)
    done("color", "turned.jpg", "palette.png", "-k", "2", "-o", "out.png", "--strength", "0")
    assert pixels("out.png").shape == (20, 24, 3)
    with Image.open("out.png") as image:
        assert image.getexif().get(0x0112, 1) == 1
    upright = np.rot90(pixels("photo.png"), -1).astype(int)
    assert np.abs(pixels("out.png") - upright).mean() < 12


def wide_profile() -> bytes:
    """Return a profile of Adobe RGB's primaries and gamma, made of an sRGB one."""
    from struct import pack, unpack_from

    icc = bytearray(SRGB)  # one profile for all calls: its header holds the second it was made
    matrix = ((0.6097559, 0.3111242, 0.0194811), (0.2052401, 0.6256560, 0.0608902),
              (0.1492240, 0.0632197, 0.7448387))  # fmt: skip
    count = unpack_from(">I", icc, 128)[0]
    tags = {}
    for at in range(132, 132 + 12 * count, 12):
        name, offset, size = unpack_from(">4sII", icc, at)
        tags[name] = (offset, size)
    for name, row in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix, strict=True):
        icc[tags[name][0] + 8 : tags[name][0] + 20] = pack(">3i", *(round(v * 65536) for v in row))
    offset = tags[b"rTRC"][0]  # one parametric curve for all three: make it a plain gamma of 2.2
    assert icc[offset : offset + 4] == b"para"
    icc[offset + 8 : offset + 10] = pack(">H", 0)
    icc[offset + 12 : offset + 16] = pack(">i", round(2.2 * 65536))
    return bytes(icc)


def in_wide(levels: np.ndarray) -> np.ndarray:
    """Return the same colours in the wide profile, by another engine."""
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(SRGB)), ImageCms.ImageCmsProfile(BytesIO(wide_profile())),
        "RGB", "RGB", renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )  # fmt: skip
    return np.asarray(transform.apply(Image.fromarray(levels)))


def test_a_palette_in_another_profile_is_understood(done: Run, folder: Path) -> None:
    """The same colours in other numbers make the same result, within the numbers' rounding."""
    numbers = in_wide(pixels("palette.png"))
    assert np.abs(numbers.astype(int) - pixels("palette.png")).max() > 20
    Image.fromarray(numbers).save("wide.png", icc_profile=wide_profile())
    Image.fromarray(numbers).save("lying.png")
    for mapping in ("mean", "nearest"):
        for name in ("palette", "wide", "lying"):
            done("color", "photo.png", f"{name}.png", "-k", "2", "-o", f"{name}-{mapping}.png",
                 "--map", mapping)  # fmt: skip
        plain, wide, lying = (
            pixels(f"{name}-{mapping}.png").astype(int) for name in ("palette", "wide", "lying")
        )
        assert np.abs(wide - plain).mean() < 1.5
        assert np.abs(lying - plain).mean() > 3 * np.abs(wide - plain).mean()


def test_nearest_by_steps_understands_profiles_too(done: Run, folder: Path) -> None:
    """apply takes the palette's colours in the source's numbers, as color does."""
    Image.fromarray(pixels("photo.png")).save("photo.png", icc_profile=wide_profile())
    given = ("--map", "nearest")
    done(*PHOTO, "-o", "out.png", "--save-plan", "p.npz", *given)
    done("apply", "p.npz", "photo.png", "-o", "steps.png", "--palette", "palette.png", *given)
    assert Path("steps.png").read_bytes() == Path("out.png").read_bytes()
    with Image.open("out.png") as image:
        assert image.info["icc_profile"] == wide_profile()


def test_a_palette_whose_profile_is_broken_is_named(run: Run, folder: Path) -> None:
    """Its numbers are taken as they are, and a note says so."""
    Image.fromarray(pixels("palette.png")).save("broken.png", icc_profile=SRGB[:200])
    result = run("color", "photo.png", "broken.png", "-k", "2", "-o", "out.png")
    assert result.code == 0
    assert result.err.startswith("note: broken.png: ")
    assert "its numbers are kept" in result.err
    assert result.err.count("\n") == 1
    run(*PHOTO, "-o", "plain.png")
    assert Path("plain.png").read_bytes() == Path("out.png").read_bytes()


# --- the ground


@pytest.mark.parametrize("given", [(), ("--cog",), ("--depth", "16"), ("--depth", "float")])
def test_the_ground_is_the_sources(done: Run, folder: Path, given: tuple[str, ...]) -> None:
    """Transform and reference system are identical, as rasterio reads them."""
    geotiff(Path("scene.tif"), under=7)
    done("color", "scene.tif", "palette.png", "-k", "2", "-o", "out.tif", *given, *QUICK)
    with rasterio.open("scene.tif") as before, rasterio.open("out.tif") as after:
        assert after.transform == before.transform
        assert after.crs == before.crs
        assert (after.width, after.height) == (before.width, before.height)
        # GDAL takes an alpha band of integers for a mask, but none of floats: those have NaN.
        assert after.count == (3 if "float" in given else 4)
        np.testing.assert_array_equal(after.dataset_mask() > 0, before.read_masks(1) > 0)
        if given == ("--cog",):
            assert after.profile["tiled"]
            assert after.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_ground_control_points_come_along(done: Run, folder: Path) -> None:
    """Where there is no transform."""
    rng = np.random.default_rng(2)
    corners = [(0, 0, 10, 50, 0), (0, 18, 11, 50.5, 1), (16, 0, 10.5, 49, 2), (16, 18, 11, 49, 3)]
    points = [GroundControlPoint(*corner) for corner in corners]
    with rasterio.open(
        "scene.tif", "w", driver="GTiff", height=16, width=18, count=5, dtype="float32",
        gcps=points, crs=CRS.from_epsg(4326),
    ) as file:  # fmt: skip
        file.write(rng.normal(10, 2, (5, 16, 18)).astype(np.float32))
    done("color", "scene.tif", "palette.png", "-k", "2", "-o", "out.tif", *QUICK)
    with rasterio.open("out.tif") as after:
        read, crs = after.gcps
    assert crs == CRS.from_epsg(4326)
    assert [(p.row, p.col, p.x, p.y, p.z) for p in read] == corners


# --- holes


@pytest.mark.parametrize("name", ["out.jpg", "out.hdr"])
@pytest.mark.parametrize("source", ["rgba.png", "holes.npy", "scene.tif"])
def test_no_holes_where_a_format_has_none(fails: Fails, source: str, name: str) -> None:
    """Transparent, NaN or nodata pixels: refused in one line, and nothing is left behind."""
    geotiff(Path("scene.tif"), under=7)
    quick = () if source == "rgba.png" else QUICK
    words = (f"{source}: has transparent or missing pixels", "write .png or .tif")
    fails(REFUSED, words, "color", source, "palette.png", "-k", "2", "-o", name, *quick)


@pytest.mark.parametrize(
    ("name", "depth"), [("out.png", "8"), ("out.png", "16"), ("out.tif", "16"), ("out.exr", "")]
)
def test_nodata_becomes_alpha(run: Run, folder: Path, name: str, depth: str) -> None:
    """Exactly the pixels without data are transparent, at every depth; a lost place is said."""
    geotiff(Path("scene.tif"), under=7)
    given = ("--depth", depth) if depth else ()
    made = run("color", "scene.tif", "palette.png", "-k", "2", "-o", name, *given, *QUICK)
    lost = f"note: {name}: this format holds no georeference; write .tif to keep it\n"
    assert (made.code, made.err) == (0, "" if name.endswith(".tif") else lost)
    with rasterio.open("scene.tif") as file:
        there = file.read_masks(1) > 0
    alpha = stored(name)[:, :, 3]
    most = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1
    np.testing.assert_array_equal(alpha, np.where(there, most, 0))
    assert run("color", "scene.tif", "palette.png", "-k", "2", "-o", "out.npy", *QUICK).code == 0
    np.testing.assert_array_equal(np.isfinite(np.load("out.npy")).all(axis=2), there)


def test_light_beyond_white_survives(done: Run, folder: Path) -> None:
    """A scene of EXR keeps what is brighter than white, and cuts nothing off in float files."""
    import OpenImageIO

    rng = np.random.default_rng(9)
    light = rng.gamma(1.0, 0.5, (30, 40, 3)).astype(np.float32)
    light[:3] = 6.0 + rng.random((3, 40, 3))
    out = OpenImageIO.ImageOutput.create("scene.exr")
    out.open("scene.exr", OpenImageIO.ImageSpec(40, 30, 3, "float"))
    out.write_image(light)
    out.close()
    own = ("color", "scene.exr", "scene.exr", "-k", "2")
    done(*own, "-o", "out.exr")
    assert stored("out.exr").max() > 5
    np.testing.assert_allclose(stored("out.exr"), light, rtol=1e-4, atol=1e-6)
    done(*own, "-o", "out.tif")
    assert stored("out.tif").dtype == np.float32
    assert stored("out.tif").max() > 2  # encoded
    done(*own, "-o", "out.png")
    assert stored("out.png").dtype == np.uint16
    assert DeepLoader()(Path("out.exr")).scene
