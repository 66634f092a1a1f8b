"""The page of a match: two shapes in one set of colours, and how far to trust them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud
from gwtransfer.matching import job
from gwtransfer.matching.output import motion_text, position_colors
from gwtransfer.report import shapes_words as words
from gwtransfer.report.page import Page, packed, render
from gwtransfer.report.shapes_curves import Chart, bars, curve
from gwtransfer.report.shapes_fewer import fewer, thinned
from gwtransfer.report.shapes_held import Held, held_in, written
from gwtransfer.report.shapes_page import Progress, recipe_text, sections_of, unwatched
from gwtransfer.report.shapes_plan import plan_page
from gwtransfer.report.shapes_stretch import EDGES, Stretch, stretch
from gwtransfer.report.shapes_views import STEPS, bytes_of, extent, facing_alike, standing, view

__all__ = ["page", "page_of", "plan_page"]

Array = NDArray[np.float64]


LAID = 4_000
"""Points of each shape where both are shown laid on one another."""

LAID_COLOURS = ((0.90, 0.45, 0.10), (0.15, 0.45, 0.80))
"""Orange and blue, which stay apart to eyes that see no red or no green."""

METHODS = {
    "spectral": "along the surface, whatever the pose",
    "xyz": "as they stand, by one rotation and size",
    "rigid": "by one motion",
}


def page(
    folder: Path,
    source: Path | None = None,
    target: Path | None = None,
    *,
    progress: Progress = unwatched,
) -> Page:
    """Return the page of a folder that `gwtransfer match` wrote.

    Parameters
    ----------
    source, target : Path or None
        The shapes; None takes those of the folder.
    progress : callable

    Raises
    ------
    ReadError, DataError, UsageError
        As `shapes_held.held_in`.
    """
    progress("read", 0, 0)
    held = held_in(folder, source=source, target=target)
    progress("draw", 0, 0)
    return _page(held)


def page_of(result: job.Result, destination: Path | None = None) -> Page:
    """Return the page of a match in memory.

    Parameters
    ----------
    destination : Path or None
        What was written of it.
    """
    matched = result.matched
    painted = position_colors(matched.target.vertices, matched.target.faces)
    carried = np.einsum("nq,nqc->nc", matched.weights, painted[matched.choices]).clip(0.0, 1.0)
    return _page(
        Held(
            source=matched.source,
            target=matched.target,
            index=matched.index,
            colours=(carried, painted),
            summary=result.summary,
            files={} if destination is None else written(destination),
        )
    )


def _page(held: Held) -> Page:
    said = held.summary
    motion = None if said.get("motion") is None else np.array(said["motion"], dtype=np.float64)
    scale = None if motion is None else float(np.abs(np.linalg.det(motion[:3, :3])) ** (1 / 3))
    kept = stretch(held.source, held.target, held.index, scale=scale)
    names = [str(said[side].get("file")) for side in ("source", "target")]
    pair, links = _pair(held)
    recipe = said.get("recipe")
    text = render(
        "shapes.html.j2",
        {
            "names": names,
            "method": METHODS.get(said["method"], said["method"]),
            "agreement": words.agreement(said, kept),
            "trust": words.trust(said),
            "figures": words.figures(said, kept),
            "sides": [
                _described(name, cloud)
                for name, cloud in zip(names, (held.source, held.target), strict=True)
            ],
            "errors": _error_curve(said.get("error")),
            "stretch": _stretch_bars(kept),
            "motion": None
            if motion is None
            else {"text": motion_text(motion), "words": words.motion_words(motion)},
            "recipe": None if not recipe else recipe_text(recipe),
            "files": _files(held.files),
            "data": {
                "pair": pair,
                "matches": packed(links),
                "laid": None if motion is None else _laid(held, motion),
            },
        },
        scripts=("turning.js", "shapes.js"),
    )
    return Page(kind="match", text=text, sections=sections_of(text))


def _pair(held: Held) -> tuple[list[dict[str, Any]], NDArray[np.int32]]:
    """Return both views, and which point of the second each point of the first is matched to."""
    both = [fewer(cloud) for cloud in (held.source, held.target)]
    turn = standing(held.source.vertices)
    other = facing_alike(turn, held.source.vertices, held.target.vertices[held.index])
    radius = None
    if held.summary["method"] == "rigid":  # scans of one thing in one unit show one scale
        radius = max(extent(held.source.vertices), extent(held.target.vertices))
    views = [
        view(cloud, chosen, turned, colours, radius=radius)
        for cloud, chosen, turned, colours in zip(
            (held.source, held.target), both, (turn, other), held.colours, strict=True
        )
    ]
    matched = held.target.vertices[held.index[both[0].kept]] @ other.T
    shown = held.target.vertices[both[1].kept] @ other.T
    middle = (shown.min(axis=0) + shown.max(axis=0)) / 2
    own = float(np.linalg.norm(shown - middle, axis=1).max()) or 1.0
    return views, np.round((matched - middle) * (STEPS / own)).astype(np.int32)


def _described(name: str, cloud: Cloud) -> dict[str, str]:
    count = len(cloud.vertices)
    if cloud.faces is None:
        return {"name": name, "said": f"{count} points"}
    return {"name": name, "said": f"{count} points, {len(cloud.faces)} triangles"}


def _laid(held: Held, motion: Array) -> dict[str, Any]:
    """Return both shapes in the target's place, as points of two colours."""
    clouds = [
        held.source.vertices @ motion[:3, :3].T + motion[:3, 3],
        held.target.vertices,
    ]
    few = [points[thinned(points, LAID)] for points in clouds]
    together = np.concatenate(few) @ standing(held.target.vertices).T
    middle = (together.min(axis=0) + together.max(axis=0)) / 2
    radius = float(np.linalg.norm(together - middle, axis=1).max()) or 1.0
    colours = np.repeat(np.array(LAID_COLOURS), [len(points) for points in few], axis=0)
    return {
        "points": packed(np.round((together - middle) * (STEPS / radius)).astype(np.int16)),
        "colours": packed(bytes_of(colours)),
        "fit": {"middle": [0, 0, 0], "radius": STEPS},
        "size": 7,
        "yaw": 0.45,
        "pitch": 0.18,
    }


def _error_curve(error: Mapping[str, Any] | None) -> Chart | None:
    if error is None:
        return None
    return curve(np.array(error["at"]), np.array(error["share"]))


def _stretch_bars(kept: Stretch | None) -> Chart | None:
    if kept is None:
        return None
    return bars(EDGES, kept.shares)


def _files(held: Mapping[str, int]) -> Sequence[Mapping[str, str]]:
    return [
        {
            "name": name,
            "size": size_words(size),
            "meaning": words.FILES.get(name, "the match"),
        }
        for name, size in held.items()
    ]


def size_words(size: int) -> str:
    """Return bytes as people say them."""
    for unit, least in (("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:.3g} {unit}"
    return f"{size} bytes"
