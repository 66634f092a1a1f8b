"""HDF5 of every kind: which array is the cube, what its values mean, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import h5py
import numpy as np
import pytest

from gwtransfer.errors import AmbiguousError, ReadError, UsageError
from gwtransfer.io.arrays import chunkrows
from gwtransfer.io.arrays.hdf5 import Hdf5Loader
from gwtransfer.io.arrays.mat import MatLoader
from gwtransfer.io.arrays.netcdf import NetcdfLoader

from .shared import DATA, everything, needs_data

RNG = np.random.default_rng(4)
CUBE = RNG.integers(1, 1000, (11, 9, 6)).astype(np.int16)
WAVES = np.linspace(450, 950, 6)


def save(folder, name="a.h5", *, userblock=0, **arrays):
    """Write arrays by path; a pair is an array with its attributes."""
    with h5py.File(folder / name, "w", userblock_size=userblock) as file:
        for path, given in arrays.items():
            array, held = given if isinstance(given, tuple) else (given, {})
            file[path] = array
            file[path].attrs.update(held)
    return folder / name


def values(raster):
    return everything(raster)[0]


@pytest.mark.parametrize("userblock", [0, 512, 1024, 2048])
def test_the_signature_is_found_behind_a_user_block(tmp_path, userblock):
    """A plain cube keeps its values wherever the signature stands, and has one reader."""
    cube = CUBE[:, :, :5]
    path = save(tmp_path, userblock=userblock, cube=cube)
    claims = [loader.claims(path) for loader in (Hdf5Loader, MatLoader, NetcdfLoader)]
    assert claims == [True, False, False]
    raster = Hdf5Loader()(path)
    assert (raster.kind, raster.dtype, raster.wavelengths) == ("cube", "int16", None)
    np.testing.assert_array_equal(values(raster), cube)
    assert raster.notes == ()


@pytest.mark.parametrize("height", [1, 3, 11])
@pytest.mark.parametrize("memory", [0, 10**9])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_windows_are_right_in_any_chunks(tmp_path, monkeypatch, height, memory, axis):
    """Every window has the array's values, whether slabs are kept in memory or on disk."""
    monkeypatch.setattr(chunkrows, "MEMORY_BYTES", memory)
    monkeypatch.setattr(chunkrows, "PIECE_BYTES", 200)
    stored = np.moveaxis(CUBE, -1, axis)
    chunks = [4, 4]
    chunks[0] = height
    chunks.insert(axis, 2)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cube", data=stored, chunks=tuple(chunks), compression="gzip")
    raster = Hdf5Loader(band_axis=axis)(tmp_path / "a.h5")
    for start, stop in [(0, 11), (0, 1), (10, 11), (2, 7), (3, 6), (0, 4), (7, 11)]:
        np.testing.assert_array_equal(raster.read(start, stop).values, CUBE[start:stop])


def test_each_chunk_is_decoded_once(tmp_path, monkeypatch):
    """A full pass by single rows over chunks of all rows reads each of them once."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cube", data=CUBE, chunks=(11, 9, 1), compression="gzip")
    raster = Hdf5Loader()(tmp_path / "a.h5")
    reads = []
    original = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset,
        "__getitem__",
        lambda one, index: (reads.append(index), original(one, index))[1],
    )
    rows = [raster.read(row, row + 1).values for row in range(11)]
    np.testing.assert_array_equal(np.concatenate(rows), CUBE)
    assert 1 <= len(reads) <= 6


def test_windows_may_be_read_by_several_threads(tmp_path):
    """Windows in any order, from eight threads at once, hold the array's values."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = np.repeat(CUBE, 30, axis=0)
        file.create_dataset("cube", data=data, chunks=(32, 4, 4), compression="gzip")
    raster = Hdf5Loader(band_axis=2)(tmp_path / "a.h5")
    starts = np.random.default_rng(1).permutation(np.arange(0, 330, 5)).tolist()
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda start: raster.read(start, start + 5).values, starts))
    for start, part in zip(starts, parts, strict=True):
        np.testing.assert_array_equal(part, data[start : start + 5])


