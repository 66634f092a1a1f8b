"""The steps one by one: mixtures fitted, plans made, stages by name, values loaded and stored."""

from collections.abc import Mapping
from typing import Any, Unpack

from gwtransfer import __version__, registry
from gwtransfer.api.asked import asked
from gwtransfer.api.inputs import Inputs, Reading, Softening, check_feather
from gwtransfer.api.items import path_of
from gwtransfer.api.messages import speaks_python
from gwtransfer.api.words import FitMixtureWords, Item, PlanWords, ReadWords, RecipeLike, Where
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.io import files, store
from gwtransfer.jobs import check_artefact_name, fit_opened, load_mixture
from gwtransfer.jobs import plan_between as between
from gwtransfer.options import option_names
from gwtransfer.writing import Writing


@speaks_python
def fit_mixture(
    item: Item | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[FitMixtureWords],
) -> GaussianMixture:
    """Fit a Gaussian mixture, as `gwtransfer fit` does.

    Parameters
    ----------
    item : path, array, (vertices, faces), Raster or Cloud
        A picture, cube or shape; an array (n, 3) holds points.
    recipe : path, mapping, Recipe or None
        As `transfer` takes it, of ``fit``, whose ``file`` is the item.
    **keywords
        The options of `gwtransfer fit`, with underscores:

        - how files are read: ``load``, ``variable``, ``band_axis``, ``bands``;
        - the mixture: ``prepare``, ``fit``, ``sample``, ``space``, ``variance``, ``noise``,
          ``keep_size``, ``components``, ``device``, ``seed``;
        - which pixels count: ``mask``, ``feather``.

    Returns
    -------
    GaussianMixture
        In the working coordinates of its ``space``.

    Raises
    ------
    ShapeError
        A two-dimensional array whose rows are no points (n, 3).
    GwTransferError
        Anything that cannot be done.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> points = np.random.default_rng(0).normal(size=(200, 3))
    >>> mixture = gw.fit_mixture(points, components=4)
    >>> mixture.count, mixture.dimension, mixture.space.coordinates
    (4, 3, 'xyz')
    """
    given = {"file": item, **keywords}
    known = ["file", "mask", "feather", *option_names(Reading)]
    request = asked("fit", recipe, given, kinds=("prepare", "fit"), known=known)
    inputs = Inputs()
    path = inputs.item(request.need("file"), "item")
    feather = request.told(Softening).feather
    mask = inputs.mask(request.get("mask"), feather, "mask")
    check_feather(feather, mask)
    (opened,) = request.told(Reading).opening(inputs.held)(path)
    if mask is not None:
        if not isinstance(opened, Raster):
            raise DataError(f"{path}: a mask needs a picture or a cube, found a shape")
        opened = mask(opened)
    return fit_opened(opened, request.recipe)


@speaks_python
def plan_between(
    source: GaussianMixture | Where | None = None,
    target: GaussianMixture | Where | None = None,
    *,
    recipe: RecipeLike | None = None,
    **keywords: Unpack[PlanWords],
) -> TransportPlan:
    """Plan the transport between two mixtures, as `gwtransfer plan` does.

    Parameters
    ----------
    source, target : GaussianMixture, or path of a stored one
    recipe : path, mapping, Recipe or None
        As `transfer` takes it, of ``plan``.
    **keywords
        The options of `gwtransfer plan`, with underscores: ``plan``, ``solver``, ``starts``,
        ``anchor``, ``marginals``, ``penalty``.

    Returns
    -------
    TransportPlan
        Its ``coupling`` is (K, L), its ``distance`` the root of its value.

    Raises
    ------
    GwTransferError
        Anything that cannot be done.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> points = np.random.default_rng(0).normal(size=(200, 3)) * [3, 2, 1]
    >>> one, other = (gw.fit_mixture(side, components=3) for side in (points, points[:, [2, 0, 1]]))
    >>> plan = gw.plan_between(one, other, solver="mew2", starts="few")
    >>> plan.coupling.shape, round(plan.distance, 6)
    ((3, 3), 0.0)
    """
    given = {"source": source, "target": target, **keywords}
    request = asked("plan", recipe, given, kinds=("plan",), known=["source", "target"])
    one, other = (_mixture(request.need(name), name) for name in ("source", "target"))
    return between(one, other, request.recipe)


