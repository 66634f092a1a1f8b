"""The colour job: a picture or cube in, its image out, whole or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gwtransfer import registry
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io import files
from gwtransfer.jobs import fit_opened, load_plan, plan_between
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.pipeline import Bands, apply_plan, check_blend, default_solver, luminance_order
from gwtransfer.prepare.color import coordinates
from gwtransfer.recipe import AUTO, Recipe

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, 0 to 1."""

CANDIDATES = 10_000
"""Points of the target offered to maps that choose among them."""


def silent(what: str, share: float) -> None:
    """Report no progress."""
    del what, share


@dataclass(frozen=True, kw_only=True)
class Colored:
    """What a colour job did.

    Attributes
    ----------
    source : Raster
    plan : TransportPlan
    order : float
        Rank correlation of brightness before and after, NaN when there is none.
    """

    source: Raster
    plan: TransportPlan
    order: float


def color(
    source_path: Path,
    palette_path: Path,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    write: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> tuple[Colored, Raster]:
    """Give a picture or cube the colours of another and write it.

    Parameters
    ----------
    write : str or None
        Name of a write stage; None goes by the output's extension.

    Returns
    -------
    Colored, Raster
        What was done, and the opened palette.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.
    """
    recipe.check()
    writer = registry.writer_for(output, write=write)
    files.check_output(output, overwrite=overwrite, inputs=[source_path, palette_path])
    source, palette = open_rasters(opening, source_path, palette_path)
    if recipe.name("prepare") == AUTO:  # then the solver is known before anything is fitted
        recipe.build("plan", auto=default_solver(coordinates(source), coordinates(palette)))
    check_blend(recipe.strength, raster_bands(source), raster_bands(palette))
    _check(writer, _image_of(source, palette))
    progress(f"fit {source_path.name}", 0.0)
    fitted_source = fit_opened(source, recipe)
    progress(f"fit {palette_path.name}", 0.0)
    fitted_palette = fit_opened(palette, recipe)
    progress("plan", 0.0)
    plan = plan_between(fitted_source, fitted_palette, recipe)
    done = _write_image(
        source,
        plan,
        recipe,
        writer,
        output,
        palette=palette,
        overwrite=overwrite,
        progress=progress,
    )
    return done, palette


def apply(
    plan_path: Path,
    source_path: Path,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    palette_path: Path | None = None,
    write: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Colored:
    """Write a picture or cube mapped by a stored plan.

    Parameters
    ----------
    palette_path : Path or None
        The target's file, for maps that choose among its points.
    write : str or None
        Name of a write stage; None goes by the output's extension.
    """
    inputs = [plan_path, source_path, *([palette_path] if palette_path else [])]
    recipe.check()
    if palette_path is not None and not _chooses(recipe):
        raise UsageError(f"--palette is of no use to --map {recipe.name('map')}; leave it out")
    writer = registry.writer_for(output, write=write)
    files.check_output(output, overwrite=overwrite, inputs=inputs)
    plan, provenance = load_plan(plan_path)
    if palette_path is not None:
        _check_palette(palette_path, provenance)
    source, *rest = open_rasters(opening, source_path, *([palette_path] if palette_path else []))
    palette = rest[0] if rest else None
    return _write_image(
        source,
        plan,
        recipe,
        writer,
        output,
        palette=palette,
        overwrite=overwrite,
        progress=progress,
    )


def _write_image(
    source: Raster,
    plan: TransportPlan,
    recipe: Recipe,
    writer: registry.Writer,
    output: Path,
    *,
    palette: Raster | None,
    overwrite: bool,
    progress: Progress,
) -> Colored:
    order = luminance_order(source)
    candidates = None
    if palette is not None and _chooses(recipe):
        candidates = palette.sample(CANDIDATES, seed=plan.source.seed)
    image = apply_plan(
        _watched(source, progress),
        plan,
        recipe.build("map"),
        strength=recipe.strength,
        candidates=candidates,
        order=order,
    )
    _check(writer, image)
    with files.whole(output, overwrite=overwrite) as temporary:
        writer(_storable(image), temporary)
    return Colored(source=source, plan=plan, order=order.value())


def _chooses(recipe: Recipe) -> bool:
    """Tell whether the map chooses among the target's own points."""
    return bool(getattr(recipe.build("map"), "needs_candidates", False))


def _check_palette(path: Path, provenance: Mapping[str, Any]) -> None:
    """Refuse a palette that is not the file the plan's target was fitted to."""
    made_from = provenance.get("target", {}).get("input", {})
    if made_from.get("sha256") != files.sha256(path):
        raise DataError(
            f"{path}: expected {made_from.get('name', 'the file')} the plan's target was fitted "
            "to, found another file"
        )


def _check(writer: registry.Writer, raster: Raster) -> None:
    """Ask a writer for its consent; what it refuses depends on the files, and is no misuse."""
    try:
        writer.check(raster)
    except UsageError as error:
        raise DataError(str(error)) from error


def raster_bands(raster: Raster) -> Bands:
    """Return what the bands of an opened raster are."""
    return Bands(coordinates(raster), raster.bands, raster.wavelengths)


def _image_of(source: Raster, palette: Raster) -> Raster:
    """Return a raster shaped like the coming result, for a writer to judge before any work."""

    def unread(start: int, stop: int) -> Rows:
        raise ReadError(f"{source.name}: rows {start} to {stop} are not computed yet")

    return replace(
        source, bands=palette.bands, kind=palette.kind, read=unread, wavelengths=palette.wavelengths
    )


def _watched(raster: Raster, progress: Progress) -> Raster:
    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        progress("apply", stop / raster.rows)
        return rows

    return replace(raster, read=read)


def _storable(raster: Raster) -> Raster:
    """Refuse, as it is read, a result that files of single floats cannot hold."""
    most = float(np.finfo(np.float32).max)

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        if bool((np.abs(rows.values) > most).any()):
            raise DataError(
                f"{raster.name}: its image has values above {most:.3g}, which no float32 file "
                "holds; divide the palette's values"
            )
        return rows

    return replace(raster, read=read)
