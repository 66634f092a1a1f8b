"""TIFF with a place or GDAL's tags, and every TIFF that is written."""

import itertools
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from gwtransfer.core.raster import Carried, Georeference
from gwtransfer.errors import ReadError, UsageError, WriteError
from gwtransfer.io.arrays.mat import MatLoader
from gwtransfer.io.files import whole
from gwtransfer.io.gdal.loader import GdalLoader, TiffWriter
from gwtransfer.io.layout import array_raster
from gwtransfer.io.npy import NpyWriter
from gwtransfer.io.pictures.writers import PngWriter
from gwtransfer.io.tiff.stack import TiffLoader
from gwtransfer.io.tiff.tags import first_directory

from .shared import DATA, cube, everything, needs_data, picture, round_trip

ENVI = DATA / "hyperspectral" / "envi"
WHERE = Affine(30, 0, 5000, 0, -30, 9000)


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
    TiffWriter(depth=8)(made, tmp_path / "a.tif")
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


def test_scale_offset_and_nodata_of_bands(tmp_path):
    """GDAL's scale and offset, one a band, are applied to what is data and to nothing else."""
    bands = np.array([[[1, 2], [3, -99]], [[5, -99], [7, 8]]], dtype=np.int16)
    path = geotiff(tmp_path / "a.tif", bands, nodata=-99)
    with rasterio.open(path, "r+") as out:
        out.scales, out.offsets = (0.5, 2), (1, 0)
    values = everything(GdalLoader()(path))[0]
    np.testing.assert_array_equal(values[:, :, 0], [[1.5, 2], [2.5, np.nan]])
    np.testing.assert_array_equal(values[:, :, 1], [[10, np.nan], [14, 16]])


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_gray_bytes_are_a_picture_only_without_a_place(tmp_path):
    """Gray of 8 bits with a georeference is a cube as stored, and a picture in [0, 1] without."""
    bands = np.arange(30, dtype=np.uint8).reshape(1, 6, 5)
    cubic = GdalLoader()(geotiff(tmp_path / "a.tif", bands))
    assert (cubic.kind, everything(cubic)[0].max()) == ("cube", 29)
    path = tmp_path / "b.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=5, height=6, count=1, dtype="uint8", nodata=0
    ) as out:
        out.write(bands)
    plain = GdalLoader()(path)
    assert plain.kind == "picture"
    assert everything(plain)[0][5, 4, 0] == pytest.approx(29 / 255, abs=1e-7)


def test_a_palette_becomes_its_colours(tmp_path):
    """Indices into a colour table are read as the colours, and the one of nodata as a hole."""
    path = geotiff(tmp_path / "a.tif", np.array([[[0, 1], [2, 7]]], dtype=np.uint8), nodata=7)
    with rasterio.open(path, "r+") as out:
        out.write_colormap(1, {0: (255, 0, 0, 255), 1: (0, 51, 0, 255), 2: (0, 0, 102, 255)})
    raster = GdalLoader()(path)
    values, valid, _ = everything(raster)
    assert (raster.kind, raster.bands, raster.has_alpha) == ("picture", 3, True)
    np.testing.assert_allclose(values[0], [[1, 0, 0], [0, 0.2, 0]], atol=1e-7)
    np.testing.assert_allclose(values[1, 0], [0, 0, 0.4], atol=1e-7)
    np.testing.assert_array_equal(valid, [[True, True], [True, False]])


def test_lists_of_envis_kind_and_names_of_bands_hold_wavelengths(tmp_path):
    """Wavelengths and bad bands are found in lists of the file, or in the names of its bands."""
    path = geotiff(tmp_path / "a.tif", np.ones((3, 6, 5), np.int16))
    with rasterio.open(path, "r+") as out:
        out.update_tags(
            ns="ENVI", wavelength="{0.4, 0.5, 0.6}", wavelength_units="Micrometers", bbl="{1,0,1}"
        )
    raster = GdalLoader()(path)
    np.testing.assert_allclose(raster.wavelengths, [400, 500, 600])
    assert raster.good.tolist() == [True, False, True]
    path = geotiff(tmp_path / "b.tif", np.ones((3, 6, 5), np.int16))
    with rasterio.open(path, "r+") as out:
        out.descriptions = ("Band 1 (400 nm)", "Band 2 (500 nm)", "Band 3 (600 nm)")
    raster = GdalLoader()(path)
    np.testing.assert_allclose(raster.wavelengths, [400, 500, 600])
    assert "names of the bands" in " ".join(raster.notes)


