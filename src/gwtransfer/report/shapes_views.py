"""Shapes as turntables show them: few triangles, upright, both of a pair seen from one side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.linalg import polar
from gwtransfer.core.types import Cloud
from gwtransfer.report.page import packed
from gwtransfer.report.shapes_fewer import Fewer

Array = NDArray[np.float64]
Index = NDArray[np.intp]

STEPS = 30_000
"""Whole numbers from the middle of a shape to its rim: what is stored of a place."""

STEEP = 0.85
"""A coordinate axis that points at the reader by this cosine is not the one that points up."""

FOOT, FIRMER = 0.05, 1.7
"""Share of a shape's height that is its foot, and how much wider another one's must be."""


def standing(points: Array) -> Array:
    """Return a rotation (3, 3) that shows a shape from its broad side, upright.

    The reader looks along the shape's least extent. Up is the y axis of the file, unless y points
    at the reader or the shape stands much more firmly along z: on its feet and not on its nose.
    """
    centred = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    if values[0] > 0.9 * values[2]:  # round: any side will do
        return np.eye(3)
    toward = vectors[:, 0] * np.sign(vectors[np.abs(vectors[:, 0]).argmax(), 0])
    axes = [axis for axis in (1, 2) if abs(toward[axis]) < STEEP]
    firm = [_footing(centred, axis) for axis in axes]
    up = np.eye(3)[axes[int(np.argmax(firm))] if max(firm) > FIRMER * firm[0] else axes[0]]
    up = up - toward * (up @ toward)
    up /= np.linalg.norm(up)
    return np.stack([np.cross(up, toward), up, toward])


def _footing(points: Array, axis: int) -> float:
    """Return how far what is lowest along an axis spreads, as a share of how far all does."""
    height, across = points[:, axis], np.delete(points, axis, axis=1)
    low = height <= height.min() + FOOT * np.ptp(height)
    both = np.ptp(across, axis=0)
    return float(np.sqrt(np.prod(np.ptp(across[low], axis=0) / np.where(both > 0, both, 1.0))))


def facing_alike(turn: Array, source: Array, matched: Array) -> Array:
    """Return the rotation of a target that shows it as its source is shown.

    Parameters
    ----------
    turn : (3, 3) array
        The source's rotation.
    source, matched : (n, 3) arrays
        Points of the source, and the points of the target they are matched to.
    """
    across = (source - source.mean(axis=0)).T @ (matched - matched.mean(axis=0))
    return np.asarray(turn @ polar(across, proper=True))


def view(
    cloud: Cloud, chosen: Fewer, turn: Array, colours: Array, *, radius: float | None = None
) -> dict[str, Any]:
    """Return what `turning` of turning.js is given.

    Parameters
    ----------
    turn : (3, 3) array
    colours : (n, 3) array
        Of the shape's vertices, in [0, 1].
    radius : float or None
        What fills the picture, in the shape's units; None is the shape.
    """
    points = cloud.vertices[chosen.kept] @ turn.T
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points = points - middle
    own = float(np.linalg.norm(points, axis=1).max())
    held: dict[str, Any] = {
        "points": packed(np.round(points * (STEPS / (own or 1.0))).astype(np.int16)),
        "colours": packed(bytes_of(colours[chosen.kept])),
        "fit": {"middle": [0, 0, 0], "radius": STEPS * (radius or own or 1.0) / (own or 1.0)},
        "yaw": 0.45,
        "pitch": 0.18,
    }
    if chosen.faces is not None:
        few = len(chosen.kept) <= np.iinfo(np.uint16).max
        held["faces"] = packed(chosen.faces.astype(np.uint16 if few else np.uint32))
    return held


def extent(points: Array) -> float:
    """Return the farthest that a point is from the middle of their box."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(np.linalg.norm(points - middle, axis=1).max())


def bytes_of(colours: Array) -> NDArray[np.uint8]:
    """Return colours in [0, 1] as whole numbers up to 255."""
    return np.asarray(np.floor(colours * 255 + 0.5).clip(0, 255), dtype=np.uint8)
