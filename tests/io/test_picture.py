"""8-bit PNG, JPEG, BMP, WebP and GIF: values, transparency, what is carried and refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.pictures.deep import DeepLoader
from gwtransfer.io.pictures.everyday import PictureLoader
from gwtransfer.io.pictures.pngparts import names_other_colours

from .shared import DATA, everything, needs_data

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
    """Every lossless mode gives the samples Pillow gives for it."""
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
    """One colour named transparent becomes an alpha of zero, in gray and in a palette."""
    array = np.array([[10, 20], [20, 30]], dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "gray.png", transparency=20)
    raster = PictureLoader()(tmp_path / "gray.png")
    assert raster.bands == 1
    assert everything(raster)[1].tolist() == [[True, False], [False, True]]
    palette = Image.fromarray(array).convert("P")
    palette.save(tmp_path / "palette.png", transparency=int(np.asarray(palette)[0, 0]))
    assert everything(PictureLoader()(tmp_path / "palette.png"))[1].sum() == 3


def test_exif_orientation_is_applied_also_to_gray(tmp_path):
    """A picture with Exif orientation 6 is read upright, gray or coloured."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode in ("L", "RGB"):
        image = save(tmp_path / "a.png", mode, exif=exif)
        raster = PictureLoader()(tmp_path / "a.png")
        assert (raster.rows, raster.columns) == (4, 3)
        expected = np.asarray(image.transpose(Image.Transpose.ROTATE_270)).reshape(4, 3, -1) / 255
        np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-7)


def test_webp_and_cmyk(tmp_path):
    """Red is red in WebP and, converted, in CMYK JPEG."""
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    red.save(tmp_path / "a.webp", lossless=True)
    assert everything(PictureLoader()(tmp_path / "a.webp"))[0][3, 3].tolist() == [1, 0, 0]
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    values = everything(PictureLoader()(tmp_path / "a.jpg"))[0]
    np.testing.assert_allclose(values[8, 8], [1, 0, 0], atol=0.03)


