"""Zarr folders written here chunk by chunk, as the specifications say."""

import gzip
import itertools
import json
import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.arrays.zarr import ZarrLoader

from .shared import everything

CUBE = np.random.default_rng(8).integers(1, 1000, (11, 9, 6)).astype(np.int16)
WAVES = np.linspace(450, 950, 6)


def lz4(content):
    return struct.pack("<I", len(content)) + imagecodecs.lz4_encode(content)


COMPRESSIONS = {
    "blosc": lambda content: imagecodecs.blosc_encode(content, typesize=2, compressor="zstd"),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zstd": imagecodecs.zstd_encode,
    "lz4": lz4,
}


def cut(array, chunks):
    """Yield the numbers and the values of each chunk, those at the edge filled up."""
    counts = [-(-length // chunk) for length, chunk in zip(array.shape, chunks, strict=True)]
    for numbers in itertools.product(*map(range, counts)):
        part = array[tuple(slice(n * c, (n + 1) * c) for n, c in zip(numbers, chunks, strict=True))]
        whole = np.zeros(chunks, array.dtype)
        whole[tuple(map(slice, part.shape))] = part
        yield numbers, whole


def write2(folder, array, chunks, *, codec=None, order="C", separator=".", attributes=None, **more):
    folder.mkdir(parents=True)
    said = {"zarr_format": 2, "shape": array.shape, "chunks": chunks, "dtype": array.dtype.str}
    said |= {"order": order, "fill_value": 0, "filters": None, "dimension_separator": separator}
    said["compressor"] = {"id": codec} if codec else None
    (folder / ".zarray").write_text(json.dumps(said | more))
    (folder / ".zattrs").write_text(json.dumps(attributes or {}))
    for numbers, whole in cut(array, chunks):
        path = folder / separator.join(map(str, numbers))
        path.parent.mkdir(parents=True, exist_ok=True)
        content = whole.tobytes(order=order)
        path.write_bytes(COMPRESSIONS[codec](content) if codec else content)
    return folder


def write3(folder, array, chunks, codecs, encode, **more):
    folder.mkdir(parents=True)
    grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    said = {"zarr_format": 3, "node_type": "array", "shape": array.shape, "chunk_grid": grid}
    said |= {"data_type": array.dtype.name, "fill_value": 0, "codecs": codecs}
    said["chunk_key_encoding"] = {"name": "default", "configuration": {"separator": "/"}}
    (folder / "zarr.json").write_text(json.dumps(said | more))
    for numbers, whole in cut(array, chunks):
        path = folder.joinpath("c", *map(str, numbers))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(whole))
    return folder


def check(raster):
    np.testing.assert_array_equal(everything(raster)[0], CUBE)
    for start, stop in ((0, 1), (3, 8), (10, 11)):
        np.testing.assert_array_equal(raster.read(start, stop).values, CUBE[start:stop])


@pytest.mark.parametrize("codec", [None, *COMPRESSIONS])
@pytest.mark.parametrize(
    ("order", "chunks"), [("C", (4, 4, 4)), ("F", (1, 9, 6)), ("C", (20, 2, 6))]
)
def test_version_2_keeps_its_values(tmp_path, codec, order, chunks):
    """Every compression and order of version 2 gives the array back, also at its edges."""
    path = write2(tmp_path / "a.zarr", CUBE, chunks, codec=codec, order=order)
    assert ZarrLoader.claims(path)
    raster = ZarrLoader()(path)
    assert (raster.kind, raster.dtype, raster.nodata) == ("cube", "int16", None)
    check(raster)


def test_filters_of_version_2_are_undone(tmp_path):
    """Shuffled big-endian bytes come back in the right order."""
    stored = CUBE.astype(">i2")
    path = write2(
        tmp_path / "a.zarr", stored, (4, 9, 6), filters=[{"id": "shuffle", "elementsize": 2}]
    )
    for file in path.glob("[0-9]*"):
        content = np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, 2)
        file.write_bytes(content.T.tobytes())
    check(ZarrLoader()(path))


