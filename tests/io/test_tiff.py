"""TIFF without georeference: pictures, stacks, and what is refused."""

import io
import struct

import numpy as np
import pytest
import tifffile

from gwtransfer.errors import AmbiguousError, ReadError, UsageError
from gwtransfer.io.gdal import GdalLoader
from gwtransfer.io.tiff import TiffLoader

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


def test_colour_models_without_support_are_named(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(6, 7, 4), photometric="separated")
    with pytest.raises(ReadError, match="SEPARATED; convert it to RGB"):
        TiffLoader()(path)
    tifffile.imwrite(path, np.zeros((6, 7), np.complex64), photometric="minisblack")
    with pytest.raises(ReadError, match="complex64"):
        TiffLoader()(path)


def test_jpeg_inside_tiff_is_decoded_to_rgb(tmp_path):
    array = np.zeros((16, 16, 3), np.uint8)
    array[:, :, 0] = 200
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", compression="jpeg")
    np.testing.assert_allclose(
        everything(TiffLoader()(tmp_path / "a.tif"))[0], array / 255, atol=0.02
    )


def test_the_other_loader_claims_what_gdal_marked(tmp_path):
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
