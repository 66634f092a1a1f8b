"""What stages answer to, and an item made a mixture by two of them."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import space_of
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import SHAPES, Cloud, GaussianMixture, Prepared, TransportPlan
from gwtransfer.errors import DataError

Array = NDArray[np.float64]

WIDEST = 1e140
"""Largest spread of the values, and the inverse of the least, whose squares a double holds."""


class TransportMap(Protocol):
    """What a map stage returns: raw points (N, d) and their places to raw images (N, e)."""

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> NDArray[np.floating]:
        """Map the points; ``index`` is each one's place in the whole."""
        ...


class PrepareStage(Protocol):
    """A raster or cloud to points in a working space."""

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points with what else a fit and a plan need."""
        ...


class FitStage(Protocol):
    """Points to a mixture."""

    def __call__(self, points: Array, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p)."""
        ...


@runtime_checkable
class WholeFit(Protocol):
    """A fit that may want more than the sample."""

    def of_prepared(self, prepared: Prepared, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p)."""
        ...


class PlanStage(Protocol):
    """Two mixtures to a plan."""

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the plan."""
        ...


class MapStage(Protocol):
    """A plan to a map of points."""

    def __call__(
        self, plan: TransportPlan, *, candidates: NDArray[np.floating] | None = None
    ) -> TransportMap:
        """Return the map; ``candidates`` are the target's points, for maps that choose."""
        ...


def fit_item(
    item: Raster | Cloud, prepare: PrepareStage, fit: FitStage, *, seed: int
) -> GaussianMixture:
    """Fit a mixture to a raster or a cloud.

    Raises
    ------
    DataError
        Nothing valid to fit, too few distinct points, or values whose squares a double cannot
        hold; the message begins with the item's name.
    """
    with one_thread():
        prepared = _prepared(item, prepare, seed)
        try:
            if isinstance(fit, WholeFit):
                weights, means, covariances = fit.of_prepared(prepared, seed=seed)
            else:
                weights, means, covariances = fit(prepared.points, seed=seed)
        except DataError as error:
            raise DataError(f"{item.name}: {error}") from error
    return GaussianMixture(
        weights=weights,
        means=means,
        covariances=covariances,
        space=prepared.space,
        noise=prepared.noise,
        guide=prepared.guide,
        seed=seed,
    )


def _prepared(item: Raster | Cloud, prepare: PrepareStage, seed: int) -> Prepared:
    """Return what a prepare stage makes of an item; refuse what no fit can work with."""
    try:
        with np.errstate(over="raise"):
            prepared = prepare(item, seed=seed)
    except FloatingPointError:
        raise DataError(
            f"{item.name}: expected values up to {WIDEST:g}, found larger ones; divide them"
        ) from None
    if not 1 / WIDEST < prepared.space.unit < WIDEST:
        raise DataError(
            f"{item.name}: expected a spread between {1 / WIDEST:g} and {WIDEST:g}, found "
            f"{prepared.space.unit:.3g}; scale the values"
        )
    if len(prepared.points) < 2:
        raise DataError(f"{item.name}: expected at least 2 valid pixels or points, found 1")
    return prepared


def default_solver(source: str, target: str) -> str:
    """Return "mw2" within one colour space, "mgw2" between shapes, else "mew2".

    Between shapes MGW2 sees only mutual distances of components, a few milliseconds a pair in any
    dimension.
    """
    if source == target and space_of(source) is not None:
        return "mw2"
    return "mgw2" if source in SHAPES and target in SHAPES else "mew2"
