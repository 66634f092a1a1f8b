"""What a pair of shapes costs: 75 meshes all against all, and shapes of 1 000 to 500 000 points.

Solved as `gwtransfer pairwise` does: MGW2 with few starts, without embeddings, on one BLAS thread.
Beside it stands POT's Gromov–Wasserstein on the same distances and weights of the components, from
the product plan and from as many starts, and the same pairs with a second worker process.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar

import numpy as np
import ot
from numpy.typing import NDArray
from scenes import DATA
from threadpoolctl import threadpool_limits

from gwtransfer import registry
from gwtransfer.core.gromov import GromovProblem
from gwtransfer.core.types import Cloud, GaussianMixture
from gwtransfer.fit.gmm import Gmm
from gwtransfer.pipeline import fit_item
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.prepare.xyz import Xyz

Array = NDArray[np.float64]
Result = TypeVar("Result")

MESHES = 75
SOLVER = MGW2(signs=16, random=10, waves=0)
SIZES = (1_000, 10_000, 100_000, 500_000)
GROWING = ("meshes/deftransfer/cat-poses/cat-reference.obj", "meshes/cgal/elephant.off")

REPEATS = 30
"""The least time of so many is a pair's, where one pair stands for a size."""

ABOVE = 1e-3
"""A value counts as above another from this share of it on."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepare", choices=["xyz", "spectral"], default="xyz")
    parser.add_argument("--components", type=int, default=20, help="K of every shape")
    parser.add_argument("--compared", type=int, default=60, help="pairs that POT solves too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="15 meshes, at most 100 000 points")
    args = parser.parse_args()
    paths = sorted(p for p in (DATA / "meshes").rglob("*") if p.suffix in {".obj", ".off"})[:MESHES]
    if len(paths) < MESHES:
        print(f"data not found: {DATA / 'meshes'}")
        return
    if args.quick:
        paths = paths[::5]
    with threadpool_limits(1):
        shapes = all_pairs(paths, args.prepare, args.components, args.seed)
        compared(shapes, args.compared, args.seed)
        growth(SIZES[:-1] if args.quick else SIZES, args.components, args.seed)


def all_pairs(
    paths: Sequence[Path], prepare: str, components: int, seed: int
) -> list[GaussianMixture]:
    """Print what all pairs cost, by one worker and by two; return the fitted shapes."""
    begin = time.perf_counter()
    stage = registry.build("prepare", prepare, {})
    fit = Gmm(components=components)
    shapes = [fit_item(shape(path), stage, fit, seed=seed) for path in paths]
    fitting = time.perf_counter() - begin
    for mixture in shapes:
        SOLVER.own(mixture)
    pairs = list(combinations(range(len(shapes)), 2))
    print(
        f"{len(shapes)} meshes, {prepare}, K = {components}, {len(pairs)} pairs; "
        f"fits {fitting / len(shapes):.2f} s a mesh"
    )
    bounding, _ = clocked(lambda: SOLVER.lower_bounds(shapes))
    print(f"lower bounds of all pairs, before any is solved: {1e3 * bounding:.0f} ms")
    single = None
    for workers in (1, 2):
        wall, busy, values = by_workers(workers, shapes, pairs)
        single = single or (wall, values)
        print(
            f"{workers} worker{'s' * (workers > 1)}: {1e3 * wall / len(pairs):6.2f} ms a pair, "
            f"{1e3 * busy / len(pairs):6.2f} ms of processor; speed-up {single[0] / wall:.2f}; "
            f"{'equal values' if values == single[1] else 'VALUES DIFFER'}"
        )
    return shapes


def compared(shapes: Sequence[GaussianMixture], count: int, seed: int) -> None:
    """Print POT's time and values on some of the pairs beside ours."""
    pairs = list(combinations(range(len(shapes)), 2))
    chosen = np.random.default_rng(seed).choice(len(pairs), min(count, len(pairs)), replace=False)
    rows: dict[str, list[tuple[float, float]]] = {}
    begun = 0
    for index in chosen:
        source, target = (shapes[i] for i in pairs[index])
        problem, starts = problem_of(source, target)
        begun += len(starts)
        works: dict[str, Callable[[], float]] = {
            "ours": lambda s=source, t=target: SOLVER.coupled(s, t).value,
            "POT, product plan": lambda p=problem: pot(p, None),
            "POT, as many starts": lambda p=problem, s=starts: min(pot(p, start) for start in s),
        }
        for name, work in works.items():
            rows.setdefault(name, []).append(clocked(work, time.process_time))
    print(f"\non {len(chosen)} of the pairs, {begun / len(chosen):.1f} starts a pair; of processor")
    print(f"{'':22}{'ms a pair':>10}{'over ours':>11}{'value above':>13}{'value below':>13}")
    ours = np.array(rows["ours"])
    for name, row in rows.items():
        seconds, values = np.array(row).T
        above = (values > (1 + ABOVE) * ours[:, 1]).sum()
        below = (values < (1 - ABOVE) * ours[:, 1]).sum()
        print(
            f"{name:22}{1e3 * seconds.mean():10.2f}{seconds.mean() / ours[:, 0].mean():10.2f}×"
            f"{above:9} /{len(row):3}{below:9} /{len(row):3}"
        )


