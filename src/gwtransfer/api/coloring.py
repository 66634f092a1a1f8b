"""Colours given to files, arrays and opened rasters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from numpy.typing import NDArray

from gwtransfer import coloring, recipefile
from gwtransfer.api.asked import Asked, asked
from gwtransfer.api.images import IN_AND_OUT, Transferred, kept, output_of, result
from gwtransfer.api.inputs import Inputs, Reading, Softening, Storing, check_feather
from gwtransfer.api.messages import speaks_python
from gwtransfer.api.words import Picture, RecipeLike, TransferWords, Where
from gwtransfer.coloring import Grade, Palette
from gwtransfer.errors import UsageError
from gwtransfer.imaging import Colored
from gwtransfer.keywords import as_keywords
from gwtransfer.opening import Opening
from gwtransfer.pairs import parse_pairs
from gwtransfer.recipe import Recipe, unrecorded

KINDS = ("prepare", "fit", "plan", "map")
INPUTS = ("source", "palette", "mask", "palette_mask")


@dataclass(frozen=True, kw_only=True)
class _Previewing:
    preview: bool = False


@speaks_python
def transfer(
    source: Picture | None = None,
    palette: Picture | Sequence[Picture] | None = None,
    output: Where | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[TransferWords],
) -> Transferred:
    """Give a picture or cube the colours of another, as `gwtransfer color` does.

    Parameters
    ----------
    source : path, array or Raster
        Arrays are (rows, columns) or (rows, columns, bands), see `raster`.
    palette : path, array or Raster, or a sequence of them
        Several are pooled.
    output : path or None
        Where to write the image; None only computes it. The file is that of the command.
    recipe : path, mapping, Recipe or None
        What else to be asked for: a recipe file of ``color``, what one would hold, or stages.
        Arguments and keywords win over it.
    **keywords
        The options of `gwtransfer color`, with underscores. A table chooses a stage and its
        options: ``plan={"stage": "mew2", "waves": 0}``.

        - how files are read: ``load``, ``variable``, ``band_axis``, ``bands``;
        - the mixtures: ``prepare``, ``fit``, ``sample``, ``space``, ``variance``, ``noise``,
          ``keep_size``, ``components``, ``device``, ``seed``;
        - the plan: ``plan``, ``solver``, ``starts``, ``anchor``, ``marginals``, ``penalty``,
          ``pair``, ``save_plan``;
        - several palettes, or part of one: ``palette_weights``, ``palette_mask``;
        - the map: ``map``, ``gain_cap``, ``strength``, ``keep``, ``smooth``, ``mask``, ``feather``,
          ``preview``;
        - how the output is written: ``write``, ``depth``, ``dither``, ``cog``, ``strip``,
          ``overwrite``; and the page that shows it: ``report``.

    Returns
    -------
    Transferred
        Its ``image`` is an array (rows, columns, bands), its ``plan`` serves `apply`, and ``order``
        tells how well the order of brightness was kept.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> rng = np.random.default_rng(0)
    >>> gray = rng.random((20, 30))
    >>> colours = rng.random((10, 10, 3)) * [1.0, 0.5, 0.2]
    >>> result = gw.transfer(gray, colours, components=2, plan={"starts": "few"})
    >>> result.image.shape
    (20, 30, 3)
    >>> result.order > 0.9
    True
    """
    given = {"source": source, "palette": palette, "output": output, **keywords}
    request = asked(
        "color",
        recipe,
        given,
        kinds=KINDS,
        known=[
            "source", "palette", "palette_weights", "palette_mask", "pair", "preview", "save_plan",
            "report", *IN_AND_OUT,
        ],
    )  # fmt: skip
    inputs, feather = Inputs(), request.told(Softening).feather
    path = inputs.picture(request.need("source"), "source")
    chosen = request.need("palette")
    several = chosen if isinstance(chosen, list | tuple) else [chosen]
    places = [inputs.picture(one, _numbered("palette", i)) for i, one in enumerate(several)]
    colours = Palette(
        paths=places,
        weights=_weights(request.get("palette_weights")),
        mask=inputs.mask(request.get("palette_mask"), feather, "palette_mask"),
    )
    grade = Grade(
        mask=inputs.mask(request.get("mask"), feather, "mask"),
        pairs=parse_pairs(request.texts("pair")),
        preview=request.told(_Previewing).preview,
        save_plan=request.path("save_plan"),
    )
    check_feather(feather, grade.mask or colours.mask)
    opening = request.told(Reading).opening(inputs.held)
    where = output_of(request, "save_plan", "report")
    if where is None:
        done, image = _colored(path, colours, request.recipe, opening, grade)
        return result(done, None, image)
    if grade.save_plan is not None and inputs.held:
        value = next(iter(inputs.held.values())).name
        raise UsageError(
            f"{grade.save_plan}: a stored plan says which files it was made of, and {value} is "
            "none; gw.save(result.plan, path) stores it without"
        )
    reporting, page = None, request.path("report")
    if page is not None:
        from gwtransfer.report.color_run import ColorRun

        reporting = ColorRun(path=page)
    done = coloring.color(
        path, colours, where, request.recipe,
        opening=opening, writing=request.told(Storing).writing(), grade=grade,
        settled=unrecorded if inputs.held else partial(_recorded, request),
        reporting=reporting,
    )  # fmt: skip
    return result(done, where)


def _recorded(request: Asked, settled: Recipe) -> dict[str, Any]:
    """Return what a stored plan keeps of a run, as the command does."""
    said: dict[str, Any] = {**request.rest, **as_keywords(settled, KINDS)}
    if "palette_weights" in said:
        weights = _weights(said["palette_weights"]) or []
        said["palette_weights"] = ",".join(f"{one:g}" for one in weights)
    if "pair" in said:
        said["pair"] = request.texts("pair")
    if "depth" in said:
        said["depth"] = str(said["depth"])
    return recipefile.kept(request.command, said, INPUTS)


def _colored(
    path: Path, palette: Palette, recipe: Recipe, opening: Opening, grade: Grade
) -> tuple[Colored, NDArray[Any]]:
    """Do as `coloring.color`, and keep the image."""
    sides = coloring.open_sides(path, palette, recipe, opening=opening, grade=grade)
    done, image = kept(sides.source, sides.plan(), sides.recipe, sides.palette)
    return replace(done, notes=sides.notes + done.notes), image


def _weights(given: Sequence[float] | str | None) -> list[float] | None:
    """Understand numbers, or text of numbers with commas between them."""
    if given is None:
        return None
    try:
        return [float(one) for one in (given.split(",") if isinstance(given, str) else given)]
    except (TypeError, ValueError):
        raise UsageError(f"palette_weights {given!r}: expected numbers like 2,1") from None


def _numbered(name: str, index: int) -> str:
    return name if index == 0 else f"{name} {index + 1}"
