"""Colour spaces of pictures: sRGB, linear light, CIE L*a*b* and OKLab.

Single floats stay single; anything else becomes double.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
ColorSpace = Literal["srgb", "linear", "oklab", "lab"]

REC709 = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in the luminance of Rec. 709."""

_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ, white D65 (IEC 61966-2-1)."""

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
"""Linear sRGB to the cone responses of OKLab (Ottosson 2020)."""

_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Cube roots of the cone responses to L, a, b."""

_LAB = np.array([[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]])
_BLACK = np.array([16.0, 0.0, 0.0])
_KNEE = 6 / 29

GAMUT_STEPS = 20
"""Halvings in the search for the largest chroma a screen shows: exact to a millionth of it."""


def linear(encoded: Floats) -> Floats:
    """Return linear light of sRGB-encoded values; odd, and defined beyond [0, 1]."""
    values = _floats(encoded)
    size = np.abs(values)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.copysign(light, values)


def encoded(light: Floats) -> Floats:
    """Return sRGB-encoded values of linear light; odd, and defined beyond [0, 1]."""
    values = _floats(light)
    size = np.abs(values)
    code = np.where(size <= 0.0031308, size * 12.92, 1.055 * size ** (1 / 2.4) - 0.055)
    return np.copysign(code, values)


def to_space(colours: Floats, space: ColorSpace) -> Floats:
    """Express sRGB-encoded colours (N, 3), or grays (N, 1), in a colour space.

    A gray keeps one coordinate: its linear light, or its lightness L.
    """
    values = _floats(colours)
    if space == "srgb":
        return values
    light = linear(values)
    if space == "linear":
        return light
    if values.shape[1] == 1:
        return np.cbrt(light) if space == "oklab" else 116 * _lab_root(light) - 16
    if space == "oklab":
        return _times(np.cbrt(_times(light, _CONES)), _OKLAB)
    lab = _times(_lab_root(_times(light, _XYZ / _XYZ.sum(axis=1)[:, None])), _LAB)
    return np.asarray(lab - _BLACK.astype(lab.dtype))


def from_space(points: Floats, space: ColorSpace) -> Floats:
    """Return the sRGB-encoded colours (N, 3), or grays (N, 1), of points in a colour space.

    Values leave [0, 1] where a screen has no such colour.
    """
    place = _floats(points)
    if space == "srgb":
        return place
    if space == "linear":
        return encoded(place)
    if place.shape[1] == 1:
        return encoded(place**3 if space == "oklab" else _lab_power((place + 16) / 116))
    if space == "oklab":
        return encoded(_times(_times(place, np.linalg.inv(_OKLAB)) ** 3, np.linalg.inv(_CONES)))
    roots = _times(place + _BLACK.astype(place.dtype), np.linalg.inv(_LAB))
    return encoded(_times(_lab_power(roots), np.linalg.inv(_XYZ) * _XYZ.sum(axis=1)))


def _floats(values: Floats) -> Floats:
    return np.asarray(values, dtype=np.float32 if values.dtype == np.float32 else np.float64)


def _times(points: Floats, matrix: Array) -> Floats:
    """Return a matrix's products with points (N, 3), in the points' precision."""
    return np.asarray(points @ matrix.T.astype(points.dtype))


def _lab_root(values: Floats) -> Floats:
    return np.where(values > _KNEE**3, np.cbrt(values), values / (3 * _KNEE**2) + 4 / 29)


def _lab_power(roots: Floats) -> Floats:
    return np.where(roots > _KNEE, roots**3, 3 * _KNEE**2 * (roots - 4 / 29))


def luminance_direction(bands: int, space: ColorSpace) -> Array:
    """Return the weights (bands,) that turn a point of a colour space into its brightness."""
    if bands == 1:
        return np.ones(1)
    return np.array((1.0, 0.0, 0.0) if space in ("oklab", "lab") else REC709)


def with_lightness(colours: Array, lightness: Array) -> Array:
    """Return sRGB-encoded colours (N, 3) of given lightness (N,) in OKLab, their hue kept.

    Where a screen has no such colour its chroma is lowered until it has; the lightness stays.
    """
    points = np.array(to_space(colours, "oklab"), dtype=np.float64)
    points[:, 0] = lightness
    return in_gamut(points)


def in_gamut(points: Array) -> Array:
    """Return sRGB-encoded colours in [0, 1] of OKLab points (N, 3), less chromatic where needed."""
    points = points.copy()
    points[:, 0] = np.clip(points[:, 0], 0, 1)
    colours = np.asarray(from_space(points, "oklab"), dtype=np.float64)
    outside = np.flatnonzero(((colours < 0) | (colours > 1)).any(axis=1))
    if outside.size:
        far = points[outside]
        low, high = np.zeros(outside.size), np.ones(outside.size)
        for _ in range(GAMUT_STEPS):
            middle = (low + high) / 2
            tried = from_space(far * np.stack([np.ones_like(middle), middle, middle], 1), "oklab")
            fits = ((tried >= -1e-9) & (tried <= 1 + 1e-9)).all(axis=1)
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        far = far * np.stack([np.ones_like(low), low, low], axis=1)
        colours[outside] = from_space(far, "oklab")
    return np.clip(colours, 0.0, 1.0)


def coordinates_of(bands: int, space: ColorSpace) -> str:
    """Name the coordinates of a picture's points in a colour space, as `Space` records them."""
    if bands == 3:
        return space
    return "gray" if space == "srgb" else f"gray {space}"


def space_of(coordinates: str) -> ColorSpace | None:
    """Return the colour space of recorded coordinates; None when they are not a picture's."""
    name = coordinates.removeprefix("gray").strip() or "srgb"
    for space in get_args(ColorSpace):
        if name == space:
            return space  # type: ignore[no-any-return]  # it comes out of the Literal
    return None


def neutral(luminance: Floats, bands: int, space: ColorSpace) -> Floats:
    """Return the sRGB-encoded gray (N, bands) of a brightness (N,) told in a colour space."""
    gray = from_space(luminance[:, None], space)
    return np.repeat(gray, bands, axis=1)


def to_coordinates(values: Floats, coordinates: str) -> Floats:
    """Return a raster's values (N, d) as points in recorded coordinates; a cube's stay."""
    space = space_of(coordinates)
    return _floats(values) if space is None else to_space(values, space)


def from_coordinates(points: Floats, coordinates: str) -> Floats:
    """Return points (N, d) in recorded coordinates as a raster's values; a cube's stay."""
    space = space_of(coordinates)
    return points if space is None else from_space(points, space)
