"""Rigid registration without a first guess beside Open3D's FPFH and RANSAC: one table."""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from threadpoolctl import threadpool_limits

from gwtransfer.core.rigid import register

os.environ["OMP_NUM_THREADS"] = "1"  # Open3D reads it when it is first imported

Array = NDArray[np.float64]
Method = Callable[[Array, Array, int], Array]
"""Source, target and seed to the 4×4 matrix that takes the source onto the target."""

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "clouds"

CLOUDS = {
    "milk": "pcd/milk.pcd",
    "bun0": "pcd/bun0.pcd",
    "min-cut": "pcd/min_cut_segmentation_tutorial.pcd",
    "capture": "pcd/capture0001.pcd",
    "room": "pcd/room_scan1.pcd",
    "region": "pcd/region_growing_tutorial.pcd",
    "cat": "pcd/ism/ism_train_cat.pcd",
    "horse": "pcd/ism/ism_train_horse.pcd",
    "lioness": "pcd/ism/ism_train_lioness.pcd",
    "michael": "pcd/ism/ism_train_michael.pcd",
    "wolf": "pcd/ism/ism_train_wolf.pcd",
    "kitten": "cgal/kitten.xyz",
    "hippo": "cgal/hippo1.ply",
    "oni": "cgal/oni.ply",
    "blobby": "cgal/blobby.xyz",
    "half": "cgal/half.xyz",
    "bunny": "npy/bunny.npy",
}

SETTINGS = ("complete", "noise", "partial")

NOISE = 0.01
"""Standard deviation of the noise, as a share of the radius."""

KEPT = 0.7
"""Share of each side's points left by its half-space in the partial setting."""

VOXELS = 10.0
"""Voxels of Open3D's recipe in a radius; 15 and 25 succeeded no more often and took longer."""

ANGLE, SHIFT = 5.0, 0.05
"""A success: degrees, and the share of the radius by which the centre is off."""

LIKE_THE_TRUTH = 1.1
"""Also a success: the whole cloud lies this close to the rms distance it has at the truth."""


@dataclass(frozen=True, eq=False)
class Case:
    """One problem: two clouds without a common point, and what takes one onto the other.

    Attributes
    ----------
    source, target : (n, 3), (m, 3) arrays
    truth : (4, 4) array
    whole : pair of (·, 3) arrays
        Both sides before noise and cut, to tell a symmetry of the shape from an error.
    radius : float
        Root mean square distance from the centre.
    """

    name: str
    setting: str
    source: Array
    target: Array
    truth: Array
    whole: tuple[Array, Array]
    radius: float


def read(path: Path) -> Array:
    """Return the distinct finite points of a cloud, (n, 3)."""
    import open3d

    if path.suffix == ".npy":
        points = np.load(path)
    elif path.suffix == ".xyz":
        points = np.loadtxt(path)
    else:
        points = np.asarray(open3d.io.read_point_cloud(str(path)).points)
    points = points[:, :3].astype(np.float64)
    return np.unique(points[np.isfinite(points).all(axis=1)], axis=0)


def cases(poses: int, seed: int) -> Iterator[Case]:
    """Yield ``poses`` problems a setting, the clouds in turn, the same poses in all settings."""
    clouds = {name: read(DATA / path) for name, path in CLOUDS.items()}
    names = list(clouds)
    for pose in range(poses):
        rng = np.random.default_rng([seed, pose])
        name = names[pose % len(names)]
        points = rng.permutation(clouds[name])
        half = len(points) // 2
        radius = float(np.sqrt(points.var(axis=0).sum()))
        truth = np.eye(4)
        truth[:3, :3] = Rotation.random(rng=rng).as_matrix()
        truth[:3, 3] = rng.normal(size=3) * 2 * radius
        whole = points[:half], moved(truth, points[half:])
        for setting in SETTINGS:
            source, target = whole
            if setting == "noise":
                source, target = (
                    side + rng.normal(size=side.shape) * NOISE * radius for side in whole
                )
            if setting == "partial":
                source, target = (cut(side, rng) for side in whole)
            yield Case(name, setting, source, target, truth, whole, radius)


def cut(points: Array, rng: np.random.Generator) -> Array:
    """Return the points of a random half-space that holds KEPT of them."""
    heights = points @ rng.normal(size=3)
    return points[heights <= np.quantile(heights, KEPT)]


def moved(matrix: Array, points: Array) -> Array:
    """Return points under a 4×4 matrix."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def rms_to(points: Array, others: Array) -> float:
    """Return the rms distance from points to their nearest others, both ways the larger."""
    there = cKDTree(others).query(points)[0]
    back = cKDTree(points).query(others)[0]
    return float(np.sqrt(max((there**2).mean(), (back**2).mean())))


def succeeds(case: Case, found: Array) -> bool:
    """Tell whether a matrix is the truth within ANGLE and SHIFT, or a symmetry of the shape."""
    centre = case.whole[0].mean(axis=0, keepdims=True)
    shift = np.linalg.norm(moved(found, centre) - moved(case.truth, centre)) / case.radius
    if degrees_off(case, found) < ANGLE and shift < SHIFT:
        return True
    some, target = case.whole[0][:5000], case.whole[1][:5000]
    at_truth = rms_to(moved(case.truth, some), target)
    return rms_to(moved(found, some), target) <= LIKE_THE_TRUTH * at_truth


def ours(source: Array, target: Array, seed: int) -> Array:
    """Register by the project's own search."""
    return register(source, target, seed=seed).matrix


