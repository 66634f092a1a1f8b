"""What the colour report says, in words for people who know nothing of transport."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from gwtransfer import __version__, recipefile
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.diagnosing import Diagnosis
from gwtransfer.judging import Judgement
from gwtransfer.report.shares import percent

MANY = 0.5
"""Share of the starts from which on they agree."""

EXACT, TIGHT = 1e-6, 0.02
"""Shares of the value by which it may exceed its bound: the best one, and as good as it."""

BLENDED = 0.02
"""Share of a picture in blends that is worth a sentence on the first screen."""

KEPT = {
    "luminance": "The picture kept how bright each pixel is, so its colours are not quite the "
    "palette's",
    "chroma": "The picture kept its own colours, and only how bright they are was changed",
}
"""What `--keep` leaves of the source."""

RELAXED = 1e-6
"""How far the target's weights may be missed and still count as met."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A figure with what it means.

    Attributes
    ----------
    name, value, said : str
    """

    name: str
    value: str
    said: str


def number(value: float) -> str:
    """Return a figure in three digits."""
    return f"{value:#.3g}".rstrip(".")


def is_cube(mixture: GaussianMixture) -> bool:
    """Tell whether a mixture was fitted to a cube."""
    return mixture.space.coordinates in ("bands", "raw")


def is_gray(mixture: GaussianMixture) -> bool:
    """Tell whether a mixture was fitted to a picture without colours."""
    return not is_cube(mixture) and mixture.space.raw_dimension == 1


def groups(mixture: GaussianMixture) -> str:
    """Return how many components a mixture has, in words."""
    one = mixture.count == 1
    if is_cube(mixture):
        return f"{mixture.count} {'kind' if one else 'kinds'} of pixel"
    if is_gray(mixture):
        return f"{mixture.count} {'shade' if one else 'shades'} of gray"
    return f"{mixture.count} {'group' if one else 'groups'} of colours"


def kind(mixture: GaussianMixture) -> str:
    """Return what a mixture was fitted to."""
    if is_cube(mixture):
        bands = mixture.space.raw_dimension
        return "a cube of 1 band" if bands == 1 else f"a cube of {bands} bands"
    return "a gray picture" if is_gray(mixture) else "a picture in colour"


def size(raster: Raster) -> str:
    """Return the size of a raster."""
    return f"{raster.columns} × {raster.rows} pixels"


def is_relaxed(plan: TransportPlan) -> bool:
    """Tell whether the plan uses the target in other proportions than its own."""
    assert plan.attained is not None
    return bool(abs(plan.attained - plan.target.weights).max() > RELAXED)


def matched(plan: TransportPlan, source: str, target: str) -> str:
    """Return what was matched with what, and by which rule."""
    verb = "was" if plan.source.count == 1 else "were"
    begin = (
        f"{groups(plan.source)} in {source} {verb} matched with {groups(plan.target)} in {target}"
    )
    rule = "what is alike stays alike, what differs stays different"
    if plan.embedding is None and plan.solver == "mw2":
        rule = "colours move as little as they can"
    shares = "the aim is to use each colour as much as the palette has of it"
    if is_relaxed(plan):
        shares = "colours may be used more or less than the palette has of them"
    return f"{begin}: {rule}, and {shares}."


def largest(plan: TransportPlan, most: int = 3) -> str:
    """Return how much of the picture the largest matches make up."""
    masses = sorted((float(mass) for mass in plan.coupling.ravel() if mass > 0), reverse=True)
    count = min(most, len(masses))
    share = percent(sum(masses[:count]))
    if count == 1:
        return f"The largest match makes up {share} of the picture:"
    words = {2: "two", 3: "three"}[count]
    return f"The {words} largest matches make up {share} of the picture:"


def trust(plan: TransportPlan) -> str:
    """Return how far the plan itself can be trusted."""
    gap = float("inf") if plan.bound is None else plan.value - plan.bound
    if gap <= EXACT * plan.value + 1e-12:
        return (
            "It is proved that no other matching of these groups fits better: none costs less "
            f"than {number(plan.value)}, where 0 is a perfect fit."
        )
    if gap <= TIGHT * plan.value:
        return (
            f"It is proved that no other matching of these groups costs {percent(gap / plan.value)}"
            f" less than this one, {number(plan.value)}, where 0 is a perfect fit."
        )
    said = ""
    if plan.starts > 1:
        said = _starts(plan)
    if plan.bound is not None:
        said += (
            f" Its cost is {number(plan.value)}, where 0 is a perfect fit; it is proved that none "
            f"costs less than {number(plan.bound)}."
        )
    if not plan.converged:
        said += " The search was stopped before it came to rest."
    return said.strip() or (
        f"The cost of this matching is {number(plan.value)}, where 0 is a perfect fit; how much "
        "less another could cost is not known."
    )


def _starts(plan: TransportPlan) -> str:
    searches = f"{plan.reached} of {plan.starts} searches from different beginnings"
    if plan.reached == 1:
        return (
            f"Only 1 of {plan.starts} searches from different beginnings ended here: there are "
            "many matchings nearly as good, and another seed may give another picture."
        )
    if plan.reached >= MANY * plan.starts:
        return f"{searches} ended at this same matching, so a better one is unlikely."
    if plan.reached >= 5:
        return f"{searches} ended at this same matching, the others at worse ones."
    return (
        f"Only {searches} ended at this matching: a better one may exist. More searches "
        "(--starts many) make surer."
    )


def brightness(order: float) -> str:
    """Return whether bright stayed bright, given the rank correlation."""
    if isnan(order):
        return ""
    said = f"({order:.2f}; 1 is perfect)"
    if order >= 0.9:
        return f"Bright stayed bright {said}."
    if order >= 0.5:
        return f"Bright mostly stayed bright {said}."
    if order > -0.5:
        return f"Bright and dark were mixed up {said}; such a picture is hard to read."
    return f"Bright became dark {said}: the picture is a negative of its source."


def between(diagnosis: Diagnosis, provenance: Mapping[str, Any]) -> str:
    """Return how much of the result is blended beyond what the palette is; "" for a trifle.

    Of other maps than `mean`, which blend nothing, there is nothing to say, nor of a picture that
    is not what the map made.
    """
    recipe = provenance.get("recipe", {})
    stage = recipe.get("map", {}).get("stage", "mean")
    share = sum(split.surplus for split in diagnosis.splits)
    if diagnosis.meeting is not None and diagnosis.meeting.surplus >= BLENDED:
        share += diagnosis.meeting.surplus
    if stage != "mean" or share < BLENDED or partly(provenance):
        return ""
    return (
        f"About {percent(share)} of the picture got blends of colours that are far apart in the "
        "palette, beyond what the palette has of such blends itself."
    )


def partly(provenance: Mapping[str, Any]) -> list[str]:
    """Return what of the matching was not carried out, in sentences."""
    recipe = provenance.get("recipe", {})
    said = []
    if (strength := recipe.get("strength", 1.0)) < 1:
        said.append(f"Only {percent(strength)} of that change was made (--strength).")
    if (keep := recipe.get("keep")) in KEPT:
        said.append(f"{KEPT[keep]} (--keep {keep}).")
    if recipe.get("mask"):
        said.append(
            f"Only what is white in {recipe['mask']} was changed (--mask); shares of the picture "
            "are shares of that."
        )
    return said


def parts(said: str) -> list[tuple[str, str]]:
    """Return a sentence in parts: each a "colour", a "code" or "words", and its text."""
    found = []
    said = said.replace(" %", "\u00a0%")
    for part in re.split(r"(#[0-9a-f]{6}|`[^`]*`|--[a-z][a-z-]*)", said):
        if part.startswith("#") and len(part) == len("#rrggbb"):
            found.append(("colour", part))
        elif part.startswith(("`", "--")):
            found.append(("code", part.strip("`")))
        elif part:
            found.append(("words", part))
    return found


def figures(plan: TransportPlan) -> list[Told]:
    """Return the figures of a plan, each with its meaning."""
    told = [
        Told(
            name="Cost of this matching",
            value=number(plan.value),
            said="How much the two sides must be bent to fit, squared; 0 is a perfect fit. Lengths "
            "are in units of the sides' spread.",
        ),
        Told(
            name="Distance",
            value=number(plan.distance),
            said="The root of the cost: how far apart the two are as wholes.",
        ),
    ]
    if plan.bound is None:
        bound, said = "none", "Nothing is proved about how much lower the cost could be."
    else:
        bound, said = number(plan.bound), "Proved: no matching of these groups costs less."
    told.append(Told(name="Lowest possible cost", value=bound, said=said))
    if plan.starts > 1:
        told.append(
            Told(
                name="Searches that agree",
                value=f"{plan.reached} of {plan.starts}",
                said="Searches from different beginnings that ended within 0.1 % of this cost. "
                "Many: chance played no part. Few: ask for more.",
            )
        )
    told.append(
        Told(
            name="Came to rest",
            value="yes" if plan.converged else "no",
            said="Whether the search ended by itself."
            if plan.converged
            else "The search was stopped; with more iterations the cost may still fall.",
        )
    )
    told.append(
        Told(
            name="Method",
            value=plan.solver,
            said={
                "mw2": "Optimal transport between mixtures of Gaussians in one space.",
                "mgw2": "Gromov–Wasserstein between mixtures: only distances inside each side are "
                "compared.",
                "mew2": "Transport after the best isometric embedding of one space in the other.",
            }.get(plan.solver, "A method of an installed package."),
        )
    )
    return told


FIRST = (recipefile.COMMAND, "file", "source", "target", "palette")
"""Keywords with which a recipe begins."""

MEASURES = {
    "luminance_order": "Bright stays bright",
    "distance_correlation": "Differences keep their size",
    "distance_rank_correlation": "Differences keep their order",
    "edges_kept": "Edges still seen",
    "edges_made": "Edges invented",
    "noise_gain": "Noise",
    "structure": "Structure of the light",
    "gradient_correlation": "Gradients of the light",
    "palette_distance": "Distance from the palette",
}


def measures(judgement: Judgement) -> list[Told]:
    """Return the figures of `gwtransfer measure`, each with its meaning."""
    from gwtransfer.tally import MEANINGS

    return [
        Told(
            name=MEASURES.get(figure.key, figure.key.replace("_", " ")),
            value="—" if isnan(figure.value) else f"{figure.value:.3f}",
            said=f"undefined: {figure.undefined}" if figure.undefined else MEANINGS[figure.key],
        )
        for figure in judgement.figures
    ]


def recipes(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was done as recipes, each with the name of its file and its text."""
    found = []
    own = provenance.get("recipe")
    sides = [provenance.get(side, {}).get("recipe") for side in ("source", "target")]
    steps = [*zip(("source", "target"), sides, strict=True), ("", own)]
    for name, recipe in steps:
        if isinstance(recipe, Mapping):
            command = str(recipe.get(recipefile.COMMAND, "recipe"))
            said = {recipefile.VERSION: provenance.get("gwtransfer", __version__)}
            first = [key for key in FIRST if key in recipe]
            said |= {key: recipe[key] for key in first}
            said |= {key: _in_order(recipe[key]) for key in sorted(recipe.keys() - {*first})}
            file = f"{command}-{name}.toml" if name else f"{command}.toml"
            found.append((file, recipefile.text(said)))
    return found


def _in_order(value: Any) -> Any:
    """Return options of a stage by name, the stage first: the same from memory and from a file."""
    if not isinstance(value, Mapping):
        return value
    return {key: value[key] for key in sorted(value, key=lambda key: (key != "stage", key))}
