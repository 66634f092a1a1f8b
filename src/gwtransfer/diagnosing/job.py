"""The diagnosis of a plan, of values and of files."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer import registry
from gwtransfer.blending import is_picture, space_bands
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.raster import Raster
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import (
    SHAPES,
    Cloud,
    GaussianMixture,
    TransportPlan,
)
from gwtransfer.diagnosing.figures import Look
from gwtransfer.diagnosing.values import Diagnosis
from gwtransfer.diagnosing.words import sentences
from gwtransfer.errors import DataError, UsageError
from gwtransfer.imaging import comparable
from gwtransfer.jobs import load_plan
from gwtransfer.keywords import STAGE
from gwtransfer.opening import Opening
from gwtransfer.pipeline import prepared
from gwtransfer.recipe import Recipe

Array = NDArray[np.float64]
Item = NDArray[np.floating] | Raster | Cloud

MOST = 20_000
"""Points of either side that are looked at."""

FARTHEST = 1e70
"""Radii from the origin at which whitened points still have squares that a double holds."""


def diagnose(
    plan: TransportPlan,
    *,
    source: Item | None = None,
    target: Item | None = None,
    recipe: Recipe | None = None,
    most: int = MOST,
) -> Diagnosis:
    """Say what a plan's maps do to the source, and what they paint where the target has little.

    The maps are those of `--map mean` and `--map rand` with the recipe's options, in double
    precision, before strength, kept luminance and clean-up.

    Parameters
    ----------
    source : (N, d) array, Raster, Cloud or None
        Points in the raw coordinates of the source's space, or what to take them from; None draws
        them from the plan's own mixture, with its seed.
    target : (M, e) array, Raster, Cloud or None
        The same for the target.
    recipe : Recipe or None
        Its options of the map; None takes the defaults.
    most : int
        Points of either side at most.

    Raises
    ------
    DataError
        A side that is not of the kind or the dimension the plan was made for, or a film.
    UsageError
        No point to look at is asked for, or an option of the map out of range.
    """
    if most < 2:
        raise UsageError(f"most: expected at least 2 points, got {most}")
    options = {} if recipe is None else dict(recipe.options.get("map", {}))
    shared = {name: options[name] for name in ("gain_cap",) if name in options}
    own = {name: options[name] for name in ("restored",) if name in options}
    mean = registry.build("map", "mean", {**shared, **own, "precision": "double"})
    rand = registry.build("map", "rand", {**shared, "precision": "double"})
    with one_thread():
        look = Look(
            plan=plan,
            mean=mean(plan),
            rand=rand(plan),
            source=_points(plan.source, source, most, 6),
            target=_points(plan.target, target, most, 7),
        )
        found = Diagnosis(
            mean=look.diagnosis_of("mean"),
            rand=look.diagnosis_of("rand"),
            splits=look.splits,
            meeting=look.meeting,
            sentences=(),
            gain_cap=asdict(mean)["gain_cap"],
            restored=asdict(mean)["restored"],
            raw_per_working=plan.target.space.unit / plan.source.space.unit,
            points=len(look.source),
            from_source=source is not None,
            from_target=target is not None,
            gaps=look.gaps,
        )
    return replace(found, sentences=sentences(found, plan))


def _points(mixture: GaussianMixture, item: Item | None, most: int, stream: int) -> Array:
    """Return working points (n, p), n <= most, of an item or drawn from the mixture itself."""
    space, seed = mixture.space, mixture.seed
    if item is None:
        return mixture.drawn(most, np.random.default_rng([seed, stream]))
    name = f"{item.name}: " if isinstance(item, Raster | Cloud) else ""
    if isinstance(item, Raster):
        _check_raster(item, mixture)
        item = to_coordinates(item.sample(most, seed=seed), space.coordinates)
    elif isinstance(item, Cloud):
        item = shape_points(item, mixture, {}, most)
    points = np.asarray(item, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != space.raw_dimension or len(points) < 2:
        raise DataError(
            f"{name}expected at least 2 points of {space.raw_dimension} coordinates, as the plan "
            f"was made for, found an array of {points.shape}"
        )
    if not bool(np.isfinite(points).all()):
        raise DataError(f"{name}expected finite points, found NaN or infinite ones")
    if len(points) > most:
        points = points[np.arange(most) * len(points) // most]
    working = space.to_working(points)
    if np.abs(working).max() > FARTHEST:
        raise DataError(
            f"{name}expected values like those the plan was fitted to, found some too far from "
            "them to compute with; are they in another unit?"
        )
    return working


def _check_raster(raster: Raster, mixture: GaussianMixture) -> None:
    side = space_bands(mixture.space)
    if raster.film is not None:
        raise DataError(f"{raster.name}: expected a picture or a cube, found a film; take a frame")
    if side.coordinates in SHAPES:
        raise DataError(
            f"{raster.name}: expected a shape, as the plan was made for, found a {raster.kind}"
        )
    kind = "picture" if is_picture(side) else "cube"
    if (raster.kind, raster.bands) != (kind, side.number):
        raise DataError(
            f"{raster.name}: expected a {kind} of {side.number} bands, as the plan was made for, "
            f"found a {raster.kind} of {raster.bands}"
        )


def shape_points(
    cloud: Cloud, mixture: GaussianMixture, prepare: Mapping[str, Any], most: int
) -> Array:
    """Return points (n, d) of a shape in raw coordinates, made as those the mixture was fitted to.

    Parameters
    ----------
    prepare : mapping
        The prepare stage and its options, as a stored mixture has them; empty for the defaults.
    """
    name = mixture.space.coordinates
    if name not in SHAPES:
        kind = "picture" if is_picture(space_bands(mixture.space)) else "cube"
        raise DataError(f"{cloud.name}: expected a {kind}, as the plan was made for, found a shape")
    options = dict(prepare)
    stage = str(options.pop(STAGE, name))
    if name == "spectral":
        options["dimensions"] = mixture.dimension
    built = registry.build("prepare", stage, {**options, "sample": most})
    ready = prepared(cloud, built, seed=mixture.seed)
    return ready.space.to_raw(ready.points)


def diagnose_files(
    path: Path,
    source: Path | None = None,
    target: Path | None = None,
    *,
    opening: Opening | None = None,
    recipe: Recipe | None = None,
    most: int = MOST,
) -> Diagnosis:
    """Diagnose a stored plan, over the files it was made of where they are given.

    Parameters
    ----------
    opening : Opening or None
        How to open the source; what it does not say the plan does, as for the target.
    recipe : Recipe or None
        What differs from the options of the map that the plan was stored with, which are the
        defaults where it does not say.

    Raises
    ------
    UsageError
        How to open a source, and none.
    GwTransferError
        What cannot be read, or is not of the plan.
    """
    if source is None and opening not in (None, Opening(), Opening(options={})):
        raise UsageError("options of reading are for the source; name it by --source")
    plan, provenance = load_plan(path)
    kept = kept_map(provenance)
    asked = {} if recipe is None else dict(recipe.options.get("map", {}))
    chosen = Recipe(options={"map": {**kept, **asked}})
    opened: dict[str, Item] = {}
    first: Raster | None = None
    notes: list[str] = []
    for side, named, mixture in (("source", source, plan.source), ("target", target, plan.target)):
        if named is None:
            continue
        made = _table(provenance, side)
        how = Opening.as_fitted(named, _table(made, "opening"))
        if opening is not None and side == "source":
            options = {**(how.options or {}), **(opening.options or {})}
            how = replace(how, load=opening.load, options=options, bands=opening.bands)
        (item,) = how(named)
        notes += getattr(item, "notes", ())
        if isinstance(item, Cloud):
            opened[side] = shape_points(item, mixture, _table(made, "prepare"), most)
            continue
        _check_raster(item, mixture)
        if side == "target" and first is not None:
            item = comparable(item, first)
        first = item
        opened[side] = item
    notes += _unlike(provenance, source)
    found = diagnose(
        plan, source=opened.get("source"), target=opened.get("target"), recipe=chosen, most=most
    )
    return replace(found, notes=tuple(notes))


def _table(held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table of a stored plan's provenance; an empty one where there is none."""
    found = held.get(name)
    return found if isinstance(found, Mapping) else {}


def kept_map(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the map's options that a plan was stored with and that are looked at."""
    held = _table(_table(provenance, "recipe"), "map")
    return {name: held[name] for name in ("gain_cap", "restored") if name in held}


def _unlike(provenance: Mapping[str, Any], source: Path | None) -> list[str]:
    """Return in what a stored plan's own result is not what is looked at here."""
    recipe = _table(provenance, "recipe")
    notes = []
    if recipe.get("strength", 1.0) != 1.0 or recipe.get("keep") is not None:
        notes.append("the map is looked at by itself, at full strength and with nothing kept")
    if _table(recipe, "map").get(STAGE) not in (None, "mean", "rand"):
        notes.append("the plan's own map is another; mean and rand are looked at")
    if source is not None and "mask" in _table(provenance, "source"):
        notes.append(f"{source}: the plan was made under a mask, and all of the file is looked at")
    return notes
