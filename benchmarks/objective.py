"""Does the default search find the optimum? Ten named problems against many random starts.

Each planner runs as a user gets it, guide off, K = 20. Beside it stands the best of 300 random
starts of a plain solver written here from the formulas, which shares no code with the package.
"""

import argparse
import time

import numpy as np
import ot
from numpy.typing import NDArray
from scenes import missing, scene

from gwtransfer import registry
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.fit.gmm import Gmm
from gwtransfer.pipeline import fit_item
from gwtransfer.prepare.color import Color
from gwtransfer.prepare.xyz import Xyz

Array = NDArray[np.float64]

PROBLEMS = [
    ("indian-pines", "gauguin"),
    ("samson", "renoir"),
    ("muufl", "gauguin"),
    ("landsat", "renoir"),
    ("synthetic15", "gauguin"),
    ("ocean-day", "ocean-sunset"),
    ("scotland-house", "scotland-plain"),
    ("astronaut", "renoir"),
    ("horse-1", "horse-3"),
    ("cat", "lion"),
]

COMPONENTS = 20
STARTS, QUICK_STARTS = 300, 60

TIGHT = 1e-9
"""The reference stops where a round gains less than this share of the objective's constant."""


def embedding_reference(source: GaussianMixture, target: GaussianMixture, count: int) -> float:
    """Return the least MEW2 value from ``count`` random embeddings (MATHS 4.5 to 4.7)."""
    if source.dimension < target.dimension:
        source, target = target, source
    rng = np.random.default_rng(2024)
    means0, means1 = source.means - source.mean, target.means - target.mean
    roots0, roots1 = _roots(source.covariances), _roots(target.covariances)
    traces0 = np.trace(source.covariances, axis1=1, axis2=2)
    traces1 = np.trace(target.covariances, axis1=1, axis2=2)
    scale = np.trace(source.covariance) + np.trace(target.covariance)

    def bracket(embedding: Array) -> Array:
        gaps = means0[:, None] - (means1 @ embedding.T)[None]
        products = (roots0 @ embedding)[:, None] @ roots1[None]
        nuclear = np.linalg.svd(products, compute_uv=False).sum(axis=-1)
        return np.asarray((gaps**2).sum(axis=-1) + traces0[:, None] + traces1 - 2 * nuclear)

    def turned(coupling: Array, embedding: Array) -> Array:
        k, l = np.nonzero(coupling)
        u, _, v = np.linalg.svd(roots0[k] @ embedding @ roots1[l], full_matrices=False)
        pulls = means0[k][:, :, None] * means1[l][:, None, :] + roots0[k] @ u @ v @ roots1[l]
        return _polar((coupling[k, l, None, None] * pulls).sum(axis=0))

    best = np.inf
    for _ in range(count):
        embedding = _polar(rng.standard_normal((source.dimension, target.dimension)))
        last = np.inf
        for _ in range(500):
            costs = bracket(embedding)
            coupling = ot.emd(source.weights, target.weights, costs)
            value = float((costs * coupling).sum())
            if last - value <= TIGHT * scale:
                break
            last = value
            for _ in range(3):
                embedding = turned(coupling, embedding)
        best = min(best, value)
    return best


def gromov_reference(source: GaussianMixture, target: GaussianMixture, count: int) -> float:
    """Return the least MGW2 value of POT's conditional gradient from ``count`` random couplings.

    Half of them are vertices, optimal for a random cost; half are positive matrices brought onto
    the marginals by Sinkhorn's iterations.
    """
    rng = np.random.default_rng(2024)
    own0, own1 = _own(source), _own(target)
    a, b = source.weights, target.weights
    best = np.inf
    for index in range(count):
        start = rng.random((len(a), len(b)))
        start = ot.emd(a, b, start) if index % 2 else _balanced(start**4, a, b)
        coupling = ot.gromov.gromov_wasserstein(
            own0, own1, a, b, G0=start, max_iter=500, tol_rel=1e-10, tol_abs=1e-14
        )
        k, l = np.nonzero(coupling > 0)
        mass = coupling[k, l]
        gaps = own0[np.ix_(k, k)] - own1[np.ix_(l, l)]
        best = min(best, float(mass @ gaps**2 @ mass))
    return best


