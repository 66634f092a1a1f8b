"""Folders and patterns of images that are one band each."""

import subprocess
import sys

import numpy as np
import pytest
import rasterio
import tifffile
from PIL import Image
from rasterio.transform import Affine

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.bands.folder import BandsLoader

from .shared import DATA, everything, needs_data

RNG = np.random.default_rng(4)


def numbers(*shape: int, dtype: str = "u1") -> np.ndarray:
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def save(path, array):
    if path.suffix.lower() in (".tif", ".tiff"):
        tifffile.imwrite(path, array, photometric="minisblack" if array.ndim == 2 else "rgb")
    else:
        Image.fromarray(array).save(path)


def fill(folder, names, *, dtype="u1", rows=6):
    array = numbers(rows, 7, len(names), dtype=dtype)
    for index, name in enumerate(names):
        save(folder / name, array[:, :, index])
    return array


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [(".png", "u1"), (".png", "u2"), (".tif", "u1"), (".TIFF", "u2"), (".bmp", "u1")],
)
def test_each_file_is_a_band_in_stored_units(tmp_path, suffix, dtype):
    """Values are those stored, in the stored type's range, whole and by windows, 2 before 10."""
    names = [f"scene_{index}{suffix}" for index in (1, 2, 10, 11)]
    array = fill(tmp_path, names, dtype=dtype)
    array[0, 0] = 0
    array[0, 1] = np.iinfo(dtype).max
    for index, name in enumerate(names):
        save(tmp_path / name, array[:, :, index])
    for path in (tmp_path, tmp_path / f"*{suffix}", tmp_path / "scene_[0-9]*"):
        assert BandsLoader.claims(path)
        raster = BandsLoader()(path)
        assert (raster.kind, raster.dtype, raster.bands) == ("cube", np.dtype(dtype).name, 4)
        assert raster.name == str(path)
        assert (raster.wavelengths, raster.notes) == (None, ())
        np.testing.assert_array_equal(everything(raster)[0], array)
        np.testing.assert_array_equal(raster.read(2, 5).values, array[2:5])


def test_numbered_names_are_no_wavelengths(tmp_path):
    """Names that only count, as those of the CAVE scenes, give no wavelengths."""
    fill(tmp_path, [f"beads_ms_{index:02d}.png" for index in range(1, 32)], dtype="u2")
    raster = BandsLoader()(tmp_path)
    assert (raster.bands, raster.wavelengths, raster.notes) == (31, None, ())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["img_1000nm.png", "img_450nm.png"], [450, 1000]),
        (["B_0450.5nm.png", "B_0450.25nm.png"], [450.25, 450.5]),
        (["1_700nm.png", "2_650 NM.png"], [650, 700]),
        (["450nm_fwhm_10nm.png", "550nm_fwhm_10nm.png"], [450, 550]),
        (["a450nm.png", "b.png"], None),
        (["a450nmx.png", "b550nmx.png"], None),
    ],
)
def test_names_that_say_nm_give_wavelengths(tmp_path, names, expected):
    """Wavelengths come from names when each says one, and the bands are then in their order."""
    array = fill(tmp_path, names)
    raster = BandsLoader()(tmp_path)
    assert raster.notes == ()
    if expected is None:
        assert raster.wavelengths is None
        return
    np.testing.assert_allclose(raster.wavelengths, expected, rtol=1e-12)
    turned = any(str(expected[0]) in name for name in names[1:])
    np.testing.assert_array_equal(everything(raster)[0], array[:, :, ::-1] if turned else array)


def test_names_that_say_one_wavelength_twice_are_not_believed(tmp_path):
    """Two bands of one wavelength are noted and neither is used."""
    fill(tmp_path, ["a_450nm.png", "b_450nm.png"])
    raster = BandsLoader()(tmp_path)
    assert raster.wavelengths is None
    assert "one wavelength in nm each" in raster.notes[0]


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("450\n550.5\n650\n", [450, 550.5, 650], "those of wavelengths.txt"),
        ("0.45\n0.55\n0.65\n", [450, 550, 650], "those of wavelengths.txt"),
        ("450\n550\n", None, "2 numbers for 3 bands"),
        ("band 1: 450\n550\n650\n", None, "expected one number a line"),
        ("1\n2\n3\n", None, "left out"),
    ],
)
def test_a_table_beside_the_files_gives_wavelengths_with_a_note(tmp_path, text, expected, words):
    """A table of one number a line is used when it fits, and the notes say what became of it."""
    fill(tmp_path, ["a1.png", "a2.png", "a3.png"])
    (tmp_path / "wavelengths.txt").write_text(text)
    for path in (tmp_path, tmp_path / "*.png"):
        raster = BandsLoader()(path)
        assert words in " ".join(raster.notes)
        if expected is None:
            assert raster.wavelengths is None
        else:
            np.testing.assert_allclose(raster.wavelengths, expected, rtol=1e-12)


