"""PNG, JPEG, BMP and WebP: values, transparency, and what is refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gwtransfer.errors import AmbiguousError, ReadError, UsageError, WriteError
from gwtransfer.io.layout import array_raster
from gwtransfer.io.picture import JpegWriter, PictureLoader, PngWriter

from .shared import DATA, cube, everything, needs_data, picture, round_trip

RNG = np.random.default_rng(0)


def png(columns: int, rows: int, depth: int = 8, colour: int = 2, data: bytes = b"") -> bytes:
    """Return a PNG with this header and these compressed pixels, whether they fit or not."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_png_round_trip(tmp_path, bands, alpha):
    again = round_trip(
        PngWriter(), PictureLoader(), picture(bands=bands, alpha=alpha), tmp_path, ".png"
    )
    assert (again.has_alpha, again.dtype) == (alpha, "uint8")


def test_png_rounds_to_nearest_and_clips(tmp_path):
    values = np.array([[-1.0, 0.0019, 0.0020, 0.5, 0.999, 2.0]])
    PngWriter()(array_raster(values, name="a", kind="picture"), tmp_path / "a.png")
    stored = np.asarray(Image.open(tmp_path / "a.png"))
    assert stored.tolist() == [[0, 0, 1, 128, 255, 255]]


def test_holes_become_transparent_in_png_and_are_refused_in_jpeg(tmp_path):
    values = np.full((2, 2, 3), 0.25)
    values[0, 1, 1] = np.nan
    raster = array_raster(values, name="holey", kind="picture")
    PngWriter()(raster, tmp_path / "a.png")
    stored = np.asarray(Image.open(tmp_path / "a.png"))
    assert stored[:, :, 3].tolist() == [[255, 0], [255, 255]]
    assert stored[0, 1].tolist() == [0, 0, 0, 0]
    assert stored[0, 0].tolist() == [64, 64, 64, 255]
    with pytest.raises(WriteError, match=r"holey: .*\.png or \.tif"):
        JpegWriter()(raster, tmp_path / "a.jpg")
    with pytest.raises(WriteError, match="JPEG cannot hold"):
        JpegWriter().check(picture(alpha=True))


