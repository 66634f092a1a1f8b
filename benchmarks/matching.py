"""Point matches between poses of one animal beside POT's Gromov–Wasserstein solvers: tables."""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from gwtransfer.adapters.geodesics import Geodesics
from gwtransfer.core.surface import spread
from gwtransfer.core.types import Cloud
from gwtransfer.matching import job
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Method = Callable[[Path, Path, int], Index]
"""Source, target and seed to the target's vertex of each of the source's, (n,)."""

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "meshes"

ANIMALS = {
    "horse": "deftransfer/horse-poses/*.obj",
    "cat": "deftransfer/cat-poses/*.obj",
    "lion": "deftransfer/lion-poses/*.obj",
    "wolf": "animation/wolf/*.obj",
    "cow": "animation/pcow/*.obj",
}

CAMELS = "deftransfer/camel-gallop-dec/*.off"
ACROSS = "deftransfer/pyfm-pair"

SAMPLES, MANY = 200, 1_000
"""Points a side for GW between all pairs of distances, and for low-rank and quantized GW."""

EPSILON = 5e-3
"""Entropy, over the square of the largest distance."""

RANK, PARTS = 40, 100

JUDGED = 1_000
"""Source vertices of a pair whose errors are measured."""

CLOSE = 0.05
"""The target: the error that a mean shall stay below, as a share of the root of the area."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two files, known matches between them, and distances from those along the target."""

    animal: str
    source: Path
    target: Path
    known: Index
    apart: Array

    def errors(self, index: Index) -> Array:
        """Return the errors of a match at the known vertices, (q,)."""
        return self.apart[np.arange(len(self.known)), index[self.known]]


@lru_cache(maxsize=8)
def shape(path: Path) -> Cloud:
    """Return the shape in a file."""
    (item,) = Opening()(path)
    if not isinstance(item, Cloud):
        raise SystemExit(f"{path}: expected a shape")
    return item


def pair(animal: str, source: Path, target: Path, known: Index, truth: Index) -> Pair:
    """Return a pair; ``truth`` holds the target's vertex of each known one."""
    surface = Geodesics(shape(target))
    apart = np.stack([surface.from_vertex(int(vertex)) for vertex in truth])
    return Pair(animal, source, target, known, apart)


def poses(animal: str, count: int | None, seed: int) -> list[tuple[Path, Path]]:
    """Return some ordered pairs of different poses of an animal, or all of them."""
    every = list(permutations(sorted(DATA.glob(ANIMALS[animal])), 2))
    if count is None or count >= len(every):
        return every
    rng = np.random.default_rng([seed, *animal.encode()])
    return [every[number] for number in np.sort(rng.choice(len(every), count, replace=False))]


def ours(**given: Any) -> Method:
    """Return what `gwtransfer match` does with these options."""
    prepare = given.pop("prepare", "auto")

    def method(source: Path, target: Path, seed: int) -> Index:
        recipe = Recipe(stages={"prepare": prepare}, options={}, seed=seed)
        request = job.Request(recipe=recipe, **given)
        return job.match(source, target, request, opening=Opening()).matched.index

    return method


def by_samples(coupling: Callable[[Cloud, Cloud, Index, Index], Array], count: int) -> Method:
    """Return a method that couples samples spread over both sides.

    Every source vertex takes the target sample that holds most of the mass of the source sample
    nearest to it.
    """

    def method(source: Path, target: Path, seed: int) -> Index:
        del seed
        sides = [shape(path) for path in (source, target)]
        chosen = [spread(side.vertices, min(count, len(side.vertices))) for side in sides]
        found = chosen[1][coupling(sides[0], sides[1], chosen[0], chosen[1]).argmax(axis=1)]
        nearest = cKDTree(sides[0].vertices[chosen[0]]).query(sides[0].vertices)[1]
        return np.asarray(found[nearest])

    return method


def along(cloud: Cloud, samples: Index) -> Array:
    """Return distances along the surface between samples, over the largest."""
    surface = Geodesics(cloud)
    apart = np.stack([surface.from_vertex(int(sample))[samples] for sample in samples])
    return np.asarray((apart + apart.T) / (apart + apart.T).max())