def test_what_is_not_of_the_most_frequent_format_is_left_out_with_a_note(tmp_path):
    """A preview of another format and texts are named in a note and not read."""
    array = fill(tmp_path, ["a1.png", "a2.png", "a3.png"])
    save(tmp_path / "preview.bmp", numbers(20, 20, 3))
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    raster = BandsLoader()(tmp_path)
    assert raster.notes == (f"{tmp_path}: left out: Thumbs.db, preview.bmp",)
    np.testing.assert_array_equal(everything(raster)[0], array)


def test_gray_stored_as_rgb_counts_as_gray_with_a_note(tmp_path):
    """Three equal channels, and an alpha that is opaque, are one band, and notes say so."""
    array = fill(tmp_path, ["a1.png", "a2.png", "a3.png"])
    Image.fromarray(np.repeat(array[:, :, 1:2], 3, axis=2)).save(tmp_path / "a2.png")
    opaque = np.repeat(array[:, :, 2:], 4, axis=2)
    opaque[:, :, 3] = 255
    Image.fromarray(opaque).save(tmp_path / "a3.png")
    raster = BandsLoader()(tmp_path)
    assert "three channels are equal" in raster.notes[0]
    assert "opaque" in raster.notes[1]
    np.testing.assert_array_equal(everything(raster)[0], array)


def place(path, array, *, column=0.0, nodata=None, wavelength=None):
    with rasterio.open(
        path, "w", driver="GTiff", width=array.shape[1], height=array.shape[0], count=1,
        dtype=array.dtype, crs="EPSG:32631", transform=Affine(10, 0, column, 0, -10, 0),
        nodata=nodata,
    ) as out:  # fmt: skip
        out.write(array, 1)
        if wavelength is not None:
            out.update_tags(1, wavelength=str(wavelength), wavelength_units="nm")


def test_maps_keep_their_place_their_holes_and_their_wavelengths(tmp_path):
    """Bands with georeference keep it when all agree; nodata is a hole; tags give wavelengths."""
    array = numbers(6, 7, 2, dtype="u2")
    array[1, 2, 0] = 0
    array[3] = 7
    for band in range(2):
        data = array[:, :, band]
        place(tmp_path / f"B{band}.tif", data, nodata=0, wavelength=500 + band)
    raster = BandsLoader()(tmp_path)
    assert raster.georeference is not None
    assert raster.georeference.transform == (10, 0, 0, 0, -10, 0)
    assert raster.may_have_holes
    np.testing.assert_allclose(raster.wavelengths, [500, 501])
    expected = np.where(array == 0, np.nan, array.astype(float))
    np.testing.assert_array_equal(everything(raster)[0], expected)
    place(tmp_path / "B1.tif", array[:, :, 1], column=5)
    raster = BandsLoader()(tmp_path)
    assert raster.georeference is None
    assert "different places" in " ".join(raster.notes)