def little(*more):
    return [{"name": "bytes", "configuration": {"endian": "little"}}, *more]


@pytest.mark.parametrize(
    ("codecs", "encode"),
    [
        (little(), lambda whole: whole.tobytes()),
        (
            little({"name": "zstd", "configuration": {"level": 1}}, {"name": "crc32c"}),
            lambda whole: imagecodecs.zstd_encode(whole.tobytes()) + b"sums",
        ),
        (
            [
                {"name": "transpose", "configuration": {"order": [2, 0, 1]}},
                {"name": "bytes", "configuration": {"endian": "big"}},
                {"name": "gzip"},
            ],
            lambda whole: gzip.compress(whole.transpose(2, 0, 1).astype(">i2").tobytes()),
        ),
    ],
)
def test_version_3_keeps_its_values(tmp_path, codecs, encode):
    """Chains of codecs of version 3 are undone from the last to the first."""
    check(ZarrLoader()(write3(tmp_path / "a.zarr", CUBE, (4, 4, 4), codecs, encode)))


@pytest.mark.parametrize("where", ["start", "end"])
def test_shards_are_read_through_their_index(tmp_path, where):
    """Inner chunks are found by the index of their shard; absent ones hold the fill value."""
    stored = CUBE.copy()
    stored[:2, :4] = 0

    def encode(whole):
        parts, table = [], []
        offset = 16 * 16 + 4 if where == "start" else 0
        for _, inner in cut(whole, (2, 4, 2)):
            content = imagecodecs.zstd_encode(inner.tobytes())
            if inner.any():
                table.append((offset + sum(map(len, parts)), len(content)))
                parts.append(content)
            else:
                table.append((2**64 - 1, 2**64 - 1))
        index = np.array(table, "<u8").tobytes() + b"sums"
        return b"".join([index, *parts] if where == "start" else [*parts, index])

    shard = {"chunk_shape": (2, 4, 2), "codecs": little({"name": "zstd"})}
    shard |= {"index_codecs": little({"name": "crc32c"}), "index_location": where}
    codecs = [{"name": "sharding_indexed", "configuration": shard}]
    raster = ZarrLoader()(write3(tmp_path / "a.zarr", stored, (4, 8, 8), codecs, encode))
    np.testing.assert_array_equal(everything(raster)[0], stored)
    np.testing.assert_array_equal(raster.read(5, 6).values, stored[5:6])


def test_the_finest_level_of_an_ome_zarr_is_taken(tmp_path):
    """Axes t, c, z, y, x with one time and one level of height give c as the bands."""
    root = tmp_path / "a.ome.zarr"
    fine = np.moveaxis(CUBE, -1, 0)[None, :, None]
    for level, array in enumerate((fine, fine[..., ::2, ::2])):
        write2(root / str(level), array, (1, 1, 1, 4, 4), codec="blosc", separator="/")
    (root / ".zgroup").write_text('{"zarr_format": 2}')
    scales = {"axes": [{"name": name} for name in "tczyx"]}
    scales["datasets"] = [{"path": "0"}, {"path": "1"}]
    (root / ".zattrs").write_text(json.dumps({"multiscales": [scales]}))
    raster = ZarrLoader()(root)
    check(raster)
    assert raster.notes == (f"{root}: 1 coarser levels and labels left aside",)
    assert ZarrLoader(variable="1")(root).rows == 6


def test_attributes_say_what_values_mean(tmp_path):
    """Named axes, wavelengths, fill, scale and coordinates are those of xarray's folders."""
    root = tmp_path / "a.zarr"
    fill = int(CUBE[2, 3, 1])
    held = {"_ARRAY_DIMENSIONS": ["band", "y", "x"], "_FillValue": fill, "scale_factor": 0.5}
    write2(root / "refl", np.moveaxis(CUBE, -1, 0), (2, 4, 9), attributes=held)
    coordinates = {"y": 1e3 - 30.0 * np.arange(11), "x": 5e2 + 30.0 * np.arange(9)}
    coordinates["wavelength"] = WAVES / 1000
    for name, places in coordinates.items():
        held = {"_ARRAY_DIMENSIONS": ["band" if name == "wavelength" else name], "units": "um"}
        write2(root / name, places, (4,), attributes=held)
    (root / ".zgroup").write_text('{"zarr_format": 2}')
    raster = ZarrLoader()(root)
    expected = np.where(fill == CUBE, np.nan, CUBE * 0.5)
    np.testing.assert_array_equal(everything(raster)[0], expected)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    assert raster.nodata == fill
    assert raster.georeference.transform == (30, 0, 485, 0, -30, 1015)


