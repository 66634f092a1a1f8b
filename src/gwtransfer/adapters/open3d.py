"""Open3D: clouds read, thinned and aligned, surfaces sampled; imported nowhere else.

Open3D returns nonsense for what is broken and speaks on stdout. Here everything is checked before
and after, seeded, silent, and on one thread, as its sums depend on how threads share them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.threads import one_thread
from gwtransfer.errors import DataError, PluginError, ReadError, ShapeError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SYSTEM_LIBRARIES = "libx11-6 libgl1 libgomp1 libudev1, and from 0.20 on libusb-1.0-0 libegl1"
"""Debian's names of what Open3D's wheels leave to the system."""

NORMAL_NEIGHBOURS = 20
"""Neighbours of a point through which its plane is laid."""

SOUND, KEPT = 1e-6, 0.9
"""How orthogonal a refined turn must be, and what share of the pairs it must keep."""


def read_pcd(path: Path, *, points: int) -> Array:
    """Read the points of a PCD file whose header and length have been checked.

    Parameters
    ----------
    path : Path
    points : int
        How many the header promises.

    Returns
    -------
    (n, 3) array
        In the file's order; a point that was not measured is not finite.

    Raises
    ------
    ReadError
        Open3D reads another number of points.
    PluginError
        Open3D is not there.
    """
    with _open3d() as o3d:
        cloud = o3d.io.read_point_cloud(
            str(path), format="pcd", remove_nan_points=False, remove_infinite_points=False
        )
        read = np.array(cloud.points, dtype=np.float64).reshape(-1, 3)
    if len(read) != points:
        raise ReadError(
            f"{path}: expected {points} points as its header says, could read {len(read)}; "
            "the file is broken, write it again"
        )
    return read


def voxel(points: ArrayLike, size: float) -> Array:
    """Return the mean of the points in each cube of a grid along the axes.

    Parameters
    ----------
    points : (n, 3) array
    size : float
        Side of the cubes.

    Returns
    -------
    (k, 3) array
        Ordered by their coordinates.

    Raises
    ------
    DataError
        The cubes are too small for the extent of the points.
    ShapeError, PluginError
    """
    with _open3d() as o3d:
        thinned = _cloud(o3d, points).voxel_down_sample(float(size))
        means = np.array(thinned.points, dtype=np.float64).reshape(-1, 3)
    return means[np.lexsort(means.T[::-1])]


def farthest(points: ArrayLike, count: int) -> Indices:
    """Return which points are chosen when each next one is the farthest from those before.

    Parameters
    ----------
    points : (n, 3) array
        The first is always chosen.
    count : int
        From 1 to n.

    Returns
    -------
    (k,) array
        Increasing; fewer than ``count`` only where fewer points are distinct.

    Raises
    ------
    DataError
        More are asked for than there are.
    ShapeError, PluginError
    """
    with _open3d() as o3d:
        cloud = _cloud(o3d, points)
        own = np.arange(len(cloud.points), dtype=np.float64)
        # Open3D returns points without their places, but takes three doubles a point along.
        cloud.colors = o3d.utility.Vector3dVector(np.column_stack([own, own, own]))
        chosen = np.asarray(cloud.farthest_point_down_sample(int(count)).colors)[:, 0]
        return np.unique(chosen.astype(np.int64))


def poisson(vertices: ArrayLike, faces: ArrayLike, count: int, seed: int) -> Array:
    """Return points of a surface that keep their distance from one another.

    Parameters
    ----------
    vertices : (n, 3) array
    faces : (f, 3) array
    count : int
    seed : int

    Returns
    -------
    (count, 3) array

    Raises
    ------
    DataError
        The surface has no area.
    ShapeError, PluginError
    """
    with _open3d() as o3d:
        o3d.utility.random.seed(seed % 2**31)
        mesh = _mesh(o3d, vertices, faces)
        sample = mesh.sample_points_poisson_disk(int(count))
        points = np.array(sample.points, dtype=np.float64).reshape(-1, 3)
    if points.shape != (count, 3) or not np.isfinite(points).all():
        raise DataError(
            f"expected a surface of which to draw {count} points, got {len(points)} from Open3D"
        )
    return points


def icp(
    source: ArrayLike, target: ArrayLike, start: ArrayLike, reach: float, *, iterations: int = 50
) -> tuple[Array, float, float]:
    """Refine a motion by moving points onto the planes at their nearest ones, again and again.

    Planes and not points: two scans of a thing have no point in common, and nearest points of
    different samplings pull along the surface.

    Parameters
    ----------
    source : (n, 3) array
    target : (m, 3) array
    start : (4, 4) array
        The motion, or motion with a reflection, to begin with; the result reflects as it does.
    reach : float
        Points farther apart are no pair.
    iterations : int

    Returns
    -------
    motion : (4, 4) array
        Of the source onto the target; ``start`` where too few pairs are within reach, or where
        planes do not fix it.
    share : float
        Of the source's points that have a partner within reach.
    rms : float
        Root of the mean squared distance of the pairs; infinite where there is none.

    Raises
    ------
    ShapeError
        ``start`` is no motion, or a value is not finite.
    PluginError
    """
    begin = _motion(start)
    moved = _points(source) @ begin[:3, :3].T + begin[:3, 3]
    with _open3d() as o3d:
        registration = o3d.pipelines.registration
        one, other = _cloud(o3d, moved), _cloud(o3d, target)
        other.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(NORMAL_NEIGHBOURS))
        result = registration.registration_icp(
            one,
            other,
            float(reach),
            np.eye(4),
            registration.TransformationEstimationPointToPlane(),
            registration.ICPConvergenceCriteria(
                relative_fitness=1e-9, relative_rmse=1e-9, max_iteration=int(iterations)
            ),
        )
        step = np.array(result.transformation)
        before = registration.evaluate_registration(one, other, float(reach))
    turn = step[:3, :3]
    sound = bool(np.isfinite(step).all()) and np.abs(turn @ turn.T - np.eye(3)).max() < SOUND
    if not sound or result.fitness < KEPT * before.fitness or not result.fitness:
        rms = before.inlier_rmse if before.fitness else np.inf
        return begin, float(before.fitness), float(rms)
    left, _, right = np.linalg.svd(turn)
    step[:3, :3] = left @ right
    return step @ begin, float(result.fitness), float(result.inlier_rmse)


@contextmanager
def _open3d() -> Iterator[Any]:
    """Give Open3D: silent, on one thread, for one caller at a time, its errors made ours."""
    with quiet():
        o3d = _imported()
        silent = o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error)
        with silent, one_thread():
            try:
                yield o3d
            except RuntimeError as error:
                plain = re.sub(r"\x1b\[[0-9;]*m|.*\.cpp:\d+: ", "", str(error))
                raise DataError(f"Open3D refuses: {plain.strip().rstrip('.')}") from error


def _imported() -> Any:
    try:
        import open3d
    except ModuleNotFoundError as error:
        if error.name != "open3d":
            raise PluginError(
                f"Open3D cannot be imported without {error.name}; "
                "run pip install 'gwtransfer[open3d]'"
            ) from error
        raise PluginError(
            "Open3D is needed and not installed; run pip install 'gwtransfer[open3d]'"
        ) from error
    except (ImportError, OSError) as error:
        raise PluginError(
            f"Open3D is installed but does not start: {reason(error)}; install what it needs of "
            f"the system (Debian: {SYSTEM_LIBRARIES})"
        ) from error
    return open3d


def _points(values: ArrayLike) -> Array:
    points = np.array(values, dtype=np.float64, order="C")  # Open3D takes none that are read-only
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise ShapeError(f"expected (n, 3) points with n > 0, got {points.shape}")
    if not np.isfinite(points).all():
        raise ShapeError("expected finite points, got others")
    return points


def _cloud(o3d: Any, points: ArrayLike) -> Any:
    return o3d.geometry.PointCloud(o3d.utility.Vector3dVector(_points(points)))


def _mesh(o3d: Any, vertices: ArrayLike, faces: ArrayLike) -> Any:
    points, corners = _points(vertices), np.asarray(faces)
    if corners.ndim != 2 or corners.shape[1] != 3 or not len(corners):
        raise ShapeError(f"expected (f, 3) faces with f > 0, got {corners.shape}")
    if corners.min() < 0 or corners.max() >= len(points):
        raise ShapeError(f"expected faces among points 0 … {len(points) - 1}, got others")
    triangles = o3d.utility.Vector3iVector(np.array(corners, dtype=np.int32, order="C"))
    return o3d.geometry.TriangleMesh(o3d.utility.Vector3dVector(points), triangles)


def _motion(values: ArrayLike) -> Array:
    motion = np.array(values, dtype=np.float64)
    if motion.shape != (4, 4) or not np.isfinite(motion).all():
        raise ShapeError(f"expected a finite (4, 4) motion, got {motion.shape}")
    turn = motion[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-6 or (motion[3] != [0, 0, 0, 1]).any():
        raise ShapeError("expected a motion without scale or shear, got another matrix")
    return motion
