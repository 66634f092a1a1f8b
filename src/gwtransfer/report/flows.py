"""A coupling as a flow diagram: components left and right, and between them what became what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WIDTH = 480.0
"""Width of the diagram in its own units; a phone shows it in two thirds of that many pixels."""

SWATCH, LABEL = 44.0, 72.0
"""Widths of a swatch, and of the words beside it."""

LEAST, GAP, ALL = 15.0, 5.0, 360.0
"""Height of a swatch without weight, room between two, and heights that all weights share."""

THINNEST = 1.2
MOST = 2000
"""Bands that are drawn, and told, at most: the thickest."""

NOTHING = 1e-6
"""Masses below this are not drawn, nor told."""


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """A component as a node of the diagram.

    Attributes
    ----------
    index : int
        Of the component.
    name : str
        On the left the component's number from 1, as everywhere; on the right a letter.
    colour, became : str
        Its own colour, and the one it gets, as #rrggbb; the same on the right.
    weight, used : float
        Its weight, and how much of it the plan uses.
    y, height : float
        Where its box is.
    """

    index: int
    name: str
    colour: str
    became: str
    weight: float
    used: float
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Ribbon:
    """A mass of the coupling, drawn.

    Attributes
    ----------
    source, target : int
        Indices of the components.
    mass : float
        Share of the whole.
    path : str
        Its outline, as SVG has it.
    colours : tuple of 2 str
        At its ends.
    """

    source: int
    target: int
    mass: float
    path: str
    colours: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """Where everything is."""

    width: float
    height: float
    left: tuple[Swatch, ...]
    right: tuple[Swatch, ...]
    ribbons: tuple[Ribbon, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One mixture, as far as a diagram needs it.

    Attributes
    ----------
    weights, used : (K,) arrays
    colours, became : (K, 3) arrays of uint8
    """

    weights: Array
    used: Array
    colours: NDArray[np.uint8]
    became: NDArray[np.uint8]


def diagram(coupling: Array, source: Side, target: Side) -> Diagram:
    """Return the flow diagram of a coupling (K, L): bright colours on top."""
    light = target.colours.astype(np.float64) @ (0.2126, 0.7152, 0.0722)
    right_order = np.argsort(-light, kind="stable")
    height_of = np.empty(len(light))
    height_of[right_order] = np.arange(len(light))
    centre = coupling @ height_of / np.maximum(coupling.sum(axis=1), 1e-300)
    left_order = np.argsort(centre, kind="stable")
    left = _column(source, left_order, [str(k + 1) for k in range(len(coupling))])
    right = _column(target, right_order, [letters(l) for l in range(coupling.shape[1])])
    tall = max(_bottom(left), _bottom(right))
    left, right = _centred(left, tall), _centred(right, tall)
    return Diagram(
        width=WIDTH,
        height=round(tall, 1),
        left=left,
        right=right,
        ribbons=_ribbons(coupling, left, right),
    )


def letters(number: int) -> str:
    """Return A, B, …, Z, AA, AB, … for 0, 1, …"""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def hexadecimal(colour: NDArray[np.uint8]) -> str:
    """Return a colour (3,) as #rrggbb."""
    return "#" + "".join(f"{int(value):02x}" for value in colour)


def _column(side: Side, order: NDArray[np.intp], names: Sequence[str]) -> tuple[Swatch, ...]:
    y, placed = 0.0, []
    for index in order.tolist():
        height = LEAST + ALL * float(max(side.weights[index], side.used[index]))
        placed.append(
            Swatch(
                index=index,
                name=names[index],
                colour=hexadecimal(side.colours[index]),
                became=hexadecimal(side.became[index]),
                weight=float(side.weights[index]),
                used=float(side.used[index]),
                y=round(y, 2),
                height=round(height, 2),
            )
        )
        y += height + GAP
    return tuple(placed)


def _bottom(column: Sequence[Swatch]) -> float:
    return column[-1].y + column[-1].height


def _centred(column: Sequence[Swatch], tall: float) -> tuple[Swatch, ...]:
    down = (tall - _bottom(column)) / 2
    return tuple(replace(swatch, y=round(swatch.y + down, 2)) for swatch in column)


def _ribbons(
    coupling: Array, left: Sequence[Swatch], right: Sequence[Swatch]
) -> tuple[Ribbon, ...]:
    """Return the ribbons, the thickest first so that thin ones lie on top."""
    starts = {one.index: one.y + (one.height - ALL * one.used) / 2 for one in left}
    ends = {one.index: one.y + (one.height - ALL * one.used) / 2 for one in right}
    begin, end = LABEL + SWATCH, WIDTH - LABEL - SWATCH
    middle = (begin + end) / 2
    least = max(NOTHING, float(np.sort(coupling, axis=None)[-MOST:][0]))
    drawn = []
    for one in left:
        for other in right:
            mass = float(coupling[one.index, other.index])
            if mass < least:
                starts[one.index] += ALL * mass
                ends[other.index] += ALL * mass
                continue
            thick = ALL * mass
            more = max(0.0, THINNEST - thick) / 2
            top0, bottom0 = starts[one.index] - more, starts[one.index] + thick + more
            top1, bottom1 = ends[other.index] - more, ends[other.index] + thick + more
            starts[one.index] += thick
            ends[other.index] += thick
            path = (
                f"M{begin:g} {top0:.2f}C{middle:g} {top0:.2f} {middle:g} {top1:.2f} {end:g} "
                f"{top1:.2f}V{bottom1:.2f}C{middle:g} {bottom1:.2f} {middle:g} {bottom0:.2f} "
                f"{begin:g} {bottom0:.2f}Z"
            )
            drawn.append(
                Ribbon(
                    source=one.index,
                    target=other.index,
                    mass=mass,
                    path=path,
                    colours=(one.became, other.colour),
                )
            )
    return tuple(sorted(drawn, key=lambda ribbon: -ribbon.mass)[:MOST])
