"""The figures of a diagnosis, from points of the source and points of the target."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import from_coordinates, space_of, to_space
from gwtransfer.core.maps import MeanMap, RandMap
from gwtransfer.core.modes import Gaps, Sides, split_by
from gwtransfer.core.pushforward import (
    componentwise_bound,
    kl_bound,
    least_componentwise_bound,
)
from gwtransfer.core.slopes import slopes
from gwtransfer.core.types import TransportPlan
from gwtransfer.diagnosing.values import MapDiagnosis, Pair, Part, Slope, Split
from gwtransfer.diagnosing.words import name_of
from gwtransfer.tally import VISIBLE

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Name = Literal["mean", "rand"]

PLACED = ("mean", "rand", "target")
"""Whose points are looked at: the images by either map, and the target's own."""

CHUNK = 200
"""Gaps that points are told by at once: a few megabytes of bits each side."""

FEW = 0.5
"""Two components are modes where the gap between holds at most this share of what they weigh."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """A plan's two maps, and what they are looked at with.

    Attributes
    ----------
    plan : TransportPlan
    mean : MeanMap
    rand : RandMap
    source : (N, m) array
        In working coordinates, as the next.
    target : (M, n) array
    """

    plan: TransportPlan
    mean: MeanMap
    rand: RandMap
    source: Array
    target: Array

    def diagnosis_of(self, name: Name) -> MapDiagnosis:
        """Return the figures of one map."""
        total_variation, kl = _apart(self._masses[name], self._masses["target"])
        return MapDiagnosis(
            piece_gains=self._piece_gains[name],
            local_slope=self.slope if name == "mean" else None,
            between=sum(getattr(split, name) for split in self.splits),
            total_variation=total_variation,
            kl=kl,
        )

    @cached_property
    def _piece_gains(self) -> dict[Name, tuple[float, ...]]:
        pairs = self.rand.pairs
        gains = np.zeros(self.plan.source.count)
        np.maximum.at(gains, pairs.source_index, np.linalg.norm(pairs.linear, 2, axis=(1, 2)))
        return {"mean": tuple(self.mean.gains().tolist()), "rand": tuple(gains.tolist())}

    @cached_property
    def slope(self) -> Slope:
        """The local slope of mean over the points."""
        found = slopes(self.mean, self.source)
        half, most_90, most_99, largest = np.quantile(found, [0.5, 0.9, 0.99, 1.0]).tolist()
        steeper = float((found > max(self._piece_gains["mean"]) * (1 + 1e-9)).mean())
        return Slope(half=half, most_90=most_90, most_99=most_99, largest=largest, steeper=steeper)

    @cached_property
    def _all_gaps(self) -> Gaps:
        return Gaps.of(self.plan.target)

    @cached_property
    def _points(self) -> dict[str, Array]:
        """The images by each map, and the target's own points, in working coordinates."""
        raw = self.plan.source.space.to_raw(self.source)
        working = self.plan.target.space.to_working
        points = (working(self.mean(raw)), working(self.rand(raw)), self.target)
        return dict(zip(PLACED, points, strict=True))

    @cached_property
    def _masses(self) -> dict[str, Array]:
        """Shares of every other point, and of the rest, in sets (2, 3, q): as `Sides` has them."""
        parts = self._chunks(np.arange(len(self._all_gaps)))
        return {
            name: np.concatenate([_halves(gaps.sides(points)) for gaps in parts], axis=2)
            for name, points in self._points.items()
        }

    def _chunks(self, which: Index) -> list[Gaps]:
        """Return gaps a few at a time, so that many do not fill the memory; one chunk for none."""
        starts = range(0, max(len(which), 1), CHUNK)
        return [self._all_gaps.only(which[start : start + CHUNK]) for start in starts]

    @cached_property
    def _shares(self) -> Array:
        return self.plan.source.densities.shares(self.source)

    @cached_property
    def _modes(self) -> Mask:
        """Which gaps are those between modes: nearly empty, and to be seen, (q,)."""
        gaps, weights = self._all_gaps, self.plan.target.weights
        held = self._masses["target"][:, 2].mean(axis=0)
        few = held <= FEW * (weights[gaps.first] + weights[gaps.second])
        return np.asarray(few & self._visible)

    @cached_property
    def _splitting(self) -> Index:
        """The gaps between modes that split a component, (s,)."""
        split = split_by(self.plan.coupling, self._all_gaps).any(axis=0)
        return np.flatnonzero(split & self._modes)

    @cached_property
    def gaps(self) -> Gaps:
        """The gaps that split components."""
        return self._all_gaps.only(self._splitting)

    @cached_property
    def _split_by(self) -> Mask:
        """Which components are split by which of them, (K, s)."""
        return split_by(self.plan.coupling, self.gaps)

    @cached_property
    def _places(self) -> dict[str, Sides]:
        """Where points lie as to the gaps that split components."""
        return {name: self.gaps.sides(points) for name, points in self._points.items()}

    @property
    def _visible(self) -> Mask:
        """Which slabs part colours that the eye tells apart (q,); all that part other things."""
        gaps, space = self._all_gaps, self.plan.target.space
        if space_of(space.coordinates) is None:
            return np.ones(len(gaps), dtype=np.bool_)
        ends = [
            to_space(from_coordinates(space.to_raw(end), space.coordinates), "oklab")
            for end in (
                gaps.centre + gaps.low[:, None] * gaps.direction,
                gaps.centre + gaps.high[:, None] * gaps.direction,
            )
        ]
        return np.asarray(np.linalg.norm(ends[1] - ends[0], axis=1) >= VISIBLE)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """The split components, the largest surplus first."""
        found = [self._split(k) for k in np.flatnonzero(self._split_by.any(axis=1)).tolist()]
        return tuple(sorted(found, key=lambda one: (-one.surplus, -one.mean, one.component)))

    @property
    def meeting(self) -> Pair | None:
        """Of the gaps between modes that split nothing, that with the largest surplus."""
        which = np.setdiff1d(np.flatnonzero(self._modes), self._splitting)
        if not which.size:
            return None
        held = {
            name: np.concatenate(
                [
                    self._left_over(name) @ gaps.sides(self._points[name]).inside
                    for gaps in self._chunks(which)
                ]
            )
            / len(self.source)
            for name in PLACED[:2]
        }
        held["target"] = self._masses["target"][:, 2, which].mean(axis=0)
        best = int(np.argmax(held["mean"] - np.maximum(held["rand"], held["target"])))
        gap = self._all_gaps.only(which[best : best + 1])
        places = {name: gap.sides(points) for name, points in self._points.items()}
        share = {name: float(held[name][best]) for name in PLACED}
        found = replace(self._pair(gap, places, 0), gap=share)
        return found if found.surplus > 0 else None

    def _left_over(self, name: str) -> Array:
        """Return how much of each point is not of a component whose split explains it, (N,)."""
        inside = self._places[name].inside
        of_splits = np.zeros(len(self.source))
        for k in np.flatnonzero(self._split_by.any(axis=1)):
            of_splits += self._shares[:, k] * inside[:, self._split_by[k]].any(axis=1)
        return 1.0 - of_splits

    def _split(self, k: int) -> Split:
        source, target = self.plan.source, self.plan.target
        which = np.flatnonzero(self._split_by[k])
        own = self._shares[:, k]
        union = {name: place.inside[:, which].any(axis=1) for name, place in self._places.items()}
        ends = np.union1d(self.gaps.first[which], self.gaps.second[which])
        parts = self.plan.coupling[k] / self.plan.coupling[k].sum()
        return Split(
            component=k,
            weight=float(source.weights[k]),
            parts=tuple(
                Part(target=l, share=float(parts[l]), name=name_of(target, l))
                for l in sorted(ends.tolist(), key=lambda l: (-parts[l], l))
            ),
            pairs=tuple(self._pairs[q] for q in which.tolist()),
            mean=float((own * union["mean"]).mean()),
            rand=float((own * union["rand"]).mean()),
            around=float(union["mean"].mean()),
            target=float(union["target"].mean()),
        )

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        """What there is to say of each of the gaps that split components."""
        return tuple(self._pair(self.gaps, self._places, q) for q in range(len(self.gaps)))

    def _pair(self, gaps: Gaps, places: dict[str, Sides], q: int) -> Pair:
        source, shares = self.plan.source, self._shares
        held, below = shares.sum(axis=0), places["mean"].below[:, q] @ shares
        # Less than a point on either side is none: of a flat piece, it would force all of it.
        below = np.where(below < 1, 0.0, np.where(below > held - 1, held, below))
        below /= np.maximum(held, 1e-300)
        deviations = np.sqrt(np.linalg.eigvalsh(source.covariances)[:, -1])
        expected = componentwise_bound(
            gaps.width[q],
            np.array([self.slope.most_99, self.slope.largest]),
            source.weights,
            deviations,
            np.clip(below, 0.0, 1.0),
        )
        unavoidable = least_componentwise_bound(
            float(gaps.width[q]),
            self.slope.most_99,
            source.weights,
            deviations,
            float(places["target"].below[:, q].mean() * source.weights.sum()),
        )
        return Pair(
            first=int(gaps.first[q]),
            second=int(gaps.second[q]),
            names=(
                name_of(self.plan.target, int(gaps.first[q])),
                name_of(self.plan.target, int(gaps.second[q])),
            ),
            width=float(gaps.width[q] * self.plan.target.space.unit),
            slab={name: float(place.slab[:, q].mean()) for name, place in places.items()},
            gap={name: float(place.inside[:, q].mean()) for name, place in places.items()},
            expected_99=float(expected[0]),
            expected=float(expected[1]),
            unavoidable=unavoidable,
        )