def emit(folder):
    refl = CUBE.astype(np.float32) / 1000
    refl[2, 3] = -9999
    path = folder / "emit.nc"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("reflectance", data=refl, chunks=(4, 5, 6))
        data.attrs["_FillValue"] = np.array([-9999], np.float32)
        for axis, name in enumerate(("downtrack", "crosstrack", "bands")):
            scale = file.create_dataset(name, data=np.zeros(refl.shape[axis]))
            scale.make_scale(name)
            data.dims[axis].attach_scale(scale)
        group = file.create_group("sensor_band_parameters")
        group["wavelengths"] = WAVES.astype(np.float32)
        group["wavelengths"].attrs["units"] = np.bytes_("Nanometers (nm)")
        group["fwhm"] = np.full(6, 8.5, np.float32)
        group["good_wavelengths"] = np.array([1, 1, 0, 1, 1, 1], np.uint8)
        file["location/glt_x"] = np.zeros((20, 30), np.int32)
        file["location/glt_y"] = np.zeros((20, 30), np.int32)
        file["location/lon"] = np.zeros((11, 9))
        file.attrs["spatial_ref"] = np.bytes_("GEOGCS[]")
    return path, np.where(refl == -9999, np.nan, refl)


def test_an_emit_scene_is_understood(tmp_path):
    """EMIT: fill becomes NaN, wavelengths and good bands are read, the lookup table is left."""
    path, expected = emit(tmp_path)
    raster = Hdf5Loader()(path)
    np.testing.assert_array_equal(values(raster), expected)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    assert raster.good.tolist() == [True, True, False, True, True, True]
    assert raster.nodata == -9999
    assert raster.georeference is None
    assert any("not orthorectified" in note for note in raster.notes)


def prisma(folder, **root):
    vnir = RNG.integers(0, 65536, (7, 4, 5)).astype(np.uint16)
    swir = RNG.integers(0, 65536, (7, 3, 5)).astype(np.uint16)
    path = folder / "PRS_L2D_STD.he5"
    with h5py.File(path, "w") as file:
        fields = file.create_group("HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields")
        fields["VNIR_Cube"], fields["SWIR_Cube"] = vnir, swir
        fields["VNIR_PIXEL_L2_ERR_MATRIX"] = np.zeros((7, 4, 5), np.uint8)
        file["HDFEOS/SWATHS/PRS_L2D_PCO/Data Fields/Cube"] = np.zeros((42, 30), np.uint16)
        file.attrs.update(
            {
                "List_Cw_Vnir": np.array([970.0, 700, 450, 0], np.float32),
                "List_Cw_Vnir_Flags": np.array([1, 1, 1, 0], np.uint32),
                "List_Cw_Swir": np.array([2400.0, 1500, 960], np.float32),
                "L2ScaleVnirMin": np.float32(0.1),
                "L2ScaleVnirMax": np.float32(1.1),
                "L2ScaleSwirMin": np.float32(0),
                "L2ScaleSwirMax": np.float32(0.5),
                "Epsg_Code": np.uint32(32633),
                "Product_ULcorner_easting": 500000.0,
                "Product_ULcorner_northing": 4600000.0,
                "Product_LRcorner_easting": 500000.0 + 4 * 30,
                "Product_LRcorner_northing": 4600000.0 - 6 * 30,
            }
            | root
        )
    return path, vnir, swir


def test_both_cubes_of_prisma_are_joined(tmp_path):
    """PRISMA: absent bands go, the rest are scaled and in ascending order over both cubes."""
    path, vnir, swir = prisma(tmp_path)
    raster = Hdf5Loader()(path)
    near = 0.1 + vnir[:, [2, 1, 0]].astype(float) / 65535
    short = swir[:, [2, 1, 0]].astype(float) / 65535 * 0.5
    bands = np.concatenate([near, short], axis=1)[:, np.argsort([450, 700, 970, 960, 1500, 2400])]
    np.testing.assert_allclose(values(raster), np.moveaxis(bands, 1, -1), atol=2e-7)
    assert raster.wavelengths.tolist() == [450, 700, 960, 970, 1500, 2400]
    assert any("3 bands of VNIR_Cube and 3 bands of SWIR_Cube" in note for note in raster.notes)
    assert raster.georeference.transform == (30, 0, 499985, 0, -30, 4600015)
    assert 'AUTHORITY["EPSG","32633"]' in raster.georeference.crs
    one = Hdf5Loader(variable="SWIR_Cube")(path)
    np.testing.assert_allclose(values(one), np.moveaxis(short, 1, -1), atol=2e-7)
    assert one.wavelengths.tolist() == [960, 1500, 2400]
    stored = Hdf5Loader(variable="SWIR_Cube", band_axis=1)(path)
    np.testing.assert_array_equal(values(stored), np.moveaxis(swir, 1, -1))


