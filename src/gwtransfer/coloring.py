"""The colour job: a picture or cube in, its image out, whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gwtransfer import registry
from gwtransfer.bandchoice import check_bands
from gwtransfer.blending import Bands, check_blend, space_bands
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import TransportPlan
from gwtransfer.core.views import pooled, thinned
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io import files, store
from gwtransfer.io.pictures.profile import in_profile
from gwtransfer.jobs import (
    check_artefact_name,
    fit_opened,
    fit_provenance,
    load_plan,
    plan_between,
    plan_provenance,
)
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.pairs import Pair, pair_values
from gwtransfer.pipeline import apply_plan, default_solver, watch
from gwtransfer.prepare.color import coordinates
from gwtransfer.recipe import AUTO, Recipe
from gwtransfer.writing import Writing

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many of how many pixels are done (0 of 0: unknown)."""

CANDIDATES = 10_000
"""Points of the target offered to maps that choose among them."""

PREVIEW_SIDE = 512
PREVIEW_SAMPLE = 2000

STRANGE_SAID, STRANGE_REFUSED = 0.02, 0.95
"""Shares of pixels unlike all the plan was fitted to: above the first that is said, above the
second a cube is refused."""


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""
    del what, done, total


@dataclass(frozen=True, kw_only=True)
class Colored:
    """What a colour job did.

    Attributes
    ----------
    source : Raster
    palette : Raster or None
    plan : TransportPlan
    order : float
        Rank correlation of brightness before and after, NaN when there is none.
    notes : tuple of str
        What the user should know.
    """

    source: Raster
    palette: Raster | None
    plan: TransportPlan
    order: float
    notes: tuple[str, ...]


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
) -> Colored:
    """Give a picture or cube the colours of another and write it.

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
    whole, *opened = open_rasters(opening, source_path, *palette.paths)
    parts = [_comparable(part, whole) for part in opened]
    colours = palette.joined(parts, seed=recipe.seed)
    source = whole if grade.mask is None else grade.mask(whole)
    if grade.preview:
        source, recipe = _previewed(source, recipe)
    if recipe.name("prepare") == AUTO:  # then the solver is known before anything is fitted
        recipe.build("plan", auto=default_solver(coordinates(source), coordinates(colours)))
    check_blend(
        recipe.strength,
        recipe.keep,
        raster_bands(source),
        raster_bands(colours),
        mask=grade.mask is not None,
    )
    writing.check(_image_of(source, colours), writer)
    pairs = pair_values(whole, colours, grade.pairs) if grade.pairs else None
    progress(f"fit {source_path.name}", 0, 0)
    fitted_source = fit_opened(source, recipe)
    progress(f"fit {colours.name}", 0, 0)
    fitted_palette = fit_opened(colours, recipe)
    progress("plan", 0, 0)
    plan = plan_between(fitted_source, fitted_palette, recipe, pairs)
    done = _write_image(
        source, plan, recipe, writer, output, palette=colours, writing=writing, progress=progress
    )
    if grade.save_plan is not None:
        provenance = plan_provenance(
            fit_provenance([source_path], source, recipe, opening, grade.mask),
            fit_provenance(palette.paths, colours, recipe, opening, palette.mask),
            plan,
            recipe,
        )
        provenance["pairs"] = [[pair.column, pair.row, *pair.colour] for pair in grade.pairs]
        with files.whole(grade.save_plan, overwrite=writing.overwrite) as temporary:
            store.save_plan(plan, temporary, provenance)
    said = tuple(note for raster in (whole, *parts) for note in raster.notes)
    return replace(done, notes=said + done.notes)


def _comparable(palette: Raster, source: Raster) -> Raster:
    """Return a palette whose numbers mean what the source's mean; sRGB where that is a cube."""
    return in_profile(palette, source.carried.icc if source.kind == "picture" else None)


def _previewed(source: Raster, recipe: Recipe) -> tuple[Raster, Recipe]:
    """Return a small source and a recipe with a small sample."""
    if source.film is not None:
        raise DataError(f"{source.name}: --preview is for pictures and cubes, found a film")
    prepare = {"sample": PREVIEW_SAMPLE, **recipe.options.get("prepare", {})}
    options = {**recipe.options, "prepare": prepare}
    return thinned(source, PREVIEW_SIDE), replace(recipe, options=options)


def apply(
    plan_path: Path,
    source_path: Path,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    writing: Writing,
    palette_path: Path | None = None,
    mask: Mask | None = None,
    progress: Progress = silent,
) -> Colored:
    """Write a picture or cube mapped by a stored plan.

    Parameters
    ----------
    palette_path : Path or None
        The target's file, for maps that choose among its points.
    mask : Mask or None
        Where to apply it.
    """
    inputs = [plan_path, source_path, *([palette_path] if palette_path else [])]
    inputs += [mask.path] if mask else []
    _check_map(recipe, palette_path)
    writer = writing.writer(output)
    files.check_output(output, overwrite=writing.overwrite, inputs=inputs)
    plan, provenance = _checked_plan(plan_path, recipe, palette_path, mask)
    made_with = provenance.get("source", {}).get("opening", {})
    (source,) = open_rasters(replace(opening, default_bands=made_with.get("bands")), source_path)
    candidates = None
    if palette_path is not None:
        made_with = provenance.get("target", {}).get("opening", {})
        (opened,) = open_rasters(Opening.as_fitted(palette_path, made_with), palette_path)
        candidates = _comparable(opened, source)
    masked = source if mask is None else mask(source)
    done = _write_image(
        masked,
        plan,
        recipe,
        writer,
        output,
        palette=candidates,
        writing=writing,
        progress=progress,
    )
    return replace(done, notes=source.notes + done.notes)


