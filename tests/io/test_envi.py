"""ENVI and ERDAS: the same values whatever the layout, odd headers understood, broken refused."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.gdal.envi import in_nanometres
from gwtransfer.io.gdal.loader import GdalLoader

from .shared import DATA, everything, needs_data

AXES = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}
VALUES = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4) - 7


def header(**changes: str | None) -> str:
    fields = {
        "samples": "5", "lines": "6", "bands": "4", "header offset": "0",
        "data type": "2", "interleave": "bsq", "byte order": "0",
    } | {key.replace("_", " "): value for key, value in changes.items()}  # fmt: skip
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return "\n".join(["ENVI", *lines, ""])


def envi(folder, name="a.img", *, values=VALUES, **changes):
    """Write an ENVI pair and return the data file."""
    layout = str(changes.get("interleave", "bsq")).lower()
    order = ">" if changes.get("byte_order") == "1" else "<"
    stored = values.transpose(AXES.get(layout, AXES["bsq"])).astype(
        values.dtype.newbyteorder(order)
    )
    (folder / name).write_bytes(stored.tobytes())
    (folder / name).with_suffix(".hdr").write_text(header(**changes))
    return folder / name


@pytest.mark.parametrize("interleave", ["bsq", "bil", "BIP"])
@pytest.mark.parametrize("order", ["0", "1"])
def test_every_envi_layout_gives_the_same_raster(tmp_path, interleave, order):
    data = envi(tmp_path, interleave=interleave, byte_order=order)
    for given in (data, data.with_suffix(".hdr")):
        assert GdalLoader.claims(given)
        raster = GdalLoader()(given)
        assert (raster.kind, raster.dtype, raster.name) == ("cube", "int16", str(given))
        np.testing.assert_array_equal(everything(raster)[0], VALUES)
        np.testing.assert_array_equal(raster.block(2, 4).points, VALUES[2:4].reshape(-1, 4))


@pytest.mark.parametrize("names", [("a", "a.hdr"), ("a.img", "a.img.hdr"), ("a.dat", "a.HDR")])
def test_the_header_may_have_several_names(tmp_path, names):
    envi(tmp_path, "start.img")
    (tmp_path / "start.img").rename(tmp_path / names[0])
    (tmp_path / "start.hdr").rename(tmp_path / names[1])
    for name in names:
        assert GdalLoader.claims(tmp_path / name)
        np.testing.assert_array_equal(everything(GdalLoader()(tmp_path / name))[0], VALUES)


def test_wavelengths_and_nodata_come_from_the_header(tmp_path):
    listed = "{ 0.4, 0.5,\n 0.6, 0.7,\n}"
    data = envi(tmp_path, Wavelength=listed, WAVELENGTH_UNITS="Micrometers", data_ignore_value="-7")
    raster = GdalLoader()(data)
    np.testing.assert_allclose(raster.wavelengths, [400, 500, 600, 700])
    assert raster.nodata == -7
    values, valid, _ = everything(raster)
    assert np.isnan(values).sum() == 1
    assert np.isnan(values[0, 0, 0])
    assert not valid[0, 0]
    assert valid.sum() == valid.size - 1


def test_units_of_wavelength():
    table = {
        "um": 500,
        "Micrometers": 500,
        "": 500,
        "Angstroms": 0.05,
        "nm": 500,  # nobody images at half a nanometre: the unit is wrong
    }
    for unit, expected in table.items():
        np.testing.assert_allclose(in_nanometres(np.array([0.5, 0.5]), unit), expected)
    assert in_nanometres(np.array([450.0]), "Unknown").tolist() == [450]
    assert in_nanometres(np.array([450.0]), "Nanometers").tolist() == [450]
    np.testing.assert_allclose(in_nanometres(np.array([20_000.0]), "Wavenumber"), 500)
    assert in_nanometres(np.array([450.0]), "GHz") is None


def test_integers_above_16_bits_are_not_rounded(tmp_path):
    values = np.full((6, 5, 4), 2**24 + 1, dtype=np.int32)
    raster = GdalLoader()(envi(tmp_path, values=values, data_type="3"))
    assert (everything(raster)[0] == 2**24 + 1).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lines": None}, "'lines = …'"), ({"samples": None}, "samples"),
        ({"bands": "four"}, "'four'"), ({"data_type": None}, "data type"),
        ({"data_type": "6"}, "complex"), ({"data_type": "99"}, "99"),
        ({"interleave": None}, "bsq, bil or bip"), ({"lines": "0"}, "positive"),
        ({"lines": "7"}, "expected 280 bytes"), ({"lines": "900000000"}, "found 240"),
        ({"header_offset": "1"}, "expected 241 bytes"), ({"wavelength": "{1,2}"}, "4 wavelengths"),
        ({"wavelength": "{a,b,c,d}"}, "expected numbers"),
        ({"wavelength": "{1,2,3"}, "closing brace"),
        ({"file_type": "ENVI Spectral Library"}, "spectral library"),
        ({"file_compression": "1"}, "decompress"), ({"data_ignore_value": "x"}, "'x'"),
    ],
)  # fmt: skip
def test_broken_headers_are_refused_in_one_line(tmp_path, changes, words):
    data = envi(tmp_path, **changes)
    assert GdalLoader.claims(data)
    with pytest.raises(ReadError) as caught:
        GdalLoader()(data)
    assert str(caught.value).startswith(str(tmp_path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_doubtful_half_is_said(tmp_path):
    data = envi(tmp_path)
    shutil.copy(data, tmp_path / "a.dat")
    with pytest.raises(AmbiguousError, match=r"a\.dat, a\.img"):
        GdalLoader()(tmp_path / "a.hdr")
    shutil.copy(tmp_path / "a.hdr", tmp_path / "a.img.hdr")
    for given in (data, tmp_path / "a.img.hdr"):
        with pytest.raises(AmbiguousError, match=r"a\.hdr and a\.img\.hdr"):
            GdalLoader()(given)
    (tmp_path / "b.hdr").write_text(header())
    with pytest.raises(ReadError, match="data file beside"):
        GdalLoader()(tmp_path / "b.hdr")
    (tmp_path / "c.img").write_bytes(b"x")
    assert not GdalLoader.claims(tmp_path / "c.img")
    with pytest.raises(ReadError, match="ENVI header beside"):
        GdalLoader()(tmp_path / "c.img")


def test_a_picture_beside_a_header_is_not_envi_data(tmp_path):
    envi(tmp_path, "a.png")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert not GdalLoader.claims(tmp_path / "a.png")
    assert not GdalLoader.claims(tmp_path / "nowhere.img")


def test_threads_read_the_same(tmp_path):
    raster = GdalLoader()(envi(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda row: raster.read(row, row + 1).values, range(6)))
    np.testing.assert_array_equal(np.concatenate(rows), VALUES)


def test_a_vanished_file_is_a_read_error(tmp_path):
    raster = GdalLoader()(envi(tmp_path))
    (tmp_path / "a.img").unlink()
    with ThreadPoolExecutor(1) as pool, pytest.raises(ReadError, match="cannot be read"):
        pool.submit(raster.read, 0, 1).result()


def described(folder, **changes):
    """Return the raster of a small ENVI file whose header was changed."""
    return GdalLoader()(envi(folder, **changes))


NM = [400.0, 500.0, 600.0, 700.0]

UNITS = [
    ({"wavelength": "{400,500,600,700}", "wavelength_units": "Nanometers"}, NM, None),
    ({"wavelength": "{400,500,600,700}"}, NM, "as nm: they have no unit"),
    ({"wavelength": "{.4,.5,.6,.7}"}, NM, "as µm: they have no unit"),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_units": "Unknown"}, NM, "as µm"),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_units": "Furlongs"}, NM, "'Furlongs' says"),
    ({"wavelength": "{400,500,600,700}", "wavelength_units": "Nanometer"}, NM, None),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_units": "Micrometers"}, NM, None),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_units": "µm"}, NM, None),
    ({"wavelength": "{400,500,600,700}", "wavelength_units": "Micrometers"}, NM, "cannot be"),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_units": "nm"}, NM, "cannot be"),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelength_unts": "Micrometers"}, NM, "'wavelength unts'"),
    ({"wavelength": "{.4,.5,.6,.7}", "wavelengths_units": "um"}, NM, "'wavelengths units'"),
    ({"wavelength": "{.4,.5,.6,.7}", "Wavelength_Unit": "um"}, NM, "'wavelength unit'"),
    ({"wavelenght": "{.4,.5,.6,.7}", "wavelength_units": "um"}, NM, "'wavelenght'"),
    (
        {"wavelength": "{25000,20000,16000,12500}", "wavelength_units": "Wavenumber"},
        [400, 500, 625, 800],
        "wavenumbers",
    ),
    ({"wavelength": "{1,2,3,4}", "wavelength_units": "GHz"}, None, "'GHz' is no length"),
    ({"wavelength": "{1,2,3,4}", "wavelength_units": "Index"}, None, "'Index' is no length"),
    ({"wavelength": "{1,2,3,4}"}, None, "band numbers"),
    ({"wavelength": "{0,500,600,700}", "wavelength_units": "nm"}, None, "not all positive"),
    ({"wavelength": "{400 nm, 500 nm, 600 nm, 700 nm,}"}, NM, None),
    ({"wavelength": "{\n400, 500\n600, 700,\n}", "wavelength_units": "nm"}, NM, None),
    ({"wavelength": "{700,600,500,400}", "wavelength_units": "nm"}, NM[::-1], None),
    ({"wavelength": "{}"}, None, None),
    ({"band_names": "{B 1 (400 nm), B 2 (500 nm), B 3 (600 nm), B 4 (700 nm)}"}, NM, "names"),
    ({"band_names": "{400.0 Nanometers, 500.0 Nanometers, 600 nm, 0.7 um}"}, NM, "names"),
    ({"band_names": "{b400, b500, b600, b700}"}, NM, "'b400', taken as nm"),
    ({"band_names": "{B 1 (0.4), B 2 (0.5), B 3 (0.6), B 4 (0.7)}"}, NM, "taken as µm"),
    ({"band_names": "{Band 301, Band 302, Band 303, Band 304}"}, None, None),
    ({"band_names": "{Slope, Aspect, Path (m), Time}"}, None, None),
    ({"band_names": "{b400, b500}"}, None, None),
]


@pytest.mark.parametrize(("changes", "expected", "note"), UNITS)
def test_wavelengths_in_every_odd_spelling(tmp_path, changes, expected, note):
    """Wavelengths come out in nm and in the file's order, and whatever was guessed is said."""
    raster = described(tmp_path, **changes)
    if expected is None:
        assert raster.wavelengths is None
    else:
        np.testing.assert_allclose(raster.wavelengths, expected)
    if note is None:
        assert raster.notes == ()
    else:
        assert sum(note in one for one in raster.notes) == 1