def broken(root, **changes):
    said = json.loads((root / ".zarray").read_text())
    (root / ".zarray").write_text(json.dumps(said | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chunks": [4, 4]}, "chunks 4 × 4 of an array"),
        ({"chunks": [4, 0, 4]}, "chunks 4 × 0 × 4"),
        ({"shape": [11, -9, 6]}, "no whole number"),
        ({"shape": "many"}, "expected a Zarr array"),
        ({"dtype": "rubbish"}, "expected a Zarr array"),
        ({"dtype": "|S4"}, "found no numeric array"),
        ({"compressor": {"id": "jpeg"}}, "the codec 'jpeg', known are blosc"),
        ({"shape": [10**6, 10**6, 10]}, "claims to be 1000000 × 1000000"),
        ({"chunks": [10**4, 10**4, 10]}, "less than 1 GB"),
        ({"shape": [0, 9, 6]}, "0 × 9 × 6"),
    ],
)
def test_metadata_that_cannot_be_true_are_refused(tmp_path, changes, words):
    """Sizes, types and codecs that cannot be are named in one line, before memory is taken."""
    root = write2(tmp_path / "a.zarr", CUBE, (4, 4, 4), codec="zlib")
    broken(root, **changes)
    with pytest.raises(ReadError, match=words) as caught:
        ZarrLoader()(root)
    assert str(caught.value).startswith(f"{root}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codec", COMPRESSIONS)
def test_chunks_that_lie_are_refused(tmp_path, codec):
    """A chunk cut short, of rubbish, or that swells to far more than its size is refused."""
    root = write2(tmp_path / "a.zarr", CUBE, (4, 4, 4), codec=codec)
    swollen = COMPRESSIONS[codec](bytes(10**6))
    for content in ((root / "1.1.1").read_bytes()[:-9], b"rubbish" * 4, b"", swollen):
        (root / "1.1.1").write_bytes(content)
        with pytest.raises(ReadError, match=r"in 1\.1\.1, found one that cannot be decoded"):
            ZarrLoader()(root).read(4, 8)


def test_a_folder_without_arrays_is_refused(tmp_path):
    """An empty group, a missing chunk of everything, and two cubes stop with what to do."""
    (tmp_path / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(ReadError, match="found no numeric array"):
        ZarrLoader()(tmp_path)
    write2(tmp_path / "one", CUBE, (4, 4, 4))
    write2(tmp_path / "two", CUBE, (4, 4, 4))
    with pytest.raises(AmbiguousError, match=r"one \(11 × 9 × 6\), two .* --variable NAME"):
        ZarrLoader()(tmp_path)
    for file in (tmp_path / "two").glob("[0-9]*"):
        file.unlink()
    with pytest.raises(ReadError, match="never written"):
        ZarrLoader(variable="two")(tmp_path)
    (tmp_path / "two" / ".zarray").write_text("{")
    with pytest.raises(ReadError, match=r"metadata in two/\.zarray"):
        ZarrLoader()(tmp_path)


def test_only_zarr_folders_are_claimed(tmp_path):
    """Other folders, files and missing paths are not."""
    (tmp_path / "file.zarr").write_text("text")
    assert not ZarrLoader.claims(tmp_path)
    assert not ZarrLoader.claims(tmp_path / "file.zarr")
    assert not ZarrLoader.claims(tmp_path / "none")
    with pytest.raises(ReadError, match="expected a Zarr folder"):
        ZarrLoader()(tmp_path)
