"""What a diagnosis says, as values."""

from dataclasses import dataclass, field

from gwtransfer.core.modes import Gaps


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How far a map pulls neighbours apart at the points, |J|, in working units (MATHS 7.5).

    Attributes
    ----------
    half, most_90, most_99, largest : float
        Half of the points, 90 %, 99 % and all have at most this much. No Lipschitz constant:
        between the points, and beyond them, the map may be steeper.
    steeper : float
        Share of the points at which it is steeper than every piece.
    """

    half: float
    most_90: float
    most_99: float
    largest: float
    steeper: float


@dataclass(frozen=True, kw_only=True)
class MapDiagnosis:
    """What is said of one map.

    Attributes
    ----------
    piece_gains : tuple of K floats
        |B_k| in working units; for rand, the largest of the maps of component k.
    local_slope : Slope or None
        None for rand, which is no function: each point has its component's slope.
    between : float
        Share of the image that its own component's split puts between far modes.
    total_variation, kl : float
        Estimates from below of how far the image's law is from the target's.
    """

    piece_gains: tuple[float, ...]
    local_slope: Slope | None
    between: float
    total_variation: float
    kl: float

    @property
    def piece_gain(self) -> float:
        """The largest stretch of any piece, in working units; the gain cap bounds it."""
        return max(self.piece_gains)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a split component gives to one of the far target components.

    Attributes
    ----------
    target : int
        l, from 0.
    share : float
        w_kl / a_k.
    name : str
        What to call it: its colour as #rrggbb, its place, its number.
    """

    target: int
    share: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two far target components, and what lies between them.

    Attributes
    ----------
    first, second : int
        l and l' from 0.
    names : tuple of str
        What to call the two.
    width : float
        Of the slab between them, in raw units of the target.
    slab : dict of str to float
        Share of the images ("mean", "rand") and of the target ("target") anywhere in the slab.
    gap : dict of str to float
        The same for the gap, the part of the slab about the line from one to the other.
    expected_99, expected : float
        Estimates of what a map as steep as mean must leave in the slab, were its Lipschitz
        constant the slope that 99 % of the points do not exceed, or the largest one.
    unavoidable : float
        Estimate of the least that any map must leave in the slab that is no steeper than mean at
        99 % of the points and puts before the slab what the target has there, however it sorts
        the components.
    """

    first: int
    second: int
    names: tuple[str, str]
    width: float
    slab: dict[str, float]
    gap: dict[str, float]
    expected_99: float
    expected: float
    unavoidable: float = 0.0

    @property
    def surplus(self) -> float:
        """What mean puts in the gap beyond rand, and beyond what the target has there."""
        return max(0.0, self.gap["mean"] - max(self.gap["rand"], self.gap["target"]))


@dataclass(frozen=True, kw_only=True)
class Split:
    """A source component that the coupling splits between far target components.

    Attributes
    ----------
    component : int
        k, from 0.
    weight : float
        a_k, its share of the source.
    parts : tuple of Part
        The far ones, the largest first.
    pairs : tuple of Pair
        Those that are far from one another.
    mean, rand : float
        Share of the whole image that is of this component and lies in one of the gaps.
    around : float
        Share of all of mean's image in one of the gaps, whatever component it is of.
    target : float
        Share of the target in one of the gaps.
    """

    component: int
    weight: float
    parts: tuple[Part, ...]
    pairs: tuple[Pair, ...]
    mean: float
    rand: float
    around: float
    target: float

    @property
    def surplus(self) -> float:
        """What mean paints in the gaps beyond rand, and beyond what the target has there."""
        return max(0.0, min(self.mean - self.rand, self.around - self.target))


@dataclass(frozen=True, eq=False, kw_only=True)
class Diagnosis:
    """What a plan's maps do to the data.

    Attributes
    ----------
    mean, rand : MapDiagnosis
    splits : tuple of Split
        The largest surplus first.
    meeting : Pair or None
        Of the far pairs that split no component, that with the largest surplus: components that
        overlap are averaged there. Its gap leaves out the points that splits explain. None where
        no pair has a surplus.
    sentences : tuple of str
        What to know and what to do, the most serious first.
    gain_cap : float or None
        The cap of the maps, in working units.
    restored : bool
        Whether mean gives back what a conditional mean contracts.
    raw_per_working : float
        A slope in raw units of both sides over the same in working units.
    points : int
        How many points of the source were looked at.
    from_source, from_target : bool
        Whether the points are of the files, and not drawn from the plan's mixtures.
    notes : tuple of str
        What a reader should know of the figures.
    gaps : Gaps
        Those that split components, each once.
    """

    mean: MapDiagnosis
    rand: MapDiagnosis
    splits: tuple[Split, ...]
    meeting: Pair | None
    sentences: tuple[str, ...]
    gain_cap: float | None
    restored: bool
    raw_per_working: float
    points: int
    from_source: bool
    from_target: bool
    notes: tuple[str, ...] = ()
    gaps: Gaps = field(repr=False)