def test_prisma_without_fitting_wavelengths_is_refused(tmp_path):
    """A list of wavelengths of another length is named with both lengths."""
    path, _, _ = prisma(tmp_path, List_Cw_Vnir=np.array([450.0, 700]))
    with pytest.raises(ReadError, match=r"expected 4 wavelengths .* found 2 in List_Cw_Vnir"):
        Hdf5Loader()(path)


def test_a_neon_tile_is_understood(tmp_path):
    """NEON: the cube is found among images, divided by its factor, and lies on the map."""
    held = {"Data_Ignore_Value": -9999.0, "Scale_Factor": 10000.0}
    data = CUBE.copy()
    data[0, 0] = -9999
    meta = "SITE/Reflectance/Metadata/"
    path = save(
        tmp_path,
        **{
            "SITE/Reflectance/Reflectance_Data": (data, held),
            meta + "Spectral_Data/Wavelength": (WAVES, {"Units": "nanometers"}),
            meta + "Ancillary_Imagery/Aspect": np.zeros((11, 9)),
            meta + "Coordinate_System/Map_Info": "UTM, 1.000, 1.000, 257000.0, 4112000.0, "
            "1.0e+00, 1.0e+00, 11, North, WGS-84, units=Meters, 0",
            meta + "Coordinate_System/Coordinate_System_String": 'LOCAL_CS["made"]',
        },
    )
    raster = Hdf5Loader()(path)
    expected = np.where(data == -9999, np.nan, data / 10000)
    np.testing.assert_allclose(values(raster), expected, rtol=1e-6)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    assert raster.georeference.transform == (1, 0, 257000, 0, -1, 4112000)
    assert raster.georeference.crs == 'LOCAL_CS["made"]'
    assert raster.notes == (f"{path}: values divided by the file's Scale_Factor 10000",)


def matlab(folder, **arrays):
    """Write as MATLAB 7.3 does: a user block, axes reversed, classes as attributes."""
    path = folder / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file[name] = np.asarray(array).T
            file[name].attrs["MATLAB_class"] = np.bytes_(b"double")
        file["note"] = np.array([104, 105], np.uint16).reshape(2, 1)
        file["note"].attrs["MATLAB_class"] = np.bytes_(b"char")
        file["#refs#/a"] = np.zeros((5, 5, 5))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")
    return path


def test_axes_of_matlab_7_3_are_turned_back(tmp_path):
    """A (rows, columns, bands) array of MATLAB comes back with these axes and its wavelengths."""
    path = matlab(tmp_path, cube=CUBE, wl=WAVES[None] / 1000, gt=np.ones((11, 9)))
    assert Hdf5Loader.claims(path)
    assert not MatLoader.claims(path)
    raster = Hdf5Loader()(path)
    np.testing.assert_array_equal(values(raster), CUBE)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    assert raster.notes == (f"{path}: the wavelengths have no unit; taken as µm",)


@pytest.mark.parametrize("transposed", [False, True])
def test_pixels_of_a_matlab_matrix_run_down_the_columns(tmp_path, transposed):
    """A matrix of spectra beside lines and cols is unfolded as in older .mat files."""
    matrix = CUBE.reshape(99, 6, order="F")
    path = matlab(tmp_path, Y=matrix.T if transposed else matrix, lines=[[11]], cols=[[9]])
    raster = Hdf5Loader()(path)
    np.testing.assert_array_equal(values(raster), CUBE)
    np.testing.assert_array_equal(raster.read(3, 5).values, CUBE[3:5])


