"""Plans applied to files, arrays and opened rasters."""

from dataclasses import replace
from typing import Any, Unpack

from gwtransfer import applying
from gwtransfer.api.asked import Asked, asked
from gwtransfer.api.images import IN_AND_OUT, Transferred, kept, output_of, result
from gwtransfer.api.inputs import Inputs, Reading, Softening, Storing, check_feather
from gwtransfer.api.items import path_of
from gwtransfer.api.messages import speaks_python
from gwtransfer.api.words import ApplyWords, Picture, RecipeLike, Where
from gwtransfer.blending import check_blend, space_bands
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError
from gwtransfer.imaging import silent, write_image
from gwtransfer.io import files
from gwtransfer.jobs import load_plan


@speaks_python
def apply(
    plan: TransportPlan | Where | None = None,
    source: Picture | None = None,
    output: Where | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[ApplyWords],
) -> Transferred:
    """Map a picture or cube by a plan, as `gwtransfer apply` does.

    Parameters
    ----------
    plan : TransportPlan or path
    source : path, array or Raster
        Of the bands the plan was made for.
    output : path or None
        Where to write the image; None only computes it.
    recipe : path, mapping, Recipe or None
        As `transfer` takes it, of ``apply``.
    **keywords
        The options of `gwtransfer apply`, with underscores:

        - how files are read: ``load``, ``variable``, ``band_axis``, ``bands``;
        - the map: ``map``, ``gain_cap``, ``strength``, ``keep``, ``smooth``, ``mask``, ``feather``,
          ``device``;
        - what map nearest takes its colours from: ``palette``;
        - how the output is written: ``write``, ``depth``, ``dither``, ``cog``, ``strip``,
          ``overwrite``.

    Returns
    -------
    Transferred
        Its ``image`` is an array (rows, columns, bands).

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> rng = np.random.default_rng(0)
    >>> first, next_frame = rng.random((2, 20, 30, 3))
    >>> plan = gw.transfer(first, first[:, :, ::-1], components=3).plan
    >>> gw.apply(plan, next_frame, strength=0.5).image.shape
    (20, 30, 3)
    """
    given = {"plan": plan, "source": source, "output": output, **keywords}
    request = asked(
        "apply",
        recipe,
        given,
        kinds=("map",),
        known=["plan", "source", "sources", "palette", *IN_AND_OUT],
    )
    inputs, feather = Inputs(), request.told(Softening).feather
    made = request.need("plan")
    path = inputs.picture(_one_source(request), "source")
    chosen = request.get("palette")
    palette = None if chosen is None else inputs.picture(chosen, "palette")
    mask = inputs.mask(request.get("mask"), feather, "mask")
    check_feather(feather, mask)
    reading, writing = request.told(Reading), request.told(Storing).writing()
    where = output_of(request)
    if where is not None and not inputs.held and not isinstance(made, TransportPlan):
        done = applying.apply(
            path_of(made, "plan"), path, where, request.recipe,
            opening=reading.opening(), writing=writing, palette_path=palette, mask=mask,
        )  # fmt: skip
        return result(done, where)
    plan, origin = _plan(made)
    applying.check_map(request.recipe, palette=palette is not None)
    if palette is not None and origin and palette not in inputs.held:
        applying.check_palette(palette, origin)
    opened, candidates = applying.open_sides(
        path,
        palette,
        origin,
        opening=applying.as_fitted(reading.opening(inputs.held), origin),
        palette_opening=Reading().opening(inputs.held) if palette in inputs.held else None,
    )
    sides = (space_bands(plan.source.space), space_bands(plan.target.space))
    check_blend(request.recipe.strength, request.recipe.keep, *sides, mask=mask is not None)
    masked = opened if mask is None else mask(opened)
    if where is None:
        done, image = kept(masked, plan, request.recipe, candidates)
        return result(replace(done, notes=opened.notes + done.notes), None, image)
    read = [path, *([palette] if palette else []), *([mask.path] if mask else [])]
    files.check_output(where, overwrite=writing.overwrite, inputs=read)
    done = write_image(
        masked, plan, request.recipe, writing.writer(where), where,
        palette=candidates, writing=writing, progress=silent,
    )  # fmt: skip
    return result(replace(done, notes=opened.notes + done.notes), where)


def _plan(made: TransportPlan | Where) -> tuple[TransportPlan, dict[str, Any]]:
    """Return a plan, and where it comes from if it was stored."""
    if isinstance(made, TransportPlan):
        return made, {}
    return load_plan(path_of(made, "plan", "a plan or a path"))


def _one_source(request: Asked) -> Any:
    """Return the source; a recipe of the command has a list, of one here."""
    if "source" in request.rest or "sources" not in request.rest:
        return request.need("source")
    sources = request.texts("sources")
    if len(sources) != 1:
        raise UsageError(f"sources: expected one file, got {len(sources)}; call apply for each")
    return sources[0]