PRODUCT = "ENMAP01-____L2A-DT0000000001_20240101T000000Z_001_V010000_20240101T000000Z"


def enmap(folder, *, count=4, image="SPECTRAL_IMAGE", extra=""):
    """Write a product of the layout EnMAP's documents give, with four bands listed."""
    bands = np.arange(count * 30, dtype=np.int16).reshape(count, 6, 5)
    bands[:, 0, 0] = -32768
    path = geotiff(folder / f"{PRODUCT}-{image}.TIF", bands, nodata=-32768)
    listed = "".join(
        f'<bandID number="{band}"><wavelengthCenterOfBand>{400.5 + 100 * band}'
        f"</wavelengthCenterOfBand><FWHMOfBand>6.9</FWHMOfBand><GainOfBand>0.0001</GainOfBand>"
        f"<OffsetOfBand>{band / 10}</OffsetOfBand></bandID>"
        for band in range(4)
    )
    (folder / f"{PRODUCT}-METADATA.XML").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>{extra}<level_X xmlns:xsi="http://www.w3.org/2001/'
        f'XMLSchema-instance"><specific><bandCharacterisation>{listed}</bandCharacterisation>'
        "<deadPixels><bandID>1</bandID></deadPixels></specific></level_X>"
    )
    return path, bands


def test_a_product_of_enmap_gets_wavelengths_and_gains(tmp_path):
    """The metadata file beside the image says wavelengths, gains and offsets; a note says so."""
    path, bands = enmap(tmp_path)
    raster = GdalLoader()(path)
    np.testing.assert_allclose(raster.wavelengths, [400.5, 500.5, 600.5, 700.5])
    expected = np.moveaxis(bands, 0, -1) * 1e-4 + np.arange(4) / 10
    expected[0, 0] = np.nan
    np.testing.assert_allclose(everything(raster)[0], expected, atol=1e-6)
    assert any("-METADATA.XML" in note for note in raster.notes)


def test_an_image_of_one_detector_has_its_part_of_the_bands(tmp_path):
    """A VNIR image of three bands has the first three of four, and a SWIR one the last."""
    raster = GdalLoader()(enmap(tmp_path, count=3, image="SPECTRAL_IMAGE_VNIR")[0])
    np.testing.assert_allclose(raster.wavelengths, [400.5, 500.5, 600.5])
    raster = GdalLoader()(enmap(tmp_path, count=3, image="SPECTRAL_IMAGE_SWIR")[0])
    np.testing.assert_allclose(raster.wavelengths, [500.5, 600.5, 700.5])


def test_a_product_of_desis_is_read_alike(tmp_path):
    """DESIS spells the same words small, and its bands are called so."""
    path, bands = enmap(tmp_path)
    xml = tmp_path / f"{PRODUCT}-METADATA.XML"
    text = xml.read_text().replace("bandID number", "band number").replace("</bandID>", "</band>")
    text = text.replace("<bandID>1</band>", "").replace("GainOf", "gainOf")
    xml.with_suffix(".xml").write_text(text.replace("OffsetOf", "offsetOf"))
    xml.unlink()
    raster = GdalLoader()(path)
    np.testing.assert_allclose(raster.wavelengths, [400.5, 500.5, 600.5, 700.5])
    assert everything(raster)[0][1, 1, 2] == pytest.approx(bands[2, 1, 1] * 1e-4 + 0.2)


def test_masks_of_bands_are_holes(tmp_path):
    """A mask file beside a TIFF with a mask for each band makes NaN of what it hides."""
    bands = np.ones((2, 6, 5), np.int16)
    path = geotiff(tmp_path / "a.tif", bands)
    masks = np.full((2, 6, 5), 255, np.uint8)
    masks[0, 1, 2] = masks[1, 3, 4] = 0
    with rasterio.open(
        f"{path}.msk", "w", driver="GTiff", width=5, height=6, count=2, dtype="uint8",
        transform=WHERE, crs="EPSG:32618",
    ) as out:  # fmt: skip
        out.write(masks)
        out.update_tags(INTERNAL_MASK_FLAGS_1="0", INTERNAL_MASK_FLAGS_2="0")
    raster = GdalLoader()(path)
    values = everything(raster)[0]
    np.testing.assert_array_equal(np.isnan(values), np.moveaxis(masks, 0, -1) == 0)
    assert raster.may_have_holes


