"""How far pictures of one scene are from one another, pixel by pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import curves
from gwtransfer.core.colorspace import to_space
from gwtransfer.core.types import Space

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

NOTICED = 2.3
"""The ΔE that is just noticeable where two colours lie side by side."""

WORST = 0.99
"""Quantile beyond which the worst hundredth of the pixels lies."""

STRETCH = (2.0, 98.0)
"""Percentiles of a cube's bands that are shown as black and white."""

SHEET = 5
"""Pictures side by side in a sheet."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """In what differences are measured.

    Attributes
    ----------
    is_picture : bool
        ΔE of CIE76, the distance in CIELAB (white D65); else the distance over all bands in
        percent of the target's radius.
    unit : float
        The target's radius in raw units.
    """

    is_picture: bool
    unit: float = 1.0

    @classmethod
    def of(cls, kind: str, space: Space) -> "Scale":
        """Return the scale for images of a target of this kind that lives in this space."""
        return cls(is_picture=kind == "picture", unit=space.unit)

    @property
    def word(self) -> str:
        """What a difference is called."""
        return "ΔE" if self.is_picture else "% of the target's radius"

    def said(self, value: float) -> str:
        """Return a difference in words."""
        return f"ΔE {value:.2f}" if self.is_picture else f"{value:.2f} {self.word}"

    def __call__(self, picture: Pixels) -> Pixels:
        """Return a picture (r, c, e) in coordinates whose distances are the differences."""
        if not self.is_picture:
            return np.asarray(picture * np.float32(100 / self.unit))
        flat = picture.reshape(-1, picture.shape[2])
        colours = flat if flat.shape[1] == 3 else np.repeat(flat, 3, axis=1)
        return np.asarray(to_space(colours, "lab").reshape(*picture.shape[:2], 3))


@dataclass(frozen=True, eq=False, kw_only=True)
class Disagreement:
    """Differences within some pictures.

    Attributes
    ----------
    pairs : (n, n) array
        Mean difference over the pixels between each two.
    where : (r, c) array
        Mean difference over the pairs at each pixel, NaN where there is none.
    """

    pairs: Array
    where: Array

    @classmethod
    def of(cls, pictures: Sequence[Pixels], scale: Scale) -> "Disagreement":
        """Compare each two of n >= 1 pictures (r, c, e) of one size."""
        placed = [scale(picture) for picture in pictures]
        count = len(placed)
        pairs, where = np.zeros((count, count)), np.zeros(placed[0].shape[:2])
        for i in range(count):
            for j in range(i):
                apart = _apart(placed[i], placed[j])
                pairs[i, j] = pairs[j, i] = np.mean(apart[np.isfinite(apart)])
                where += apart
        where /= max(1, count * (count - 1) // 2)
        return cls(pairs=pairs, where=where)

    @property
    def each(self) -> Array:
        """Mean difference (n,) of each picture from the others; 0 of a single one."""
        return np.asarray(self.pairs.sum(axis=1) / max(1, len(self.pairs) - 1))

    @property
    def mean(self) -> float:
        """Mean difference of two of the pictures."""
        return float(self.each.mean())

    @property
    def worst(self) -> float:
        """The least difference in the worst hundredth of the pixels."""
        return float(np.quantile(self.where[np.isfinite(self.where)], WORST))

    @property
    def worst_pair(self) -> tuple[int, int]:
        """The two pictures that differ most."""
        first, second = np.unravel_index(int(self.pairs.argmax()), self.pairs.shape)
        return int(first), int(second)


def difference(one: Pixels, other: Pixels, scale: Scale) -> float:
    """Return the mean difference of two pictures over their pixels."""
    apart = _apart(scale(one), scale(other))
    return float(np.mean(apart[np.isfinite(apart)]))


def _apart(one: Pixels, other: Pixels) -> Array:
    return np.asarray(np.sqrt(((one - other) ** 2).sum(axis=2, dtype=np.float64)))


def spread_figure(disagreement: Disagreement, scale: Scale) -> curves.Figure:
    """Return where pictures disagree, as a figure."""
    picture = curves.Picture(
        values=disagreement.where, title="where the results disagree", unit=scale.word
    )
    return curves.Figure(panels=(picture,), columns=1)


def sheet_figure(pictures: Sequence[Pixels], titles: Sequence[str], scale: Scale) -> curves.Figure:
    """Return pictures side by side."""
    shown = pictures if scale.is_picture else _false_colours(pictures)
    return curves.Figure(
        panels=tuple(
            curves.Picture(values=_opaque(picture), title=title)
            for picture, title in zip(shown, titles, strict=True)
        ),
        columns=SHEET,
    )


def _opaque(picture: Pixels) -> Pixels:
    """Return three bands, white where there is no pixel."""
    whole = picture if picture.shape[2] == 3 else np.repeat(picture[:, :, :1], 3, axis=2)
    return np.nan_to_num(whole, nan=1.0)


def _false_colours(cubes: Sequence[Pixels]) -> list[Pixels]:
    """Return three evenly spread bands of each cube, the last as red, stretched alike."""
    count = cubes[0].shape[2]
    chosen = [count * sixth // 6 for sixth in (5, 3, 1)]
    bands = [cube[:, :, chosen] for cube in cubes]
    low, high = np.nanpercentile(np.stack(bands), STRETCH)
    return [np.clip((cube - low) / max(float(high - low), 1e-30), 0, 1) for cube in bands]
