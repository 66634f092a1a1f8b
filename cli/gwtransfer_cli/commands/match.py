"""`gwtransfer match`: which point of one shape is which of another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console
from gwtransfer_cli.options import (
    Components,
    Load,
    Overwrite,
    Sample,
    Seed,
    Settings,
    make_opening,
    make_recipe,
)
from gwtransfer_cli.summary import Clock

if TYPE_CHECKING:
    from gwtransfer.matching.job import Result

UNSAID = ("gwtransfer", "recipe")
"""What a match keeps in its files and --json says otherwise, or not at all."""

MATCHING, JUDGING = "Matching", "Judging"

CLOSE = 0.85
"""A runner-up whose score is this share of the best is worth a word."""

KINDS = ("prepare", "fit", "plan")
FILES = ("load",)


@calls.command(
    kinds=KINDS,
    files=FILES,
    reads=("source", "target", "transfer", "truth"),
    writes=("output", "report"),
    stream=".csv",
)
def match(
    source: Annotated[Path, typer.Argument(help="Shape.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="Shape.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="NAME.csv (columns source,target,distance), NAME.npz (array target), or a folder "
            "for both, two coloured PLY files that show the match, the transform and the rest.",
            show_default="only what is printed",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html",
            help="Show the match as a page for any browser: both shapes in the colours of the "
            "match, turning together, and how far to trust it.",
            show_default=False,
        ),
    ] = None,
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare",
            metavar="spectral|xyz",
            help="spectral matches whatever the bending and posing; xyz matches shapes as they "
            "stand, up to rotation and size.",
            rich_help_panel=MATCHING,
            show_default="spectral",
        ),
    ] = None,
    rigid: Annotated[
        bool,
        typer.Option(
            "--rigid/--no-rigid",
            help="Seek the motion that lays SOURCE on TARGET, for two scans of one thing, whole or "
            "partly overlapping, from no first guess; prints it as a 4 × 4 matrix.",
            rich_help_panel=MATCHING,
        ),
    ] = False,
    icp: Annotated[
        bool,
        typer.Option(
            "--icp/--no-icp",
            help="Refine the motion of --rigid between all points (needs Open3D).",
            rich_help_panel=MATCHING,
        ),
    ] = False,
    refine: Annotated[
        bool,
        typer.Option(
            "--refine/--no-refine",
            help="Go on from the mixtures' plan to the points themselves.",
            rich_help_panel=MATCHING,
        ),
    ] = True,
    rotation: Annotated[
        str,
        typer.Option(
            metavar="proper|any",
            help="proper sets mirror images aside, so that left stays left; any takes the best "
            "match of all, for a thing and its mirror image.",
            rich_help_panel=MATCHING,
        ),
    ] = "proper",
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            metavar="I=J",
            help="Vertex I of SOURCE is vertex J of TARGET, numbered as in the files, from 0. "
            "Repeatable.",
            rich_help_panel=MATCHING,
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Write the N best matches of each vertex, with weights that sum to 1.",
            rich_help_panel=MATCHING,
        ),
    ] = 1,
    transfer: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Carry labels or numbers from TARGET's vertices to SOURCE's: a .npy, or text with "
            "a value a line; written into the folder OUT.",
            rich_help_panel=MATCHING,
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="same-index|FILE",
            help="What is known: measure the error along TARGET's surface, over the root of its "
            "area. FILE holds the true vertex of TARGET for each of SOURCE, or columns "
            "source,target.",
            rich_help_panel=JUDGING,
            show_default=False,
        ),
    ] = None,
    components: Components = None,
    sample: Sample = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    load: Load = None,
    settings: Settings = None,
) -> calls.Answer:
    """Find for each vertex of SOURCE the vertex of TARGET that it is.

    Vertices keep the numbers they have in their files, counted from 0.

    Mixtures of both shapes are coupled by MGW2; every distinct optimum is tried, those that turn
    the surface inside out (left for right) are set aside, and the best are refined point by point.
    The score is 1 for a perfect match; when the runner-up is close to it, look at both sides of
    the PLY pair before you trust the match, or give a --pair or two.
    """
    from gwtransfer.matching import job

    clock = Clock()
    request = job.Request(
        recipe=make_recipe(
            settings,
            KINDS,
            files=FILES,
            seed=seed,
            prepare=prepare,
            sample=sample,
            components=components,
        ),
        rigid=rigid,
        polished=icp,
        refine=refine,
        rotation=rotation,  # type: ignore[arg-type]  # the request refuses other words
        pairs=tuple(pairs or ()),
        top=top,
        truth=truth,
        transfer=transfer,
    )
    made_of = [source, target, *request.files]
    if report is not None:
        from gwtransfer.report import shapes_run

        shapes_run.check(report, output, overwrite=overwrite, inputs=made_of)
    with console.progress() as progress:
        result = job.match(
            source,
            target,
            request,
            opening=make_opening(load, None, None, None, settings),
            destination=output,
            overwrite=overwrite,
            watch=progress,
            settled=calls.settled,
        )
        if report is not None:
            progress("report", 0, 0)
            streamed = calls.current().given["output"] == Path("-")
            written = None if streamed else output
            shapes_run.write(result, written, report, overwrite=overwrite)
    notes = _notes(result)
    for note in notes:
        console.note(note)
    figures = {key: value for key, value in result.summary.items() if key not in UNSAID}
    answer = calls.Answer(
        figures={
            "output": output and str(output),
            "report": report and str(report),
            **figures,
            "notes": notes,
        },
        rules=[(one, made_of) for one in (output, report) if one is not None],
    )
    lines = _lines(result, output, clock)
    if report is not None:
        lines.append(f"{'report':<9}{report}")
    if rigid and result.matched.motion is not None:
        from gwtransfer.matching.output import motion_text

        console.result(motion_text(result.matched.motion))
        for line in lines[2:]:
            console.note(line)
        return answer
    for line in lines:
        console.say(line)
    return answer


def _notes(result: "Result") -> list[str]:
    """Return what a reader of the match should know."""
    matched, notes = result.matched, []
    if matched.runner_up is not None and matched.runner_up >= CLOSE * matched.score:
        words = f"({matched.runner_up:.3f} against {matched.score:.3f})"
        remedy = "; --pair decides" if matched.method == "spectral" else ""
        notes.append(
            f"another match is nearly as good {words}: the shape may look alike from several "
            f"sides{remedy}"
        )
    if matched.mirrored is not None and matched.mirrored > matched.score:
        notes.append(
            f"a mirror image matches better ({matched.mirrored:.3f} against {matched.score:.3f}): "
            "is one shape the mirror image of the other? --rotation any takes it"
        )
    if matched.upright is not None and matched.upright < 0:
        notes.append(
            "the match mirrors the surface: is one shape a mirror image? If not, do not trust it"
        )
    return notes


def _lines(result: "Result", output: Path | None, clock: Clock) -> list[str]:
    matched = result.matched
    lines = [
        f"{word:<9}{cloud.name}: {len(cloud.vertices)} points, "
        f"{0 if cloud.faces is None else len(cloud.faces)} faces"
        for word, cloud in (("source", matched.source), ("target", matched.target))
    ]
    words = f"{'match':<9}{matched.method}, score {matched.score:.3f}"
    if matched.runner_up is not None:
        words += f", next best {matched.runner_up:.3f}"
    if matched.mirrored is not None:
        words += f", best mirror image {matched.mirrored:.3f}"
    lines.append(words)
    if result.errors is not None:
        below = float((result.errors.each <= 0.05).mean())
        lines.append(
            f"{'error':<9}mean {result.errors.mean:.4f} of √area over "
            f"{len(result.errors.each)} vertices, {below:.0%} within 0.05"
        )
    lines.append(f"{'result':<9}{output or 'not written'}, {clock}")
    return lines
