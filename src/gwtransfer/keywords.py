"""The words by which commands, recipe files and functions choose stages and their options.

A table of its kind chooses a stage and tells it options: ``fit = {stage: "gmm", floor: 1e-4}``. The
options asked for most have a short name as well: ``components = 15`` is ``fit = {components: 15}``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gwtransfer.errors import UnknownStageError, UsageError
from gwtransfer.options import instead, understood
from gwtransfer.recipe import AUTO, Recipe

Tables = dict[str, dict[str, object]]
"""Kind of stage to ``stage``, its name, and its options."""

STAGE = "stage"

SHORT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "prepare": (("prepare", STAGE),),
    "fit": (("fit", STAGE),),
    "solver": (("plan", STAGE),),
    "plan": (("plan", STAGE),),
    "map": (("map", STAGE),),
    "sample": (("prepare", "sample"),),
    "space": (("prepare", "space"),),
    "variance": (("prepare", "variance"),),
    "noise": (("prepare", "noise"),),
    "keep_size": (("prepare", "size"),),
    "components": (("fit", "components"),),
    "starts": (("plan", "starts"),),
    "marginals": (("plan", "marginals"),),
    "penalty": (("plan", "penalty"),),
    "gain_cap": (("map", "gain_cap"),),
    "device": (("fit", "device"), ("map", "device")),
}
"""Short names, and the kinds and options they stand for."""

OWN = {
    "prepare": ("seed",),
    "fit": ("seed",),
    "plan": ("anchor",),
    "map": ("strength", "keep", "smooth"),
}
"""What a recipe holds beside its stages, by the kind that makes use of it."""


def short_names(kinds: Collection[str]) -> list[str]:
    """Return the short names that mean something to stages of these kinds."""
    return [name for name, places in SHORT.items() if any(kind in kinds for kind, _ in places)]


def own_names(kinds: Collection[str]) -> list[str]:
    """Return what a recipe of these kinds holds beside its stages."""
    return list(dict.fromkeys(name for kind in kinds for name in OWN.get(kind, ())))


def sorted_out(
    given: Mapping[str, object], kinds: Sequence[str]
) -> tuple[Tables, dict[str, object]]:
    """Sort keywords into tables of stages and the rest.

    Parameters
    ----------
    given : mapping
        Names to values; None is as good as absent.
    kinds : sequence of str
        The kinds of stage there are to choose.

    Returns
    -------
    tables : dict
    rest : dict
        What belongs to no stage.

    Raises
    ------
    UsageError
        One option under two names.
    """
    tables: Tables = {}
    rest: dict[str, object] = {}
    short = short_names(kinds)
    for word, value in given.items():
        name = word.replace("-", "_")
        if value is None:
            continue
        if name in kinds and isinstance(value, Mapping):
            for option, one in value.items():
                _put(tables, name, str(option).replace("-", "_"), one)
        elif name in short:
            for kind, option in SHORT[name]:
                if kind in kinds:
                    _put(tables, kind, option, value)
        elif name in rest:
            raise UsageError(f"{name}: given twice; drop one")
        else:
            rest[name] = value
    return tables, rest


def _put(tables: Tables, kind: str, option: str, value: object) -> None:
    table = tables.setdefault(kind, {})
    if option in table and table[option] != value:
        raise UsageError(f"{kind}.{option}: given twice, as {table[option]} and {value}; drop one")
    table[option] = value


def layered(under: Mapping[str, Mapping[str, object]], over: Tables) -> Tables:
    """Return tables where those of ``over`` win; another stage begins with its own defaults."""
    merged: Tables = {kind: dict(table) for kind, table in under.items()}
    for kind, table in over.items():
        below = merged.get(kind, {})
        if STAGE in table and table[STAGE] != below.get(STAGE, AUTO):
            below = {}
        plain = table.get("device") == "cpu" and "device" not in below  # stages without it too
        said = {name: value for name, value in table.items() if not (plain and name == "device")}
        merged[kind] = {**below, **said}
    return merged


def several(value: Any) -> list[Any]:
    """Return the values of a keyword that may be none, one or a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


FILES = ("load", "write")
"""Kinds of stage that no recipe chooses: files do, unless one is named."""


def parted(value: object) -> tuple[object, dict[str, object]]:
    """Return the stage and the options of a kind, given as a name or as a table."""
    if not isinstance(value, Mapping):
        return value, {}
    options = {str(name).replace("-", "_"): one for name, one in value.items()}
    return options.pop(STAGE, None), options


def recipe_of(given: Mapping[str, object], kinds: Sequence[str]) -> Recipe:
    """Return the recipe that keywords ask for.

    Parameters
    ----------
    given : mapping
        Tables of stages, short names, and ``seed``, ``anchor``, ``strength``, ``keep``,
        ``smooth``.
    kinds : sequence of str
        The kinds of stage that are run.

    Raises
    ------
    UnknownStageError
        A keyword, stage or option there is not; the nearest is named.
    UsageError
        A value of another type or out of range.
    """
    tables, rest = sorted_out(given, kinds)
    tables = layered({}, tables)
    own = own_names(kinds)
    refuse_unknown(rest, [*own, *kinds, *short_names(kinds)])
    stages, options = {}, {}
    for kind, table in tables.items():
        held = dict(table)
        name = held.pop(STAGE, None)
        if name is not None:
            stages[kind] = _text(kind, name)
        options[kind] = held
    values = understood(Recipe, rest, kind="recipe", name="a recipe")
    recipe = Recipe(stages=stages, options=options, **values)  # type: ignore[arg-type]
    recipe.check()
    return recipe


def _text(kind: str, name: object) -> str:
    if not isinstance(name, str):
        raise UsageError(f"{kind}: expected the name of a stage, got {name!r}")
    return name


def refuse_unknown(given: Iterable[str], known: Sequence[str], *, what: str = "keyword") -> None:
    """Refuse the first name that is not known, and say the nearest.

    Raises
    ------
    UnknownStageError
    """
    for name in given:
        if name not in known:
            raise UnknownStageError(f"unknown {what} {name!r}{instead(name, sorted(set(known)))}")


def as_keywords(recipe: Recipe, kinds: Sequence[str]) -> dict[str, object]:
    """Return a recipe as keywords that make it again, every option of every named stage included.

    What is left to the files stays so: ``auto`` for a stage, "none" for an option.
    """
    own = {name: getattr(recipe, name) for name in own_names(kinds)}
    given: dict[str, object] = {name: value for name, value in own.items() if value is not None}
    for kind in kinds:
        table: dict[str, object] = {STAGE: AUTO, **recipe.options.get(kind, {})}
        if recipe.name(kind) != AUTO:
            table = recipe.resolved(kind)
        elif len(table) == 1:
            continue  # it is not run
        given[kind] = {
            option: "none" if value is None else value for option, value in table.items()
        }
    return given
