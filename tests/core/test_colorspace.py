"""Colour spaces against their definitions and against themselves."""

import numpy as np
import pytest

from gwtransfer.core.colorspace import (
    coordinates_of,
    encoded,
    from_space,
    in_gamut,
    linear,
    luminance_direction,
    neutral,
    space_of,
    to_space,
    with_lightness,
)

SPACES = ("srgb", "linear", "oklab", "lab")
RED, GREEN, BLUE, WHITE, BLACK = [*np.eye(3).tolist(), [1, 1, 1], [0, 0, 0]]


def colours(count=500, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, (count, 3))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("bands", [1, 3])
def test_there_and_back(space, bands):
    """Every colour returns, those a screen cannot show included."""
    given = colours(low=-0.3, high=1.6)[:, :bands]
    assert np.abs(from_space(to_space(given, space), space) - given).max() < 1e-12


@pytest.mark.parametrize(
    ("space", "colour", "expected"),
    [
        # CIE L*a*b* of the primaries of sRGB under D65 (IEC 61966-2-1), to two digits.
        ("lab", RED, (53.24, 80.09, 67.20)),
        ("lab", GREEN, (87.73, -86.18, 83.18)),
        ("lab", BLUE, (32.30, 79.19, -107.86)),
        ("lab", WHITE, (100.0, 0.0, 0.0)),
        ("lab", BLACK, (0.0, 0.0, 0.0)),
        # OKLab of the primaries as its author lists them, to three digits.
        ("oklab", RED, (0.628, 0.225, 0.126)),
        ("oklab", GREEN, (0.866, -0.234, 0.179)),
        ("oklab", BLUE, (0.452, -0.032, -0.312)),
        ("oklab", WHITE, (1.0, 0.0, 0.0)),
        ("linear", (0.5, 0.04045, 1.0), (0.2140, 0.0031308, 1.0)),
    ],
)
def test_known_colours(space, colour, expected):
    """The primaries lie where the standards put them."""
    found = to_space(np.array([colour], dtype=float), space)[0]
    tolerance = {"lab": 0.02, "oklab": 6e-4, "linear": 5e-5}[space]
    assert np.abs(found - expected).max() < tolerance


def test_the_curve_of_srgb_is_odd_and_rises():
    """Linear light is the inverse of the code, odd, and strictly increasing beyond [0, 1] too."""
    code = np.linspace(-2, 3, 1001)
    light = linear(code)
    assert (np.diff(light) > 0).all()
    assert np.abs(linear(-code) + light).max() == 0
    assert np.abs(encoded(light) - code).max() < 1e-12


@pytest.mark.parametrize("space", SPACES)
def test_a_gray_has_the_brightness_of_its_neutral_colour(space):
    """One band and three equal bands are the same brightness, and `neutral` goes back."""
    gray = np.linspace(0, 1, 50)[:, None]
    direct = to_space(gray, space) @ luminance_direction(1, space)
    through = to_space(np.repeat(gray, 3, axis=1), space) @ luminance_direction(3, space)
    assert np.abs(direct - through).max() < 1e-5 * max(1, np.abs(direct).max())
    assert np.abs(neutral(direct, 3, space) - gray).max() < 1e-12


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("space", SPACES)
def test_names_of_coordinates_lead_back(space, bands):
    """What is recorded in a plan tells the space again, and a cube's coordinates tell none."""
    assert space_of(coordinates_of(bands, space)) == space
    assert space_of("bands") is None
    assert space_of("xyz") is None


def test_lightness_is_set_and_hue_kept():
    """A colour of another lightness has exactly it, within [0, 1], at no other hue."""
    given = colours()
    wanted = np.random.default_rng(1).uniform(0.02, 0.98, len(given))
    made = with_lightness(given, wanted)
    assert made.min() >= 0
    assert made.max() <= 1
    before, after = to_space(given, "oklab"), to_space(made, "oklab")
    assert np.abs(after[:, 0] - wanted).max() < 1e-6
    turned = before[:, 1] * after[:, 2] - before[:, 2] * after[:, 1]
    size = np.hypot(*before[:, 1:].T) * np.hypot(*after[:, 1:].T)
    assert np.abs(turned).max() < 1e-5
    assert (before[:, 1:] * after[:, 1:]).sum(axis=1).min() > -1e-9
    assert size.max() > 0.01


def test_colours_a_screen_shows_are_not_touched_by_the_gamut():
    """Inside the gamut nothing changes; outside the chroma is the largest that fits."""
    given = colours()
    assert np.abs(in_gamut(to_space(given, "oklab")) - given).max() < 1e-9
    far = np.array([[0.6, 0.5, 0.0]])
    shown = to_space(in_gamut(far), "oklab")[0]
    assert abs(shown[0] - 0.6) < 1e-6
    more = from_space(np.array([[0.6, shown[1] * 1.002, shown[2]]]), "oklab")
    assert more.max() > 1 or more.min() < 0
