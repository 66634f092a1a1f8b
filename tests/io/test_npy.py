"""NumPy files: read by rows, streamed, and never unpickled."""

import io

import numpy as np
import pytest

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io import npy
from gwtransfer.io.arrays import chunkrows
from gwtransfer.io.npy import NpyLoader, NpyWriter

from .shared import DATA, cube, everything, needs_data, picture, round_trip


@pytest.mark.parametrize("made", [cube(), cube(holes=True), cube(bands=3, holes=True)])
def test_cube_round_trip(tmp_path, made):
    round_trip(NpyWriter(), NpyLoader(), made, tmp_path, ".npy")
    stored = np.load(tmp_path / "one.npy")
    assert (stored.dtype, stored.shape) == (np.float32, (made.rows, made.columns, made.bands))


@pytest.mark.parametrize("bands", [1, 3])
def test_picture_round_trip(tmp_path, bands):
    round_trip(NpyWriter(), NpyLoader(), picture(bands=bands), tmp_path, ".npy")


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.full((4, 5, 3), 255, np.uint8), "picture"), (np.full((4, 5), 255, np.uint8), "picture"),
        (np.ones((4, 5, 3)), "picture"), (np.ones((4, 5), np.float16), "picture"),
        (np.full((4, 5, 3), 1.1), "cube"), (np.full((4, 5, 3), np.nan), "cube"),
        (np.ones((4, 5, 4)), "cube"), (np.ones((4, 5, 3), np.uint16), "cube"),
    ],
)  # fmt: skip
def test_what_is_a_picture(tmp_path, array, kind):
    np.save(tmp_path / "a.npy", array)
    raster = NpyLoader()(tmp_path / "a.npy")
    assert raster.kind == kind
    expected = 1.0 if kind == "picture" else float(array.flat[0])
    np.testing.assert_allclose(everything(raster)[0], np.full((4, 5, raster.bands), expected))


@pytest.mark.parametrize("order", ["C", "F"])
def test_orders_and_axes(tmp_path, order):
    array = np.asarray(np.random.default_rng(0).normal(size=(4, 50, 60)), order=order)
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(AmbiguousError, match="--band-axis 0"):
        NpyLoader()(tmp_path / "a.npy")
    raster = NpyLoader(band_axis=0)(tmp_path / "a.npy")
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", [0, 1, 2, None])
@pytest.mark.parametrize("small", [False, True])
def test_windows_of_every_order(tmp_path, monkeypatch, order, axis, small):
    """Any window has the values of the array in either order and with the bands on any axis."""
    if small:
        monkeypatch.setattr(npy, "FORTRAN_BYTES", 200)
        monkeypatch.setattr(chunkrows, "PIECE_BYTES", 300)
        monkeypatch.setattr(chunkrows, "MEMORY_BYTES", 0)
    shape = (17, 13) if axis is None else (17, 13, 11)
    array = np.asarray(np.random.default_rng(0).normal(size=shape).astype(">f4"), order=order)
    np.save(tmp_path / "a.npy", array)
    seen = array[:, :, None] if axis is None else np.moveaxis(array, axis, -1)
    raster = NpyLoader(band_axis=axis)(tmp_path / "a.npy")
    for start, stop in ((0, seen.shape[0]), (3, 4), (5, 11), (0, 2), (10, seen.shape[0])):
        np.testing.assert_array_equal(raster.read(start, stop).values, seen[start:stop])


def saved(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


BROKEN = {
    "objects": (saved(np.array([[{}]], dtype=object), allow_pickle=True), "Python objects"),
    "complex": (saved(np.ones((2, 2), complex)), "complex128; save its modulus"),
    "text": (saved(np.array([["a"]])), "<U1"),
    "bool": (saved(np.ones((2, 2), bool)), "bool; save it as uint8"),
    "record": (saved(np.zeros((2, 2), [("a", "f4")])), "real numbers"),
    "one axis": (saved(np.ones(4)), "1 axes: 4"),
    "four axes": (saved(np.ones((2, 2, 2, 2))), "4 axes: 2 × 2 × 2 × 2"),
    "no pixels": (saved(np.ones((0, 4))), "0 × 4"),
    "truncated": (saved(np.ones((20, 20)))[:-8], "truncated"),
    "cut header": (saved(np.ones((20, 20)))[:40], "found"),
    "bad header": (saved(np.ones((20, 20))).replace(b"descr", b"dexcr"), "found"),
    "not npy": (b"hello", "expected a .npy file"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, defect):
    content, words = BROKEN[defect]
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        NpyLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_claims(tmp_path):
    (tmp_path / "a").write_bytes(saved(np.ones(3)))
    assert NpyLoader.claims(tmp_path / "a")
    assert not NpyLoader.claims(tmp_path)


@needs_data
def test_a_real_cube():
    raster = NpyLoader()(DATA / "hyperspectral" / "npy" / "Indian_pines_corrected.npy")
    assert (raster.kind, raster.rows, raster.columns, raster.bands) == ("cube", 145, 145, 200)
    assert everything(raster)[0].max() == 9604


def test_a_picture_may_have_holes(tmp_path):
    """Values in [0, 1] beside NaN are a picture whose NaN pixels are not valid."""
    array = np.full((4, 5, 3), 0.5)
    array[1, 2] = np.nan
    np.save(tmp_path / "a.npy", array)
    raster = NpyLoader()(tmp_path / "a.npy")
    assert raster.kind == "picture"
    assert raster.block(0, 4).valid.sum() == 19


def test_comparable_axes_are_noted(tmp_path):
    """The file is named in the note for 12 × 14 × 13, and what the user said needs no note."""
    path = tmp_path / "a.npy"
    np.save(path, np.ones((12, 14, 13), np.float32))
    assert NpyLoader()(path).notes == (
        f"{path}: the last axis is taken as the bands; --band-axis 0 takes the first",
    )
    assert NpyLoader(band_axis=2)(path).notes == ()
    np.save(path, np.ones((14, 14, 20), np.float32))
    assert NpyLoader()(path).notes == ()
