"""Files as such: readable or not, written whole or not at all."""

import difflib
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from gwtransfer.adapters.foreign import reason
from gwtransfer.errors import GwTransferError, ReadError, UsageError, WriteError
from gwtransfer.io.unfinished import is_unfinished, sweep, working_folder

MOST_SWOLLEN, MOST_SWELLING = 256 * 2**20, 200
"""Bytes that anything may become when it is decoded; and beyond, how many a byte may become."""


def check_readable(path: Path) -> None:
    """Refuse what no reader could read.

    Raises
    ------
    ReadError
        The path is missing, not a regular file, empty, or not readable by this user.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ReadError(f"{path}: expected a file, found a folder; name a file inside it")
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(f"{path}: expected a regular file, found a device or pipe")
        if status.st_size == 0:
            raise ReadError(f"{path}: expected data, found an empty file; make it again")
        with path.open("rb"):
            pass
    except ReadError:
        raise
    except FileNotFoundError:
        raise ReadError(f"{path}: no such file{_nearest(path)}") from None
    except NotADirectoryError:
        raise ReadError(f"{path}: no such file; {path.parent} is not a folder") from None
    except PermissionError:
        raise ReadError(f"{path}: no permission to read; ask its owner or use chmod") from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{path!s}: cannot be read: {_plain(error)}") from None


def check_swelling(
    name: str, held: int, decoded: int, *, instead: str = "save it as an uncompressed TIFF"
) -> None:
    """Refuse, before memory is taken, a few bytes that become very many when they are decoded.

    No photograph or measurement shrinks like that; what does was made to fill the memory, or is so
    empty that it can be stored otherwise.

    Parameters
    ----------
    name : str
        What messages call the file.
    held : int
        Bytes it holds for what is decoded in one piece.
    decoded : int
        Bytes of that after decoding.
    instead : str
        What to do.

    Raises
    ------
    ReadError
        Above MOST_SWOLLEN bytes, more than MOST_SWELLING times as many as are held.
    """
    if decoded > max(MOST_SWOLLEN, MOST_SWELLING * held):
        raise ReadError(
            f"{name}: expected at most {MOST_SWELLING} bytes decoded a byte, found {held} bytes "
            f"that swell to {decoded}, as decompression bombs do; {instead}"
        )


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; never raises."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_pattern(path: Path) -> bool:
    """Tell whether a path is no file but a pattern of the shell's kind (``*``, ``?``, ``[…]``)."""
    try:
        return any(character in str(path) for character in "*?[") and not os.path.lexists(path)
    except ValueError:
        return False


def listed(path: Path) -> list[Path]:
    """Return the files of a folder or pattern, in no order; subfolders are left out."""
    if path.is_dir():
        return [Path(path, entry.name) for entry in os.scandir(path) if entry.is_file()]
    if not is_pattern(path):
        return []
    if path.parent.is_dir():  # a folder's own name may hold brackets
        names = [entry.name for entry in os.scandir(path.parent) if entry.is_file()]
        return [Path(path.parent, name) for name in names if fnmatch(name, path.name)]
    start = Path(path.anchor or ".")
    pattern = path.relative_to(start) if path.anchor else path
    return [one for one in start.glob(str(pattern)) if one.is_file() and not is_unfinished(one)]


def natural(path: Path) -> tuple[list[str | int], str]:
    """Return a sort key by which numbers inside names count by their value: 2 before 10."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], str(path)


def check_output(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse an output early, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where the result shall go.
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of Path
        Files that are read, none of which may be the output.

    Raises
    ------
    UsageError
        The output is one of the inputs, under this or another name.
    WriteError
        The output exists and may not be replaced, or its folder cannot hold it.
    """
    for given in inputs:
        if _same_file(path, given):
            raise UsageError(f"{path}: the output is the input {given}; choose another name")
    folder = path.parent
    if not folder.exists():
        raise WriteError(f"{path}: there is no folder {folder}; make it first")
    if not folder.is_dir():
        raise WriteError(f"{path}: expected {folder} to be a folder, found a file")
    if path.is_dir():
        raise WriteError(f"{path}: expected a file name, found a folder; add a file name to it")
    if os.path.lexists(path):
        if path.exists() and not path.is_file():
            raise WriteError(f"{path}: expected a regular file, found a device or pipe")
        if not overwrite:
            raise _exists(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(f"{path}: no permission to write in {folder}")


@contextmanager
def whole(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary name, and move it to ``path`` only when the block has succeeded.

    The temporary file has the same suffix, and the permissions the umask asks for. It lies in a
    folder of its own beside the output, with room for what a library puts next to it. Whatever ends
    the block early, an interrupt included, leaves nothing behind; what a killed run has left there
    is removed by the next.

    Parameters
    ----------
    path : Path
        Where the finished file appears.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        An empty file to write to.

    Raises
    ------
    WriteError
        As `check_output`, or the system refuses to write (a full disk, for instance).
    """
    check_output(path, overwrite=overwrite)
    sweep(path.parent)
    temporary = None
    try:
        with working_folder(path) as folder:
            temporary = folder / f"{folder.name}{path.suffix}"
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
            _to_disk(temporary)
            _publish(temporary, path, overwrite=overwrite)
            with suppress(OSError):
                _to_disk(path.parent)
    except WriteError as error:
        message = str(error)
        for name in [] if temporary is None else (temporary.absolute(), temporary, temporary.name):
            message = message.replace(str(name), str(path))
        raise WriteError(message) from error
    except GwTransferError:
        raise
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {_plain(error)}") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of all a folder or pattern holds, in hexadecimal.

    Raises
    ------
    ReadError
        The file cannot be read.
    """
    if not (is_folder(path) or is_pattern(path)):
        check_readable(path)
    try:
        if is_folder(path):
            parts = sorted(part for part in path.rglob("*") if _counts(part, within=path))
            names = [str(part.relative_to(path)) for part in parts]
        elif is_pattern(path):
            parts = sorted(listed(path))
            names = [part.name for part in parts]
        else:
            return _digest(path)
        digests = [f"{name}\0{_digest(part)}\n" for name, part in zip(names, parts, strict=True)]
        return hashlib.sha256("".join(digests).encode("utf-8", "surrogateescape")).hexdigest()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {_plain(error)}") from error


def _counts(path: Path, *, within: Path) -> bool:
    return path.is_file() and not is_unfinished(path.relative_to(within))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give the finished file its name; without overwrite, never over a file that appeared since."""
    if not overwrite:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                raise _exists(path) from None
        else:
            return
    temporary.replace(path)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exists(path: Path) -> WriteError:
    return WriteError(f"{path}: already exists; add --overwrite to replace it")


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _nearest(path: Path) -> str:
    """Name the file of that folder whose name is most like the missing one."""
    try:
        names = [entry.name for entry in os.scandir(path.parent)]
    except OSError:
        return f"; there is no folder {path.parent}"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or reason(error)
