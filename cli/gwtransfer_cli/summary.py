"""The lines a job says when it is done."""

from math import isfinite, isnan
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gwtransfer.core.raster import Raster
    from gwtransfer.core.types import GaussianMixture, TransportPlan


class Clock:
    """Counts seconds from when it is made."""

    def __init__(self) -> None:
        self._start = perf_counter()

    def __str__(self) -> str:
        return f"{perf_counter() - self._start:.1f} s"


def number(value: float | None) -> float | None:
    """Return a number as JSON holds it: none where it is undefined."""
    return None if value is None or not isfinite(value) else float(value)


def raster_figures(raster: "Raster") -> dict[str, Any]:
    """Return name and size of a raster."""
    return {
        "file": raster.name,
        "kind": raster.kind,
        "rows": raster.frame_rows,
        "columns": raster.columns,
        "bands": raster.bands,
        "frames": None if raster.film is None else raster.film.frames,
        "dtype": str(raster.dtype),
    }


def mixture_figures(mixture: "GaussianMixture") -> dict[str, Any]:
    """Return the size of a mixture, and where it lives."""
    return {
        "components": mixture.count,
        "dimension": mixture.dimension,
        "bands": mixture.space.raw_dimension,
        "coordinates": mixture.space.coordinates,
        "seed": mixture.seed,
    }


def plan_figures(plan: "TransportPlan") -> dict[str, Any]:
    """Return solver, value, certificate and how many starts agree."""
    return {
        "solver": plan.solver,
        "value": number(plan.value),
        "root": number(plan.distance),
        "bound": number(plan.bound),
        "starts": plan.starts,
        "reached": plan.reached,
        "converged": plan.converged,
        "proportions_left": number(plan.proportions_left),
        "source": mixture_figures(plan.source),
        "target": mixture_figures(plan.target),
    }


def raster_line(word: str, raster: "Raster") -> str:
    """Return name and size of a raster."""
    bands = "1 band" if raster.bands == 1 else f"{raster.bands} bands"
    frames = "" if raster.film is None else f"{raster.film.frames} frames of "
    rows = "" if raster.rows == 1 else f"{raster.frame_rows} × "
    size = f"{frames}{rows}{raster.columns} pixels, {bands}, {raster.dtype}"
    return f"{word:<9}{raster.name}: {size}"


def fit_line(plan: "TransportPlan") -> str:
    """Return what was fitted on either side."""
    return f"{'fit':<9}{mixture_words(plan.source)}; {mixture_words(plan.target)}"


def mixture_words(mixture: "GaussianMixture") -> str:
    """Return how many components a mixture has and in which axes."""
    space = mixture.space
    axes = "1 axis" if space.dimension == 1 else f"{space.dimension} axes"
    if space.dimension < space.raw_dimension:
        axes = f"{space.dimension} principal axes of {space.raw_dimension}"
    count = "1 component" if mixture.count == 1 else f"{mixture.count} components"
    return f"{count} in {axes}"


def plan_line(plan: "TransportPlan") -> str:
    """Return solver, value, certificate and how many starts agree."""
    from gwtransfer.core.types import SHAPES

    words = f"{'plan':<9}{plan.solver}, value {plan.value:.6g}"
    if plan.bound is not None:
        words += f", bound {plan.bound:.6g}"
    if plan.proportions_left >= 0.005:
        whose = "target's" if plan.target.space.coordinates in SHAPES else "palette's"
        words += f", {plan.proportions_left:.0%} out of the {whose} proportions"
    if plan.starts > 1:
        words += f", {plan.reached} of {plan.starts} starts agree"
    if not plan.converged:
        words += ", not converged"
    return words


def result_line(output: Path, order: float, clock: Clock) -> str:
    """Return where the result is, whether bright stayed bright, and the time."""
    kept = "undefined" if isnan(order) else f"{order:+.3f}"
    return f"{'result':<9}{output}: luminance order kept {kept}, {clock}"
