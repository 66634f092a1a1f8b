"""The runs: stages put together, from rasters to a raster that computes itself as it is read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.guide import Guide, known_guide, luminance_moments
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Cloud, GaussianMixture, Prepared, Space, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.measure import rank_correlation

Array = NDArray[np.float64]
PICTURES = ("srgb", "gray")
"""Coordinates whose values are a picture's, in [0, 1]."""

PIECE_VALUES = 16_000_000
"""Values of all pieces computed at once, so that many bands do not multiply a block's memory."""

ORDER_SAMPLE = 200_000
"""Pixels the luminance order is measured on, about."""
WIDEST = 1e140
"""Largest spread of the values, and the inverse of the least, whose squares a double holds."""


class TransportMap(Protocol):
    """What a map stage returns: raw points (N, d) and their places to raw images (N, e)."""

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> Array:
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


class PlanStage(Protocol):
    """Two mixtures to a plan."""

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the plan."""
        ...


class MapStage(Protocol):
    """A plan to a map of points."""

    def __call__(self, plan: TransportPlan, *, candidates: Array | None = None) -> TransportMap:
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
    prepared = _prepared(item, prepare, seed)
    try:
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
    """Return "mw2" where both sides have the coordinates of one colour space, else "mew2"."""
    return "mw2" if source == target and source in PICTURES else "mew2"


@dataclass(kw_only=True)
class LuminanceOrder:
    """Collects how bright pixels went in and came out, as a raster is read.

    Attributes
    ----------
    stride : int
        One valid pixel in this many is kept.
    """

    stride: int
    _seen: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    def add(self, start: int, before: Array, after: Array) -> None:
        """Note the luminance of the valid pixels of the rows from ``start`` on."""
        self._seen[start] = (before[:: self.stride], after[:: self.stride])

    def value(self) -> float:
        """Return the rank correlation of all that was noted; NaN when there is nothing to order."""
        if not self._seen:
            return float("nan")
        before, after = (np.concatenate(side) for side in zip(*self._seen.values(), strict=True))
        return rank_correlation(before, after)


def apply_plan(
    raster: Raster,
    plan: TransportPlan,
    stage: MapStage,
    *,
    strength: float = 1.0,
    candidates: Array | None = None,
    order: LuminanceOrder | None = None,
) -> Raster:
    """Return the raster's image under a plan's map, computed block by block as it is read.

    Parameters
    ----------
    strength : float in [0, 1]
        How much of the map to apply; the rest is the source where the bands of both sides agree,
        its luminance between gray and RGB, and where a cube becomes a picture its luminance as
        gray with the palette's mean and spread.
    candidates : (M, e) array or None
        The target's points, for maps that choose among them.
    order : LuminanceOrder or None
        Is told every block that is read.

    Raises
    ------
    DataError
        The raster has not the bands the plan was made for, or a strength below 1 has nothing to
        blend with.
    UsageError
        A strength outside [0, 1].
    """
    space = plan.source.space
    if raster.bands != space.raw_dimension:
        raise DataError(
            f"{raster.name}: expected the {space.raw_dimension} bands the plan was made for, "
            f"found {raster.bands}"
        )
    blend = _blend(plan, strength)
    widest = max(plan.source.dimension, plan.target.dimension)
    step = max(1024, PIECE_VALUES // (plan.source.count * widest))
    mapping = stage(plan, candidates=candidates)
    picture = plan.target.space.coordinates in PICTURES

    def read(start: int, stop: int) -> Rows:
        block = raster.block(start, stop)
        index = np.flatnonzero(block.valid)
        images = np.full((len(block.points), plan.target.space.raw_dimension), np.nan)
        if index.size:
            points = block.points[index].astype(np.float64)
            mapped = blend(points, _mapped(mapping, points, index + start * raster.columns, step))
            images[index] = np.clip(mapped, 0.0, 1.0) if picture else mapped
            if order is not None:
                order.add(
                    start, luminance(plan.source, points), luminance(plan.target, images[index])
                )
        shape = (stop - start, raster.columns)
        alpha = None if block.alpha is None else block.alpha.reshape(shape)
        return Rows(values=images.reshape(*shape, -1), alpha=alpha)

    return replace(
        raster,
        bands=plan.target.space.raw_dimension,
        read=read,
        kind="picture" if picture else "cube",
        wavelengths=plan.target.space.wavelengths,
    )


def _mapped(mapping: TransportMap, points: Array, index: NDArray[np.int64], step: int) -> Array:
    """Map points a part at a time."""
    parts = [slice(start, start + step) for start in range(0, len(points), step)]
    return np.concatenate([mapping(points[part], index[part]) for part in parts])


def luminance(mixture: GaussianMixture, points: NDArray[np.floating]) -> Array:
    """Return the brightness (N,) of raw points along a side's guide, else the mean of the bands."""
    if mixture.guide is None:
        return np.asarray(points.mean(axis=1), dtype=np.float64)
    return np.asarray(mixture.space.to_working(points) @ mixture.guide)


