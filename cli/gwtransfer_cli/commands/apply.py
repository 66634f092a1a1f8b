"""`gwtransfer apply`: the third step, for one file or for many."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwtransfer_cli import console, summary
from gwtransfer_cli.options import (
    WRITING,
    BandAxis,
    BandChoice,
    Cog,
    Depth,
    Device,
    Dither,
    Feather,
    GainCap,
    Keep,
    Load,
    Map,
    Mask,
    Overwrite,
    Settings,
    Smooth,
    Strength,
    Strip,
    Variable,
    Write,
    check_feather,
    make_mask,
    make_opening,
    make_recipe,
    make_writing,
    on_device,
)

if TYPE_CHECKING:
    from gwtransfer.imaging import Colored

SOME_FAILED = 3


def apply(
    plan: Annotated[Path, typer.Argument(help="Plan of `gwtransfer plan`.", show_default=False)],
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE…",
            help="Pictures, cubes or films to map; with a folder for OUT also folders and "
            "patterns.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="File to write, or a folder for several sources: an existing one, or a name that "
            "ends in /.",
        ),
    ],
    mapping: Map = "mean",
    gain_cap: GainCap = None,
    strength: Strength = 1.0,
    keep: Keep = None,
    smooth: Smooth = None,
    mask: Mask = None,
    feather: Feather = 0.0,
    palette: Annotated[
        Path | None,
        typer.Option(
            help="The target's file, which --map nearest chooses from.", rich_help_panel="Mapping"
        ),
    ] = None,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    settings: Settings = None,
    device: Device = None,
    extension: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="EXTENSION",
            help="Extension of the files in OUT.",
            rich_help_panel=WRITING,
            show_default="each source's own, png where nothing writes that",
        ),
    ] = None,
    write: Write = None,
    depth: Depth = None,
    dither: Dither = False,
    cog: Cog = False,
    strip: Strip = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Map on the workers of a Dask scheduler, which must see SOURCE under the same "
            "name.",
            rich_help_panel="Running",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Map SOURCE, or any rasters of the same bands, with a stored plan: one map for all."""
    from gwtransfer import applying, frames
    from gwtransfer.errors import UsageError

    clock = summary.Clock()
    check_feather(feather, mask)
    recipe = make_recipe(
        settings,
        ("map",),
        mapping=mapping,
        strength=strength,
        keep=keep,
        smooth=smooth,
        options={"map": {"gain_cap": gain_cap, **on_device(device)}},
    )
    given: dict[str, Any] = {
        "recipe": recipe,
        "opening": make_opening(load, variable, band_axis, bands),
        "writing": make_writing(
            write, depth, dither=dither, cog=cog, strip=strip, overwrite=overwrite
        ),
        "palette_path": palette,
        "mask": make_mask(mask, feather),
    }
    apply_to: Callable[..., Colored] = applying.apply
    one = partial(apply_to, plan, **given, scheduler=scheduler)
    if frames.is_many(sources, Path(output), output):
        frames.check_folder(Path(output), output)
        inputs = frames.expanded(sources)
        outputs = frames.output_names(inputs, Path(output), extension)
        applying.check_apply(plan, outputs, **given)
        _apply_many(inputs, outputs, Path(output), one, clock)
        return
    if extension is not None:
        raise UsageError("--format names the files in a folder; OUT is a file, leave it out")
    with console.progress() as progress:
        done = one(sources[0], Path(output), progress=progress)
    for note in done.notes:
        console.note(note)
    console.say(summary.raster_line("source", done.source))
    console.say(summary.plan_line(done.plan))
    console.say(summary.result_line(Path(output), done.order, clock))


def _apply_many(
    inputs: list[Path],
    outputs: list[Path],
    folder: Path,
    one: "Callable[..., Colored]",
    clock: summary.Clock,
) -> None:
    """Map every file; say what failed and leave with SOME_FAILED when something did."""
    from gwtransfer import frames

    frames.make_folder(folder)
    failed = 0
    with console.progress() as progress:
        for outcome in frames.each(inputs, outputs, partial(one, progress=progress)):
            if outcome.done is None:
                failed += 1
                console.complain(str(outcome.error))
                continue
            for note in outcome.done.notes:
                console.note(note)
            console.say(f"{'result':<9}{outcome.output}")
    files = "1 file" if len(inputs) == 1 else f"{len(inputs)} files"
    console.say(f"{'done':<9}{len(inputs) - failed} of {files} into {folder}, {clock}")
    if failed:
        raise typer.Exit(SOME_FAILED)
