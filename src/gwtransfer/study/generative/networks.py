"""Trained networks beside the maps of `study pushforward`: rows, words and pictures."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import curves
from gwtransfer.core.pushforward import exact_fit_constant
from gwtransfer.imaging import Progress, silent
from gwtransfer.study.generative import lines, pictures
from gwtransfer.study.generative.lines import KINDS, Trained
from gwtransfer.study.generative.pictures import Data, Drawn
from gwtransfer.study.law import Law
from gwtransfer.study.outcome import Outcome
from gwtransfer.study.output import Findings

Array = NDArray[np.float64]

NAMES = {"vae": "autoencoder", "gan": "adversarial network", "score": "score model"}
"""What words and plots call the networks."""

SHOWN = 3.0
"""μ of the targets whose points are drawn."""

ACROSS = 12
"""Pictures along each side of a sheet."""


def beside(findings: Findings, *, progress: Progress = silent) -> Findings:
    """Return findings with what networks make of the same targets, and of pictures of digits."""
    trained = lines.study(progress=progress)
    data = Data.of_digits()
    return joined(findings, trained, data, pictures.study(data, progress=progress))


def joined(findings: Findings, trained: list[Trained], data: Data, drawn: list[Drawn]) -> Findings:
    """Return findings with the rows, words and pictures of networks."""
    on_lines = [one.outcome for one in trained]
    on_pictures = [one.outcome for one in drawn]
    outcomes = [*on_lines, *on_pictures]
    return replace(
        findings,
        sentences=(
            *findings.sentences,
            *_on_lines(on_lines, len(trained[0].points)),
            _on_pictures(on_pictures, data, drawn),
        ),
        rows=(*findings.rows, *(outcome.row for outcome in outcomes)),
        figures={
            **findings.figures,
            "results": _curves(trained, data, drawn),
            "samples": _sheets(data, drawn),
        },
        summary={
            **findings.summary,
            "networks_between": {
                f"{one.target} {one.mode:.3g} {one.map}": one.between for one in outcomes
            },
            "networks_constant": {
                f"{one.target} {one.mode:.3g} {one.map}": one.constant for one in outcomes
            },
            "digits_between": data.between,
            "digits_nearest": float(np.median(data.nearest)),
            "networks_nearest": {one.outcome.map: float(np.median(one.nearest)) for one in drawn},
        },
    )


def _on_lines(outcomes: list[Outcome], count: int) -> tuple[str, ...]:
    far = max(one.mode for one in outcomes)
    rows = {one.map: one for one in outcomes if one.mode == far}
    wanted = next(iter(rows.values())).wanted
    bounded = [one for one in outcomes if one.bound is not None]
    below = sum(not one.holds for one in bounded)
    excess = max(one.between - one.wanted for one in outcomes if one.map == "score")
    gentle = max(one.slope for one in outcomes if one.map == "score")
    return (
        "Networks that make a point of N(0, I) in one step are maps like any other. At "
        f"μ = {far:g} the {NAMES['vae']} puts {rows['vae'].between:.1%} of its points between the "
        f"modes, at a largest slope of {rows['vae'].slope:.3g}, and the {NAMES['gan']} "
        f"{rows['gan'].between:.1%} at {rows['gan'].slope:.3g}, where {wanted:.1%} belong and an "
        f"exact fit needs {float(exact_fit_constant(2 * far)):.3g}.",
        "Slopes of networks are the largest of those at drawn points, so their bounds are "
        f"estimates: {len(bounded) - below} of {len(bounded)} networks leave at least as much. "
        f"Distances of networks come from {count} points; as many of the target itself are "
        f"{lines.floor(far, count):.3f} away.",
        f"The {NAMES['score']}, which adds fresh noise in each of its steps, puts at most "
        f"{excess:.1%} of its points too many between the modes, for any μ, and none of its steps "
        f"is steeper than {gentle:.3g}.",
    )


def _on_pictures(outcomes: list[Outcome], data: Data, drawn: list[Drawn]) -> str:
    rows = {one.map: one for one in outcomes}
    apart = {one.outcome.map: float(np.median(one.nearest)) for one in drawn}
    return (
        f"Pictures of the digits {pictures.FIRST} and {pictures.SECOND}: {data.between:.1%} of the "
        "data lie in the middle third between the mean pictures. The "
        f"{NAMES['vae']} puts {rows['vae'].between:.1%} there, at a slope of "
        f"{rows['vae'].slope:.3g}, the {NAMES['gan']} {rows['gan'].between:.1%} at "
        f"{rows['gan'].slope:.3g}, and the {NAMES['score']} {rows['score'].between:.1%}, with no "
        f"step steeper than {rows['score'].slope:.3g}. From the nearest picture of the data theirs "
        f"are {apart['vae']:.2f}, {apart['gan']:.2f} and {apart['score']:.2f} away, half of them "
        f"less; the data from one another {float(np.median(data.nearest)):.2f}."
    )


def _sheets(data: Data, drawn: list[Drawn]) -> curves.Figure:
    """Return sheets of pictures, ordered by where they lie between the two digits."""
    rng = np.random.default_rng(0)

    def page(title: str, found: Array, places: Array) -> curves.Picture:
        chosen = rng.permutation(len(found))[: ACROSS**2]
        ordered = chosen[np.argsort(places[chosen], kind="stable")]
        return curves.Picture(
            values=np.kron(pictures.sheet(found[ordered], across=ACROSS), np.ones((4, 4, 1))),
            title=title,
        )

    sheets = [page("the data", data.pictures, data.places)]
    for one in drawn:
        share = f"{one.outcome.between:.1%} between"
        sheets.append(page(f"{NAMES[one.outcome.map]}: {share}", one.pictures, one.places))
    return curves.Figure(panels=tuple(sheets))


def _curves(trained: list[Trained], data: Data, drawn: list[Drawn]) -> curves.Figure:
    outcomes = [one.outcome for one in trained]
    modes = sorted({one.mode for one in outcomes})
    wanted = [next(one.wanted for one in outcomes if one.mode == mode) for mode in modes]
    across = "μ, half the distance of the modes"
    return curves.Figure(
        panels=(
            curves.Panel(
                series=(
                    *_by_mode(outcomes, "distance"),
                    *(_by_mode(outcomes, "bound", dashed=True)),
                ),
                title="Misplaced; dashed: estimated bounds",
                across=across,
                up="share of the mass misplaced (TV)",
            ),
            curves.Panel(
                series=(
                    *_by_mode(outcomes, "between"),
                    curves.Series(label="wanted", x=modes, y=wanted, style="dotted", colour=6),
                ),
                title="Between the modes",
                across=across,
                up="share within μ/2 of the middle",
            ),
            curves.Panel(
                series=(
                    *_by_mode(outcomes, "slope"),
                    curves.Series(
                        label="an exact fit by one map",
                        x=modes,
                        y=[float(exact_fit_constant(2 * mode)) for mode in modes],
                        style="dotted",
                        colour=6,
                    ),
                ),
                title="Largest slope found, of a step for the score model",
                across=across,
                up="slope",
                log_up=True,
            ),
            _points(trained),
            _digits(data, drawn),
        ),
        columns=3,
    )


def _by_mode(outcomes: list[Outcome], field: str, *, dashed: bool = False) -> list[curves.Series]:
    series = []
    for number, kind in enumerate(KINDS):
        rows = [one for one in outcomes if one.map == kind and getattr(one, field) is not None]
        if rows:
            series.append(
                curves.Series(
                    label="" if dashed else NAMES[kind],
                    x=[one.mode for one in rows],
                    y=[getattr(one, field) for one in rows],
                    style="dashed" if dashed else "joined",
                    colour=number,
                )
            )
    return series


def _points(trained: list[Trained]) -> curves.Panel:
    """Return the densities of points drawn at SHOWN."""
    law = Law.balanced(SHOWN)
    edges = np.linspace(-SHOWN - 4, SHOWN + 4, 71)
    middles = (edges[1:] + edges[:-1]) / 2
    series = [
        curves.Series(label="wanted", x=middles, y=law.density(middles), style="dotted", colour=6)
    ]
    for number, kind in enumerate(KINDS):
        for one in trained:
            if one.outcome.map == kind and one.outcome.mode == SHOWN:
                series.append(_histogram(NAMES[kind], one.points, edges, number))
    return curves.Panel(
        series=tuple(series), title=f"Points made, μ = {SHOWN:g}", across="point", up="density"
    )


def _digits(data: Data, drawn: list[Drawn]) -> curves.Panel:
    """Return the densities of pictures along the line through the two mean pictures."""
    edges = np.linspace(-2.2, 2.2, 34) * data.axis.half
    series = [_histogram("data", data.places, edges, 6)]
    for number, one in enumerate(drawn):
        series.append(_histogram(NAMES[one.outcome.map], one.places, edges, number))
    return curves.Panel(
        series=tuple(series),
        title=f"Digits {pictures.FIRST} and {pictures.SECOND}",
        across="place on the line through the mean pictures",
        up="density",
    )


def _histogram(label: str, points: Array, edges: Array, colour: int) -> curves.Series:
    counts = np.histogram(points, edges)[0] / (len(points) * np.diff(edges))
    return curves.Series(label=label, x=(edges[1:] + edges[:-1]) / 2, y=counts, colour=colour)
