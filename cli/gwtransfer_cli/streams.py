"""Standard input and output in the place of files, and the log."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from gwtransfer_cli import console

if TYPE_CHECKING:
    from gwtransfer_cli.calls import Call

STREAM = "-"
OUTPUT = "output"
IN_WORDS, OUT_WORDS = "standard input", "standard output"
TEXT = (".csv", ".cube")
"""Extensions of what a terminal may show."""

STARTS = (
    (b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"II*\0", ".tif"), (b"MM\0*", ".tif"),
    (b"II+\0", ".tif"), (b"MM\0+", ".tif"), (b"\x93NUMPY", ".npy"), (b"PK\x03\x04", ".npz"),
    (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"v/1\x01", ".exr"), (b"#?R", ".hdr"),
    (b"\x89HDF", ".h5"), (b"ply", ".ply"), (b"OFF", ".off"), (b"glTF", ".glb"),
    (b"PAR1", ".parquet"),
)  # fmt: skip
"""What formats begin with, and the extension that says so."""


def takes_stdout(call: "Call", *, as_json: bool) -> bool:
    """Tell whether the output goes to stdout.

    Raises
    ------
    UsageError
        It cannot go there.
    """
    from gwtransfer.errors import UsageError

    for name in call.traits.writes:
        if str(call.given.get(name)) != STREAM:
            continue
        if call.traits.stream is None or name != OUTPUT:
            flag = f"--{call.form.keys[name].replace('_', '-')}"
            raise UsageError(f"{flag} -: expected a file, as this cannot go to {OUT_WORDS}")
        if as_json:
            raise UsageError("--json and --output - both want standard output; drop one")
        if sys.stdout is None:
            raise UsageError("--output -: expected a file or pipe, found standard output closed")
        if sys.stdout.isatty() and _extension(call) not in TEXT:
            raise UsageError("--output -: expected a file or pipe, found a terminal; add > FILE")
        return True
    return False


def _extension(call: "Call") -> str:
    """Return the extension of what goes to stdout."""
    asked = call.given.get("extension")
    return f".{str(asked).lstrip('.')}" if asked else str(call.traits.stream)


@contextmanager
def connected(call: "Call") -> Iterator[dict[str, Any]]:
    """Give the parameters of a call with files in the place of streams.

    What comes in is kept in a temporary folder while the block runs. What goes out does so when
    the block has succeeded.
    """
    given = dict(call.given)
    reading = [name for name in call.traits.reads if _reads(given[name])]
    writing = str(given.get(OUTPUT)) == STREAM and OUTPUT in call.traits.writes
    if not (reading or writing):
        yield given
        return
    with TemporaryDirectory(prefix="gwtransfer-") as folder:
        if reading:
            path = _received(Path(folder), reading, given)
            for name in reading:
                given[name] = _replaced(given[name], path)
        sent = Path(folder, f"out{_extension(call)}") if writing else None
        if sent is not None:
            given[OUTPUT] = type(given[OUTPUT])(sent)
            if "extension" in given:
                given["extension"] = None
            console.call_it(sent, OUT_WORDS)
        yield given
        if sent is not None:
            _send(sent)


def _send(path: Path) -> None:
    """Write a file to standard output.

    Raises
    ------
    BrokenPipeError
        Who read it has gone.
    WriteError
        The system refuses.
    """
    from gwtransfer.errors import WriteError

    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(f"{OUT_WORDS}: cannot be written: {error.strerror}") from error


def _reads(value: Any) -> bool:
    return any(str(one) == STREAM for one in (value if isinstance(value, list) else [value]))


def _replaced(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [path if str(one) == STREAM else one for one in value]
    return type(value)(path)


def _received(folder: Path, names: list[str], given: dict[str, Any]) -> Path:
    """Write what comes in to a file whose name says what it is."""
    from gwtransfer.errors import UsageError
    from gwtransfer.keywords import several

    said = [one for name in names for one in several(given[name]) if str(one) == STREAM]
    if len(said) > 1 or stdin_once.cache_info().currsize:
        raise UsageError("-: expected one input from standard input, found several")
    data = stdin_bytes()
    extension = next((extension for start, extension in STARTS if data.startswith(start)), ".csv")
    path = folder / f"stdin{extension}"
    path.write_bytes(data)
    console.call_it(path, IN_WORDS)
    return path


@cache
def stdin_once() -> bytes:
    """Return all that comes in, again when asked again: `run` and its command read one recipe.

    Raises
    ------
    UsageError
        As `stdin_bytes`.
    """
    return stdin_bytes()


def forget() -> None:
    """Read standard input anew."""
    stdin_once.cache_clear()


def stdin_bytes() -> bytes:
    """Return all that comes in.

    Raises
    ------
    UsageError
        A terminal, where nothing comes.
    """
    from gwtransfer.errors import UsageError

    if sys.stdin is None or sys.stdin.isatty():
        found = "standard input closed" if sys.stdin is None else "a terminal"
        raise UsageError(f"-: expected data from a pipe or file, found {found}")
    return sys.stdin.buffer.read()


def log(path: Path | None, call: "Call", common: Mapping[str, Any]) -> IO[str] | None:
    """Open the log to add to it.

    Raises
    ------
    UsageError
        It is an input, an output, the recipe or the depfile.
    WriteError
        It cannot be written.
    """
    from gwtransfer.errors import UsageError, WriteError

    if path is None:
        return None
    named = call.paths([*call.traits.reads, *call.traits.writes])
    named += [one for one in (common["recipe_file"], common.get("depfile")) if one is not None]
    for one in named:
        if path.resolve() == one.resolve():
            raise UsageError(f"{path}: the log is {one}; choose another name")
    try:
        return path.open("a", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error
