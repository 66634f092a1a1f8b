"""What every command can do beside its own work: recipes, streams, upkeep of outputs, its voice."""

import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_origin, get_type_hints

import typer

from gwtransfer_cli import console
from gwtransfer_cli.everywhere import COMMON, SCRIPTING, WRITERS
from gwtransfer_cli.plainhelp import TYPED

if TYPE_CHECKING:
    from gwtransfer.recipe import Recipe
    from gwtransfer.upkeep import Rule

Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command leaves to be said.

    Attributes
    ----------
    figures : dict
        What `--json` prints, after the version and the command.
    code : int
        The exit code.
    rules : sequence of Rule, or None
        Which outputs were made of which inputs; None is every one of all.
    """

    figures: Figures
    code: int = 0
    rules: "Sequence[Rule] | None" = None


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What is known of a command beside its parameters.

    Attributes
    ----------
    kinds : tuple of str
        The kinds of stage it runs.
    files : tuple of str
        "load" and "write", where their stages can be told options.
    reads, writes : tuple of str
        Parameters that name inputs and outputs.
    stream : str or None
        The extension of what goes to stdout where its output is "-"; None is never.
    many : bool
        It keeps up its outputs itself, as there may be many.
    """

    kinds: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    stream: str | None = None
    many: bool = False


Function = Callable[..., Answer]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What calls of one command have in common.

    Attributes
    ----------
    traits : Traits
    keys : dict of str to str
        Parameters to the names a recipe has for them.
    hints : dict of str to type
        Parameters to the types of their values.
    defaults : dict of str to value
        Parameters to what they are where nothing is given.
    """

    traits: Traits
    keys: Mapping[str, str]
    hints: Mapping[str, Any]
    defaults: Mapping[str, Any]


def recipe_option(form: Form) -> Any:
    """Return the option that takes a recipe for a command."""

    def take(ctx: typer.Context, path: Path | None) -> Path | None:
        if path is not None and not ctx.resilient_parsing:
            from gwtransfer_cli import recipes

            recipes.take(ctx, form, path)
        return path

    return Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            metavar="FILE",
            help="Take arguments and options from a recipe: TOML, or a mixture or plan that was "
            "made by one. Those given here win.",
            rich_help_panel=SCRIPTING,
            is_eager=True,
            callback=take,
            show_default=False,
        ),
    ]


@dataclass(kw_only=True)
class Call:
    """One call of a command.

    Attributes
    ----------
    name : str
    form : Form
    given : dict of str to value
        Parameters as the user gave them.
    tables : dict
        Stages and options of the recipe the call was given.
    prints : bool
        Print the recipe and do nothing else.
    skips : bool
        Outputs that are current stay.
    """

    name: str
    form: Form
    given: dict[str, Any]
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    prints: bool = False
    skips: bool = False

    @property
    def traits(self) -> Traits:
        """What is known of the command."""
        return self.form.traits

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Return the files that parameters name; a text that is no file's name is none."""
        found: list[Path] = []
        for name in names:
            value = self.given[name]
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and name in self.traits.reads and not Path(one).is_file():
                    continue
                if one is not None:
                    found.append(Path(one))
        return found

    def keywords(self, recipe: "Recipe | None") -> dict[str, Any]:
        """Return the call as keywords of a recipe file."""
        from gwtransfer.keywords import STAGE, as_keywords, own_names, several, short_names
        from gwtransfer_cli.options import file_options

        staged = {*short_names(self.traits.kinds), *own_names(self.traits.kinds), "set"}
        said: dict[str, Any] = {}
        for name, key in self.form.keys.items():
            value = self.given[name]
            if key in staged or value is None:
                continue
            plain = [str(one) for one in value] if isinstance(value, list) else value
            if isinstance(plain, Path):
                plain = str(plain)
            if list(self.form.keys.values()).count(key) > 1:  # an argument and an option of a name
                both = [*several(said.get(key)), *several(plain)]
                plain = both[0] if len(both) == 1 else both
            said[key] = plain
        if recipe is not None:
            said |= as_keywords(recipe, self.traits.kinds)
        for kind in self.traits.files:
            options = file_options(self.given.get("settings"), kind)
            if options:
                stage = {STAGE: said.pop(kind)} if kind in said else {}
                said[kind] = {**stage, **options}
        return said


_current: ContextVar[Call] = ContextVar("call")


def current() -> Call:
    """Return the call that is carried out."""
    return _current.get()


def tables() -> Mapping[str, Mapping[str, object]]:
    """Return the stages and options of the recipe that this call was given."""
    call = _current.get(None)
    return {} if call is None else call.tables


