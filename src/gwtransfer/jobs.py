"""The steps as jobs: a file to a stored mixture, two mixtures to a stored plan, a distance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer import __version__
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io import files, store
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening
from gwtransfer.pipeline import (
    default_solver,
    fit_item,
)
from gwtransfer.recipe import Recipe

Array = NDArray[np.float64]
Artefact = TypeVar("Artefact", GaussianMixture, TransportPlan)


def _default_prepare(item: Raster | Cloud) -> str:
    return "color" if isinstance(item, Raster) else "xyz"


def fit_opened(item: Raster | Cloud, recipe: Recipe) -> GaussianMixture:
    """Fit a mixture to an opened file."""
    prepare = recipe.build("prepare", auto=_default_prepare(item))
    return fit_item(item, prepare, recipe.build("fit"), seed=recipe.seed)


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
            points0=to_coordinates(pairs[0], source.space.coordinates),
            points1=to_coordinates(pairs[1], target.space.coordinates),
        )
    plan: TransportPlan = recipe.build("plan", auto=auto)(source, target, guide=guide)
    return plan


def fit(
    path: Path,
    output: Path,
    recipe: Recipe,
    *,
    opening: Opening,
    mask: Mask | None = None,
    overwrite: bool = False,
) -> tuple[Raster | Cloud, GaussianMixture]:
    """Fit a file and store the mixture."""
    recipe.check()
    check_artefact_name(output)
    files.check_output(output, overwrite=overwrite, inputs=[path, *([mask.path] if mask else [])])
    (item,) = opening(path)
    if mask is not None:
        if not isinstance(item, Raster):
            raise DataError(f"{path}: --mask needs a picture or a cube, found a shape")
        item = mask(item)
    mixture = fit_opened(item, recipe)
    provenance = fit_provenance([path], item, recipe, opening, mask)
    with files.whole(output, overwrite=overwrite) as temporary:
        store.save_mixture(mixture, temporary, provenance)
    return item, mixture


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
        "fit": recipe.resolved("fit"),
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
) -> TransportPlan:
    """Plan between two stored mixtures and store the plan; it draws from the source's seed."""
    recipe.check()
    check_artefact_name(output)
    files.check_output(output, overwrite=overwrite, inputs=[source_path, target_path])
    source, source_from = load_mixture(source_path)
    target, target_from = load_mixture(target_path)
    made = plan_between(source, target, recipe)
    provenance = plan_provenance(source_from, target_from, made, recipe)
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


def distance(first: Path, second: Path, recipe: Recipe, *, opening: Opening) -> TransportPlan:
    """Return the plan whose value is the squared distance between two files or stored mixtures.

    No guide enters. The two are put in an order of their own content first, so that the distance
    is the same number whichever is named first.
    """
    recipe.check()
    unfitted = [path for path in (first, second) if not store.is_artefact(path)]
    items = iter(opening(*unfitted))
    mixtures = [
        load_mixture(path)[0] if store.is_artefact(path) else fit_opened(next(items), recipe)
        for path in (first, second)
    ]
    source, target = sorted(mixtures, key=_content)
    return plan_between(source, target, replace(recipe, anchor=0.0))


def _content(mixture: GaussianMixture) -> tuple[bytes, ...]:
    return tuple(array.tobytes() for array in (mixture.weights, mixture.means, mixture.covariances))


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
