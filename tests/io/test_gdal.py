"""ENVI and georeferenced TIFF: the same values whatever the layout, and refusals."""

import resource
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from gwtransfer.core.raster import Georeference
from gwtransfer.errors import AmbiguousError, ReadError, WriteError
from gwtransfer.io.envi import in_nanometres
from gwtransfer.io.files import whole
from gwtransfer.io.gdal import GdalLoader, TiffWriter
from gwtransfer.io.layout import array_raster
from gwtransfer.io.mat import MatLoader
from gwtransfer.io.npy import NpyWriter
from gwtransfer.io.picture import PngWriter
from gwtransfer.io.tiff import TiffLoader

from .shared import DATA, cube, everything, needs_data, picture, round_trip

ENVI = DATA / "hyperspectral" / "envi"
WHERE = Affine(30, 0, 5000, 0, -30, 9000)
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
        "nm": 0.5,
        "Nanometers": 0.5,
        "um": 500,
        "Micrometers": 500,
        "": 500,
        "Angstroms": 0.05,
    }
    for unit, expected in table.items():
        np.testing.assert_allclose(in_nanometres(np.array([0.5, 0.5]), unit), expected)
    assert in_nanometres(np.array([450.0]), "Unknown").tolist() == [450]
    assert in_nanometres(np.array([450.0]), "Wavenumber") is None


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


def geotiff(path, bands, *, colours=None, nodata=None, mask=None, tags=()):
    """Write bands (count, rows, columns) with a transform."""
    count, rows, columns = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=count, dtype=bands.dtype,
        transform=WHERE, crs="EPSG:32618", nodata=nodata,
    ) as out:  # fmt: skip
        if colours:
            out.colorinterp = [ColorInterp[name] for name in colours]
        out.write(bands)
        if mask is not None:
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
                out.write_mask(mask)
        for index, values in enumerate(tags, start=1):
            out.update_tags(index, **values)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_rgb_is_a_picture_in_whatever_order_and_with_alpha(tmp_path, dtype):
    most = np.iinfo(dtype).max
    bands = np.arange(4 * 6 * 5).reshape(4, 6, 5).astype(dtype)
    bands[3] = most
    bands[3, 0, 0] = 0
    names = ["blue", "green", "red", "alpha"]
    path = geotiff(tmp_path / "a.tif", bands, colours=names)
    assert GdalLoader.claims(path)
    raster = GdalLoader()(path)
    assert (raster.kind, raster.bands, raster.has_alpha) == ("picture", 3, True)
    values, valid, _ = everything(raster)
    np.testing.assert_allclose(values, np.moveaxis(bands[[2, 1, 0]], 0, -1) / most, atol=1e-7)
    assert valid.sum() == 29
    assert not valid[0, 0]


def test_nodata_makes_holes_of_pixels_in_pictures_and_of_values_in_cubes(tmp_path):
    bands = np.full((3, 6, 5), 9, dtype=np.uint8)
    bands[:, 0, 0] = 0
    bands[1, 2, 2] = 0
    path = geotiff(tmp_path / "a.tif", bands, colours=["red", "green", "blue"], nodata=0)
    values, valid, _ = everything(GdalLoader()(path))
    assert not valid[0, 0]
    assert valid.sum() == 29
    np.testing.assert_allclose(values[2, 2], [9 / 255, 0, 9 / 255], atol=1e-7)
    path = geotiff(tmp_path / "b.tif", bands.astype(np.float32), nodata=0)
    raster = GdalLoader()(path)
    assert (raster.kind, raster.nodata) == ("cube", 0)
    assert everything(raster)[1].sum() == 28


def test_a_mask_is_alpha(tmp_path):
    mask = np.full((6, 5), 255, np.uint8)
    mask[3] = 0
    raster = GdalLoader()(geotiff(tmp_path / "a.tif", np.ones((2, 6, 5), np.int16), mask=mask))
    assert raster.has_alpha
    np.testing.assert_array_equal(everything(raster)[1], mask > 0)


def test_band_tags_hold_wavelengths(tmp_path):
    tags = [
        {"wavelength": "0.45", "wavelength_units": "um"},
        {"wavelength": "0.55", "wavelength_units": "um"},
    ]
    raster = GdalLoader()(geotiff(tmp_path / "a.tif", np.ones((2, 6, 5), np.int16), tags=tags))
    np.testing.assert_allclose(raster.wavelengths, [450, 550])
    raster = GdalLoader()(geotiff(tmp_path / "b.tif", np.ones((2, 6, 5), np.int16), tags=tags[:1]))
    assert raster.wavelengths is None


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_picture_round_trip(tmp_path, bands, alpha):
    made = picture(bands=bands, alpha=alpha)
    again = round_trip(TiffWriter(), TiffLoader(), made, tmp_path, ".tif")
    assert again.has_alpha == alpha
    np.testing.assert_array_equal(everything(again)[2], everything(made)[2])


