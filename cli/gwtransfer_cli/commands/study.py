"""`gwtransfer study`: what a single run hides, and what theory says."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    Anchor,
    BandAxis,
    BandChoice,
    Components,
    GainCap,
    Keep,
    Load,
    Map,
    Marginals,
    Noise,
    Overwrite,
    Penalty,
    Prepare,
    Sample,
    Seed,
    Settings,
    Smooth,
    Solver,
    Space,
    Starts,
    Strength,
    Variable,
    Variance,
    make_opening,
    make_recipe,
)

STUDYING = "Studying"

KINDS = ("prepare", "fit", "plan", "map")
FILES = ("load",)


@calls.command(kinds=KINDS, files=FILES, reads=("source", "target"), writes=("output",))
def study(
    kind: Annotated[
        str,
        typer.Argument(help="starts, components, noise, pot or pushforward.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder to write: findings.txt in words, table.csv, plot.png, findings.json, and "
            "of pictures spread.png and results.png.",
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Picture, cube or shape; none for pot and pushforward.", show_default=False
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Argument(help="Whose colours to take, or the other shape.", show_default=False),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Runs with N seeds; of components and noise, at every level.",
            rich_help_panel=STUDYING,
            show_default="8, of components and noise 3",
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="What components and noise go through: numbers of Gaussians, or deviations of "
            "the noise over that of the source.",
            rich_help_panel=STUDYING,
            show_default="5,10,15,20,30 and 0,0.02,0.05,0.1,0.2",
        ),
    ] = None,
    generative: Annotated[
        bool,
        typer.Option(
            "--generative/--no-generative",
            help="With pushforward: train small networks too (needs PyTorch).",
            rich_help_panel=STUDYING,
        ),
    ] = False,
    prepare: Prepare = None,
    components: Components = None,
    sample: Sample = None,
    space: Space = None,
    variance: Variance = None,
    noise: Noise = None,
    seed: Seed = 0,
    solver: Solver = None,
    starts: Starts = None,
    anchor: Anchor = None,
    marginals: Marginals = None,
    penalty: Penalty = None,
    mapping: Map = None,
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    keep: Keep = None,
    smooth: Smooth = None,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Repeat a run and say how far its result can be trusted; or try the theory.

    starts SOURCE TARGET: other seeds of fit and search, and of the search alone.

    components SOURCE TARGET: other numbers of Gaussians, beside other seeds.

    noise SOURCE TARGET: noise on the source, beside other seeds.

    Two shapes are compared as by `distance`; pictures and cubes are coloured as
    by `color`, in 512 pixels a side at most, and compared by ΔE (CIE76).

    pot: Gaussian data and a linear decoder, where the best encoder's error is an
    optimal transport and a penalised one comes to it from below.

    pushforward: what maps of bounded slope can make of one heap of points.
    """
    from gwtransfer.study import job

    clock = summary.Clock()
    request = job.Request(
        kind=kind,  # type: ignore[arg-type]  # the request refuses other words
        files=tuple(path for path in (source, target) if path is not None),
        recipe=make_recipe(
            settings,
            KINDS,
            files=FILES,
            seed=seed,
            prepare=prepare,
            components=components,
            sample=sample,
            space=space,
            variance=variance,
            noise=noise,
            solver=solver,
            starts=starts,
            anchor=anchor,
            marginals=marginals,
            penalty=penalty,
            map=mapping,
            gain_cap=gain_cap,
            strength=strength,
            keep=keep,
            smooth=smooth,
        ),
        opening=make_opening(load, variable, band_axis, bands, settings),
        seeds=seeds,
        levels=None if levels is None else job.parse_levels(levels),
        generative=generative,
    )
    with console.progress() as progress:
        findings, notes = job.study(
            request, output, overwrite=overwrite, progress=progress, settled=calls.settled
        )
    for note in notes:
        console.note(note)
    for sentence in findings.sentences:
        console.say(sentence)
    console.say(f"{'result':<9}{output}, {clock}")
    return calls.Answer(
        figures={
            "output": str(output),
            "kind": kind,
            "title": findings.title,
            "sentences": list(findings.sentences),
            "summary": dict(findings.summary),
            "columns": list(findings.columns),
            "rows": [list(row) for row in findings.rows],
            "notes": list(notes),
        },
        rules=[(output, list(request.files))],
    )
