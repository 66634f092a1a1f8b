"""Eigenfunctions of a shape's Laplacian; the only importer of robust_laplacian."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh, splu
from scipy.spatial import cKDTree

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.surface import Representation, represent
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, MissingError

Array = NDArray[np.float64]
Index = NDArray[np.intp]

NEIGHBOURS = 30
"""Neighbours of a point that are triangulated together where a shape has no usable surface."""

LINE = 1e-7
"""Width of a shape of radius 1 below which it is a line."""

LEAST_MASS = 1e-6
"""Area of a point at least, as a share of the mean."""

SHIFT = 0.1
"""Shift of the inverse iteration below the least eigenvalue 0; the next of area 1 is about 10."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Basis:
    """The first eigenfunctions of a shape of area 1, on the points that represent it.

    Attributes
    ----------
    shape : Representation
        Its s points.
    mass : (s,) array, summing to 1
        Area of each point.
    values : (k,) array, increasing, the first of them 0
    functions : (s, k) array
        Columns orthonormal for ``mass``; the first is constant. Signs, and turns inside one
        eigenvalue, are arbitrary.
    """

    shape: Representation
    mass: Array
    values: Array
    functions: Array


def eigenbasis(cloud: Cloud, count: int) -> Basis:
    """Return the first eigenfunctions of the robust Laplacian of a mesh or cloud.

    The Laplacian is that of the surface where the shape is represented by one, and of local
    triangulations elsewhere; what is then still apart is joined by its shortest bridges.

    Parameters
    ----------
    count : int
        Eigenfunctions, the constant one included.

    Raises
    ------
    DataError
        Too few points, points on a line, or a surface that cannot be triangulated.
    MissingError
        robust_laplacian is not installed.
    """
    try:
        import robust_laplacian
    except ImportError as error:
        raise MissingError(
            f"spectral coordinates need robust_laplacian ({reason(error)}); "
            "pip install 'gwtransfer[spectral-shapes]'"
        ) from error
    shape = represent(cloud)
    points, faces = shape.points, shape.faces
    if len(points) <= count:
        raise DataError(
            f"{cloud.name}: expected more than {count} distinct points for {count - 1} spectral "
            f"coordinates, found {len(points)}"
        )
    unit = _upright(points)
    if unit[:, -2].std() <= LINE:
        raise DataError(f"{cloud.name}: expected a surface, found points on one line")
    try:
        if faces is None:
            stiffness, mass = robust_laplacian.point_cloud_laplacian(
                unit, n_neighbors=min(NEIGHBOURS, len(unit) - 1)
            )
        else:
            stiffness, mass = robust_laplacian.mesh_laplacian(unit, faces)
    except Exception as error:  # the library raises bare exceptions, with paths of its sources
        raise DataError(
            f"{cloud.name}: expected a surface, found points that cannot be triangulated"
        ) from error
    weights = np.asarray(mass.diagonal())
    if not (np.isfinite(weights).all() and np.isfinite(stiffness.data).all() and weights.sum() > 0):
        raise DataError(f"{cloud.name}: expected a surface, found points without area around them")
    weights = np.maximum(weights / weights.sum(), LEAST_MASS / len(weights))
    weights /= weights.sum()
    stiffness = _joined(sparse.csr_matrix(stiffness), unit)
    values, functions = _smallest(cloud.name, stiffness, weights, count)
    return Basis(shape=shape, mass=weights, values=values, functions=functions)


def cloud_area(points: Array) -> float:
    """Return the area of the surface that points (s, 3) lie on."""
    import robust_laplacian

    neighbours = min(NEIGHBOURS, len(points) - 1)
    mass = robust_laplacian.point_cloud_laplacian(points, n_neighbors=neighbours)[1]
    return float(mass.diagonal().sum())


def _upright(points: Array) -> Array:
    """Return points centred, of radius 1 and along their principal axes, the longest last.

    Local triangulations depend on the axes; so a moved copy gets the same.
    """
    centred = points - points.mean(axis=0)
    centred = centred / np.sqrt((centred**2).sum(axis=1).mean())
    turned = centred @ np.linalg.eigh(centred.T @ centred)[1]
    return np.asarray(turned * np.where((turned**3).sum(axis=0) < 0, -1.0, 1.0))


def _joined(stiffness: sparse.csr_matrix, points: Array) -> sparse.csr_matrix:
    """Join the pieces of a Laplacian, the smallest first, each to what is nearest to it.

    A piece of n points gets √n bridges of an edge's usual weight, where the gap is least: about as
    many as points lie along a line across it.
    """
    count, piece = csgraph.connected_components(stiffness, directed=False)
    if count == 1:
        return stiffness
    downhill = stiffness.data[stiffness.data < 0]
    weight = float(np.median(-downhill)) if len(downhill) else 1.0
    ends: list[Index] = []
    while count > 1:
        inside = np.flatnonzero(piece == np.bincount(piece).argsort(kind="stable")[0])
        outside = np.flatnonzero(piece != piece[inside[0]])
        apart, nearest = cKDTree(points[outside]).query(points[inside])
        closest = apart.argsort(kind="stable")[: math.isqrt(len(inside))]
        ends.append(np.stack([inside[closest], outside[nearest[closest]]]))
        piece[inside] = piece[outside[nearest[closest[0]]]]
        piece = np.unique(piece, return_inverse=True)[1]
        count -= 1
    i, j = np.concatenate(ends, axis=1)
    ones = np.full(len(i), weight)
    bridges = sparse.coo_matrix(
        (
            np.concatenate([-ones, -ones, ones, ones]),
            (np.concatenate([i, j, i, j]), np.concatenate([j, i, i, j])),
        ),
        shape=stiffness.shape,
    )
    return sparse.csr_matrix(stiffness + bridges)


def _smallest(
    name: str, stiffness: sparse.csr_matrix, mass: Array, count: int
) -> tuple[Array, Array]:
    """Return the least eigenvalues (count,) and their functions (s, count).

    The iteration, which begins with one vector, may miss a function of a symmetric shape's multiple
    value. So what is left beside those it found is searched again until nothing smaller is there.
    """
    weights = sparse.diags(mass).tocsc()
    rng = np.random.default_rng(0)
    values, functions = np.empty(0), np.empty((len(mass), 0))
    wanted = count
    try:
        # One thread: the products are thin, and waiting threads made this ten times slower.
        with one_thread():
            solve = splu((stiffness + SHIFT * weights).tocsc()).solve
            while wanted:

                def beside(load: Array, known: Array = functions) -> Array:
                    found = np.asarray(solve(load))
                    return np.asarray(found - known @ (known.T @ (mass * found)))

                more, others = eigsh(
                    stiffness,
                    k=wanted,
                    M=weights,
                    sigma=-SHIFT,
                    OPinv=LinearOperator(stiffness.shape, matvec=beside, dtype=np.float64),
                    v0=rng.standard_normal(len(mass)),
                )
                missed = len(values) < count or more.min() < values[-1]
                values, functions = np.append(values, more), np.hstack([functions, others])
                order = np.argsort(values, kind="stable")[:count]
                values, functions = values[order], functions[:, order]
                wanted = 1 if missed and count < len(mass) - 1 else 0
    except (ArpackError, RuntimeError) as error:
        raise DataError(
            f"{name}: expected a shape with spectral coordinates, found one whose Laplacian has "
            f"none: {reason(error)}"
        ) from error
    return np.clip(values, 0.0, None), functions
