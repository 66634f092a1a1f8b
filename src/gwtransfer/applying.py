"""The apply job: a picture or cube in, its image by a stored plan out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gwtransfer.bandchoice import check_bands
from gwtransfer.blending import check_blend, space_bands
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.imaging import Colored, Progress, chooses, comparable, silent, write_image
from gwtransfer.io import files
from gwtransfer.jobs import load_plan
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.recipe import Recipe, Settled, unrecorded
from gwtransfer.spreading import spread_over
from gwtransfer.writing import Writing


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
    scheduler: str | None = None,
    settled: Settled = unrecorded,
) -> Colored:
    """Write a picture or cube mapped by a stored plan.

    Parameters
    ----------
    palette_path : Path or None
        The target's file, for maps that choose among its points.
    mask : Mask or None
        Where to apply it.
    scheduler : str or None
        Address of a Dask scheduler whose workers map the pixels.
    """
    inputs = [plan_path, source_path, *([palette_path] if palette_path else [])]
    inputs += [mask.path] if mask else []
    check_map(recipe, palette=palette_path is not None)
    writer = writing.writer(output)
    files.check_output(output, overwrite=writing.overwrite, inputs=inputs)
    plan, provenance = _checked_plan(plan_path, recipe, palette_path, mask)
    opening = as_fitted(opening, provenance)
    source, candidates = open_sides(source_path, palette_path, provenance, opening=opening)
    settled(recipe.settled(map="mean"))
    masked = source if mask is None else mask(source)
    with spread_over(scheduler, source_path, opening, mask) as spread:
        done = write_image(
            masked,
            plan,
            recipe,
            writer,
            output,
            palette=candidates,
            writing=writing,
            progress=progress,
            paint=None if spread is None else spread.apply_plan,
        )
    return replace(done, notes=source.notes + done.notes)


def as_fitted(opening: Opening, provenance: Mapping[str, Any]) -> Opening:
    """Return an opening of the bands that a plan's source was fitted to, unless it says others."""
    made_with = provenance.get("source", {}).get("opening", {})
    return replace(opening, default_bands=made_with.get("bands"))


def open_sides(
    source_path: Path,
    palette_path: Path | None,
    provenance: Mapping[str, Any],
    *,
    opening: Opening,
    palette_opening: Opening | None = None,
) -> tuple[Raster, Raster | None]:
    """Open a source, and what its map chooses colours from.

    Parameters
    ----------
    provenance : mapping
        Of the plan; empty where that is not known.
    opening : Opening
        Of the source.
    palette_opening : Opening or None
        Of the palette; None is as the plan's target was opened.
    """
    (source,) = open_rasters(opening, source_path)
    if palette_path is None:
        return source, None
    made_with = provenance.get("target", {}).get("opening", {})
    how = palette_opening or Opening.as_fitted(palette_path, made_with)
    (palette,) = open_rasters(how, palette_path)
    return source, comparable(palette, source)


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
    check_map(recipe, palette=palette_path is not None)
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


def check_map(recipe: Recipe, *, palette: bool) -> None:
    """Refuse a map that is not known, and a palette it has no use for."""
    recipe.check()
    if palette and not chooses(recipe):
        raise UsageError(f"--palette is of no use to --map {recipe.name('map')}; leave it out")


def _checked_plan(
    path: Path, recipe: Recipe, palette_path: Path | None, mask: Mask | None
) -> tuple[TransportPlan, dict[str, Any]]:
    """Return a plan and where it comes from, when it can do what is asked of it."""
    plan, provenance = load_plan(path)
    source, target = space_bands(plan.source.space), space_bands(plan.target.space)
    check_blend(recipe.strength, recipe.keep, source, target, mask=mask is not None)
    if palette_path is not None:
        check_palette(palette_path, provenance)
    elif chooses(recipe):
        recipe.build("map")(plan)  # which says what it lacks
    return plan, provenance


def check_palette(path: Path, provenance: Mapping[str, Any]) -> None:
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
