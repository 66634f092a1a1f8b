"""What is true of damaged files of every format alike; what is special to one is tested with it."""

import io
import json
import os
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import OpenImageIO
import pytest
import rasterio
import scipy.io
import tifffile
from PIL import Image

from gwtransfer.core.raster import Raster
from gwtransfer.errors import GwTransferError
from gwtransfer.opening import Opening

Make = Callable[[Path], None]
RNG = np.random.default_rng(11)
BYTES = RNG.integers(1, 256, (40, 30, 3), dtype=np.uint8)
CUBE = RNG.integers(1, 4000, (40, 30, 12)).astype(np.uint16)
MOST_BYTES, MOST_SECONDS = 200_000_000, 2.0
SCIPY_BYTES = 135_000_000
"""scipy inflates 128 kB of a compressed array at a time, whatever that becomes."""


def pillow(path: Path) -> None:
    Image.fromarray(BYTES).save(path)


def deep(path: Path) -> None:
    form = "uint16" if path.suffix == ".png" else "float"
    out = OpenImageIO.ImageOutput.create(str(path))
    assert out.open(str(path), OpenImageIO.ImageSpec(30, 40, 3, form))
    assert out.write_image(BYTES.astype(np.uint16) * 257 if form == "uint16" else BYTES / 255)
    out.close()


def tiff(path: Path) -> None:
    tifffile.imwrite(path, BYTES, compression="deflate", photometric="rgb")


def geotiff(path: Path, nodata: float | None = None, cube: np.ndarray = CUBE) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", width=30, height=40, count=12, dtype="uint16", nodata=nodata,
        crs="EPSG:32633", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6),
    ) as out:  # fmt: skip
        out.write(np.moveaxis(cube, -1, 0))


def envi(path: Path, cube: np.ndarray = CUBE, **said: object) -> None:
    words = {"samples": 30, "lines": 40, "bands": 12, "data type": 12, "interleave": "bip"}
    words |= {"byte order": 0} | {key.replace("_", " "): value for key, value in said.items()}
    lines = ["ENVI", *(f"{key} = {value}" for key, value in words.items())]
    path.with_suffix(".hdr").write_text("\n".join(lines))
    path.write_bytes(cube.tobytes())


def erdas(path: Path, rows: int = 40) -> None:
    head = b"HEAD74" + struct.pack("<HH6xii", 2, 12, 30, rows)
    path.write_bytes(head.ljust(128, b"\0") + np.moveaxis(CUBE, -1, 1).tobytes())


def npy(path: Path) -> None:
    np.save(path, CUBE)


def mat(path: Path) -> None:
    scipy.io.savemat(path, {"cube": CUBE}, do_compression=True)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=CUBE, chunks=(10, 10, 12), compression="gzip")


def netcdf(path: Path) -> None:
    with scipy.io.netcdf_file(path, "w") as file:
        for name, size in (("y", 40), ("x", 30), ("band", 12)):
            file.createDimension(name, size)
        file.createVariable("cube", "i2", ("y", "x", "band"))[:] = CUBE.astype("i2")


