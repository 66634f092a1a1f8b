"""What Lipschitz maps can make of N(0, 1): the one-dimensional experiment of MATHS 7.

The targets are ½ N(−μ, 1) + ½ N(μ, 1). Beside the best L-Lipschitz maps from N(0, 1) stand the two
maps of the library, T_mean and T_rand, from stated source mixtures.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from gwtransfer.core.affine import pair_maps
from gwtransfer.core.maps import mean_map
from gwtransfer.core.pushforward import a_priori_bound, exact_fit_constant
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.imaging import Progress, silent
from gwtransfer.plan.mw2 import MW2
from gwtransfer.study.landing import Path, total_variation
from gwtransfer.study.law import NORMAL, Law
from gwtransfer.study.lipschitz import BestMap, best_map
from gwtransfer.study.outcome import COLUMNS, Outcome, wanted_between
from gwtransfer.study.output import Findings
from gwtransfer.study.pushforwardplots import SHOWN, distances, shapes

Array = NDArray[np.float64]

MODES = tuple(float(mean) for mean in range(11))
"""μ of the targets, whose two modes are 2 μ apart."""

CONSTANTS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
"""L of the best maps."""

SOURCES = {
    "one": NORMAL,
    "two": Law.balanced(1.0),
    "three": Law(
        weights=np.array([0.3, 0.5, 0.2]),
        means=np.array([-2.0, 0.0, 1.5]),
        deviations=np.array([0.6, 0.8, 0.5]),
    ),
}
"""N(0, 1), ½ N(−1, 1) + ½ N(1, 1), and 0.3 N(−2, 0.6²) + 0.5 N(0, 0.8²) + 0.2 N(1.5, 0.5²)."""


def mixture_of(law: Law) -> GaussianMixture:
    """Return a law as a mixture of the library, on a line of raw coordinates."""
    return GaussianMixture(
        weights=law.weights,
        means=law.means[:, None],
        covariances=law.deviations[:, None, None] ** 2,
        space=Space.raw(1),
    )


def plan_between(source: Law, target: Law) -> TransportPlan:
    """Return the library's own MW2 plan."""
    return MW2()(mixture_of(source), mixture_of(target))


def mean_path(source: Law, target: Law) -> Path:
    """Return T_mean of the MW2 plan, followed over the reach of the source."""
    mapping = mean_map(plan_between(source, target))
    return Path.of(source, lambda points: np.asarray(mapping(points[:, None])[:, 0]))


def rand_law(source: Law, target: Law) -> tuple[Law, float]:
    """Return the law of T_rand's images, and the largest slope of its pieces.

    A point drawn from the mixture belongs to component k with the probability by which T_rand
    draws k for it, so that each piece is applied to a Gaussian, whole (MATHS 2.2).
    """
    plan = plan_between(source, target)
    pairs = pair_maps(plan)
    space = plan.target.space
    slopes = np.abs(pairs.linear[:, 0, 0])
    deviations = np.sqrt(plan.source.covariances[pairs.source_index, 0, 0])
    law = Law(
        weights=plan.source.weights[pairs.source_index] * pairs.share,
        means=space.to_raw(pairs.image)[:, 0],
        deviations=slopes * deviations * space.unit,
    )
    return law, float(slopes.max())


def exact_constant(law: Law) -> float:
    """Return the largest slope of F⁻¹∘Φ: the least L of any map that pushes N(0, 1) on a law.

    The slope at the point that is sent to t is φ(u)/f(t), u = Φ⁻¹(F(t)). Its maximum is searched
    over the reach of the law, and then closely.
    """

    def steepness(points: Array) -> Array:
        scores = law.normal_scores(points)
        return np.asarray(-(scores**2) / 2 - np.log(law.density(points) * np.sqrt(2 * np.pi)))

    points = np.linspace(*law.reach, 20_001)
    best = int(np.argmax(steepness(points)))
    near = points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)]
    found = minimize_scalar(
        lambda point: -float(steepness(np.array([point]))[0]),
        bounds=near,
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.exp(max(-found.fun, float(steepness(points[best : best + 1])[0]))))


def best_outcomes(
    mode: float, constants: tuple[float, ...], progress: Progress = silent
) -> tuple[list[Outcome], list[BestMap]]:
    """Return the best maps from N(0, 1) to a target, for increasing constants.

    A map for a smaller constant is kept where none better is found.
    """
    law = Law.balanced(mode)
    rows: list[Outcome] = []
    maps: list[BestMap] = []
    for number, constant in enumerate(constants):
        progress(f"μ = {mode:g}", number, len(constants))
        found = best_map(law, constant)
        if maps and maps[-1].total_variation < found.total_variation:
            found = maps[-1]
        maps.append(found)
        rows.append(
            Outcome(
                mode=mode,
                map="best",
                source="one",
                constant=constant,
                slope=found.path.steepest,
                distance=found.total_variation,
                estimate=found.estimate,
                bound=a_priori_bound(constant, law.cdf, *law.reach),
                between=found.path.mass(-mode / 2, mode / 2),
                wanted=wanted_between(mode),
            )
        )
    return rows, maps


