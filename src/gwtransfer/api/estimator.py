"""Mixture transport in the form of scikit-learn's transformers; needs two samples to fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from gwtransfer import registry
from gwtransfer.api.asked import plain
from gwtransfer.api.messages import speaks_python
from gwtransfer.core.guide import Guide
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import GaussianMixture, Prepared, Space, TransportPlan
from gwtransfer.errors import DataError, ShapeError, UsageError
from gwtransfer.keywords import recipe_of
from gwtransfer.pipeline import map_of, planned
from gwtransfer.recipe import Recipe

Array = NDArray[np.float64]

KINDS = ("fit", "plan", "map")


class MixtureTransport(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Carry points of one space to where the points of another are.

    Both samples are fitted by Gaussian mixtures, a plan is made between these, and the plan's map
    carries points, those of the sample and others. The spaces may differ in dimension. Each is
    only moved to its mean and scaled by one number, so coordinates are best in one unit.

    Parameters
    ----------
    components : int or None
        Gaussians in each mixture; None is 15, or one for each distinct point where these are fewer.
    solver : str
        ``mew2`` between any spaces, up to rotation and reflection; ``mw2`` where the coordinates
        of both sides mean the same; ``mgw2``; or another plan stage.
    map : str
        ``mean`` (smooth), ``rand`` (draws), ``nearest`` (only points of the target's sample), or
        another map stage.
    seed : int
    options : mapping of kind to mapping of option to value, or None
        Further options of stages: ``{"plan": {"starts": "few"}}``, ``{"fit": {"floor": 1e-3}}``.

    Attributes
    ----------
    plan_ : TransportPlan
    distance_ : float
        Root of the plan's value, in working units.
    n_features_in_ : int
        Dimension of the source.

    Examples
    --------
    >>> import numpy as np
    >>> import gwtransfer as gw
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)) * [2.0, 1.0]
    >>> Y = rng.normal(size=(400, 3)) * [0.5, 4.0, 2.0] + [10.0, 0.0, 0.0]
    >>> model = gw.MixtureTransport(components=3).fit(X, Y)
    >>> model.transform(X).shape
    (300, 3)
    >>> bool(np.allclose(model.transform(X).mean(axis=0), Y.mean(axis=0), atol=0.2))
    True
    """

    def __init__(
        self,
        components: int | None = None,
        *,
        solver: str = "mew2",
        map: str = "mean",
        seed: int = 0,
        options: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.components = components
        self.solver = solver
        self.map = map
        self.seed = seed
        self.options = options

    @speaks_python
    def fit(self, X: ArrayLike, y: ArrayLike) -> "MixtureTransport":
        """Plan the transport from one sample to another.

        Parameters
        ----------
        X : (n, d) array
            The source.
        y : (m, e) array, or (m,) for points on a line
            The target; m and e need not be n and d.

        Returns
        -------
        MixtureTransport
            Itself.

        Raises
        ------
        ShapeError
            Not finite numbers in such a form.
        UnknownStageError, UsageError
            A parameter there is not, or out of range.
        DataError
            Fewer distinct points than components.
        """
        recipe = self._recipe()
        if y is None:
            raise ShapeError(
                "requires y to be passed, but the target y is None: expected the target's points"
            )
        try:
            points = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            target = check_array(
                y, dtype=np.float64, ensure_2d=False, ensure_min_samples=2, input_name="y"
            )
        except ValueError as error:
            raise ShapeError(str(error)) from error
        target = target[:, None] if target.ndim == 1 else target
        with one_thread():
            self.plan_: TransportPlan = planned(
                recipe.build("plan"),
                _mixture(points, recipe, "X"),
                _mixture(target, recipe, "y"),
                guide=Guide(anchor=0),
            )
            self._mapping = map_of(recipe.build("map"), self.plan_, candidates=target)
        return self

    @speaks_python
    def transform(self, X: ArrayLike) -> Array:
        """Carry points (n, d) to their images (n, e).

        Raises
        ------
        ShapeError
            Not finite numbers in d columns.
        NotFittedError
            `fit` was not called; of scikit-learn.
        """
        check_is_fitted(self, "plan_")
        try:
            points = validate_data(self, X, dtype=np.float64, reset=False)
        except ValueError as error:
            raise ShapeError(str(error)) from error
        with one_thread():
            images = self._mapping(points, np.arange(len(points)))
        return np.asarray(images, dtype=np.float64)

    @property
    def distance_(self) -> float:
        """Root of the plan's value."""
        check_is_fitted(self, "plan_")
        return self.plan_.distance

    @property
    def _n_features_out(self) -> int:
        return self.plan_.target.space.raw_dimension

    def _recipe(self) -> Recipe:
        """Return the stages, which map in double precision where they can be told."""
        options: Any = {} if self.options is None else self.options
        if not isinstance(options, Mapping) or not all(
            isinstance(table, Mapping) for table in options.values()
        ):
            raise UsageError(f"options: expected tables of options by kind, got {options!r}")
        given: dict[str, Any] = {kind: dict(table) for kind, table in options.items()}
        mapping = given.setdefault("map", {})
        if "precision" in registry.option_names(registry.find("map", self.map)):
            mapping.setdefault("precision", "double")
        fitting = given.setdefault("fit", {})
        fitting.setdefault("stage", "gmm")
        mapping["stage"], given["solver"] = self.map, self.solver
        own = {"components": self.components, "seed": self.seed}
        return recipe_of(plain({**given, **own}), KINDS)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        return tags


def _mixture(points: Array, recipe: Recipe, name: str) -> GaussianMixture:
    """Fit points as they are: moved to their mean, and scaled by their radius."""
    origin = points.mean(axis=0)
    radius = float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean()))
    space = Space(origin=origin, axes=np.eye(points.shape[1]), unit=radius or 1.0)
    prepared = Prepared(points=space.to_working(points), space=space)
    try:
        weights, means, covariances = recipe.build("fit")(prepared.points, seed=recipe.seed)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    return GaussianMixture(
        weights=weights, means=means, covariances=covariances, space=space, seed=recipe.seed
    )
