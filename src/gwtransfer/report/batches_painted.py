"""Small pictures of shapes, painted here: light from the reader's shoulder, nothing behind."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.surface import areas
from gwtransfer.core.types import Cloud
from gwtransfer.report.shapes_views import standing

Array = NDArray[np.float64]

SIDE, FINER = 88, 2
"""Pixels of a side of a picture, and how many it is painted with for each."""

DOTS = 140_000
"""Places of a surface that are painted: several for each fine pixel."""

TONES = 24
"""Shades of a picture, beside what is transparent."""

LIGHT = np.array([0.25, 0.45, 0.86])
"""Where the light comes from: across, up, towards the reader."""

YAW, PITCH = 0.45, 0.22
"""Radians by which a shape is turned and tipped, to look solid."""

DARK, BRIGHT = np.array([46.0, 62.0, 84.0]), np.array([205.0, 219.0, 236.0])
"""Colours of shade and of light, both seen on black and on white."""

BALL = 0.018
"""Radius of a point of a cloud, as a share of the picture."""


def painted(cloud: Cloud, *, side: int = SIDE) -> bytes:
    """Return a PNG of a shape from its broad side, upright; equal shapes give equal bytes.

    Parameters
    ----------
    side : int
        Pixels of a side.
    """
    fine = side * FINER
    turn = _tipped() @ standing(cloud.vertices)
    middle, reach = _frame(cloud.vertices @ turn.T)
    places, normals = _places(cloud)
    places = (places @ turn.T - middle) / reach
    light = np.full(len(places), np.nan)
    if normals is not None:
        lit = normals @ turn.T
        lit *= np.where(lit[:, 2:] < 0, -1.0, 1.0)  # both sides of a surface are lit
        light = 0.25 + 0.75 * (lit @ (LIGHT / np.linalg.norm(LIGHT))).clip(0.0, 1.0)
    else:
        places, light = _balls(places)
    columns = ((0.5 + 0.46 * places[:, 0]) * fine).astype(np.intp).clip(0, fine - 1)
    rows = ((0.5 - 0.46 * places[:, 1]) * fine).astype(np.intp).clip(0, fine - 1)
    order = np.argsort(places[:, 2], kind="stable")
    tone, cover = np.zeros((fine, fine)), np.zeros((fine, fine))
    tone[rows[order], columns[order]] = light[order]
    cover[rows[order], columns[order]] = 1.0
    return _png(*_smaller(tone, cover))


def _tipped() -> Array:
    cy, sy, cp, sp = np.cos(YAW), np.sin(YAW), np.cos(PITCH), np.sin(PITCH)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ yaw)


def _frame(points: Array) -> tuple[Array, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float((high - low)[:2].max() / 2) or 1.0


def _places(cloud: Cloud) -> tuple[Array, Array | None]:
    """Return places of a shape (n, 3), with normals where it has a surface."""
    if cloud.faces is None:
        return cloud.vertices, None
    size = areas(cloud.vertices, cloud.faces)
    if not size.sum() > 0:
        return cloud.vertices, None
    edges = np.cumsum(size) / size.sum()
    rng = np.random.default_rng(0)
    face = np.searchsorted(edges, (np.arange(DOTS) + 0.5) / DOTS).clip(0, len(size) - 1)
    u, v = rng.random((2, DOTS))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    a, b, c = np.moveaxis(cloud.vertices[cloud.faces[face]], 1, 0)
    across = np.cross(b - a, c - a)
    lengths = np.linalg.norm(across, axis=1, keepdims=True)
    places = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return places, across / np.where(lengths > 0, lengths, 1.0)


def _balls(places: Array) -> tuple[Array, Array]:
    """Return places and light of small balls at the points of a cloud, nearer ones lighter."""
    few = places[np.linspace(0, len(places) - 1, min(len(places), 6_000)).astype(np.intp)]
    grid = np.linspace(-1, 1, 9)
    across, up = (axis.ravel() for axis in np.meshgrid(grid, grid))
    inside = across**2 + up**2 <= 1
    bulge = np.sqrt(1 - across[inside] ** 2 - up[inside] ** 2)
    ball = np.column_stack([across[inside], up[inside], bulge])
    radius = BALL * max(1.0, (400 / len(few)) ** 0.5)
    depth = np.ptp(few[:, 2]) or 1.0
    near = 0.55 + 0.45 * (few[:, 2] - few[:, 2].min()) / depth
    light = near[:, None] * (0.25 + 0.75 * (ball @ (LIGHT / np.linalg.norm(LIGHT))).clip(0, 1))
    return (few[:, None] + radius * ball).reshape(-1, 3), light.ravel()


def _smaller(tone: Array, cover: Array) -> tuple[Array, Array]:
    """Return both as means of FINER by FINER pixels, the tone of what is covered."""
    side = len(tone) // FINER

    def mean(fine: Array) -> Array:
        return np.asarray(fine.reshape(side, FINER, side, FINER).mean(axis=(1, 3)))

    covered = mean(cover)
    return mean(tone * cover) / np.where(covered > 0, covered, 1.0), covered


def _png(tone: Array, cover: Array) -> bytes:
    """Return a PNG of a palette: transparent first, tones at half and at full cover."""
    step = np.floor(tone * (TONES - 1) + 0.5).astype(np.intp).clip(0, TONES - 1)
    level = np.floor(cover * 3 + 0.5).astype(np.intp).clip(0, 3)
    index = np.where(level == 0, 0, 1 + (level - 1) * TONES + step).astype(np.uint8)
    mixed = DARK + (BRIGHT - DARK) * np.linspace(0, 1, TONES)[:, None]
    colours = np.concatenate([np.zeros((1, 3)), *[mixed] * 3])
    alphas = np.repeat([0, 85, 170, 255], [1, TONES, TONES, TONES]).astype(np.uint8)
    rows, columns = index.shape
    lines = np.column_stack([np.zeros(rows, np.uint8), index]).tobytes()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", colours.astype(np.uint8).tobytes()),
        (b"tRNS", alphas.tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
