"""`gwtransfer apply`: the third step, for one file or for many."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwtransfer_cli import calls, console, summary, upkeeping
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
)

if TYPE_CHECKING:
    from gwtransfer.imaging import Colored, Progress
    from gwtransfer.recipe import Settled

SOME_FAILED = 3
KINDS = ("map",)
FILES = ("load", "write")


@calls.command(
    kinds=KINDS,
    files=FILES,
    reads=("plan", "sources", "palette", "mask"),
    writes=("output",),
    stream=".png",
    many=True,
)
def apply(
    plan: Annotated[Path, typer.Argument(help="Plan of `gwtransfer plan`.", show_default=False)],
    sources: Annotated[
        list[Path],
        typer.Argument(
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
    mapping: Map = None,
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
            help="Map on the workers of a Dask scheduler, which must see the source under the same "
            "name.",
            rich_help_panel="Running",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Map SOURCES, or any rasters of the same bands, with a stored plan: one map for all."""
    from gwtransfer import applying, frames
    from gwtransfer.errors import UsageError
    from gwtransfer.recipe import unrecorded

    clock = summary.Clock()
    check_feather(feather, mask)
    recipe = make_recipe(
        settings,
        KINDS,
        files=FILES,
        map=mapping,
        gain_cap=gain_cap,
        strength=strength,
        keep=keep,
        smooth=smooth,
        device=device,
    )
    given: dict[str, Any] = {
        "recipe": recipe,
        "opening": make_opening(load, variable, band_axis, bands, settings),
        "palette_path": palette,
        "mask": make_mask(mask, feather),
    }
    writing = make_writing(
        write, depth, dither=dither, cog=cog, strip=strip, overwrite=overwrite, settings=settings
    )
    keeper = upkeeping.Keeper(beside=[one for one in (plan, palette, mask) if one is not None])

    def one(
        source: Path, output: Path, *, progress: "Progress", settled: "Settled" = unrecorded
    ) -> "Colored":
        with keeper.keeping(output, overwrite=overwrite) as may:
            return applying.apply(
                plan,
                source,
                output,
                **given,
                writing=replace(writing, overwrite=may),
                scheduler=scheduler,
                progress=progress,
                settled=settled,
            )

    if frames.is_many(sources, Path(output), output):
        frames.check_folder(Path(output), output)
        inputs = frames.expanded(sources)
        outputs = frames.output_names(inputs, Path(output), extension)
        applying.check_apply(plan, outputs, **given, writing=writing)
        calls.settled(recipe.settled(map="mean"))
        return _apply_many(inputs, outputs, Path(output), one, keeper, clock)
    if extension is not None:
        raise UsageError("--format names the files in a folder; OUT is a file, leave it out")
    rules = [(Path(output), [*sources, *keeper.beside])]
    if keeper.keeps(sources[0], Path(output)):
        console.say(f"{'kept':<9}{output}")
        return calls.Answer(figures={"kept": [output]}, rules=rules)
    with console.progress() as progress:
        done = one(sources[0], Path(output), progress=progress, settled=calls.settled)
    for note in done.notes:
        console.note(note)
    console.say(summary.raster_line("source", done.source))
    console.say(summary.plan_line(done.plan))
    console.say(summary.result_line(Path(output), done.order, clock))
    return calls.Answer(
        figures={
            "output": output,
            "source": summary.raster_figures(done.source),
            "plan": summary.plan_figures(done.plan),
            "order": summary.number(done.order),
            "notes": list(done.notes),
        },
        rules=rules,
    )


def _apply_many(
    inputs: list[Path],
    outputs: list[Path],
    folder: Path,
    one: "Callable[..., Colored]",
    keeper: upkeeping.Keeper,
    clock: summary.Clock,
) -> calls.Answer:
    """Map every file that is not kept; say what failed."""
    from gwtransfer import frames

    frames.make_folder(folder)
    both = list(zip(inputs, outputs, strict=True))
    kept = [pair for pair in both if keeper.keeps(*pair)]
    for _, output in kept:
        console.say(f"{'kept':<9}{output}")
    todo = [pair for pair in both if pair not in kept]
    made: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    with console.progress() as progress:
        for outcome in frames.each(
            [source for source, _ in todo],
            [output for _, output in todo],
            partial(one, progress=progress),
        ):
            if outcome.done is None:
                failed[str(outcome.source)] = str(outcome.error)
                console.complain(str(outcome.error))
                continue
            for note in outcome.done.notes:
                console.note(note)
            console.say(f"{'result':<9}{outcome.output}")
            made.append(
                {
                    "file": str(outcome.source),
                    "output": str(outcome.output),
                    "order": summary.number(outcome.done.order),
                    "notes": list(outcome.done.notes),
                }
            )
    files = "1 file" if len(inputs) == 1 else f"{len(inputs)} files"
    console.say(f"{'done':<9}{len(inputs) - len(failed)} of {files} into {folder}, {clock}")
    return calls.Answer(
        figures={
            "output": str(folder),
            "files": made,
            "kept": [str(output) for _, output in kept],
            "failed": failed,
        },
        code=SOME_FAILED if failed else 0,
        rules=[
            (output, [source, *keeper.beside])
            for source, output in both
            if str(source) not in failed
        ],
    )