def test_several_frames_stop(tmp_path):
    """A file of two frames is refused and the number of frames is said."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for name in ("a.png", "a.webp", "a.gif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(AmbiguousError, match="2 frames"):
            PictureLoader()(tmp_path / name)


GOOD = png(40, 30, data=b"".join(b"\0" + RNG.bytes(120) for _ in range(30)))
BROKEN = {
    "header only": (GOOD[:20], "truncated"),
    "cut pixels": (GOOD[:-2000], "cannot be decoded"),
    "few pixels": (png(100, 100, data=b"\0" * 400), "cannot be decoded"),
    "bomb": (png(60_000, 60_000), "cannot hold"),
    "absurd": (png(2**31 - 1, 2**31 - 1), "cannot hold"),
    "flipped": (GOOD.replace(b"IDAT", b"IDAU"), "cannot be decoded"),
    "text": (b"hello world, not a picture", "expected PNG, JPEG, BMP, WebP or GIF"),
    "gif start": (b"GIF89a" + bytes(30), "GIF"),
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
    """Each kind of damage is refused in one line that begins with the file."""
    content, words = BROKEN[defect]
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        PictureLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_claims_look_at_content_and_never_raise(tmp_path):
    """A claim goes by the first bytes, leaves 16-bit PNG alone, and answers for anything."""
    (tmp_path / "a.txt").write_bytes(GOOD)
    (tmp_path / "b.png").write_bytes(b"BM but no bitmap, only text")
    assert PictureLoader.claims(tmp_path / "a.txt")
    assert not PictureLoader.claims(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(png(1, 1, depth=16, data=b"\0" + bytes(6)))
    assert not PictureLoader.claims(tmp_path / "c.png")
    assert not PictureLoader.claims(tmp_path)
    assert not PictureLoader.claims(tmp_path / "missing.png")


REFUSED = {
    "broken.png": "truncated",
    "truncated_jpeg.jpg": "truncated",
}
ODD = sorted(DATA.glob("images/*/*")) if DATA.is_dir() else []


@needs_data
@pytest.mark.parametrize("path", ODD, ids=lambda path: path.name)
def test_real_pictures_load_or_are_refused(path):
    """Every real picture is read into [0, 1] or refused for a stated reason."""
    if not PictureLoader.claims(path):
        assert DeepLoader.claims(path) == (path.suffix == ".png")
        assert path.suffix in (".tif", ".tiff", ".png")
        return
    if path.name in REFUSED:
        with pytest.raises(ReadError, match=REFUSED[path.name]):
            PictureLoader()(path)
        return
    values, _, _ = everything(PictureLoader()(path))
    assert 0 <= values.min() < values.max() <= 1


@needs_data
def test_a_real_cmyk_picture_says_red_in_red():
    """The red and black of a real CMYK picture come out red and black."""
    path = DATA / "images" / "pillow-odd" / "pil_sample_cmyk.jpg"
    values = everything(PictureLoader()(path))[0]
    np.testing.assert_allclose(values[2, 5], [1, 0, 0], atol=0.1)
    np.testing.assert_allclose(values[50, 98], [0, 0, 0], atol=0.1)


@needs_data
def test_a_real_orientation_stands_the_picture_up():
    """A real picture of orientation 6 matches its upright twin and not a turned one."""
    odd = DATA / "images" / "pillow-odd"
    turned = everything(PictureLoader()(odd / "hopper_orientation_6.jpg"))[0]
    straight = everything(PictureLoader()(odd / "hopper.bmp"))[0]
    assert np.abs(turned - straight).mean() < 0.05
    assert np.abs(np.rot90(turned) - straight).mean() > 0.1


def exif_with_thumbnail(orientation: int) -> bytes:
    """Return an Exif block with tags, GPS, sizes, and a thumbnail of 400 bytes at its end."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker", "Model 7", orientation
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA002: 4, 0xA003: 3})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0)})
    block = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    order = "<" if block[:2] == b"II" else ">"
    main = struct.unpack_from(order + "I", block, 4)[0]
    link = main + 2 + 12 * struct.unpack_from(order + "H", block, main)[0]
    second = len(block)
    struct.pack_into(order + "I", block, link, second)
    block += struct.pack(order + "H", 2)
    block += struct.pack(order + "HHII", 0x201, 4, 1, second + 30)
    block += struct.pack(order + "HHIII", 0x202, 4, 1, 400, 0)
    return bytes(block) + b"\xff\xd8\xff" + b"old colours " * 33 + b"x"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_profile_exif_and_resolution_are_carried(tmp_path, suffix):
    """Profile bytes, tags and DPI come along; orientation becomes 1 and the thumbnail goes."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    block = exif_with_thumbnail(6)
    assert b"old colours" in block
    options = {} if suffix == ".webp" else {"dpi": (300, 150)}
    save(tmp_path / f"a{suffix}", "RGB", exif=b"Exif\0\0" + block, icc_profile=icc, **options)
    raster = PictureLoader()(tmp_path / f"a{suffix}")
    assert raster.carried.icc == icc
    assert (raster.rows, raster.columns) == (4, 3)
    again = Image.Exif()
    again.load(raster.carried.exif)
    assert (again[0x010F], again[0x0110], again[0x0112]) == ("Maker", "Model 7", 1)
    details = again.get_ifd(0x8769)
    assert (details[0x9003], details[0xA002], details[0xA003]) == ("2020:01:02 03:04:05", 3, 4)
    assert again.get_ifd(0x8825)[2] == (1.0, 2.0, 3.0)
    assert b"old colours" not in raster.carried.exif
    assert again.get_ifd(1) == {}
    if suffix == ".webp":
        assert raster.carried.dpi is None
    else:  # the picture was turned, and its resolutions with it
        np.testing.assert_allclose(raster.carried.dpi, (150, 300), atol=0.02)


def test_a_broken_exif_block_is_left_out_with_a_note(tmp_path):
    """An Exif block whose directory lies outside is not carried, and a note says so."""
    save(tmp_path / "a.png", "RGB", exif=b"Exif\0\0II*\0\xff\xff\0\0")
    raster = PictureLoader()(tmp_path / "a.png")
    assert raster.carried.exif is None
    assert raster.notes == (f"{tmp_path / 'a.png'}: its Exif block is broken and left out",)


def test_a_file_that_says_nothing_carries_nothing(tmp_path):
    """No resolution is invented for a JPEG that has none."""
    save(tmp_path / "a.jpg", "RGB")
    carried = PictureLoader()(tmp_path / "a.jpg").carried
    assert (carried.icc, carried.exif, carried.dpi) == (None, None, None)


def test_cmyk_without_profile_is_noted(tmp_path):
    """The plain conversion of CMYK is a guess, so a note says that it was made."""
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    (note,) = PictureLoader()(tmp_path / "a.jpg").notes
    assert "CMYK has no profile" in note


def test_another_gamma_is_noted(tmp_path):
    """A PNG whose gamma part says linear light is read as it is, and a note says so."""
    part = b"gAMA" + struct.pack(">I", 100_000)
    part = struct.pack(">I", 4) + part + struct.pack(">I", zlib.crc32(part))
    (tmp_path / "a.png").write_bytes(GOOD[:33] + part + GOOD[33:])
    assert "gamma of 1 is not heeded" in PictureLoader()(tmp_path / "a.png").notes[0]
    (tmp_path / "b.png").write_bytes(GOOD)
    assert PictureLoader()(tmp_path / "b.png").notes == ()


def test_a_gif_of_one_frame_is_a_picture(tmp_path):
    """A GIF's palette is expanded to the colours it stands for."""
    image = save(tmp_path / "a.gif", "P")
    raster = PictureLoader()(tmp_path / "a.gif")
    expected = np.asarray(image.convert("RGB")) / 255
    np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-7)


@pytest.mark.parametrize(
    ("code", "sound", "noted"),
    [(b"\x09\x10\0\1", True, True), (b"\1\x0d\0\1", True, False), (b"\x09\x10\0\1", False, False)],
)
def test_colours_named_by_code_are_noted(tmp_path, code, sound, noted):
    """A cICP part of other colours than sRGB gives a note; sRGB's own and a damaged one do not."""
    part = b"cICP" + code
    part = struct.pack(">I", len(code)) + part + struct.pack(">I", zlib.crc32(part) ^ (not sound))
    (tmp_path / "a.png").write_bytes(GOOD[:33] + part + GOOD[33:])
    assert names_other_colours(tmp_path / "a.png") is noted
    if sound:
        notes = PictureLoader()(tmp_path / "a.png").notes
        assert ["cICP" in note for note in notes] == [True] * noted


GARBAGE = {
    "gif": b"GIF89agarbage garbage garbage",
    "jpeg": b"\xff\xd8\xffgarbage garbage garbage",
    "webp": b"RIFF\x40\0\0\0WEBPgarbage garbage",
    "bmp": b"BM" + bytes(12) + b"\x28\0\0\0garbage garbage",
}


@pytest.mark.parametrize("form", GARBAGE)
def test_garbage_behind_the_first_bytes_is_told_without_names_of_libraries(tmp_path, form):
    """The message says that the file is damaged, and not which library could not say so."""
    (tmp_path / "a").write_bytes(GARBAGE[form])
    with pytest.raises(ReadError, match="truncated or damaged") as caught:
        PictureLoader()(tmp_path / "a")
    assert "pillow" not in str(caught.value)
    assert "plugin" not in str(caught.value)
