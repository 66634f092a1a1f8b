"""Distances along a surface; the only importer of potpourri3d."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.adapters.laplacian import NEIGHBOURS, cloud_area
from gwtransfer.core.surface import areas, represent
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, MissingError

Array = NDArray[np.float64]


SHAKEN = 0.01
"""Spacings by which points are shaken before their area is measured."""


class Geodesics:
    """Distances along a shape's surface, as shares of the root of its area (heat method).

    Between pieces that nothing joins there is no way along the surface; there, and wherever the
    heat method falls short of it, the distance is the straight one.

    Parameters
    ----------
    cloud : Cloud

    Raises
    ------
    MissingError
        potpourri3d is not installed.
    DataError
        The shape has no surface to walk on.
    """

    def __init__(self, cloud: Cloud) -> None:
        try:
            import potpourri3d
        except ImportError as error:
            raise MissingError(
                f"geodesic errors need potpourri3d ({reason(error)}); "
                "pip install 'gwtransfer[spectral-shapes]'"
            ) from error
        shape = represent(cloud)
        self._name, self._points, self._support = cloud.name, shape.points, shape.support
        try:
            with quiet():
                if shape.faces is None:
                    self._solver = potpourri3d.PointCloudHeatSolver(shape.points)
                    self._piece = _pieces(shape.points)
                else:
                    self._solver = potpourri3d.MeshHeatMethodDistanceSolver(
                        shape.points, shape.faces
                    )
                    self._piece = np.zeros(len(shape.points), dtype=np.int32)
                if cloud.faces is None:
                    area = _area(shape.points)
                else:
                    area = float(areas(cloud.vertices, cloud.faces).sum())
        except Exception as error:  # the library raises bare exceptions
            raise DataError(
                f"{cloud.name}: expected a surface to measure along, found none that distances "
                "can be solved on; leave out --truth"
            ) from error
        if not (np.isfinite(area) and area > 0):
            raise DataError(f"{cloud.name}: expected a surface to measure along, found no area")
        self._unit = float(np.sqrt(area))

    def from_vertex(self, vertex: int) -> Array:
        """Return the distance of every vertex of the shape (n,) from one of them.

        Raises
        ------
        DataError
            The solver found no finite distances.
        """
        start = int(self._support[vertex])
        with quiet():
            found = np.asarray(self._solver.compute_distance(start))
        straight = np.linalg.norm(self._points - self._points[start], axis=1)
        found = np.where(self._piece == self._piece[start], np.maximum(found, straight), straight)
        if not np.isfinite(found).all():
            raise DataError(f"{self._name}: expected a surface to measure along, found gaps in it")
        return np.asarray(found[self._support] / self._unit)


def _area(points: Array) -> float:
    """Return the area of a cloud's surface, of a grid too, whose squares have two diagonals."""
    spacing = float(np.median(cKDTree(points).query(points, 2)[0][:, 1]))
    shaken = np.random.default_rng(0).normal(0, SHAKEN * spacing, points.shape)
    return cloud_area(points + shaken)


def _pieces(points: Array) -> NDArray[np.int32]:
    """Return the number of the piece of each point; a piece hangs together by neighbourhoods."""
    tree = cKDTree(points)
    near = tree.query(points, min(NEIGHBOURS + 1, len(points)))[1]
    rows = np.repeat(np.arange(len(points)), near.shape[1])
    graph = sparse.coo_matrix((np.ones(near.size), (rows, near.ravel())), shape=(len(points),) * 2)
    return np.asarray(csgraph.connected_components(graph, directed=False)[1])
