"""Distances between, and matches of, files, arrays and mixtures."""

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal, Unpack

from gwtransfer.api.asked import Asked, asked
from gwtransfer.api.inputs import Inputs, Reading
from gwtransfer.api.messages import speaks_python
from gwtransfer.api.words import DistanceWords, Item, MatchWords, RecipeLike, Shape, Where
from gwtransfer.core.types import SHAPES, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.io import store
from gwtransfer.jobs import distance as distance_of_files
from gwtransfer.jobs import fit_opened, in_order, load_mixture, plan_between
from gwtransfer.matching import job
from gwtransfer.options import option_names
from gwtransfer.recipe import Recipe

KINDS = ("prepare", "fit", "plan")


class Distance(float):
    """A distance, and the plans it is taken from.

    Attributes
    ----------
    plan : TransportPlan
        The one whose value's root it is; the median of several restarts.
    plans : tuple of TransportPlan
        One a restart.
    """

    plan: TransportPlan
    plans: tuple[TransportPlan, ...]

    @classmethod
    def of(cls, plan: TransportPlan, plans: tuple[TransportPlan, ...]) -> "Distance":
        """Return the distance of a plan among others."""
        made = cls(plan.distance)
        made.plan, made.plans = plan, plans
        return made


@speaks_python
def distance(
    first: Item | GaussianMixture | None = None,
    second: Item | GaussianMixture | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[DistanceWords],
) -> Distance:
    """Return how far two shapes, or two pictures or cubes, are apart, as `gwtransfer distance`.

    Parameters
    ----------
    first, second : path, array, (vertices, faces), Raster, Cloud or GaussianMixture
        Of one kind, in any order; arrays (n, 3) are points.
    recipe : path, mapping, Recipe or None
        As `transfer` takes it, of ``distance``.
    **keywords
        The options of `gwtransfer distance`, with underscores:

        - how files are read: ``load``, ``variable``, ``band_axis``, ``bands``;
        - the mixtures: ``prepare``, ``fit``, ``sample``, ``space``, ``variance``, ``noise``,
          ``keep_size``, ``components``, ``device``, ``seed``;
        - the plan: ``plan``, ``solver``, ``starts``;
        - how often both sides are fitted: ``restarts``.

    Returns
    -------
    Distance
        A float, in working units, that also holds its ``plan``.

    Raises
    ------
    ShapeError
        A two-dimensional array whose rows are no points (n, 3).
    GwTransferError
        The two do not compare, or a file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> points = np.random.default_rng(0).normal(size=(300, 3)) * [3, 2, 1]
    >>> turned = points[:, [1, 2, 0]] + 5.0
    >>> abs(gw.distance(points, turned, components=5)) < 1e-6
    True
    >>> gw.distance(points, points**2, components=5) > 0.1
    True
    """
    given = {"first": first, "second": second, **keywords}
    known = ["first", "second", "restarts", *option_names(Reading)]
    request = asked("distance", recipe, given, kinds=KINDS, known=known, without=["anchor"])
    sides = (request.need("first"), request.need("second"))
    if any(isinstance(side, GaussianMixture) for side in sides):
        plan = _between(*sides, request)
        return Distance.of(plan, (plan,))
    inputs = Inputs()
    one, other = (
        inputs.item(side, name) for side, name in zip(sides, ("first", "second"), strict=True)
    )
    found = distance_of_files(
        one, other, request.recipe,
        opening=request.told(Reading).opening(inputs.held),
        restarts=request.told(_Repeating).restarts,
    )  # fmt: skip
    return Distance.of(found.plan, found.plans)


@dataclass(frozen=True, kw_only=True)
class _Repeating:
    """How often both sides are fitted."""

    restarts: int = 1


def _between(
    first: Item | GaussianMixture, second: Item | GaussianMixture, request: Asked
) -> TransportPlan:
    """Plan between two sides of which one at least is a mixture at hand, without a guide."""
    recipe = request.recipe
    sides = {"first": first, "second": second}
    given = [name for name in ("restarts", *option_names(Reading)) if name in request.rest]
    if not any(map(_is_fitted_from, sides.values())):
        given += [kind for kind in ("prepare", "fit") if recipe.options.get(kind)]
        given += [kind for kind in ("prepare", "fit") if recipe.name(kind) != Recipe().name(kind)]
    if given:
        raise UsageError(
            f"{given[0]}: expected no options of reading or fitting, as mixtures are compared; "
            "leave it out, or compare what they were fitted to"
        )
    one, other = (_mixture(side, name, recipe) for name, side in sides.items())
    kinds = [mixture.space.coordinates for mixture in (one, other)]
    if kinds[0] != kinds[1] and any(kind in SHAPES for kind in kinds):
        raise DataError(f"expected two of one kind, found {kinds[0]} and {kinds[1]} coordinates")
    return plan_between(*in_order(one, other), replace(recipe, anchor=0.0))


