"""How far a match keeps neighbours neighbours: what can be said of it without a truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gwtransfer.core.surface import areas
from gwtransfer.core.types import Cloud
from gwtransfer.report.shapes_fewer import thinned

Array = NDArray[np.float64]
Index = NDArray[np.intp]

PLACES, NEIGHBOURS = 400, 4
"""Places of the source that are looked at, and how many of the nearest of each."""

EDGES = 2.0 ** np.arange(-3.0, 3.5, 0.5)
"""Limits of the classes of stretch; what lies beyond is in the first or last one."""

KEPT = 2.0
"""Neighbours whose distance changes by no more than this factor have stayed neighbours."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stretch:
    """How the distances of neighbours change from the source to the target.

    Attributes
    ----------
    ratios : (p,) array
        Straight distance of two matches over that of the two neighbours, both in the size of their
        shape; 1 is kept.
    """

    ratios: Array

    @property
    def kept(self) -> float:
        """Share of the pairs that have stayed neighbours."""
        return float(((self.ratios >= 1 / KEPT) & (self.ratios <= KEPT)).mean())

    @property
    def shares(self) -> Array:
        """Share of the pairs in each class of EDGES."""
        inside = self.ratios.clip(EDGES[0], np.nextafter(EDGES[-1], 0.0))
        return np.asarray(np.histogram(inside, EDGES)[0] / len(self.ratios))


def stretch(source: Cloud, target: Cloud, index: Index, *, scale: float | None) -> Stretch | None:
    """Measure it at places spread over the source; None where there are too few.

    Parameters
    ----------
    index : (n,) array
        The target vertex of each source vertex.
    scale : float or None
        A length of the target over one of the source; None compares sizes.
    """
    chosen = thinned(source.vertices, PLACES)
    points, matched = source.vertices[chosen], target.vertices[index[chosen]]
    if len(points) <= NEIGHBOURS:
        return None
    _, near = cKDTree(points).query(points, NEIGHBOURS + 1)
    one, other = np.repeat(np.arange(len(points)), NEIGHBOURS), near[:, 1:].ravel()
    before = np.linalg.norm(points[one] - points[other], axis=1)
    after = np.linalg.norm(matched[one] - matched[other], axis=1)
    if scale is None:
        both = source.faces is not None and target.faces is not None
        scale = _size(target, by_area=both) / _size(source, by_area=both)
    apart = before > 0
    return Stretch(ratios=after[apart] / (scale * before[apart])) if apart.any() else None


def _size(cloud: Cloud, *, by_area: bool) -> float:
    if by_area and cloud.faces is not None:
        area = float(areas(cloud.vertices, cloud.faces).sum())
        if area > 0:
            return float(np.sqrt(area))
    centred = cloud.vertices - cloud.vertices.mean(axis=0)
    return float(np.sqrt(np.square(centred).sum(axis=1).mean())) or 1.0