@pytest.mark.parametrize(
    ("options", "found"),
    [({"count": 3}, "found 4"), ({"extra": '<!DOCTYPE a [<!ENTITY b "c">]>'}, "something else")],
)
def test_a_metadata_file_that_does_not_fit_is_left_out(tmp_path, options, found):
    """Another number of bands, or XML with entities, leaves stored values and says why."""
    path, bands = enmap(tmp_path, **options)
    raster = GdalLoader()(path)
    assert raster.wavelengths is None
    assert everything(raster)[0][1, 1, 0] == bands[0, 1, 1]
    assert any("left out" in note and found in note for note in raster.notes)


def test_absurd_numbers_of_bands_are_refused_at_once(tmp_path):
    """A header of 40 000 bands is refused before GDAL makes an object of each."""
    path = geotiff(tmp_path / "a.tif", np.ones((2, 6, 5), np.int16))
    content = bytearray(path.read_bytes())
    place = first_directory(path).entries[277][2]
    content[place : place + 2] = (40_000).to_bytes(2, "little")
    path.write_bytes(content)
    started = time.monotonic()
    with pytest.raises(ReadError, match="at most 10000 bands, found 40000"):
        GdalLoader()(path)
    assert time.monotonic() - started < 1


def test_a_tag_gdal_grumbles_at_is_no_reason_to_refuse(tmp_path):
    """A number of inks that fits no gray file, at which GDAL grumbles, changes nothing."""
    bands = np.arange(60, dtype=np.uint8).reshape(2, 6, 5)
    path = geotiff(tmp_path / "a.tif", bands)
    content = bytearray(path.read_bytes())
    kind, _, place = first_directory(path).entries[339]  # the format of samples, 1 by default
    assert kind == 3
    content[place - 8 : place - 6] = (334).to_bytes(2, "little")
    content[place - 4 : place + 2] = b"\1\0\0\0\3\0"
    path.write_bytes(content)
    np.testing.assert_array_equal(everything(GdalLoader()(path))[0], np.moveaxis(bands, 0, -1))


POINTS = ((0.5, 0.5, 7.0, 45.0, 0.0), (0.5, 4.0, 8.0, 45.0, 10.0), (5.0, 0.5, 7.0, 44.0, 2.5))
RATIONAL = {
    "ERR_BIAS": "0.5", "ERR_RAND": "0.25", "LINE_OFF": "3", "SAMP_OFF": "2", "LAT_OFF": "45",
    "LONG_OFF": "7", "HEIGHT_OFF": "100", "LINE_SCALE": "3", "SAMP_SCALE": "2", "LAT_SCALE": "1",
    "LONG_SCALE": "1", "HEIGHT_SCALE": "500",
} | {f"{one}_COEFF": " ".join(["1", "0.125", *["0"] * 18]) for one in (
    "LINE_NUM", "LINE_DEN", "SAMP_NUM", "SAMP_DEN")}  # fmt: skip


@pytest.mark.parametrize("cog", [False, True])
def test_ground_control_points_and_polynomials_survive(tmp_path, cog):
    """A picture with points and one with rational polynomials keep them, as GDAL reads them."""
    crs = rasterio.crs.CRS.from_epsg(4326).to_wkt()
    nowhere = (1, 0, 0, 0, 1, 0)
    one = Georeference(crs="", transform=nowhere, gcps=POINTS, gcp_crs=crs)
    two = Georeference(crs="", transform=nowhere, rpcs=RATIONAL)
    for where, name in ((one, "a"), (two, "b")):
        (tmp_path / name).mkdir()
        made = replace(picture(), georeference=where)
        again = round_trip(TiffWriter(cog=cog), GdalLoader(), made, tmp_path / name, ".tif")
        assert again.georeference.gcps == where.gcps
        assert again.georeference.gcp_crs == where.gcp_crs
        assert again.georeference.rpcs == where.rpcs
        assert again.georeference.transform == nowhere


PLACED = Georeference(crs="", transform=tuple(WHERE)[:6])


