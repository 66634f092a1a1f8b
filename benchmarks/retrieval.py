"""How well distances find shapes of one class, beside POT's Gromov–Wasserstein on the same points.

Every shape is a query among the others of its set; the scans are queries among the animals. All
methods get the same prepared points, POT 200 of them, or as many as it takes for its quantized
solver, and Euclidean distances. Methods that take long get every so many-th query, which is said.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import ot
from numpy.typing import NDArray
from scenes import DATA
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from gwtransfer import registry
from gwtransfer.core.retrieval import retrieve
from gwtransfer.core.surface import areas
from gwtransfer.core.types import Cloud, GaussianMixture, Prepared
from gwtransfer.fit.halving import Halving
from gwtransfer.pipeline import PrepareStage, fit_item
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.prepare.spectral import Spectral
from gwtransfer.prepare.xyz import Xyz

Array = NDArray[np.float64]
Shape = tuple[Cloud, str]
T = TypeVar("T")

ANIMALS = {
    "deftransfer/horse-poses": "horse",
    "deftransfer/horse-gallop": "horse",
    "deftransfer/camel-gallop-dec": "camel",
    "deftransfer/cat-poses": "cat",
    "deftransfer/lion-poses": "lion",
    "animation/wolf": "wolf",
    "animation/pcow": "cow",
}
SCANS = {"cat": "cat", "horse": "horse", "lioness": "lion", "wolf": "wolf"}

SAMPLES, DENSE, PARTS, RANK = 200, 1000, 40, 10
"""Points of a shape for POT, and for its quantized solver with so many parts; rank of the couplings
of its low-rank solver."""

EPSILON = 5e-3
"""Regularisation of the entropic solver, as a share of the largest product of two distances."""

SOLVER = MGW2(signs=16, random=10, waves=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """What methods know of a shape."""

    mixture: GaussianMixture
    few: Array
    dense: Array
    gaps: Array


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--components", type=int, default=16, help="K of every shape")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=6, help="queries of slow methods: every n-th")
    parser.add_argument("--only", choices=["methods", "options", "disturbed"])
    args = parser.parse_args()
    if not (DATA / "meshes" / "capod").is_dir():
        print(f"data not found: {DATA / 'meshes'}")
        return
    sets = {"objects": objects(), "animals": animals(), "scans": scans()}
    parts = {"methods": methods, "options": options, "disturbed": disturbed}
    with threadpool_limits(1):
        for name, part in parts.items():
            if args.only in (None, name):
                part(sets, args)


def objects() -> list[Shape]:
    """Return the models of CAPOD, by their folders."""
    paths = sorted((DATA / "meshes" / "capod").glob("class*/*.obj"))
    return [(shape(path), path.parent.name) for path in paths]


def animals() -> list[Shape]:
    """Return the poses of six animals."""
    return [
        (shape(path), kind)
        for folder, kind in ANIMALS.items()
        for path in sorted((DATA / "meshes" / folder).glob("*.o*"))
    ]


def scans() -> list[Shape]:
    """Return clouds of other bodies of four of the animals' kinds."""
    folder = DATA / "clouds" / "pcd" / "ism"
    return [(shape(folder / f"ism_train_{name}.pcd"), kind) for name, kind in SCANS.items()]


def shape(path: Path) -> Cloud:
    """Read a mesh or cloud."""
    item = registry.loader_for(path, load=None, options={})(path)
    assert isinstance(item, Cloud)
    return item


def methods(sets: dict[str, list[Shape]], args: argparse.Namespace) -> None:
    """Print each method's scores and time a pair, for both kinds of points."""
    print("| points | method | objects | animals | scans | ms a pair | queries |")
    print("|---|---|---|---|---|---|---|")
    works: dict[str, tuple[int, Callable[[Side, Side], float]]] = {
        "mgw2": (1, lambda a, b: SOLVER.coupled(a.mixture, b.mixture).value),
        f"GW, {SAMPLES} samples": (1, exact),
        f"entropic GW, {SAMPLES} samples": (args.every, entropic),
        f"low-rank GW, {SAMPLES} samples": (args.every, low_rank),
        f"quantized GW, {DENSE} samples": (args.every, quantized),
    }
    for prepare, stage in (("xyz", Xyz()), ("spectral", Spectral())):
        sides = {
            name: [side(cloud, stage, args) for cloud, _ in shapes] for name, shapes in sets.items()
        }
        for method, (every, work) in works.items():
            cells, seconds, pairs = [], 0.0, 0
            for name, shapes in sets.items():
                among = "animals" if name == "scans" else name
                begin = time.process_time()
                rows = scored(
                    sides[name],
                    sides[among],
                    [kind for _, kind in shapes],
                    [kind for _, kind in sets[among]],
                    work,
                    every=1 if name == "scans" else every,
                    itself=among == name,
                )
                seconds += time.process_time() - begin
                pairs += rows[1]
                cells.append(rows[0])
            share = "all" if every == 1 else f"1 in {every}"
            print(
                f"| {prepare} | {method} | {' | '.join(cells)} | {1e3 * seconds / pairs:.1f} | "
                f"{share} |",
                flush=True,
            )


