"""`gwtransfer fit`: the first step, stored."""

from pathlib import Path
from typing import Annotated

import typer

from gwtransfer_cli import calls, console, summary
from gwtransfer_cli.options import (
    BandAxis,
    BandChoice,
    Components,
    Device,
    Feather,
    KeepSize,
    Load,
    Mask,
    Noise,
    Output,
    Overwrite,
    Prepare,
    Sample,
    Seed,
    Settings,
    Space,
    Variable,
    Variance,
    check_feather,
    make_mask,
    make_opening,
    make_recipe,
)

KINDS = ("prepare", "fit")
FILES = ("load",)


@calls.command(kinds=KINDS, files=FILES, reads=("file", "mask"), writes=("output",), stream=".npz")
def fit(
    file: Annotated[Path, typer.Argument(help="Picture, cube or shape.", show_default=False)],
    output: Output,
    components: Components = None,
    sample: Sample = None,
    prepare: Prepare = None,
    keep_size: KeepSize = None,
    space: Space = None,
    variance: Variance = None,
    noise: Noise = None,
    seed: Seed = 0,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
    mask: Mask = None,
    feather: Feather = 0.0,
    settings: Settings = None,
    device: Device = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Pass over all pixels on the workers of a Dask scheduler, which must see FILE "
            "under the same name.",
            rich_help_panel="Running",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Fit a Gaussian mixture to FILE and store it as .npz for `plan` and `distance`."""
    from gwtransfer import jobs

    check_feather(feather, mask)
    recipe = make_recipe(
        settings,
        KINDS,
        files=FILES,
        seed=seed,
        prepare=prepare,
        sample=sample,
        space=space,
        variance=variance,
        noise=noise,
        keep_size=keep_size,
        components=components,
        device=device,
    )
    opening = make_opening(load, variable, band_axis, bands, settings)
    with console.progress() as progress:
        progress(f"fit {file.name}", 0, 0)
        item, mixture = jobs.fit(
            file,
            output,
            recipe,
            opening=opening,
            mask=make_mask(mask, feather),
            overwrite=overwrite,
            scheduler=scheduler,
            settled=calls.settled,
        )
    notes = list(getattr(item, "notes", ()))
    for note in notes:
        console.note(note)
    console.say(f"{'fit':<9}{item.name}: {summary.mixture_words(mixture)}")
    console.say(f"{'result':<9}{output}")
    return calls.Answer(
        figures={
            "output": str(output),
            "file": item.name,
            "mixture": summary.mixture_figures(mixture),
            "notes": notes,
        }
    )
