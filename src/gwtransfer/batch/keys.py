"""Names for fits and plans, made of all that decides them, so that what is kept is never stale."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwtransfer import __version__
from gwtransfer.io.beside import parts_of
from gwtransfer.io.files import sha256

ALGORITHM = 2
"""To be raised when a file and its options may give another mixture, or mixtures another value."""

FIT_DIGITS, PLAN_DIGITS = 32, 16


def content(path: Path) -> str:
    """Return a digest of a file's bytes, and of those of the files that are read with it.

    Raises
    ------
    ReadError
        A file cannot be read.
    """
    return "-".join(sha256(part) for part in parts_of(path))


def fit_key(digest: str, path: Path, stages: Mapping[str, Any], seed: int) -> str:
    """Return the name of a file's mixture.

    Parameters
    ----------
    digest : str
        Of the content.
    path : Path
        Its extension tells how the content is read.
    stages : mapping
        The prepare and the fit stage with every option.
    """
    return _key([digest, path.suffix.lower(), stages, seed])[:FIT_DIGITS]


def plan_key(stage: Mapping[str, Any]) -> str:
    """Return the name of a solver with every option."""
    return _key([stage])[:PLAN_DIGITS]


def share(text: str, parts: int) -> int:
    """Return which of several parts something belongs to, from 0, by its name alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) % parts


def _key(parts: list[Any]) -> str:
    text = json.dumps([__version__, ALGORITHM, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
