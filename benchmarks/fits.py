"""The fit: an iteration beside its bare products and scikit-learn's, and what a sample loses."""

import argparse
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rows import Row, paired, seconds, show
from scenes import required, scene
from threadpoolctl import threadpool_limits

from gwtransfer.core.densities import Densities
from gwtransfer.core.em import Mixture, hard_statistics, maximised, statistics
from gwtransfer.core.raster import Raster
from gwtransfer.fit.gmm import Gmm
from gwtransfer.prepare.color import Color

Array = NDArray[np.float64]

GROUP = "fit"
COMPONENTS = 15
FLOOR = 1e-4
BLOCK = 2048
"""Points of a bare product, about as many as a block of the fit holds."""

SAMPLES = (5_000, 10_000, 20_000)
HELD_OUT = 40_000
SEEDS = 3


def points_of(count: int, dimension: int) -> Array:
    """Return points of total variance 1 around COMPONENTS centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(COMPONENTS, dimension))
    mixing = rng.normal(size=(COMPONENTS, dimension, dimension)) / np.sqrt(dimension) / 2
    points = np.empty((count, dimension))
    for k in range(COMPONENTS):
        own = points[k::COMPONENTS]
        own[:] = centres[k] + rng.normal(size=own.shape) @ mixing[k]
    points -= points.mean(axis=0)
    points /= np.sqrt(points.var(axis=0).sum())
    return points


def started(points: Array) -> Mixture:
    """Return a mixture whose parts are the nearest of some points, so that shares are spread."""
    centres = points[:COMPONENTS]
    near = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    return maximised(hard_statistics(points, near.argmin(axis=1), COMPONENTS), FLOOR)


def textbook(mixture: Mixture) -> Any:
    """Return scikit-learn's model with a mixture's parameters."""
    from sklearn.mixture import GaussianMixture

    weights, means, covariances = mixture
    model = GaussianMixture(COMPONENTS, reg_covar=FLOOR, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it did not converge, in one step
        model.fit(means)
    model.weights_, model.means_, model.covariances_ = weights, means, covariances
    model.precisions_cholesky_ = np.swapaxes(np.linalg.inv(np.linalg.cholesky(covariances)), 1, 2)
    return model


def iteration_rows(count: int, dimension: int) -> Iterator[Row]:
    """Yield the cost of one iteration on one thread."""
    points = points_of(count, dimension)
    mixture = started(points)
    densities, model = Densities.of(*mixture), textbook(mixture)
    features = np.random.default_rng(1).normal(size=(densities.coefficients.shape[1], BLOCK))
    shares = np.random.default_rng(2).random((COMPONENTS, BLOCK))

    def ours() -> None:
        maximised(statistics(points, None, densities), FLOOR)

    def bare() -> None:
        for _ in range(0, count, BLOCK):
            densities.coefficients @ features
            features @ shares.T

    def theirs() -> None:
        _, logs = model._e_step(points)
        kept = model.weights_, model.means_, model.covariances_, model.precisions_cholesky_
        model._m_step(points, logs)
        model.weights_, model.means_, model.covariances_, model.precisions_cholesky_ = kept

    size = f"{count:,} × {dimension}, K = {COMPONENTS}".replace(",", " ")
    with threadpool_limits(1):
        own, products, other = paired(ours, bare, theirs)
        likelihood = statistics(points, None, densities).log_likelihood / count
        expected = float(model._e_step(points)[0])
    asked = dimension == 15
    limit = f"the bare products of {len(features)} features: {products:.3f} s"
    yield Row(
        group=GROUP, name=f"an iteration over its bare products, {size}", value=own / products,
        unit="×", at_most=2.0 if asked else None, limit=limit, note=f"{own:.3f} s, one thread",
    )  # fmt: skip
    yield Row(
        group=GROUP, name=f"scikit-learn's iteration over ours, {size}", value=other / own,
        unit="×", at_least=4.0 if asked else None, note=f"{other:.3f} s, one thread",
    )  # fmt: skip
    yield Row(
        group=GROUP, name=f"likelihood beside scikit-learn's, relative, {size}",
        value=abs(likelihood - expected) / abs(expected), unit="", at_most=1e-9,
        note=f"{likelihood:.6f} nats a point",
    )  # fmt: skip


def wide_rows() -> Iterator[Row]:
    """Yield what a fit costs where all bands are kept."""
    cube = scene("indian-pines")
    stage = Color(variance=1.0)
    prepared = stage(cube, seed=0)
    taken = seconds(lambda: Gmm(components=COMPONENTS)(prepared.points, seed=0))
    count, dimension = prepared.points.shape
    yield Row(
        group=GROUP, name=f"a fit of {count} × {dimension}, all bands, K = {COMPONENTS}",
        value=taken, unit="s", note="indian-pines, k-means start and all iterations",
    )  # fmt: skip


def accuracy_rows() -> Iterator[Row]:
    """Yield what a sample loses on unseen pixels, beside what its size promises."""
    cube = scene("synthetic15")
    assert isinstance(cube, Raster)
    prepared = Color(variance=1.0)(cube, seed=0)
    points = prepared.space.to_working(cube.block(0, cube.rows).points)
    points = np.random.default_rng(5).permutation(points)
    unseen, seen = points[:HELD_OUT], points[HELD_OUT:]

    def score(count: int, seed: int) -> float:
        part = np.random.default_rng(seed).permutation(seen)[:count]
        mixture = Gmm(components=COMPONENTS)(part, seed=seed)
        return statistics(unseen, None, Densities.of(*mixture)).log_likelihood / len(unseen)

    whole = float(np.mean([score(len(seen), seed) for seed in range(SEEDS)]))
    p = prepared.space.dimension
    free = COMPONENTS * (1 + p + p * (p + 1) // 2) - 1
    for count in SAMPLES:
        scores = [score(count, seed) for seed in range(SEEDS)]
        lost = whole - float(np.mean(scores))
        yield Row(
            group=GROUP, name=f"lost on unseen pixels by a sample of {count}", value=lost,
            unit="nats", at_most=round(free / (2 * count), 3),
            limit=f"D / 2n with D = {free}",
            note=f"all {len(seen)}: {whole:.3f}; {SEEDS} seeds, {np.ptp(scores):.3f} apart",
        )  # fmt: skip


def rows() -> Iterator[Row]:
    """Yield the figures of the fit."""
    yield from iteration_rows(262_144, 15)
    yield from iteration_rows(262_144, 3)
    yield from iteration_rows(16_384, 200)
    required()
    yield from wide_rows()
    yield from accuracy_rows()


def main() -> None:
    """Print the rows."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for row in rows():
        show(row)


if __name__ == "__main__":
    main()
