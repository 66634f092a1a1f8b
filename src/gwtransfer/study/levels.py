"""Runs at several levels of something, each with several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import curves
from gwtransfer.study.disagreement import Disagreement, Scale, difference
from gwtransfer.study.repeated import Outcome, Pixels

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sweep:
    """Outcomes by level and seed.

    Attributes
    ----------
    levels : tuple of v float, increasing
    seeds : tuple of s int
    runs : v lists of s Outcome
    scale : Scale
    """

    levels: tuple[float, ...]
    seeds: tuple[int, ...]
    runs: Sequence[Sequence[Outcome]]
    scale: Scale

    @property
    def is_painted(self) -> bool:
        """Whether the runs made pictures."""
        return self.runs[0][0].picture is not None

    @property
    def distances(self) -> Array:
        """Distances (v, s)."""
        return np.array([[run.plan.distance for run in row] for row in self.runs])

    def pictures(self, step: int) -> list[Pixels]:
        """Return the pictures of all levels for the seed of this place."""
        found = [row[step].picture for row in self.runs]
        return [picture for picture in found if picture is not None]

    def from_level(self, level: int) -> Array:
        """Return the difference (v, s) of each picture from that of a level, seed by seed."""
        pictures = [self.pictures(step) for step in range(len(self.seeds))]
        return np.array(
            [
                [difference(own[index], own[level], self.scale) for own in pictures]
                for index in range(len(self.levels))
            ]
        )

    def from_previous(self) -> Array:
        """Return the difference (v, s) of each picture from the level before; 0 of the first."""
        pictures = [self.pictures(step) for step in range(len(self.seeds))]
        return np.array(
            [
                [difference(own[index], own[max(0, index - 1)], self.scale) for own in pictures]
                for index in range(len(self.levels))
            ]
        )

    def of_seeds(self) -> Array:
        """Return the mean difference (v,) between the pictures of two seeds at each level."""
        found = []
        for row in self.runs:
            pictures = [run.picture for run in row if run.picture is not None]
            found.append(Disagreement.of(pictures, self.scale).mean)
        return np.array(found)


def over_levels(sweep: Sweep, values: Array, *, label: str, colour: int = 0) -> curves.Series:
    """Return the mean of values (v, s) over the seeds, with what they span."""
    return curves.Series(
        label=label,
        x=sweep.levels,
        y=values.mean(axis=1),
        low=values.min(axis=1),
        high=values.max(axis=1),
        style="joined",
        colour=colour,
    )
