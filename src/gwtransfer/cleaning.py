"""Clean what a map adds to the source: speckle and fringes where components change."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import from_coordinates
from gwtransfer.core.guided import guided_filter
from gwtransfer.core.linalg import eigenbasis
from gwtransfer.core.types import TransportPlan

Array = NDArray[np.float64]

SMOOTH_RADIUS = 2
"""Half the side of the guided filter's windows, in pixels."""

EPSILON = 1e-3
"""Squared contrast, in squared radii of the source's colours, below which it counts as flat."""

GUIDES = 3
"""Axes of the source that guide the filter."""

WINDOW_PIXELS = 32_768
"""Pixels the filter works on at once, about: it needs some hundred bytes for each."""

DRAWN = 4096
"""Points of the source's mixture the map's affine part is fitted to."""


class Mapping(Protocol):
    """A map of raw points (N, d) to raw images (N, e)."""

    def __call__(self, points: NDArray[np.floating]) -> Array:
        """Map the points."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Residual:
    """What a map does beyond one affine map, and how much of it to clean.

    The affine part carries the source's detail to the result and is left alone. The rest changes
    from component to component: it is smoothed by a guided filter whose guide is the source.

    Attributes
    ----------
    axes : (p, g) array
        Working axes of most variance: the guide.
    linear, offset : (e, p) and (e,) arrays
        The affine part, from working coordinates to the result's values.
    strength : float in [0, 1]
    """

    axes: Array
    linear: Array
    offset: Array
    strength: float

    @classmethod
    def of(cls, plan: TransportPlan, mapping: Mapping, strength: float) -> "Residual":
        """Fit the affine part of a plan's map to points drawn from the source's mixture."""
        source = plan.source
        rng = np.random.default_rng([source.seed, 3])
        chosen = rng.choice(source.count, DRAWN, p=source.weights / source.weights.sum())
        values, vectors = np.linalg.eigh(source.covariances)
        roots = vectors * np.sqrt(np.clip(values, 0, None))[:, None, :]
        normals = rng.standard_normal((DRAWN, source.dimension))
        drawn = source.means[chosen] + np.einsum("Npq,Nq->Np", roots[chosen], normals)
        mapped = mapping(source.space.to_raw(drawn))
        images = from_coordinates(mapped, plan.target.space.coordinates)
        known = np.column_stack([drawn, np.ones(DRAWN)])
        fitted = np.linalg.lstsq(known, images, rcond=None)[0]
        axes = eigenbasis(source.covariance)[1][:, :GUIDES]
        return cls(
            axes=axes,
            linear=fitted[:-1].T,
            offset=fitted[-1],
            strength=strength,
        )

    def seen(self, z: Array) -> Array:
        """Return what the filter sees of working points (n, p): affine part, guide (n, e + g)."""
        return np.concatenate([z @ self.linear.T + self.offset, z @ self.axes], axis=1)

    def cleaned(self, seen: Array, images: Array, valid: NDArray[np.bool_]) -> Array:
        """Return images (n, e) cleaned; ``seen`` as of `seen`, ``valid`` is (r, columns).

        The filter works on some columns at a time, and on those beside them that have a part.
        """
        rows, columns = valid.shape
        shape = (rows, columns, -1)
        affine, guide = np.split(seen, [images.shape[1]], axis=1)
        residual = np.nan_to_num(images - affine).reshape(shape)
        guide = guide.reshape(shape)
        smooth = np.empty_like(residual)
        width, halo = max(64, WINDOW_PIXELS // rows), 2 * SMOOTH_RADIUS
        for start in range(0, columns, width):
            stop = min(start + width, columns)
            low, high = max(0, start - halo), min(columns, stop + halo)
            smooth[:, start:stop] = guided_filter(
                residual[:, low:high],
                guide[:, low:high],
                valid[:, low:high],
                radius=SMOOTH_RADIUS,
                epsilon=EPSILON,
            )[:, start - low : stop - low]
        return images + self.strength * (smooth - residual).reshape(images.shape)
