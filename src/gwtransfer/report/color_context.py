"""What the template of the colour report is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import to_space
from gwtransfer.core.types import TransportPlan
from gwtransfer.diagnosing import Diagnosis
from gwtransfer.judging import Judgement
from gwtransfer.report import color_charts, color_words, flows
from gwtransfer.report.color_looks import Looked, Made
from gwtransfer.report.color_sides import Sides
from gwtransfer.report.inlined import MOST_SIDE, Inlined, inlined
from gwtransfer.report.page import packed
from gwtransfer.report.places import Places
from gwtransfer.report.shares import percent
from gwtransfer.report.shown import Seen

Array = NDArray[np.float64]
Context = dict[str, Any]

THUMBNAIL = 560
"""Pixels of the longer side of a palette's picture."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """All that is known of a plan when its page is made.

    Attributes
    ----------
    plan : TransportPlan
    provenance : mapping
    sides : Sides
    name : str
        Of the plan's file.
    source, target : Looked
    result : Made
    judgement : Judgement or None
    diagnosis : Diagnosis
    """

    plan: TransportPlan
    provenance: Mapping[str, Any]
    sides: Sides
    name: str
    source: Looked
    target: Looked
    result: Made
    judgement: Judgement | None
    diagnosis: Diagnosis

    def context(self, most: int) -> Context:
        """Return what the template names; a picture takes ``most`` bytes at most."""
        diagram = self._diagram()
        pictures = self._pictures(most)
        shown = color_charts.shown_clouds(
            self.plan,
            self.source,
            self.target,
            self.result,
            names=(self._name("source"), self._name("target")),
            drawn=self.sides.source is None,
        )
        context: Context = {
            "source": self._name("source"),
            "target": self._name("target"),
            "source_kind": color_words.kind(self.plan.source),
            "target_kind": color_words.kind(self.plan.target),
            "source_is_cube": color_words.is_cube(self.plan.source),
            "target_is_cube": color_words.is_cube(self.plan.target),
            "source_said": self.source.showing.said,
            "target_said": self.target.showing.said,
            "source_size": None if self.sides.source is None else _size(self.sides.source),
            "plan_name": self.name,
            **pictures,
            "story": self._story(diagram),
            "missing": self._missing(),
            "preview": self.sides.source is not None and self.sides.result is None,
            "diagram": diagram,
            "label": flows.LABEL,
            "swatch": flows.SWATCH,
            "percent": percent,
            "names": {"source": _names(diagram.left), "target": _names(diagram.right)},
            "rows": self._rows(diagram),
            "spectra": color_charts.spectra(self.plan.source),
            "relaxed": color_words.is_relaxed(self.plan),
            "clouds": [{key: one[key] for key in ("id", "title", "said")} for one in shown],
            "measures": color_words.measures(self.judgement) if self.judgement else [],
            "whole": self.judgement is None or self.judgement.whole,
            "diagnosis": [color_words.parts(said) for said in self.diagnosis.sentences],
            "figures": color_words.figures(self.plan),
            "history": color_charts.history(self.plan.history),
            "recipes": color_words.recipes(self.provenance),
            "data": {
                "coupling": _nonzeros(self.plan.coupling),
                "lightness": {
                    "source": _lightness(self.result.became),
                    "target": _lightness(self.target.own),
                },
                "names": {
                    "source": _names(diagram.left),
                    "target": _names(diagram.right),
                },
                "places": {
                    "source": _packed(self.source.places),
                    "target": _packed(self.target.places),
                },
                "clouds": {one["id"]: one["cloud"] for one in shown},
            },
        }
        context["sections"] = _sections(context)
        return context

    def _name(self, side: str) -> str:
        """Return what to call a side: its file, now or when the plan was made."""
        raster = getattr(self.sides, side)
        if raster is not None and " + " not in raster.name:
            return PurePath(raster.name).name
        made_of = self.provenance.get(side, {})
        said = made_of.get("input", {}).get("name")
        more = len(made_of.get("pooled", ()))
        if said is None:
            return f"the {side}"
        return f"{said} and {more} more" if more else str(said)

    def _pictures(self, most: int) -> Context:
        """Return the pictures: before in colours and gray, after, and the palette."""
        before = self.source.seen
        after, palette = self.result.seen, self.target.seen
        colours = gray = None
        if before is not None:
            colours = inlined(before.colours, before.opaque, most=most)
            if not color_words.is_gray(self.plan.source):
                gray = inlined(before.grays, before.opaque, most=most)
        return {
            "before": colours,
            "gray": gray,
            "after": _inlined(after, most),
            "palette": _inlined(palette, most, THUMBNAIL),
        }

    def _story(self, diagram: flows.Diagram) -> Context:
        judged = self.judgement
        order = float("nan") if judged is None else judged.value("luminance_order")
        own = {one.index: one for one in diagram.left}
        got = {one.index: one.name for one in diagram.right}
        return {
            "matched": color_words.matched(self.plan, self._name("source"), self._name("target")),
            "largest": color_words.largest(self.plan),
            "flows": [
                {
                    "from": own[ribbon.source].colour,
                    "to": ribbon.colours[1],
                    "said": f"source group {own[ribbon.source].name} to palette group "
                    f"{got[ribbon.target]}",
                    "share": percent(ribbon.mass),
                }
                for ribbon in diagram.ribbons[:3]
            ],
            "trust": color_words.trust(self.plan),
            "brightness": color_words.brightness(order),
            "partly": color_words.partly(self._carried_out()),
            "between": color_words.between(self.diagnosis, self._carried_out()),
        }

    def _carried_out(self) -> Mapping[str, Any]:
        """Return the provenance; without a result only its map, as that is all that is shown."""
        if self.sides.result is not None:
            return self.provenance
        return {"recipe": {"map": self.provenance.get("recipe", {}).get("map", {})}}

    def _missing(self) -> str:
        """Return what was not given, and what it would show; nothing where all is there."""
        sides = self.sides
        if sides.source is None:
            return (
                "This page was made of the plan alone: its colours are those of the two mixtures. "
                "To see the pictures, where each colour sits, and measures of the result, name the "
                "files too:"
            )
        missing = [
            word
            for word, one in (("TARGET", sides.target), ("RESULT", sides.result))
            if one is None
        ]
        if not missing:
            return ""
        preview = "the picture is what the usual map makes of the source, and "
        return (
            f"This page was made without {' and '.join(missing)}: "
            f"{preview if sides.result is None else ''}part of it is missing. Name all files:"
        )

    def _diagram(self) -> flows.Diagram:
        plan = self.plan
        assert plan.attained is not None
        own = self.source.own
        return flows.diagram(
            plan.coupling,
            flows.Side(
                weights=plan.source.weights,
                used=plan.source.weights,
                colours=own,
                became=self.result.became,
            ),
            flows.Side(
                weights=plan.target.weights,
                used=plan.attained,
                colours=self.target.own,
                became=self.target.own,
            ),
        )

    def _rows(self, diagram: flows.Diagram) -> list[Context]:
        """Return a line for each component of the source, the heaviest first."""
        names = {one.index: one for one in diagram.right}
        ordered = sorted(diagram.left, key=lambda one: (-one.weight, one.index))
        return [
            {
                "swatch": one,
                "weight": percent(one.weight),
                "flows": [
                    (names[ribbon.target], percent(ribbon.mass))
                    for ribbon in diagram.ribbons
                    if ribbon.source == one.index
                ],
            }
            for one in ordered
        ]


def _names(column: Sequence[flows.Swatch]) -> list[str]:
    """Return the names of a side's components, in their order."""
    return [one.name for one in sorted(column, key=lambda one: one.index)]


