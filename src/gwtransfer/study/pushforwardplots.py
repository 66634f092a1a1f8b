"""What `study pushforward` draws."""

import numpy as np

from gwtransfer.adapters import curves
from gwtransfer.core.pushforward import exact_fit_constant
from gwtransfer.study.law import Law
from gwtransfer.study.lipschitz import BestMap
from gwtransfer.study.outcome import Outcome

NAMES = {"one": "one heap", "two": "two heaps", "three": "three heaps"}
"""What the plots call the sources."""

SHOWN = 3.0
"""μ of the target that is drawn and spoken of."""


def distances(best: list[Outcome], others: list[Outcome]) -> curves.Figure:
    """Return the distances against L, and against the modes' place, with their bounds below."""
    modes = sorted({row.mode for row in best if row.mode > 0})
    by_constant = []
    for number, mode in enumerate([mode for mode in modes if mode in (1, 2, 3, 4, 6, 10)]):
        rows = [row for row in best if row.mode == mode]
        by_constant += _with_bound(f"μ = {mode:g}", rows, [row.constant for row in rows], number)
    constants = sorted({row.constant for row in best if row.constant is not None})
    by_mode = []
    for number, constant in enumerate([value for value in constants if value in (2, 5, 20)]):
        rows = [row for row in best if row.constant == constant]
        by_mode += _with_bound(f"best, L = {constant:g}", rows, [row.mode for row in rows], number)
    own = []
    for number, (source, name) in enumerate(NAMES.items()):
        rows = [row for row in others if row.map == "mean" and row.source == source]
        own.append(
            curves.Series(
                label=f"T_mean, {name}",
                x=[row.mode for row in rows],
                y=[row.distance for row in rows],
                style="joined",
                colour=3 + number,
            )
        )
    rows = [row for row in others if row.map == "rand"]
    own.append(
        curves.Series(
            label="T_rand, each",
            x=[row.mode for row in rows],
            y=[row.distance for row in rows],
            style="dots",
            colour=6,
        )
    )
    misplaced = "share of the mass misplaced (TV)"
    return curves.Figure(
        panels=(
            curves.Panel(
                series=tuple(by_constant),
                title="Best map from N(0, 1); dashed: the bound for any map",
                across="L, the most a map may stretch",
                up=misplaced,
                log_across=True,
            ),
            curves.Panel(
                series=tuple(by_mode),
                title="Farther modes; dashed: the bound for L",
                across="μ, half the distance of the modes",
                up=misplaced,
            ),
            curves.Panel(
                series=tuple(own),
                title="The library's own two maps",
                across="μ, half the distance of the modes",
                up=misplaced,
            ),
        ),
        columns=3,
    )


def _with_bound(
    label: str, rows: list[Outcome], across: list[float | None] | list[float], colour: int
) -> list[curves.Series]:
    x = np.array(across, dtype=np.float64)
    return [
        curves.Series(label=label, x=x, y=[row.distance for row in rows], colour=colour),
        curves.Series(
            label="", x=x, y=[row.bound or 0.0 for row in rows], style="dashed", colour=colour
        ),
    ]


def shapes(
    maps: list[BestMap], constants: tuple[float, ...], others: list[Outcome]
) -> curves.Figure:
    """Return what maps do to N(0, 1) at SHOWN, and the least constants of an exact fit."""
    law = Law.balanced(SHOWN)
    edges = np.linspace(*law.reach, 221)
    middles = (edges[1:] + edges[:-1]) / 2
    densities = [
        curves.Series(label="wanted", x=middles, y=law.density(middles), style="dashed", colour=6)
    ]
    paths = []
    chosen = [place for place, constant in enumerate(constants) if constant in (2, 5, 20)]
    for number, place in enumerate(chosen):
        path, label = maps[place].path, f"L = {constants[place]:g}"
        masses = np.diff(path.cdf(edges)) / np.diff(edges)
        densities.append(curves.Series(label=label, x=middles, y=masses, colour=number))
        inside = np.abs(path.nodes) <= 3
        paths.append(
            curves.Series(label=label, x=path.nodes[inside], y=path.images[inside], colour=number)
        )
    scores = np.linspace(-3, 3, 1201)
    paths.append(
        curves.Series(
            label="exact fit", x=scores, y=law.quantiles(scores), style="dashed", colour=6
        )
    )
    exact = [row for row in others if row.map == "exact"]
    needed = (
        curves.Series(
            label="largest slope found",
            x=[row.mode for row in exact],
            y=[row.slope for row in exact],
            style="dots",
        ),
        curves.Series(
            label="exp(μ²/2)",
            x=[row.mode for row in exact],
            y=[float(exact_fit_constant(2 * row.mode)) for row in exact],
            style="dotted",
            colour=6,
        ),
    )
    return curves.Figure(
        panels=(
            curves.Panel(
                series=tuple(densities),
                title=f"What the best maps make of N(0, 1), μ = {SHOWN:g}",
                across="image",
                up="density",
            ),
            curves.Panel(
                series=tuple(paths), title="The maps", across="point of N(0, 1)", up="image"
            ),
            curves.Panel(
                series=needed,
                title="The least L that fits exactly",
                across="μ, half the distance of the modes",
                up="L",
                log_up=True,
            ),
        ),
        columns=3,
    )