def hyperspy(folder, *, units="nm", navigate=(True, True, False)):
    path = folder / f"{units}.hspy"
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        group = file.create_group("Experiments/map")
        group["data"] = CUBE
        for place, (length, walks) in enumerate(zip(CUBE.shape, navigate, strict=True)):
            axis = group.create_group(f"axis-{place}")
            axis.attrs.update({"size": length, "navigate": walks, "units": units})
            axis.attrs.update({"offset": 450.0, "scale": 100.0, "name": "made"})
        group["original_metadata/copy"] = CUBE
    return path


def test_axes_of_hyperspy_are_understood(tmp_path):
    """The signal axis holds the bands, and its offset and scale are wavelengths if in nm."""
    raster = Hdf5Loader()(hyperspy(tmp_path))
    np.testing.assert_array_equal(values(raster), CUBE)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    raster = Hdf5Loader()(hyperspy(tmp_path, units="s", navigate=(True, False, False)))
    np.testing.assert_array_equal(values(raster), np.moveaxis(CUBE, 0, -1))
    assert raster.wavelengths is None


def test_holes_come_before_scaling(tmp_path):
    """Fill, missing and out-of-range values are NaN; the others are scaled, then offset."""
    data = CUBE.copy()
    data[0, 0, 0], data[1, 1, 1], data[2, 2, 2] = -1, -2, 1200
    held = {"_FillValue": np.int16(-1), "missing_value": np.array([-2, -3], np.int16)}
    held |= {"scale_factor": 0.5, "add_offset": 10.0, "valid_max": np.int16(1100)}
    raster = Hdf5Loader()(save(tmp_path, cube=(data, held)))
    holes = (data < 0) | (data > 1100)
    assert holes.sum() == 3
    np.testing.assert_allclose(values(raster), np.where(holes, np.nan, data * 0.5 + 10))
    assert any("valid range" in note for note in raster.notes)


def test_signed_bytes_may_be_unsigned(tmp_path):
    """With _Unsigned the byte −1 is 255 and the fill value −2 is 254."""
    data = np.arange(-54, 54).astype(np.int8).reshape(6, 6, 3)
    raster = Hdf5Loader()(
        save(tmp_path, cube=(data, {"_Unsigned": "true", "_FillValue": np.int8(-2)}))
    )
    expected = data.view(np.uint8).astype(float)
    expected[expected == 254] = np.nan
    np.testing.assert_array_equal(values(raster), expected)
    assert (raster.dtype, raster.nodata) == ("uint8", 254)


@pytest.mark.parametrize(
    ("stored", "unit", "expected", "noted"),
    [
        (WAVES, "nm", WAVES, ""),
        (WAVES / 1000, "micrometers", WAVES, ""),
        (WAVES * 10, "Angstroms", WAVES, ""),
        (1e7 / WAVES, "cm-1", WAVES, "wavenumbers"),
        (WAVES, None, WAVES, "taken as nm"),
        (WAVES / 1000, None, WAVES, "taken as µm"),
        (WAVES, "seconds", None, "'seconds'"),
        (np.arange(6.0), None, None, ""),
    ],
)
def test_units_of_wavelengths(tmp_path, stored, unit, expected, noted):
    """Units are converted to nm; a missing one is guessed and said; another kind is left out."""
    held = {} if unit is None else {"units": unit}
    raster = Hdf5Loader()(save(tmp_path, cube=CUBE, wavelength=(stored, held)))
    if expected is None:
        assert raster.wavelengths is None
    else:
        np.testing.assert_allclose(raster.wavelengths, expected)
    notes = [note for note in raster.notes if "--band-axis" not in note]
    assert (noted in " ".join(notes)) if noted else notes == []


def test_images_named_like_bands_are_stacked(tmp_path):
    """B02, B04, B8A are stacked by number and colours by wavelength, with a note; others stop."""
    planes = dict(zip(("B8A", "B02", "B04"), np.moveaxis(CUBE[:, :, :3], -1, 0), strict=True))
    raster = Hdf5Loader()(save(tmp_path, **planes))
    np.testing.assert_array_equal(values(raster), CUBE[:, :, [1, 2, 0]])
    said = "3 variables taken as bands, in this order: B02, B04, B8A"
    assert raster.notes == (f"{raster.name}: {said}",)
    named = dict(zip(("red", "green", "blue"), planes.values(), strict=True))
    np.testing.assert_array_equal(
        values(Hdf5Loader()(save(tmp_path, "b.h5", **named))), CUBE[:, :, [2, 1, 0]]
    )
    other = save(tmp_path, "c.h5", slope=CUBE[:, :, 0], aspect=CUBE[:, :, 1])
    with pytest.raises(AmbiguousError, match=r"slope \(11 × 9\).*--variable NAME"):
        Hdf5Loader()(other)
    asked = Hdf5Loader(variable="slope, /aspect")(other)
    np.testing.assert_array_equal(values(asked), CUBE[:, :, :2])


