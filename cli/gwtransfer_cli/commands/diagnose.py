"""`gwtransfer diagnose`: what a plan's maps do to the data, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwtransfer_cli import calls, console
from gwtransfer_cli.options import (
    BandAxis,
    BandChoice,
    Load,
    Variable,
    make_opening,
)

if TYPE_CHECKING:
    from gwtransfer.diagnosing import Diagnosis, MapDiagnosis, Pair, Split


@calls.command(files=("load",), reads=("plan", "source", "target"))
def diagnose(
    plan: Annotated[
        Path,
        typer.Argument(help="Plan of `color --save-plan` or `plan`.", show_default=False),
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            help="What the plan is applied to.",
            show_default="points drawn from the plan's mixture",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            help="What it takes colours or places from.",
            show_default="points drawn from the plan's mixture",
        ),
    ] = None,
    gain_cap: Annotated[
        str | None,
        typer.Option(
            help="Largest stretch of a piece, in radii of target per radius of source; none does "
            "not cap.",
            show_default="the plan's, else 5",
        ),
    ] = None,
    load: Load = None,
    variable: Variable = None,
    band_axis: BandAxis = None,
    bands: BandChoice = None,
) -> calls.Answer:
    """Say what `--map mean` and `--map rand` make of a plan, where they fail, and what helps.

    Components of the source that are split between far colours or places of the target get what
    lies between; sharp steps where components meet show as lines. The figures are explained in
    docs/howto/diagnose.md. The options under Reading are for SOURCE.
    """
    from gwtransfer import diagnosing
    from gwtransfer.recipe import Recipe

    recipe = Recipe(options={} if gain_cap is None else {"map": {"gain_cap": gain_cap}})
    opening = make_opening(load, variable, band_axis, bands)
    found = diagnosing.diagnose_files(plan, source, target, opening=opening, recipe=recipe)
    for note in found.notes:
        console.note(note)
    for sentence in found.sentences:
        console.result(sentence)
    console.result("")
    for line in _table(found):
        console.result(line)
    return calls.Answer(figures=_figures(found))


def _table(found: "Diagnosis") -> Iterator[str]:
    """Yield the figures of both maps as lines."""
    mean, rand = found.mean, found.rand
    cap = "not capped" if found.gain_cap is None else f"the gain cap allows {found.gain_cap:g}"
    ratio = found.raw_per_working
    yield _line("", "mean", "rand", "")
    yield _line("piece gain", _short(mean.piece_gain), _short(rand.piece_gain), f"steepest; {cap}")
    gains = [_short(one.piece_gain * ratio) for one in (mean, rand)]
    yield _line("in raw units", gains[0], gains[1], "the same in the units of both files")
    slope = mean.local_slope
    if slope is not None:
        for word, value, meaning in (
            ("slope, 50 %", slope.half, "small differences are stretched so much at most, at half"),
            ("slope, 90 %", slope.most_90, "of the points, at nine of ten,"),
            ("slope, 99 %", slope.most_99, "at 99 of 100,"),
            ("slope, largest", slope.largest, "and at all of these; elsewhere it may be steeper"),
        ):
            yield _line(word, _short(value), "—", meaning)
    shares = [_percent(one.between) for one in (mean, rand)]
    yield _line("in between", shares[0], shares[1], "of the image, put there by split components")
    pairs = [pair for split in found.splits for pair in split.pairs]
    if pairs:
        pair = max(pairs, key=lambda one: one.expected_99)
        words = f"estimate, of {_percent(pair.slab['mean'])} between {' and '.join(pair.names)}:"
        yield _line("forced", _percent(pair.expected_99), "—", words)
        yield _line("", "", "", "the least, were mean nowhere steeper than at 99 %")
        words = "estimate: of any map so steep that has the target's shares"
        yield _line("unavoidable", _percent(pair.unavoidable), "—", words)
    apart = [f"{one.total_variation:.3f}" for one in (mean, rand)]
    yield _line("total variation", apart[0], apart[1], "estimate: at least so far from the target")
    yield _line("KL divergence", _short(mean.kl), _short(rand.kl), "estimate: the same, in nats")
    sides = (("source", found.from_source), ("target", found.from_target))
    looked = ", ".join(
        f"{side}: {'the file' if own else 'drawn from the plan'}" for side, own in sides
    )
    yield _line("points", str(found.points), "", looked)


def _short(value: float) -> str:
    return f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _line(word: str, mean: str, rand: str, meaning: str) -> str:
    return f"{word:<18}{mean:>9}{rand:>9}   {meaning}".rstrip()


def _figures(found: "Diagnosis") -> calls.Figures:
    """Return a diagnosis as JSON holds it; components are counted from 1."""
    return {
        "sentences": list(found.sentences),
        "maps": {
            "mean": _map_figures(found.mean, found.raw_per_working),
            "rand": _map_figures(found.rand, found.raw_per_working),
        },
        "splits": [_split_figures(split) for split in found.splits],
        "meeting": None if found.meeting is None else _pair_figures(found.meeting),
        "gain_cap": found.gain_cap,
        "restored": found.restored,
        "points": found.points,
        "from_source": found.from_source,
        "from_target": found.from_target,
        "notes": list(found.notes),
    }


def _map_figures(found: "MapDiagnosis", ratio: float) -> calls.Figures:
    slope = found.local_slope
    return {
        "piece_gain": found.piece_gain,
        "piece_gain_raw": found.piece_gain * ratio,
        "piece_gains": list(found.piece_gains),
        "local_slope": None
        if slope is None
        else {
            "50": slope.half,
            "90": slope.most_90,
            "99": slope.most_99,
            "100": slope.largest,
            "steeper": slope.steeper,
        },
        "between": found.between,
        "estimates": {"total_variation": found.total_variation, "kl": found.kl},
    }


def _split_figures(split: "Split") -> calls.Figures:
    return {
        "component": split.component + 1,
        "weight": split.weight,
        "parts": [
            {"target": part.target + 1, "share": part.share, "name": part.name}
            for part in split.parts
        ],
        "between": {
            "mean": split.mean, "rand": split.rand, "around": split.around, "target": split.target
        },
        "pairs": [_pair_figures(pair) for pair in split.pairs],
    }  # fmt: skip


def _pair_figures(pair: "Pair") -> calls.Figures:
    return {
        "targets": [pair.first + 1, pair.second + 1],
        "names": list(pair.names),
        "width": pair.width,
        "slab": pair.slab,
        "gap": pair.gap,
        "estimates": {
            "slope_99": pair.expected_99,
            "slope_largest": pair.expected,
            "unavoidable": pair.unavoidable,
        },
    }
