"""The L-Lipschitz map from N(0, 1) whose push-forward is nearest to a law on the line (MATHS 7.4).

**Increasing maps suffice.** For any L-Lipschitz g let G be the distribution function of g#γ. By the
isoperimetry of γ, (g#γ)((−∞, y + r]) ≥ Φ(r/L + Φ⁻¹(G(y))) (MATHS 7.1): Φ⁻¹∘G grows by r/L at least
over a length r, so its inverse T = G⁻¹∘Φ is L-Lipschitz, increasing, and has the same push-forward.

**A control problem.** Where T' > 0 the density of T#γ at T(u) is φ(u)/T'(u); where T is constant
there is an atom, which covers nothing of a law with a density f. So

    TV(T#γ, ν) = 1 − ∫ min(φ(u), f(T(u)) T'(u)) du,    0 ≤ T' ≤ L,

and the best T is a path that is steered by its slope. The integrand is concave and piecewise linear
in T', with a corner at φ/f, and so is what Bellman's equation maximises,
V_u + max [min(φ, f T') + T' V_T] = 0: at each point it is enough to stand still, to fit exactly
(F(T) − Φ(u) stays what it is), or to climb as steeply as allowed. V(u, T), the most that can still
be covered, is computed on a grid, backwards from the right end of N(0, 1). Climbing leads from node
to node; between nodes V is interpolated by cubics. Nothing is assumed to be symmetric.

**What is reported** is not that value but the distance that an explicit map leaves: the path that V
steers, its exact arcs refined, or, where it leaves less, the largest map of slope L below F⁻¹∘Φ. No
slope is above L. So this distance can be attained, and the least is at most that; the difference
from V, and between grids, says how much less it may be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from gwtransfer.study.landing import Path
from gwtransfer.study.law import NORMAL, Law

Array = NDArray[np.float64]

ENDS = 5.5
"""N(0, 1) is cut there: 4e-8 of it lies beyond."""

SPACING = 0.02
"""Between nodes of T, in the least deviation of the law."""

MOST_STEP = 0.02
"""Longest step in u."""

MOST_NODES = 8
"""Nodes that a step climbs at most."""

REFINED = 24
"""Parts of a step along which the distance of the path is measured."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BestMap:
    """The best map that was found.

    Attributes
    ----------
    path : Path
        From N(0, 1), increasing, no slope above L.
    total_variation : float
        Between its image and the law.
    estimate : float
        The least distance as dynamic programming has it, with the error of its grid.
    """

    path: Path
    total_variation: float
    estimate: float


def best_map(law: Law, lipschitz: float, *, fineness: float = 1.0) -> BestMap:
    """Return the best L-Lipschitz map by dynamic programming.

    Parameters
    ----------
    law : Law
    lipschitz : float > 0
    fineness : float > 0
        How many times more nodes than usual along each axis.
    """
    grid = _Grid(law, lipschitz, fineness)
    nodes, images = grid.path()
    # Where an exact fit is nowhere too steep, or hardly, it is better than any grid's path.
    plain = _gentle(nodes, law.quantiles(nodes), lipschitz)
    images = max(images, plain, key=lambda one: covered(law, nodes, one))

    def left(shift: float) -> float:
        return 1.0 - covered(law, nodes, images + shift)

    # The path starts at a node, and one that climbs all the way never leaves them.
    width = grid.spacing / 2
    shift = float(minimize_scalar(left, bounds=(-width, width), method="bounded").x)
    shift = min(0.0, shift, key=left)
    return BestMap(
        path=Path(source=NORMAL, nodes=nodes, images=images + shift),
        total_variation=left(shift),
        estimate=1.0 - grid.covered,
    )


def _gentle(nodes: Array, images: Array, lipschitz: float) -> Array:
    """Return the largest map below an increasing one that is nowhere steeper than L."""
    return np.asarray(np.minimum.accumulate(images - lipschitz * nodes) + lipschitz * nodes)


def covered(law: Law, nodes: Array, images: Array) -> float:
    """Return ∫ min(φ, f(T) T') du along a piecewise linear path, by two points a piece."""
    lengths, climbs = np.diff(nodes), np.diff(images)
    total = 0.0
    for share in (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)):
        given = _normal(nodes[:-1] + share * lengths) * lengths
        wanted = law.density(images[:-1] + share * climbs) * climbs
        total += float(np.minimum(given, wanted).sum()) / 2
    return total