@pytest.mark.parametrize("tall", [False, True])
def test_large_bands_go_through_a_temporary_file(tmp_path, monkeypatch, tall):
    """Bands that do not fit into memory give the same values, and no file is left behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr("gwtransfer.io.tiff.decodedcache.MEMORY_BYTES", 0)
    monkeypatch.setattr("gwtransfer.io.bands.folder.STEP_VALUES", 10)
    if tall:
        monkeypatch.setattr("gwtransfer.io.bands.folder.TALL_BYTES", 0)
    folder = tmp_path / "bands"
    folder.mkdir()
    array = numbers(6, 7, 3, dtype="u2")
    for index in range(3):
        path = folder / f"{index}.tif"
        tifffile.imwrite(path, array[:, :, index], photometric="minisblack", compression="deflate")
    raster = BandsLoader()(folder)
    np.testing.assert_array_equal(raster.read(1, 6).values, array[1:])
    assert list(scratch.iterdir()) == []


def test_a_full_disk_is_told_before_work_begins(tmp_path, monkeypatch):
    """Where the temporary folder is too small the message says how much is needed and TMPDIR."""
    monkeypatch.setattr("gwtransfer.io.tiff.decodedcache.MEMORY_BYTES", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    fill(tmp_path, ["a1.png", "a2.png"])
    with pytest.raises(ReadError, match=r"expected 84 bytes of room.*found 10; set TMPDIR"):
        BandsLoader()(tmp_path)


ODD = {
    "size": (numbers(9, 7), r"b\.png: expected 6 × 7 pixels like a1\.png, found 9 × 7"),
    "type": (numbers(6, 7, dtype="u2"), r"b\.png: expected uint8 like a1\.png, found uint16"),
    "colours": (numbers(6, 7, 3), r"b\.png: expected one band an image, found pictures of 3"),
    "alpha": (numbers(6, 7, 4), r"b\.png: expected opaque pixels"),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_file_unlike_the_others_is_named(tmp_path, kind):
    """The odd file of a folder is refused by its name, with what it should have been."""
    array, words = ODD[kind]
    fill(tmp_path, ["a1.png", "a2.png"])
    save(tmp_path / "b.png", array)
    with pytest.raises(ReadError, match=words) as caught:
        BandsLoader()(tmp_path)
    assert "\n" not in str(caught.value)


def test_frames_of_a_film_are_not_bands(tmp_path):
    """A folder of colour pictures says which command takes several pictures."""
    for index in range(3):
        save(tmp_path / f"{index}.png", numbers(6, 7, 3))
    with pytest.raises(ReadError, match=r"pictures of 3 bands; `gwtransfer apply`"):
        BandsLoader()(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", None])
def test_a_broken_band_is_named(tmp_path, content):
    """An empty file is no image and left out; one that is cut is refused by its name."""
    fill(tmp_path, ["a1.png", "a2.png", "a3.png"])
    whole = (tmp_path / "a2.png").read_bytes()
    (tmp_path / "a2.png").write_bytes(whole[: len(whole) // 2] if content is None else content)
    if content == b"":
        assert BandsLoader()(tmp_path).notes == (f"{tmp_path}: left out: a2.png",)
        return
    with pytest.raises(ReadError, match=r"a2\.png") as caught:
        BandsLoader()(tmp_path)
    assert "\n" not in str(caught.value)


def test_pages_inside_a_file_are_not_bands_of_a_folder(tmp_path):
    """A stack among single bands is refused by its name."""
    fill(tmp_path, ["a1.tif", "a2.tif"])
    tifffile.imwrite(tmp_path / "b.tif", numbers(4, 6, 7), photometric="minisblack")
    with pytest.raises(ReadError, match=r"b\.tif: expected one band an image, found 4"):
        BandsLoader()(tmp_path)


def test_equally_many_of_two_formats_stop(tmp_path):
    """Two PNG and two TIFF files ask for a pattern."""
    fill(tmp_path, ["a1.png", "a2.png", "a1.tif", "a2.tif"])
    with pytest.raises(AmbiguousError, match="pattern"):
        BandsLoader()(tmp_path)


def test_what_is_no_set_of_bands_is_not_claimed(tmp_path):
    """Neither files, nor folders of fewer than two images, nor Zarr folders are claimed."""
    assert not BandsLoader.claims(tmp_path)
    assert not BandsLoader.claims(tmp_path / "missing")
    assert not BandsLoader.claims(tmp_path / "*.png")
    assert not BandsLoader.claims(tmp_path / "missing" / "*.png")
    save(tmp_path / "a.png", numbers(6, 7))
    (tmp_path / "b.png").write_bytes(b"no image")
    assert not BandsLoader.claims(tmp_path)
    assert not BandsLoader.claims(tmp_path / "a.png")
    save(tmp_path / "c.png", numbers(6, 7))
    assert BandsLoader.claims(tmp_path)
    (tmp_path / "zarr.json").write_text("{}")
    assert not BandsLoader.claims(tmp_path)
    with pytest.raises(ReadError, match="at least two images"):
        BandsLoader()(tmp_path / "a.png")


def test_brackets_in_the_name_of_a_folder_are_letters(tmp_path):
    """A pattern inside a folder whose own name has brackets finds the files there."""
    folder = tmp_path / "run [1]"
    folder.mkdir()
    array = fill(folder, ["a1.png", "a2.png"])
    assert BandsLoader.claims(folder)
    np.testing.assert_array_equal(everything(BandsLoader()(folder / "*.png"))[0], array)


def test_a_pattern_may_name_folders(tmp_path):
    """A pattern whose folders vary takes one band from each."""
    array = numbers(6, 7, 3)
    for index in range(3):
        (tmp_path / f"{index}").mkdir()
        save(tmp_path / f"{index}" / "band.png", array[:, :, index])
    raster = BandsLoader()(tmp_path / "*" / "band.png")
    np.testing.assert_array_equal(everything(raster)[0], array)


def test_claiming_loads_no_heavy_library():
    """Looking at a folder imports neither rasterio nor tifffile nor any decoder."""
    script = """
import sys, pathlib
from gwtransfer.io.bands.folder import BandsLoader
BandsLoader.claims(pathlib.Path(sys.executable).parent)
heavy = {"rasterio", "tifffile", "imageio", "PIL", "OpenImageIO", "h5py", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@needs_data
def test_samson_as_pngs_is_samson_as_envi():
    """The bands written as 16-bit PNG are those of the ENVI cube, negatives clipped, exactly."""
    raster = BandsLoader()(DATA / "derived" / "samson_png_31")
    assert (raster.rows, raster.columns, raster.bands, raster.dtype) == (95, 95, 31, "uint16")
    with rasterio.open(DATA / "hyperspectral" / "envi" / "samson_1.img") as file:
        cube = np.clip(file.read(), 0, None)
    values = everything(raster)[0]
    for band in range(31):
        found = (cube == values[:, :, band]).all(axis=(1, 2))
        assert found.sum() == 1