def settled(recipe: "Recipe | None" = None) -> dict[str, Any]:
    """Take note that a run is settled: everything is checked and nothing is fitted yet.

    Returns
    -------
    dict
        The run as a recipe, for artefacts to keep.

    Raises
    ------
    typer.Exit
        The recipe was asked for and is printed.
    """
    from gwtransfer import __version__, recipefile

    call = current()
    said = call.keywords(recipe)
    if call.prints:
        head = {recipefile.VERSION: __version__, recipefile.COMMAND: call.name}
        console.answer({**head, "recipe": said})
        console.result(recipefile.text({**head, **said}).rstrip("\n"))
        raise typer.Exit
    if recipe is not None:
        words = ", ".join(f"{kind} {recipe.name(kind)}" for kind in call.traits.kinds)
        console.step(f"settled: {words}")
    inputs = {call.form.keys[name] for name in call.traits.reads}
    return recipefile.kept(call.name, said, inputs)


def command(
    *,
    kinds: Sequence[str] = (),
    files: Sequence[str] = (),
    reads: Sequence[str] = (),
    writes: Sequence[str] = (),
    stream: str | None = None,
    many: bool = False,
) -> Callable[[Function], Callable[..., int]]:
    """Make a function a command: give it the options that every command has.

    Parameters
    ----------
    kinds : sequence of str
        The kinds of stage it runs.
    reads, writes : sequence of str
        Which of its parameters name inputs and outputs.
    files, stream, many
        As `Traits` has them.
    """
    traits = Traits(
        kinds=tuple(kinds),
        files=tuple(files),
        reads=tuple(reads),
        writes=tuple(writes),
        stream=stream,
        many=many,
    )

    def decorate(function: Function) -> Callable[..., int]:
        own = inspect.signature(function).parameters
        keys = {name: key_of(name, one.annotation) for name, one in own.items()}
        for one in own.values():
            completed(one)
        form = Form(
            traits=traits,
            keys=keys,
            hints=get_type_hints(function),
            defaults={name: one.default for name, one in own.items()},
        )
        added = {
            "recipe_file": (recipe_option(form), None), **(WRITERS if writes else {}), **COMMON
        }  # fmt: skip

        @wraps(function)
        def called(ctx: typer.Context, **given: Any) -> int:
            common = {name: given.pop(name) for name in added}
            call = Call(
                name=str(ctx.info_name),
                form=form,
                given=given,
                prints=common["print_recipe"],
            )
            return run(ctx, function, call, common)

        context = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        extra = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )
            for name, (annotation, default) in added.items()
        ]
        parameters = [context, *own.values(), *extra]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def completed(parameter: inspect.Parameter) -> None:
    """Show arguments by the names recipes have for them, and let readers refuse files.

    What cannot be read is no misuse, as the option parser would have it. That a flag is off
    where nobody says so needs no words.
    """
    if get_origin(parameter.annotation) is not Annotated:
        return
    for info in parameter.annotation.__metadata__:
        if hasattr(info, "readable"):
            info.readable = False
        if isinstance(info, typer.models.ArgumentInfo):
            info.metavar = parameter.name.upper()
        elif parameter.default is False:
            info.show_default = False


def key_of(name: str, annotation: Any) -> str:
    """Return what a recipe calls a parameter: the long name of its option."""
    if get_origin(annotation) is Annotated:
        for info in annotation.__metadata__:
            # Inside Annotated the first name of an option comes as its default.
            for spelt in (
                getattr(info, "default", None),
                *(getattr(info, "param_decls", ()) or ()),
            ):
                if isinstance(spelt, str) and spelt.startswith("--"):
                    return str(spelt.partition("/")[0][2:].replace("-", "_"))
    return name


def run(ctx: typer.Context, function: Function, call: Call, common: Mapping[str, Any]) -> int:
    """Carry out a call; return its exit code."""
    from gwtransfer.errors import UsageError
    from gwtransfer_cli import recipes, streams, upkeeping

    named = call.paths([*call.traits.reads, *call.traits.writes])
    named += [one for one in common.values() if isinstance(one, Path)]
    if "" in ctx.meta.get(TYPED, ()) and Path() in named:
        raise UsageError("expected the name of a file, found an empty one; is a variable unset?")
    taken = streams.takes_stdout(call, as_json=common["as_json"])
    console.begin(
        console.Voice(
            json=common["as_json"],
            quiet=common["quiet"],
            verbose=common["verbose"],
            taken=taken,
            log=streams.log(common["log_file"], call, common),
        ),
        shlex.join(["gwtransfer", call.name, *ctx.meta.get(TYPED, ())]),
    )
    recipes.give_way(ctx, call)
    _current.set(call)
    with streams.connected(call) as given:
        if call.prints:
            return recipes.printed(function, call, given)
        answer = upkeeping.kept_up(function, call, given, common)
    console.answer(recipes.signed(call.name, answer.figures))
    return answer.code
