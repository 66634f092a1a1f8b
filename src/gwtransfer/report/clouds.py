"""Colours as points in space, to be turned."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import to_space
from gwtransfer.report.page import packed

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

POINTS = 4000
"""Points of a cloud."""

STEPS = 30_000
"""Steps from the middle to the outermost point."""

LIGHT = {"from": [0.0, -0.5, 0.0], "to": [0.0, 0.5, 0.0]}
"""The gray axis of OKLab, as `in_colours` places it."""


def in_colours(colours: Bytes) -> Array:
    """Return places (n, 3) of colours (n, 3): OKLab, its light upwards and 0 at middle gray."""
    light, a, b = to_space(colours / 255, "oklab").T
    return np.stack([a, light - 0.5, b], axis=1)


def radius(*clouds: Array) -> float:
    """Return how far from 0 the points of some clouds reach, nearly all of them."""
    away = np.concatenate([np.linalg.norm(cloud, axis=1) for cloud in clouds])
    return (float(np.percentile(away, 99.5)) if len(away) else 0.0) or 1.0


def drawn(count: int, seed: int) -> NDArray[np.intp]:
    """Return which of ``count`` pixels make a cloud, increasing."""
    rng = np.random.default_rng([seed, 7])
    return np.sort(rng.choice(count, min(count, POINTS), replace=False))


def cloud(points: Array, colours: Bytes, reach: float, *, light: bool = False) -> Mapping[str, Any]:
    """Return a cloud as `turning` of turning.js takes it.

    Parameters
    ----------
    points : (n, 3) array
    colours : (n, 3) array of uint8
    reach : float
        What fills the canvas.
    light : bool
        Draw the axis from black to white.
    """
    scale = STEPS / max(reach, float(np.abs(points).max(initial=0.0)))
    steps = np.round(points * scale).astype(np.int16)
    axis = {
        "from": [scale * x for x in LIGHT["from"]],
        "to": [scale * x for x in LIGHT["to"]],
        "label": "white",
    }
    return {
        "points": packed(steps),
        "colours": packed(np.ascontiguousarray(colours)),
        "fit": {"middle": [0, 0, 0], "radius": scale * reach},
        "axes": [axis] if light else [],
        "size": 11,
    }
