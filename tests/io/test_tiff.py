"""TIFF without georeference: pictures, stacks, and what is refused."""

import io
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from gwtransfer.errors import AmbiguousError, ReadError, UsageError
from gwtransfer.io.tiff import segments
from gwtransfer.io.tiff.declared import declared_size
from gwtransfer.io.tiff.decodedcache import Recent
from gwtransfer.io.tiff.stack import TiffLoader

from .shared import DATA, everything, needs_data

RNG = np.random.default_rng(1)


def numbers(*shape: int, dtype: str = "u1") -> np.ndarray:
    if dtype.startswith("f"):
        return RNG.normal(size=shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "lzw"}, {"bigtiff": True}, {"byteorder": ">"}]
)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb_of_8_and_16_bits_is_a_picture(tmp_path, dtype, options, planar):
    array = numbers(6, 7, 3, dtype=dtype)
    stored = array if planar == "contig" else np.moveaxis(array, -1, 0)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, **options)
    assert TiffLoader.claims(path)
    raster = TiffLoader()(path)
    assert (raster.kind, raster.bands, raster.has_alpha) == ("picture", 3, False)
    np.testing.assert_allclose(everything(raster)[0], array / np.iinfo(dtype).max, atol=1e-7)


def test_gray_and_white_is_zero(tmp_path):
    array = numbers(6, 7)
    for photometric, expected in (("minisblack", array), ("miniswhite", 255 - array)):
        tifffile.imwrite(tmp_path / "a.tif", array, photometric=photometric)
        raster = TiffLoader()(tmp_path / "a.tif")
        assert (raster.kind, raster.bands) == ("picture", 1)
        np.testing.assert_allclose(everything(raster)[0][:, :, 0], expected / 255, atol=1e-7)


@pytest.mark.parametrize("bands", [1, 3])
def test_alpha_is_told_from_a_fourth_band(tmp_path, bands):
    array = numbers(6, 7, bands + 1)
    photometric = "rgb" if bands == 3 else "minisblack"
    for extra, kind in (("unassalpha", "picture"), ("unspecified", "cube")):
        tifffile.imwrite(
            tmp_path / "a.tif", array, photometric=photometric, extrasamples=[extra],
            planarconfig="contig",
        )  # fmt: skip
        raster = TiffLoader()(tmp_path / "a.tif")
        assert (raster.kind, raster.has_alpha) == (kind, kind == "picture")
        if kind == "picture":
            np.testing.assert_allclose(everything(raster)[2], array[:, :, -1] / 255, atol=1e-7)
        else:
            np.testing.assert_array_equal(everything(raster)[0], array)


def test_premultiplied_colours_are_divided_by_their_alpha(tmp_path):
    array = np.array([[[50, 100, 0, 100], [0, 0, 0, 0]]], dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    raster = TiffLoader()(tmp_path / "a.tif")
    values, valid, _ = everything(raster)
    np.testing.assert_allclose(values[0, 0], [0.5, 1, 0], atol=1e-6)
    assert valid.tolist() == [[True, False]]


def test_palette_is_expanded(tmp_path):
    colormap = RNG.integers(0, 2**16, (3, 256), dtype=np.uint16)
    array = numbers(6, 7)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="palette", colormap=colormap)
    raster = TiffLoader()(tmp_path / "a.tif")
    expected = np.moveaxis(colormap[:, array], 0, -1) / 65535
    assert raster.kind == "picture"
    np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-7)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_pages_are_bands(tmp_path, dtype, compression):
    array = numbers(5, 6, 7, dtype=dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="minisblack", compression=compression)
    raster = TiffLoader()(path)
    assert (raster.kind, raster.rows, raster.columns, raster.bands) == ("cube", 6, 7, 5)
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))
    last = TiffLoader(band_axis=2)(path)
    np.testing.assert_array_equal(everything(last)[0], array)
    with pytest.raises(UsageError):
        TiffLoader(band_axis=5)(path)


def test_bands_may_be_samples(tmp_path):
    array = numbers(6, 7, 9, dtype="f4")
    for planar, stored in (("contig", array), ("separate", np.moveaxis(array, -1, 0))):
        tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=planar)
        raster = TiffLoader()(tmp_path / "a.tif")
        np.testing.assert_array_equal(everything(raster)[0], array)


