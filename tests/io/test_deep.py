"""16-bit PNG, OpenEXR and Radiance HDR in; PNG, JPEG, OpenEXR and Radiance HDR out."""

import struct
import tracemalloc
import zlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import OpenImageIO
import pytest
from PIL import Image, ImageCms

from gwtransfer.core import colorspace
from gwtransfer.core.raster import Carried, Film, Raster, Rows
from gwtransfer.errors import AmbiguousError, ReadError, UsageError, WriteError
from gwtransfer.io.files import whole
from gwtransfer.io.layout import array_raster
from gwtransfer.io.pictures.channels import from_primaries
from gwtransfer.io.pictures.deep import DeepLoader
from gwtransfer.io.pictures.everyday import PictureLoader
from gwtransfer.io.pictures.radiance import as_stored
from gwtransfer.io.pictures.writers import ExrWriter, HdrWriter, JpegWriter, PngWriter

from .shared import DATA, cube, everything, needs_data, picture, round_trip

RNG = np.random.default_rng(0)


def encoded(light: np.ndarray) -> np.ndarray:
    """Return sRGB-encoded values in double precision, as files are read."""
    return colorspace.encoded(np.asarray(light, dtype=np.float64))


def linear(values: np.ndarray) -> np.ndarray:
    """Return linear light in double precision, as files are written."""
    return colorspace.linear(np.asarray(values, dtype=np.float64))


def deep_picture(bands: int = 3, *, alpha: bool = False) -> Raster:
    colours = RNG.integers(0, 65536, (9, 7, bands), dtype=np.uint16)
    opacity = RNG.integers(0, 65536, (9, 7), dtype=np.uint16) if alpha else None
    return array_raster(colours, name="made", kind="picture", scale=65535, alpha=opacity)


def write(path, array, form, names=None, **settings):
    """Write an array by the library itself."""
    spec = OpenImageIO.ImageSpec(array.shape[1], array.shape[0], array.shape[2], form)
    if names:
        spec.channelnames = names
        spec.alpha_channel = names.index("A") if "A" in names else -1
    tile = settings.pop("tile", 0)
    spec.tile_width = spec.tile_height = tile
    for name, value in settings.items():
        spec.attribute(name, *value) if isinstance(value, tuple) else spec.attribute(name, value)
    out = OpenImageIO.ImageOutput.create(path.suffix[1:])
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(array), out.geterror()
    out.close()


def part(kind: bytes, body: bytes) -> bytes:
    total = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", total)