@pytest.mark.parametrize(
    ("listed", "expected", "note"),
    [
        ("{1,0,1,1}", [True, False, True, True], None),
        ("{ 1.0, 0.0,\n1.0, 1.0, }", [True, False, True, True], None),
        ("{1,0,1}", None, "expected 4 numbers, found 3"),
        ("{1,0,1,2}", None, "marks 1 and 0"),
        ("{0,0,0,0}", None, "some of them 1"),
        ("{good,bad,1,1}", None, "found something else"),
    ],
)
def test_the_list_of_bad_bands_marks_the_good_ones(tmp_path, listed, expected, note):
    """`bbl` becomes Raster.good when it has a 0 or 1 a band, and is left out with a note else."""
    raster = described(tmp_path, bbl=listed)
    assert (None if raster.good is None else raster.good.tolist()) == expected
    assert [note in one for one in raster.notes] == ([True] if note else [])


DATA_VALUES = np.arange(120, dtype=np.int16).reshape(6, 5, 4) * 10

SCALES = [
    ({"reflectance_scale_factor": "10000"}, lambda v: v / 10000, None),
    ({"reflectance_scale_factor": "1.0"}, lambda v: v, None),
    ({"reflectance_scale_factor": "0"}, lambda v: v, "it is 0"),
    ({"data_gain_values": "{2,3,4,5}"}, lambda v: v * [2, 3, 4, 5], None),
    (
        {"data_gain_values": "{2,3,4,5}", "data_offset_values": "{1,1,0,-1}"},
        lambda v: v * [2, 3, 4, 5] + [1, 1, 0, -1],
        None,
    ),
    ({"data_gain_values": "{1,1,1,1}", "reflectance_scale_factor": "100"}, lambda v: v / 100, None),
    (
        {"data_gain_values": "{2,2,2,2}", "reflectance_scale_factor": "100"},
        lambda v: v * 2,
        "gains or offsets too",
    ),
    ({"data_gain_values": "{2,2}"}, lambda v: v, "expected 4 numbers, found 2"),
    ({"data_gain_values": "{0,1,1,1}"}, lambda v: v, "a gain is zero"),
]


