"""The steps as jobs: a file to a stored mixture, two mixtures to a stored plan, a distance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer import __version__
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import SHAPES, Cloud, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io import files, store
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening
from gwtransfer.pipeline import default_solver, fit_item, planned
from gwtransfer.prepare.color import coordinates
from gwtransfer.recipe import AUTO, AUTO_FITS, Recipe, Settled, unrecorded
from gwtransfer.spreading import Spread, spread_over

Array = NDArray[np.float64]
Artefact = TypeVar("Artefact", GaussianMixture, TransportPlan)


def _default_prepare(item: Raster | Cloud) -> str:
    return "color" if isinstance(item, Raster) else "xyz"


def _default_fit(item: Raster | Cloud) -> str:
    return AUTO_FITS[isinstance(item, Cloud)]


def fit_opened(
    item: Raster | Cloud, recipe: Recipe, spread: Spread | None = None
) -> GaussianMixture:
    """Fit a mixture to an opened file, passing over all of it by others' hands if it is spread."""
    prepare = recipe.build("prepare", auto=_default_prepare(item))
    if spread is not None:
        prepare = spread.prepare(prepare)
    return fit_item(item, prepare, recipe.build("fit", auto=_default_fit(item)), seed=recipe.seed)


def plan_between(
    source: GaussianMixture,
    target: GaussianMixture,
    recipe: Recipe,
    pairs: tuple[Array, Array] | None = None,
) -> TransportPlan:
    """Plan between two mixtures with the recipe's solver and anchor.

    Parameters
    ----------
    pairs : tuple of (q, d) and (q, e) arrays, or None
        Values of the source and the values of the target they shall become.
    """
    auto = default_solver(source.space.coordinates, target.space.coordinates)
    guide = Guide(anchor=recipe.anchor)
    if pairs is not None:
        guide = replace(
            guide,
            points0=_points(pairs[0], source),
            points1=_points(pairs[1], target),
        )
    with one_thread():
        return planned(recipe.build("plan", auto=auto), source, target, guide=guide)


def _points(values: Array, mixture: GaussianMixture) -> Array:
    return np.asarray(to_coordinates(values, mixture.space.coordinates), dtype=np.float64)


def fit(
    path: Path,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    mask: Mask | None = None,
    overwrite: bool = False,
    scheduler: str | None = None,
    settled: Settled = unrecorded,
) -> tuple[Raster | Cloud, GaussianMixture]:
    """Fit a file and store the mixture.

    Parameters
    ----------
    scheduler : str or None
        Address of a Dask scheduler whose workers pass over the pixels.

    Raises
    ------
    UsageError
        A scheduler or another device where the fit makes no passes.
    """
    recipe.check()
    check_artefact_name(output)
    files.check_output(output, overwrite=overwrite, inputs=[path, *([mask.path] if mask else [])])
    (item,) = opening(path)
    if mask is not None:
        if not isinstance(item, Raster):
            raise DataError(f"{path}: --mask needs a picture or a cube, found a shape")
        item = mask(item)
    stage = recipe.build("fit", auto=_default_fit(item))
    elsewhere = "--scheduler" if scheduler is not None else "--device"
    if (scheduler or getattr(stage, "device", "cpu") != "cpu") and not getattr(stage, "passes", 0):
        raise UsageError(
            f"{elsewhere}: only passes over all pixels are made there, and this fit makes none; "
            "ask for some, as with --set fit.passes=20, or leave it out"
        )
    kept = settled(recipe.settled(prepare=_default_prepare(item), fit=_default_fit(item)))
    with spread_over(scheduler, path, opening, mask) as spread:
        mixture = fit_opened(item, recipe, spread)
    provenance = fit_provenance([path], item, recipe, opening, mask) | _recipe(kept)
    with files.whole(output, overwrite=overwrite) as temporary:
        store.save_mixture(mixture, temporary, provenance)
    return item, mixture


