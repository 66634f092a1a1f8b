"""`gwtransfer stages`: what there is to choose from."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwtransfer_cli import calls, console

if TYPE_CHECKING:
    from gwtransfer.registry import Stage


@calls.command()
def stages(
    kind: Annotated[
        str | None,
        typer.Argument(help="load, prepare, fit, plan, map or write; all when left out."),
    ] = None,
) -> calls.Answer:
    """List every stage with its owner and options; a broken plug-in is listed with its fault."""
    from gwtransfer import registry

    known = [_described(stage) for stage in registry.stages(kind)]
    for stage in known:
        for line in _lines(stage):
            console.result(line)
    for reason in registry.unread():
        console.note(f"not looked at: {reason}")
    return calls.Answer(figures={"stages": known})


def _described(stage: "Stage") -> dict[str, Any]:
    """Return what there is to say of a stage: its fault, or its options."""
    from gwtransfer import registry
    from gwtransfer.errors import PluginError

    fault, options = None, []
    try:
        options = registry.options(registry.find(stage.kind, stage.name))
    except PluginError as error:
        fault = str(error)
    return {
        "kind": stage.kind,
        "name": stage.name,
        "package": stage.package,
        "version": stage.version,
        "fault": fault,
        "options": [
            {"name": one.name, "type": one.type, "default": one.default, "help": one.help}
            for one in options
        ],
    }


def _lines(stage: Mapping[str, Any]) -> Iterator[str]:
    yield "{kind} {name}  ({package} {version})".format(**stage)
    if stage["fault"] is not None:
        yield f"    unusable: {stage['fault']}"
    for option in stage["options"]:
        yield f"    {option['name']} = {_shown(option['default'])}  {option['type']}"
        if option["help"]:
            yield f"        {option['help']}"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
