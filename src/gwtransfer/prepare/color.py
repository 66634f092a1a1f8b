"""Pictures and cubes as points: isotropic scale, optional PCA, noise and the luminance guide."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import (
    ColorSpace,
    coordinates_of,
    luminance_direction,
    to_space,
)
from gwtransfer.core.linalg import eigenbasis
from gwtransfer.core.pixels import Pixels
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, Prepared, Space
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]

MOST_AXES = 32
"""Principal axes kept at most unless all are: those of a noisy cube's noise would be many."""

VISIBLE_BANDS = 3
"""Bands between 400 and 700 nm a cube needs for the CIE curve to mean anything."""


@dataclass(frozen=True, kw_only=True)
class Color:
    """Draw a seeded sample of valid pixels and put it in working coordinates.

    Pictures keep all their axes. Cubes are reduced to the principal axes that carry the kept
    share of the variance; the lengths along them are never rescaled one by one.

    Attributes
    ----------
    sample : int
        Pixels the fit sees; all of them when there are fewer.
    space : Literal["srgb", "linear", "oklab", "lab"]
        Colour space of a picture in which distances and brightness are meant.
    variance : float
        Share of a cube's variance the principal axes keep, on 32 axes at most; 1 keeps every band.
    noise : bool
        Estimate the sensor noise of a cube, so that the map does not amplify it.
    luminance : Literal["panchromatic", "visible"]
        What counts as bright in a cube: the mean of all bands, or the eye's response, which needs
        wavelengths.
    """

    sample: int = 20_000
    space: ColorSpace = "oklab"
    variance: float = 0.999
    noise: bool = True
    luminance: Literal["panchromatic", "visible"] = "panchromatic"

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise UsageError(f"option sample: expected at least 1 pixel, got {self.sample}")
        if not 0 < self.variance <= 1:
            raise UsageError(
                f"option variance: expected a share above 0 and up to 1, got {self.variance}"
            )

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the sample in working coordinates, with noise and guide.

        Raises
        ------
        DataError
            The item is not a raster, or no pixel is valid.
        """
        if not isinstance(item, Raster):
            raise DataError(f"{item.name}: expected a picture or a cube, found a shape")
        points = item.sample(self.sample, seed=seed)
        if item.kind == "picture":
            points = np.asarray(to_space(points, self.space), dtype=np.float64)
        space = self._space(item, points)
        noise = None
        if self.noise and item.kind == "cube":
            variances = item.noise(seed=seed)
            noise = (space.axes.T * variances) @ space.axes / space.unit**2
        return Prepared(
            points=space.to_working(points),
            space=space,
            noise=noise,
            guide=space.axes.T @ self._weights(item) * space.unit,
            whole=Pixels(raster=item, space=space),
        )

    def _weights(self, raster: Raster) -> Array:
        if raster.kind == "picture":
            return luminance_direction(raster.bands, self.space)
        return luminance_weights(raster, self.luminance)

    def _space(self, raster: Raster, points: Array) -> Space:
        origin = points.mean(axis=0)
        centred = points - origin
        covariance = centred.T @ centred / len(points)
        axes = np.eye(raster.bands)
        if raster.kind == "cube" and self.variance < 1:
            values, vectors = eigenbasis(covariance)
            total = values.sum()
            if total > 0:
                kept = int(np.searchsorted(np.cumsum(values) / total, self.variance)) + 1
                axes = _facing(vectors[:, : min(kept, raster.bands, MOST_AXES)])
        radius = float(np.sqrt(np.trace(covariance)))
        varies = bool(np.ptp(points, axis=0).any())
        if varies and radius == 0:
            raise DataError(
                f"{raster.name}: expected values whose squares a double holds, found less spread "
                "than 1e-160; multiply them"
            )
        return Space(
            origin=origin,
            axes=axes,
            unit=radius if varies else 1.0,
            coordinates=coordinates(raster, self.space),
            wavelengths=(
                None if raster.wavelengths is None else raster.wavelengths.astype(np.float64)
            ),
        )


def _facing(axes: Array) -> Array:
    """Turn each axis so that its largest entry is positive, whatever sign LAPACK chose."""
    largest = np.abs(axes).argmax(axis=0)
    return np.asarray(axes * np.sign(axes[largest, np.arange(axes.shape[1])]))


def coordinates(raster: Raster, space: ColorSpace = "srgb") -> str:
    """Return what the raw coordinates of a raster are: of its colour space, or "bands"."""
    return "bands" if raster.kind == "cube" else coordinates_of(raster.bands, space)


def luminance_weights(raster: Raster, luminance: str) -> Array:
    """Return the weights (bands,) that turn a cube's pixel into its brightness.

    The panchromatic mean, or with "visible" the CIE 1931 luminous efficiency.

    Raises
    ------
    DataError
        "visible" is asked of a cube with fewer than VISIBLE_BANDS known bands in 400–700 nm.
    """
    if luminance == "panchromatic":
        return np.full(raster.bands, 1 / raster.bands)
    waves = raster.wavelengths
    seen = 0 if waves is None else int(((waves >= 400) & (waves <= 700)).sum())
    if waves is None or seen < VISIBLE_BANDS:
        raise DataError(
            f"{raster.name}: visible luminance needs {VISIBLE_BANDS} bands in 400–700 nm, found "
            f"{seen}; use --set prepare.luminance=panchromatic"
        )
    weights = luminous_efficiency(waves.astype(np.float64))
    return np.asarray(weights / weights.sum())


def luminous_efficiency(wavelengths: Array) -> Array:
    """Return the CIE 1931 ȳ curve at wavelengths in nm.

    The two-lobe fit of Wyman, Sloan and Shirley 2013, within 0.01 of the table.
    """

    def lobe(peak: float, below: float, above: float) -> Array:
        slope = np.where(wavelengths < peak, below, above)
        return np.asarray(np.exp(-0.5 * ((wavelengths - peak) * slope) ** 2))

    return 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