def test_times_are_not_bands(tmp_path):
    """One time is dropped, several stop until one is asked for."""
    stack = np.moveaxis(CUBE, -1, 0)
    for several in (False, True):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["red"] = stack if several else stack[:1]
            for axis, name in enumerate(("time", "y", "x")):
                file["red"].dims[axis].label = name
        if several:
            with pytest.raises(AmbiguousError, match=r"time 6 × 11 × 9.*'red\[0\]'"):
                Hdf5Loader()(tmp_path / "a.h5")
            raster = Hdf5Loader(variable="red[2]")(tmp_path / "a.h5")
            np.testing.assert_array_equal(values(raster), CUBE[:, :, 2:3])
            with pytest.raises(UsageError, match=r"got \[6\]"):
                Hdf5Loader(variable="red[6]")(tmp_path / "a.h5")
        else:
            np.testing.assert_array_equal(values(Hdf5Loader()(tmp_path / "a.h5")), CUBE[:, :, :1])


@pytest.mark.parametrize("upward", [False, True])
def test_even_coordinates_are_a_georeference(tmp_path, upward):
    """Pixel centres become corners, north is up, and the projection is the file's."""
    y = 1000.0 + 30 * np.arange(11)
    stored = np.moveaxis(CUBE, -1, 0)
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["refl"] = stored[:, ::-1] if upward else stored
        axes = {"band": np.arange(6), "y": y if upward else y[::-1], "x": 500 + 30.0 * np.arange(9)}
        for axis, (name, places) in enumerate(axes.items()):
            file[name] = places
            file[name].make_scale(name)
            file["refl"].dims[axis].attach_scale(file[name])
        file["crs"] = 0
        file["crs"].attrs["crs_wkt"] = 'LOCAL_CS["made"]'
        file["refl"].attrs["grid_mapping"] = "crs"
    raster = Hdf5Loader()(tmp_path / "a.nc")
    np.testing.assert_array_equal(values(raster), CUBE)
    np.testing.assert_array_equal(raster.read(2, 5).values, CUBE[2:5])
    assert raster.georeference.transform == (30, 0, 485, 0, -30, 1315)
    assert raster.georeference.crs == 'LOCAL_CS["made"]'
    assert any("north is up" in note for note in raster.notes) == upward


def test_candidates_are_listed_and_can_be_chosen(tmp_path):
    """Two cubes stop with their shapes; a last part, a path or a wrong name do what they say."""
    path = save(tmp_path, **{"a/one": CUBE, "b/two": CUBE + 1, "b/one": CUBE + 2})
    with pytest.raises(AmbiguousError, match=r"a/one \(11 × 9 × 6\).*--variable NAME"):
        Hdf5Loader()(path)
    np.testing.assert_array_equal(values(Hdf5Loader(variable="two")(path)), CUBE + 1)
    np.testing.assert_array_equal(values(Hdf5Loader(variable="/b/one")(path)), CUBE + 2)
    with pytest.raises(AmbiguousError, match="say the whole name"):
        Hdf5Loader(variable="one")(path)
    with pytest.raises(ReadError, match=r"'three', found a/one \(11"):
        Hdf5Loader(variable="three")(path)


