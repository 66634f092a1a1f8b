"""The colour job: a picture or cube in, its image out, whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from gwtransfer.blending import Bands, check_blend
from gwtransfer.core.guide import DEFAULT_ANCHOR
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import TransportPlan
from gwtransfer.core.views import pooled, thinned
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.imaging import Colored, Progress, comparable, silent, write_image
from gwtransfer.io import files, store
from gwtransfer.jobs import (
    Array,
    check_artefact_name,
    fit_opened,
    fit_provenance,
    plan_between,
    plan_provenance,
    will_live_in,
)
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.pairs import Pair, pair_values
from gwtransfer.pipeline import default_solver
from gwtransfer.prepare.color import coordinates
from gwtransfer.recipe import AUTO, AUTO_FITS, Recipe, Settled, unrecorded
from gwtransfer.writing import Writing

ANCHORED = {"mw2": 0.0, "mgw2": DEFAULT_ANCHOR, "mew2": DEFAULT_ANCHOR}
"""The anchor that solvers take between rasters where none was given."""

PREVIEW_SIDE = 512
PREVIEW_SAMPLE = 2000


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Where colours are taken from.

    Attributes
    ----------
    paths : sequence of Path
        Several are pooled.
    weights : sequence of float, or None
        One a path; None is the same for all.
    mask : Mask or None

    Raises
    ------
    UsageError
        No palette, weights that are not one a palette or out of range, or a mask for several.
    """

    paths: Sequence[Path]
    weights: Sequence[float] | None = None
    mask: Mask | None = None

    def __post_init__(self) -> None:
        if not self.paths:
            raise UsageError("expected a palette: gwtransfer color SOURCE PALETTE -o OUT")
        if self.weights is not None and len(self.weights) != len(self.paths):
            raise UsageError(
                f"--palette-weights: expected {len(self.paths)} numbers, one a palette, got "
                f"{len(self.weights)}"
            )
        if self.weights is not None and not all(1e-6 <= w <= 1e6 for w in self.weights):
            raise UsageError("--palette-weights: expected numbers from 0.000001 to 1000000")
        if self.mask is not None and len(self.paths) > 1:
            raise UsageError("--palette-mask is for one palette; crop the others instead")

    @property
    def files(self) -> list[Path]:
        """All files that are read."""
        return [*self.paths, *([self.mask.path] if self.mask else [])]

    def joined(self, rasters: Sequence[Raster], *, seed: int) -> Raster:
        """Return the opened palettes as one raster."""
        if len(rasters) > 1:
            return pooled(rasters, self.weights or [1.0] * len(rasters), seed=seed)
        return rasters[0] if self.mask is None else self.mask(rasters[0])


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What a colour job may be told beside its stages.

    Attributes
    ----------
    mask : Mask or None
        Where in the source to fit and to apply.
    pairs : sequence of Pair
    preview : bool
        One small fast pass: every s-th pixel of the source, and a small sample.
    save_plan : Path or None
        Where to keep the plan, for `apply`.
    """

    mask: Mask | None = None
    pairs: Sequence[Pair] = ()
    preview: bool = False
    save_plan: Path | None = None


class Reporting(Protocol):
    """What shows a run as a page; a room above this one provides it."""

    def check(self, *, overwrite: bool, inputs: Sequence[Path]) -> None:
        """Refuse early what no page can be written to."""
        ...

    def check_source(self, source: Raster) -> None:
        """Refuse what no page shows."""
        ...

    def write(
        self, done: Colored, output: Path, provenance: Mapping[str, Any], *, overwrite: bool
    ) -> tuple[str, ...]:
        """Write the page of a run whose image is written; return what the user should know.

        Of a plan's provenance it is given the names of the files, and the recipe.
        """
        ...


def color(
    source_path: Path,
    palette: Palette,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    writing: Writing,
    grade: Grade | None = None,
    progress: Progress = silent,
    settled: Settled = unrecorded,
    reporting: Reporting | None = None,
) -> Colored:
    """Give a picture or cube the colours of another and write it.

    Parameters
    ----------
    reporting : Reporting or None
        Shows what was done as a page too.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.
    """
    grade = grade or Grade()
    recipe.check()
    writer = writing.writer(output)
    inputs = [source_path, *palette.files, *([grade.mask.path] if grade.mask else [])]
    files.check_output(output, overwrite=writing.overwrite, inputs=inputs)
    if grade.save_plan is not None:
        check_artefact_name(grade.save_plan)
        files.check_output(grade.save_plan, overwrite=writing.overwrite, inputs=[*inputs, output])
    if reporting is not None:
        others = [output, *([grade.save_plan] if grade.save_plan else [])]
        reporting.check(overwrite=writing.overwrite, inputs=[*inputs, *others])
    sides = open_sides(source_path, palette, recipe, opening=opening, grade=grade)
    source, colours, recipe = sides.source, sides.palette, sides.recipe
    if reporting is not None:
        reporting.check_source(source)
    writing.check(_image_of(source, colours), writer, output)
    kept = settled(recipe)
    plan = sides.plan(progress)
    make = partial(
        write_image,
        source,
        plan,
        recipe,
        writer,
        output,
        palette=colours,
        writing=writing,
        progress=progress,
    )
    said = {"recipe": dict(kept)} if kept else {}
    if grade.save_plan is None:
        done = make()
    else:
        provenance = plan_provenance(
            fit_provenance([source_path], source, recipe, opening, grade.mask),
            fit_provenance(palette.paths, colours, recipe, opening, palette.mask),
            plan,
            recipe,
        )
        provenance |= said
        provenance["pairs"] = [[pair.column, pair.row, *pair.colour] for pair in grade.pairs]
        with files.whole(grade.save_plan, overwrite=writing.overwrite) as temporary:
            store.save_plan(plan, temporary, provenance)
            done = make()  # the plan appears only with its picture
    if reporting is not None:
        names = {"source": _named([source_path]), "target": _named(palette.paths)}
        notes = reporting.write(done, output, {**names, **said}, overwrite=writing.overwrite)
        done = replace(done, notes=done.notes + notes)
    return replace(done, notes=sides.notes + done.notes)


def _named(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the names of files as a provenance has them, without what it takes to read them."""
    first, *rest = ({"name": path.name} for path in paths)
    return {"input": first, "pooled": rest}


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """What a colour job works on, opened and checked.

    Attributes
    ----------
    source, palette : Raster
    recipe : Recipe
        With what the two decide.
    pairs : tuple of arrays, or None
        Values of the source, and what they shall become.
    notes : tuple of str
        What was guessed or left out while files were read.
    """

    source: Raster
    palette: Raster
    recipe: Recipe
    pairs: tuple[Array, Array] | None
    notes: tuple[str, ...]

    def plan(self, progress: Progress = silent) -> TransportPlan:
        """Fit both sides and plan between them; the palette first, as it may be refused."""
        progress(f"fit {self.palette.name}", 0, 0)
        target = fit_opened(self.palette, self.recipe)
        progress(f"fit {self.source.name}", 0, 0)
        source = fit_opened(self.source, self.recipe)
        progress("plan", 0, 0)
        return plan_between(source, target, self.recipe, self.pairs)


