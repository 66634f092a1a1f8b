"""Rasters, and points of their kind, as colours a screen shows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import REC709
from gwtransfer.core.raster import Floats, Raster
from gwtransfer.core.types import GaussianMixture
from gwtransfer.core.views import thinned
from gwtransfer.io.pictures.profile import in_profile

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SAMPLE = 20_000
"""Pixels that tell from where to where a cube's values are shown."""

EDGES = (1.0, 99.0)
"""Percentiles of a cube's values that are shown as black and as full."""

RED, GREEN, BLUE = 640.0, 550.0, 460.0
"""Wavelengths in nm that stand for the primaries, where a cube has them."""

NEAR = 30.0
"""How far from them, in nm, a band may be."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Showing:
    """How values (n, d) are shown.

    Attributes
    ----------
    bands : (3,) array of int
        Which of them are red, green and blue.
    weights : (d,) array
        How much each counts in the gray.
    low, high : (3,) arrays
        Values that are shown as none and all of a primary.
    gray : tuple of 2 floats
        The same for the gray.
    said : str
        What the colours are, for a caption.
    """

    bands: NDArray[np.intp]
    weights: Array
    low: Array
    high: Array
    gray: tuple[float, float]
    said: str

    @classmethod
    def of(cls, points: Floats, *, picture: bool, wavelengths: Floats | None = None) -> "Showing":
        """Return how to show values like these (n, d).

        Parameters
        ----------
        picture : bool
            They are sRGB-encoded grays or colours, and are shown as they are.
        wavelengths : (d,) array, nm, or None
        """
        count = points.shape[1]
        if picture:
            return cls(
                bands=np.arange(3) if count == 3 else np.zeros(3, dtype=np.intp),
                weights=np.array(REC709) if count == 3 else np.ones(1),
                low=np.zeros(3),
                high=np.ones(3),
                gray=(0.0, 1.0),
                said="its own colours" if count == 3 else "its own grays",
            )
        bands, said = _three(count, wavelengths)
        weights = np.full(count, 1 / count)
        low, high = np.percentile(points[:, bands].astype(np.float64), EDGES, axis=0)
        dark, bright = np.percentile(points.astype(np.float64) @ weights, EDGES)
        return cls(
            bands=bands,
            weights=weights,
            low=low,
            high=np.where(high > low, high, low + 1),
            gray=(float(dark), float(bright) if bright > dark else float(dark) + 1),
            said=said,
        )

    @classmethod
    def of_raster(cls, raster: Raster, *, seed: int) -> "Showing":
        """Return how to show a raster."""
        picture = raster.kind == "picture"
        points = np.zeros((1, raster.bands)) if picture else raster.sample(SAMPLE, seed=seed)
        return cls.of(points, picture=picture, wavelengths=raster.wavelengths)

    @classmethod
    def of_mixture(cls, mixture: GaussianMixture) -> "Showing":
        """Return how to show what a mixture was fitted to, without that."""
        space = mixture.space
        cube = space.coordinates in ("bands", "raw")
        points = np.zeros((1, space.raw_dimension))
        if cube:
            points = space.to_raw(mixture.drawn(SAMPLE, np.random.default_rng([mixture.seed, 6])))
        return cls.of(points, picture=not cube, wavelengths=space.wavelengths)

    def colours(self, values: Floats) -> Bytes:
        """Return colours (n, 3) of values (n, d); black where one is no number."""
        chosen = np.asarray(values[:, self.bands], dtype=np.float64)
        return _eight_bits((chosen - self.low) / (self.high - self.low))

    def grays(self, values: Floats) -> Bytes:
        """Return grays (n,) of values (n, d)."""
        dark, bright = self.gray
        return _eight_bits((np.asarray(values, np.float64) @ self.weights - dark) / (bright - dark))


def _eight_bits(shares: Array) -> Bytes:
    return np.round(255 * np.clip(np.nan_to_num(shares), 0.0, 1.0)).astype(np.uint8)


def _three(count: int, wavelengths: Floats | None) -> tuple[NDArray[np.intp], str]:
    """Return which bands of a cube stand for red, green and blue, and what to call that."""
    if wavelengths is not None:
        wanted = np.array([RED, GREEN, BLUE])
        apart = np.abs(np.asarray(wavelengths)[None] - wanted[:, None])
        bands = apart.argmin(axis=1)
        if bool((apart.min(axis=1) <= NEAR).all()):
            return bands, "its red, green and blue bands, about as the eye would see it"
    bands = np.round(np.array([5, 3, 1]) / 6 * (count - 1)).astype(np.intp)
    numbers = ", ".join(str(band + 1) for band in bands)
    if wavelengths is not None:
        numbers = ", ".join(f"{wavelengths[band]:.0f} nm" for band in bands)
        return bands, f"the bands at {numbers} as red, green and blue"
    if count == 1:
        return bands, "its only band"
    return bands, f"its bands {numbers} as red, green and blue"


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """A raster as it is shown, thinned.

    Attributes
    ----------
    colours : (rows, columns, 3) array of uint8
    grays : (rows, columns) array of uint8
    opaque : (rows, columns) array of uint8
        255 where there is something to see, 0 where there are no data.
    """

    colours: Bytes
    grays: Bytes
    opaque: Bytes


def seen(raster: Raster, showing: Showing, *, most: int) -> Seen:
    """Return a raster as it is shown, of at most ``most`` rows and columns."""
    small = thinned(in_profile(raster, None), most)
    shape = (small.rows, small.columns)
    colours = np.empty((*shape, 3), dtype=np.uint8)
    grays, opaque = np.empty(shape, dtype=np.uint8), np.empty(shape, dtype=np.uint8)
    for block in small.blocks():
        rows = slice(block.start, block.stop)
        size = (block.stop - block.start, small.columns)
        values = np.where(block.valid[:, None], block.points, 0)
        colours[rows] = showing.colours(values).reshape(*size, 3)
        grays[rows] = showing.grays(values).reshape(size)
        alpha = block.valid if block.alpha is None else block.valid * block.alpha
        opaque[rows] = _eight_bits(alpha.astype(np.float64)).reshape(size)
    return Seen(colours=colours, grays=grays, opaque=opaque)