def test_links_do_not_escape_or_hang(tmp_path):
    """Cycles end, inner links are harmless, links to other files are said and not followed."""
    other = save(tmp_path, "other.h5", cube=CUBE)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["group/cube"] = CUBE
        file["group/back"] = file["/"]
        file["again"] = file["group"]
        file["soft"] = h5py.SoftLink("/group/cube")
        file["nowhere"] = h5py.SoftLink("/not/there")
        file["outside"] = h5py.ExternalLink(other.name, "/cube")
    raster = Hdf5Loader()(path)
    np.testing.assert_array_equal(values(raster), CUBE)
    assert raster.notes[0] == f"{path}: links to other files are not followed: outside"
    assert ["the last axis" in note for note in raster.notes[1:]] == [True]
    with pytest.raises(ReadError, match="'outside'"):
        Hdf5Loader(variable="outside")(path)


def test_values_in_other_files_are_not_read(tmp_path):
    """Virtual arrays may gather from their own file only, and raw external data is refused."""
    save(tmp_path, "other.h5", cube=CUBE)
    for source, refused in (("other.h5", True), (".", False)):
        path = tmp_path / f"{refused}.h5"
        with h5py.File(path, "w") as file:
            if not refused:
                file["hidden"] = CUBE[None]
            layout = h5py.VirtualLayout(CUBE.shape, CUBE.dtype)
            name = "cube" if refused else "hidden"
            shape = CUBE.shape if refused else (1, *CUBE.shape)
            layout[...] = h5py.VirtualSource(source, name, shape)[() if refused else 0]
            file.create_virtual_dataset("virtual", layout)
        raster = Hdf5Loader(variable="virtual")(path)
        if refused:
            with pytest.raises(ReadError, match=r"lie in another, other\.h5"):
                raster.read(0, 1)
        else:
            np.testing.assert_array_equal(values(raster), CUBE)
    path = tmp_path / "raw.h5"
    with h5py.File(path, "w") as file:
        raw = [(str(tmp_path / "raw.bin"), 0, CUBE.nbytes)]
        file.create_dataset("cube", CUBE.shape, CUBE.dtype, external=raw)[...] = CUBE
    with pytest.raises(ReadError, match="lie in another"):
        Hdf5Loader()(path).read(0, 1)


def _sized(shape, **more):
    def write(file):
        file.create_dataset("cube", shape, "f4", **more)

    return write


def _compound(file):
    file["cube"] = np.zeros((4, 4, 4), [("a", "f4"), ("b", "i2")])


def _texts(file):
    file["cube"] = np.full((4, 4, 4), b"text")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda file: None, "found no numeric array"),
        (_compound, "found no numeric array"),
        (_texts, "found no numeric array"),
        (lambda file: file.update({"cube": np.ones((4, 4, 4), complex)}), "complex128"),
        (_sized((0, 5, 5)), "0 × 5 × 5"),
        (_sized((10**6, 10**6, 10), chunks=(10, 10, 10)), "never written"),
        (_sized((7,)), r"expected an image or a cube, found cube \(7\)"),
    ],
)
def test_what_holds_no_cube_is_refused(tmp_path, write, words):
    """Files without numbers, empty arrays and arrays never written are refused in one line."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write(file)
    with pytest.raises(ReadError, match=words) as caught:
        Hdf5Loader(variable="cube" if "complex" in words else None)(tmp_path / "a.h5")
    assert str(caught.value).startswith(f"{tmp_path / 'a.h5'}: ")
    assert "\n" not in str(caught.value)


def test_absurd_sizes_are_refused_before_any_memory_is_taken(tmp_path):
    """10^13 values of which one chunk is there are not believed."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("cube", (10**6, 10**6, 10), "f4", chunks=(10, 10, 10))
        data[:10, :10] = 1
    with pytest.raises(ReadError, match="claims to be 1000000 × 1000000 × 10"):
        Hdf5Loader()(path)


@pytest.mark.parametrize("kept", [8, 100, 600, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, kept):
    """A file cut anywhere says that it is truncated or broken."""
    path = save(tmp_path, cube=np.repeat(CUBE, 20, axis=0))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ReadError, match=r"expected an HDF5 file, found") as caught:
        Hdf5Loader()(path)
    assert "\n" not in str(caught.value)


def test_no_signature_is_said(tmp_path):
    """Another file is refused even when this loader is asked for by name."""
    path = tmp_path / "a.h5"
    path.write_bytes(b"something else" * 300)
    assert not Hdf5Loader.claims(path)
    assert not Hdf5Loader.claims(tmp_path)
    assert not Hdf5Loader.claims(tmp_path / "none.h5")
    with pytest.raises(ReadError, match="found no signature"):
        Hdf5Loader()(path)


