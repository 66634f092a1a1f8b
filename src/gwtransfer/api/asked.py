"""Keywords and a recipe as what a job is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gwtransfer import recipefile
from gwtransfer.api.items import path_of
from gwtransfer.api.words import RecipeLike
from gwtransfer.errors import UsageError
from gwtransfer.keywords import (
    FILES,
    STAGE,
    Tables,
    as_keywords,
    layered,
    own_names,
    parted,
    recipe_of,
    refuse_unknown,
    short_names,
    sorted_out,
)
from gwtransfer.options import option_names, understood
from gwtransfer.recipe import Recipe

Told = TypeVar("Told")


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """What a job is asked for.

    Attributes
    ----------
    command : str
        Whose keywords they are, as the command line calls it.
    recipe : Recipe
    rest : mapping
        What belongs to no stage: inputs, output, and how to read and write them.
    said : frozenset of str
        What of that came as keywords and not from a recipe.
    """

    command: str
    recipe: Recipe
    rest: Mapping[str, object]
    said: frozenset[str]

    def told(self, cls: type[Told]) -> Told:
        """Make a dataclass of those keywords that are its fields.

        Raises
        ------
        UsageError
            A value of another type.
        """
        known = option_names(cls)
        given = {name: value for name, value in self.rest.items() if name in known}
        return cls(**understood(cls, given, kind="keyword", name="a recipe"))

    def get(self, name: str) -> Any:
        """Return a keyword, None where it was not given."""
        return self.rest.get(name)

    def texts(self, name: str) -> list[str]:
        """Return a keyword that is one text or several.

        Raises
        ------
        UsageError
            It is something else.
        """
        given = self.rest.get(name, ())
        several = [given] if isinstance(given, str) else given
        if not isinstance(several, list | tuple) or not all(isinstance(t, str) for t in several):
            raise UsageError(f"{name}: expected a list of texts, got {given!r}")
        return list(several)

    def path(self, name: str) -> Path | None:
        """Return a keyword that names a file, None where it was not given.

        Raises
        ------
        UsageError
            It is something else.
        """
        return None if name not in self.rest else path_of(self.rest[name], name)

    def need(self, name: str) -> Any:
        """Return a keyword that the job cannot do without.

        Raises
        ------
        UsageError
            It was not given.
        """
        if name not in self.rest:
            raise UsageError(f"{self.command}: expected {name}, got none; give it, or in recipe")
        return self.rest[name]


def asked(
    command: str,
    recipe: RecipeLike | None,
    given: Mapping[str, object],
    *,
    kinds: Sequence[str],
    known: Sequence[str],
    without: Sequence[str] = (),
) -> Asked:
    """Return what a job is asked for by keywords over a recipe.

    Parameters
    ----------
    command : str
    recipe : path, mapping, Recipe or None
    given : mapping
        Keywords, which win over the recipe; None is as good as absent.
    kinds : sequence of str
        The kinds of stage that are run.
    known : sequence of str
        Keywords of the job that belong to no stage.
    without : sequence of str
        What a recipe of these kinds holds, and this job has no use for.

    Raises
    ------
    ReadError
        The recipe cannot be read.
    UnknownStageError
        A keyword, stage or option there is not; the nearest is named.
    UsageError
        A recipe of another command, one option under two names, a value of another type or out of
        range.
    """
    under = plain(_held(recipe, kinds))
    recipefile.check_version(under.pop(recipefile.VERSION, None))
    meant = under.pop(recipefile.COMMAND, command)
    if meant != command:
        where = f"{recipe}: " if isinstance(recipe, str | Path) else "recipe: "
        raise UsageError(f'{where}expected command = "{command}", found {meant!r}')
    tables, rest = sorted_out(under, kinds)
    over_tables, over = sorted_out(plain(given), kinds)
    files = layered(_tables(rest), _tables(over))
    rest |= {**over, **files}
    stages = [name for name in [*own_names(kinds), *short_names(kinds)] if name not in without]
    refuse_unknown(rest, [*known, *stages, *kinds])
    job = {name: rest.pop(name) for name in list(rest) if name in known}
    for kind in FILES:
        stage, options = parted(job.pop(kind, None))
        job |= {kind: stage} if stage is not None else {}
        job |= {f"{kind}_options": options} if options else {}
    made = recipe_of({**layered(tables, over_tables), **rest}, kinds)
    return Asked(command=command, recipe=made, rest=job, said=frozenset(over))


def _tables(given: Mapping[str, object]) -> Tables:
    """Return what keywords say of load and write stages as tables."""
    found: Tables = {}
    for kind in FILES:
        stage, options = parted(given.get(kind))
        if stage is not None or options:
            found[kind] = {**({} if stage is None else {STAGE: stage}), **options}
    return found


def plain(given: Mapping[str, object]) -> dict[str, Any]:
    """Return keywords with NumPy's numbers, which loops over arrays yield, as Python's."""
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return plain(value)
    return value.item() if isinstance(value, np.generic) else value


def _held(recipe: RecipeLike | None, kinds: Sequence[str]) -> dict[str, object]:
    """Return what a recipe holds, as keywords."""
    if recipe is None:
        return {}
    if isinstance(recipe, Recipe):
        return as_keywords(recipe, kinds)
    if isinstance(recipe, Mapping):
        return dict(recipe)
    return recipefile.read(path_of(recipe, "recipe", "a path, a mapping or a Recipe"))
