"""ICC profiles: the same picture in other numbers, with the colour engine of Pillow as oracle."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from gwtransfer.core.raster import Carried
from gwtransfer.io.layout import array_raster
from gwtransfer.io.pictures.iccmatrix import shaper
from gwtransfer.io.pictures.profile import cmyk_to_srgb, colour_space, fitting, in_profile

from .shared import cube, everything, picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
WIDE = ((0.6097559, 0.2052401, 0.1492240), (0.3111242, 0.6256560, 0.0632197),
        (0.0194811, 0.0608902, 0.7448387))  # fmt: skip
"""Rows X, Y, Z at D50 of the primaries of Adobe RGB (1998)."""


def made_profile(matrix, gamma: float, *, table: bool = False) -> bytes:
    """Return a profile of three equal curves and a matrix of D50 columns, as ICC 2 lays it out."""
    if table:
        values = np.rint(np.linspace(0, 1, 1024) ** gamma * 65535).astype(">u2")
        curve = b"curv" + bytes(4) + struct.pack(">I", 1024) + values.tobytes()
    else:
        curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)

    def xyz(x, y, z):
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))

    tags = {b"wtpt": xyz(0.9642, 1, 0.8249)}
    for k, letter in enumerate(b"rgb"):
        tags[bytes([letter]) + b"XYZ"] = xyz(*(row[k] for row in matrix))
        tags[bytes([letter]) + b"TRC"] = curve
    at, index, bodies = 132 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        index += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += body
    size = at + len(bodies)
    head = struct.pack(">I4sI", size, b"lcms", 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + struct.pack(">I", len(tags)) + index + bodies


def by_pillow(levels, source, target):
    """Return bytes converted by the oracle."""
    opened = [ImageCms.getOpenProfile(__import__("io").BytesIO(icc)) for icc in (source, target)]
    transform = ImageCms.buildTransform(
        *opened, "RGB", "RGB", renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    return np.asarray(transform.apply(Image.fromarray(levels)))


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_matrix_profiles_agree_with_the_oracle(table, back):
    """Numbers go to sRGB and back as the colour engine takes them, within its rounding."""
    wide = made_profile(WIDE, 2.2, table=table)
    raster = picture(40, 40)
    levels = np.rint(everything(raster)[0] * 255).astype(np.uint8)
    source, target = (SRGB, wide) if back else (wide, SRGB)
    raster = replace(raster, carried=Carried(icc=source, dpi=(1.0, 2.0)))
    changed = in_profile(raster, target)
    found = everything(changed)[0] * 255
    difference = np.abs(found - by_pillow(levels, source, target).astype(float))
    assert np.quantile(difference, 0.99) < 1
    assert difference.max() < 3
    assert np.abs(found - levels).max() > 10
    assert (changed.carried.icc, changed.carried.dpi) == (target, (1.0, 2.0))
    assert (found.min() >= 0, found.max() <= 255) == (True, True)


def test_there_and_back_again_is_exact():
    """What lies in both gamuts returns to its numbers to within single precision."""
    inner = array_raster(
        np.full((3, 2, 3), 0.4) + np.eye(3)[:, None] / 10, name="a", kind="picture"
    )
    wide = in_profile(inner, made_profile(WIDE, 2.2))
    again = in_profile(wide, None)
    np.testing.assert_allclose(everything(again)[0], everything(inner)[0], atol=1e-6)
    assert np.abs(everything(wide)[0] - everything(inner)[0]).max() > 0.01


def test_equal_and_equivalent_profiles_change_nothing():
    """The same profile is a no-op, and a profile that is sRGB in all but name keeps the numbers."""
    raster = picture()
    assert in_profile(raster, None) is raster
    named = replace(raster, carried=Carried(icc=SRGB))
    assert in_profile(named, SRGB) is named
    plain = in_profile(named, None)
    assert plain.carried.icc is None
    np.testing.assert_array_equal(everything(plain)[0], everything(raster)[0])


def test_grays_cubes_and_holes_are_left_alone():
    """Rasters without three colours come back as they are; holes stay holes."""
    wide = made_profile(WIDE, 2.2)
    for raster in (picture(bands=1), cube()):
        assert in_profile(raster, wide) is raster
    gray = wide[:16] + b"GRAY" + wide[20:]
    assert in_profile(coloured := picture(), gray) is coloured
    values = np.full((2, 2, 3), 0.5)
    values[0, 1, 2] = np.nan
    holey = array_raster(values, name="a", kind="picture")
    assert everything(in_profile(holey, wide))[1].tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("icc", [b"", b"no profile at all" * 20, SRGB[:200], LAB])
def test_a_profile_that_cannot_be_used_is_dropped_with_a_note(icc):
    """Garbage, a cut profile and one of another colour space leave the numbers, with a note."""
    raster = replace(picture(), name="a.png", carried=Carried(icc=icc))
    kept = in_profile(raster, None)
    np.testing.assert_array_equal(everything(kept)[0], everything(raster)[0])
    (note,) = kept.notes
    assert note.startswith("a.png: ")
    assert note.endswith("its numbers are kept")
    assert kept.carried.icc is None


def test_scene_light_keeps_its_numbers():
    """Light beyond white is not squeezed into a profile, and a note says so."""
    raster = replace(picture(), scene=True)
    kept = in_profile(raster, made_profile(WIDE, 2.2))
    np.testing.assert_array_equal(everything(kept)[0], everything(raster)[0])
    assert "beyond white" in kept.notes[0]


def test_colour_spaces_are_read_off_the_header():
    """A profile fits pictures of its number of colours; what is no profile fits none."""
    assert (colour_space(SRGB), colour_space(LAB), colour_space(b"x" * 500)) == ("RGB", "Lab", None)
    assert fitting(SRGB, 3) == SRGB
    assert fitting(SRGB, 1) is None
    assert fitting(None, 3) is None
    assert cmyk_to_srgb(np.zeros((1, 1, 4), dtype=np.uint8), SRGB) is None


def test_parametric_curves_are_understood():
    """The curves of the engine's own sRGB profile are the formula of sRGB and invert exactly."""
    found = shaper(SRGB)
    assert found is not None
    codes = np.linspace(0, 1, 50)[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(found.from_xyz(found.to_xyz(codes)), codes, atol=1e-5)
    np.testing.assert_allclose(found.to_xyz(codes[-1:]), [[0.9642, 1.0, 0.8249]], atol=1e-3)
    np.testing.assert_allclose(found.to_xyz(codes), shaper(None).to_xyz(codes), atol=1e-3)
