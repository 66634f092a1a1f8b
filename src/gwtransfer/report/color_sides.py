"""The files of a colour plan, opened as they were when it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.imaging import comparable
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.report import color_words


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """What a plan was made of and what was made by it, as far as it is there.

    Attributes
    ----------
    source, target, result : Raster or None
        The result has the source's size.
    notes : tuple of str
        What the user should know.
    """

    source: Raster | None = None
    target: Raster | None = None
    result: Raster | None = None
    notes: tuple[str, ...] = ()


def opened(
    provenance: Mapping[str, Any],
    *,
    plan: TransportPlan,
    source: Path | None,
    target: Path | None,
    result: Path | None,
    opening: Opening,
) -> Sides:
    """Open the files of a plan as they were opened when it was made.

    Parameters
    ----------
    opening : Opening
        How to open the source; what it leaves open is as the plan has it.

    Raises
    ------
    ReadError, DataError
        What cannot be read or does not belong to the plan.
    """
    rasters: dict[str, Raster] = {}
    for side, path, mixture in (("source", source, plan.source), ("target", target, plan.target)):
        if path is None:
            continue
        made_with = provenance.get(side, {}).get("opening", {})
        how = Opening.as_fitted(path, made_with)
        if side == "source":
            how = Opening(
                load=opening.load,
                options={**(how.options or {}), **(opening.options or {})},
                bands=opening.bands,
                default_bands=how.default_bands,
            )
        (rasters[side],) = open_rasters(how, path)
        _check_side(rasters[side], mixture, side)
    if "source" in rasters and "target" in rasters:
        rasters["target"] = comparable(rasters["target"], rasters["source"])
    if result is not None:
        (rasters["result"],) = open_rasters(Opening(), result)
        _check_result(rasters["result"], rasters.get("source"), plan)
    return Sides(**rasters, notes=tuple(n for one in rasters.values() for n in one.notes))


def _check_side(raster: Raster, mixture: GaussianMixture, side: str) -> None:
    """Refuse what the plan's mixture was not fitted to."""
    check_still(raster)
    expected = "cube" if color_words.is_cube(mixture) else "picture"
    if raster.bands != mixture.space.raw_dimension or raster.kind != expected:
        raise DataError(
            f"{raster.name}: expected the plan's {side}, {color_words.kind(mixture)}, found a "
            f"{raster.kind} of {raster.bands} bands"
        )


def check_still(raster: Raster) -> None:
    """Refuse a film, of which no page shows one picture.

    Raises
    ------
    DataError
    """
    if raster.film is not None:
        raise DataError(
            f"{raster.name}: reports are of pictures and cubes, found a film; make one of a frame"
        )


def _check_result(result: Raster, source: Raster | None, plan: TransportPlan) -> None:
    check_still(result)
    if source is None:
        raise DataError(f"{result.name}: a result is compared with its source; name that too")
    if (result.rows, result.columns) != (source.rows, source.columns):
        raise DataError(
            f"{result.name}: expected {source.rows} × {source.columns} pixels as {source.name} "
            f"has, found {result.rows} × {result.columns}"
        )
    _check_side(result, plan.target, "result, like its target")