def _recipe(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe as an artefact's provenance holds it."""
    return {"recipe": dict(kept)} if kept else {}


def fit_provenance(
    paths: Sequence[Path],
    item: Raster | Cloud,
    recipe: Recipe,
    opening: Opening,
    mask: Mask | None,
) -> dict[str, Any]:
    """Return where a mixture comes from: files by name and content, stages by every option."""
    inputs = [{"name": path.name, "sha256": files.sha256(path)} for path in paths]
    provenance: dict[str, Any] = {
        "gwtransfer": __version__,
        "input": inputs[0],
        "prepare": recipe.resolved("prepare", auto=_default_prepare(item)),
        "fit": recipe.resolved("fit", auto=_default_fit(item)),
        "opening": {
            "load": opening.load,
            "options": dict(opening.options or {}),
            "bands": opening.bands,
        },
        "seed": recipe.seed,
    }
    if len(inputs) > 1:
        provenance["pooled"] = inputs[1:]
    if mask is not None:
        provenance["mask"] = mask.provenance()
    return provenance


def plan(
    source_path: Path,
    target_path: Path,
    output: Path,
    recipe: Recipe,
    *,
    overwrite: bool = False,
    settled: Settled = unrecorded,
) -> TransportPlan:
    """Plan between two stored mixtures and store the plan; it draws from the source's seed."""
    recipe.check()
    check_artefact_name(output)
    files.check_output(output, overwrite=overwrite, inputs=[source_path, target_path])
    source, source_from = load_mixture(source_path)
    target, target_from = load_mixture(target_path)
    auto = default_solver(source.space.coordinates, target.space.coordinates)
    kept = settled(recipe.settled(plan=auto))
    made = plan_between(source, target, recipe)
    provenance = plan_provenance(source_from, target_from, made, recipe) | _recipe(kept)
    with files.whole(output, overwrite=overwrite) as temporary:
        store.save_plan(made, temporary, provenance)
    return made


def plan_provenance(
    source: Mapping[str, Any], target: Mapping[str, Any], made: TransportPlan, recipe: Recipe
) -> dict[str, Any]:
    """Return where a plan comes from."""
    return {
        "gwtransfer": __version__,
        "source": source,
        "target": target,
        "plan": recipe.resolved("plan", auto=made.solver),
        "anchor": recipe.anchor,
    }


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One side of a comparison.

    Attributes
    ----------
    path : Path
    mixture : GaussianMixture
    prepare, fit : mapping
        The stages that made it and their options; empty where a stored mixture does not say.
    notes : tuple of str
        What was guessed or left out while the file was read.
    """

    path: Path
    mixture: GaussianMixture
    prepare: Mapping[str, Any]
    fit: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Two files compared, once for each seed.

    Attributes
    ----------
    sides : tuple of (Side, Side)
        In the order they were named, as the median plan has them.
    plans : tuple of TransportPlan
        One a seed. Source and target are in the order of their contents.
    seeds : tuple of int
    """

    sides: tuple[Side, Side]
    plans: tuple[TransportPlan, ...]
    seeds: tuple[int, ...]

    @property
    def plan(self) -> TransportPlan:
        """The plan of the median distance; of an even number, the lower of the two."""
        return self.plans[_median(self.plans)]

    @property
    def distances(self) -> tuple[float, ...]:
        """The distance of each seed."""
        return tuple(plan.distance for plan in self.plans)


def _median(plans: Sequence[TransportPlan]) -> int:
    order = sorted(range(len(plans)), key=lambda index: plans[index].value)
    return order[(len(plans) - 1) // 2]


def distance(
    first: Path,
    second: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    restarts: int = 1,
    settled: Settled = unrecorded,
) -> Comparison:
    """Compare two files or stored mixtures; the root of the median plan's value is the distance.

    No guide enters. The two are put in an order of their own content first, so that the distance
    is the same number whichever is named first.

    Parameters
    ----------
    restarts : int
        Fits of each file, with the recipe's seed and those that follow it.

    Raises
    ------
    DataError
        The two are not of one kind, or were prepared differently.
    UsageError
        Options of a fit where nothing is fitted.
    """
    recipe.check_distance()
    if restarts < 1:
        raise UsageError(f"option restarts: expected at least 1, got {restarts}")
    paths = (first, second)
    unfitted = [path for path in paths if not store.is_artefact(path)]
    if not unfitted:
        _refuse_fitting(paths, recipe, opening, restarts)
    items = iter(opening(*unfitted))
    opened = [load_mixture(path) if path not in unfitted else next(items) for path in paths]
    settled(_settled_comparison(paths, opened, recipe))
    sides, plans = [], []
    seeds = tuple(range(recipe.seed, recipe.seed + restarts))
    for seed in seeds:
        seeded = replace(recipe, seed=seed, anchor=0.0)
        one, other = (_side(path, item, seeded) for path, item in zip(paths, opened, strict=True))
        _check_comparable(one, other)
        sides.append((one, other))
        plans.append(plan_between(*in_order(one.mixture, other.mixture), seeded))
    return Comparison(sides=sides[_median(plans)], plans=tuple(plans), seeds=seeds)


def _settled_comparison(
    paths: Sequence[Path],
    opened: Sequence[Raster | Cloud | tuple[GaussianMixture, dict[str, Any]]],
    recipe: Recipe,
) -> Recipe:
    """Return the recipe of a comparison with what its files decide; refuse files of two kinds."""
    fitted = [item for item in opened if not isinstance(item, tuple)]
    if not fitted:
        spaces = [item[0].space.coordinates for item in opened if isinstance(item, tuple)]
        _check_kinds(paths, spaces)
        return recipe.settled(plan=default_solver(*spaces))
    spaces = []
    for item in reversed(opened):
        if isinstance(item, tuple):
            spaces.insert(0, item[0].space.coordinates)
            continue
        named = {"prepare": _default_prepare(item), "fit": _default_fit(item)}
        spaces.insert(0, will_live_in(item, recipe.settled(**named)))
    if "" not in spaces:
        _check_kinds(paths, spaces)
    auto = AUTO if "" in spaces else default_solver(*spaces)
    return recipe.settled(**named, plan=auto)


def will_live_in(item: Raster | Cloud, recipe: Recipe) -> str:
    """Return the coordinates an opened file will be fitted in; "" where only a plug-in knows."""
    name = recipe.name("prepare")
    if name in SHAPES:
        return name
    if name != "color" or not isinstance(item, Raster):
        return ""
    return coordinates(item, recipe.options["prepare"]["space"])  # type: ignore[arg-type]


def in_order(
    one: GaussianMixture, other: GaussianMixture
) -> tuple[GaussianMixture, GaussianMixture]:
    """Return two mixtures in an order of their own content, whichever is named first."""
    first, second = sorted((one, other), key=_content)
    return first, second


def _content(mixture: GaussianMixture) -> tuple[object, ...]:
    arrays = (
        mixture.weights, mixture.means, mixture.covariances, mixture.space.origin,
        mixture.space.axes,
    )  # fmt: skip
    return (*(array.tobytes() for array in arrays), mixture.space.unit, mixture.seed)


def _side(
    path: Path, opened: Raster | Cloud | tuple[GaussianMixture, dict[str, Any]], recipe: Recipe
) -> Side:
    if isinstance(opened, tuple):
        mixture, provenance = opened
        prepare, fit = (provenance.get(kind) or {} for kind in ("prepare", "fit"))
        return Side(path=path, mixture=mixture, prepare=prepare, fit=fit)
    return Side(
        path=path,
        mixture=fit_opened(opened, recipe),
        prepare=recipe.resolved("prepare", auto=_default_prepare(opened)),
        fit=recipe.resolved("fit", auto=_default_fit(opened)),
        notes=tuple(getattr(opened, "notes", ())),
    )


def _refuse_fitting(paths: Sequence[Path], recipe: Recipe, opening: Opening, restarts: int) -> None:
    """Refuse what only a fit could obey, where both sides are fitted already."""
    given = [
        *(option for kind in ("prepare", "fit") for option in recipe.options.get(kind, {})),
        *(kind for kind in ("prepare", "fit") if kind in recipe.stages and _chosen(recipe, kind)),
        *(["seed"] if recipe.seed else []),
        *(["restarts"] if restarts > 1 else []),
        *(["load"] if opening.load else []),
        *(opening.options or {}),
        *(["bands"] if opening.bands else []),
    ]
    if given:
        raise UsageError(
            f"{paths[0]}: expected no options of a fit, as both sides are stored mixtures, found "
            f"{', '.join(given)}; leave these out, or name the files that were fitted"
        )


def _chosen(recipe: Recipe, kind: str) -> bool:
    return recipe.name(kind) != Recipe().name(kind)


def _check_kinds(paths: Sequence[Path], spaces: Sequence[str]) -> None:
    """Refuse a shape against anything else, or against one in other coordinates."""
    if spaces[0] == spaces[1] or not any(name in SHAPES for name in spaces):
        return
    what = [
        f"a shape in {name} coordinates" if name in SHAPES else f"a picture or cube ({name})"
        for name in spaces
    ]
    raise DataError(
        f"{paths[1]}: expected {what[0]}, as {paths[0]} is, found {what[1]}; compare two of one "
        "kind"
    )


def _check_comparable(one: Side, other: Side) -> None:
    """Refuse a shape against anything else, and shapes that were not prepared alike."""
    spaces = [side.mixture.space.coordinates for side in (one, other)]
    _check_kinds([one.path, other.path], spaces)
    if not any(name in SHAPES for name in spaces):
        return
    differing = [
        f"{name}={other.prepare.get(name)} and not {one.prepare.get(name)}"
        for name in sorted({*one.prepare, *other.prepare} - {"sample"})
        if one.prepare and other.prepare and one.prepare.get(name) != other.prepare.get(name)
    ]
    if differing:
        raise DataError(
            f"{other.path}: expected a shape prepared as {one.path} was, found "
            f"{', '.join(differing)}; fit both alike"
        )


def check_artefact_name(path: Path) -> None:
    """Refuse an artefact's name that does not end in .npz.

    Raises
    ------
    UsageError
        Another suffix, or none.
    """
    if path.suffix.lower() != ".npz":
        raise UsageError(
            f"{path}: expected a name that ends in .npz, found {path.suffix or 'none'}"
        )


def load_mixture(path: Path) -> tuple[GaussianMixture, dict[str, Any]]:
    """Load a stored mixture and where it comes from.

    Raises
    ------
    ReadError
        The file is no mixture.
    """
    return _load(path, GaussianMixture, "a mixture of `gwtransfer fit`, found a plan")


def load_plan(path: Path) -> tuple[TransportPlan, dict[str, Any]]:
    """Load a stored plan and where it comes from.

    Raises
    ------
    ReadError
        The file is no plan.
    """
    return _load(path, TransportPlan, "a plan of `gwtransfer plan`, found a mixture")


def _load(path: Path, kind: type[Artefact], expected: str) -> tuple[Artefact, dict[str, Any]]:
    artefact, provenance = store.load_artefact(path)
    if not isinstance(artefact, kind):
        raise ReadError(f"{path}: expected {expected}")
    return artefact, provenance
