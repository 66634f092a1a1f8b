"""Which bands a text chooses."""

import numpy as np
import pytest

from gwtransfer.bandchoice import choose_bands
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import DataError, UsageError

WAVES = np.arange(400.0, 1000.0, 50.0)
"""12 bands, 400, 450, … 950 nm."""


def cube(*, wavelengths=WAVES, good=None, kind="cube", bands=12):
    return Raster(
        name="made", rows=1, columns=1, bands=bands, kind=kind, dtype="uint8",
        wavelengths=wavelengths, good=good,
        read=lambda start, stop: Rows(values=np.arange(1.0, bands + 1)[None, None]),
    )  # fmt: skip


def numbers(raster):
    """Return the numbers of the bands that are left, from 1."""
    return raster.read(0, 1).values[0, 0].astype(int).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("400-500nm", [1, 2, 3]),
        ("400nm-500nm", [1, 2, 3]),
        ("0.4-0.5um", [1, 2, 3]),
        ("0.4-0.5µm", [1, 2, 3]),
        ("900nm-", [11, 12]),
        ("-450nm", [1, 2]),
        ("630nm", [6]),
        ("400-449nm,900nm-", [1, 11, 12]),
        ("900nm-,400-449nm", [1, 11, 12]),
        ("1-3,7", [1, 2, 3, 7]),
        ("10-", [10, 11, 12]),
        ("-2", [1, 2]),
        ("1-3,2-4", [1, 2, 3, 4]),
        ("1,900nm-", [1, 11, 12]),
        ("all", list(range(1, 13))),
        (" 1 , 3 ", [1, 3]),
    ],
)
def test_what_a_text_chooses(text, expected):
    """Ranges by wavelength and by number are unions, in the file's order, ends included."""
    assert numbers(choose_bands(cube(), text)) == expected


@pytest.mark.parametrize(
    "text", ["", "x", "1..3", "400", "nm", "400-700 meters", "-", "3-1", "700-400nm", "1-2-3"]
)
def test_what_is_no_choice(text):
    """A text that is not understood is misuse; a number beyond the last band is the file's."""
    with pytest.raises(DataError if text == "400" else UsageError, match="--bands"):
        choose_bands(cube(), text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1-13", "expected bands 1 … 12"),
        ("0-3", "expected bands 1 … 12"),
        ("1500nm-", "no band there; they span 400 … 950 nm"),
        ("300nm", "no band there"),
    ],
)
def test_bands_the_file_has_not(text, words):
    """The refusal says what there is."""
    with pytest.raises(DataError, match=rf"^made: --bands {text}: .*{words}"):
        choose_bands(cube(), text)


def test_wavelengths_must_be_known():
    """A range in nm of a cube without wavelengths is refused with the other way to say it."""
    with pytest.raises(DataError, match="not known; choose by number, 1 … 12"):
        choose_bands(cube(wavelengths=None), "400-500nm")


def test_bad_bands_are_left_out_unless_asked_for():
    """Without a choice only good bands remain; a choice is taken at its word."""
    good = np.arange(12) > 2
    assert numbers(choose_bands(cube(good=good), None)) == list(range(4, 13))
    assert numbers(choose_bands(cube(good=good), "1-4")) == [1, 2, 3, 4]
    assert numbers(choose_bands(cube(good=good), "all")) == list(range(1, 13))
    with pytest.raises(DataError, match="calls all 12 bands bad"):
        choose_bands(cube(good=np.zeros(12, bool)), None)


def test_a_picture_has_no_bands_to_choose():
    """Red, green and blue stay together whatever is asked of the cube beside them."""
    picture = cube(wavelengths=None, kind="picture", bands=3)
    assert numbers(choose_bands(picture, "1")) == [1, 2, 3]
