"""`gwtransfer pairwise`: all distances between the files of a folder, or the nearest of each."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwtransfer_cli import calls, console, livetable, summary
from gwtransfer_cli.options import (
    READING,
    Components,
    KeepSize,
    Overwrite,
    Prepare,
    Sample,
    Seed,
    Settings,
    Solver,
    make_recipe,
)

if TYPE_CHECKING:
    from gwtransfer.adapters.workers import Pool
    from gwtransfer.batch.pairwise import Batch
    from gwtransfer.batch.run import State
    from gwtransfer.recipe import Recipe

SOME_FAILED = 3
RUNNING = "Running"
KINDS = ("prepare", "fit", "plan")


@calls.command(kinds=KINDS, reads=("folder", "against"), writes=("output", "report"), stream=".csv")
def pairwise(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder of shapes, or one shape.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Table to write: .csv, .npz (arrays distances and names) or .parquet.",
        ),
    ],
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html",
            help="Show the distances as a page for any browser: map, tree, heat map, and what is "
            "most like each.",
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR2",
            help="Compare each file of FOLDER (rows) with each of this folder (columns).",
            show_default="FOLDER with itself",
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive/--no-recursive",
            help="Look into the folders below too.",
            rich_help_panel=READING,
        ),
    ] = False,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--glob",
            metavar="PATTERN",
            help="Which files: '*.ply', or '*.png' for pictures, '*.npz' for stored mixtures.",
            rich_help_panel=READING,
            show_default="all shapes",
        ),
    ] = None,
    nearest: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Write only the K nearest of each file, and solve only pairs that may be among "
            "them: the same as from the whole matrix.",
        ),
    ] = None,
    prepare: Prepare = None,
    keep_size: KeepSize = None,
    components: Components = None,
    sample: Sample = None,
    seed: Seed = 0,
    solver: Solver = None,
    settings: Settings = None,
    job_count: Annotated[
        int,
        typer.Option(
            "--jobs",
            metavar="N",
            help="Processes that compute at once; 0 takes every core.",
            rich_help_panel=RUNNING,
        ),
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Compute on the workers of a Dask scheduler; they must see FOLDER and the work "
            "folder under the same names.",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Compute part I of N into the work folder and write no table. When all parts are "
            "done, the same command without --shard writes it.",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The work folder, which keeps fits and pairs for the next run.",
            rich_help_panel=RUNNING,
            show_default="OUT.work",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> calls.Answer:
    """Compare all shapes of a folder with each other, as `gwtransfer distance` compares two.

    Each file is fitted once and each pair solved once. Stop it whenever you like: the same command
    goes on where it was, and after files are added or changed it computes only what is new. What
    it keeps for that lies in OUT.work, which may be deleted at any time. The table is the same to
    the last bit however it was computed.

    A file that cannot be read is named at the end and left out; the exit code is then 3.

    With mgw2, the solver of shapes, each pair gets fewer starts than in `gwtransfer distance`:
    signs=16, random=10, waves=0, unless --set plan.… says otherwise. --keep-size matters for xyz,
    which does not see size without it.
    """
    from gwtransfer.batch.pairwise import Batch
    from gwtransfer.batch.pairwise import pairwise as compare
    from gwtransfer.errors import UsageError

    clock = summary.Clock()
    recipe = make_recipe(
        settings,
        KINDS,
        seed=seed,
        prepare=prepare,
        sample=sample,
        keep_size=keep_size,
        components=components,
        solver=solver,
    )
    batch = Batch(
        folder=folder,
        against=against,
        output=output,
        recipe=recipe,
        recursive=recursive,
        pattern=pattern,
        count=nearest,
        shard=_shard(shard),
        work=cache,
        overwrite=overwrite,
    )
    if scheduler is not None and job_count != 1:
        raise UsageError("--jobs and --scheduler are two ways to compute; drop one")

    if job_count < 0:
        raise UsageError(f"--jobs {job_count}: expected 0 for every core, or a number of processes")

    if report is not None:
        _check_report(report, batch)
    recipes: list[Mapping[str, Any]] = []

    def settled(recipe: "Recipe") -> Mapping[str, Any]:
        recipes.append(calls.settled(recipe))
        return recipes[-1]

    def pool(work: Path) -> "AbstractContextManager[Pool]":
        return _pool(job_count, scheduler, work)

    try:
        with livetable.shown() as watch:
            state = compare(batch, pool, watch, settled)
    except KeyboardInterrupt:
        if batch.work_folder.is_dir():
            console.note(f"what is done is kept in {batch.work_folder}; the same command goes on")
        raise
    if report is not None:
        _write_report(batch, report, recipes[-1])
    _say(batch, state, clock)
    if report is not None:
        console.say(f"{'report':<9}{report}")
    for message in state.failed.values():
        console.complain(message)
    return calls.Answer(
        figures={**_figures(batch, state), "report": report and str(report)},
        code=SOME_FAILED if state.failed else 0,
        rules=[]
        if batch.shard
        else [(one, batch.inputs()) for one in (batch.output, report) if one is not None],
    )


def _check_report(report: Path, batch: "Batch") -> None:
    """Refuse a page before any work.

    Raises
    ------
    UsageError, WriteError, PluginError
        As `gwtransfer.report.job.check_output`; or there will not be all distances.
    """
    from gwtransfer.errors import UsageError
    from gwtransfer.report.job import check_output

    for asked, flag in ((batch.count, "--nearest"), (batch.shard, "--shard")):
        if asked is not None:
            raise UsageError(f"--report shows all distances; leave out {flag}")
    if report.resolve() == batch.output.resolve():
        raise UsageError(f"{report}: the report is the output; choose another name")
    check_output(report, overwrite=batch.overwrite, inputs=batch.inputs())


def _write_report(batch: "Batch", report: Path, recipe: Mapping[str, Any]) -> None:
    from gwtransfer.report import batches
    from gwtransfer.report.job import write

    with console.progress() as progress:
        page = batches.page(
            batch.output, batch.folder, against=batch.against, recipe=recipe, progress=progress
        )
    write(page, report, overwrite=batch.overwrite)


def _shard(text: str | None) -> tuple[int, int] | None:
    from gwtransfer.errors import UsageError

    if text is None:
        return None
    part, _, parts = text.partition("/")
    try:
        return int(part), int(parts)
    except ValueError:
        raise UsageError(f"--shard {text}: expected I/N, like 2/8") from None


def _pool(count: int, scheduler: str | None, work: Path) -> "AbstractContextManager[Pool]":
    from gwtransfer.adapters import workers

    if scheduler is not None:
        from gwtransfer.adapters.cluster import workers_of

        return workers_of(scheduler, must_see=work)
    count = count or workers.cores()
    return workers.here() if count == 1 else workers.processes(count)


def _figures(batch: "Batch", state: "State") -> dict[str, object]:
    return {
        "output": None if batch.shard else str(batch.output),
        "work": str(batch.work_folder),
        "files": state.files,
        "failed": {str(path): message for path, message in state.failed.items()},
        "copies": state.copies,
        "fits": {"kept": state.fits_kept, "made": state.fits_made},
        "pairs": {
            "all": state.pairs,
            "kept": state.pairs_kept,
            "made": state.pairs_made,
            "never": state.skipped,
            "not_converged": state.stopped,
        },
    }


def _say(batch: "Batch", state: "State", clock: summary.Clock) -> None:
    fits = f"{state.fits_made} fitted, {state.fits_kept} kept from before"
    if state.copies:
        fits += f", {state.copies} a copy of another"
    console.say(f"{'files':<9}{state.files - len(state.failed)} of {state.files}: {fits}")
    pairs = f"{state.pairs_made} solved, {state.pairs_kept} kept from before"
    if batch.count is not None:
        pairs += f", {state.skipped} never computed"
    elif batch.shard is not None:
        pairs += f", {state.skipped} left to other shards"
    if state.stopped:
        pairs += f"; {state.stopped} not converged"
    console.say(f"{'pairs':<9}{state.pairs}: {pairs}")
    if batch.shard is None:
        console.say(f"{'result':<9}{batch.output}, {clock}")
    else:
        part, parts = batch.shard
        console.say(
            f"{'shard':<9}{part} of {parts} is in {batch.work_folder}, {clock}; when all are, "
            f"the same command without --shard writes {batch.output}"
        )