def png16(columns, rows, colour, data, *extra, interlace=0, depth=16):
    head = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, interlace)
    parts = part(b"IHDR", head), *extra, part(b"IDAT", zlib.compress(data)), part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_rows(samples: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_eight_bit_png_round_trip(tmp_path, bands, alpha):
    """Bytes, alpha included, survive 8-bit PNG unchanged."""
    raster = picture(bands=bands, alpha=alpha)
    again = round_trip(PngWriter(), PictureLoader(), raster, tmp_path, ".png")
    assert (again.has_alpha, again.dtype) == (alpha, "uint8")


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bit_png_round_trip(tmp_path, bands, alpha):
    """All 16 bits, alpha included, survive 16-bit PNG unchanged, without being asked for."""
    raster = deep_picture(bands, alpha=alpha)
    again = round_trip(PngWriter(), DeepLoader(), raster, tmp_path, ".png")
    assert (again.has_alpha, again.dtype) == (alpha, "uint16")
    if alpha:
        np.testing.assert_array_equal(everything(again)[2], everything(raster)[2])


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("depth", [16, "float", None])
def test_exr_keeps_sixteen_bits_in_linear_light(tmp_path, bands, alpha, depth):
    """OpenEXR holds linear light times alpha, exactly in floats and to 1/2000 in halves."""
    raster = deep_picture(bands, alpha=alpha)
    for name in ("a.exr", "b.exr"):
        ExrWriter(depth=depth)(raster, tmp_path / name)
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    source = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr"))
    spec, stored = source.spec(), source.read_image("float")
    assert spec.channelnames == (("R", "G", "B") if bands == 3 else ("Y",)) + ("A",) * alpha
    assert str(spec.format) == ("half" if depth == 16 else "float")
    assert spec.getattribute("DateTime") is None
    values, valid, opacity = everything(raster)
    light = linear(values) * (1 if opacity is None else opacity[:, :, None])
    np.testing.assert_allclose(stored[:, :, :bands], light, atol=3e-8 if depth != 16 else 5e-4)
    again = DeepLoader()(tmp_path / "a.exr")
    assert (again.scene, again.kind, again.has_alpha) == (True, "picture", alpha)
    assert again.dtype == ("float16" if depth == 16 else "float32")
    limit = 2e-3 if depth == 16 else 1e-6
    clear = valid if opacity is None else opacity > 0.1
    np.testing.assert_allclose(everything(again)[0][clear], values[clear], atol=limit)


def test_exr_floats_survive_to_the_last_bit(tmp_path):
    """Light above white, below black and tiny comes back as the same single floats."""
    light = (RNG.normal(0, 3, (20, 11, 3)) * 10.0 ** RNG.integers(-6, 4, (20, 11, 3))).astype("f4")
    write(tmp_path / "a.exr", light, "float")
    raster = DeepLoader()(tmp_path / "a.exr")
    assert raster.scene
    np.testing.assert_allclose(everything(raster)[0], encoded(light), rtol=1e-12)
    ExrWriter()(raster, tmp_path / "b.exr")
    again = OpenImageIO.ImageInput.open(str(tmp_path / "b.exr")).read_image("float")
    np.testing.assert_array_equal(again, light)


def test_hdr_is_rounded_to_the_nearest(tmp_path):
    """Radiance HDR is within half a step of the brightest part, and the library reads it so."""
    light = (RNG.random((20, 11, 3)) * 10.0 ** RNG.integers(-5, 5, (20, 11, 1))).astype("f4")
    light[0, 0], light[0, 1], light[0, 2] = 0, [-1, 0.5, 0], [255.9, 1, 0]
    values = encoded(light)
    raster = replace(array_raster(values, name="a", kind="picture"), scene=True)
    for name in ("a.hdr", "b.hdr"):
        HdrWriter()(raster, tmp_path / name)
    assert (tmp_path / "a.hdr").read_bytes() == (tmp_path / "b.hdr").read_bytes()
    stored = OpenImageIO.ImageInput.open(str(tmp_path / "a.hdr")).read_image("float")
    np.testing.assert_array_equal(stored, as_stored(linear(values)))
    brightest = np.maximum(light, 0).max(axis=2, keepdims=True)
    assert (np.abs(stored - np.maximum(light, 0)) <= brightest / 255).all()
    again = DeepLoader()(tmp_path / "a.hdr")
    assert (again.scene, again.dtype, again.bands) == (True, "float32", 3)
    np.testing.assert_allclose(linear(everything(again)[0]), stored, rtol=1e-5, atol=1e-9)
    HdrWriter()(again, tmp_path / "c.hdr")
    assert (tmp_path / "c.hdr").read_bytes() == (tmp_path / "a.hdr").read_bytes()


def test_integers_are_rounded_and_cut(tmp_path):
    """8 and 16 bits are floor(m·x + ½) of what lies in [0, 1]; floats go to 16 unless told."""
    values = np.array([[-1.0, 0.0019, 0.0020, 0.5, 0.999, 2.0]])
    raster = array_raster(values, name="a", kind="picture")
    PngWriter(depth=8)(raster, tmp_path / "a.png")
    assert np.asarray(Image.open(tmp_path / "a.png")).tolist() == [[0, 0, 1, 128, 255, 255]]
    PngWriter()(raster, tmp_path / "b.png")
    stored = OpenImageIO.ImageInput.open(str(tmp_path / "b.png")).read_image("uint16")
    assert stored.ravel().tolist() == [0, 125, 131, 32768, 65469, 65535]


def test_dither_is_unbiased_and_keeps_levels(tmp_path):
    """Dithered bytes have the mean of the floats, leave exact levels alone, and repeat."""
    values = np.full((300, 300, 3), 100.3 / 255)
    values[:100] = np.float32(7) / np.float32(255)
    raster = array_raster(values.astype(np.float32), name="a", kind="picture")
    for name in ("a.png", "b.png"):
        PngWriter(depth=8, dither=True)(raster, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    stored = np.asarray(Image.open(tmp_path / "a.png")).astype(float)
    assert (stored[:100] == 7).all()
    assert set(np.unique(stored[100:])) == {100, 101}
    np.testing.assert_allclose(stored[100:].mean(axis=(0, 1)), 100.3, atol=0.01)
    assert (stored[100:, :, 0] != stored[100:, :, 1]).any()
    PngWriter(depth=8)(raster, tmp_path / "c.png")
    assert (np.asarray(Image.open(tmp_path / "c.png"))[100:] == 100).all()


@pytest.mark.parametrize("shape", [(64, 64), (7, 5), (700, 1300), (1, 3000)])
@pytest.mark.parametrize("bands", [1, 3])
def test_jpeg_of_strips_is_that_of_the_whole(tmp_path, shape, bands):
    """The strips decode to the very pixels of a JPEG encoded whole, whatever the size."""
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) / sum(shape)
    array = np.stack([(smooth * (200 + 20 * k)).astype(np.uint8) for k in range(bands)], axis=2)
    array[::3] //= 2
    raster = array_raster(array, name="a", kind="picture", scale=255)
    for name in ("a.jpg", "b.jpg"):
        JpegWriter()(raster, tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    Image.fromarray(array.squeeze(2) if bands == 1 else array).save(
        tmp_path / "whole.jpg", quality=95, subsampling=0
    )
    with Image.open(tmp_path / "a.jpg") as ours, Image.open(tmp_path / "whole.jpg") as theirs:
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
        assert all(key.startswith("jfif") for key in ours.info)
    found = np.asarray(everything(PictureLoader()(tmp_path / "a.jpg"))[0])
    assert np.abs(found - array / 255).mean() < 0.02


def test_holes_become_alpha_or_are_refused(tmp_path):
    """A hole nobody announced is transparent in PNG and OpenEXR; JPEG and HDR refuse it."""
    values = np.full((2, 2, 3), 0.25)
    values[0, 1, 1] = np.nan
    raster = array_raster(values, name="holey", kind="picture")
    PngWriter(depth=8)(raster, tmp_path / "a.png")
    stored = np.asarray(Image.open(tmp_path / "a.png"))
    assert stored[:, :, 3].tolist() == [[255, 0], [255, 255]]
    assert (stored[0, 1].tolist(), stored[0, 0].tolist()) == ([0, 0, 0, 0], [64, 64, 64, 255])
    ExrWriter()(raster, tmp_path / "a.exr")
    again = DeepLoader()(tmp_path / "a.exr")
    assert everything(again)[1].tolist() == [[True, False], [True, True]]
    for writer, name in ((JpegWriter(), "a.jpg"), (HdrWriter(), "a.hdr")):
        with pytest.raises(WriteError, match=r"holey: .* cannot hold; write \.png or \.tif"):
            writer(raster, tmp_path / name)
        with pytest.raises(WriteError, match="cannot hold"):
            writer.check(picture(alpha=True))


@pytest.mark.parametrize("rows", [3, 40, 4000])
def test_a_source_that_breaks_off_leaves_silence(tmp_path, rows):
    """When the rows stop coming the error is the source's own, and no library says a word."""

    def rows_of(start: int, stop: int) -> Rows:
        if stop > rows // 2:
            raise ReadError("a.tif: broken")
        return Rows(values=np.zeros((stop - start, 300, 3)))

    raster = Raster(
        name="a", rows=rows, columns=300, bands=3, read=rows_of, kind="picture", dtype="uint8"
    )
    for writer in (PngWriter(), JpegWriter(), ExrWriter(), HdrWriter()):
        with pytest.raises(ReadError, match=r"a\.tif: broken"):
            writer(raster, tmp_path / f"a{writer.extensions[0]}")


def test_cubes_and_films_are_refused():
    """No picture file takes a cube, or the frames of a film as one picture."""
    film = replace(picture(rows=6), film=Film(frames=2, rate=Fraction(25)))
    for writer in (PngWriter(), JpegWriter(), ExrWriter(), HdrWriter()):
        with pytest.raises(UsageError, match=r"cube of 9 bands; write \.tif"):
            writer.check(cube())
        with pytest.raises(UsageError, match="film of 2 frames"):
            writer.check(film)


@pytest.mark.parametrize(
    ("writer", "suffix"), [(PngWriter(), ".png"), (PngWriter(depth=16), ".png"),
                           (JpegWriter(), ".jpg"), (ExrWriter(), ".exr"), (HdrWriter(), ".hdr")]
)  # fmt: skip
def test_writers_stream(tmp_path, writer, suffix):
    """A tall picture costs a few blocks of memory, not its own size, and each row is read once."""
    rows, columns = 6000, 1000
    read: list[int] = []

    def rows_of(start: int, stop: int) -> Rows:
        read.extend(range(start, stop))
        grey = (np.arange(start, stop, dtype=np.float32) % 250 / 255)[:, None, None]
        return Rows(values=np.broadcast_to(grey, (stop - start, columns, 3)).copy())

    tall = Raster(
        name="tall", rows=rows, columns=columns, bands=3, read=rows_of, kind="picture",
        dtype="uint8",
    )  # fmt: skip
    tracemalloc.start()
    writer(tall, tmp_path / f"a{suffix}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * rows * columns * 3 * 4
    assert sorted(read) == list(range(rows))


def test_metadata_are_carried_into_png_and_jpeg(tmp_path):
    """Profile and Exif bytes and the resolution reach the file, and nothing of the writer."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 1
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    carried = Carried(icc=icc, exif=block, dpi=(300.0, 150.0))
    raster = replace(picture(), carried=carried)
    for writer, name, keys in (
        (PngWriter(), "a.png", {"icc_profile", "exif", "dpi"}),
        (JpegWriter(), "a.jpg", {"icc_profile", "exif", "dpi", "jfif", "jfif_version",
                                 "jfif_unit", "jfif_density"}),
    ):  # fmt: skip
        writer(raster, tmp_path / name)
        with Image.open(tmp_path / name) as stored:
            stored.load()
            assert set(stored.info) == keys
            assert stored.info["icc_profile"] == icc
            assert stored.info["exif"].removeprefix(b"Exif\0\0") == block
            np.testing.assert_allclose(stored.info["dpi"], (300, 150), atol=0.02)
        again = PictureLoader()(tmp_path / name).carried
        assert (again.icc, again.exif) == (icc, block)
    writer = PngWriter()
    writer(replace(raster, carried=Carried()), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as stored:
        assert stored.info == {}


def test_a_long_profile_is_split_in_jpeg(tmp_path):
    """A profile longer than a JPEG segment comes back whole."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    icc += RNG.bytes(150_000)
    JpegWriter()(replace(picture(), carried=Carried(icc=icc)), tmp_path / "a.jpg")
    assert PictureLoader()(tmp_path / "a.jpg").carried.icc == icc


def test_a_profile_of_other_colours_is_not_written(tmp_path):
    """A profile for RGB is left out of a gray file, which it would make invalid."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PngWriter()(replace(picture(bands=1), carried=Carried(icc=icc)), tmp_path / "a.png")
    assert PictureLoader()(tmp_path / "a.png").carried.icc is None


def test_one_transparent_gray_of_sixteen_bits_becomes_alpha(tmp_path):
    """The level a 16-bit gray PNG names as transparent has alpha 0, its neighbour alpha 1."""
    rows = png_rows(np.array([[1000, 1001], [0, 1000]]))
    (tmp_path / "a.png").write_bytes(png16(2, 2, 0, rows, part(b"tRNS", b"\x03\xe8")))
    raster = DeepLoader()(tmp_path / "a.png")
    values, valid, _ = everything(raster)
    assert valid.tolist() == [[False, True], [True, False]]
    np.testing.assert_allclose(values[0, 1, 0], 1001 / 65535, atol=1e-8)


def test_orientation_of_a_sixteen_bit_png_is_applied(tmp_path):
    """Exif orientation 6 turns a 16-bit PNG a quarter to the right, and is then 1."""
    samples = np.array([[1, 2, 3], [4, 5, 6]])
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    (tmp_path / "a.png").write_bytes(png16(3, 2, 0, png_rows(samples), part(b"eXIf", exif)))
    raster = DeepLoader()(tmp_path / "a.png")
    stored = np.rint(everything(raster)[0][:, :, 0] * 65535)
    assert stored.tolist() == [[4, 1], [5, 2], [6, 3]]
    assert raster.carried.exif == exif.replace(b"\x06\0\0\0", b"\x01\0\0\0")


def test_an_interlaced_file_is_read(tmp_path):
    """The passes of an interlaced 16-bit PNG are put together."""
    samples = np.arange(40).reshape(8, 5) * 1000
    grids = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    grids.append((0, 1, 1, 2))
    data = b"".join(png_rows(samples[y::dy, x::dx]) for x, y, dx, dy in grids if x < 5)
    (tmp_path / "a.png").write_bytes(png16(5, 8, 0, data, interlace=1))
    stored = np.rint(everything(DeepLoader()(tmp_path / "a.png"))[0][:, :, 0] * 65535)
    np.testing.assert_array_equal(stored, samples)


def test_exr_colours_are_divided_by_alpha(tmp_path):
    """Half-transparent light of 0.1 is light of 0.2; fully transparent pixels do not count."""
    light = np.array([[[0.1, 0.2, 0.3, 0.5], [0, 0, 0, 0], [2, 2, 2, 1]]], dtype=np.float32)
    write(tmp_path / "a.exr", light, "float", ("R", "G", "B", "A"))
    values, valid, alpha = everything(DeepLoader()(tmp_path / "a.exr"))
    np.testing.assert_allclose(linear(values[0, 0]), [0.2, 0.4, 0.6], rtol=1e-6)
    assert valid.tolist() == [[True, False, True]]
    assert alpha.tolist() == [[0.5, 0, 1]]
    assert values[0, 2, 0] > 1


@pytest.mark.parametrize("tile", [0, 16])
def test_exr_windows_are_those_of_the_whole(tmp_path, tile):
    """Any rows of a file in lines or tiles are read alone, at a data window off the origin too."""
    light = RNG.random((50, 37, 3)).astype(np.float32)
    write(tmp_path / "a.exr", light, "float", compression="zip", tile=tile)
    raster = DeepLoader()(tmp_path / "a.exr")
    for start, stop in ((0, 1), (13, 35), (49, 50), (0, 50)):
        rows = raster.read(start, stop)
        np.testing.assert_allclose(linear(rows.values), light[start:stop], rtol=1e-9)


def test_a_data_window_is_read_and_noted(tmp_path):
    """Of a cropped file the stored pixels are read, and a note gives both sizes."""
    spec = OpenImageIO.ImageSpec(5, 3, 3, "float")
    spec.x, spec.y, spec.full_width, spec.full_height = 10, 20, 40, 30
    out = OpenImageIO.ImageOutput.create("exr")
    out.open(str(tmp_path / "a.exr"), spec)
    light = RNG.random((3, 5, 3)).astype(np.float32)
    out.write_image(light)
    out.close()
    raster = DeepLoader()(tmp_path / "a.exr")
    np.testing.assert_allclose(linear(everything(raster)[0]), light, rtol=1e-9)
    assert "data window of 5 × 3 pixels is read, its display window is 40 × 30" in raster.notes[0]


def test_other_primaries_are_converted(tmp_path):
    """White stays white and Rec. 2020 red lies outside sRGB, as its matrix says."""
    rec2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
    expected = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(from_primaries(rec2020), expected, atol=1e-3)
    aces = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    np.testing.assert_allclose(from_primaries(aces) @ [1, 1, 1], [1, 1, 1], atol=1e-9)
    light = np.array([[[1, 1, 1], [1, 0, 0]]], dtype=np.float32)
    write(tmp_path / "a.exr", light, "float", chromaticities=("float[8]", rec2020))
    raster = DeepLoader()(tmp_path / "a.exr")
    found = linear(everything(raster)[0])
    np.testing.assert_allclose(found[0], [[1, 1, 1], [1.6605, -0.1246, -0.0182]], atol=1e-3)
    assert "converted from its own primaries" in raster.notes[0]


SPECTRAL = {
    "commas": (("S0.700,0nm", "S0.450,5nm", "S0.600nm"), [450.5, 600, 700]),
    "other units": (("T.0.5um", "T.6e-7m"), [500, 600]),
    "frequency": (("S0.500THz", "S0.600THz"), [499.654, 599.585]),
    "plain": (("w550nm", "w450.5nm"), [450.5, 550]),
    "preview": (("R", "G", "B", "S0.450nm", "S0.500nm"), [450, 500]),
}


@pytest.mark.parametrize("case", SPECTRAL)
def test_channels_named_by_wavelength_are_a_cube(tmp_path, case):
    """Such channels are bands in rising order, raw, whatever the order and unit of their names."""
    names, wavelengths = SPECTRAL[case]
    stored = RNG.random((4, 3, len(names))).astype(np.float32) * 10
    write(tmp_path / "a.exr", stored, "float", names)
    raster = DeepLoader()(tmp_path / "a.exr")
    assert (raster.kind, raster.bands) == ("cube", len(wavelengths))
    np.testing.assert_allclose(raster.wavelengths, wavelengths, atol=1e-3)
    first = {"commas": 1, "other units": 0, "frequency": 1, "plain": 1, "preview": 3}[case]
    np.testing.assert_array_equal(everything(raster)[0][:, :, 0], stored[:, :, first])
    assert ("channels left out: " in " ".join(raster.notes)) == (case == "preview")


def test_layers_are_a_picture_a_cube_or_ambiguous(tmp_path):
    """R, G, B beside others, or of the only layer, are a picture; several layers are bands."""
    stored = RNG.random((4, 3, 6)).astype(np.float32)
    cases = {
        ("R", "G", "B", "Z"): ("picture", 3, "left out: Z"),
        ("beauty.R", "beauty.G", "beauty.B", "beauty.A"): ("picture", 3, ""),
        ("a.R", "a.G", "a.B", "b.R", "b.G", "b.B"): ("cube", 6, "become the bands: a."),
    }
    for names, (kind, bands, note) in cases.items():
        write(tmp_path / "a.exr", stored[:, :, : len(names)], "float", names)
        raster = DeepLoader()(tmp_path / "a.exr")
        assert (raster.kind, raster.bands) == (kind, bands)
        assert note in " ".join(raster.notes)
        assert bool(raster.notes) == bool(note)
    write(tmp_path / "a.exr", stored[:, :, :4], "float", ("S0.450nm", "S0.500nm", "T.1nm", "T.2nm"))
    with pytest.raises(AmbiguousError, match="found S0 and T"):
        DeepLoader()(tmp_path / "a.exr")


def test_several_parts_stop(tmp_path):
    """An OpenEXR file of two parts is refused, as either could be meant."""
    specs = []
    for name in ("left", "right"):
        spec = OpenImageIO.ImageSpec(4, 3, 3, "half")
        spec.attribute("oiio:subimagename", name)
        specs.append(spec)
    out = OpenImageIO.ImageOutput.create("exr")
    assert out.open(str(tmp_path / "a.exr"), specs)
    out.write_image(np.zeros((3, 4, 3), dtype=np.float32))
    assert out.open(str(tmp_path / "a.exr"), specs[1], "AppendSubimage")
    out.write_image(np.zeros((3, 4, 3), dtype=np.float32))
    out.close()
    with pytest.raises(AmbiguousError, match="several parts"):
        DeepLoader()(tmp_path / "a.exr")


def exr(rows=64, columns=50) -> bytes:
    """Return a good OpenEXR file."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.exr"
        light = np.random.default_rng(1).integers(0, 9, (rows, columns, 3)).astype(np.float32)
        write(path, light, "float", compression="zip", DateTime="")
        return path.read_bytes()


EXR = exr()
WINDOW = struct.pack("<iiii", 0, 0, 49, 63)
HUGE = struct.pack("<iiii", 0, 0, 999_999, 999_999)
HDR = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 3\n" + bytes(range(1, 49))
PNG = png16(40, 30, 2, png_rows(RNG.integers(0, 65536, (30, 120))))
FEW = png_rows(np.zeros((3, 8 * 3)))
BROKEN = {
    "png cut": (PNG[:-3000], "its end too early"),
    "png sum": (PNG.replace(PNG[1000:1004], bytes(4)), "cannot be unpacked|damaged part IDAT"),
    "png few": (png16(8, 8, 2, FEW), "147 of 392 bytes"),
    "png filter": (png16(8, 2, 0, b"\x09" + bytes(33)), "unknown filter"),
    "png part": (png16(8, 2, 0, bytes(34), part(b"ABCD", b"")), "unknown part ABCD"),
    "png twice": (png16(8, 2, 0, bytes(34), part(b"IHDR", bytes(13))), "misplaced part IHDR"),
    "png palette": (png16(8, 2, 3, bytes(34)), "header that PNG allows"),
    "png bomb": (png16(60_000, 60_000, 2, b""), "cannot hold"),
    "png absurd": (png16(2**31 - 1, 2**31 - 1, 2, b""), "cannot hold"),
    "png no end": (PNG[:-12], "its end too early"),
    "exr head": (EXR[:60], "cannot be decoded"),
    "exr cut": (EXR[: len(EXR) // 2], "cannot be decoded"),
    "exr absurd": (EXR.replace(WINDOW, HUGE), "expected"),
    "exr nothing": (b"v/1\x01" + bytes(40), "cannot be decoded"),
    "hdr cut": (HDR[:-20], "cannot be decoded"),
    "hdr absurd": (HDR.replace(b"-Y 4 +X 3", b"-Y 1000000 +X 1000000"), "cannot hold"),
    "hdr size": (HDR.replace(b"-Y 4 +X 3", b"-Y four +X 3"), "header with a size"),
    "hdr xyz": (HDR.replace(b"rgbe", b"xyze"), "found '32-bit_rle_xyze'"),
    "text": (b"hello world, not a picture", "expected 16-bit PNG, OpenEXR or HDR"),
    "empty": (b"", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("defect", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, defect):
    """Each kind of damage is refused in one line that begins with the file, and costs nothing."""
    content, words = BROKEN[defect]
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ReadError, match=words) as caught:
        DeepLoader()(path)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_damaged_line_of_exr_is_refused_when_it_is_read(tmp_path):
    """Damage in the middle of a file is found by whoever reads it, and by nobody else."""
    middle = len(EXR) // 2
    (tmp_path / "a.exr").write_bytes(EXR[:middle] + bytes(40) + EXR[middle + 40 :])
    raster = DeepLoader()(tmp_path / "a.exr")
    raster.read(0, 4)
    with pytest.raises(ReadError, match=r"a\.exr: expected a whole OpenEXR picture"):
        everything(raster)


def test_odd_numbers_in_exr_are_holes(tmp_path):
    """NaN and infinite light make holes, alpha beyond [0, 1] is cut, and nothing warns."""
    light = np.full((1, 5, 4), 0.25, dtype=np.float32)
    light[0, :, 3] = [1, 1, np.nan, 7, -1]
    light[0, 0, 0], light[0, 1, 1] = np.nan, np.inf
    write(tmp_path / "a.exr", light, "float", ("R", "G", "B", "A"))
    values, valid, alpha = everything(DeepLoader()(tmp_path / "a.exr"))
    assert valid.tolist() == [[False, False, False, True, False]]
    assert alpha.tolist() == [[1, 1, 0, 1, 0]]
    np.testing.assert_allclose(linear(values[0, 3]), 0.25)


def test_the_good_ones_of_the_table_are_read(tmp_path):
    """What the damaged files were made from is read without complaint."""
    for content, size in ((PNG, (30, 40)), (EXR, (64, 50)), (HDR, (4, 3))):
        (tmp_path / "a.dat").write_bytes(content)
        raster = DeepLoader()(tmp_path / "a.dat")
        assert (raster.rows, raster.columns) == size
        assert everything(raster)[1].all()


def test_claims_look_at_content_and_never_raise(tmp_path):
    """A claim goes by the first bytes, so ENVI headers and 8-bit PNG are not claimed."""
    (tmp_path / "a.txt").write_bytes(PNG)
    (tmp_path / "b.hdr").write_bytes(b"ENVI\nsamples = 3\n")
    (tmp_path / "c.png").write_bytes(png16(1, 1, 2, b"\0\0\0\0", depth=8))
    (tmp_path / "d").write_bytes(HDR)
    assert DeepLoader.claims(tmp_path / "a.txt")
    assert DeepLoader.claims(tmp_path / "d")
    for name in ("b.hdr", "c.png", "missing", "."):
        assert not DeepLoader.claims(tmp_path / name)


def test_options_are_of_what_a_format_has():
    """Each writer names the depths its format has, and no others."""
    from gwtransfer.options import options

    said = {writer: {o.name: o.type for o in options(writer)} for writer in
            (PngWriter, JpegWriter, ExrWriter, HdrWriter)}  # fmt: skip
    assert said[PngWriter] == {"depth": "one of 8, 16 or none", "dither": "true or false"}
    assert said[JpegWriter] == {"depth": "one of 8 or none", "dither": "true or false"}
    assert said[ExrWriter] == {"depth": "one of 16, float or none"}
    assert said[HdrWriter] == {"depth": "one of float or none"}


def test_a_profile_is_heeded_where_the_format_has_none(tmp_path):
    """Numbers of a wider profile become the light they mean in OpenEXR, beyond sRGB too."""
    from .test_profile import WIDE, made_profile

    raster = replace(
        array_raster(np.array([[[0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]]), name="a", kind="picture"),
        carried=Carried(icc=made_profile(WIDE, 2.2)),
    )
    ExrWriter()(raster, tmp_path / "a.exr")
    stored = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).read_image("float")
    np.testing.assert_allclose(stored[0, 1], [1, 1, 1], atol=2e-3)
    assert stored[0, 0, 0] < -0.2
    assert stored[0, 0, 1] > 0.95


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path):
    """When the system refuses further bytes each writer says so in one line, and cleans up."""
    import subprocess
    import sys

    script = f"""
import resource, signal, numpy as np
from pathlib import Path
from gwtransfer.io.pictures.writers import ExrWriter, HdrWriter, JpegWriter, PngWriter
from gwtransfer.io.files import whole
from gwtransfer.io.layout import array_raster
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
noise = np.random.default_rng(0).random((500, 500, 3))
raster = array_raster(noise, name="x", kind="picture")
for writer in (PngWriter(), JpegWriter(), ExrWriter(), HdrWriter()):
    path = Path({str(tmp_path)!r}) / ("a" + writer.extensions[0])
    try:
        with whole(path, overwrite=False) as temporary:
            writer(raster, temporary)
    except OSError as error:
        print(type(error).__name__, str(error).startswith(f"{{path}}: "), str(error).count("\\n"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("WriteError True 0\n" * 4, "")
    assert list(tmp_path.iterdir()) == []


@needs_data
@pytest.mark.parametrize("name", ["basn2c16.png", "chessboard_RGB.png", "i_trns.png"])
def test_real_deep_files_keep_every_bit(tmp_path, name):
    """A real 16-bit PNG goes through the writer and comes back with the same samples."""
    (path,) = (DATA / "images").glob(f"*/{name}")
    raster = DeepLoader()(path)
    assert raster.dtype == "uint16"
    with whole(tmp_path / "a.png", overwrite=False) as temporary:
        PngWriter()(raster, temporary)
    again = DeepLoader()(tmp_path / "a.png")
    values, valid, alpha = everything(raster)
    found, still_valid, still_alpha = everything(again)
    np.testing.assert_array_equal(found[valid], values[valid])
    np.testing.assert_array_equal(still_valid, valid)
    np.testing.assert_array_equal(still_alpha, alpha)


@pytest.mark.parametrize("content", [b"garbage " * 4, b"\2\0\0\0", EXR[4:100]])
def test_garbage_behind_the_first_bytes_is_told_without_codes(tmp_path, content):
    """An OpenEXR file that is none behind its first bytes is called damaged, without a code."""
    (tmp_path / "a.exr").write_bytes(b"v/1\x01" + content)
    with pytest.raises(ReadError, match="truncated or damaged") as caught:
        DeepLoader()(tmp_path / "a.exr")
    assert "_ERR_" not in str(caught.value)