class _Grid:
    """The grid of one problem, and what Bellman's equation says on it.

    Steps in u are equal, and the steepest of them climbs a whole number of nodes of T.
    """

    def __init__(self, law: Law, lipschitz: float, fineness: float) -> None:
        spacing = SPACING * float(law.deviations.min()) / fineness
        self.climb = int(np.clip(round(MOST_STEP / fineness * lipschitz / spacing), 1, MOST_NODES))
        steps = int(np.ceil(2 * ENDS * lipschitz / (self.climb * spacing)))
        self.law, self.lipschitz = law, lipschitz
        self.u = np.linspace(-ENDS, ENDS, steps + 1)
        self.spacing = lipschitz * 2 * ENDS / (steps * self.climb)
        low, high = law.reach
        count = int(np.ceil((high - low) / self.spacing)) + 1
        self.t: Array = np.asarray(low + self.spacing * np.arange(count), dtype=np.float64)
        self.below, self.above = law.cdf(self.t), law.above(self.t)
        # Beyond the last node there is nothing to cover, and nothing to climb to.
        self.cells = np.append(np.diff(self.below), np.zeros(self.climb))
        self.highest = np.minimum(np.arange(len(self.t)) + self.climb, len(self.t) - 1)
        self.within = self.below[self.highest] - self.below
        self.fits = np.zeros((steps, len(self.t)), dtype=bool)
        self.climbs = np.zeros((steps, len(self.t)), dtype=bool)
        values = np.zeros(len(self.t))
        for step in range(steps - 1, -1, -1):
            values = self._step(step, values)
        self.start = float(self.t[np.argmax(values)])
        self.covered = float(values.max())

    def _step(self, step: int, after: Array) -> Array:
        """Return V before a step, given V after it; note what is best at each node."""
        best = after.copy()
        climbing = self._gained(step) + after[self.highest]
        self.climbs[step] = climbing > best
        np.maximum(best, climbing, out=best)
        mass = float(ndtr(self.u[step + 1]) - ndtr(self.u[step]))
        able = np.flatnonzero((self.within >= mass) & (self.above > mass))
        images = _moved(self.law, self.below[able], self.above[able], mass)
        fitting = mass + self._between(after, images)
        better = fitting > best[able]
        self.fits[step, able[better]] = True
        best[able[better]] = fitting[better]
        return best

    def _gained(self, step: int) -> Array:
        """Return what is covered by climbing as steeply as allowed from each node."""
        ends = ndtr(np.linspace(self.u[step], self.u[step + 1], self.climb + 1))
        count = len(self.t)
        gained = np.zeros(count)
        for number, mass in enumerate(np.diff(ends)):
            gained += np.minimum(mass, self.cells[number : number + count])
        return gained

    def _between(self, values: Array, points: Array) -> Array:
        """Interpolate values at the nodes by cubics, kept between their neighbours."""
        place = (points - self.t[0]) / self.spacing
        left = np.clip(place.astype(np.int64), 1, len(self.t) - 3)
        s = place - left
        low, high = values[left], values[left + 1]
        cubic = (
            -s * (s - 1) * (s - 2) / 6 * values[left - 1]
            + (s + 1) * (s - 1) * (s - 2) / 2 * low
            - (s + 1) * s * (s - 2) / 2 * high
            + (s + 1) * s * (s - 1) / 6 * values[left + 2]
        )
        return np.asarray(np.clip(cubic, np.minimum(low, high), np.maximum(low, high)))

    def path(self) -> tuple[Array, Array]:
        """Return nodes and images of the path steered from the best start, in REFINED parts a step.

        What is best at the nearest node is done, and no slope is above L.
        """
        shares = np.arange(1, REFINED + 1) / REFINED
        at = self.start
        images: list[Array] = [np.array([at])]
        for step in range(len(self.u) - 1):
            node = min(round((at - self.t[0]) / self.spacing), len(self.t) - 1)
            length = self.u[step + 1] - self.u[step]
            steepest: Array = np.minimum(at + self.lipschitz * length * shares, self.t[-1])
            if self.fits[step, node]:
                here = np.array([at])
                masses = ndtr(self.u[step] + length * shares) - ndtr(self.u[step])
                fitted = _moved(self.law, self.law.cdf(here), self.law.above(here), masses)
                # The quantiles are interpolated, and may fall behind the point they start from.
                images.append(np.clip(fitted, at, steepest))
            else:
                images.append(steepest if self.climbs[step, node] else np.full(REFINED, at))
            at = float(images[-1][-1])
        nodes = np.linspace(-ENDS, ENDS, (len(self.u) - 1) * REFINED + 1)
        return nodes, _gentle(nodes, np.concatenate(images), self.lipschitz)


def _moved(law: Law, below: Array, above: Array, mass: float | Array) -> Array:
    """Return F⁻¹(F(T) + mass), given F and 1 − F at T."""
    low, high = below + mass, np.clip(above - mass, 0.0, None)
    scores = ndtri(np.minimum(low, high))
    return law.quantiles(np.where(low < high, scores, -scores))


def _normal(points: Array) -> Array:
    return np.asarray(np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi))