def own_outcomes(mode: float) -> list[Outcome]:
    """Return the exact map from N(0, 1), and T_mean and T_rand from every source."""
    law = Law.balanced(mode)
    steepest = exact_constant(law)
    rows = [
        Outcome(
            mode=mode,
            map="exact",
            source="one",
            constant=steepest,
            slope=steepest,
            distance=0.0,
            bound=a_priori_bound(steepest, law.cdf, *law.reach),
            between=wanted_between(mode),
            wanted=wanted_between(mode),
        )
    ]
    for name, source in SOURCES.items():
        path = mean_path(source, law)
        rows.append(
            Outcome(
                mode=mode,
                map="mean",
                source=name,
                constant=path.constant,
                slope=path.steepest,
                distance=path.distance(law),
                bound=a_priori_bound(path.constant, law.cdf, *law.reach),
                between=path.mass(-mode / 2, mode / 2),
                wanted=wanted_between(mode),
            )
        )
        drawn, slope = rand_law(source, law)
        rows.append(
            Outcome(
                mode=mode,
                map="rand",
                source=name,
                constant=None,
                slope=slope,
                distance=total_variation(drawn.cdf, law.cdf, *law.reach),
                between=float(np.diff(drawn.cdf(np.array([-mode, mode]) / 2))[0]),
                wanted=wanted_between(mode),
            )
        )
    return rows


def study(*, generative: bool = False, progress: Progress = silent) -> Findings:
    """Return what the experiment shows, with trained networks beside it where they are asked for.

    Raises
    ------
    MissingError
        Networks are asked for, and torch is missing.
    """
    if generative:
        from gwtransfer.study.generative.networks import beside
        from gwtransfer.study.generative.session import check_installed

        check_installed()
        return beside(found(progress=progress), progress=progress)
    return found(progress=progress)


def found(
    *,
    modes: tuple[float, ...] = MODES,
    constants: tuple[float, ...] = CONSTANTS,
    progress: Progress = silent,
) -> Findings:
    """Return what the experiment without networks shows.

    Parameters
    ----------
    modes, constants : tuples of float
        μ, SHOWN among them, and L, both increasing.
    """
    best: list[Outcome] = []
    others: list[Outcome] = []
    shown: list[BestMap] = []
    for mode in modes:
        rows, maps = best_outcomes(mode, constants, progress)
        best += rows
        others += own_outcomes(mode)
        if mode == SHOWN:
            shown = maps
    outcomes = [*best, *others]
    return Findings(
        title="What a map of limited steepness can make of one heap of points",
        sentences=_sentences(best, others),
        columns=COLUMNS,
        rows=tuple(outcome.row for outcome in outcomes),
        figures={"plot": distances(best, others), "bounds": shapes(shown, constants, others)},
        summary=_summary(outcomes),
    )


def _sentences(best: list[Outcome], others: list[Outcome]) -> tuple[str, ...]:
    """Return in plain words what the figures say."""
    shown = [row for row in best if row.mode == SHOWN]
    low, high = shown[0], shown[-1]
    exact = [row for row in others if row.map == "exact"]
    needed = next(row.slope for row in exact if row.mode == SHOWN)
    fit = max(abs(row.slope / float(exact_fit_constant(2 * row.mode)) - 1) for row in exact)
    bounded = [row for row in [*best, *others] if row.bound is not None]
    broken = sum(not row.holds for row in bounded)
    mean = {row.source: row for row in others if row.map == "mean" and row.mode == SHOWN}
    rand = [row for row in others if row.map == "rand"]
    wanted = wanted_between(SHOWN)
    return (
        "A map that stretches distances at most L times cannot tear one heap of points into two "
        "without leaving some between them. Here points of N(0, 1) are to become two heaps of "
        f"deviation 1. Where those are {2 * SHOWN:g} apart, the best map with L = "
        f"{low.constant:g} misplaces {low.distance:.1%} of the mass and the best with L = "
        f"{high.constant:g} {high.distance:.1%}; none misplaced needs L = {needed:.4g}.",
        f"{'Every bound holds' if not broken else f'{broken} bounds do not hold'}: in "
        f"{len(bounded)} rows the share misplaced is compared with what the theorem says it is "
        "at least, given L and the target only. No map was assumed to be symmetric.",
        "For two equal heaps the least L that fits exactly is exp(μ²/2), μ half their distance in "
        "deviations: the largest slope of the increasing map that fits agrees within "
        f"{fit:.0e} of it for μ = {exact[0].mode:g} to {exact[-1].mode:g}.",
        "T_mean is a map of one point to one point and pays like any other. From N(0, 1) it "
        f"misplaces {mean['one'].distance:.0%} at μ = {SHOWN:g}; from two heaps 2 apart, "
        f"{mean['two'].distance:.0%}, and puts {mean['two'].between:.0%} between the modes, where "
        f"{wanted:.1%} belong. Its largest slope is then {mean['two'].slope:.3g}. From three "
        f"unequal heaps it misplaces {mean['three'].distance:.0%}.",
        "T_rand draws where a point goes and so is no such map: it misplaces at most "
        f"{max(row.distance for row in rand):.0e} of the mass, at slopes of "
        f"{max(row.slope for row in rand):.3g} at most.",
        "The best maps are explicit, so their distances are attained; the estimate beside them "
        "comes from the grid of the search and is off by "
        f"{max(abs(row.distance - (row.estimate or 0.0)) for row in best):.4f} at most.",
    )


def _summary(outcomes: list[Outcome]) -> dict[str, float | int]:
    bounded = [row for row in outcomes if row.bound is not None]
    exact = [row for row in outcomes if row.map == "exact"]
    return {
        "bounds": len(bounded),
        "bounds_that_hold": sum(bool(row.holds) for row in bounded),
        "least_margin": min(row.distance - (row.bound or 0.0) for row in bounded),
        "worst_equality": max(
            abs(row.slope / float(exact_fit_constant(2 * row.mode)) - 1) for row in exact
        ),
    }