def through(cloud: Cloud, samples: Index) -> Array:
    """Return straight distances between samples, over the largest."""
    apart = cdist(cloud.vertices[samples], cloud.vertices[samples])
    return np.asarray(apart / apart.max())


def exact(costs: Callable[[Cloud, Index], Array]) -> Callable[[Cloud, Cloud, Index, Index], Array]:
    """Return POT's exact GW on a kind of distances."""

    def coupling(source: Cloud, target: Cloud, mine: Index, other: Index) -> Array:
        import ot

        return np.asarray(ot.gromov_wasserstein(costs(source, mine), costs(target, other)))

    return coupling


def entropic(source: Cloud, target: Cloud, mine: Index, other: Index) -> Array:
    """Return POT's entropic GW on distances along the surface."""
    import ot

    return np.asarray(
        ot.gromov.entropic_gromov_wasserstein(
            along(source, mine), along(target, other), epsilon=EPSILON, max_iter=200
        )
    )


def low_rank(source: Cloud, target: Cloud, mine: Index, other: Index) -> Array:
    """Return POT's low-rank GW, whose costs are squared straight distances."""
    import ot

    left, right, middle = ot.gromov.lowrank_gromov_wasserstein_samples(
        scaled(source.vertices[mine]), scaled(target.vertices[other]), rank=RANK, warn=False
    )
    return np.asarray(left / middle @ right.T)


def quantized(source: Cloud, target: Cloud, mine: Index, other: Index) -> Array:
    """Return POT's quantized GW on distances along the surface, of PARTS parts."""
    import ot

    costs = [along(source, mine), along(target, other)]
    parts = [np.asarray(cost[:, :PARTS].argmin(axis=1)) for cost in costs]
    blocks = [[np.flatnonzero(part == one) for one in range(PARTS)] for part in parts]
    _, _, found = ot.gromov.quantized_fused_gromov_wasserstein_partitioned(
        *(cost[:PARTS, :PARTS] for cost in costs),
        *([cost[block, one] for one, block in enumerate(side)]
          for cost, side in zip(costs, blocks, strict=True)),
        *([np.full(len(block), 1 / len(cost)) for block in side]
          for cost, side in zip(costs, blocks, strict=True)),
        build_OT=True,
    )  # fmt: skip
    whole = np.empty_like(found)
    whole[np.ix_(*(np.concatenate(side) for side in blocks))] = found
    return np.asarray(whole)


def scaled(points: Array) -> Array:
    """Return points centred, of radius one."""
    centred = points - points.mean(axis=0)
    return np.asarray(centred / np.sqrt((centred**2).sum(axis=1).mean()))


METHODS: dict[str, Method] = {
    "spectral": ours(),
    "spectral, --no-refine": ours(refine=False),
    "--prepare xyz": ours(prepare="xyz"),
    "--rigid": ours(rigid=True),
    "POT GW, along, 200": by_samples(exact(along), SAMPLES),
    "POT GW, straight, 200": by_samples(exact(through), SAMPLES),
    "POT entropic GW, along, 200": by_samples(entropic, SAMPLES),
    "POT low-rank GW, straight, 1000": by_samples(low_rank, MANY),
    "POT quantized GW, along, 1000": by_samples(quantized, MANY),
}
"""The rigid one takes the nearest neighbours after the motion."""


def clocked(method: Method, one: Pair, seed: int) -> tuple[Array, float]:
    """Return a method's errors on a pair, and the seconds its process computed."""
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = method(one.source, one.target, seed)
    return one.errors(index), time.process_time() - began


def of_poses(methods: dict[str, Method], count: int | None, seed: int) -> list[dict[str, Any]]:
    """Return a row a method and pair of poses."""
    rows: list[dict[str, Any]] = []
    for animal in ANIMALS:
        for source, target in poses(animal, count, seed):
            vertices = len(shape(source).vertices)
            known = np.sort(
                np.random.default_rng(seed).choice(vertices, min(JUDGED, vertices), replace=False)
            )
            one = pair(animal, source, target, known, known)
            for label, method in methods.items():
                errors, seconds = clocked(method, one, seed)
                rows.append(
                    {
                        "animal": animal,
                        "source": source.stem,
                        "target": target.stem,
                        "method": label,
                        "error": float(errors.mean()),
                        "close": float((errors <= CLOSE).mean()),
                        "seconds": seconds,
                    }
                )
    return rows


