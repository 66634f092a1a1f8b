"""What a plan costs: K = 20 and 100, all starts and few, and many small MGW2 problems together."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pairs import SOLVER, pot, problem_of, shape
from rows import Row, paired
from scenes import DATA, required, scene
from threadpoolctl import threadpool_limits

from gwtransfer.core.coupling import exact_each
from gwtransfer.core.gromov import GromovProblem, search_each
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.fit.gmm import Gmm
from gwtransfer.pipeline import fit_item
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.prepare.color import Color
from gwtransfer.prepare.xyz import Xyz

Array = NDArray[np.float64]

PROBLEMS = (
    ("indian-pines", "gauguin"),
    ("landsat", "renoir"),
    ("scotland-house", "scotland-plain"),
    ("cat", "lion"),
)
LARGE = ("indian-pines", "gauguin")

SHAPES, COUNTS, TOGETHER = 9, (5, 10, 20), 32
"""Meshes compared all with all, components of each, and pairs that are solved together."""

LIMITS = {("mgw2", "full"): 150, ("mgw2", "few"): 150, ("mew2", "full"): 600, ("mew2", "few"): 150}
SOLVERS: dict[tuple[str, str], MGW2 | MEW2] = {
    ("mgw2", "full"): MGW2(),
    ("mgw2", "few"): MGW2(starts="few"),
    ("mew2", "full"): MEW2(),
    ("mew2", "few"): MEW2(starts="few"),
}

EQUAL = 1e-6
"""Values count as equal within this share."""


def fitted(name: str, components: int) -> GaussianMixture:
    """Return the mixture of a named scene with the default stages and so many components."""
    item = scene(name)
    prepare = Color() if isinstance(item, Raster) else Xyz()
    return fit_item(item, prepare, Gmm(components=components), seed=0)


def rows() -> Iterator[Row]:
    """Yield every figure; nothing where the data is missing."""
    required()
    with threadpool_limits(1):
        yield from twenty()
        yield from hundred()
        yield from many()


def twenty() -> Iterator[Row]:
    """Yield the medians over the problems at K = 20, and how far few starts lie above all."""
    problems = [tuple(fitted(name, 20) for name in names) for names in PROBLEMS]
    values: dict[tuple[str, str], list[float]] = {}
    for key, solver in SOLVERS.items():
        taken = []
        for source, target in problems:
            runs = [planned(solver, source, target) for _ in range(3)]
            taken.append(statistics.median(seconds for seconds, _ in runs))
            values.setdefault(key, []).append(runs[0][1].value)
        median = 1e3 * statistics.median(taken)
        note = f"slowest of {len(PROBLEMS)} problems; their median {median:.0f} ms"
        if key[1] == "few":
            full = values[key[0], "full"]
            above = max(v / w - 1 for v, w in zip(values[key], full, strict=True))
            note += f"; values at most {100 * max(above, 0.0):.2f} % above those of all starts"
        yield Row(
            group="plan",
            name=f"{key[0]}, {key[1]} starts, K = L = 20",
            value=1e3 * max(taken),
            unit="ms",
            at_most=LIMITS[key],
            limit=programmes(solver, problems[int(np.argmax(taken))]),
            note=note,
        )


def hundred() -> Iterator[Row]:
    """Yield what one large problem takes."""
    source, target = (fitted(name, 100) for name in LARGE)
    for name in ("mgw2", "mew2"):
        for starts in ("full", "few"):
            seconds, plan = planned(SOLVERS[name, starts], source, target)
            yield Row(
                group="plan",
                name=f"{name}, {starts} starts, K = L = 100",
                value=seconds,
                unit="s",
                at_most=5.0,
                limit=programmes(SOLVERS[name, starts], (source, target)),
                note=f"{' / '.join(LARGE)}, value {plan.value:.6g}",
            )


def planned(
    solver: MGW2 | MEW2, source: GaussianMixture, target: GaussianMixture
) -> tuple[float, TransportPlan]:
    """Return the seconds of one plan, nothing known of either mixture before, and the plan."""
    source, target = replace(source), replace(target)
    begun = time.perf_counter()
    plan = solver(source, target, guide=Guide(anchor=0.0))
    return time.perf_counter() - begun, plan


def programmes(solver: MGW2 | MEW2, sides: Sequence[GaussianMixture]) -> str:
    """Return what the linear programmes of one plan take by themselves, in words."""
    from gwtransfer.core import embedding, gromov

    asked: list[tuple[Array, Array, Array]] = []

    def noted(costs: Array, weights0: Array, weights1: Array) -> Array:
        asked.append((costs, weights0, weights1))
        return exact_each(costs, weights0, weights1)

    for module in (embedding, gromov):
        module.exact_each = noted  # type: ignore[attr-defined]
    try:
        solver(*sides, guide=Guide(anchor=0.0))
    finally:
        for module in (embedding, gromov):
            module.exact_each = exact_each  # type: ignore[attr-defined]
    begun = time.perf_counter()
    for each in asked:
        exact_each(*each)
    taken = time.perf_counter() - begun
    return f"its {sum(len(each[0]) for each in asked)} linear programmes alone {1e3 * taken:.0f} ms"


def many() -> Iterator[Row]:
    """Yield the throughput over calls of POT, from the product plan and from as many starts."""
    paths = sorted(p for p in (DATA / "meshes").rglob("*") if p.suffix in {".obj", ".off"})
    clouds = [shape(path) for path in paths[:: len(paths) // SHAPES][:SHAPES]]
    for count in COUNTS:
        fit = Gmm(components=count)
        sides = [fit_item(cloud, Xyz(), fit, seed=0) for cloud in clouds]
        pairs = list(combinations(sides, 2))
        problems = [problem_of(*pair) for pair in pairs]
        yield throughput(f"one start a pair, K = {count}", *from_product(problems), len(pairs))
        starts = len(problems[0][1])
        name = f"{starts} starts a pair, K = {count}"
        yield throughput(name, *from_all(pairs), len(pairs))


Pair = tuple[GaussianMixture, GaussianMixture]
Values = Callable[[], list[float]]


def from_product(problems: Sequence[tuple[GromovProblem, Array]]) -> tuple[Values, Values]:
    """Return our values and POT's, from the product plan, the only start of a call of POT."""
    alone = [problem for problem, _ in problems]

    def ours() -> list[float]:
        starts = [np.outer(one.weights0, one.weights1)[None] for one in alone]
        rngs = [np.random.default_rng(0)] * len(alone)
        found = search_each(alone, starts, rngs, waves=0)
        return [one.value(end.coupling) for one, end in zip(alone, found, strict=True)]

    return ours, lambda: [pot(one, None) for one in alone]