@pytest.mark.parametrize("seed", range(25))
def test_damaged_files_never_raise_anything_else(tmp_path, seed):
    """Random damage gives a raster or an error of ours, never another one."""
    path, _ = emit(tmp_path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(8, len(content), 12):
        content[place] = rng.integers(256)
    path.write_bytes(content)
    with suppress(ReadError, AmbiguousError):
        raster = Hdf5Loader()(path)
        assert raster.read(0, 1).values.shape == (1, raster.columns, raster.bands)


@needs_data
def test_real_files():
    """Real HDF5 and netCDF-4 files have the sizes and values h5py itself reads."""
    folder = DATA / "hyperspectral"
    path = folder / "hdf5" / "InGaN_transient_map.hspy"
    raster = Hdf5Loader()(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(values(raster), file["Experiments/__unnamed__/data"][:])
    assert raster.wavelengths is None  # its bands are times in ns
    small = Hdf5Loader()(folder / "hdf5" / "small_OK.hdf5")
    assert (small.rows, small.columns, small.bands) == (2, 2, 2)
    with pytest.raises(AmbiguousError, match=r"Slope \(50 × 35\), Red \(50 × 35\)"):
        Hdf5Loader()(folder / "netcdf" / "veris.nc")
    red = Hdf5Loader(variable="Red")(folder / "netcdf" / "veris.nc")
    assert everything(red)[1].sum() == 111
    with pytest.raises(AmbiguousError, match=r"blue\[0\],green\[0\]"):
        Hdf5Loader()(folder / "netcdf" / "PLANET_SCOPE_3D.nc")
    planet = Hdf5Loader(variable="blue[1],green[1]")(folder / "netcdf" / "PLANET_SCOPE_3D.nc")
    with h5py.File(folder / "netcdf" / "PLANET_SCOPE_3D.nc") as file:
        np.testing.assert_array_equal(values(planet)[:, :, 1], file["green"][1])
    assert planet.georeference.transform == (3, 0, 466266, 0, -3, 8084700)


def test_missing_pixels_of_scaled_arrays_become_holes(tmp_path):
    """-9999 in every band is a hole when there is a scale and no fill value, and is noted."""
    data = np.arange(10 * 4 * 3, dtype=np.int16).reshape(10, 4, 3)
    data[0, 1] = -9999
    data[3, 1, 2] = -9999
    raster = Hdf5Loader()(save(tmp_path, cube=(data, {"scale_factor": 1e-4})))
    expected = data * 1e-4
    expected[0, 1] = np.nan
    np.testing.assert_allclose(values(raster), expected, rtol=1e-6)
    assert raster.nodata == -9999
    (note,) = raster.notes
    assert "-9999 in every band" in note
    fill = {"scale_factor": 1e-4, "_FillValue": np.int16(-1)}
    for name, held in (("b.h5", {}), ("c.h5", fill)):
        plain = Hdf5Loader()(save(tmp_path, name, cube=(data, held)))
        assert np.isfinite(values(plain)).all()
        assert plain.notes == ()


def test_complex_numbers_are_named_with_what_to_do(tmp_path):
    """An array of complex numbers is told as such, whether it is asked for or found."""
    path = save(tmp_path, cube=np.ones((5, 5, 10), complex))
    for variable in (None, "cube"):
        with pytest.raises(ReadError, match=r"expected real numbers.*cube.*save their modulus"):
            Hdf5Loader(variable=variable)(path)


def test_comparable_axes_are_noted(tmp_path):
    """Names of axes or a clearly longer first axis silence the note about the last axis."""
    path = save(tmp_path, cube=np.ones((12, 14, 13), np.float32))
    (note,) = Hdf5Loader()(path).notes
    assert note == f"{path}: the last axis is taken as the bands; --band-axis 0 takes the first"
    assert Hdf5Loader(band_axis=2)(path).notes == ()
    with h5py.File(path, "r+") as file:
        for axis, name in enumerate(("y", "x", "band")):
            file["cube"].dims[axis].label = name
    assert Hdf5Loader()(path).notes == ()
