"""Solved pairs as lines of text that are only ever appended, so that no kill loses more than one.

A line is ``FIT FIT PLAN VALUE BOUND REACHED/STARTS END CHECKSUM``: the keys of both mixtures in
order, the key of the solver's options, the value and its lower bound (or ``-``), how many starts
reached it, ``converged`` or ``stopped``, and the CRC of all that. A process appends to files of its
own. A line that a kill has torn does not match its checksum and counts as not there.
"""

import os
import secrets
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gwtransfer.errors import ReadError, WriteError

SUFFIX = ".pairs"
_FIELDS = 7


class Solved(NamedTuple):
    """A pair of mixtures and the solver's result.

    Attributes
    ----------
    first, second : str
        Keys of the mixtures, in order.
    plan : str
        Key of the solver's options.
    value : float
        Squared distance.
    bound : float or None
        Certified lower bound of it.
    reached, starts : int
    converged : bool
    """

    first: str
    second: str
    plan: str
    value: float
    bound: float | None
    reached: int
    starts: int
    converged: bool


def line(pair: Solved) -> bytes:
    """Return a pair as a line that ends in its checksum."""
    bound = "-" if pair.bound is None else repr(pair.bound)
    end = "converged" if pair.converged else "stopped"
    text = (
        f"{pair.first} {pair.second} {pair.plan} {pair.value!r} {bound} "
        f"{pair.reached}/{pair.starts} {end}"
    )
    return f"{text} {zlib.crc32(text.encode()):08x}\n".encode()


def parse(one: bytes) -> Solved | None:
    """Return the pair of a line without its end, or None for what is no whole line."""
    text, _, checksum = one.rpartition(b" ")
    fields = text.split(b" ")
    if len(fields) != _FIELDS or checksum != b"%08x" % zlib.crc32(text):
        return None
    first, second, plan, value, bound, starts, end = (field.decode() for field in fields)
    reached, _, run = starts.partition("/")
    return Solved(
        first=first,
        second=second,
        plan=plan,
        value=float(value),
        bound=None if bound == "-" else float(bound),
        reached=int(reached),
        starts=int(run),
        converged=end == "converged",
    )


def read(folder: Path) -> Iterator[Solved]:
    """Yield the pairs of all journals in a folder; what is torn is passed over.

    Raises
    ------
    ReadError
        A journal cannot be read.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with path.open("rb") as file:
                for one in file:
                    pair = parse(one[:-1]) if one.endswith(b"\n") else None
                    if pair is not None:
                        yield pair
        except OSError as error:
            raise ReadError(f"{path}: cannot be read: {error.strerror}") from error


class Journal:
    """A file of this process to which pairs are appended, each at once and in one write."""

    def __init__(self, folder: Path, run: str) -> None:
        self.path = folder / f"{run}-{secrets.token_hex(4)}{SUFFIX}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        try:
            self._handle = os.open(self.path, flags, 0o666)
        except OSError as error:
            raise WriteError(f"{self.path}: cannot be made: {error.strerror}") from error

    def append(self, pair: Solved) -> None:
        """Write a pair so that it outlives this process.

        Raises
        ------
        WriteError
            The system refuses, as when the disk is full.
        """
        text = line(pair)
        try:
            written = os.write(self._handle, text)
        except OSError as error:
            raise WriteError(f"{self.path}: cannot be written: {error.strerror}") from error
        if written < len(text):
            raise WriteError(f"{self.path}: cannot be written: the disk is full")

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


_open: dict[tuple[Path, str], Journal] = {}
_lock = threading.Lock()


def own(folder: Path, run: str) -> Journal:
    """Return this process's journal of a run, made at the first call.

    Parameters
    ----------
    run : str
        What all processes of one run have in common.
    """
    with _lock:
        if (folder, run) not in _open:
            _open[folder, run] = Journal(folder, run)
        return _open[folder, run]


def close(folder: Path, run: str) -> None:
    """Close this process's journal of a run, if it has one."""
    with _lock:
        journal = _open.pop((folder, run), None)
    if journal is not None:
        journal.close()