def test_pages_that_are_no_bands_stop(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(numbers(6, 7), photometric="minisblack")
        file.write(numbers(8, 9), photometric="minisblack")
    with pytest.raises(AmbiguousError, match=r"6 × 7 uint8.*8 × 9 uint8"):
        TiffLoader()(path)
    tifffile.imwrite(path, numbers(2, 6, 7, 3), photometric="rgb")
    with pytest.raises(AmbiguousError, match="2 × 6 × 7 × 3"):
        TiffLoader()(path)


def test_overviews_are_not_pages(tmp_path):
    path, array = tmp_path / "a.tif", numbers(8, 8, 3)
    with tifffile.TiffWriter(path) as file:
        file.write(array, photometric="rgb")
        file.write(array[::2, ::2].copy(), photometric="rgb", subfiletype=1)
    np.testing.assert_allclose(everything(TiffLoader()(path))[0], array / 255, atol=1e-7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "u2"}, "4 samples of uint16 SEPARATED; convert it to RGB"),
        ({"extratags": [(332, "H", 1, 2, True)]}, "SEPARATED; convert it to RGB"),
    ],
)
def test_colour_models_without_support_are_named(tmp_path, options, words):
    """Inks other than 8-bit CMYK are refused by their name."""
    path = tmp_path / "a.tif"
    options = dict(options)
    array = numbers(6, 7, 4, dtype=options.pop("dtype", "u1"))
    tifffile.imwrite(path, array, photometric="separated", **options)
    with pytest.raises(ReadError, match=words):
        TiffLoader()(path)


def test_complex_numbers_are_refused(tmp_path):
    """Complex pages are no spectra."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((6, 7), np.complex64), photometric="minisblack")
    with pytest.raises(ReadError, match="complex64"):
        TiffLoader()(path)


def test_inks_without_profile_become_rgb_by_the_plain_formula(tmp_path):
    """CMYK of 0 is white, full black is black, full cyan takes away red, and a note says so."""
    array = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [255, 0, 0, 0], [0, 0, 255, 51]]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="separated")
    raster = TiffLoader()(tmp_path / "a.tif")
    assert (raster.kind, raster.bands, raster.dtype) == ("picture", 3, "uint8")
    assert "CMYK" in raster.notes[0]
    expected = [[[1, 1, 1], [0, 0, 0], [0, 1, 1], [0.8, 0.8, 0]]]
    np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-6)


def ink_profile() -> bytes:
    """Return a CMYK profile of two grid points an ink: every ink takes away lightness, C greens."""
    grid = bytearray()
    for corner in range(16):
        c, m, y, k = (corner >> 3) & 1, (corner >> 2) & 1, (corner >> 1) & 1, corner & 1
        grid += bytes([0, 128, 128] if k else [255 - 60 * (c + m + y), 128 - 60 * c + 60 * m, 128])
    ramp = bytes(range(256))
    unit = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit + ramp * 4 + bytes(grid) + ramp * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, data, place = b"", b"", 132 + 12 * 3
    for name, content in ((b"A2B0", table), (b"A2B1", table), (b"wtpt", white)):
        tags += name + struct.pack(">II", place + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = b"lcms" + struct.pack(">I", 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    head = (head + bytes(28)) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    body = head + struct.pack(">I", 3) + tags + data
    return struct.pack(">I", len(body) + 4) + body


def test_inks_are_converted_by_their_profile(tmp_path):
    """A CMYK profile is used for the colours, by windows as for the whole, and noted."""
    profile, path = ink_profile(), tmp_path / "a.tif"
    array = numbers(6, 7, 4)
    array[0, 0] = 0
    array[0, 1] = (0, 0, 0, 255)
    array[0, 2] = (255, 0, 0, 0)
    tifffile.imwrite(path, array, photometric="separated", iccprofile=profile)
    raster = TiffLoader()(path)
    assert "by the ICC profile" in raster.notes[0]
    assert raster.carried.icc is None
    values = raster.read(0, 6).values
    np.testing.assert_allclose(values[0, :2], [[1, 1, 1], [0, 0, 0]], atol=0.01)
    assert values[0, 2, 1] > values[0, 2, 0] + 0.2
    np.testing.assert_array_equal(raster.read(2, 4).values, values[2:4])
    with Image.open(path) as opened:
        expected = ImageCms.profileToProfile(
            opened, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )  # fmt: skip
    np.testing.assert_allclose(values * 255, np.asarray(expected), atol=1e-3)


def test_a_profile_of_rgb_is_no_profile_of_inks(tmp_path):
    """A profile that does not belong to CMYK is not used to convert it, and not carried."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(6, 7, 4), photometric="separated", iccprofile=profile)
    raster = TiffLoader()(path)
    assert "plain formula" in raster.notes[0]
    assert raster.carried.icc is None