@pytest.mark.parametrize("depth", [8, 16, "float"])
def test_depths_of_a_picture(tmp_path, depth):
    """Each depth holds a ramp to half a level, and reads back as a picture of that type."""
    ramp = np.linspace(0, 1, 6 * 50 * 3).reshape(6, 50, 3)
    made = replace(array_raster(ramp, name="a", kind="picture"), georeference=PLACED)
    TiffWriter(depth=depth)(made, tmp_path / "a.tif")
    again = GdalLoader()(tmp_path / "a.tif")
    assert again.kind == "picture"
    assert again.dtype == {8: "uint8", 16: "uint16", "float": "float32"}[depth]
    half = {8: 0.5 / 255, 16: 0.5 / 65535, "float": 0}[depth]
    error = np.abs(everything(again)[0] - ramp).max()
    assert 0 < error < half + 1e-7


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_depth_of_the_source_is_kept(tmp_path, dtype):
    """Without a depth a picture is stored in the raster's own type."""
    TiffWriter()(replace(picture(), dtype=dtype), tmp_path / "a.tif")
    assert tifffile.imread(tmp_path / "a.tif").dtype == dtype


def test_scene_light_is_not_clipped(tmp_path):
    """Floats above one come back as they were, and as scene light."""
    made = array_raster(np.full((2, 3, 3), 7.5), name="a", kind="picture")
    TiffWriter()(replace(made, scene=True, georeference=PLACED), tmp_path / "a.tif")
    again = GdalLoader()(tmp_path / "a.tif")
    assert (again.kind, again.scene) == ("picture", True)
    assert (everything(again)[0] == 7.5).all()


def test_dither_is_right_on_average(tmp_path):
    """A value between two levels becomes both of them, in the right shares."""
    made = array_raster(np.full((100, 100, 3), 100.25 / 255), name="a", kind="picture")
    TiffWriter(depth=8, dither=True)(made, tmp_path / "a.tif")
    stored = tifffile.imread(tmp_path / "a.tif")
    assert set(np.unique(stored)) == {100, 101}
    assert abs(stored.mean() - 100.25) < 0.02


@pytest.mark.parametrize("options", [{"depth": 32}, {"depth": "float", "dither": True}])
def test_options_that_never_work_are_refused(options):
    """A depth TIFF pictures do not have, and dither of floats, are refused when said."""
    with pytest.raises(UsageError):
        TiffWriter(**options)


@pytest.mark.parametrize("options", [{"depth": 8}, {"dither": True}])
def test_a_cube_has_no_depth(options):
    """Options for pictures are refused for a cube before any work."""
    with pytest.raises(UsageError, match="for pictures"):
        TiffWriter(**options).check(cube())


def test_profile_and_resolution_are_kept(tmp_path):
    """The ICC profile is there byte for byte for another library, and so are the dots an inch."""
    icc = bytes(range(256)) * 3
    made = replace(picture(), carried=Carried(icc=icc, dpi=(300.0, 150.0)), georeference=PLACED)
    TiffWriter()(made, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].tags[34675].value == icc
        assert file.pages[0].tags[282].value == (300, 1)
        assert file.pages[0].tags[283].value == (150, 1)
        assert file.pages[0].tags[296].value == 2
        assert 306 not in file.pages[0].tags
        assert 305 not in file.pages[0].tags
    again = GdalLoader()(tmp_path / "a.tif")
    assert (again.carried.icc, again.carried.dpi) == (icc, (300.0, 150.0))


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_alpha_is_written_where_holes_are_announced_or_found(tmp_path):
    """No alpha for a whole picture, alpha when nodata is announced, and when a hole turns up.

    Floats have NaN instead.
    """
    values = np.full((200, 700, 3), 0.5)
    for name, made, depth, count in (
        ("a", array_raster(values, name="a", kind="picture"), 8, 3),
        ("b", replace(array_raster(values, name="b", kind="picture"), nodata=0.0), 8, 4),
        ("d", replace(array_raster(values, name="d", kind="picture"), nodata=0.0), "float", 3),
    ):
        TiffWriter(depth=depth)(made, tmp_path / f"{name}.tif")
        with rasterio.open(tmp_path / f"{name}.tif") as written:
            assert written.count == count
    values[-1, -1] = np.nan
    TiffWriter(depth=8)(array_raster(values, name="c", kind="picture"), tmp_path / "c.tif")
    with rasterio.open(tmp_path / "c.tif") as written:
        assert written.colorinterp[3] is ColorInterp.alpha
        opacity = written.read(4)
    assert opacity[-1, -1] == 0
    assert (opacity == 255).sum() == opacity.size - 1


