"""A diagnosis in sentences that a user can act on."""

import numpy as np

from gwtransfer.core.colorspace import from_coordinates, space_of
from gwtransfer.core.types import (
    SHAPES,
    SUM_TOLERANCE,
    GaussianMixture,
    Space,
    TransportPlan,
)
from gwtransfer.diagnosing.values import Diagnosis, Split

SAID = 0.01
"""Shares of the image below this are not worth a sentence."""

MOST_SPLITS = 2
"""Splits that have a sentence of their own."""

MEETING = 0.02
"""The same for what lies between modes without a split, of which every palette has some."""

AVERAGED = 0.1
"""The mean map averages, split or not, if it misses the target by so much more than the random."""

STEEP = 2.0
"""The map is steep where components meet if 1 % of the points exceed its pieces so many times."""


def name_of(mixture: GaussianMixture, l: int) -> str:
    """Return what to call a component: its colour, its place, or its number from 1."""
    space = mixture.space
    place = space.to_raw(mixture.means[l : l + 1])
    if space_of(space.coordinates) is not None:
        colour = np.clip(from_coordinates(place, space.coordinates)[0], 0.0, 1.0)
        levels = np.broadcast_to(np.rint(colour * 255).astype(int), 3)
        return "#" + "".join(f"{level:02x}" for level in levels)
    if space.coordinates == "xyz" or space.raw_dimension <= 3:
        return "(" + ", ".join(f"{value:.3g}" for value in place[0]) + ")"
    return f"component {l + 1}"


def sentences(found: Diagnosis, plan: TransportPlan) -> tuple[str, ...]:
    """Return what to know and what to do, the most serious first."""
    source, target = plan.source.space, plan.target.space
    kind = _things(target)
    worth = [split for split in found.splits if split.surplus >= SAID]
    said = [_split(split, kind, source) for split in worth[:MOST_SPLITS]]
    if len(worth) > MOST_SPLITS:
        rest = sum(split.mean for split in worth[MOST_SPLITS:])
        number = len(worth) - MOST_SPLITS
        said.append(
            f"{_components(number, more=True)} split so, which puts {_share(rest)} more in between."
        )
    if not worth:
        said.append(_no_split(found, kind))
    meeting = found.meeting
    averaged = meeting is not None and meeting.surplus >= MEETING
    if meeting is not None and averaged:
        said.append(
            f"{'Besides' if worth else 'Yet'}, `mean` puts {_share(meeting.gap['mean'])} of all "
            f"{_points(source)} between {meeting.names[0]} and {meeting.names[1]}, where `rand` "
            f"puts {_share(meeting.gap['rand'])} and the target has "
            f"{_share(meeting.gap['target'])}: components that overlap, or go to a wide range of "
            f"{kind}, are averaged there."
        )
    if worth or averaged or _averages(found):
        said.append(_advice(source, target))
    slope, gain = found.mean.local_slope, found.mean.piece_gain
    if slope is not None and slope.most_99 > max(STEEP * gain, 1.0):
        said.append(
            f"From one component to the next `mean` changes fast: at 1 % of the {_points(source)} "
            f"small differences grow {slope.most_99:.3g}-fold and more, at half of them up to "
            f"{slope.half:.2g}-fold, within a component {gain:.2g}-fold at most. "
            f"{_seen_as(target)}"
        )
    if found.gain_cap is not None:
        capped = sum(one >= found.gain_cap * (1 - 1e-9) for one in found.rand.piece_gains)
        if capped and space_of(target.coordinates) is not None:
            said.append(
                f"--gain-cap {found.gain_cap:g}, the largest stretch that is allowed, holds back "
                f"{capped} of {len(found.rand.piece_gains)} components; a higher one comes nearer "
                "to the target, with more noise."
            )
    mean, rand = found.mean.total_variation, found.rand.total_variation
    left = plan.proportions_left
    soft = f"; the plan was free to leave {_share(left)} of these" if left > SUM_TOLERANCE else ""
    said.append(
        f"Estimate: at least {_share(mean)} of what `mean` makes would have to change to have the "
        f"target's {kind} in their proportions, and {_share(rand)} of what `rand` makes{soft}."
    )
    return tuple(said)


def _split(split: Split, kind: str, source: Space) -> str:
    parts = {part.target: part for part in split.parts}
    ends = [(parts[pair.first], parts[pair.second]) for pair in split.pairs]
    worst = max(ends, key=lambda pair: min(part.share for part in pair))
    one, other = sorted(worst, key=lambda part: -part.share)
    more = " and other such pairs" if len(ends) > 1 else ""
    return (
        f"Component {split.component + 1}, {_points(source)} that are alike and "
        f"{_share(split.weight)} of the source, is split between two far {kind}: "
        f"{one.name} ({_share(one.share)} of it) and {other.name} ({_share(other.share)}){more}. "
        f"So `mean` puts {_share(split.mean)} of all {_points(source)} in between, where `rand` "
        f"puts {_share(split.rand)}. With all that comes there, {_share(split.around)} of the "
        f"result lies in between, of the target {_share(split.target)}."
    )


def _components(number: int, *, more: bool = False) -> str:
    other = " more" if more else ""
    return f"1{other} component is" if number == 1 else f"{number}{other} components are"


def _advice(source: Space, target: Space) -> str:
    if target.coordinates in SHAPES:
        return (
            "To mend it: another number of --components, --prepare spectral where both shapes "
            "have a surface, or let `gwtransfer match` refine the plan point by point."
        )
    mask = "" if source.coordinates in SHAPES else "a --mask for each part, "
    return (
        "To mend it: `--map rand` (the target's own colours, with grain), `--marginals soft` (in "
        f"other proportions), another number of --components, {mask}or accept it."
    )


def _no_split(found: Diagnosis, kind: str) -> str:
    if found.splits:
        return (
            f"{_components(len(found.splits))} split between far {kind}, but that puts less than "
            f"{_share(SAID)} in between beyond what belongs there."
        )
    said = f"No component gives 5 % or more of itself to each of two far {kind}"
    if _averages(found):
        return f"{said}, but what one goes to is spread, and `mean` averages it."
    return f"{said}, so `mean` need not fill the gaps between them."


def _averages(found: Diagnosis) -> bool:
    """Tell whether the mean map misses the target where the random one does not."""
    return found.mean.total_variation - found.rand.total_variation >= AVERAGED


def _seen_as(target: Space) -> str:
    if space_of(target.coordinates) is not None:
        return (
            "In smooth areas that shows as lines that are not in the source; --smooth 1 or a lower "
            "--strength soften them, another --seed may move them."
        )
    return "There points that are close come to lie apart."


def _things(target: Space) -> str:
    if space_of(target.coordinates) is not None:
        return "colours"
    if target.coordinates in SHAPES:
        return "places"
    return "spectra" if target.coordinates == "bands" else "values"


def _points(source: Space) -> str:
    return "points" if source.coordinates in (*SHAPES, "raw") else "pixels"


def _share(value: float) -> str:
    """Return a share in per cent: 12 %, 3.4 %, under 0.1 %."""
    percent = 100 * value
    if percent >= 9.95:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 0.05 else "under 0.1 %"