@pytest.mark.parametrize("bands", [1, 3])
def test_jpeg_is_near_and_the_same_each_time(tmp_path, bands):
    ramp = np.linspace(0, 1, 64 * 64 * bands).reshape(64, 64, bands)
    raster = array_raster(ramp, name="a", kind="picture")
    for name in ("a.jpg", "b.jpg"):
        JpegWriter()(raster, tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    again = PictureLoader()(tmp_path / "a.jpg")
    assert np.abs(everything(again)[0] - ramp).max() < 0.03
    with Image.open(tmp_path / "a.jpg") as stored:
        assert all(key.startswith("jfif") for key in stored.info)


def test_cubes_are_refused():
    for writer in (PngWriter(), JpegWriter()):
        with pytest.raises(UsageError, match=r"cube of 9 bands; write \.tif"):
            writer.check(cube())


def save(path, mode, *, size=(4, 3), **options):
    start = {"P": "RGB", "1": "L"}.get(mode, mode)
    samples = len(Image.new(start, (1, 1)).getbands())
    pixels = RNG.integers(0, 256, (size[1], size[0], samples), dtype=np.uint8)
    image = Image.fromarray(pixels.squeeze()).convert(mode)
    image.save(path, **options)
    return image


@pytest.mark.parametrize(
    ("mode", "suffix", "bands", "alpha"),
    [
        ("L", ".png", 1, False), ("LA", ".png", 1, True), ("RGB", ".png", 3, False),
        ("RGBA", ".png", 3, True), ("P", ".png", 3, False), ("1", ".png", 1, False),
        ("RGB", ".bmp", 3, False), ("P", ".bmp", 3, False), ("L", ".bmp", 1, False),
        ("1", ".bmp", 1, False),
    ],
)  # fmt: skip
def test_lossless_modes_are_those_of_pillow(tmp_path, mode, suffix, bands, alpha):
    image = save(tmp_path / f"a{suffix}", mode)
    raster = PictureLoader()(tmp_path / f"a{suffix}")
    target = {1: "L", 3: "RGB"}[bands] + ("A" if alpha else "")
    expected = np.asarray(image.convert(target)).reshape(3, 4, -1) / 255
    values, _, opacity = everything(raster)
    np.testing.assert_allclose(values, expected[:, :, :bands], atol=1e-7)
    assert raster.has_alpha == alpha
    if alpha:
        np.testing.assert_allclose(opacity, expected[:, :, bands], atol=1e-7)


def test_one_transparent_colour_becomes_alpha(tmp_path):
    array = np.array([[10, 20], [20, 30]], dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "gray.png", transparency=20)
    raster = PictureLoader()(tmp_path / "gray.png")
    assert raster.bands == 1
    assert everything(raster)[1].tolist() == [[True, False], [False, True]]
    palette = Image.fromarray(array).convert("P")
    palette.save(tmp_path / "palette.png", transparency=int(np.asarray(palette)[0, 0]))
    assert everything(PictureLoader()(tmp_path / "palette.png"))[1].sum() == 3


def test_exif_orientation_is_applied_also_to_gray(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode in ("L", "RGB"):
        image = save(tmp_path / "a.png", mode, exif=exif)
        raster = PictureLoader()(tmp_path / "a.png")
        assert (raster.rows, raster.columns) == (4, 3)
        expected = np.asarray(image.transpose(Image.Transpose.ROTATE_270)).reshape(4, 3, -1) / 255
        np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-7)


def test_webp_and_cmyk(tmp_path):
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    red.save(tmp_path / "a.webp", lossless=True)
    assert everything(PictureLoader()(tmp_path / "a.webp"))[0][3, 3].tolist() == [1, 0, 0]
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    values = everything(PictureLoader()(tmp_path / "a.jpg"))[0]
    np.testing.assert_allclose(values[8, 8], [1, 0, 0], atol=0.03)


def test_several_frames_stop(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for name in ("a.png", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(AmbiguousError, match="2 frames"):
            PictureLoader()(tmp_path / name)


GOOD = png(40, 30, data=b"".join(b"\0" + RNG.bytes(120) for _ in range(30)))
BROKEN = {
    "16-bit": (png(1, 1, depth=16, data=b"\0" + bytes(6)), "16-bit PNG is not supported yet"),
    "header only": (GOOD[:20], "truncated"),
    "cut pixels": (GOOD[:-2000], "cannot be decoded"),
    "few pixels": (png(100, 100, data=b"\0" * 400), "cannot be decoded"),
    "bomb": (png(60_000, 60_000), "cannot hold"),
    "absurd": (png(2**31 - 1, 2**31 - 1), "cannot hold"),
    "flipped": (GOOD.replace(b"IDAT", b"IDAU"), "cannot be decoded"),
    "text": (b"hello world, not a picture", "expected PNG, JPEG, BMP or WebP"),
    "gif": (b"GIF89a" + bytes(30), "expected PNG"),
    "jpeg start": (b"\xff\xd8\xff\xe0" + bytes(40), "JPEG"),
    "webp start": (b"RIFF\x30\0\0\0WEBPVP8 " + bytes(30), "WebP"),
    "bmp absurd": (
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 70000, 70000, 1, 24, *[0] * 6),
        "BMP",
    ),
    "empty": (b"", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("defect", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, defect):
    content, words = BROKEN[defect]
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        PictureLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_claims_look_at_content_and_never_raise(tmp_path):
    (tmp_path / "a.txt").write_bytes(GOOD)
    (tmp_path / "b.png").write_bytes(b"BM but no bitmap, only text")
    assert PictureLoader.claims(tmp_path / "a.txt")
    assert not PictureLoader.claims(tmp_path / "b.png")
    assert not PictureLoader.claims(tmp_path)
    assert not PictureLoader.claims(tmp_path / "missing.png")


REFUSED = {
    "broken.png": "truncated",
    "truncated_jpeg.jpg": "truncated",
    "i_trns.png": "16-bit",
    "basn2c16.png": "16-bit",
    "chessboard_RGB.png": "16-bit",
}
ODD = sorted(DATA.glob("images/*/*")) if DATA.is_dir() else []


@needs_data
@pytest.mark.parametrize("path", ODD, ids=lambda path: path.name)
def test_real_pictures_load_or_are_refused(path):
    if not PictureLoader.claims(path):
        assert path.suffix in (".tif", ".tiff")
        return
    if path.name in REFUSED:
        with pytest.raises(ReadError, match=REFUSED[path.name]):
            PictureLoader()(path)
        return
    values, _, _ = everything(PictureLoader()(path))
    assert 0 <= values.min() < values.max() <= 1


@needs_data
def test_a_real_cmyk_picture_says_red_in_red():
    path = DATA / "images" / "pillow-odd" / "pil_sample_cmyk.jpg"
    values = everything(PictureLoader()(path))[0]
    np.testing.assert_allclose(values[2, 5], [1, 0, 0], atol=0.1)
    np.testing.assert_allclose(values[50, 98], [0, 0, 0], atol=0.1)


@needs_data
def test_a_real_orientation_stands_the_picture_up():
    odd = DATA / "images" / "pillow-odd"
    turned = everything(PictureLoader()(odd / "hopper_orientation_6.jpg"))[0]
    straight = everything(PictureLoader()(odd / "hopper.bmp"))[0]
    assert np.abs(turned - straight).mean() < 0.05
    assert np.abs(np.rot90(turned) - straight).mean() > 0.1
