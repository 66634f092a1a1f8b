"""A map and a tree of files, as places that templates draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WIDTH, LEAST, MOST = 1000.0, 380.0, 620.0
"""Width of a map, and how high it may be."""

EDGE = 52.0
"""Room around the places of a map."""

THUMB = 74.0
"""Side of a small picture on a map of few files."""

LETTER, LINE = 7.4, 17.0
"""Width of a letter, about, and height of a line."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A file on the map.

    Attributes
    ----------
    x, y : float
    picture : float or None
        Side of the small picture that stands there.
    text_x, text_y : float or None
        Where the middle of its name's line stands; None where there is no room.
    """

    x: float
    y: float
    picture: float | None
    text_x: float | None
    text_y: float | None


@dataclass(frozen=True, kw_only=True)
class Map:
    """Files by their distances, in units of an SVG of WIDTH by ``height``."""

    height: float
    spots: Sequence[Spot]
    width: float = WIDTH


@dataclass(frozen=True, kw_only=True)
class Joint:
    """Two branches that meet.

    Attributes
    ----------
    path : str
        Of an SVG of 100 by the number of leaves; the root is at the left.
    text : str
        What it says.
    """

    path: str
    text: str


def laid_out(points: Array, names: Sequence[str], pictured: Sequence[bool]) -> Map:
    """Place files on a map; pictures and names where they hide none that came before.

    Parameters
    ----------
    points : (n, 2) array
    names : sequence of n str
    pictured : sequence of n bool
        Whether there is a picture of the file.
    """
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = min((WIDTH - 2 * EDGE) / (extent[0] or 1.0), (MOST - 2 * EDGE) / (extent[1] or 1.0))
    height = float(np.clip(extent[1] * scale + 2 * EDGE, LEAST, MOST))
    middle = low + extent / 2
    x = WIDTH / 2 + (points[:, 0] - middle[0]) * scale
    y = height / 2 - (points[:, 1] - middle[1]) * scale
    side = THUMB * min(1.0, (24 / len(points)) ** 0.35)
    taken = [(a - 5, b - 5, a + 5, b + 5) for a, b in zip(x, y, strict=True)]
    free = _Free(taken, height)
    thumbs = [
        side
        if has and free.put(own, a - side / 2, b - side / 2, a + side / 2, b + side / 2)
        else None
        for own, (a, b, has) in enumerate(zip(x, y, pictured, strict=True))
    ]
    spots = []
    for own, (a, b, thumb, name) in enumerate(zip(x, y, thumbs, names, strict=True)):
        wide, apart = LETTER * len(name), (thumb or 14.0) / 2
        text = next(
            (
                (tx, ty)
                for tx, ty in (
                    (a, b + apart + LINE / 2),
                    (a, b - apart - LINE / 2),
                    (a + apart + wide / 2 + 2, b),
                    (a - apart - wide / 2 - 2, b),
                )
                if free.put(own, tx - wide / 2, ty - LINE / 2, tx + wide / 2, ty + LINE / 2)
            ),
            None,
        )
        spots.append(
            Spot(
                x=round(float(a), 1),
                y=round(float(b), 1),
                picture=None if thumb is None else round(thumb, 1),
                text_x=None if text is None else round(float(text[0]), 1),
                text_y=None if text is None else round(float(text[1]), 1),
            )
        )
    return Map(height=round(height, 1), spots=spots)


class _Free:
    """The room that is left on a map."""

    def __init__(self, spots: Sequence[tuple[float, float, float, float]], height: float) -> None:
        self._boxes = np.array(spots)
        self._owners = np.arange(len(spots))
        self._height = height

    def put(self, owner: int, left: float, top: float, right: float, bottom: float) -> bool:
        """Take a box, unless it leaves the map or meets what belongs to others."""
        if left < 0 or top < 0 or right > WIDTH or bottom > self._height:
            return False
        boxes = self._boxes
        meets = (boxes[:, 0] < right) & (boxes[:, 2] > left)
        meets &= (boxes[:, 1] < bottom) & (boxes[:, 3] > top)
        if (meets & (self._owners != owner)).any():
            return False
        self._boxes = np.concatenate([boxes, [[left, top, right, bottom]]])
        self._owners = np.append(self._owners, owner)
        return True


def joints(tree: Array, branches: Array) -> list[Joint]:
    """Return the joints of a tree that grows from the left to its leaves.

    Parameters
    ----------
    tree : (n − 1, 4) array
        As `gwtransfer.core.scaling.average_linkage` returns it.
    branches : (n − 1, 4, 2) array
        As `gwtransfer.core.scaling.branches` returns them.
    """
    top = float(tree[:, 2].max()) or 1.0
    found = []
    for row, branch in zip(tree, branches, strict=True):
        across = 100 - 98 * branch[:, 0] / top
        down = branch[:, 1] + 0.5
        (x0, x1, _, x3), (y0, _, _, y3) = across, down
        found.append(
            Joint(
                path=f"M{x0:.2f} {y0:.2f}H{x1:.2f}V{y3:.2f}H{x3:.2f}",
                text=f"{int(row[3])} files, joined at a mean distance of {row[2]:.4g}",
            )
        )
    return found