@pytest.mark.parametrize(("changes", "scaled", "note"), SCALES)
def test_scales_touch_what_is_data_only(tmp_path, changes, scaled, note):
    """Values are scaled as the header says, and -9999 becomes NaN rather than -0.9999."""
    values = DATA_VALUES.copy()
    values[1, 2, 3] = values[4, 4, 0] = -9999
    raster = described(tmp_path, values=values, data_ignore_value="-9999", **changes)
    expected = scaled(values.astype(np.float64))
    expected[values == -9999] = np.nan
    np.testing.assert_allclose(everything(raster)[0], expected, rtol=1e-6)
    assert raster.nodata == -9999
    assert [note in one for one in raster.notes] == ([True] if note else [])


def test_a_missing_byte_order_is_little_endian_with_a_note(tmp_path):
    """Without `byte order` GDAL and we read little endian, and we say so; bytes need no order."""
    raster = described(tmp_path, byte_order=None)
    np.testing.assert_array_equal(everything(raster)[0], VALUES)
    assert [note for note in raster.notes if "little endian" in note] == list(raster.notes) != []
    small = described(tmp_path, values=DATA_VALUES.astype(np.uint8), data_type="1", byte_order=None)
    assert small.notes == ()


def test_one_band_needs_no_interleave(tmp_path):
    """All interleaves of one band are one."""
    raster = described(tmp_path, values=VALUES[:, :, :1], bands="1", interleave=None)
    np.testing.assert_array_equal(everything(raster)[0], VALUES[:, :, :1])