def options(sets: dict[str, list[Shape]], args: argparse.Namespace) -> None:
    """Print the scores of mgw2 for other coordinates, counts of components and inner costs."""
    print("\n| points | K | inner | objects | animals | scans |\n|---|---|---|---|---|---|")
    stages: list[tuple[str, PrepareStage]] = [("xyz", Xyz())]
    for kind in ("commute", "biharmonic"):
        for dimensions in (4, 6, 8, 10):
            stages.append((f"{kind} {dimensions}", Spectral(kind=kind, dimensions=dimensions)))  # type: ignore[arg-type]
    for label, stage in stages:
        for components in (16, 24):
            own = argparse.Namespace(**{**vars(args), "components": components})
            sides = {n: [fitted(c, stage, own) for c, _ in shapes] for n, shapes in sets.items()}
            for inner in ("w2sq", "w2"):
                solver = replace(SOLVER, inner=inner)  # type: ignore[arg-type]
                cells = []
                for name, shapes in sets.items():
                    among = "animals" if name == "scans" else name
                    cell, _ = scored(
                        sides[name],
                        sides[among],
                        [kind for _, kind in shapes],
                        [kind for _, kind in sets[among]],
                        lambda a, b, s=solver: s.coupled(a, b).value,
                        itself=among == name,
                    )
                    cells.append(cell)
                print(f"| {label} | {components} | {inner} | {' | '.join(cells)} |", flush=True)


def disturbed(sets: dict[str, list[Shape]], args: argparse.Namespace) -> None:
    """Print how far disturbed animals are from themselves, and whether they find their kind."""
    print("\n| change | xyz moved | xyz found | spectral moved | spectral found |")
    print("|---|---|---|---|---|")
    shapes = sets["animals"]
    kinds = np.array([kind for _, kind in shapes])
    stages = [Xyz(), Spectral()]
    known = [[fitted(cloud, stage, args) for cloud, _ in shapes] for stage in stages]
    chosen = range(0, len(shapes), 2)
    for label, change in CHANGES.items():
        cells = []
        for stage, mixtures in zip(stages, known, strict=True):
            shifts, found = [], []
            for index in chosen:
                query = fitted(change(shapes[index][0]), stage, args)
                away = np.sqrt([SOLVER.coupled(query, other).value for other in mixtures])
                others = np.arange(len(shapes)) != index
                shifts.append(away[index] / away[kinds != kinds[index]].min())
                found.append(kinds[others][away[others].argmin()] == kinds[index])
            cells.append(f"{np.mean(shifts):.3f} | {100 * np.mean(found):.0f} %")
        print(f"| {label} | {' | '.join(cells)} |", flush=True)


def side(cloud: Cloud, stage: PrepareStage, args: argparse.Namespace) -> Side:
    """Prepare and fit a shape once for all methods."""
    prepared = stage(cloud, seed=args.seed)
    rng = np.random.default_rng(args.seed)
    dense = prepared.points[rng.choice(len(prepared.points), DENSE, replace=False)]
    few = dense[:SAMPLES]
    return Side(
        mixture=fitted(cloud, lambda *_, **__: prepared, args),
        few=few,
        dense=dense,
        gaps=cdist(few, few),
    )


def fitted(
    cloud: Cloud, stage: PrepareStage | Callable[..., Prepared], args: argparse.Namespace
) -> GaussianMixture:
    """Fit a shape."""
    return fit_item(cloud, stage, Halving(components=args.components), seed=args.seed)


def scored(
    queries: Sequence[T],
    targets: Sequence[T],
    query_kinds: Sequence[str],
    target_kinds: Sequence[str],
    distance: Callable[[T, T], float],
    *,
    every: int = 1,
    itself: bool,
) -> tuple[str, int]:
    """Return "1-NN, mAP" in percent, and how many pairs were solved."""
    number = {kind: index for index, kind in enumerate(sorted({*query_kinds, *target_kinds}))}
    scores, pairs = [], 0
    solved: dict[tuple[int, int], float] = {}
    for query in range(0, len(queries), every):
        others = [index for index in range(len(targets)) if not itself or index != query]
        row = []
        for other in others:
            pair = (min(query, other), max(query, other)) if itself else (query, other)
            if pair not in solved:
                solved[pair] = distance(queries[pair[0]], targets[pair[1]])
                pairs += 1
            row.append(solved[pair])
        found = retrieve(
            np.array([row]),
            np.array([number[query_kinds[query]]]),
            np.array([number[target_kinds[other]] for other in others]),
            itself=False,
        )
        scores.append((found.nearest[0], found.average_precision[0]))
    nearest, precision = 100 * np.mean(scores, axis=0)
    return f"{nearest:.0f}, {precision:.0f}", pairs


