"""The colour report: what became what and where, how good it is, and how far to trust it."""

from collections.abc import Mapping
from typing import Any

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.diagnosing import diagnose
from gwtransfer.imaging import Progress, silent
from gwtransfer.judging import judge
from gwtransfer.recipe import Recipe
from gwtransfer.report.color_context import Known
from gwtransfer.report.color_looks import looked, made
from gwtransfer.report.color_sides import Sides, check_still, opened
from gwtransfer.report.page import Page, render

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
    result = made(plan, sides, source, target)
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
    diagnosis = diagnose(
        plan, source=sides.source, target=sides.target, recipe=map_recipe(provenance)
    )
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
    context = known.context()
    text = render("color.html.j2", context, scripts=("turning.js", "color.js"))
    return Page(kind="color", text=text, sections=tuple(context["sections"]), notes=sides.notes)


def map_recipe(provenance: Mapping[str, Any]) -> Recipe:
    """Return the options of the map that a plan was stored with, and that are diagnosed."""
    held = provenance.get("recipe", {}).get("map", {})
    kept = {name: held[name] for name in ("gain_cap", "restored") if name in held}
    return Recipe(options={"map": kept})


def _palette(sides: Sides) -> Raster | None:
    """Return the target where the result can be compared with it."""
    target, result = sides.target, sides.result
    if target is None or result is None:
        return None
    alike = target.kind == result.kind and (
        target.kind == "picture" or target.bands == result.bands
    )
    return target if alike else None