def test_profile_and_resolution_are_carried(tmp_path):
    """The ICC profile comes out byte for byte, and the resolution in dots an inch."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "a.tif"
    for unit, resolution in (("inch", (300, 150)), ("centimeter", (300 / 2.54, 150 / 2.54))):
        tifffile.imwrite(
            path, numbers(6, 7, 3), photometric="rgb", iccprofile=profile,
            resolution=resolution, resolutionunit=unit,
        )  # fmt: skip
        carried = TiffLoader()(path).carried
        assert carried.icc == profile
        np.testing.assert_allclose(carried.dpi, (300, 150), rtol=1e-6)
    tifffile.imwrite(path, numbers(6, 7, 3), photometric="rgb", resolutionunit="none")
    carried = TiffLoader()(path).carried
    assert (carried.icc, carried.dpi) == (None, None)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_rgb_of_floats_is_a_picture_when_it_lies_between_0_and_1(tmp_path, dtype):
    """Floats in [0, 1] are a picture as stored; a value beyond makes a cube and a note."""
    array = RNG.uniform(0, 1, (6, 7, 3)).astype(dtype)
    array[2, 3] = np.nan
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="rgb")
    raster = TiffLoader()(path)
    assert (raster.kind, raster.dtype, raster.notes) == ("picture", np.dtype(dtype).name, ())
    values, valid, _ = everything(raster)
    np.testing.assert_array_equal(values, array)
    assert not valid[2, 3]
    assert valid.sum() == 41
    array[5, 6, 1] = 1.5
    tifffile.imwrite(path, array, photometric="rgb")
    raster = TiffLoader()(path)
    assert raster.kind == "cube"
    assert "beyond [0, 1]" in raster.notes[0]
    np.testing.assert_array_equal(everything(raster)[0], array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path, orientation):
    """Each orientation tag gives the picture Pillow shows, whole and by windows of rows."""
    path, array = tmp_path / "a.tif", numbers(6, 7, 3)
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(path, array, photometric="rgb", rowsperstrip=2, extratags=tags)
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)) / 255
    raster = TiffLoader()(path)
    assert (raster.rows, raster.columns) == expected.shape[:2]
    np.testing.assert_allclose(raster.read(0, raster.rows).values, expected, atol=1e-7)
    np.testing.assert_allclose(raster.read(2, 5).values, expected[2:5], atol=1e-7)


FORMS = [
    {},
    {"byteorder": ">"},
    {"rowsperstrip": 3},
    {"compression": "lzw", "predictor": True, "rowsperstrip": 3},
    {"compression": "deflate", "byteorder": ">", "rowsperstrip": 40},
    {"tile": (16, 16)},
    {"tile": (16, 32), "compression": "zstd"},
    {"compression": "packbits", "bigtiff": True},
]


@pytest.mark.parametrize("options", FORMS, ids=str)
@pytest.mark.parametrize("tall", [False, True])
def test_windows_are_rows_of_the_whole(tmp_path, monkeypatch, options, tall):
    """Strips, tiles and codecs give the same windows as tifffile's whole decode, in any order."""
    if tall:
        monkeypatch.setattr("gwtransfer.io.tiff.segments.TALL_BYTES", 0)
        monkeypatch.setattr("gwtransfer.io.tiff.decodedcache.MEMORY_BYTES", 0)
    path = tmp_path / "a.tif"
    array = numbers(4, 40, 50, dtype="u2")
    with tifffile.TiffWriter(
        path, byteorder=options.get("byteorder"), bigtiff=options.get("bigtiff", False)
    ) as file:
        rest = {key: one for key, one in options.items() if key not in ("byteorder", "bigtiff")}
        for page in array:
            file.write(page, photometric="minisblack", contiguous=False, metadata=None, **rest)
    raster = TiffLoader()(path)
    expected = np.moveaxis(tifffile.imread(path), 0, -1)
    np.testing.assert_array_equal(expected, np.moveaxis(array, 0, -1))
    for start, stop in ((37, 40), (0, 1), (5, 20), (15, 17), (0, 40)):
        np.testing.assert_array_equal(raster.read(start, stop).values, expected[start:stop])


