"""A recipe: one stage of each kind with its options, and what belongs to no stage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import Any, get_args

from gwtransfer import registry
from gwtransfer.blending import Keep
from gwtransfer.errors import UnknownStageError, UsageError

AUTO = "auto"
CHOSEN_KINDS = ("prepare", "fit", "plan", "map")

AUTO_FITS = ("gmm", "halving")
"""What "auto" chooses for fit: the first for pictures and cubes, the other for shapes."""

MAX_SEED = 2**32 - 1
"""Largest seed every generator in use accepts."""

MAX_ANCHOR = 1e9
"""Beyond it nothing but luminance is left to tell apart in a double."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to get from files to a result.

    Attributes
    ----------
    stages : mapping of kind to name
        "auto", the default for prepare, fit and plan, chooses by what the files are.
    options : mapping of kind to mapping of option to value
        Only what differs from the stage's own defaults; text is understood by the option's type.
    seed : int in [0, 2³² − 1]
    anchor : float in [0, MAX_ANCHOR] or None
        Weight of the luminance anchor; None lets the plan decide.
    strength : float in [0, 1]
        How much of the map to apply.
    keep : {"luminance", "chroma"} or None
        What of the source's colour stays.
    smooth : float in [0, 1] or None
        How much of the map's residual to clean; None is all of it where a smooth map makes a
        picture of a cube, and nothing elsewhere.

    Raises
    ------
    UsageError
        A value out of range.
    """

    stages: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    seed: int = 0
    anchor: float | None = None
    strength: float = 1.0
    keep: Keep | None = None
    smooth: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"option seed: expected 0 … {MAX_SEED}, got {self.seed}")
        for name in ("strength", "smooth"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"option {name}: expected a number from 0 to 1, got {value}")
        if self.keep not in (None, *get_args(Keep)):
            raise UsageError(
                f"option keep: expected one of {', '.join(get_args(Keep))}, got {self.keep!r}"
            )
        if self.anchor is not None and not 0 <= self.anchor <= MAX_ANCHOR:
            raise UsageError(
                f"option anchor: expected a number from 0 to {MAX_ANCHOR:g}, got {self.anchor}"
            )

    def name(self, kind: str) -> str:
        """Return the chosen name of a kind of stage."""
        return self.stages.get(kind, {"map": "mean"}.get(kind, AUTO))

    def build(self, kind: str, *, auto: str = AUTO) -> Any:
        """Make the stage of a kind; ``auto`` is the name to take where none was chosen.

        Raises
        ------
        UnknownStageError, UsageError, PluginError
            As `registry.build`.
        """
        chosen, options = self.name(kind), self.options.get(kind, {})
        if chosen != AUTO:
            return registry.build(kind, chosen, options)
        try:
            return registry.build(kind, auto, options)
        except UnknownStageError as error:
            raise UnknownStageError(f"{error} (auto chose {auto} for these files)") from error

    def check(self) -> None:
        """Build every stage whose name is known, to refuse a wrong option before any work."""
        for kind in CHOSEN_KINDS:
            if self.name(kind) != AUTO:
                self.build(kind)
        if self.name("fit") == AUTO:
            self._check_auto_fit()

    def check_distance(self) -> None:
        """Check, and refuse what makes a plan that measures no distance.

        Raises
        ------
        UsageError
            As `check`, or soft marginals: their cost is 0 between much that is not equal.
        """
        self.check()
        if self.options.get("plan", {}).get("marginals", "hard") != "hard":
            raise UsageError("option marginals: a distance needs hard ones; drop soft")

    def _check_auto_fit(self) -> None:
        """Refuse options that no fit obeys which "auto" can choose."""
        refusals = []
        for name in AUTO_FITS:
            try:
                self.build("fit", auto=name)
            except UsageError as error:
                refusals.append(error)
        if len(refusals) == len(AUTO_FITS):
            raise refusals[0]

    def resolved(self, kind: str, *, auto: str = AUTO) -> dict[str, Any]:
        """Return the stage of a kind and every one of its options, for an artefact's provenance."""
        name = auto if self.name(kind) == AUTO else self.name(kind)
        return {"stage": name, **asdict(self.build(kind, auto=auto))}

    def settled(self, **auto: str) -> "Recipe":
        """Return the recipe with every stage named and every option of it said.

        Parameters
        ----------
        **auto : str
            For each kind that is run, what to take where none was chosen; "auto" leaves it so.

        Raises
        ------
        UnknownStageError, UsageError, PluginError
            As `registry.build`.
        """
        stages, options = {}, {}
        for kind, name in auto.items():
            if AUTO == name == self.name(kind):
                options[kind] = dict(self.options.get(kind, {}))
                continue
            said = self.resolved(kind, auto=name)
            stages[kind] = said.pop("stage")
            options[kind] = said
        return replace(self, stages=stages, options=options)


Settled = Callable[[Recipe], Mapping[str, Any]]
"""Called with the recipe, every stage and option said, when all is checked and nothing is fitted
yet; returns what an artefact keeps of the run as its recipe."""


def unrecorded(recipe: Recipe) -> Mapping[str, Any]:
    """Keep no recipe."""
    del recipe
    return {}


def parse_setting(text: str, kinds: Sequence[str]) -> tuple[str, str | None, str]:
    """Understand ``KIND=STAGE`` or ``KIND.OPTION=VALUE`` as (kind, option or None, value).

    Parameters
    ----------
    kinds : sequence of str
        The kinds of stage the command runs.

    Raises
    ------
    UsageError
        It is neither, or the command runs no such kind.
    """
    key, equals, value = text.partition("=")
    kind, dot, option = key.partition(".")
    if not equals or not value or (dot and not option):
        raise UsageError(f"--set {text}: expected KIND=STAGE or KIND.OPTION=VALUE")
    if kind not in kinds:
        close = get_close_matches(kind, kinds, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        here = " (of another step)" if kind in CHOSEN_KINDS else ""
        raise UsageError(f"--set {text}: expected one of {', '.join(kinds)}{here}{hint}")
    return kind, option or None, value