def _mixture(given: GaussianMixture | Where, name: str) -> GaussianMixture:
    """Return a mixture, loaded if a path is given."""
    if isinstance(given, GaussianMixture):
        return given
    return load_mixture(path_of(given, name, "a mixture or a path"))[0]


@speaks_python
def stage(kind: str, name: str, **options: object) -> Any:
    """Return a stage, to be called as its kind is (`gwtransfer stages` lists them).

    Parameters
    ----------
    kind : {"load", "prepare", "fit", "plan", "map", "write"}
    name : str
    **options
        The stage's options.

    Returns
    -------
    object
        The stage: a frozen dataclass, its options its fields.

    Raises
    ------
    UnknownStageError
        There is no such kind, stage or option; the nearest is named.
    UsageError
        A value is not of the option's type, or the stage refuses it.
    PluginError
        Its package cannot provide it.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> points = np.random.default_rng(0).normal(size=(100, 2))
    >>> weights, means, covariances = gw.stage("fit", "gmm", components=3)(points, seed=0)
    >>> weights.shape, means.shape, covariances.shape
    ((3,), (3, 2), (3, 2, 2))
    """
    return registry.build(kind, name, options)


@speaks_python
def stages(kind: str | None = None) -> tuple[registry.Stage, ...]:
    """List the stages of a kind, or all, without importing any.

    Parameters
    ----------
    kind : {"load", "prepare", "fit", "plan", "map", "write"} or None

    Returns
    -------
    tuple of gwtransfer.registry.Stage
        Each has a ``kind``, a ``name``, a ``package`` and its ``version``.

    Raises
    ------
    UnknownStageError
        There is no such kind.

    Examples
    --------
    >>> import gwtransfer as gw
    >>> {"mw2", "mgw2", "mew2"} <= {stage.name for stage in gw.stages("plan")}
    True
    """
    return registry.stages(kind)


@speaks_python
def load(
    path: Where, **keywords: Unpack[ReadWords]
) -> Raster | Cloud | GaussianMixture | TransportPlan:
    """Open a picture, cube, film or shape, or load a stored mixture or plan.

    Parameters
    ----------
    path : path
    **keywords
        ``load``, ``variable``, ``band_axis`` and ``bands`` as the commands have them.

    Returns
    -------
    Raster, Cloud, GaussianMixture or TransportPlan
        A raster is not read before its values are asked for.

    Raises
    ------
    ReadError
        The file cannot be read as any of these.
    UsageError
        An option that files of its kind have not.
    """
    place = path_of(path, "path")
    if store.is_artefact(place):
        if keywords:
            raise UsageError(f"{place}: mixtures and plans have no {next(iter(keywords))}")
        return store.load_artefact(place)[0]
    reading = asked("load", None, keywords, kinds=(), known=option_names(Reading)).told(Reading)
    return reading.opening()(place)[0]


@speaks_python
def save(
    value: GaussianMixture | TransportPlan | Raster, path: Where, *, overwrite: bool = False
) -> None:
    """Store a mixture or plan as .npz, or write a raster as its name says; whole or not at all.

    Equal values give equal bytes. Unlike what a command stores, a mixture or plan stored so does
    not say which files it was made of.

    Parameters
    ----------
    value : GaussianMixture, TransportPlan or Raster
    path : path
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    UsageError
        A value of another type, or a name whose ending does not fit.
    WriteError
        It exists, or cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> mixture = gw.fit_mixture(np.random.default_rng(0).random((100, 3)), components=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gw.save(mixture, pathlib.Path(folder, "points.npz"))
    ...     again = gw.load(pathlib.Path(folder, "points.npz"))
    >>> np.array_equal(again.means, mixture.means)
    True
    """
    place = path_of(path, "path")
    if isinstance(value, Raster):
        writing = Writing(overwrite=overwrite)
        writing.put(value, place, writing.writer(place))
        return
    if not isinstance(value, GaussianMixture | TransportPlan):
        raise UsageError(f"value: expected a mixture, plan or Raster, got {type(value).__name__}")
    check_artefact_name(place)
    origin: Mapping[str, Any] = {"gwtransfer": __version__}
    with files.whole(place, overwrite=overwrite) as temporary:
        if isinstance(value, GaussianMixture):
            store.save_mixture(value, temporary, origin)
        else:
            store.save_plan(value, temporary, origin)
