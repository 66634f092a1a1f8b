"""Runs at several levels of something, each with several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import curves
from gwtransfer.recipe import Recipe
from gwtransfer.study.disagreement import (
    Disagreement,
    Scale,
    difference,
    sheet_figure,
    spread_figure,
)
from gwtransfer.study.repeated import Outcome, Pixels, Subject

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

    @classmethod
    def of(
        cls,
        subject: Subject,
        levels: Sequence[float],
        recipes: Sequence[Recipe],
        runs: Sequence[Sequence[Outcome]],
    ) -> "Sweep":
        """Return the runs of a subject's recipes, which differ by their seeds, at each level."""
        return cls(
            levels=tuple(float(level) for level in levels),
            seeds=tuple(recipe.seed for recipe in recipes),
            runs=runs,
            scale=Scale.of(getattr(subject.target, "kind", ""), runs[0][0].fits[1].space),
        )

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

    def figures(self, titles: Sequence[str]) -> dict[str, curves.Figure]:
        """Return the pictures of the first seed, a title each, and where they disagree."""
        first = self.pictures(0)
        return {
            "spread": spread_figure(Disagreement.of(first, self.scale), self.scale),
            "results": sheet_figure(first, titles, self.scale),
        }

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
