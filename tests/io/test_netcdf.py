"""Classic netCDF: values, masks, records and headers that lie."""

from contextlib import suppress

import numpy as np
import pytest
import scipy.io

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.arrays.hdf5 import Hdf5Loader
from gwtransfer.io.arrays.netcdf import NetcdfLoader

from .shared import DATA, everything, needs_data

CUBE = np.random.default_rng(6).integers(1, 1000, (11, 9, 6)).astype(np.int16)
BANDS_FIRST = np.moveaxis(CUBE, -1, 0)
WAVES = np.linspace(450, 950, 6)


def save(folder, *, version=1, record=False, beside=0, **attributes):
    """Write (wavelength, y, x) with coordinates through another program's writer."""
    path = folder / f"a{version}{record}{beside}.nc"
    with scipy.io.netcdf_file(path, "w", version=version) as file:
        for name, length in (("wavelength", 6), ("y", 11), ("x", 9)):
            file.createDimension(name, None if record and name == "wavelength" else length)
        refl = file.createVariable("refl", "i2", ("wavelength", "y", "x"))
        refl[:] = BANDS_FIRST
        for key, value in attributes.items():
            setattr(refl, key, value)
        coordinates = {"wavelength": WAVES / 1000, "y": 1e3 - 30.0 * np.arange(11)}
        coordinates["x"] = 5e2 + 30.0 * np.arange(9)
        for name, places in coordinates.items():
            if name == "wavelength" and record and not beside:
                continue
            variable = file.createVariable(name, "f4", (name,))
            variable[:] = places
            if name == "wavelength":
                variable.units = "um"
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("record", "beside"), [(False, 1), (True, 0), (True, 1)])
def test_values_are_those_another_writer_wrote(tmp_path, version, record, beside):
    """Both versions, with and without records beside other records, give the same cube."""
    path = save(tmp_path, version=version, record=record, beside=beside)
    assert NetcdfLoader.claims(path)
    assert not Hdf5Loader.claims(path)
    raster = NetcdfLoader()(path)
    np.testing.assert_array_equal(everything(raster)[0], CUBE)
    np.testing.assert_array_equal(raster.read(3, 5).values, CUBE[3:5])
    assert raster.georeference.transform == (30, 0, 485, 0, -30, 1015)
    if beside:
        np.testing.assert_allclose(raster.wavelengths, WAVES)
    else:
        assert raster.wavelengths is None
    assert raster.dtype == "int16"


def test_holes_come_before_scaling(tmp_path):
    """The fill value and values outside the range are NaN, and the rest is scaled and offset."""
    fill = int(CUBE[2, 3, 1])
    held = {"_FillValue": np.int16(fill), "valid_range": np.array([5, 990], np.int16)}
    raster = NetcdfLoader()(save(tmp_path, scale_factor=0.001, add_offset=0.5, **held))
    holes = (fill == CUBE) | (CUBE < 5) | (CUBE > 990)
    assert 0 < holes.sum() < holes.size
    expected = np.where(holes, np.nan, CUBE * 0.001 + 0.5)
    np.testing.assert_allclose(everything(raster)[0], expected, rtol=1e-6)
    assert raster.nodata == fill


@pytest.mark.parametrize("kept", [4, 20, 60, 200, 0.5, 0.98])
def test_truncated_files_are_refused(tmp_path, kept):
    """A file cut in its header or in its values is refused in one line."""
    path = save(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ReadError) as caught:
        NetcdfLoader()(path).read(0, 11)
    assert str(caught.value).startswith(f"{path}: ")
    assert "truncated" in str(caught.value)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_headers_never_raise_anything_else(tmp_path, seed):
    """Random damage of the header gives a raster or an error of ours, and never much memory."""
    path = save(tmp_path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(4, 300, 3):
        content[place] = rng.integers(256)
    path.write_bytes(content)
    with suppress(ReadError, AmbiguousError):
        raster = NetcdfLoader()(path)
        assert raster.read(0, 1).values.shape == (1, raster.columns, raster.bands)


def test_another_file_is_said(tmp_path):
    """A file of another kind is refused when this loader is asked for by name."""
    path = tmp_path / "a.nc"
    path.write_bytes(b"CDF\x07 and more")
    assert not NetcdfLoader.claims(path)
    assert not NetcdfLoader.claims(tmp_path)
    with pytest.raises(ReadError, match="found something else"):
        NetcdfLoader()(path)


@needs_data
def test_a_real_file_agrees_with_gdal():
    """Three variables of unsigned bytes become bands, turned and placed as GDAL does."""
    import rasterio

    path = DATA / "hyperspectral" / "netcdf" / "RGB.nc"
    raster = NetcdfLoader()(path)
    values = everything(raster)[0]
    for band in range(3):
        with rasterio.open(f"netcdf:{path}:Band{band + 1}") as dataset:
            stored = dataset.read(1)
            transform = tuple(dataset.transform)[:6]
        np.testing.assert_array_equal(np.nan_to_num(values[:, :, band]), stored)
    np.testing.assert_allclose(raster.georeference.transform, transform, rtol=1e-9)
    assert "UTM zone 18N" in raster.georeference.crs
    assert any("Band1, Band2, Band3" in note for note in raster.notes)