def film(path: Path) -> None:
    frame = b"FRAME\n" + RNG.bytes(32 * 16 * 3 // 2)
    path.write_bytes(b"YUV4MPEG2 W32 H16 F25:1 C420jpeg\n" + 5 * frame)


def ply(path: Path) -> None:
    head = b"ply\nformat binary_little_endian 1.0\nelement vertex 99\n"
    head += b"".join(b"property float %c\n" % axis for axis in b"xyz") + b"end_header\n"
    path.write_bytes(head + RNG.normal(size=(99, 3)).astype("<f4").tobytes())


def off(path: Path) -> None:
    points = "\n".join(" ".join(map(str, point)) for point in RNG.normal(size=(99, 3)))
    path.write_text(f"OFF\n99 0 0\n{points}\n")


def stl(path: Path) -> None:
    corners = RNG.normal(size=(9, 12)).astype("<f4")
    faces = b"".join(each.tobytes() + b"\0\0" for each in corners)
    path.write_bytes(bytes(80) + struct.pack("<I", 9) + faces)


FORMATS: dict[str, Make] = {
    "a.png": pillow, "a.jpg": pillow, "a.bmp": pillow, "a.gif": pillow, "a.webp": pillow,
    "deep.png": deep, "a.exr": deep, "a.hdr": deep, "a.tif": tiff, "geo.tif": geotiff,
    "a.img": envi, "a.lan": erdas, "a.npy": npy, "a.mat": mat, "a.h5": hdf5, "a.nc": netcdf,
    "a.y4m": film, "a.ply": ply, "a.off": off, "a.stl": stl,
}  # fmt: skip


def read(path: Path) -> None:
    """Open a file as a command does, and read all of it."""
    (item,) = Opening()(path)
    if isinstance(item, Raster):
        assert sum(len(block.points) for block in item.blocks()) == item.pixels


def refused(path: Path) -> str:
    """Return why a file is refused, having checked how: in one line, soon, and at little cost."""
    allowed = MOST_BYTES + SCIPY_BYTES * (path.suffix == ".mat")
    read_whole_once()
    tracemalloc.start()
    begun, highest = time.process_time(), most_memory(reset=True)
    try:
        with pytest.raises(GwTransferError) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < allowed
    finally:
        tracemalloc.stop()
    assert most_memory() - highest < allowed
    assert time.process_time() - begun < MOST_SECONDS
    said = str(caught.value)
    assert said.startswith((f"{path}: ", f"{path.with_suffix('.hdr')}: ")), said
    assert "\n" not in said
    assert len(said) < 400
    return said


def read_whole_once(done: set[str] = set()) -> None:  # noqa: B006  once a process
    """Load the libraries, so that what they cost is not blamed on a file."""
    import tempfile

    for name, make in FORMATS.items() if not done else ():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder, name))
            read(Path(folder, name))
        done.add(name)


