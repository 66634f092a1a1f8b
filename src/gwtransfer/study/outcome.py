"""What one map makes of its source: a row of the table of `study pushforward`."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gwtransfer.core.pushforward import exact_fit_constant
from gwtransfer.study.law import Law
from gwtransfer.study.output import Cell

Kind = Literal["best", "exact", "mean", "rand", "vae", "gan", "score"]

ROUNDING = 1e-6
"""A bound holds if the distance, which is measured by bins, does not fall below it by more."""

COLUMNS = (
    "target", "mode", "map", "source", "constant", "slope", "total_variation", "estimate", "bound",
    "holds", "between", "between_wanted", "exact_fit_constant",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What one map makes of its source.

    Attributes
    ----------
    mode : float
        μ of the target, half the distance of its modes.
    map : str
        "best", the best L-Lipschitz map; "exact", the increasing map that fits; "mean" and "rand",
        the library's; "vae", "gan" and "score", trained networks.
    source : str
        One of `pushforward.SOURCES`; of networks "one", N(0, I).
    constant : float or None
        L of the map as one from N(0, I), by which its source is made first; of networks the
        largest slope at drawn points, an estimate from below. None for what draws at random on the
        way, and so is no function of its point.
    slope : float
        The largest slope of the map itself; of T_rand that of its pieces, of a score model that
        of any of its steps.
    distance : float
        Total variation between image and target; of "digits" what it is at least, by the mass
        between the modes.
    between : float
        Mass of the image between the modes: within μ/2 of the middle, of digits within μ/3.
    wanted : float
        The target's own mass there.
    estimate : float or None
        The least distance as dynamic programming has it, of the best maps.
    bound : float or None
        What the distance is at least, for that constant (MATHS 7.2, 7.4).
    target : "modes" or "digits"
        ½ N(−μ, 1) + ½ N(μ, 1), or pictures of digits.
    """

    mode: float
    map: Kind
    source: str
    constant: float | None
    slope: float
    distance: float
    between: float
    wanted: float
    estimate: float | None = None
    bound: float | None = None
    target: Literal["modes", "digits"] = "modes"

    @property
    def holds(self) -> bool | None:
        """Whether the distance obeys the bound."""
        return None if self.bound is None else self.distance >= self.bound - ROUNDING

    @property
    def row(self) -> tuple[Cell, ...]:
        """The values of COLUMNS."""
        exact = float(exact_fit_constant(2 * self.mode)) if self.target == "modes" else None
        return (
            self.target, self.mode, self.map, self.source, self.constant, self.slope,
            self.distance, self.estimate, self.bound, self.holds, self.between, self.wanted, exact,
        )  # fmt: skip


def wanted_between(mode: float) -> float:
    """Return the mass of ½ N(−μ, 1) + ½ N(μ, 1) within μ/2 of the middle between its modes."""
    return float(np.diff(Law.balanced(mode).cdf(np.array([-mode, mode]) / 2))[0])