def test_more_bytes_than_the_header_says_are_noted(tmp_path):
    """A longer file is read by its header, and the rest is mentioned."""
    data = envi(tmp_path)
    with data.open("ab") as file:
        file.write(b"123")
    raster = GdalLoader()(data)
    np.testing.assert_array_equal(everything(raster)[0], VALUES)
    assert any("last 3 bytes" in note for note in raster.notes)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize(("number", "dtype"), [(4, "f4"), (5, "f8"), (12, "u2"), (14, "i8")])
def test_values_agree_with_gdal(tmp_path, interleave, number, dtype):
    """Our reader and GDAL's, in big-endian files with bytes before the first value, agree."""
    values = np.random.default_rng(0).normal(0, 1e4, (6, 5, 4)).astype(dtype)
    data = envi(
        tmp_path, values=values, interleave=interleave, byte_order="1", data_type=str(number)
    )
    data.write_bytes(b"ahead12" + data.read_bytes())
    text = data.with_suffix(".hdr").read_text().replace("header offset = 0", "header offset = 7")
    data.with_suffix(".hdr").write_text(text + "map info = {UTM,1,1,0,9,1,1,18,North,WGS-84}\n")
    raster = GdalLoader()(data)
    with rasterio.open(data) as oracle:
        np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(oracle.read(), 0, -1))
        assert tuple(oracle.transform)[:6] == raster.georeference.transform
        assert oracle.crs.to_wkt() == raster.georeference.crs


