"""The study job: a kind of study and what it needs in, a folder of findings out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

from gwtransfer.core.threads import one_thread
from gwtransfer.errors import UsageError
from gwtransfer.imaging import Progress, silent
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.study.output import Findings, check, write

Kind = Literal["pushforward", "pot", "starts", "components", "noise"]

OWN_FILES: tuple[Kind, ...] = ("starts", "components", "noise")
"""Studies of the user's own files; the others bring their data along."""

LEVELLED: tuple[Kind, ...] = ("components", "noise")
"""Studies that go through levels."""

MOST_RUNS = 50
"""Seeds or levels at most: all pictures are kept until they have been compared."""

MOST_COMPONENTS = 1_000_000
"""Gaussians of one fit; beyond it a number is a slip of the hand."""

MOST_NOISE = 10.0
"""Deviations of a source beyond which nothing of it is left."""

Settled = Callable[[Recipe | None], Mapping[str, Any]]
"""Called when everything is checked and nothing is computed yet; without a recipe where the study
has none."""


def _unrecorded(recipe: Recipe | None) -> Mapping[str, Any]:
    del recipe
    return {}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to study.

    Attributes
    ----------
    kind : str
    files : sequence of Path
        Source and target of a study of the user's own files.
    recipe : Recipe
    opening : Opening
    seeds : int or None
        How many; None is the study's own number.
    levels : sequence of float or None
        Numbers of components, or levels of noise; None are the study's own.
    generative : bool
        Train networks too (pushforward).

    Raises
    ------
    UsageError
        An unknown kind, or what this kind has no use for.
    """

    kind: Kind
    files: Sequence[Path] = ()
    recipe: Recipe = field(default_factory=Recipe)
    opening: Opening = field(default_factory=Opening)
    seeds: int | None = None
    levels: Sequence[float] | None = None
    generative: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UsageError(
                f"study {self.kind}: expected one of {', '.join(get_args(Kind))}; see "
                "gwtransfer study --help"
            )
        if self.kind in OWN_FILES:
            self._check_own()
            return
        if self.files:
            raise UsageError(
                f"study {self.kind}: brings its own data along, found {self.files[0]}; leave files "
                "out"
            )
        opening, recipe = self.opening, self.recipe
        for name, given in (
            ("--seeds", self.seeds is not None),
            ("--levels", self.levels is not None),
            ("options of a reader", bool(opening.load or opening.bands or opening.options)),
            ("stages, options of stages or seed", not _is_plain(recipe)),
        ):
            if given:
                raise UsageError(f"study {self.kind}: takes no {name}; leave them out")
        if self.generative and self.kind != "pushforward":
            raise UsageError("--generative is for study pushforward; leave it out")

    def _check_own(self) -> None:
        if len(self.files) != 2:
            raise UsageError(
                f"study {self.kind}: expected two files, SOURCE and TARGET, found {len(self.files)}"
            )
        if self.generative:
            raise UsageError("--generative is for study pushforward; leave it out")
        least = 2 if self.kind == "starts" else 1
        if self.seeds is not None and not least <= self.seeds <= MOST_RUNS:
            raise UsageError(f"--seeds: expected {least} to {MOST_RUNS}, got {self.seeds}")
        if self.levels is not None and self.kind not in LEVELLED:
            raise UsageError(f"--levels is for study {' and '.join(LEVELLED)}; leave it out")
        if self.levels is not None:
            _check_levels(self.kind, self.levels)
        if self.kind == "components" and _says(self.recipe, "components"):
            raise UsageError("--components: study components goes through --levels; leave it out")


def _says(recipe: Recipe, option: str) -> bool:
    """Tell whether a recipe gives an option of the fit a value."""
    return recipe.options.get("fit", {}).get(option) not in (None, "none")


def _is_plain(recipe: Recipe) -> bool:
    """Tell whether a recipe asks for nothing."""
    stages = [*recipe.stages.values(), *recipe.options.values()]
    return not any(stages) and replace(recipe, stages={}, options={}) == Recipe()


def _check_levels(kind: Kind, levels: Sequence[float]) -> None:
    if kind == "components":
        good = all(1 <= level <= MOST_COMPONENTS and level == int(level) for level in levels)
        good = good and len(levels) > 1
        what = "two or more numbers of components like 5,10,20"
    else:
        good = all(0 <= level <= MOST_NOISE for level in levels) and any(levels)
        what = f"levels of noise from 0 to {MOST_NOISE:g} like 0.01,0.1"
    if not good or len(levels) > MOST_RUNS or len(set(levels)) < len(levels):
        found = ",".join(f"{level:g}" for level in levels)
        raise UsageError(f"--levels: expected {what}, none twice, got {found}")


def parse_levels(text: str) -> list[float]:
    """Understand numbers with commas between them.

    Raises
    ------
    UsageError
        Something else.
    """
    try:
        levels = [float(part) for part in text.split(",")]
    except ValueError:
        levels = [float("nan")]
    if not all(map(isfinite, levels)):
        raise UsageError(f"--levels {text}: expected numbers like 5,10,20")
    return levels


def study(
    request: Request,
    folder: Path,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
    settled: Settled = _unrecorded,
) -> tuple[Findings, tuple[str, ...]]:
    """Carry out a study and write its folder, whole or not at all.

    Returns
    -------
    findings : Findings
    notes : tuple of str
        What was guessed or left out while files were read.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.
    """
    check(folder, overwrite=overwrite, inputs=request.files)
    with one_thread():
        if request.kind in OWN_FILES:
            findings, notes = _of_files(request, progress, settled)
        else:
            settled(None)
            progress(request.kind, 0, 0)
            findings, notes = _of_own_data(request, progress), ()
    write(findings, folder, overwrite=overwrite)
    return findings, notes


def _of_own_data(request: Request, progress: Progress) -> Findings:
    if request.kind == "pot":
        from gwtransfer.study import pot

        return pot.study()
    from gwtransfer.study import pushforward

    return pushforward.study(generative=request.generative, progress=progress)


def _of_files(
    request: Request, progress: Progress, settled: Settled
) -> tuple[Findings, tuple[str, ...]]:
    from gwtransfer.study import components, noise, repeated, starts

    source, target = request.files
    subject = repeated.opened(source, target, request.recipe, request.opening)
    if request.kind == "components":
        repeated.with_components(subject.recipe, 1).check()
    settled(subject.recipe)
    if request.kind == "starts":
        seeds = request.seeds or starts.SEEDS
        return starts.study(subject, seeds=seeds, progress=progress), subject.notes
    module = components if request.kind == "components" else noise
    levels = module.LEVELS if request.levels is None else sorted(request.levels)
    seeds = request.seeds or module.SEEDS
    found = module.study(subject, levels=levels, seeds=seeds, progress=progress)
    return found, subject.notes
