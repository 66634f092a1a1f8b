"""What of the source stays in a result: strength, masks, its lightness or its chroma."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import in_gamut, neutral, space_of, to_space, with_lightness
from gwtransfer.core.guide import known_guide, luminance_moments
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
Keep = Literal["luminance", "chroma"]


class Bands(NamedTuple):
    """What the raw coordinates of one side are."""

    coordinates: str
    number: int
    wavelengths: NDArray[np.floating] | None


def space_bands(space: Space) -> Bands:
    """Return what the raw coordinates of a space are."""
    return Bands(space.coordinates, space.raw_dimension, space.wavelengths)


def is_picture(side: Bands) -> bool:
    """Tell whether a side's values are a picture's."""
    return space_of(side.coordinates) is not None


def bands_agree(source: Bands, target: Bands) -> bool:
    """Tell whether both sides have the same raw values, wavelengths included."""
    if is_picture(source) != is_picture(target) or source.number != target.number:
        return False
    if source.wavelengths is None or target.wavelengths is None:
        return source.wavelengths is target.wavelengths
    return bool(np.allclose(source.wavelengths, target.wavelengths, rtol=1e-3))


def check_blend(
    strength: float, keep: Keep | None, source: Bands, target: Bands, *, mask: bool = False
) -> None:
    """Refuse what there is nothing of in the source to blend the image with.

    Raises
    ------
    UsageError
        A strength outside [0, 1].
    DataError
        A strength below 1 or a mask where the result is a cube of other bands than the source's;
        keeping luminance or chroma where there is none.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"option strength: expected a number from 0 to 1, got {strength}")
    if (strength < 1 or mask) and not is_picture(target) and not bands_agree(source, target):
        raise DataError(
            f"{'a mask' if mask else f'strength {strength}'} needs a source to blend with, and the "
            f"result is a cube of {target.number} bands that are not the source's; "
            f"use {'no --mask' if mask else '--strength 1'}"
        )
    if keep is not None and not (is_picture(target) and target.number == 3):
        raise DataError(f"--keep {keep} needs a palette in colour; leave it out")
    if keep == "chroma" and not (is_picture(source) and source.number == 3):
        raise DataError("--keep chroma needs a source in colour; leave it out")


def luminance(mixture: GaussianMixture, points: Floats) -> Floats:
    """Return the brightness (N,) of raw points along a side's guide, else the mean of the bands."""
    if mixture.guide is None:
        return np.asarray(points.mean(axis=1))
    centred = points - mixture.space.origin.astype(points.dtype)
    return np.asarray(centred @ luminance_weights(mixture).astype(points.dtype))


@dataclass(frozen=True, eq=False, kw_only=True)
class Blend:
    """What of the source stays in its image.

    Values and images are a picture's sRGB-encoded values or a cube's own.

    Attributes
    ----------
    base : callable
        Makes of source values (N, d) what stays (N, e) where the map is not applied.
    strength : float in [0, 1]
    keep : {"luminance", "chroma"} or None
    """

    base: Callable[[Floats], Floats]
    strength: float
    keep: Keep | None

    @classmethod
    def of(cls, plan: TransportPlan, strength: float, keep: Keep | None) -> "Blend":
        """Return the blend of a plan's image."""
        return cls(base=_base(plan), strength=strength, keep=keep)

    def needs_base(self, weight: NDArray[np.floating] | None) -> bool:
        """Tell whether anything of the source stays."""
        return self.keep is not None or self.strength < 1 or weight is not None

    def __call__(self, base: Floats, images: Floats, weight: Floats | None) -> Floats:
        """Mix what stays with the images (N, e), a weight (N,) for each."""
        if self.keep is not None:
            images = _keeping(self.keep, base, images)
        share = self.strength if weight is None else self.strength * weight[:, None]
        return (1 - share) * base + share * images


def _base(plan: TransportPlan) -> Callable[[Floats], Floats]:
    """Return what makes of source values what stays where the map is not applied."""
    source, target = space_bands(plan.source.space), space_bands(plan.target.space)
    if bands_agree(source, target):
        return lambda values: values
    space = space_of(source.coordinates)
    if space is not None:  # gray and RGB: each other's luminance
        weights = luminance_weights(plan.source)
        return lambda values: neutral(
            to_space(values, space) @ weights.astype(values.dtype), target.number, space
        )
    return lambda values: _gray(plan, values)


def luminance_weights(mixture: GaussianMixture) -> Array:
    """Return a side's guide as weights (d,) of its raw coordinates."""
    space = mixture.space
    return np.asarray(space.axes @ known_guide(mixture) / space.unit)


def _gray(plan: TransportPlan, values: Floats) -> Floats:
    """Return a cube's luminance as gray (N, e), with the target's mean and spread."""
    moments = []
    for side in (plan.source, plan.attained_target):
        means, deviations = luminance_moments(side)
        centre = side.weights @ means
        moments.append((centre, np.sqrt(side.weights @ ((means - centre) ** 2 + deviations**2))))
    (centre0, spread0), (centre1, spread1) = moments
    standard = (luminance(plan.source, values) - centre0) / (spread0 if spread0 > 0 else 1.0)
    origin = luminance_weights(plan.target) @ plan.target.space.origin
    space = space_of(plan.target.space.coordinates) or "srgb"
    return neutral(origin + centre1 + spread1 * standard, plan.target.space.raw_dimension, space)


def _keeping(keep: Keep, source: Floats, images: Floats) -> Floats:
    """Return colours (N, 3) with the source's OKLab lightness, or with its chroma and hue.

    In double precision: near black a hue is what the last digits say.
    """
    colours = np.asarray(images, dtype=np.float64)
    was = np.array(to_space(source.astype(np.float64), "oklab"), dtype=np.float64)
    if keep == "luminance":
        return with_lightness(colours, was[:, 0])
    was[:, 0] = to_space(colours, "oklab")[:, 0]
    return in_gamut(was)
