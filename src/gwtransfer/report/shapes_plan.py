"""The page of a plan between two shapes: which part of one became which part of the other."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import Cloud, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.opening import Opening
from gwtransfer.report.flows import LABEL, SWATCH, Diagram, Side, diagram
from gwtransfer.report.page import Page, render
from gwtransfer.report.shapes_page import Progress, recipe_text, sections_of
from gwtransfer.report.shapes_parts import colours_of, views
from gwtransfer.report.shapes_views import bytes_of
from gwtransfer.report.shapes_words import Figure
from gwtransfer.report.shares import percent

Array = NDArray[np.float64]

LARGEST = 4
"""Flows of a part that the table tells; smaller ones are pooled."""

WHOLE = 0.99
"""Share of a part from which on its largest flow is all of it to the eye."""

KINDS = {
    "xyz": "places in space",
    "spectral": "coordinates along the surface, which bending and posing leave alone",
}


def plan_page(
    plan: TransportPlan,
    provenance: dict[str, Any],
    path: Path,
    source: Path | None,
    target: Path | None,
    *,
    progress: Progress,
) -> Page:
    """Return the page of a plan between shapes.

    Parameters
    ----------
    source, target : Path or None
        What the mixtures were fitted to; None shows the mixtures as ellipsoids.

    Raises
    ------
    UsageError, DataError, ReadError
        One shape without the other, no shapes, or others than those of the plan.
    """
    if (source is None) != (target is None):
        raise UsageError("expected SOURCE and TARGET, or neither, found one of them")
    progress("read", 0, 0)
    shapes = None if source is None or target is None else _shapes(source, target)
    progress("draw", 0, 0)
    pair, owners = views(plan, shapes, provenance)
    names = [_name(provenance, side) for side in ("source", "target")]
    recipe = provenance.get("recipe")
    text = render(
        "shapes_plan.html.j2",
        {
            "names": names,
            "ellipsoids": shapes is None,
            "spectral": plan.source.space.coordinates == "spectral",
            "plan_name": path.name,
            "blended": bool((_shares_of(plan).max(axis=1) < WHOLE).any()),
            "agreement": _agreement(plan),
            "trust": _trust(plan),
            "diagram": _diagram(plan),
            "label": LABEL,
            "swatch": SWATCH,
            "percent": percent,
            "flows": _flows(plan),
            "figures": _figures(plan),
            "coordinates": KINDS.get(plan.source.space.coordinates, "points"),
            "recipe": recipe_text(recipe) if isinstance(recipe, dict) else None,
            "data": {"pair": pair, "owners": owners, "coupling": _shares(plan)},
        },
        scripts=("turning.js", "shapes_plan.js"),
    )
    return Page(kind="match", text=text, sections=sections_of(text))


def _shapes(source: Path, target: Path) -> tuple[Cloud, Cloud]:
    opened: list[Cloud] = []
    for path, item in zip((source, target), Opening()(source, target), strict=True):
        if not isinstance(item, Cloud):
            raise DataError(f"{path}: expected a shape, found a picture or cube")
        opened.append(item)
    return opened[0], opened[1]


def _name(provenance: dict[str, Any], side: str) -> str:
    made = provenance.get(side)
    found = made.get("input") if isinstance(made, dict) else None
    return str(found.get("name", side)) if isinstance(found, dict) else side


def _shares(plan: TransportPlan) -> list[list[float]]:
    """Return the coupling as shares of each source component, for highlights."""
    return [[round(value, 4) for value in row] for row in _shares_of(plan).tolist()]


def _shares_of(plan: TransportPlan) -> Array:
    return np.asarray(plan.coupling / plan.coupling.sum(axis=1, keepdims=True))


def _agreement(plan: TransportPlan) -> str:
    main = plan.coupling.max(axis=1) / plan.coupling.sum(axis=1)
    whole = int((main > 0.5).sum())
    return (
        f"Each shape is described by soft parts, {plan.source.count} and {plan.target.count} of "
        f"them. {whole} of the first shape's parts go mainly to one part of the second; "
        f"{percent(float(plan.coupling.max(axis=1).sum()))} of the whole follows the largest flow "
        "of its part."
    )


def _trust(plan: TransportPlan) -> str:
    words = "This couples parts, not points: gwtransfer match goes on to the points. "
    if plan.bound is not None and plan.value > 0:
        words += (
            f"It is proved that no plan costs less than {percent(plan.bound / plan.value)} of what "
            "this one does. "
        )
    if plan.starts > 1:
        ends = {
            0: "none ended as low: the best was bettered by disturbing it, so there may be others",
            1: "one ended here, so another may be better still",
        }
        words += (
            f"Of {plan.starts} searches {ends.get(plan.reached, f'{plan.reached} ended here')}."
        )
    return words.strip()


def _diagram(plan: TransportPlan) -> Diagram:
    first, second = (bytes_of(colours) for colours in colours_of(plan))
    attained = plan.coupling.sum(axis=0)
    return diagram(
        plan.coupling,
        Side(weights=plan.source.weights, used=plan.source.weights, colours=first, became=first),
        Side(weights=plan.target.weights, used=attained, colours=second, became=second),
    )


def _flows(plan: TransportPlan) -> list[dict[str, Any]]:
    """Return the flows of each source component, the heaviest first."""
    drawn = _diagram(plan)
    names = {swatch.index: swatch.name for swatch in drawn.right}
    rows = []
    for swatch in sorted(drawn.left, key=lambda one: -one.weight):
        share = plan.coupling[swatch.index] / plan.coupling[swatch.index].sum()
        order = [int(one) for one in np.argsort(-share, kind="stable")[:LARGEST]]
        rows.append(
            {
                "name": swatch.name,
                "weight": percent(swatch.weight),
                "to": ", ".join(
                    f"{names[one]} {percent(float(share[one]))}"
                    for one in order
                    if share[one] >= 0.005
                ),
            }
        )
    return rows


def _figures(plan: TransportPlan) -> list[Figure]:
    found = [
        Figure(
            name="Distance",
            value=f"{plan.distance:.4g}",
            meaning="The root of the plan's cost, in radii of the shapes: 0 is the same. It "
            "compares only with distances made by the same options.",
        ),
        Figure(name="Value", value=f"{plan.value:.4g}", meaning="The cost itself."),
    ]
    if plan.bound is not None:
        found.append(
            Figure(
                name="Bound",
                value=f"{plan.bound:.4g}",
                meaning="No plan between these mixtures can cost less.",
            )
        )
    return [
        *found,
        Figure(
            name="Searches",
            value=str(plan.starts),
            meaning=f"{plan.reached} of them ended at this cost"
            + ("." if plan.converged else "; the best was stopped before it had settled."),
        ),
    ]