def test_threads_may_read_at_once(tmp_path):
    """Windows read by eight threads at once are those read by one."""
    path, array = tmp_path / "a.tif", numbers(6, 64, 50, dtype="u2")
    tifffile.imwrite(path, array, photometric="minisblack", compression="deflate", rowsperstrip=7)
    raster = TiffLoader()(path)
    windows = [(start, start + 5) for start in range(0, 59, 2)] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda window: raster.read(*window).values, windows))
    for (start, stop), values in zip(windows, found, strict=True):
        np.testing.assert_array_equal(values, np.moveaxis(array[:, start:stop], 0, -1))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, compression):
    """Reading four times as many rows by blocks takes no more memory."""
    monkeypatch.setattr(segments, "RECENT", Recent(2**20))
    peaks = []
    for rows in (2_000, 8_000):
        path = tmp_path / f"{rows}.tif"
        with tifffile.TiffWriter(path) as file:
            for _ in range(4):
                file.write(
                    np.zeros((rows, 500), np.uint16), photometric="minisblack",
                    compression=compression, contiguous=False, metadata=None, rowsperstrip=64,
                )  # fmt: skip
        raster = TiffLoader()(path)
        tracemalloc.start()
        for start in range(0, rows, 100):
            raster.read(start, start + 100)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 8 * 2**20
    assert peaks[1] < 1.2 * peaks[0]


def test_a_strip_too_short_to_hold_its_rows_is_refused(tmp_path):
    """Deflated bytes that cannot hold the rows promised are refused when the file is opened."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(6, 7), compression="deflate")
    content = bytearray(path.read_bytes())
    for tag, size in ((256, 1000), (257, 200), (278, 200)):
        at = content.index(struct.pack("<H", tag), 8)
        struct.pack_into("<HII", content, at + 2, 4, 1, size)
    path.write_bytes(content)
    with pytest.raises(ReadError, match="compressed bytes that cannot hold them"):
        TiffLoader()(path)


def test_damaged_strips_are_refused_when_they_are_read(tmp_path):
    """A strip whose bytes were overwritten gives one line, with the file's name first."""
    path = tmp_path / "a.tif"
    content = bytearray(stack("deflate"))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        at = file.pages[2].dataoffsets[0]
    content[at : at + 200] = b"x" * 200
    path.write_bytes(content)
    raster = TiffLoader()(path)
    with pytest.raises(ReadError, match="cannot be decoded") as caught:
        raster.read(0, 60)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codec", ["jpeg", "jpeg2000", "png", "webp", "jpegxl"])
def test_pictures_inside_say_their_size_before_they_are_decoded(tmp_path, codec):
    """The size is read off each codec's stream, and one much larger than its strip is refused."""
    path = tmp_path / "a.tif"
    large = numbers(600, 500, 3)
    tifffile.imwrite(path, large, photometric="rgb", compression=codec, rowsperstrip=600)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        encoded = file.filehandle.read_array("u1", page.databytecounts[0], page.dataoffsets[0])
    assert declared_size(encoded.tobytes()) == (600, 500)
    content = bytearray(path.read_bytes())
    for tag in (256, 257, 278):
        at = content.index(struct.pack("<H", tag), page.offset)
        struct.pack_into("<HII", content, at + 2, 4, 1, 64)
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"of 64 × 64 pixels, found one that says 600 × 500"):
        TiffLoader()(path).read(0, 64)


def test_raw_photographs_are_named(tmp_path):
    """A DNG is refused with what to do, not read as its preview."""
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, numbers(6, 7, 3), extratags=[(50706, "B", 4, b"\1\4\0\0", True)])
    with pytest.raises(ReadError, match=r"raw photograph.*develop"):
        TiffLoader()(path)


