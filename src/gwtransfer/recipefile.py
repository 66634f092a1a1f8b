"""Recipe files: a command and its keywords as TOML; and the recipes that artefacts carry."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwtransfer.errors import ReadError
from gwtransfer.io import store
from gwtransfer.io.files import check_readable

COMMAND, VERSION = "command", "gwtransfer"
"""Keys of a recipe file that are no keywords of the command: which it is, and who wrote it."""

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


def text(keywords: Mapping[str, Any]) -> str:
    """Return keywords as TOML; equal keywords give equal text."""
    import tomli_w

    return tomli_w.dumps(keywords)