def check_apply(
    plan_path: Path,
    outputs: Sequence[Path],
    recipe: Recipe,
    *,
    opening: Opening,
    writing: Writing,
    palette_path: Path | None = None,
    mask: Mask | None = None,
) -> None:
    """Refuse before any work what `apply` would refuse for each of many files.

    Parameters
    ----------
    outputs : sequence of Path
        At least one; refused when none of them can be written.

    Raises
    ------
    GwTransferError
        As `apply`.
    """
    _check_map(recipe, palette_path)
    if opening.bands is not None:
        check_bands(opening.bands)
    refused: list[UsageError] = []
    for output in outputs:
        try:
            writing.writer(output)
        except UsageError as error:
            refused.append(error)
    if len(refused) == len(outputs):
        raise refused[0]
    _checked_plan(plan_path, recipe, palette_path, mask)
    if mask is not None:
        open_rasters(Opening(), mask.path)


def _check_map(recipe: Recipe, palette_path: Path | None) -> None:
    """Refuse a map that is not known, and a palette it has no use for."""
    recipe.check()
    if palette_path is not None and not _chooses(recipe):
        raise UsageError(f"--palette is of no use to --map {recipe.name('map')}; leave it out")


def _checked_plan(
    path: Path, recipe: Recipe, palette_path: Path | None, mask: Mask | None
) -> tuple[TransportPlan, dict[str, Any]]:
    """Return a plan and where it comes from, when it can do what is asked of it."""
    plan, provenance = load_plan(path)
    source, target = space_bands(plan.source.space), space_bands(plan.target.space)
    check_blend(recipe.strength, recipe.keep, source, target, mask=mask is not None)
    if palette_path is not None:
        _check_palette(palette_path, provenance)
    elif _chooses(recipe):
        recipe.build("map")(plan)  # which says what it lacks
    return plan, provenance


def _write_image(
    source: Raster,
    plan: TransportPlan,
    recipe: Recipe,
    writer: registry.Writer,
    output: Path,
    *,
    palette: Raster | None,
    writing: Writing,
    progress: Progress,
) -> Colored:
    record = watch(source)
    candidates = None
    if palette is not None and _chooses(recipe):
        candidates = palette.sample(CANDIDATES, seed=plan.source.seed)
    image = apply_plan(
        source,
        plan,
        recipe.build("map"),
        strength=recipe.strength,
        keep=recipe.keep,
        smooth=recipe.smooth,
        candidates=candidates,
        record=record,
    )
    writing.put(
        _watched(image, progress),
        output,
        writer,
        at_end=lambda: _check_familiar(source, record.strange()),
    )
    strange = record.strange()
    notes: tuple[str, ...] = ()
    if strange > STRANGE_SAID:
        notes = (
            f"{source.name}: {strange:.0%} of its pixels are unlike all the plan was fitted to; "
            "their colours are extrapolated, fit again if they look wrong",
        )
    return Colored(source=source, palette=palette, plan=plan, order=record.order(), notes=notes)


def _check_familiar(source: Raster, strange: float) -> None:
    """Refuse the image of a cube that has nothing in common with what the plan was made for.

    A picture's values have one unit, and whoever applies a look to another picture means it.
    """
    if source.kind == "cube" and strange > STRANGE_REFUSED:
        raise DataError(
            f"{source.name}: expected values like those the plan was fitted to, found "
            f"{strange:.0%} of the pixels far from all of them; is it stored in another unit?"
        )


def _chooses(recipe: Recipe) -> bool:
    """Tell whether the map chooses among the target's own points."""
    return bool(getattr(recipe.build("map"), "needs_candidates", False))


def _check_palette(path: Path, provenance: Mapping[str, Any]) -> None:
    """Refuse a palette that is not the file the plan's target was fitted to."""
    target = provenance.get("target", {})
    made_from = target.get("input", {})
    for word, why in (("mask", "under a mask"), ("pooled", "to several palettes")):
        if word in target:
            raise DataError(
                f"{path}: the plan's target was fitted {why}, whose colours `apply` cannot tell "
                "again; let `color` choose among them"
            )
    if made_from.get("sha256") != files.sha256(path):
        raise DataError(
            f"{path}: expected {made_from.get('name', 'the file')} the plan's target was fitted "
            "to, found another file"
        )


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


def _watched(image: Raster, progress: Progress) -> Raster:
    """Report how many pixels of an image are made, as it is read."""
    made = 0

    def read(start: int, stop: int) -> Rows:
        nonlocal made
        rows = image.read(start, stop)
        made += (stop - start) * image.columns
        progress("apply", min(made, image.pixels), image.pixels)
        return rows

    return replace(image, read=read)