def exact(one: Side, other: Side) -> float:
    """Return Gromov–Wasserstein by conditional gradient from the product plan."""
    return float(ot.gromov.gromov_wasserstein2(one.gaps, other.gaps, symmetric=True))


def entropic(one: Side, other: Side) -> float:
    """Return the loss at the entropic coupling."""
    epsilon = EPSILON * one.gaps.max() * other.gaps.max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(
            ot.gromov.entropic_gromov_wasserstein2(
                one.gaps, other.gaps, epsilon=epsilon, max_iter=100, tol=1e-6
            )
        )


def low_rank(one: Side, other: Side) -> float:
    """Return the loss of a coupling of low rank, of squared distances."""
    _, _, _, log = ot.gromov.lowrank_gromov_wasserstein_samples(
        one.few, other.few, rank=RANK, log=True, warn=False
    )
    return float(log["value"])


def quantized(one: Side, other: Side) -> float:
    """Return the loss of the coupling of parts, and of points inside them."""
    *_, log = ot.gromov.quantized_fused_gromov_wasserstein_samples(
        one.dense, other.dense, PARTS, PARTS, log=True
    )
    return float(log["qFGW_dist"])


def remeshed(cloud: Cloud) -> Cloud:
    """Return other vertices of the surface: faces divided in four, a third of them again."""
    assert cloud.faces is not None
    points, faces = cloud.vertices, cloud.faces
    chosen = np.random.default_rng(0).random(len(faces)) < 1 / 3
    centres = points[faces[chosen]].mean(axis=1)
    middle = len(points) + np.arange(len(centres))
    a, b, c = faces[chosen].T
    fans = [
        np.column_stack(corners) for corners in ((a, b, middle), (b, c, middle), (c, a, middle))
    ]
    return replace(
        cloud,
        vertices=np.concatenate([points, centres]),
        faces=np.concatenate([faces[~chosen], *fans]),
    )


def noisy(cloud: Cloud) -> Cloud:
    """Return vertices moved at random by one hundredth of the shape's radius."""
    points = cloud.vertices
    radius = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    noise = np.random.default_rng(0).standard_normal(points.shape) / 3**0.5
    return replace(cloud, vertices=points + 0.01 * radius * noise)


def holed(cloud: Cloud) -> Cloud:
    """Return the mesh without a fifth of its faces, in ten holes."""
    assert cloud.faces is not None
    centres = cloud.vertices[cloud.faces].mean(axis=1)
    sizes = areas(cloud.vertices, cloud.faces)
    rng = np.random.default_rng(0)
    kept = np.ones(len(centres), dtype=bool)
    for centre in centres[rng.choice(len(centres), 10, p=sizes / sizes.sum())]:
        order = np.linalg.norm(centres - centre, axis=1).argsort()
        kept[order[: np.searchsorted(sizes[order].cumsum(), 0.02 * sizes.sum())]] = False
    return replace(cloud, faces=cloud.faces[kept])


def riddled(cloud: Cloud) -> Cloud:
    """Return the mesh without a fifth of its faces, each as likely."""
    assert cloud.faces is not None
    return replace(
        cloud, faces=cloud.faces[np.random.default_rng(0).random(len(cloud.faces)) > 0.2]
    )


def sprinkled(cloud: Cloud) -> Cloud:
    """Return 3 000 points of the surface, without faces."""
    return Cloud(name=cloud.name, vertices=Xyz(sample=3000, size=True)(cloud, seed=1).points)


CHANGES: dict[str, Callable[[Cloud], Cloud]] = {
    "none": lambda cloud: cloud,
    "ten times as large": lambda cloud: replace(cloud, vertices=10 * cloud.vertices),
    "mirrored": lambda cloud: replace(cloud, vertices=cloud.vertices * [-1.0, 1, 1]),
    "other vertices": remeshed,
    "noise of 1 % of the radius": noisy,
    "a fifth of the faces left out at random": riddled,
    "a fifth cut out in ten holes": holed,
    "3 000 points without faces": sprinkled,
}


if __name__ == "__main__":
    main()