def _lightness(colours: NDArray[np.uint8]) -> list[float]:
    """Return how light colours (K, 3) are, from 0 to 1."""
    return [round(float(light), 3) for light in to_space(colours / 255, "oklab")[:, 0]]


def _size(raster: Any) -> str:
    return color_words.size(raster)


def _inlined(picture: Seen | None, most: int, most_side: int = MOST_SIDE) -> Inlined | None:
    if picture is None:
        return None
    return inlined(picture.colours, picture.opaque, most=most, most_side=most_side)


def _nonzeros(coupling: Array) -> list[list[list[float]]]:
    """Return of each row of a coupling the columns that hold something, and what they hold."""
    rows = coupling.round(9)
    return [
        [[column, float(row[column])] for column in np.flatnonzero(row).tolist()] for row in rows
    ]


def _packed(places: Places | None) -> Context | None:
    """Return a map of places as scripts read it."""
    if places is None:
        return None
    rows, columns = places.labels.shape
    return {
        "rows": rows,
        "columns": columns,
        "count": places.count,
        "labels": packed(places.labels),
    }


def _sections(context: Context) -> list[str]:
    """Return the names of the sections that a page has, from top to bottom."""
    there = {
        "result": True,
        "sides": context["before"] is not None,
        "mixtures": True,
        "places": context["data"]["places"]["source"] is not None,
        "flow": True,
        "clouds": True,
        "measures": bool(context["measures"]),
        "trust": True,
        "diagnosis": True,
        "recipe": bool(context["recipes"]),
    }
    return [name for name, shown in there.items() if shown]
