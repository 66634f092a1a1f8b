"""`gwtransfer stages`: what there is to choose from."""

from typing import Annotated

import typer

from gwtransfer_cli import console


def stages(
    kind: Annotated[
        str | None,
        typer.Argument(help="load, prepare, fit, plan, map or write; all when left out."),
    ] = None,
) -> None:
    """List every stage with its owner and options; a broken plug-in is listed with its fault."""
    from gwtransfer import registry
    from gwtransfer.errors import PluginError

    for stage in registry.stages(kind):
        console.say(f"{stage.kind} {stage.name}  ({stage.package} {stage.version})")
        try:
            cls = registry.find(stage.kind, stage.name)
        except PluginError as error:
            console.say(f"    unusable: {error}")
            continue
        for option in registry.options(cls):
            console.say(f"    {option.name} = {_shown(option.default)}  {option.type}")
            if option.help:
                console.say(f"        {option.help}")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