def test_channels_of_imagej_are_bands_and_slices_too_with_a_note(tmp_path):
    """Channels are bands silently, slices with a note, and both at once are refused."""
    path, array = tmp_path / "a.tif", numbers(5, 6, 7, dtype="u2")
    for axes, notes in (("CYX", ()), ("ZYX", (f"{path}: its 5 slices (Z) are taken as bands",))):
        tifffile.imwrite(path, array, imagej=True, metadata={"axes": axes})
        raster = TiffLoader()(path)
        assert raster.notes == notes
        np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))
    tifffile.imwrite(path, numbers(2, 5, 6, 7), imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(AmbiguousError, match="2 times, 5 channels"):
        TiffLoader()(path)


def test_an_imagej_stack_cut_behind_its_only_directory_is_refused(tmp_path):
    """A hyperstack with one directory that has lost images is not read as its first image."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(9, 60, 70), imagej=True)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        first = file.pages[0]
        following = first.offset + 2 + 12 * len(first.tags)
        content[following : following + 4] = bytes(4)
        end = first.dataoffsets[0] + 3 * 60 * 70
    path.write_bytes(content[:end])
    with pytest.raises(ReadError, match=r"expected 9 images.*truncated"):
        TiffLoader()(path)


def test_rows_written_as_pages_are_not_taken_for_bands(tmp_path):
    """A cube saved with its bands last, hence as narrow pages, asks which axis holds them."""
    path, array = tmp_path / "a.tif", numbers(40, 50, 6, dtype="u2")
    tifffile.imwrite(path, array, photometric="minisblack")
    with pytest.raises(AmbiguousError, match=r"--band-axis 0 or --band-axis 2"):
        TiffLoader()(path)
    np.testing.assert_array_equal(everything(TiffLoader(band_axis=2)(path))[0], array)
    middle = TiffLoader(band_axis=1)(path)
    np.testing.assert_array_equal(everything(middle)[0], np.moveaxis(array, 1, -1))


def test_jpeg_inside_tiff_is_decoded_to_rgb(tmp_path):
    array = np.zeros((16, 16, 3), np.uint8)
    array[:, :, 0] = 200
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", compression="jpeg")
    np.testing.assert_allclose(
        everything(TiffLoader()(tmp_path / "a.tif"))[0], array / 255, atol=0.02
    )


def test_the_other_loader_claims_what_gdal_marked(tmp_path):
    from gwtransfer.io.gdal.loader import GdalLoader

    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(6, 7), extratags=[(42113, "s", 0, "0", True)])
    assert (TiffLoader.claims(path), GdalLoader.claims(path)) == (False, True)
    tifffile.imwrite(path, numbers(6, 7), bigtiff=True)
    assert (TiffLoader.claims(path), GdalLoader.claims(path)) == (True, False)
    for broken in (b"II*\0", b"II*\0" + struct.pack("<I", 8) + b"\xff\xff"):
        path.write_bytes(broken)
        assert (TiffLoader.claims(path), GdalLoader.claims(path)) == (True, False)
    assert not TiffLoader.claims(tmp_path)


def stack(compression: str | None) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, numbers(5, 60, 70), photometric="minisblack", compression=compression, metadata=None
    )
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kept", [3, 6, 12, 200, 0.5, 0.9, -30])
def test_truncated_files_are_refused(tmp_path, compression, kept):
    content = stack(compression)
    size = int(kept * len(content)) if isinstance(kept, float) else kept
    path = tmp_path / "a.tif"
    path.write_bytes(content[:size])
    with pytest.raises(ReadError) as caught:
        TiffLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_circle_of_pages_ends(tmp_path):
    path = tmp_path / "a.tif"
    content = bytearray(stack(None))
    first = struct.unpack_from("<I", content, 4)[0]
    after = first + 2 + 12 * struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, after, first)
    path.write_bytes(content)
    with pytest.raises(ReadError, match="circle"):
        TiffLoader()(path)


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(6, 7), compression="deflate")
    content = bytearray(path.read_bytes())
    for tag, size in ((256, 2**30), (257, 2**30), (278, 2**30)):
        at = content.index(struct.pack("<H", tag), 8)
        struct.pack_into("<HII", content, at + 2, 4, 1, size)
    path.write_bytes(content)
    with pytest.raises(ReadError, match="cannot hold"):
        TiffLoader()(path)


ODD = [
    *DATA.glob("images/*/*.tif*"),
    *DATA.glob("hyperspectral/tiffstack/*"),
    *DATA.glob("derived/*.tif"),
]


@needs_data
@pytest.mark.parametrize("path", sorted(ODD), ids=lambda path: path.name)
def test_real_files_load_or_are_refused(path):
    assert TiffLoader.claims(path)
    if "multipage" in path.name:
        with pytest.raises(AmbiguousError, match=path.name):
            TiffLoader()(path)
        return
    raster = TiffLoader()(path)
    assert everything(raster)[1].all()
    assert raster.bands == {"E34_imc": 5, "G01_imc": 5, "celegans_stack_20": 20}.get(
        path.stem, 3 if "RGB" in path.name else 1
    )


def test_a_raw_photograph_of_canon_is_named(tmp_path):
    """A CR2 is a TIFF with a mark behind its first bytes; its preview is not read."""
    path = tmp_path / "a.cr2"
    path.write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + bytes(40))
    assert TiffLoader.claims(path)
    with pytest.raises(ReadError, match=r"CR2\) is not read; develop"):
        TiffLoader()(path)