def test_a_place_gdal_cannot_read_is_left_out_with_a_note(tmp_path):
    """A broken `map info` costs the georeference and not the pixels."""
    raster = described(tmp_path, map_info="{nowhere}")
    assert raster.georeference is None
    assert any("'map info'" in note for note in raster.notes)
    np.testing.assert_array_equal(everything(raster)[0], VALUES)


def test_ground_control_points_come_along(tmp_path):
    """`geo points` (pixel, line from 1; latitude, longitude) become points at (row, column)."""
    raster = described(tmp_path, geo_points="{1,1,45,7, 5,1,45,8, 1,6,44,7, 5,6,44,8}")
    assert raster.georeference.gcps[1] == (0, 4, 8, 45, 0)
    assert len(raster.georeference.gcps) == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"byte_order": "2"}, "byte order 0 or 1"),
        ({"file_type": "ENVI Meta File"}, "points to others"),
        ({"file_type": "TIFF"}, "describes a TIFF"),
        ({"major_frame_offsets": "{0, 4}"}, "major frame offsets"),
        ({"wavelength": "{1e999,2,3,4}"}, "4 wavelengths"),
        ({"wavelength": "{400 nm,500 um,600 nm,700 nm}"}, "other words"),
        ({"samples": "999999999999", "lines": "999999999999"}, "truncated"),
        ({"header_offset": "-4"}, "header offset"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, changes, words):
    """A header that means something else, or the impossible, is refused by what is wrong in it."""
    with pytest.raises(ReadError) as caught:
        described(tmp_path, **changes)
    assert str(caught.value).startswith(str(tmp_path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_after_it_was_opened_is_a_read_error(tmp_path):
    """Rows that are no longer there are an error and not zeros."""
    data = envi(tmp_path, interleave="bip")
    raster = GdalLoader()(data)
    os.truncate(data, 100)
    np.testing.assert_array_equal(raster.read(0, 2).values, VALUES[:2])
    with pytest.raises(ReadError, match="truncated"):
        raster.read(2, 3)


def test_a_window_of_a_huge_sparse_file_is_all_that_is_held(tmp_path):
    """Reading two rows of 40 GB takes the memory of two rows and less than ten seconds."""
    import tracemalloc

    (tmp_path / "a.hdr").write_text(
        header(samples="1000", lines="100000", bands="200", interleave="bsq")
    )
    with (tmp_path / "a.img").open("wb") as file:
        file.truncate(1000 * 100_000 * 200 * 2)
    raster = GdalLoader()(tmp_path / "a.img")
    tracemalloc.start()
    try:
        values = raster.read(99_990, 99_992).values
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert values.shape == (2, 1000, 200)
    assert not values.any()
    assert peak < 4 * values.nbytes
    assert threading.active_count() < 20


def erdas(path, values, *, magic=b"HEAD74"):
    """Write (rows, columns, bands) as ERDAS 7."""
    rows, columns, bands = values.shape
    head = bytearray(128)
    head[:6] = magic
    pack = {1: 0, 2: 2}[values.dtype.itemsize]
    head[6:10] = np.array([pack, bands], "<u2").tobytes()
    head[16:24] = np.array([columns, rows], "<i4" if magic == b"HEAD74" else "<f4").tobytes()
    path.write_bytes(bytes(head) + values.transpose(0, 2, 1).tobytes())
    return path


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("magic", [b"HEAD74", b"HEADER"])
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_erdas_agrees_with_gdal(tmp_path, magic, dtype):
    """A .lan file of either generation holds the values GDAL finds in it."""
    path = erdas(tmp_path / "a.lan", DATA_VALUES.astype(dtype), magic=magic)
    assert GdalLoader.claims(path)
    raster = GdalLoader()(path)
    assert (raster.kind, raster.dtype, raster.georeference) == ("cube", dtype, None)
    with rasterio.open(path, driver="LAN") as oracle:
        np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(oracle.read(), 0, -1))


def test_erdas_is_told_from_what_starts_alike(tmp_path):
    """Text that starts with HEADER is not claimed, and a truncated file is refused."""
    (tmp_path / "a.pdb").write_text("HEADER    HYDROLASE" + " " * 200)
    assert not GdalLoader.claims(tmp_path / "a.pdb")
    path = erdas(tmp_path / "a.lan", DATA_VALUES)
    os.truncate(path, 200)
    with pytest.raises(ReadError, match="truncated"):
        GdalLoader()(path)


@needs_data
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("name", ["envi/samson_1.img", "envi/toy.bil", "erdas/92AV3GT.GIS"])
def test_real_files_agree_with_gdal(name):
    """Values of real files are GDAL's; toy.bil's no-data value lies in a file beside it."""
    path = DATA / "hyperspectral" / name
    raster = GdalLoader()(path)
    with rasterio.open(path) as oracle:
        expected = np.moveaxis(oracle.read(), 0, -1).astype(np.float64)
        assert oracle.nodata == raster.nodata
    expected[expected == raster.nodata] = np.nan
    np.testing.assert_array_equal(everything(raster)[0], expected)


def test_missing_pixels_no_value_is_named_for_become_holes(tmp_path):
    """With a scale, -9999 in every band is a hole; in one band it is a number like others."""
    values = DATA_VALUES.copy()
    values[0, 2] = values[1, 4] = -9999
    values[4, 4, 0] = -9999
    scale = {"reflectance_scale_factor": "10000"}
    expected = values / 10000
    expected[0, 2] = expected[1, 4] = np.nan
    raster = described(tmp_path, values=values, **scale)
    np.testing.assert_allclose(everything(raster)[0], expected, rtol=1e-6)
    (note,) = raster.notes
    assert note.endswith(
        "pixels that are -9999 in every band are taken as missing: the file names no value for them"
    )
    assert raster.nodata == -9999
    for changes in ({}, {"data_ignore_value": "-1", **scale}):
        plain = described(tmp_path, values=values, **changes)
        assert np.isfinite(everything(plain)[0]).all()
        assert plain.notes == ()
    values[0, 2] = 0
    raster = described(tmp_path, values=values, **scale)  # in no row that is looked at
    assert np.isnan(everything(raster)[0][1, 4]).all()
    assert raster.notes == ()


@pytest.mark.parametrize(
    ("dtype", "number", "value", "hole"),
    [
        (np.int16, "2", -32768, True), (np.int32, "3", -9999, True), (np.int32, "3", -32768, False),
        (np.uint16, "12", 65535, False), (np.float32, "4", -9999, False),
    ],
)  # fmt: skip
def test_which_values_stand_for_missing_pixels(tmp_path, dtype, number, value, hole):
    """Signed integers only: -9999, and -32768 where it is the lowest of them."""
    values = DATA_VALUES.astype(dtype)
    values[3, 1] = value
    raster = described(tmp_path, values=values, data_type=number, reflectance_scale_factor="10000")
    seen = everything(raster)[0]
    assert np.isnan(seen[3, 1]).all() == hole
    assert np.isfinite(np.delete(seen.reshape(30, 4), 16, axis=0)).all()
    assert [str(value) in note for note in raster.notes] == [True] * hole