def from_all(pairs: Sequence[Pair]) -> tuple[Values, Values]:
    """Return our values and POT's, from every start of `gwtransfer pairwise`; both make them."""

    def ours() -> list[float]:
        parts = (pairs[at : at + TOGETHER] for at in range(0, len(pairs), TOGETHER))
        return [one.value for part in parts for one in SOLVER.coupled_each(part)]

    def theirs() -> list[float]:
        problems = (problem_of(*pair) for pair in pairs)
        return [min(pot(one, start) for start in starts) for one, starts in problems]

    return ours, theirs


def throughput(name: str, ours: Values, theirs: Values, pairs: int) -> Row:
    """Return by how much ours is faster, and how the values compare."""
    mine, other = np.array(ours()), np.array(theirs())
    fast, slow = paired(ours, theirs, runs=3)
    above, below = (mine > (1 + EQUAL) * other).sum(), (mine < (1 - EQUAL) * other).sum()
    return Row(
        group="plan",
        name=f"all pairs by MGW2 over POT, {name}",
        value=slow / fast,
        unit="×",
        at_least=3.0,
        limit=f"{1e3 * fast / pairs:.2f} ms a pair against {1e3 * slow / pairs:.2f}",
        note=f"of {pairs} values {above} above POT's by more than {EQUAL:g}, {below} below",
    )


def main() -> None:
    """Print every row."""
    for row in rows():
        wanted = f"<= {row.at_most:g}" if row.at_most else f">= {row.at_least:g}"
        print(f"{row.name:52} {row.value:8.2f} {row.unit:2} {wanted:8} {row.limit}; {row.note}")


if __name__ == "__main__":
    main()