def open_sides(
    source_path: Path, palette: Palette, recipe: Recipe, *, opening: Opening, grade: Grade
) -> Sides:
    """Open source and palette and check all that can be checked before a fit.

    Raises
    ------
    GwTransferError
        What cannot be done.
    """
    whole, *opened = open_rasters(opening, source_path, *palette.paths)
    parts = [comparable(part, whole) for part in opened]
    colours = palette.joined(parts, seed=recipe.seed)
    source = whole if grade.mask is None else grade.mask(whole)
    if grade.preview:
        source, recipe = _previewed(source, recipe)
    recipe = _settled(source, colours, recipe)
    check_blend(
        recipe.strength,
        recipe.keep,
        raster_bands(source),
        raster_bands(colours),
        mask=grade.mask is not None,
    )
    return Sides(
        source=source,
        palette=colours,
        recipe=recipe,
        pairs=pair_values(whole, colours, grade.pairs) if grade.pairs else None,
        notes=tuple(note for raster in (whole, *parts) for note in raster.notes),
    )


def _settled(source: Raster, palette: Raster, recipe: Recipe) -> Recipe:
    """Return the recipe with what the two rasters decide; a plug-in's own decisions stay its."""
    named = {"prepare": "color", "fit": AUTO_FITS[0], "map": recipe.name("map")}
    prepared = recipe.settled(**named)
    spaces = [will_live_in(raster, prepared) for raster in (source, palette)]
    if "" in spaces:
        return recipe.settled(**named, plan=AUTO)
    recipe = recipe.settled(**named, plan=default_solver(*spaces))
    anchor, smooth = recipe.anchor, recipe.smooth
    if anchor is None and recipe.name("plan") in ANCHORED:
        anchor = ANCHORED[recipe.name("plan")]
    if smooth is None:
        painted = palette.kind == "picture" and source.kind != "picture"
        smooth = float(painted and getattr(recipe.build("map"), "is_smooth", False))
    return replace(recipe, anchor=anchor, smooth=smooth)


def _previewed(source: Raster, recipe: Recipe) -> tuple[Raster, Recipe]:
    """Return a small source and a recipe with a small sample."""
    if source.film is not None:
        raise DataError(f"{source.name}: --preview is for pictures and cubes, found a film")
    prepare = {"sample": PREVIEW_SAMPLE, **recipe.options.get("prepare", {})}
    options = {**recipe.options, "prepare": prepare}
    return thinned(source, PREVIEW_SIDE), replace(recipe, options=options)


def raster_bands(raster: Raster) -> Bands:
    """Return what the bands of an opened raster are."""
    return Bands(coordinates(raster), raster.bands, raster.wavelengths)


def _image_of(source: Raster, palette: Raster) -> Raster:
    """Return a raster shaped like the coming result, for a writer to judge before any work."""

    def unread(start: int, stop: int) -> Rows:
        raise ReadError(f"{source.name}: rows {start} to {stop} are not computed yet")

    return replace(
        source,
        bands=palette.bands,
        kind=palette.kind,
        read=unread,
        wavelengths=palette.wavelengths,
        good=None,
    )
