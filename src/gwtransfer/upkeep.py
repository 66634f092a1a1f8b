"""What `make` and scripts ask of outputs: are they current, and what are they made of?

Beside an output ``OUT`` that is kept up lies ``.OUT.made``: a digest of all that decides the
output, which is the contents of its inputs, the command and every keyword, and one of the output.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gwtransfer import __version__
from gwtransfer.errors import GwTransferError
from gwtransfer.io import files
from gwtransfer.io.beside import parts_of

ALGORITHM = 1
"""To be raised when the same inputs and keywords may give another output."""

_SPECIAL = {" ": "\\ ", "#": "\\#", "$": "$$", ":": "\\:", "\t": "\\\t"}

Rule = tuple[Path, Sequence[Path]]
"""An output, and the inputs it is made of."""


def key_of(keywords: Mapping[str, Any], inputs: Sequence[Path]) -> str:
    """Return a digest of all that decides an output.

    Raises
    ------
    ReadError
        An input cannot be read.
    """
    contents = [[[part.name, files.sha256(part)] for part in _there(path)] for path in inputs]
    text = json.dumps([__version__, ALGORITHM, keywords, contents], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _there(path: Path) -> list[Path]:
    """Return the files of an input, or refuse one that is not there."""
    parts = parts_of(path)
    if not parts:
        files.check_readable(path)
    return parts


def record_of(output: Path) -> Path:
    """Return where it is noted what an output was made of."""
    return output.parent / f".{output.name}.made"


def is_current(output: Path, key: str) -> bool:
    """Tell whether an output is what this key makes, and has not been changed since."""
    return _noted(output).get("key") == key and is_ours(output)


def is_ours(output: Path) -> bool:
    """Tell whether an output is as `note` last saw it, and so may be made again."""
    try:
        return _noted(output).get("output") == files.sha256(output)
    except GwTransferError:
        return False


def _noted(output: Path) -> dict[str, Any]:
    try:
        noted = json.loads(record_of(output).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def note(output: Path, key: str) -> None:
    """Note what an output was made of.

    Raises
    ------
    WriteError
        The note cannot be written.
    """
    text = json.dumps({"key": key, "output": files.sha256(output)}, sort_keys=True)
    with files.whole(record_of(output), overwrite=True) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def write_depfile(path: Path, rules: Iterable[Rule]) -> None:
    """Write rules that make and ninja include: each output depends on the files it is made of.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    lines = []
    for output, inputs in rules:
        parts = dict.fromkeys(part for one in inputs for part in parts_of(one))
        lines.append(f"{_escaped(output)}:{''.join(f' {_escaped(part)}' for part in parts)}\n")
        lines += [f"{_escaped(part)}:\n" for part in parts]  # so that one may be deleted
    with files.whole(path, overwrite=True) as temporary:
        temporary.write_text("".join(dict.fromkeys(lines)), "utf-8", "surrogateescape")


def _escaped(path: Path) -> str:
    return "".join(_SPECIAL.get(character, character) for character in str(path))