def growth(sizes: Sequence[int], components: int, seed: int) -> None:
    """Print what fits and a pair cost as the points of a shape grow."""
    fit = Gmm(components=components)
    print("\npoints a shape   fit (10 000 of them)   fit (all)   a pair of either, of processor")
    for size in sizes:
        clouds = [
            Cloud(name=name, vertices=Xyz(sample=size)(shape(DATA / name), seed=seed).points)
            for name in GROWING
        ]
        thinned, few = clocked(lambda c=clouds: [fit_item(x, Xyz(), fit, seed=seed) for x in c])
        whole = Xyz(sample=size)
        full, all_ = clocked(lambda c=clouds, w=whole: [fit_item(x, w, fit, seed=seed) for x in c])
        times = []
        for sides in (few, all_):
            runs = [
                clocked(lambda s=sides: SOLVER.coupled(*s), time.process_time)[0]
                for _ in range(REPEATS)
            ]
            times.append(min(runs))
        print(
            f"{size:14,}{thinned / 2:19.2f} s{full / 2:13.2f} s"
            f"{1e3 * times[0]:9.2f}, {1e3 * times[1]:.2f} ms",
            flush=True,
        )


def shape(path: Path) -> Cloud:
    """Read a mesh."""
    item = registry.loader_for(path, load=None, options={})(path)
    assert isinstance(item, Cloud)
    return item


def problem_of(source: GaussianMixture, target: GaussianMixture) -> tuple[GromovProblem, Array]:
    """Return the discrete problem of a pair, and as many starts as SOLVER's."""
    problem = GromovProblem(
        own0=SOLVER.own(source),
        own1=SOLVER.own(target),
        weights0=source.weights,
        weights1=target.weights,
    )
    starts = problem.starts(
        np.random.default_rng([source.seed, 4]),
        moments0=(source.means - source.mean, source.covariance),
        moments1=(target.means - target.mean, target.covariance),
        most_signs=SOLVER.signs,
        random=SOLVER.random,
    )
    return problem, starts


def pot(problem: GromovProblem, start: Array | None) -> float:
    """Return the value of POT's conditional gradient from a start, the product plan for None."""
    coupling = ot.gromov.gromov_wasserstein(
        problem.own0, problem.own1, problem.weights0, problem.weights1, symmetric=True, G0=start
    )
    return problem.value(coupling)


def clocked(
    work: Callable[[], Result], clock: Callable[[], float] = time.perf_counter
) -> tuple[float, Result]:
    """Return the seconds some work takes on a clock, and its result."""
    begin = clock()
    result = work()
    return clock() - begin, result


SHAPES: list[GaussianMixture] = []
"""In a worker process: what it was started with."""


def by_workers(
    workers: int, shapes: list[GaussianMixture], pairs: list[tuple[int, int]]
) -> tuple[float, float, list[float]]:
    """Return seconds on the clock, seconds of processor and the values, by so many processes."""
    chunks = [pairs[first : first + 25] for first in range(0, len(pairs), 25)]
    context = multiprocessing.get_context("spawn")
    begun = (shapes, context.Barrier(workers))
    with ProcessPoolExecutor(workers, context, initializer=begin_worker, initargs=begun) as pool:
        list(pool.map(solve, [[]] * workers))  # a task starts a worker: the clock waits for all
        wall, results = clocked(lambda: list(pool.map(solve, chunks)))
    return wall, sum(busy for busy, _ in results), [v for _, values in results for v in values]


def begin_worker(shapes: list[GaussianMixture], others: Barrier) -> None:
    """Keep the shapes, with one BLAS thread; solve one pair to load all; wait for the others."""
    threadpool_limits(1)
    SHAPES[:] = shapes
    SOLVER.coupled(*shapes[:2])
    others.wait(timeout=300)


def solve(pairs: list[tuple[int, int]]) -> tuple[float, list[float]]:
    """Return the seconds of processor some pairs took, and their values."""
    begin = time.process_time()
    values = [SOLVER.coupled(SHAPES[i], SHAPES[j]).value for i, j in pairs]
    return time.process_time() - begin, values


if __name__ == "__main__":
    main()
