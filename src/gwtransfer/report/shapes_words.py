"""What a match is worth, in words for people who know nothing of transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gwtransfer.report.shapes_stretch import Stretch
from gwtransfer.report.shares import percent

CLOSE = 0.85
"""A runner-up whose score is this share of the best is worth a word."""

USUAL = 0.5
"""Least score of good matches of two poses (docs/matching.md)."""

NEAR = 0.05
"""An error that a reader sees as the same place, in roots of the surface's area."""

FILES = {
    "match.csv": "the match: a row for each point of the source",
    "match.npz": "the same as arrays",
    "source.ply": "the first shape in the colours of its matches, for any viewer",
    "target.ply": "the second shape, coloured by place",
    "transform.txt": "the 4 × 4 matrix that takes the first shape to the second",
    "transferred.csv": "what was carried from the second shape's points to the first's",
    "transferred.npy": "what was carried from the second shape's points to the first's",
    "errors.csv": "the error curve as a table",
    "match.json": "scores and figures",
}
"""What each file of a match is."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number and what it means.

    Attributes
    ----------
    name, value, meaning : str
    """

    name: str
    value: str
    meaning: str


def agreement(summary: Mapping[str, Any], stretch: Stretch | None) -> str:
    """Say in a sentence how much of the match agrees with what is known."""
    error = summary.get("error")
    if error is not None:
        near = dict(zip(error["at"], error["share"], strict=True))[NEAR]
        mean = f"{100 * error['mean']:.1f} %"
        return (
            f"Against the known truth, {percent(near)} of the points lie within "
            f"{100 * NEAR:g}\u00a0% of the shape's size of where they belong; the mean error is "
            f"{mean} of the size."
        )
    if stretch is None:
        return "The shapes have too few points to say how well neighbours were kept together."
    words = (
        f"{percent(stretch.kept)} of neighbouring places stay neighbours: their distance changes "
        "by no more than a factor of two."
    )
    if stretch.kept < 0.8:
        words += (
            " The rest is torn or squeezed, so parts of the match are wrong or the shapes differ."
        )
    return words


def trust(summary: Mapping[str, Any]) -> list[str]:
    """Say how far to trust a match, worst news first."""
    score, method = summary["score"], summary["method"]
    other, mirrored = summary.get("runner_up"), summary.get("mirrored")
    found: list[str] = []
    if (summary.get("upright") or 0) < 0:
        found.append(
            "The match turns the surface inside out, left for right. Unless one shape is the "
            "mirror image of the other, do not trust it."
        )
    if mirrored is not None and mirrored > score:
        found.append(
            f"A mirror image of the match fits even better ({mirrored:.3f} against {score:.3f}), "
            "so look whether left is left and right is right."
        )
    if other is not None and other >= CLOSE * score:
        found.append(
            f"A clearly different match fits nearly as well ({other:.3f} against {score:.3f}): "
            "such shapes look alike from several sides, so check the colours of legs, hands and "
            "ends before you rely on it."
        )
    if method == "spectral" and score < USUAL:
        found.append(
            f"Its score of {score:.3f} is below the 0.5 to 0.95 that good matches of two poses "
            "reached; expect mistakes."
        )
    if method == "rigid":
        apart = (
            " That is little: they share a part at most, are not one thing in one pose, or the "
            "motion is wrong."
            if score < USUAL
            else ""
        )
        found.append(
            f"After the motion {percent(max(score, 0.0))} of both lie on one another; what the "
            f"other scan does not show has no true match.{apart}"
        )
    if method == "xyz":
        found.append(
            f"One rotation explains {percent(max(score, 0.0))} of the spread of the points; bent "
            "limbs are beyond it."
        )
    if not found:
        found.append(
            "Nothing speaks against it: no other match comes near in score"
            + ("" if other is None else f" ({other:.3f} against {score:.3f})")
            + ", and the outside of the surface stays outside."
        )
    return found


def figures(summary: Mapping[str, Any], stretch: Stretch | None) -> list[Figure]:
    """Return the scores of a match with their meanings."""
    scores = {
        "spectral": "1 is perfect: how well the vibrations of both surfaces correspond, times how "
        "rigidly small patches are carried. Good matches of two poses reached 0.5 to 0.95.",
        "xyz": "1 is perfect: the share of the first shape's spread that one rotation explains.",
        "rigid": "1 is perfect: how much of both clouds lies on the other one.",
    }
    found = [
        Figure(
            name="Score",
            value=f"{summary['score']:.3f}",
            meaning=scores.get(summary["method"], "1 is perfect."),
        )
    ]
    for key, name, meaning in (
        (
            "runner_up",
            "Next best",
            "The best match that is clearly another one. Near the score, the shapes look alike "
            "from several sides.",
        ),
        (
            "mirrored",
            "Best mirror image",
            "The best match that was set aside because it turns the surface inside out.",
        ),
        (
            "upright",
            "Outside kept",
            "1: the outside of the surface stays outside; −1: it is turned inside out, a mirror "
            "image.",
        ),
    ):
        if summary.get(key) is not None:
            found.append(Figure(name=name, value=f"{summary[key]:.3f}", meaning=meaning))
    if stretch is not None:
        found.append(
            Figure(
                name="Neighbours kept",
                value=percent(stretch.kept),
                meaning="Of places near each other on the first shape, how many are matched at "
                "half to twice their distance. A match that is wrong as a whole, left for right, "
                "keeps them too.",
            )
        )
    error = summary.get("error")
    if error is not None:
        found.append(
            Figure(
                name="Mean error",
                value=f"{error['mean']:.4f}",
                meaning="How far a point is from its true place along the surface, over the "
                f"square root of the surface's area; at {error['judged']} points.",
            )
        )
        found.append(
            Figure(
                name="Median error",
                value=median(error),
                meaning="Half of the points are no farther away.",
            )
        )
    if summary.get("value") is not None:
        bound = summary.get("bound")
        found.append(
            Figure(
                name="Cost of the start",
                value=f"{summary['value']:.4g}",
                meaning="The least cost found of moving one mixture onto the other, from which "
                "the match was refined, in squared working units"
                + ("." if bound is None else f"; nothing can cost less than {bound:.4g}."),
            )
        )
    return found


def median(error: Mapping[str, Any]) -> str:
    """Return where an error curve reaches one half, as far as it tells."""
    share, at = np.array(error["share"]), np.array(error["at"])
    reached = np.flatnonzero(share >= 0.5)
    if not len(reached):
        return f"above {at[-1]:g}"
    last = int(reached[0])
    if last == 0:
        return f"{at[0]:g}"
    return f"{np.interp(0.5, share[last - 1 : last + 1], at[last - 1 : last + 1]):.3f}"


def motion_words(motion: Any) -> str:
    """Say what a 4 × 4 matrix does to the source."""
    matrix = np.array(motion)
    linear = matrix[:3, :3]
    scale = float(np.abs(np.linalg.det(linear)) ** (1 / 3))
    mirrored = np.linalg.det(linear) < 0
    turn = linear / (scale or 1.0) * (-1 if mirrored else 1)
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    words = [f"turned by {angle:.1f}°"]
    if mirrored:
        words.insert(0, "mirrored")
    if abs(scale - 1) > 1e-6:
        words.append(f"scaled by {scale:.4g}")
    shift = ", ".join(f"{value:.4g}" for value in matrix[:3, 3])
    return f"The first shape is {', '.join(words)} and then moved by ({shift})."
