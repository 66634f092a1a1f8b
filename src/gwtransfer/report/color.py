"""The colour report: what became what and where, how good it is, and how far to trust it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.diagnosing import diagnose, kept_map
from gwtransfer.imaging import Progress, silent
from gwtransfer.judging import judge
from gwtransfer.recipe import Recipe
from gwtransfer.report.color_context import Known
from gwtransfer.report.color_looks import looked, made
from gwtransfer.report.color_sides import Sides, check_still, opened
from gwtransfer.report.inlined import MOST_BYTES
from gwtransfer.report.page import Page, TooLargeError, render

PICTURES = (MOST_BYTES, 250_000, 80_000)
"""Bytes of a picture at most: the first with which the page is small enough."""

__all__ = ["Sides", "check_still", "opened", "page"]


def page(
    plan: TransportPlan,
    provenance: Mapping[str, Any],
    sides: Sides,
    *,
    name: str,
    seed: int = 0,
    progress: Progress = silent,
) -> Page:
    """Return the page of a plan.

    Parameters
    ----------
    provenance : mapping
        Where the plan comes from.
    name : str
        Of the plan's file.
    seed : int
        What the measures draw by.

    Raises
    ------
    DataError
        The result cannot be judged.
    """
    progress("look", 0, 0)
    source = looked(plan.source, sides.source)
    pool = sides.target is not None and sides.target.rows == 1  # of several palettes
    target = looked(plan.target, sides.target, pictured=not pool)
    recipe = Recipe(options={"map": kept_map(provenance)})
    result = made(plan, sides, source, target, recipe.build("map"))
    judgement = None
    if sides.source is not None and sides.result is not None:
        judgement = judge(
            sides.source,
            sides.result,
            palette=_palette(sides),
            seed=seed,
            progress=progress,
        )
    progress("diagnose", 0, 0)
    diagnosis = diagnose(plan, source=sides.source, target=sides.target, recipe=recipe)
    known = Known(
        plan=plan,
        provenance=provenance,
        sides=sides,
        name=name,
        source=source,
        target=target,
        result=result,
        judgement=judgement,
        diagnosis=diagnosis,
    )
    for most in PICTURES:
        context = known.context(most)
        with suppress(TooLargeError):
            text = render("color.html.j2", context, scripts=("turning.js", "color.js"))
            break
    else:
        raise TooLargeError(f"{name}: the page is too large without pictures, too")
    return Page(kind="color", text=text, sections=tuple(context["sections"]), notes=sides.notes)


def _palette(sides: Sides) -> Raster | None:
    """Return the target where the result can be compared with it."""
    target, result = sides.target, sides.result
    if target is None or result is None:
        return None
    alike = target.kind == result.kind and (
        target.kind == "picture" or target.bands == result.bands
    )
    return target if alike else None