@pytest.mark.parametrize("kind", ["picture", "holes", "cube"])
def test_a_cloud_optimised_file_obeys_the_rules(tmp_path, kind):
    """Tiles, overviews halved down to one tile, directories ahead of pixels, same values."""
    made = cube(rows=600, columns=300) if kind == "cube" else picture(rows=1100, columns=700)
    if kind == "holes":
        made = picture(rows=1100, columns=700, alpha=True)
    made = replace(made, georeference=PLACED)
    again = round_trip(TiffWriter(cog=True), GdalLoader(), made, tmp_path, ".tif")
    assert again.georeference.transform == PLACED.transform
    with tifffile.TiffFile(tmp_path / "one.tif") as file:
        pages = list(file.pages)
        assert all(page.is_tiled for page in pages)
        assert pages[0].tilewidth in (128, 256, 512)
        widths = [page.imagewidth for page in pages]
        assert all(abs(a / 2 - b) <= 1 for a, b in itertools.pairwise(widths))
        assert max(pages[-1].shape[:2]) <= pages[0].tilewidth
        assert len(pages) >= 2
        ends = max(page.offset for page in pages)
        starts = [min(page.dataoffsets) for page in pages]
        assert ends < min(starts)
        assert starts == sorted(starts, reverse=True)
    with rasterio.open(tmp_path / "one.tif") as written:
        assert written.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "wavelength" in written.tags(1) or kind != "cube"
        half = written.read(out_shape=(written.count, written.height // 2, written.width // 2))
        whole_mean = written.read().astype(float).mean(axis=(1, 2))
    np.testing.assert_allclose(half.astype(float).mean(axis=(1, 2)), whole_mean, rtol=0.1, atol=1.5)


def test_a_cloud_optimised_file_that_fails_leaves_nothing(tmp_path):
    """A source that breaks while it is read leaves no temporary file behind."""

    def read(start, stop):
        raise ReadError("a: gone")

    with pytest.raises(ReadError, match="gone"), whole(tmp_path / "a.tif", overwrite=False) as at:
        TiffWriter(cog=True)(replace(picture(), read=read), at)
    assert list(tmp_path.iterdir()) == []


def test_tiles_are_decoded_once_a_row(tmp_path, monkeypatch):
    """Windows of a few rows over wide tiles cost hardly more than one window of all rows."""
    monkeypatch.setattr("gwtransfer.core.raster.BLOCK_PIXELS", 4096)
    rng = np.random.default_rng(0)
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=2048, height=512, count=3, dtype="uint8", tiled=True,
        blockxsize=512, blockysize=512, compress="deflate", transform=WHERE,
    ) as out:  # fmt: skip
        out.write(rng.integers(0, 255, (3, 512, 2048), dtype=np.uint8))
    raster = GdalLoader()(path)
    started = time.monotonic()
    first = raster.read(0, 512).values
    once = time.monotonic() - started
    raster = GdalLoader()(path)
    started = time.monotonic()
    parts = [raster.read(row, row + 2).values for row in range(0, 512, 2)]
    many = time.monotonic() - started
    np.testing.assert_array_equal(np.concatenate(parts), first)
    assert many < 20 * once + 1  # 256 windows, each of which would decode everything again


def test_threads_read_the_same_tiff(tmp_path):
    """Rows asked for by several threads at once are the file's rows."""
    bands = np.random.default_rng(0).integers(0, 9999, (4, 60, 50), dtype=np.uint16)
    raster = GdalLoader()(geotiff(tmp_path / "a.tif", bands))
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda row: raster.read(row, row + 1).values, range(60)))
    np.testing.assert_array_equal(np.concatenate(rows), np.moveaxis(bands, 0, -1))


def test_missing_pixels_of_scaled_bands_become_holes(tmp_path):
    """-9999 in every band is a hole when there is a scale and no nodata; in one band it is not."""
    bands = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    bands[:, 0, 1] = bands[0, 2, 2] = -9999
    path = geotiff(tmp_path / "a.tif", bands)
    assert np.isfinite(everything(GdalLoader()(path))[0]).all()
    with rasterio.open(path, "r+") as out:
        out.scales = (1e-4, 1e-4)
    raster = GdalLoader()(path)
    expected = np.moveaxis(bands, 0, -1) * 1e-4
    expected[0, 1] = np.nan
    np.testing.assert_allclose(everything(raster)[0], expected, rtol=1e-6)
    assert raster.nodata == -9999
    assert [note for note in raster.notes if "-9999 in every band" in note]