def _is_fitted_from(side: Item | GaussianMixture) -> bool:
    """Tell whether a side has to be fitted first."""
    return not isinstance(side, GaussianMixture) and not (
        isinstance(side, str | PathLike) and store.is_artefact(Path(side))
    )


def _mixture(side: Item | GaussianMixture, name: str, recipe: Recipe) -> GaussianMixture:
    if isinstance(side, GaussianMixture):
        return side
    inputs = Inputs()
    path = inputs.item(side, name)
    if store.is_artefact(path):
        return load_mixture(path)[0]
    (opened,) = Reading().opening(inputs.held)(path)
    return fit_opened(opened, recipe)


@dataclass(frozen=True, kw_only=True)
class _Matching:
    """Keywords of `match` that belong to no stage and name no file."""

    load: str | None = None
    rigid: bool = False
    icp: bool = False
    refine: bool = True
    rotation: Literal["proper", "any"] = "proper"
    top: int = 1
    truth: str | None = None
    overwrite: bool = False


@speaks_python
def match(
    source: Shape | None = None,
    target: Shape | None = None,
    output: Where | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[MatchWords],
) -> job.Result:
    """Find for each vertex of one shape the vertex of another that it is, as `gwtransfer match`.

    Parameters
    ----------
    source, target : path, array (n, 3), (vertices, faces) or Cloud
    output : path or None
        A table or a folder, as of the command; None writes nothing.
    recipe : path, mapping, Recipe or None
        As `transfer` takes it, of ``match``.
    **keywords
        The options of `gwtransfer match`, with underscores:

        - how files are read: ``load``;
        - the mixtures: ``prepare``, ``fit``, ``sample``, ``space``, ``variance``, ``noise``,
          ``keep_size``, ``components``, ``device``, ``seed``;
        - the plan: ``plan``;
        - the match: ``rigid``, ``icp``, ``refine``, ``rotation``, ``pair``, ``top``, ``truth``;
        - what is written: ``transfer``, ``overwrite``; and the page that shows it: ``report``.

    Returns
    -------
    gwtransfer.matching.job.Result
        Its ``matched`` holds ``index`` (n,), the target vertex of each source vertex, ``distance``
        (n,), ``score``, ``motion`` and more; ``errors`` how far it is from ``truth``.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> points = np.random.default_rng(0).normal(size=(80, 3)) * [3, 2, 1]
    >>> turned = points[::-1] @ [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    >>> found = gw.match(points, turned, prepare="xyz", components=6, plan={"starts": "few"})
    >>> bool((found.matched.index == np.arange(80)[::-1]).all())
    True
    """
    given = {"source": source, "target": target, "output": output, **keywords}
    known = ["source", "target", "output", "report", "pair", "transfer", *option_names(_Matching)]
    request = asked("match", recipe, given, kinds=KINDS, known=known, without=["anchor"])
    words, inputs = request.told(_Matching), Inputs()
    one, other = (inputs.item(request.need(name), name) for name in ("source", "target"))
    output_path, page = request.path("output"), request.path("report")
    if page is not None:
        from gwtransfer.report import shapes_run

        shapes_run.check(page, output_path, overwrite=words.overwrite, inputs=[one, other])
    found = job.match(
        one,
        other,
        job.Request(
            recipe=request.recipe,
            rigid=words.rigid,
            polished=words.icp,
            refine=words.refine,
            rotation=words.rotation,
            pairs=request.texts("pair"),
            top=words.top,
            truth=words.truth,
            transfer=request.path("transfer"),
        ),
        opening=Reading(load=words.load).opening(inputs.held),
        destination=output_path,
        overwrite=words.overwrite,
    )
    if page is not None:
        shapes_run.write(found, output_path, page, overwrite=words.overwrite)
    return found
