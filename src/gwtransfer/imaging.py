"""An image made and written: what `color` and `apply` have in common."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gwtransfer import registry
from gwtransfer.blending import is_picture, space_bands
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import TransportPlan
from gwtransfer.core.views import same_waves
from gwtransfer.errors import DataError
from gwtransfer.io.pictures.profile import in_profile
from gwtransfer.recipe import Recipe
from gwtransfer.transport import apply_plan, watch
from gwtransfer.writing import Writing

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many of how many pixels are done (0 of 0: unknown)."""

CANDIDATES = 10_000
"""Points of the target offered to maps that choose among them."""

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


def comparable(palette: Raster, source: Raster) -> Raster:
    """Return a palette whose numbers mean what the source's mean; sRGB where that is a cube."""
    return in_profile(palette, source.carried.icc if source.kind == "picture" else None)


def chooses(recipe: Recipe) -> bool:
    """Tell whether the map chooses among the target's own points."""
    return bool(getattr(recipe.build("map"), "needs_candidates", False))


def write_image(
    source: Raster,
    plan: TransportPlan,
    recipe: Recipe,
    writer: registry.Writer,
    output: Path,
    *,
    palette: Raster | None,
    writing: Writing,
    progress: Progress,
    paint: Callable[..., Raster] | None = None,
) -> Colored:
    """Write the image of an opened source under a plan's map, whole or not at all.

    Parameters
    ----------
    palette : Raster or None
        Where maps that choose among the target's points find them.
    paint : callable
        What does as `transport.apply_plan` does.

    Raises
    ------
    GwTransferError
        The writer refuses, or a cube is unlike all the plan was fitted to; nothing is written.
    """
    record = watch(source)
    candidates = None
    if palette is not None and chooses(recipe):
        candidates = palette.sample(CANDIDATES, seed=plan.source.seed)
    image = (paint or apply_plan)(
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
        at_end=lambda: _check_familiar(source, plan, record.strange()),
    )
    strange = record.strange()
    notes: tuple[str, ...] = ()
    if source.georeference is not None and not getattr(writer, "holds_georeference", False):
        notes = (f"{output}: this format holds no georeference; write .tif to keep it",)
    if strange > STRANGE_SAID:
        notes += (
            f"{source.name}: {strange:.0%} of its pixels are unlike all the plan was fitted to; "
            "their colours are extrapolated, fit again if they look wrong",
        )
    if not same_waves(source.wavelengths, plan.source.space.wavelengths):
        notes += (f"{source.name}: its wavelengths are not those the plan was fitted to",)
    return Colored(source=source, palette=palette, plan=plan, order=record.order(), notes=notes)


def _check_familiar(source: Raster, plan: TransportPlan, strange: float) -> None:
    """Refuse the image of a cube that has nothing in common with what the plan was made for.

    A picture's values have one unit, and whoever applies a look to another picture means it.
    """
    pictures = source.kind == "picture" and is_picture(space_bands(plan.source.space))
    if not pictures and strange > STRANGE_REFUSED:
        raise DataError(
            f"{source.name}: expected values like those the plan was fitted to, found "
            f"{strange:.0%} of the pixels far from all of them; is it stored in another unit?"
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
