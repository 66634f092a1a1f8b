"""What the pages of shapes and of batches have in common."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gwtransfer import recipefile

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it is, and how much there is; 0 is unknown."""


def unwatched(what: str, done: int, total: int) -> None:
    """Report no progress."""
    del what, done, total


def sections_of(text: str) -> tuple[str, ...]:
    """Return the names of a page's sections, from top to bottom."""
    return tuple(re.findall(r'<section [^>]*id="([^"]+)"', text))


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as TOML, by name: the same whether it was kept in a file or in memory."""
    return recipefile.text(_by_name(recipe))


def _by_name(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _by_name(value) if isinstance(value, Mapping) else value
        for key, value in sorted(keywords.items())
    }
