"""RGB profiles made of three curves and a matrix, which most are, computed without rounding."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SRGB_MATRIX = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
"""Linear sRGB to CIE XYZ, adapted to D50 as profiles are."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A curve y = (a·x + b)^g + e where x >= d, and y = c·x + f below; odd below zero."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def light(self, codes: Array) -> Array:
        """Return light of coded values."""
        size = np.abs(codes)
        above = np.maximum(self.a * size + self.b, 0) ** self.g + self.e
        return np.copysign(np.where(size >= self.d, above, self.c * size + self.f), codes)

    def codes(self, light: Array) -> Array:
        """Return coded values of light."""
        size = np.abs(light)
        above = (np.maximum(size - self.e, 0) ** (1 / self.g) - self.b) / self.a
        below = (size - self.f) / self.c if self.c else np.zeros_like(size)
        knee = max(self.a * self.d + self.b, 0.0) ** self.g + self.e
        return np.copysign(np.where(size >= knee, above, below), light)


@dataclass(frozen=True, eq=False)
class Table:
    """A curve given at even steps from 0 to 1, and straight between them."""

    values: Array

    def light(self, codes: Array) -> Array:
        """Return light of coded values, which are cut to [0, 1]."""
        return np.interp(codes, np.linspace(0, 1, self.values.size), self.values)

    def codes(self, light: Array) -> Array:
        """Return coded values of light."""
        return np.interp(light, self.values, np.linspace(0, 1, self.values.size))


@dataclass(frozen=True, eq=False)
class Shaper:
    """Three curves and the matrix (3, 3) from their light to CIE XYZ at D50."""

    curves: Sequence[Formula | Table]
    matrix: Array

    def to_xyz(self, codes: Array) -> Array:
        """Return XYZ (N, 3) of coded values (N, 3)."""
        light = [curve.light(codes[:, k]) for k, curve in enumerate(self.curves)]
        return np.stack(light, axis=1) @ self.matrix.T

    def from_xyz(self, xyz: Array) -> Array:
        """Return coded values (N, 3) of XYZ (N, 3)."""
        light = np.linalg.solve(self.matrix, xyz.T)
        return np.stack([curve.codes(light[k]) for k, curve in enumerate(self.curves)], axis=1)


SRGB = Shaper(
    [Formula(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)] * 3,
    _SRGB_MATRIX,
)


def shaper(icc: bytes | None) -> Shaper | None:
    """Return the curves and the matrix of an RGB profile; None when it is not made of them.

    Parameters
    ----------
    icc : bytes or None
        None is sRGB.
    """
    if icc is None:
        return SRGB
    try:
        tags = _tags(icc)
        if icc[16:24] != b"RGB XYZ " or b"A2B0" in tags:
            return None
        matrix = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    except (KeyError, ValueError, struct.error):
        return None
    return Shaper(curves, matrix) if abs(np.linalg.det(matrix)) > 1e-6 else None


def _tags(icc: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", icc, 128)[0]
    if count > 1000:
        raise ValueError
    entries = [struct.unpack_from(">4sII", icc, 132 + 12 * k) for k in range(count)]
    return {name: icc[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> Array:
    if tag[:4] != b"XYZ ":
        raise ValueError
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Formula | Table:
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return Formula(1.0)
        if count == 1:
            return _sound(Formula(struct.unpack_from(">H", tag, 12)[0] / 256))
        values = np.frombuffer(tag, ">u2", count, 12) / 65535
        if (np.diff(values) < 0).any() or values[0] == values[-1]:
            raise ValueError
        return Table(values)
    if tag[:4] != b"para":
        raise ValueError
    kind = struct.unpack_from(">H", tag, 8)[0]
    count = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}.get(kind)
    if count is None:
        raise ValueError
    numbers = [number / 65536 for number in struct.unpack_from(f">{count}i", tag, 12)]
    if kind in (1, 2):
        g, a, b, *shift = numbers
        e = shift[0] if shift else 0.0
        return _sound(Formula(g, a, b, 0.0, -b / a if a else 0.0, e, e))
    return _sound(Formula(*numbers))


def _sound(curve: Formula) -> Formula:
    if curve.g <= 0 or curve.a <= 0:
        raise ValueError
    return curve
