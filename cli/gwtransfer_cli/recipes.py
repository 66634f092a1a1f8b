"""Recipes at the command line: taken where nothing was given, and printed."""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from gwtransfer_cli import calls, console, streams

if TYPE_CHECKING:
    import typer

    from gwtransfer_cli.calls import Call, Figures, Form, Function

TABLES, ORIGIN = "gwtransfer.tables", "gwtransfer.origin"
"""Where a context keeps the tables of a recipe, and the recipe."""


def take(ctx: "typer.Context", form: "Form", path: Path) -> None:
    """Make a recipe the defaults of a call.

    Raises
    ------
    ReadError
        It is no recipe, or one of another command.
    UsageError
        A keyword that the command does not know, or a value of another type.
    """
    from gwtransfer import recipefile
    from gwtransfer.errors import UsageError
    from gwtransfer.keywords import (
        own_names,
        parted,
        recipe_of,
        refuse_unknown,
        short_names,
        sorted_out,
    )

    given = read(path)
    named = given.pop(recipefile.COMMAND, ctx.info_name)
    kinds = form.traits.kinds
    try:
        recipefile.check_version(given.pop(recipefile.VERSION, None))
        if named != ctx.info_name:
            raise UsageError(
                f"expected a recipe of {ctx.info_name}, found one of {named}; use gwtransfer run"
            )
        tables, rest = sorted_out(given, kinds)
        for kind in form.traits.files:
            stage, options = parted(rest.pop(kind, None))
            rest |= {} if stage is None else {kind: stage}
            tables |= {kind: options} if options else {}
        known = [key for key in form.keys.values() if key != "set"]
        refuse_unknown(rest, [*known, *kinds, *short_names(kinds)], what="keyword")
        values = _values(form, rest)
        own = {name: rest[name] for name in own_names(kinds) if name in rest}
        recipe_of({**own, **{kind: tables[kind] for kind in kinds if kind in tables}}, kinds)
    except UsageError as error:
        raise type(error)(f"{named_as(path)}: {error}") from error
    ctx.default_map = values
    ctx.meta[ORIGIN] = path
    ctx.meta[TABLES] = tables


def read(path: Path) -> dict[str, Any]:
    """Read a recipe from a file, or from stdin where that is called "-"."""
    from gwtransfer import recipefile

    if str(path) == streams.STREAM:
        return recipefile.parsed(streams.stdin_once(), streams.IN_WORDS)
    return recipefile.read(path)


def named_as(path: Path) -> str:
    """Return what messages call a recipe."""
    return streams.IN_WORDS if str(path) == streams.STREAM else str(path)


def _values(form: "Form", rest: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of parameters, each of its type."""
    from gwtransfer.errors import UsageError
    from gwtransfer.keywords import SHORT

    names: dict[str, list[str]] = {}
    for name, key in form.keys.items():
        names.setdefault(key, []).append(name)
    values = {}
    for key, value in rest.items():
        name = names[key][-1]  # of an argument and an option of one name, the option holds more
        plain = _plain(form.hints[name])
        if value == "none" and form.defaults[name] is None and key not in SHORT:
            continue
        one = [value] if plain is list and not isinstance(value, list) else value
        if plain is str and isinstance(value, list):  # as in --palette-weights 2,1
            one = ",".join(map(str, value))
        if not _is(one, plain):
            words = _WORDS.get(plain, "text")
            raise UsageError(f"{key}: expected {words}, got {value!r}")
        values[name] = one
    return values


_WORDS = {bool: "true or false", int: "an integer", float: "a number", list: "a list of texts"}


def _plain(hint: Any) -> Any:
    """Return the type of an option's value, without what may be left out."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    return get_origin(hint) or hint


def _is(value: object, plain: Any) -> bool:
    if plain is list:
        return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    if plain is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if plain in (int, bool):
        return type(value) is plain
    return isinstance(value, str) and value != ""


def give_way(ctx: "typer.Context", call: "Call") -> None:
    """Put a recipe behind what was given: an argument replaces all that the recipe has for it."""
    typed = {
        call.form.keys[name]
        for name in call.given
        if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"
        and call.given[name] not in ((), [], None)
    }
    held = ctx.default_map or {}
    call.tables = {
        kind: _behind(table, kind, typed, call.given.get(kind) == held.get(kind))
        if kind in call.traits.files
        else table
        for kind, table in ctx.meta.get(TABLES, {}).items()
    }
    if ORIGIN not in ctx.meta:
        return
    if "palette" in typed:
        typed.add("palette_weights")  # those of a recipe are for its own palettes
    for name, key in call.form.keys.items():
        source = getattr(ctx.get_parameter_source(name), "name", "")
        if key in typed and source == "DEFAULT_MAP":
            call.given[name] = None
    _compare_origins(call, ctx.meta[ORIGIN])


def _behind(
    table: Mapping[str, object], kind: str, typed: Collection[str], same: bool
) -> dict[str, object]:
    """Return what a recipe tells a load or write stage, but for what was typed."""
    if kind in typed and not same:
        return {}  # another stage begins with its own defaults
    return {option: value for option, value in table.items() if option not in typed}


def _compare_origins(call: "Call", recipe: Path) -> None:
    """Say which inputs are not those that an artefact was made of, though they are called so."""
    from gwtransfer.io.files import is_folder, is_pattern, sha256
    from gwtransfer.recipefile import origins

    made_of = {} if str(recipe) == streams.STREAM else origins(recipe)
    for path in call.paths(call.traits.reads):
        there = path.is_file() or is_folder(path) or is_pattern(path)
        if path.name in made_of and there and sha256(path) not in made_of[path.name]:
            console.note(f"{path}: is not the file of this name that {recipe} was made of")


def printed(function: "Function", call: "Call", given: Mapping[str, Any]) -> int:
    """Print the recipe of a call whose inputs are there."""
    from gwtransfer.io.files import check_readable, is_folder, is_pattern

    for path in call.paths(call.traits.reads):
        if str(path) != streams.STREAM and not is_folder(path) and not is_pattern(path):
            check_readable(path)
    if not call.traits.kinds:
        calls.settled()
    function(**{**given, **({"overwrite": True} if "overwrite" in given else {})})
    raise AssertionError(f"{call.name} ran to its end without being settled")


def signed(name: str, figures: "Figures") -> "Figures":
    """Return figures with the version and the command before them."""
    from gwtransfer import __version__

    return {"gwtransfer": __version__, "command": name, **figures}
