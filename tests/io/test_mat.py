"""MATLAB files: finding the cube, its axes, its wavelengths."""

from contextlib import suppress

import numpy as np
import pytest
import scipy.io

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.arrays.mat import MatLoader

from .shared import DATA, everything, needs_data

CUBE = np.random.default_rng(2).normal(size=(7, 6, 9))
WAVES = np.linspace(400, 900, 9)


def save(folder, **variables):
    scipy.io.savemat(folder / "a.mat", variables, do_compression=True)
    return folder / "a.mat"


def test_the_one_cube_is_found_and_keeps_its_values(tmp_path):
    path = save(tmp_path, cube=CUBE, mask=np.ones((7, 6)), gt=np.ones((7, 6), np.uint8), note="x")
    assert MatLoader.claims(path)
    raster = MatLoader()(path)
    assert (raster.kind, raster.dtype, raster.wavelengths) == ("cube", "float64", None)
    np.testing.assert_array_equal(everything(raster)[0], CUBE)


@pytest.mark.parametrize(
    "name", ["wavelengths", "Wavelength", "wavlength", "wl", "lambda", "BANDS"]
)
def test_wavelengths_are_found_and_decide_the_axis(tmp_path, name):
    first = np.moveaxis(CUBE, -1, 0)
    raster = MatLoader()(save(tmp_path, cube=first, **{name: WAVES}))
    np.testing.assert_array_equal(everything(raster)[0], CUBE)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    raster = MatLoader()(save(tmp_path, cube=CUBE, **{name: WAVES / 1000}))
    np.testing.assert_allclose(raster.wavelengths, WAVES)


def test_wavelengths_decide_between_cubes(tmp_path):
    raster = MatLoader()(save(tmp_path, cube=CUBE, rgb=np.ones((7, 6, 3)), wl=WAVES))
    assert raster.bands == 9


@pytest.mark.parametrize(
    "names", [("lines", "cols"), ("nRow", "nCol"), ("H", "W"), ("rows", "columns")]
)
@pytest.mark.parametrize("transposed", [False, True])
def test_pixels_of_a_matrix_run_down_the_columns(tmp_path, names, transposed):
    matrix = CUBE.reshape(42, 9, order="F")
    variables = {"Y": matrix.T if transposed else matrix, names[0]: 7, names[1]: 6}
    raster = MatLoader()(save(tmp_path, **variables))
    np.testing.assert_array_equal(everything(raster)[0], CUBE)


def test_several_cubes_stop_and_can_be_chosen(tmp_path):
    path = save(tmp_path, one=CUBE, two=CUBE + 1, three=np.ones((5, 4)))
    with pytest.raises(AmbiguousError) as caught:
        MatLoader()(path)
    for words in ("one (7 × 6 × 9)", "two (7 × 6 × 9)", "--variable NAME"):
        assert words in str(caught.value)
    np.testing.assert_array_equal(everything(MatLoader(variable="two")(path))[0], CUBE + 1)
    assert MatLoader(variable="three")(path).bands == 1
    with pytest.raises(ReadError, match=r"'four', found one \(7"):
        MatLoader(variable="four")(path)


def test_structs_are_looked_into(tmp_path):
    path = save(
        tmp_path, hsi={"Data": CUBE, "info": {"wavelength": WAVES}, "RGB": np.ones((7, 6, 3))}
    )
    raster = MatLoader()(path)
    np.testing.assert_array_equal(everything(raster)[0], CUBE)
    np.testing.assert_allclose(raster.wavelengths, WAVES)
    assert MatLoader(variable="hsi.RGB")(path).bands == 3


def test_nothing_usable_is_said(tmp_path):
    with pytest.raises(ReadError, match="three axes, found no numeric"):
        MatLoader()(save(tmp_path, note="hello"))
    with pytest.raises(ReadError, match="complex128"):
        MatLoader()(save(tmp_path, cube=CUBE + 1j))


def test_an_ambiguous_axis_stops(tmp_path):
    path = save(tmp_path, cube=np.ones((3, 20, 20)))
    with pytest.raises(AmbiguousError, match="--band-axis 0"):
        MatLoader()(path)
    assert MatLoader(band_axis=0)(path).bands == 3


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kept", [20, 130, 140, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, compressed, kept):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"cube": CUBE}, do_compression=compressed)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ReadError) as caught:
        MatLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_files_never_raise_anything_else(tmp_path, seed):
    path = save(tmp_path, cube=CUBE, hsi={"wavelength": WAVES})
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 6):
        content[place] ^= 1 << rng.integers(8)
    path.write_bytes(content)
    with suppress(ReadError, AmbiguousError):
        assert everything(MatLoader()(path))[0].size > 0


def test_junk_is_named_and_version_7_3_is_left_to_hdf5(tmp_path):
    """A file that only is called .mat is refused; version 7.3 has another loader."""
    path = tmp_path / "a.mat"
    path.write_bytes(b"this is text that says nothing about MATLAB at all")
    assert MatLoader.claims(path)
    with pytest.raises(ReadError, match="truncated or broken"):
        MatLoader()(path)
    signature = b"\x89HDF\r\n\x1a\n"
    for content in (b"MATLAB 7.3 MAT-file".ljust(512) + signature, signature + bytes(600)):
        path.write_bytes(content)
        assert not MatLoader.claims(path)
        with pytest.raises(ReadError, match="leave out --load mat"):
            MatLoader()(path)
    assert not MatLoader.claims(tmp_path / "a.png")


def test_a_guessed_unit_is_said(tmp_path):
    """Wavelengths without a unit come with a note of what they were taken for."""
    raster = MatLoader()(save(tmp_path, cube=CUBE, wl=WAVES / 1000))
    assert raster.notes == (f"{raster.name}: the wavelengths have no unit; taken as µm",)
    (note,) = MatLoader()(save(tmp_path, cube=CUBE)).notes
    assert "the last axis is taken as the bands" in note


@needs_data
def test_real_files():
    folder = DATA / "hyperspectral" / "mat"
    for name, shape in (("sub-51x88x72", (51, 88, 72)), ("class-31x20x72", (31, 20, 72))):
        raster = MatLoader()(folder / f"muufl-{name}.mat")
        assert (raster.rows, raster.columns, raster.bands) == shape
        assert raster.wavelengths[0] == pytest.approx(367.7)
    with pytest.raises(AmbiguousError, match=r"S_GT \(95 × 95 × 3\), Y \(156 × 9025\)"):
        MatLoader()(folder / "Samson.mat")
