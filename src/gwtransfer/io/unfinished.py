"""Folders in which outputs are made before they get their names, and those a killed run left.

A run locks the folder it works in, and the system drops the lock when the run ends, however it
ends. So a folder that can be locked is nobody's any more. That holds for the runs of one system
since it was started, which the folder's name tells: of others', which may see no locks of ours over
a network, only what has not been touched for a day is taken for left behind.
"""

import hashlib
import os
import platform
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

try:
    import fcntl
except ImportError:  # not POSIX: nothing is locked, and nothing swept
    fcntl = None  # type: ignore[assignment]

PREFIX = ".gwtransfer-"
"""What the names of these folders begin with, so that inputs are not looked for in them."""

ABANDONED = 86_400.0
"""Seconds without a change after which what another system made is taken for left behind."""

_NAME = re.compile(rf"{re.escape(PREFIX)}([0-9a-f]{{8}})-[0-9a-f]{{16}}")
_swept: set[Path] = set()
_sweeping = threading.Lock()


@contextmanager
def working_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder in the folder of an output; it and all in it are gone at the end.

    Parameters
    ----------
    beside : Path
        The output.

    Yields
    ------
    Path

    Raises
    ------
    OSError
        The system refuses to make it.
    """
    made: list[Path] = []
    handle = None
    try:
        while handle is None:
            made.append(beside.parent / f"{PREFIX}{_system()}-{secrets.token_hex(8)}")
            made[-1].mkdir(mode=0o700)
            if fcntl is None:
                break
            handle = _held(made[-1])
        yield made[-1]
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what killed runs have left in a folder; once a process, and never raises."""
    with _sweeping:
        if folder.absolute() in _swept:
            return
        _swept.add(folder.absolute())
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(folder) if entry.name.startswith(PREFIX)]
        for name in names:
            _sweep_one(folder / name)


def is_unfinished(path: Path) -> bool:
    """Tell whether a path leads through such a folder."""
    return any(_NAME.fullmatch(part) for part in path.parts)


def _sweep_one(left: Path) -> None:
    match = _NAME.fullmatch(left.name)
    if match is None or fcntl is None:
        return
    with suppress(OSError):
        if match[1] != _system() and time.time() - _last_change(left) < ABANDONED:
            return
        handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(handle)


def _held(folder: Path) -> int | None:
    """Lock a folder; None where somebody who sweeps was faster and it must be made anew."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # a file system without locks, where nobody sweeps either
        return handle
    if folder.is_dir():
        return handle
    os.close(handle)
    return None


def _last_change(folder: Path) -> float:
    """Return when a folder or a file in it was changed last, in seconds since the epoch."""
    with os.scandir(folder) as entries:
        times = [entry.stat(follow_symlinks=False).st_mtime for entry in entries]
    return max([folder.stat(follow_symlinks=False).st_mtime, *times])


@cache
def _system() -> str:
    """Return eight digits that differ between systems, and from one start to the next."""
    try:
        told = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except (OSError, ValueError):
        told = platform.node()
    return hashlib.sha256(told.encode()).hexdigest()[:8]
