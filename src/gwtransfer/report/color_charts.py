"""Lines and clouds of the colour report: mean spectra, the course of a search, colours in space."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.report import clouds, color_words, lines
from gwtransfer.report.color_looks import Looked, Made

Array = NDArray[np.float64]
Context = dict[str, Any]

SPECTRUM, CHART = (120.0, 30.0), (440.0, 120.0)
"""Width and height of the line of a spectrum, and of the search's costs."""

SEEN_FALL = 0.005
"""Share of its first cost that a search must save for its line to be worth showing."""

TABLED_BANDS = 16
"""Bands of spectra that a table tells."""


def spectra(mixture: GaussianMixture) -> Context | None:
    """Return the mean spectrum of each component of a cube, as a line and as a table."""
    space = mixture.space
    if not color_words.is_cube(mixture) or space.raw_dimension < 3:
        return None
    means = space.to_raw(mixture.means)
    waves = space.wavelengths
    x = np.arange(space.raw_dimension) if waves is None else np.asarray(waves)
    order = np.argsort(x, kind="stable")
    x, means = x[order].astype(np.float64), means[:, order]
    ends = (float(means.min()), float(means.max()))
    count = min(len(x), TABLED_BANDS)
    picked = np.unique(np.linspace(0, len(x) - 1, count).round().astype(np.intp))
    heads = [f"band {order[band] + 1}" if waves is None else f"{x[band]:.0f} nm" for band in picked]
    width, height = SPECTRUM
    return {
        "width": width,
        "height": height,
        "first": heads[0],
        "last": heads[-1],
        "lines": {
            k: lines.path(
                x,
                means[k],
                across=(float(x[0]), float(x[-1])),
                up=ends,
                width=width,
                height=height,
            )
            for k in range(mixture.count)
        },
        "heads": heads,
        "table": {
            k: [color_words.number(value) for value in means[k, picked]]
            for k in range(mixture.count)
        },
    }


def history(costs: Array) -> Context | None:
    """Return the costs of the chosen search, step by step, as a line."""
    if len(costs) < 3 or costs[0] - costs[-1] < SEEN_FALL * costs[0]:
        return None
    width, height = CHART
    ends = (float(costs.min()), float(costs.max()))
    return {
        "width": width,
        "height": height,
        "steps": len(costs) - 1,
        "first": color_words.number(float(costs[0])),
        "last": color_words.number(float(costs[-1])),
        "line": lines.path(
            np.arange(len(costs), dtype=np.float64),
            costs,
            across=(0.0, len(costs) - 1.0),
            up=ends,
            width=width,
            height=height,
        ),
    }


def shown_clouds(
    plan: TransportPlan,
    source: Looked,
    target: Looked,
    result: Made,
    *,
    names: tuple[str, str],
    drawn: bool,
) -> list[Context]:
    """Return the clouds of source, result and palette; those in one space have one scale.

    Parameters
    ----------
    names : tuple of 2 str
        What source and palette are called.
    drawn : bool
        Points are drawn from the plan's mixtures, and are not pixels.
    """
    flat = not color_words.is_cube(plan.target)
    together = [result.points, target.points]
    in_colours = not color_words.is_cube(plan.source)
    if flat and in_colours:
        together.append(source.points)
    reach = clouds.radius(*together)
    own = reach if flat and in_colours else clouds.radius(source.points)
    from_plan = ", points drawn from the plan" if drawn else ""
    where = "up is brighter" if flat else "along its three main axes"
    if in_colours:
        before, coloured = "its pixels by their colour; up is brighter", source.colours
    else:
        before = "its pixels along the cube's three main axes, in the colours they got"
        coloured = result.colours
    return [
        {
            "id": "cloud-source",
            "title": "Source",
            "said": f"{names[0]}: {before}{from_plan}",
            "cloud": clouds.cloud(source.points, coloured, own, light=in_colours),
        },
        {
            "id": "cloud-result",
            "title": "Result",
            "said": f"the same pixels by the colour they got; {where}{from_plan}",
            "cloud": clouds.cloud(result.points, result.colours, reach, light=flat),
        },
        {
            "id": "cloud-palette",
            "title": "Palette",
            "said": f"{names[1]}: the colours there were to take; {where}",
            "cloud": clouds.cloud(target.points, target.colours, reach, light=flat),
        },
    ]
