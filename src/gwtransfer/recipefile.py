"""Recipe files: a command and its keywords as TOML; and the recipes that artefacts carry."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from gwtransfer import __version__
from gwtransfer.errors import ReadError, UsageError
from gwtransfer.io import store
from gwtransfer.io.files import check_readable
from gwtransfer.keywords import several

COMMAND, VERSION = "command", "gwtransfer"
"""Keys of a recipe file that are no keywords of the command: which it is, and who wrote it."""

OF_THIS_RUN = (
    "output", "save_plan", "report", "format", "overwrite", "skip_existing", "depfile", "scheduler",
    "jobs",
)  # fmt: skip
"""Keywords that say where and how, and nothing of what is made: no artefact keeps them."""

USUAL: Mapping[str, Any] = {
    "preview": False, "dither": False, "cog": False, "strip": False, "feather": 0.0
}  # fmt: skip
"""What keywords are where nothing was said."""

LARGEST = 2**20
"""Bytes of a recipe file; what is longer is something else."""


def read(path: Path) -> dict[str, Any]:
    """Read a recipe file, or the recipe that a mixture or plan was made by.

    Returns
    -------
    dict
        Keywords as TOML has them, unchecked; ``command`` among them if it was said.

    Raises
    ------
    ReadError
        Not readable, no TOML, or an artefact without a recipe.
    """
    check_readable(path)
    if store.is_artefact(path):
        held = store.load_artefact(path)[1].get("recipe")
        if not isinstance(held, dict):
            raise ReadError(f"{path}: expected an artefact with its recipe, found none in it")
        return held
    with path.open("rb") as file:
        return parsed(file.read(LARGEST + 1), str(path))


def origins(path: Path) -> dict[str, set[str]]:
    """Return what an artefact was made of: names of files to the SHA-256 of their contents.

    Of other files nothing.
    """
    if not store.is_artefact(path):
        return {}
    provenance = store.load_artefact(path)[1]
    found: dict[str, set[str]] = {}
    for side in (provenance, provenance.get("source", {}), provenance.get("target", {})):
        for one in (side.get("input"), *side.get("pooled", []), side.get("mask")):
            if isinstance(one, dict) and {"name", "sha256"} <= one.keys():
                found.setdefault(one["name"], set()).add(one["sha256"])
    return found


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """Return the keywords of a recipe file's bytes; ``name`` is what to call them.

    Raises
    ------
    ReadError
        No TOML.
    """
    if len(data) > LARGEST:
        raise ReadError(f"{name}: expected a recipe of at most {LARGEST} bytes, found more")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ReadError(f"{name}: expected a recipe in TOML, found no text") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ReadError(f"{name}: expected a recipe in TOML: {error}") from error


def check_version(version: object) -> None:
    """Refuse a recipe that a newer version wrote.

    Raises
    ------
    UsageError
    """
    if version is None:
        return
    try:
        written = [int(part) for part in str(version).split(".")]
    except ValueError:
        raise UsageError(f"{VERSION}: expected a version like 0.1.0, got {version!r}") from None
    if written > [int(part) for part in __version__.split(".")]:
        raise UsageError(
            f"{VERSION}: expected a recipe of version {__version__} or earlier, got {version}; "
            "update gwtransfer"
        )


def kept(command: str, keywords: Mapping[str, Any], inputs: Collection[str]) -> dict[str, Any]:
    """Return a run as a recipe that an artefact carries: equal runs carry equal ones anywhere.

    Parameters
    ----------
    command : str
    keywords : mapping
        All that was asked for.
    inputs : collection of str
        The keywords that name files; of these the names are kept and not the folders, but where
        two have one name.
    """
    said: dict[str, Any] = {COMMAND: command}
    named = _told_apart([Path(one) for key in inputs for one in several(keywords.get(key))])
    for key, value in keywords.items():
        if key in OF_THIS_RUN or value is None or value == USUAL.get(key, ()):
            continue
        values = several(value)
        if key in inputs:
            values = [named[Path(one)] for one in values]
        plural = isinstance(value, list | tuple) and (len(values) > 1 or key not in inputs)
        said[key] = values if plural else values[0]
    return said


def _told_apart(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the names of files, with as many folders before them as tell them apart."""
    found = {}
    for path in (known := list(dict.fromkeys(paths))):
        parts = 1
        while parts < len(path.parts) and any(
            other.parts[-parts:] == path.parts[-parts:] and other.resolve() != path.resolve()
            for other in known
        ):
            parts += 1
        found[path] = Path(*path.parts[-parts:]).as_posix()
    return found


def text(keywords: Mapping[str, Any]) -> str:
    """Return keywords as TOML; equal keywords give equal text."""
    import tomli_w

    return tomli_w.dumps(keywords)