def most_memory(*, reset: bool = False) -> int:
    """Return the most bytes this process has held since the last reset; 0 where nobody tells."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.parametrize("name", FORMATS)
def test_whole_files_are_read(tmp_path, name):
    """What the damaged files are made from is read without complaint."""
    FORMATS[name](tmp_path / name)
    read(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0, 3, 20, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(tmp_path, name, kept):
    """A file cut anywhere is refused, by its content or as one that nobody knows."""
    path = tmp_path / name
    FORMATS[name](path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    said = refused(path)
    assert ("empty" in said) == (kept == 0)


@pytest.mark.parametrize("name", FORMATS)
def test_other_content_is_refused(tmp_path, name):
    """Text, or zeros, under the extension of a format are refused."""
    path = tmp_path / name
    for content in (b"just some words that say nothing\n" * 9, bytes(5000)):
        path.write_bytes(content)
        refused(path)


@pytest.mark.parametrize("name", FORMATS)
def test_folders_and_missing_files_are_refused(tmp_path, name):
    """A folder with the name of a file, and no file at all, are told apart."""
    path = tmp_path / name
    assert "no such file" in refused(path)
    path.mkdir()
    refused(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", FORMATS)
def test_files_of_others_are_refused(tmp_path, name):
    """A file that may not be read is refused with its permission as the reason."""
    path = tmp_path / name
    FORMATS[name](path)
    path.chmod(0)
    assert "permission" in refused(path)


def numpy_header(path: Path, shape: tuple[int, ...], stored: str = "<f4") -> None:
    with path.open("wb") as file:
        said = {"descr": stored, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, said)
        file.write(bytes(1000))


def changed(make: Make, old: bytes, new: bytes) -> Make:
    """Return what makes a file with some of its bytes exchanged."""

    def write(path: Path) -> None:
        make(path)
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return write


def tagged(tag: int, form: int, value: int) -> Make:
    """Return what makes a TIFF with another value of a tag."""

    def write(path: Path) -> None:
        tiff(path)
        content = bytearray(path.read_bytes())
        at = content.index(struct.pack("<HHI", tag, form, 1), 8)
        struct.pack_into("<HHII", content, at, tag, form, 1, value)
        path.write_bytes(content)

    return write


def png(path: Path, side: int, depth: int) -> None:
    """Write a gray PNG of zeros."""

    def part(kind: bytes, body: bytes) -> bytes:
        total = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", total)

    head = part(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0))
    pixels = part(b"IDAT", zeros(side * (1 + side * depth // 8)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + pixels + part(b"IEND", b""))


def zeros(count: int) -> bytes:
    """Return so many zeros deflated, made a megabyte at a time."""
    coder = zlib.compressobj(9)
    parts = [coder.compress(bytes(2**20)) for _ in range(count // 2**20)]
    return b"".join(parts) + coder.compress(bytes(count % 2**20)) + coder.flush()


def strip(path: Path) -> None:
    """Write a TIFF of 20 000 × 20 000 zeros in one strip."""
    data = zeros(400_000_000)
    data += bytes(len(data) % 2)
    entries = [(256, 20_000), (257, 20_000), (258, 8), (259, 8), (262, 1), (273, 8), (277, 1)]
    entries += [(278, 20_000), (279, len(data))]
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    path.write_bytes(head + data + struct.pack("<H", len(entries)) + listed + bytes(4))


def jpeg(path: Path, side: int) -> None:
    memory = io.BytesIO()
    Image.new("L", (8, 8)).save(memory, "JPEG")
    content = bytearray(memory.getvalue())
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, side, side)
    path.write_bytes(content)


def gif(path: Path) -> None:
    Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<HH", content, 6, 31_000, 31_000)
    struct.pack_into("<HH", content, content.index(b",") + 5, 31_000, 31_000)
    path.write_bytes(content)


def webp(path: Path) -> None:
    Image.new("RGB", (12_000, 12_000)).save(path, lossless=True, method=0)


def swollen_mat(path: Path) -> None:
    scipy.io.savemat(path, {"cube": np.zeros((2000, 2000, 10))}, do_compression=True)


def zarr(path: Path, **said: object) -> None:
    path.mkdir()
    words = {"zarr_format": 2, "shape": [40, 30, 12], "chunks": [40, 30, 12], "dtype": "<u2"}
    words |= {"order": "C", "fill_value": 0, "filters": None, "compressor": None} | said
    (path / ".zarray").write_text(json.dumps(words))
    (path / "0.0.0").write_bytes(CUBE.tobytes())


def hollow(path: Path) -> None:
    """Write an array of 10⁸ chunks, one of which is there."""
    with h5py.File(path, "w") as file:
        cube = file.create_dataset("cube", (10_000, 10_000, 3), "u1", chunks=(1, 1, 3))
        cube[0, 0] = 1


def packed(path: Path, *, count: int) -> None:
    """Write a PCD of one point with a field of so many numbers."""
    path.write_text(
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z rest\nSIZE 4 4 4 4\nTYPE F F F F\n"
        f"COUNT 1 1 1 {count}\nWIDTH 1\nHEIGHT 1\nPOINTS 1\nDATA ascii\n0 0 0 0\n"
    )


ABSURD: dict[str, Make] = {
    "bomb.png": lambda path: png(path, 20_000, 8),
    "deep bomb.png": lambda path: png(path, 14_000, 16),
    "bomb.tif": strip, "bomb.gif": gif, "bomb.jpg": lambda path: jpeg(path, 31_000),
    "bomb.webp": webp,
    "hollow.h5": hollow, "a.pcd": lambda path: packed(path, count=10**9),
    "hollow.zarr": lambda path: zarr(path, shape=[10**4, 10**4, 3], chunks=[1, 1, 3], dtype="|u1"),
    "bomb.mat": swollen_mat, "a.jpg": lambda path: jpeg(path, 65_500),
    "a.npy": lambda path: numpy_header(path, (10**6, 10**6, 3)),
    "wide.npy": lambda path: numpy_header(path, (2**62, 2, 3)),
    "a.img": lambda path: envi(path, samples=10**6, lines=10**6),
    "offset.img": lambda path: envi(path, header_offset=10**14),
    "a.lan": lambda path: erdas(path, rows=2**31 - 1),
    "a.nc": changed(netcdf, b"\0\0\0\x28\0\0\0\x01x", b"\x7f\0\0\x28\0\0\0\x01x"),
    "a.off": changed(off, b"99 0 0", b"1000000000000 0 0"),
    "a.ply": changed(ply, b"vertex 99", b"vertex 1000000000000"),
    "a.stl": changed(stl, struct.pack("<I", 9), struct.pack("<I", 2**32 - 1)),
    "a.y4m": changed(film, b"W32 H16", b"W1000000 H1000000"),
    "a.zarr": lambda path: zarr(path, shape=[10**6, 10**6, 12], chunks=[10**6, 10**6, 12]),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_sizes_and_bombs_are_refused_before_memory_is_taken(tmp_path, name):
    """Headers of 10¹² pixels, and few bytes that would become very many, cost no memory."""
    path = tmp_path / name
    ABSURD[name](path)
    refused(path)


CONTRADICTORY: dict[str, Make] = {
    "words.img": lambda path: envi(path, samples="many"),
    "no bands.img": lambda path: envi(path, bands=0),
    "negative.img": lambda path: envi(path, lines=-40),
    "short.img": lambda path: envi(path, data_type=5),
    "waves.img": lambda path: envi(path, wavelength="{400, 500}"),
    "order.img": lambda path: envi(path, byte_order="big"),
    "no bands.npy": lambda path: numpy_header(path, (4, 5, 0)),
    "negative.npy": lambda path: numpy_header(path, (4, -5, 3)),
    "text.npy": lambda path: numpy_header(path, (4, 5), "<U9"),
    "no bands.tif": tagged(277, 3, 0), "no rows.tif": tagged(257, 4, 0),
    "more rows.tif": tagged(257, 4, 80), "bits.tif": tagged(259, 3, 5),
    "words.off": changed(off, b"99 0 0", b"some 0 0"),
    "more.off": changed(off, b"99 0 0", b"100 0 0"),
    "words.ply": changed(ply, b"vertex 99", b"vertex few"),
    "size.hdr": changed(deep, b"-Y 40 +X 30", b"-Y some +X 30"),
    "words.y4m": changed(film, b"W32", b"Wxx"),
    "words.zarr": lambda path: zarr(path, shape="many"),
    "no bands.zarr": lambda path: zarr(path, shape=[40, 30, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_headers_that_cannot_be_true_are_refused(tmp_path, name):
    """Words for numbers, sizes of zero, and headers that promise other data are refused."""
    path = tmp_path / name
    CONTRADICTORY[name](path)
    refused(path)


def clear(path: Path) -> None:
    Image.fromarray(np.zeros((9, 8, 4), np.uint8)).save(path)


EMPTY: dict[str, Make] = {
    "nan.npy": lambda path: np.save(path, np.full((9, 8, 5), np.nan)),
    "inf.npy": lambda path: np.save(path, np.full((9, 8, 5), np.inf)),
    "nodata.img": lambda path: envi(path, np.full_like(CUBE, 7), data_ignore_value=7),
    "nodata.tif": lambda path: geotiff(path, 7, np.full_like(CUBE, 7)),
    "clear.png": clear,
}


@pytest.mark.parametrize("name", EMPTY)
def test_files_without_a_valid_pixel_are_refused_by_name(tmp_path, name):
    """Nothing can be fitted where every pixel is NaN, nodata or transparent."""
    path = tmp_path / name
    EMPTY[name](path)
    (raster,) = Opening()(path)
    with pytest.raises(GwTransferError) as caught:
        raster.sample(100, seed=0)
    assert str(caught.value).startswith(f"{path}: no valid pixel")
    assert "\n" not in str(caught.value)