def test_pictures_with_holes_keep_them(tmp_path):
    values = np.full((4, 5, 3), 0.5)
    values[1, 1, 0] = np.nan
    made = array_raster(values, name="a", kind="picture")
    TiffWriter()(made, tmp_path / "a.tif")
    again = TiffLoader()(tmp_path / "a.tif")
    np.testing.assert_array_equal(everything(again)[1], everything(made)[1])
    np.testing.assert_allclose(everything(again)[0][0, 0], 128 / 255, atol=1e-7)


@pytest.mark.parametrize("holes", [False, True])
def test_cube_round_trip_keeps_place_and_wavelengths(tmp_path, holes):
    crs = rasterio.crs.CRS.from_epsg(32618).to_wkt()
    where = Georeference(crs=crs, transform=tuple(WHERE)[:6])
    made = replace(cube(holes=holes), georeference=where)
    again = round_trip(TiffWriter(), GdalLoader(), made, tmp_path, ".tif")
    np.testing.assert_array_equal(again.wavelengths, made.wavelengths)
    assert again.georeference.transform == where.transform
    assert again.georeference.crs == crs
    assert again.dtype == "float32"


def test_georeferenced_picture_round_trip(tmp_path):
    where = Georeference(crs="", transform=tuple(WHERE)[:6])
    made = replace(picture(), georeference=where)
    again = round_trip(TiffWriter(), GdalLoader(), made, tmp_path, ".tiff")
    assert (again.georeference.crs, again.georeference.transform) == ("", where.transform)


def test_many_blocks_are_written_and_read_in_their_places(tmp_path, monkeypatch):
    monkeypatch.setattr("gwtransfer.core.raster.BLOCK_PIXELS", 10)
    round_trip(TiffWriter(), GdalLoader(), cube(rows=7), tmp_path, ".tif")


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.97])
def test_truncated_geotiff_is_refused(tmp_path, kept):
    path = geotiff(tmp_path / "a.tif", np.ones((2, 60, 50), np.int16))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ReadError) as caught:
        everything(GdalLoader()(path))
    assert str(caught.value).startswith(f"{path}: ")


def test_a_vanished_file_is_a_read_error(tmp_path):
    raster = GdalLoader()(envi(tmp_path))
    (tmp_path / "a.img").unlink()
    with ThreadPoolExecutor(1) as pool, pytest.raises(ReadError, match="GDAL cannot read"):
        pool.submit(raster.read, 0, 1).result()


REAL = [*DATA.glob("hyperspectral/geotiff/*.tif"), *ENVI.glob("*[!l]")]


@needs_data
@pytest.mark.parametrize("path", sorted(REAL), ids=lambda path: path.name)
def test_real_files_load_or_are_refused(path):
    assert GdalLoader.claims(path)
    if path.name == "corrupt.tif":
        with pytest.raises(ReadError, match="truncated"):
            GdalLoader()(path)
        return
    values, valid, _ = everything(GdalLoader()(path))
    assert valid.any()
    assert np.isfinite(values[valid]).all()


@needs_data
def test_one_scene_in_two_containers_is_one_raster():
    """Samson as MATLAB and as ENVI is equal up to its scale."""
    one = MatLoader(variable="Y")(DATA / "hyperspectral" / "mat" / "Samson.mat")
    two = GdalLoader()(ENVI / "samson_1.img")
    a, b = (
        everything(one)[0].ravel(),
        np.clip(everything(two)[0].astype(np.float64).ravel(), 0, None),
    )
    scale = (a @ b) / (a @ a)
    assert scale == pytest.approx(1402, rel=0.01)
    np.testing.assert_allclose(a * scale, b, atol=2)


@pytest.mark.parametrize("writer", [TiffWriter(), NpyWriter(), PngWriter()])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, writer, capfd):
    """A limit on the size of files is what a full disk looks like to a process."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    values = np.random.default_rng(0).random((300, 300, 3))
    raster = array_raster(values, name="made", kind="picture")
    path = tmp_path / f"a{writer.extensions[0]}"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(WriteError, match=str(path)), whole(path, overwrite=False) as temporary:
            writer(raster, temporary)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err  # libtiff itself writes to stderr here
