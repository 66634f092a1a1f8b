"""Distances along a surface; the only importer of potpourri3d."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.adapters.laplacian import cloud_area
from gwtransfer.core.surface import areas, represent
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, MissingError

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Geodesics:
    """Distances along a shape's surface, as shares of the root of its area (heat method).

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
        self._support = shape.support
        try:
            with quiet():
                if shape.faces is None:
                    self._solver = potpourri3d.PointCloudHeatSolver(shape.points)
                    area = cloud_area(shape.points)
                else:
                    self._solver = potpourri3d.MeshHeatMethodDistanceSolver(
                        shape.points, shape.faces
                    )
                    area = float(areas(shape.points, shape.faces).sum())
        except Exception as error:  # the library raises bare exceptions
            raise DataError(
                f"{cloud.name}: expected a surface to measure along, found none: {reason(error)}"
            ) from error
        self._unit = float(np.sqrt(area))
        self._name = cloud.name

    def from_vertex(self, vertex: int) -> Array:
        """Return the distance of every vertex of the shape (n,) from one of them.

        Raises
        ------
        DataError
            The solver found no finite distances.
        """
        with quiet():
            found = np.asarray(self._solver.compute_distance(int(self._support[vertex])))
        if not np.isfinite(found).all():
            raise DataError(f"{self._name}: expected a surface in one piece, found several")
        return np.asarray(np.maximum(found, 0.0)[self._support] / self._unit)

