"""Both sides of a colour plan and what it made, as they are shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import from_coordinates, in_gamut, to_coordinates, to_space
from gwtransfer.core.raster import Raster
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.core.views import thinned
from gwtransfer.map.mean import Mean
from gwtransfer.pipeline import map_of
from gwtransfer.report import clouds, color_words
from gwtransfer.report.color_sides import Sides
from gwtransfer.report.places import MOST_SIDE, Places, places
from gwtransfer.report.shown import Seen, Showing, seen
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

MOST_READ = {"picture": 2400, "cube": 1200}
"""Rows and columns that are read of a raster at most, before it is made smaller."""

DRAWN = 4000
"""Points drawn from a mixture where there is no file."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Looked:
    """One side as it is shown.

    Attributes
    ----------
    showing : Showing
    seen : Seen or None
        The raster; None without one, or where it is but a pool of colours.
    places : Places or None
    points : (n, 3) array
        A cloud of it.
    colours : (n, 3) array of uint8
        Of the cloud's points.
    own : (K, 3) array of uint8
        The colour of each component's mean.
    """

    showing: Showing
    seen: Seen | None
    places: Places | None
    points: Array
    colours: Bytes
    own: Bytes


def looked(mixture: GaussianMixture, raster: Raster | None, *, pictured: bool = True) -> Looked:
    """Return one side as it is shown, from its raster or else from points drawn.

    Parameters
    ----------
    pictured : bool
        The raster is a picture, and no pool of colours.
    """
    space = mixture.space
    means = from_coordinates(space.to_raw(mixture.means), space.coordinates)
    if raster is None:
        showing = Showing.of_mixture(mixture)
        points = mixture.drawn(DRAWN, np.random.default_rng([mixture.seed, 6]))
        colours = showing.colours(from_coordinates(space.to_raw(points), space.coordinates))
        return Looked(
            showing=showing,
            seen=None,
            places=None,
            points=_placed(mixture, points, colours),
            colours=colours,
            own=showing.colours(means),
        )
    showing = Showing.of_raster(raster, seed=mixture.seed)
    if not pictured:
        values = raster.sample(clouds.POINTS, seed=mixture.seed)
        points = space.to_working(to_coordinates(values, space.coordinates))
        colours = showing.colours(values)
        return Looked(
            showing=showing,
            seen=None,
            places=None,
            points=_placed(mixture, points, colours),
            colours=colours,
            own=showing.colours(means),
        )
    sits = places(raster, mixture)
    small = seen(raster, showing, most=MOST_SIDE)
    chosen = np.flatnonzero(sits.valid.ravel())
    chosen = chosen[clouds.drawn(len(chosen), mixture.seed)]
    colours = small.colours.reshape(-1, 3)[chosen]
    return Looked(
        showing=showing,
        seen=seen(raster, showing, most=MOST_READ[raster.kind]),
        places=sits,
        points=_placed(mixture, sits.working.reshape(-1, 3)[chosen].astype(np.float64), colours),
        colours=colours,
        own=showing.colours(means),
    )


def _placed(mixture: GaussianMixture, working: Array, colours: Bytes) -> Array:
    """Return where a cloud's points are: in OKLab, or along a cube's main axes."""
    if not color_words.is_cube(mixture):
        return clouds.in_colours(colours)
    padded = np.zeros((len(working), 3))
    padded[:, : min(3, working.shape[1])] = working[:, :3]
    return padded


@dataclass(frozen=True, eq=False, kw_only=True)
class Made:
    """What the plan made of the source.

    Attributes
    ----------
    seen : Seen or None
        The result.
    points : (n, 3) array
        A cloud of it.
    colours : (n, 3) array of uint8
        Of the cloud's points, which are those of the source's cloud.
    became : (K, 3) array of uint8
        The colour that each component of the source got.
    """

    seen: Seen | None
    points: Array
    colours: Bytes
    became: Bytes


def made(plan: TransportPlan, sides: Sides, source: Looked, target: Looked, usual: Mean) -> Made:
    """Return the result as it is shown.

    Without one it is what the usual map makes of the source; without that too, of points drawn.
    """
    with one_thread():
        mapping = map_of(usual, plan)
    means = plan.source.space.to_raw(plan.source.means)
    became = target.showing.colours(_values(mapping(means, np.arange(len(means))), plan.target))
    if sides.source is None:
        rng = np.random.default_rng([plan.source.seed, 6])
        raw = plan.source.space.to_raw(plan.source.drawn(DRAWN, rng))
        images = mapping(raw, np.arange(len(raw)))
        colours = target.showing.colours(_values(images, plan.target))
        points = _placed(plan.target, plan.target.space.to_working(images), colours)
        return Made(seen=None, points=points, colours=colours, became=became)
    assert source.places is not None
    sits, image = source.places, _image(plan, sides, usual, MOST_SIDE)
    flat = seen(image, target.showing, most=MOST_SIDE).colours.reshape(-1, 3)
    labels = sits.labels.ravel()
    for component in range(plan.source.count):
        own = flat[labels == component]
        if len(own):
            became[component] = _average(own)
    chosen = np.flatnonzero(sits.valid.ravel())
    chosen = chosen[clouds.drawn(len(chosen), plan.source.seed)]
    colours = flat[chosen]
    if color_words.is_cube(plan.target):
        working = places(image, plan.target).working.reshape(-1, 3)[chosen]
        points = _placed(plan.target, working.astype(np.float64), colours)
    else:
        points = clouds.in_colours(colours)
    whole = _image(plan, sides, usual, MOST_READ[sides.source.kind])
    return Made(
        seen=seen(whole, target.showing, most=MOST_READ[whole.kind]),
        points=points,
        colours=colours,
        became=became,
    )


def _image(plan: TransportPlan, sides: Sides, usual: Mean, most: int) -> Raster:
    """Return the result, or what the usual map makes of the source thinned to ``most``."""
    if sides.result is not None:
        return sides.result
    assert sides.source is not None
    return apply_plan(thinned(sides.source, most), plan, usual)


def _values(points: NDArray[np.floating], mixture: GaussianMixture) -> NDArray[np.floating]:
    return from_coordinates(points, mixture.space.coordinates)


def _average(colours: Bytes) -> Bytes:
    """Return the mean colour (3,) of colours (n, 3), as the eye has it."""
    mean = to_space(colours / 255, "oklab").mean(axis=0)
    return np.asarray(np.round(255 * in_gamut(mean[None])[0]), dtype=np.uint8)