def _halves(places: Sides) -> Array:
    """Return shares of every other point, and of the rest, in each set, (2, 3, q).

    They are half a point away from none and all, for logarithms.
    """
    halves = [[inside[start::2] for inside in places] for start in (0, 1)]
    return np.array([[(own.sum(axis=0) + 0.5) / (len(own) + 1) for own in half] for half in halves])


def _apart(one: Array, other: Array) -> tuple[float, float]:
    """Return estimates from below of total variation and KL, from shares (2, 3, q) in sets.

    Any set on which two laws differ gives a bound on either (MATHS 7.2). The sets are the sides of
    all slabs, the slabs and the gaps. The best is chosen on every other point and measured on the
    rest, so that the largest of many chance differences is not taken for one.
    """
    (chosen, alpha), (compared, beta) = one.reshape(2, -1), other.reshape(2, -1)
    if not alpha.size:
        return 0.0, 0.0
    best = int(np.argmax(np.abs(chosen - compared)))
    sign = np.sign(chosen[best] - compared[best])
    best_kl = int(np.argmax(_kl(chosen, compared)))
    return max(0.0, float(sign * (alpha[best] - beta[best]))), float(_kl(alpha, beta)[best_kl])


def _kl(alpha: Array, beta: Array) -> Array:
    """Return kl(α‖β), of the sets or their complements."""
    return np.maximum(kl_bound(alpha, beta), kl_bound(1 - alpha, 1 - beta))
