"""Which axis holds the bands, and how arrays become rasters."""

import numpy as np
import pytest

from gwtransfer.errors import AmbiguousError, ReadError, UsageError
from gwtransfer.io.layout import (
    array_raster,
    find_band_axis,
    habit_note,
    upright,
    working_type,
)

from .shared import everything


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((95, 95, 156), 2), ((10, 20, 3), 2), ((3, 4, 5), 2), ((51, 88, 72), 2), ((9, 9, 9), 2)],
)
def test_the_last_axis_holds_the_bands_when_nothing_speaks_against_it(shape, axis):
    assert find_band_axis(shape, name="a") == axis


@pytest.mark.parametrize("shape", [(20, 95, 95), (5, 100, 200), (5, 200, 100)])
def test_a_short_first_axis_stops_with_both_readings(shape):
    with pytest.raises(AmbiguousError) as caught:
        find_band_axis(shape, name="a.npy")
    message = str(caught.value)
    assert message.startswith("a.npy: ")
    for words in ("--band-axis 0", "--band-axis 2", f"{shape[0]} bands", f"{shape[2]} bands"):
        assert words in message


def test_the_user_decides_before_the_wavelengths_and_these_before_the_rule():
    assert find_band_axis((20, 95, 95), name="a", wavelengths=20) == 0
    assert find_band_axis((20, 30, 40), name="a", wavelengths=30) == 1
    assert find_band_axis((20, 95, 95), name="a", wavelengths=20, band_axis=2) == 2
    assert find_band_axis((20, 95, 95), name="a", band_axis=-1) == 2
    with pytest.raises(AmbiguousError):
        find_band_axis((20, 95, 95), name="a", wavelengths=95)
    with pytest.raises(UsageError, match="--band-axis"):
        find_band_axis((3, 4, 5), name="a", band_axis=3)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_every_band_axis_gives_the_same_raster(axis):
    values = np.arange(4 * 3 * 5, dtype=np.int16).reshape(4, 3, 5)
    moved = np.moveaxis(values, -1, axis)
    raster = array_raster(moved, name="a", kind="cube", band_axis=axis)
    assert (raster.rows, raster.columns, raster.bands, raster.dtype) == (4, 3, 5, "int16")
    np.testing.assert_array_equal(everything(raster)[0], values)
    np.testing.assert_array_equal(raster.block(1, 3).points, values[1:3].reshape(-1, 5))


def test_infinite_values_and_transparent_pixels_are_not_valid():
    values = np.ones((2, 2, 4))
    values[0, 1, 2] = np.inf
    alpha = np.array([[1.0, 1.0], [0.0, 0.5]])
    raster = array_raster(values, name="a", kind="cube", alpha=alpha)
    assert raster.has_alpha
    assert everything(raster)[1].tolist() == [[True, False], [False, True]]


def test_working_types():
    expected = {"u1": "f4", "i2": "f4", "f2": "f4", ">f4": "f4", "i4": "f8", "u8": "f8", "f8": "f8"}
    assert {stored: working_type(np.dtype(stored)).str[1:] for stored in expected} == expected


def test_a_pixel_read_is_never_a_view_of_the_source():
    values = np.ones((2, 2, 3))
    array_raster(values, name="a", kind="cube").read(0, 2).values[:] = 7
    assert (values == 1).all()


def test_an_empty_array_is_refused():
    with pytest.raises(ReadError, match="0 × 3"):
        array_raster(np.zeros((0, 3)), name="a", kind="cube")


@pytest.mark.parametrize("orientation", range(9))
def test_orientations_are_those_of_pillow(orientation, tmp_path):
    from PIL import Image, ImageOps

    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    image = Image.fromarray(array)
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(upright(array, orientation), expected)


@pytest.mark.parametrize(
    ("shape", "noted"),
    [
        ((78, 90, 80), True), ((51, 88, 72), True), ((9, 9, 9), True), ((30, 20, 16), True),
        ((145, 145, 200), False), ((512, 217, 204), False), ((610, 340, 103), False),
        ((30, 20, 15), False), ((3, 5, 4), False), ((10, 20, 3), False),
    ],
)  # fmt: skip
def test_only_habit_is_noted(shape, noted):
    """Three comparable axes give a note; a last axis that is clearly the bands gives none."""
    assert find_band_axis(shape, name="a") == 2
    assert ("--band-axis 0" in habit_note(shape)) is noted
    assert habit_note(shape, band_axis=2) == ""


def test_a_number_of_wavelengths_is_more_than_habit():
    """Wavelengths that fit one axis silence the note, those that fit two do not."""
    assert habit_note((78, 90, 80), wavelengths=80) == ""
    assert habit_note((80, 90, 80), wavelengths=80) != ""
    assert habit_note((78, 90, 80), wavelengths=50) != ""