def of_species(methods: dict[str, Method], seed: int) -> list[dict[str, Any]]:
    """Return a row a method on the landmarks of a cat and a lion, both ways."""
    landmarks = np.loadtxt(DATA / ACROSS / "landmarks.txt", dtype=np.intp)
    files = DATA / ACROSS / "cat-00.off", DATA / ACROSS / "lion-00.off"
    there = pair("cat", *files, landmarks[:, 0], landmarks[:, 1])
    back = pair("lion", *files[::-1], landmarks[:, 1], landmarks[:, 0])
    return [
        {
            "method": label,
            "there": float(clocked(method, there, seed)[0].mean()),
            "back": float(clocked(method, back, seed)[0].mean()),
        }
        for label, method in methods.items()
    ]


def of_camels(seed: int) -> list[dict[str, Any]]:
    """Return what the program says of camels, of which nobody knows the truth."""
    files = sorted(DATA.glob(CAMELS))
    rows = []
    for source, target in pairwise(files):
        request = job.Request(recipe=Recipe(stages={}, options={}, seed=seed))
        matched = job.match(source, target, request, opening=Opening()).matched
        rows.append(
            {
                "pair": f"{source.stem} → {target.stem}",
                "score": matched.score,
                "runner-up": matched.runner_up,
                "mirrored": matched.mirrored,
            }
        )
    return rows


def tables(figures: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the lines to print."""
    lines = [
        f"| method | mean error | median | worst pair | pairs below {CLOSE} | vertices within "
        f"{CLOSE} | CPU s a pair | " + " | ".join(ANIMALS) + " |",
        "|---" * (7 + len(ANIMALS)) + "|",
    ]
    for label in dict.fromkeys(row["method"] for row in figures["poses"]):
        rows = [row for row in figures["poses"] if row["method"] == label]
        errors = np.array([row["error"] for row in rows])
        words = [
            label,
            f"{errors.mean():.3f}",
            f"{np.median(errors):.3f}",
            f"{errors.max():.3f}",
            f"{(errors < CLOSE).sum()} of {len(errors)}",
            f"{np.mean([row['close'] for row in rows]):.0%}",
            f"{np.median([row['seconds'] for row in rows]):.1f}",
            *(
                f"{np.mean([row['error'] for row in rows if row['animal'] == animal]):.3f}"
                for animal in ANIMALS
            ),
        ]
        lines.append(f"| {' | '.join(words)} |")
    lines += ["", "| method | cat → lion | lion → cat |", "|---|---|---|"]
    for row in figures["species"]:
        lines.append(f"| {row['method']} | {row['there']:.3f} | {row['back']:.3f} |")
    lines += ["", "| pair | score | runner-up | best mirror image |", "|---|---|---|---|"]
    for row in figures["camels"]:
        words = [
            "–" if row[name] is None else f"{row[name]:.3f}"
            for name in ("score", "runner-up", "mirrored")
        ]
        lines.append(f"| {row['pair']} | {' | '.join(words)} |")
    return lines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4, help="of each animal")
    parser.add_argument("--all", action="store_true", help="all pairs of each animal")
    parser.add_argument("--only", nargs="*", help="methods, by the beginning of their names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write every figure here")
    options = parser.parse_args()
    if not all(list(DATA.glob(pattern)) for pattern in (*ANIMALS.values(), CAMELS)):
        print(f"data not found: {DATA}")
        return
    try:
        import potpourri3d  # noqa: F401
        import robust_laplacian  # noqa: F401
    except ImportError as error:
        print(f"errors cannot be measured ({error}); install the extra spectral-shapes")
        return
    methods = {
        label: method
        for label, method in METHODS.items()
        if not options.only or label.startswith(tuple(options.only))
    }
    with threadpool_limits(1):
        figures = {
            "poses": of_poses(methods, None if options.all else options.pairs, options.seed),
            "species": of_species(methods, options.seed),
            "camels": of_camels(options.seed),
        }
    print("\n".join(tables(figures)))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
