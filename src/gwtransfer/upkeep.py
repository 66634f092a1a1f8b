"""What `make` and scripts ask of outputs: are they current, and what are they made of?

Beside an output ``OUT`` that is kept up lies ``.OUT.made``: a digest of all that decides the
output, which is the contents of its inputs, the command and every keyword, and one of the output.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gwtransfer import __version__
from gwtransfer.errors import GwTransferError, WriteError
from gwtransfer.io import files
from gwtransfer.io.beside import parts_of

ALGORITHM = 1
"""To be raised when the same inputs and keywords may give another output."""

_SPECIAL = {" ": "\\ ", "#": "\\#", "$": "$$", ":": "\\:", "\t": "\\\t"}

_NOT_MADE = "=;|%*?\n"
"""What a name may hold and make takes for its own, however it is escaped."""

Rule = tuple[Path, Sequence[Path]]
"""An output, and the inputs it is made of."""


def key_of(keywords: Mapping[str, Any], inputs: Sequence[Path]) -> str:
    """Return a digest of all that decides an output.

    Raises
    ------
    ReadError
        An input cannot be read.
    """
    contents = [
        [[_name_in(path, part), files.sha256(part)] for part in _there(path)] for path in inputs
    ]
    text = json.dumps([__version__, ALGORITHM, keywords, contents], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _name_in(path: Path, part: Path) -> str:
    """Return what a file of an input is called there; a folder may be called anything."""
    return part.relative_to(path).as_posix() if files.is_folder(path) else part.name


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
    noted = _noted(output)
    if noted.get("key") != key or noted.get("output") is None:
        return False  # without reading the output
    return bool(noted["output"] == _digest(output))


def is_ours(output: Path) -> bool:
    """Tell whether an output may be made again: it is as it was noted, or was just being made.

    What is older than the note that it is being made was put there by somebody else.
    """
    noted, made = _noted(output), _digest(output)
    if made is None or ("output" in noted and noted["output"] == made):
        return True
    try:
        return "making" in noted and _time(output) >= _time(record_of(output))
    except OSError:
        return False


@contextmanager
def keeping(outputs: Sequence[Path], key: str) -> Iterator[list[Path]]:
    """Note what outputs are made of when the block, which makes them, has succeeded.

    The block may take outputs that it made in part out of the list it is given: they will be made
    again.

    While it runs a note says so: a run that is killed just after an output appeared leaves one
    that the next run may replace. When it fails, the notes are as before.

    Raises
    ------
    WriteError
        A note cannot be written.
    """
    before = {output: _noted(output) for output in outputs}
    was = {output: _digest(output) for output in outputs}
    for output in outputs:
        _note(output, {**before[output], "key": "", "making": key})
    good = list(outputs)
    try:
        yield good
    except BaseException:
        for output in outputs:
            if _digest(output) == was[output]:  # else it appeared: it is ours, and to be made again
                _note(output, before[output])
        raise
    for output in outputs:
        made = _digest(output)
        _note(output, {"key": key if output in good else "", "output": made} if made else {})


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def _digest(output: Path) -> str | None:
    try:
        return files.sha256(output)
    except GwTransferError:
        return None


def _noted(output: Path) -> dict[str, Any]:
    try:
        noted = json.loads(record_of(output).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note(output: Path, noted: Mapping[str, Any]) -> None:
    record = record_of(output)
    if not noted:
        record.unlink(missing_ok=True)
        return
    with files.whole(record, overwrite=True) as temporary:
        temporary.write_text(f"{json.dumps(noted, sort_keys=True)}\n", encoding="utf-8")


def check_names(path: Path, others: Iterable[Path]) -> None:
    """Refuse names that a depfile cannot hold.

    Raises
    ------
    WriteError
        A name has a character that make takes for its own.
    """
    for one in others:
        held = next((character for character in str(one) if character in _NOT_MADE), None)
        if held is not None:
            raise WriteError(
                f"{path}: make understands no name with {held!r}, found {one}; rename it"
            )


def write_depfile(path: Path, rules: Iterable[Rule]) -> None:
    """Write rules that make and ninja include: each output depends on the files it is made of.

    Raises
    ------
    WriteError
        It cannot be written, or hold a name.
    """
    lines = []
    for output, inputs in rules:
        parts = dict.fromkeys(part for one in inputs for part in parts_of(one))
        check_names(path, [output, *parts])
        lines.append(f"{_escaped(output)}:{''.join(f' {_escaped(part)}' for part in parts)}\n")
        lines += [f"{_escaped(part)}:\n" for part in parts]  # so that one may be deleted
    with files.whole(path, overwrite=True) as temporary:
        temporary.write_text("".join(dict.fromkeys(lines)), "utf-8", "surrogateescape")


def _escaped(path: Path) -> str:
    return "".join(_SPECIAL.get(character, character) for character in str(path))
