"""Prepare by taking every n-th pixel or vertex: nothing is drawn at random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import coordinates_of, luminance_direction
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, Prepared, Space
from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Stride:
    """Take every n-th valid pixel of a picture or cube, or every n-th vertex of a shape.

    Attributes
    ----------
    step : int
        n; 1 takes all.
    """

    step: int = 4

    def __post_init__(self) -> None:
        if self.step < 1:
            raise UsageError(f"stride: expected a step of at least 1, got {self.step}")

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points in working coordinates: centred, with one unit for all axes.

        Nothing is drawn at random, so the seed is not used.

        Raises
        ------
        DataError
            No pixel is valid.
        """
        if isinstance(item, Cloud):
            return self._prepared(item.vertices[:: self.step], "xyz")
        blocks = [block.points[block.valid] for block in item.blocks()]
        points = np.concatenate(blocks)[:: self.step].astype(np.float64)
        if not len(points):
            raise DataError(f"{item.name}: expected valid pixels, found none")
        if item.kind == "cube":
            waves = None if item.wavelengths is None else item.wavelengths.astype(np.float64)
            return self._prepared(points, "bands", np.full(item.bands, 1 / item.bands), waves)
        brightness = luminance_direction(item.bands, "srgb")
        return self._prepared(points, coordinates_of(item.bands, "srgb"), brightness)

    def _prepared(
        self,
        points: Array,
        coordinates: str,
        brightness: Array | None = None,
        wavelengths: Array | None = None,
    ) -> Prepared:
        origin = points.mean(axis=0)
        radius = float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean()))
        space = Space(
            origin=origin,
            axes=np.eye(points.shape[1]),
            unit=radius if radius > 0 else 1.0,
            coordinates=coordinates,
            wavelengths=wavelengths,
        )
        guide = None if brightness is None else brightness * space.unit
        return Prepared(points=space.to_working(points), space=space, guide=guide)