def luminance_weights(mixture: GaussianMixture) -> Array:
    """Return a side's guide as weights (d,) of its raw coordinates."""
    space = mixture.space
    return np.asarray(space.axes @ known_guide(mixture) / space.unit)


class Bands(NamedTuple):
    """What the raw coordinates of one side are."""

    coordinates: str
    number: int
    wavelengths: NDArray[np.floating] | None


def space_bands(space: Space) -> Bands:
    """Return what the raw coordinates of a space are."""
    return Bands(space.coordinates, space.raw_dimension, space.wavelengths)


def bands_agree(source: Bands, target: Bands) -> bool:
    """Tell whether both sides have the same raw coordinates, wavelengths included."""
    if source[:2] != target[:2]:
        return False
    if source.wavelengths is None or target.wavelengths is None:
        return source.wavelengths is target.wavelengths
    return bool(np.allclose(source.wavelengths, target.wavelengths, rtol=1e-3))


def check_blend(strength: float, source: Bands, target: Bands) -> None:
    """Refuse a strength where there is nothing to blend the image with.

    Raises
    ------
    UsageError
        A strength outside [0, 1].
    DataError
        Below 1 where the result is a cube of other bands than the source's.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"option strength: expected a number from 0 to 1, got {strength}")
    if strength < 1 and target.coordinates not in PICTURES and not bands_agree(source, target):
        raise DataError(
            f"strength {strength} needs a source to blend with, and the result is a cube of "
            f"{target.number} bands that are not the source's; use --strength 1"
        )


def _blend(plan: TransportPlan, strength: float) -> Callable[[Array, Array], Array]:
    """Return what mixes source points with their images at a strength."""
    source, target = space_bands(plan.source.space), space_bands(plan.target.space)
    check_blend(strength, source, target)
    if strength == 1:
        return lambda _, images: images
    if bands_agree(source, target):
        return lambda points, images: (1 - strength) * points + strength * images
    if source.coordinates in PICTURES:  # gray and RGB: each other's luminance
        weights = luminance_weights(plan.source)
        return lambda points, images: (
            (1 - strength) * (points @ weights)[:, None] + strength * images
        )
    return lambda points, images: (1 - strength) * _gray(plan, points) + strength * images


def _gray(plan: TransportPlan, points: NDArray[np.floating]) -> Array:
    """Return the source's luminance as gray (N, 1), with the target's mean and spread."""
    moments = []
    for side in (plan.source, plan.target):
        means, deviations = luminance_moments(side)
        centre = side.weights @ means
        moments.append((centre, np.sqrt(side.weights @ ((means - centre) ** 2 + deviations**2))))
    (centre0, spread0), (centre1, spread1) = moments
    standard = (luminance(plan.source, points) - centre0) / (spread0 if spread0 > 0 else 1.0)
    origin = luminance_weights(plan.target) @ plan.target.space.origin
    return np.asarray((origin + centre1 + spread1 * standard)[:, None])


def luminance_order(raster: Raster) -> LuminanceOrder:
    """Return an empty record that keeps about ORDER_SAMPLE pixels of a raster of this size."""
    return LuminanceOrder(stride=max(1, raster.pixels // ORDER_SAMPLE))