def _own(mixture: GaussianMixture) -> Array:
    """Return W2² between the components of one mixture (MATHS 1.2)."""
    roots = _roots(mixture.covariances)
    traces = np.trace(mixture.covariances, axis1=1, axis2=2)
    nuclear = np.linalg.svd(roots[:, None] @ roots[None], compute_uv=False).sum(axis=-1)
    gaps = ((mixture.means[:, None] - mixture.means[None]) ** 2).sum(axis=-1)
    own = np.clip(gaps + traces[:, None] + traces - 2 * nuclear, 0, None)
    np.fill_diagonal(own, 0.0)
    return np.asarray(own + own.T) / 2


def _roots(covariances: Array) -> Array:
    values, vectors = np.linalg.eigh(covariances)
    values = np.sqrt(np.clip(values, 0, None))
    return np.asarray((vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1))


def _polar(matrix: Array) -> Array:
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(u @ v)


def _balanced(matrix: Array, a: Array, b: Array) -> Array:
    for _ in range(1000):
        matrix = matrix * (a / matrix.sum(axis=1))[:, None]
        matrix = matrix * (b / matrix.sum(axis=0))[None]
    return matrix


REFERENCES = {"mew2": embedding_reference, "mgw2": gromov_reference}


def constant(source: GaussianMixture, target: GaussianMixture, solver: str) -> float:
    """Return the scale of a solver's objective: what it is at most, and its tolerances' unit."""
    if solver == "mew2":
        return float(np.trace(source.covariance) + np.trace(target.covariance))
    sides = ((side.weights, _own(side)) for side in (source, target))
    return float(sum(weights @ own**2 @ weights for weights, own in sides))


def default_plan(
    source: GaussianMixture, target: GaussianMixture, solver: str
) -> tuple[TransportPlan, float]:
    """Return the default planner's plan, guide off, and the seconds it took.

    MGW2's inner cost is the reference's, between shapes too.
    """
    options = {"inner": "w2sq"} if solver == "mgw2" else {}
    begin = time.perf_counter()
    plan = registry.build("plan", solver, options)(source, target, guide=Guide(anchor=0.0))
    return plan, time.perf_counter() - begin


def fitted(name: str, seed: int) -> GaussianMixture:
    """Return the mixture of a named scene with the default stages and COMPONENTS components."""
    item = scene(name)
    prepare = Color() if isinstance(item, Raster) else Xyz()
    return fit_item(item, prepare, Gmm(components=COMPONENTS), seed=seed)


def main() -> None:
    """Print one row for each problem and planner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_STARTS} reference starts")
    parser.add_argument("--seed", type=int, default=0, help="of the fits and the planners")
    args = parser.parse_args()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    count = QUICK_STARTS if args.quick else STARTS
    print(
        f"K = {COMPONENTS}, seed {args.seed}, guide off; reference: best of {count} random starts"
    )
    print("gap: (value − reference) / reference; within: at most 0.1 % or 1e-9 of the constant")
    print(
        f"{'problem':30} dims  solver {'value':>11} {'bound':>11} {'root':>8} {'reached':>9} "
        f"{'time':>7} {'reference':>11} {'gap':>9}"
    )
    within = 0
    for names in PROBLEMS:
        source, target = (fitted(name, args.seed) for name in names)
        for solver, reference in REFERENCES.items():
            plan, seconds = default_plan(source, target, solver)
            least = reference(source, target, count)
            slack = max(1e-3 * least, 1e-9 * constant(source, target, solver))
            within += plan.value <= least + slack
            print(
                f"{' / '.join(names):30} {source.dimension:2}→{target.dimension}  {solver:6} "
                f"{plan.value:11.4e} {plan.bound:11.4e} {plan.distance:8.4f} "
                f"{plan.reached:4}/{plan.starts:4} {seconds:6.2f}s {least:11.4e} "
                f"{100 * (plan.value / least - 1):+8.3f}%",
                flush=True,
            )
    print(f"within: {within} of {len(PROBLEMS) * len(REFERENCES)}")


if __name__ == "__main__":
    main()
