"""Clean what a map adds to the source: speckle and fringes where components change."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import from_coordinates
from gwtransfer.core.guided import guided_filter
from gwtransfer.core.linalg import eigenbasis
from gwtransfer.core.maps import SINGLE
from gwtransfer.core.types import TransportPlan

Array = NDArray[np.float64]
Floats = NDArray[np.floating]

SMOOTH_RADIUS = 2
"""Half the side of the guided filter's windows, in pixels."""

EPSILON = 1e-3
"""Squared contrast, in squared radii of the source's colours, below which it counts as flat."""

GUIDES = 3
"""Axes of the source that guide the filter."""

WINDOW_PIXELS = 32_768
"""Pixels the filter works on at once, about: it needs some hundred bytes for each."""

WILDEST = 1e4
"""Beyond so many radii, or times white, the filter sees no difference."""

DRAWN = 4096
"""Points of the source's mixture the map's affine part is fitted to."""


class Mapping(Protocol):
    """A map of raw points (N, d) to raw images (N, e)."""

    def __call__(self, points: Floats) -> Floats:
        """Map the points."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Residual:
    """What a map does beyond one affine map, and how much of it to clean.

    The affine part carries the source's detail to the result and is left alone. The rest changes
    from component to component: it is smoothed by a guided filter whose guide is the source.

    Attributes
    ----------
    origin : (d,) array
        The source's centre, in raw coordinates.
    seeing : (e + g, d) array
        From centred raw coordinates: the affine part, then the guide, which are the working
        axes of most variance.
    offset : (e,) array of single floats
        The affine part's constant.
    strength : float in [0, 1]
    """

    origin: Array
    seeing: Floats
    offset: Floats
    strength: float

    @classmethod
    def of(cls, plan: TransportPlan, mapping: Mapping, strength: float) -> "Residual":
        """Fit the affine part of a plan's map to points drawn from the source's mixture."""
        source = plan.source
        rng = np.random.default_rng([source.seed, 3])
        drawn = source.drawn(DRAWN, rng)
        mapped = mapping(source.space.to_raw(drawn))
        images = from_coordinates(mapped, plan.target.space.coordinates)
        known = np.column_stack([drawn, np.ones(DRAWN)])
        fitted = np.linalg.lstsq(known, images, rcond=None)[0]
        axes = eigenbasis(source.covariance)[1][:, :GUIDES]
        seeing = np.concatenate([fitted[:-1], axes], axis=1).T @ source.space.axes.T
        seeing /= source.space.unit
        held = 1 / SINGLE < np.abs(seeing).max() < SINGLE
        return cls(
            origin=source.space.origin,
            seeing=seeing.astype(np.float32) if held else seeing,
            offset=fitted[-1].astype(np.float32),
            strength=strength,
        )

    def seen(self, points: Floats) -> Floats:
        """Return what the filter sees of raw points (N, d): affine part and guide (N, e + g)."""
        # Single floats stay single: what rounding the centre moves, the filter does not see.
        centred = points - self.origin.astype(points.dtype)
        seen = (centred.astype(self.seeing.dtype, copy=False) @ self.seeing.T).astype(np.float32)
        seen[:, : len(self.offset)] += self.offset
        return seen

    def cleaned(self, seen: Floats, images: Floats, valid: NDArray[np.bool_]) -> Floats:
        """Return images (n, e) cleaned; ``seen`` as of `seen`, ``valid`` is (r, columns).

        The filter works on some columns at a time, and on those beside them that have a part.
        """
        rows, columns = valid.shape
        e = images.shape[1]
        residual = _tame(images - seen[:, :e]).T.reshape(e, rows, columns)
        guide = _tame(seen[:, e:]).T.reshape(-1, rows, columns)
        moved = np.empty((rows, columns, e), dtype=images.dtype)
        width, halo = max(64, WINDOW_PIXELS // rows), 2 * SMOOTH_RADIUS
        for start in range(0, columns, width):
            stop = min(start + width, columns)
            low, high = max(0, start - halo), min(columns, stop + halo)
            smooth = guided_filter(
                np.ascontiguousarray(residual[:, :, low:high]),
                np.ascontiguousarray(guide[:, :, low:high]),
                valid[:, low:high],
                radius=SMOOTH_RADIUS,
                epsilon=EPSILON,
            )[:, :, start - low : stop - low]
            moved[:, start:stop] = (smooth - residual[:, :, start:stop]).transpose(1, 2, 0)
        return images + np.float32(self.strength) * moved.reshape(images.shape)


def _tame(values: Floats) -> Floats:
    return np.clip(np.nan_to_num(values), -WILDEST, WILDEST)
