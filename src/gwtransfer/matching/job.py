"""The job: two files to a match, judged and written."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gwtransfer import __version__, registry
from gwtransfer.core.correspondence import Fixed
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io.files import check_readable
from gwtransfer.matching import inspace, output, spectral, truth
from gwtransfer.matching.matched import Matched, numbers
from gwtransfer.matching.truth import Errors
from gwtransfer.opening import Opening
from gwtransfer.prepare.spectral import Spectral
from gwtransfer.recipe import AUTO, AUTO_FITS, Recipe, Settled, unrecorded

Rotation = Literal["proper", "any"]
Watch = Callable[[str, int, int], None]

DIMENSIONS = 6
"""Spectral coordinates in which starts are sought, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """How two shapes shall be matched.

    Attributes
    ----------
    recipe : Recipe
        ``prepare`` spectral (auto) or xyz, ``fit``, and for xyz ``plan``.
    rigid : bool
        Seek a motion alone.
    polished : bool
        Refine the motion by ICP.
    refine : bool
        Go from the mixtures' plan to the points.
    rotation : {"proper", "any"}
        Whether mirror images are set aside.
    pairs : sequence of str
        ``i=j``: vertex i of the source is vertex j of the target.
    top : int
        Choices for each vertex.
    truth : str or None
        "same-index" or a file, see `truth.read`.
    transfer : Path or None
        A value for each of the target's vertices, carried to the source's.

    Raises
    ------
    UsageError
        A combination that could never work.
    """

    recipe: Recipe
    rigid: bool = False
    polished: bool = False
    refine: bool = True
    rotation: Rotation = "proper"
    pairs: Sequence[str] = ()
    top: int = 1
    truth: str | None = None
    transfer: Path | None = None

    def __post_init__(self) -> None:
        if self.recipe.name("prepare") == "color":
            raise UsageError("--prepare color is for pictures; expected spectral or xyz")
        if self.rotation not in get_args(Rotation):
            raise UsageError(f"--rotation: expected proper or any, got {self.rotation}")
        if self.top < 1:
            raise UsageError(f"--top {self.top}: expected at least 1")
        if self.polished and not self.rigid:
            raise UsageError("--icp refines a motion; add --rigid")
        if self.rigid and not self.refine:
            raise UsageError("--no-refine leaves nothing of --rigid; drop one")
        if self.rigid and self.recipe.name("prepare") not in (AUTO, "xyz"):
            raise UsageError("--rigid works in space; drop --prepare")
        if self.pairs and self.method != "spectral":
            raise UsageError("--pair needs --prepare spectral, without --rigid")
        if self.pairs and not self.refine:
            raise UsageError("--pair acts in the refinement; drop --no-refine")

    @property
    def method(self) -> str:
        """One of "rigid", "xyz", "spectral", or the name of another prepare stage."""
        if self.rigid:
            return "rigid"
        name = self.recipe.name("prepare")
        return "spectral" if name == AUTO else name

    @property
    def files(self) -> list[Path]:
        """Files that are read beside the shapes."""
        known = None if self.truth in (None, truth.SAME_INDEX) else self.truth
        return [Path(name) for name in (self.transfer, known) if name is not None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A match, and how far it is from the truth where that was given.

    Attributes
    ----------
    matched : Matched
    errors : Errors or None
        How far it is from the truth; None where none was given.
    summary : dict
        What --json prints of it.
    """

    matched: Matched
    errors: Errors | None
    summary: dict[str, Any]


def match(
    source: Path,
    target: Path,
    request: Request,
    *,
    opening: Opening,
    destination: Path | None = None,
    overwrite: bool = False,
    watch: Watch = lambda *_: None,
    settled: Settled = unrecorded,
) -> Result:
    """Match two files and write the match.

    Raises
    ------
    DataError
        A file is no shape, or numbers that a shape does not have.
    UsageError
        A request that these files cannot meet.
    WriteError
        The output exists or cannot be made.
    """
    request.recipe.check()
    if destination is not None:
        output.check(destination, overwrite=overwrite, inputs=[source, target, *request.files])
    if request.transfer is not None and (
        destination is None or not output.is_folder_name(destination)
    ):
        raise UsageError("--transfer writes a file beside the match; name a folder with -o")
    clouds = [_cloud(item) for item in opening(source, target)]
    pairs = _pairs(request.pairs, clouds[0], clouds[1])
    values = None if request.transfer is None else _values(request.transfer, clouds[1])
    judge = None if request.truth is None else truth.Truth.of(clouds[0], clouds[1], request.truth)
    if request.top > len(clouds[1].vertices):
        raise DataError(
            f"{target}: expected at least {request.top} points for as many choices, "
            f"found {len(clouds[1].vertices)}"
        )
    kept = settled(_settled(request))
    # One thread: the products are thin, and threads that wait made a match five times slower.
    with one_thread():
        matched = _matched(clouds[0], clouds[1], request, pairs, watch)
    errors = None
    if judge is not None:
        watch("errors", 0, 0)
        errors = judge.errors(matched, seed=request.recipe.seed)
    summary = _summary(matched, errors, request)
    if kept:
        summary["recipe"] = dict(kept)
    if destination is not None:
        output.write(
            matched,
            destination,
            overwrite=overwrite,
            summary=summary,
            errors=errors,
            transferred=None
            if values is None or request.transfer is None
            else (_transferred_name(request.transfer), values[matched.index]),
        )
    return Result(matched=matched, errors=errors, summary=summary)


def _cloud(item: object) -> Cloud:
    if not isinstance(item, Cloud):
        name = getattr(item, "name", "the file")
        raise DataError(f"{name}: expected a shape, found a picture or cube")
    return item


def _matched(
    source: Cloud, target: Cloud, request: Request, pairs: Fixed | None, watch: Watch
) -> Matched:
    recipe = request.recipe
    if request.rigid:
        return inspace.match_rigid(
            source,
            target,
            seed=recipe.seed,
            rotation=request.rotation,
            polished=request.polished,
            top=request.top,
            watch=watch,
        )
    recipe = _settled(request)
    prepare, fit = recipe.build("prepare"), recipe.build("fit")
    if request.method != "spectral":
        return inspace.match(
            source,
            target,
            prepare,
            fit,
            recipe.build("plan"),
            seed=recipe.seed,
            refine=request.refine,
            top=request.top,
            watch=watch,
        )
    if not isinstance(prepare, Spectral):
        raise UsageError(f"--prepare {recipe.name('prepare')}: expected spectral or xyz")
    return spectral.match(
        source,
        target,
        prepare,
        fit,
        seed=recipe.seed,
        rotation=request.rotation,
        refine=request.refine,
        pairs=pairs,
        top=request.top,
        watch=watch,
    )


def _settled(request: Request) -> Recipe:
    """Return the recipe with the stages that the method runs, and all their options."""
    recipe = request.recipe
    if request.rigid:
        return replace(recipe, stages={}, options={})
    named = {"prepare": "spectral", "fit": AUTO_FITS[1]}
    own: tuple[str, dict[str, object]] = ("prepare", {"dimensions": DIMENSIONS})
    if request.method != "spectral":
        named |= {"prepare": request.method, "plan": "mew2"}
        solver = "mew2" if recipe.name("plan") == AUTO else recipe.name("plan")
        turns = "rotation" in registry.option_names(registry.find("plan", solver))
        own = ("plan", {"rotation": request.rotation} if turns else {})
    kind, options = own
    chosen = {**options, **recipe.options.get(kind, {})}
    return replace(recipe, options={**recipe.options, kind: chosen}).settled(**named)


def _pairs(given: Sequence[str], source: Cloud, target: Cloud) -> Fixed | None:
    """Understand ``i=j`` in the files' numbering."""
    if not given:
        return None
    found: list[tuple[int, int]] = []
    for text in given:
        left, _, right = text.partition("=")
        try:
            found.append((int(left), int(right)))
        except ValueError:
            raise UsageError(f"--pair {text}: expected I=J, two vertex numbers from 0") from None
    mine, other = np.array(found).T
    kinds, times = np.unique(mine, return_counts=True)
    if times.max() > 1:
        raise UsageError(f"--pair: vertex {kinds[times.argmax()]} of the source is given twice")
    return Fixed(
        source=truth.indices(mine, numbers(source), f"--pair: {source.name}"),
        target=truth.indices(other, numbers(target), f"--pair: {target.name}"),
    )


def _values(path: Path, target: Cloud) -> NDArray[Any]:
    """Read a value for each of the target's vertices: a .npy, or text with a value a line."""
    check_readable(path)
    if path.suffix.lower() == ".npy":
        try:
            stored = io.BytesIO(path.read_bytes())
            values = np.lib.format.read_array(stored, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"{path}: expected an array, found something else") from error
    else:
        try:
            lines = path.read_text("utf-8-sig").rstrip().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ReadError(f"{path}: expected a value a line, found no text") from error
        values = np.array(lines, dtype=object)
    held = numbers(target)
    count = len(values) if values.ndim else 1
    if count == len(held):
        return np.asarray(values)
    if target.numbers is None or count <= held[-1]:
        raise DataError(
            f"{path}: expected a value for each of the {len(held)} vertices of {target.name}, "
            f"found {count}"
        )
    return np.asarray(values[held])


def _transferred_name(path: Path) -> str:
    return "transferred.npy" if path.suffix.lower() == ".npy" else "transferred.csv"


def _summary(matched: Matched, errors: Errors | None, request: Request) -> dict[str, Any]:
    held: dict[str, Any] = {
        "gwtransfer": __version__,
        "method": matched.method,
        "source": {
            "file": Path(matched.source.name).name,
            "vertices": len(matched.source.vertices),
        },
        "target": {
            "file": Path(matched.target.name).name,
            "vertices": len(matched.target.vertices),
        },
        "seed": request.recipe.seed,
        "score": matched.score,
        "runner_up": matched.runner_up,
        "mirrored": matched.mirrored,
        "upright": matched.upright,
        "value": matched.value,
        "bound": matched.bound,
        "motion": None if matched.motion is None else matched.motion.tolist(),
    }
    if errors is not None:
        held["error"] = {
            "mean": errors.mean,
            "judged": len(errors.each),
            "at": truth.THRESHOLDS.tolist(),
            "share": errors.curve.tolist(),
        }
    return held
