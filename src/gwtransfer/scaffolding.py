"""A new package with one stage, written from templates: it installs, works and is tested."""

import keyword
import os
import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from gwtransfer import registry
from gwtransfer.errors import PluginError, UnknownStageError, UsageError, WriteError
from gwtransfer.io.unfinished import sweep, working_folder
from gwtransfer.options import instead

TRIED: Mapping[str, str] = {
    "load": "gwtransfer inspect FILE",
    "prepare": "gwtransfer color SOURCE PALETTE -o OUT --set prepare=$name",
    "fit": "gwtransfer color SOURCE PALETTE -o OUT --set fit=$name",
    "plan": "gwtransfer color SOURCE PALETTE -o OUT --solver $name",
    "map": "gwtransfer color SOURCE PALETTE -o OUT --map $name",
    "write": "gwtransfer color SOURCE PALETTE -o OUT.$name",
}
"""How a stage of each kind is used."""

LONGEST = 40
"""Characters of a name."""


def new_stage(name: str, kind: str, folder: Path) -> list[Path]:
    """Write a package with a working stage, its test and its README; the folder appears whole.

    Parameters
    ----------
    name : str
        Of the stage and of the package that is imported.
    kind : str
        One of `registry.KINDS`.
    folder : Path
        What does not exist yet.

    Returns
    -------
    list of Path
        The files, in the folder.

    Raises
    ------
    UsageError
        There is no such kind, or the name cannot be a package's or is taken.
    WriteError
        The folder exists, or cannot be made.
    """
    if kind not in registry.KINDS:
        raise UnknownStageError(
            f"no kind of stage is called {kind!r}{instead(kind, registry.KINDS)}"
        )
    _check_spelling(name)
    _check_folder(folder)
    _check_free(name, kind)
    texts = rendered(name, kind)
    sweep(folder.parent)
    try:
        with working_folder(folder) as temporary:
            for place, text in texts.items():
                path = temporary / name / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            (temporary / name).rename(folder)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return [folder / place for place in texts]


def rendered(name: str, kind: str) -> dict[str, str]:
    """Return the files of a package: their places in its folder, and what they hold."""
    words = {
        "name": name,
        "NAME": name.upper(),
        "Class": "".join(part.capitalize() for part in name.split("_")) + "Stage",
        "kind": kind,
        "distribution": f"gwtransfer-{name.replace('_', '-')}",
    }
    words["command"] = Template(TRIED[kind]).substitute(words)
    places = {
        "README.md": "readme.txt",
        "pyproject.toml": "pyproject.txt",
        f"src/{name}/__init__.py": "init.txt",
        f"src/{name}/stage.py": f"stage/{kind}.txt",
        f"tests/test_{name}.py": f"proof/{kind}.txt",
    }
    folder = files("gwtransfer") / "templates"
    return {
        place: Template((folder / template).read_text("utf-8")).substitute(words)
        for place, template in places.items()
    }


def _check_spelling(name: str) -> None:
    """Refuse a name that a package cannot have."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"new-stage {name}: expected a name of a Python package, lower-case letters, digits "
            "and single underscores, as warm_light"
        )
    if len(name) > LONGEST:
        raise UsageError(
            f"new-stage {name}: expected at most {LONGEST} characters, got {len(name)}"
        )


def _check_folder(folder: Path) -> None:
    """Refuse a folder that exists, or whose own folder does not."""
    try:
        if os.path.lexists(folder):
            raise WriteError(f"{folder}: already exists; choose another folder with -o")
        if not folder.parent.is_dir():
            raise WriteError(f"{folder}: there is no folder {folder.parent}; make it first")
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            raise WriteError(f"{folder}: no permission to write in {folder.parent}")
    except ValueError as error:  # a name no system has
        raise UsageError(f"{str(folder)!r}: cannot be a folder: {error}") from error


def _check_free(name: str, kind: str) -> None:
    """Refuse a name that would hide, or be confused with, what is installed."""
    for stage in registry.stages(kind):
        if stage.name == name:
            raise UsageError(f"new-stage {name}: there is a {stage} already; choose another name")
    spec = find_spec(name)
    if spec is not None and spec.origin is not None:  # a mere folder has no origin
        raise UsageError(
            f"new-stage {name}: Python finds a module of this name already ({spec.origin}); choose "
            "another name"
        )
    if kind == "write":
        _check_extension(name)


def _check_extension(name: str) -> None:
    """Refuse an extension that somebody writes."""
    for stage in registry.stages("write"):
        try:
            known = registry.find("write", stage.name).extensions
        except PluginError:
            continue
        if f".{name}" in known:
            raise UsageError(
                f"new-stage {name}: {stage} writes .{name} already; choose another name"
            )