def ours_polished(source: Array, target: Array, seed: int) -> Array:
    """Register by the project's own search and polish by Open3D's ICP."""
    from gwtransfer.adapters.open3d import icp

    found = register(source, target, seed=seed)
    return np.asarray(icp(source, target, found.matrix, found.reach)[0])


def fpfh_ransac(voxels: float) -> Method:
    """Return Open3D's published recipe; ``voxels`` is the number of voxels in a radius."""
    import open3d

    registration = open3d.pipelines.registration
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)

    def method(source: Array, target: Array, seed: int) -> Array:
        open3d.utility.random.seed(seed)
        size = float(np.sqrt(target.var(axis=0).sum())) / voxels
        sides = []
        for points in (source, target):
            cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
            thin = cloud.voxel_down_sample(size)
            thin.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(2 * size, 30))
            near = open3d.geometry.KDTreeSearchParamHybrid(5 * size, 100)
            sides.append((cloud, thin, registration.compute_fpfh_feature(thin, near)))
        (cloud0, thin0, features0), (cloud1, thin1, features1) = sides
        found = registration.registration_ransac_based_on_feature_matching(
            thin0,
            thin1,
            features0,
            features1,
            True,  # noqa: FBT003  mutual_filter
            1.5 * size,
            registration.TransformationEstimationPointToPoint(False),  # noqa: FBT003  no scale
            3,
            [
                registration.CorrespondenceCheckerBasedOnEdgeLength(0.9),
                registration.CorrespondenceCheckerBasedOnDistance(1.5 * size),
            ],
            registration.RANSACConvergenceCriteria(100_000, 0.999),
        )
        cloud1.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(2 * size, 30))
        polished = registration.registration_icp(
            cloud0,
            cloud1,
            0.4 * size,
            found.transformation,
            registration.TransformationEstimationPointToPlane(),
        )
        return np.asarray(polished.transformation)

    return method


def degrees_off(case: Case, found: Array) -> float:
    """Return the angle between a matrix's rotation and the truth's."""
    spin = Rotation.from_matrix(found[:3, :3] @ case.truth[:3, :3].T)
    return float(np.degrees(spin.magnitude()))


def tally(methods: dict[str, Method], poses: int, seed: int) -> list[dict[str, Any]]:
    """Return a row a method and setting: successes, CPU seconds, degrees of those, what failed."""
    runs: dict[tuple[str, str], list[tuple[Case, Array, float]]] = {}
    for case in cases(poses, seed):
        for label, method in methods.items():
            began = time.process_time()
            found = method(case.source, case.target, seed)
            took = time.process_time() - began
            runs.setdefault((case.setting, label), []).append((case, found, took))
    rows = []
    for (setting, label), done in sorted(runs.items(), key=lambda run: SETTINGS.index(run[0][0])):
        good = [succeeds(case, found) for case, found, _ in done]
        angles = [degrees_off(case, found) for case, found, _ in done]
        failed = Counter(run[0].name for run, fine in zip(done, good, strict=True) if not fine)
        rows.append(
            {
                "method": label,
                "setting": setting,
                "success": float(np.mean(good)),
                "seconds": float(np.median([took for _, _, took in done])),
                "longest": max(took for _, _, took in done),
                "degrees": float(np.median(np.array(angles)[good])) if any(good) else float("nan"),
                "failed": ", ".join(f"{name} {times}" for name, times in sorted(failed.items())),
            }
        )
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poses", type=int, default=50, help="a setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write every figure here")
    options = parser.parse_args()
    missing = [path for path in CLOUDS.values() if not (DATA / path).is_file()]
    if missing:
        print(f"data not found: {DATA / missing[0]} and {len(missing) - 1} more")
        return
    try:
        import open3d  # noqa: F401
    except ImportError as error:
        print(f"Open3D cannot be imported ({error}); install the extra open3d")
        return
    methods = {
        "register": ours,
        "register, ICP": ours_polished,
        "FPFH + RANSAC, ICP": fpfh_ransac(VOXELS),
    }
    with threadpool_limits(1):
        figures = tally(methods, options.poses, options.seed)
    print("| method | setting | success | median CPU s | longest CPU s | median degrees | failed |")
    print("|---|---|---|---|---|---|---|")
    for row in figures:
        print(
            f"| {row['method']} | {row['setting']} | {row['success']:.0%} | {row['seconds']:.2f} "
            f"| {row['longest']:.1f} | {row['degrees']:.2f} | {row['failed']} |"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
