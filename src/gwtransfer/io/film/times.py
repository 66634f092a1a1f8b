"""When the frames of a film are shown: their order, the constant rate nearest to it, the keys."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FASTEST = 1000
"""Frames a second above which a stated rate is no rate but a clock."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Times:
    """The frames of a film in the order in which they are shown.

    Attributes
    ----------
    count : int
    shown : (count,) array of int64 or None
        Increasing times in units of ``base``; None when the container does not tell them all.
    keys : (k,) array of int64
        Frames from which decoding can begin; empty where ``shown`` is None.
    base : Fraction
        Seconds a unit of time.
    """

    count: int
    shown: NDArray[np.int64] | None
    keys: NDArray[np.int64]
    base: Fraction

    def key_before(self, frame: int) -> int:
        """Return the last frame up to this one from which decoding can begin; 0 if none is known.

        Parameters
        ----------
        frame : int
            From 0.
        """
        place = int(np.searchsorted(self.keys, frame, side="right")) - 1
        return int(self.keys[place]) if place >= 0 else 0

    def place(self, time: int) -> int | None:
        """Return which frame is shown at exactly this time; None where no frame is."""
        if self.shown is None:
            return None
        place = int(np.searchsorted(self.shown, time))
        return place if place < self.count and int(self.shown[place]) == time else None


class Packet(NamedTuple):
    """What a container says of a coded frame: when, how long, whether a key, whether shown."""

    time: int | None
    length: int
    key: bool
    shown: bool


def times_of(packets: list[Packet], base: Fraction) -> Times:
    """Return the times of a film from its packets in stored order.

    What is shown before the first key frame cannot be decoded and is not counted.

    Parameters
    ----------
    packets : list of Packet
        One for each frame.
    base : Fraction
        Seconds a unit of time.
    """
    times = np.array([p.time for p in packets if p.shown and p.time is not None], dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    count = sum(p.shown for p in packets)
    if len(times) < count or len(np.unique(times)) < count:
        return Times(count=count, shown=None, keys=nothing, base=base)
    keyed = np.array([p.time for p in packets if p.key and p.time is not None], dtype=np.int64)
    shown = np.sort(times if keyed.size == 0 else times[times >= keyed.min()])
    keys = np.flatnonzero(np.isin(shown, keyed))
    return Times(count=len(shown), shown=shown, keys=keys.astype(np.int64), base=base)


def seconds_missing(packets: list[Packet], base: Fraction, stated: float) -> float:
    """Return how much earlier the packets end than a container states; 0 for a few frames.

    Parameters
    ----------
    packets : list of Packet
    base : Fraction
        Seconds a unit of time.
    stated : float
        Seconds from time 0 to the film's end.
    """
    ends = [packet.time + packet.length for packet in packets if packet.time is not None]
    if not ends:
        return 0.0
    missing = stated - float(max(ends) * base)
    usual = 3 * float((max(ends) - min(ends)) * base) / len(ends)
    return missing if missing > max(usual, 0.1 * stated) else 0.0


def constant_rate(times: Times, stated: Fraction | None) -> tuple[Fraction, str]:
    """Return frames a second, and what to tell the user about it (empty when nothing).

    Parameters
    ----------
    times : Times
    stated : Fraction or None
        The rate the container states, if any.
    """
    if stated is not None and not 0 < stated <= FASTEST:
        stated = None
    if times.shown is None or times.count < 2:
        if stated is not None:
            return stated, ""
        return Fraction(25), "it states no frame rate: 25 a second is taken"
    steps = np.diff(times.shown)
    span = int(times.shown[-1] - times.shown[0]) * times.base
    if stated is not None and abs(stated * span - (times.count - 1)) < Fraction(1, 2):
        rate = stated
    else:
        rate = (Fraction(times.count - 1) / span).limit_denominator(1001)
        rate = min(max(rate, Fraction(1, 1001)), Fraction(FASTEST))
    if int(np.ptp(steps)) <= max(1, 0.02 * float(np.median(steps))):
        return rate, ""
    return rate, f"its frames come at uneven times: the result has a constant {float(rate):.4g}/s"
