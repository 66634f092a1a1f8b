"""`gwtransfer color`: the main job."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    MAPPING,
    PLANNING,
    Anchor,
    BandAxis,
    BandChoice,
    Cog,
    Components,
    Depth,
    Device,
    Dither,
    Feather,
    Format,
    GainCap,
    Keep,
    Load,
    Map,
    Marginals,
    Mask,
    Noise,
    Output,
    Overwrite,
    Penalty,
    Sample,
    Seed,
    Settings,
    Smooth,
    Solver,
    Space,
    Starts,
    Strength,
    Strip,
    Variable,
    Variance,
    Write,
    check_feather,
    check_format,
    make_mask,
    make_opening,
    make_recipe,
    make_writing,
)

if TYPE_CHECKING:
    from gwtransfer import coloring

KINDS = ("prepare", "fit", "plan", "map")
FILES = ("load", "write")


@calls.command(
    kinds=KINDS,
    files=FILES,
    reads=("source", "palette", "palettes", "mask", "palette_mask"),
    writes=("output", "save_plan", "report"),
    stream=".png",
)
def color(
    source: Annotated[
        Path, typer.Argument(help="Picture, cube or film to colour.", show_default=False)
    ],
    output: Output,
    palette: Annotated[
        Path | None,
        typer.Argument(help="Picture (or cube) whose colours to take.", show_default=False),
    ] = None,
    palettes: Annotated[
        list[Path] | None,
        typer.Option(
            "--palette", metavar="PICTURE", help="One palette more; all are pooled. Repeatable."
        ),
    ] = None,
    palette_weights: Annotated[
        str | None,
        typer.Option(
            metavar="W,W,…",
            help="How much each palette counts, in their order.",
            show_default="all the same",
        ),
    ] = None,
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
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y=#rrggbb",
            help="The colour a pixel of SOURCE (column, row, from 0) shall get, or the palette's "
            "nearest to it. Repeatable.",
            rich_help_panel=PLANNING,
        ),
    ] = None,
    mapping: Map = None,
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    keep: Keep = None,
    smooth: Smooth = None,
    mask: Mask = None,
    palette_mask: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE",
            help="Take only the colours of PALETTE where this is white.",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    feather: Feather = 0.0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    settings: Settings = None,
    device: Device = None,
    preview: Annotated[
        bool, typer.Option("--preview/--no-preview", help="A small fast result: 512 pixels a side.")
    ] = False,
    save_plan: Annotated[
        Path | None,
        typer.Option(metavar="PLAN.npz", help="Keep the plan too, for `apply` and `lut`."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html", help="Show what was done as a page too, as `report` does."
        ),
    ] = None,
    extension: Format = None,
    write: Write = None,
    depth: Depth = None,
    dither: Dither = False,
    cog: Cog = False,
    strip: Strip = False,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Give SOURCE the colours of PALETTE: cube to RGB, RGB to RGB, gray to RGB, RGB to cube."""
    from gwtransfer import coloring
    from gwtransfer.pairs import parse_pairs

    clock = summary.Clock()
    check_feather(feather, mask, palette_mask)
    check_format(extension)
    recipe = make_recipe(
        settings,
        KINDS,
        files=FILES,
        seed=seed,
        sample=sample,
        space=space,
        variance=variance,
        noise=noise,
        components=components,
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
        device=device,
    )
    with console.progress() as progress:
        done = coloring.color(
            source,
            coloring.Palette(
                paths=[*([palette] if palette else []), *(palettes or [])],
                weights=_weights(palette_weights),
                mask=make_mask(palette_mask, feather),
            ),
            output,
            recipe,
            opening=make_opening(load, variable, band_axis, bands, settings),
            writing=make_writing(
                write,
                depth,
                dither=dither,
                cog=cog,
                strip=strip,
                overwrite=overwrite,
                settings=settings,
            ),
            grade=coloring.Grade(
                mask=make_mask(mask, feather),
                pairs=parse_pairs(pair or []),
                preview=preview,
                save_plan=save_plan,
            ),
            progress=progress,
            settled=calls.settled,
            reporting=_reporting(report),
        )
    for note in done.notes:
        console.note(note)
    assert done.palette is not None
    console.say(summary.raster_line("source", done.source))
    console.say(summary.raster_line("palette", done.palette))
    console.say(summary.fit_line(done.plan))
    console.say(summary.plan_line(done.plan))
    console.say(summary.result_line(output, done.order, clock))
    if report is not None:
        console.say(f"{'report':<9}{report}")
    return calls.Answer(
        figures={
            "output": str(output),
            "report": report and str(report),
            "source": summary.raster_figures(done.source),
            "palette": summary.raster_figures(done.palette),
            "plan": summary.plan_figures(done.plan),
            "order": summary.number(done.order),
            "notes": list(done.notes),
        }
    )


def _reporting(page: Path | None) -> "coloring.Reporting | None":
    """Return what makes pages, where one is asked for."""
    if page is None:
        return None
    from gwtransfer.report.color_run import ColorRun

    return ColorRun(path=page)


def _weights(text: str | None) -> list[float] | None:
    """Understand numbers with commas between them."""
    from gwtransfer.errors import UsageError

    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--palette-weights {text}: expected numbers like 2,1") from None
