"""The tags of a TIFF file's first directory, read without any library."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gwtransfer.errors import ReadError
from gwtransfer.io.layout import sizes

GEO_TAGS = frozenset({33550, 33922, 34264, 34735, 42112, 42113, 50844})
"""Pixel scale, tie points, transformation, geo keys, GDAL metadata and nodata, RPC."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

MOST_TAGS = 4096

MOST_BANDS = 10_000

MOST_EXPANSION = 20_000
"""Pixels that would take more than this many times the file's bytes are not in it."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The first directory of a TIFF file.

    Attributes
    ----------
    order : {"<", ">"}
        Byte order as `struct` writes it.
    entries : mapping of tag to (type, count, place)
        Where in the file the values of a tag lie.
    following : int
        Where the next directory starts; 0 after the last.
    """

    order: str
    entries: Mapping[int, tuple[int, int, int]]
    following: int

    @property
    def is_geographic(self) -> bool:
        """Whether the file is georeferenced or carries GDAL's own tags."""
        return not GEO_TAGS.isdisjoint(self.entries)


def is_tiff(path: Path) -> bool:
    """Tell from the first bytes whether this is a TIFF or BigTIFF file; never raises."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    except (OSError, ValueError):
        return False


def first_directory(path: Path) -> Directory:
    """Parse where the tags of the first directory lie.

    Raises
    ------
    ReadError
        Not a TIFF file, or it ends before its directory does.
    """
    return next(directories(path))


def directories(path: Path) -> Iterator[Directory]:
    """Yield every directory of the chain; libraries silently stop where a file is cut.

    Raises
    ------
    ReadError
        Not a TIFF file, the chain leaves the file, or it runs in a circle.
    """
    if not is_tiff(path):
        raise ReadError(f"{path}: expected a TIFF file, found something else")
    try:
        with path.open("rb") as file:
            order, big, place = _start(file)
            seen: set[int] = set()
            while place:
                if place in seen:
                    raise ReadError(f"{path}: expected a chain of pages, found a circle")
                seen.add(place)
                directory = _parse(file, order, place, big=big)
                place = directory.following
                yield directory
            if not seen:
                raise ReadError(f"{path}: expected pixels, found a TIFF without pages")
    except (struct.error, ValueError, OverflowError):
        raise ReadError(
            f"{path}: expected a TIFF directory, found the end of the file; it is truncated"
        ) from None
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}") from error


def check_bands(path: Path, directory: Directory) -> None:
    """Check that the samples a pixel are few enough for libraries that make an object of each.

    Raises
    ------
    ReadError
        More than MOST_BANDS.
    """
    if 277 in directory.entries:
        samples = _integers(path, directory, 277, path.stat().st_size)
        if samples and samples[0] > MOST_BANDS:
            raise ReadError(
                f"{path}: expected at most {MOST_BANDS} bands, found {samples[0]} in its header; "
                "it is broken, or must be split"
            )


def check_extent(path: Path, directory: Directory) -> None:
    """Check that the strips or tiles of the first directory lie inside the file.

    Raises
    ------
    ReadError
        Pixels are promised beyond the end of the file.
    """
    held = path.stat().st_size
    for offsets_tag, counts_tag in ((273, 279), (324, 325)):
        if offsets_tag in directory.entries and counts_tag in directory.entries:
            offsets = _integers(path, directory, offsets_tag, held)
            counts = _integers(path, directory, counts_tag, held)
            promised = max((o + c for o, c in zip(offsets, counts, strict=False) if c), default=0)
            if promised > held:
                raise truncated(path, promised, held)


def check_expansion(path: Path, shape: tuple[int, ...], promised: int) -> None:
    """Check that a file can hold its pixels, ``promised`` bytes after decompression.

    Raises
    ------
    ReadError
        No compression shrinks that much: the sizes in its header are wrong.
    """
    held = path.stat().st_size
    if promised > MOST_EXPANSION * held:
        raise ReadError(
            f"{path}: expected {sizes(shape)} pixels as its header says, found a file of "
            f"{held} bytes that cannot hold them; it is truncated or broken"
        )


def truncated(path: Path, promised: int, held: int) -> ReadError:
    """Return the error of a file that ends before its pixels do, sizes in bytes."""
    return ReadError(
        f"{path}: expected {promised} bytes as its header says, found {held}; "
        "the file is truncated or broken, get it again"
    )


def _start(file: BinaryIO) -> tuple[str, bool, int]:
    """Return byte order, whether it is BigTIFF, and where the first directory starts."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    return order, big, struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]


def _parse(file: BinaryIO, order: str, start: int, *, big: bool) -> Directory:
    file.seek(start)
    count_form, entry_form = ("Q", "HHQQ") if big else ("H", "HHII")
    count = struct.unpack(order + count_form, file.read(8 if big else 2))[0]
    if count > MOST_TAGS:
        raise ValueError("too many tags")
    width, field = (20, 8) if big else (12, 4)
    table = file.read(width * count)
    following = struct.unpack(order + ("Q" if big else "I"), file.read(field))[0]
    entries = {}
    for index in range(count):
        tag, kind, length, value = struct.unpack_from(order + entry_form, table, index * width)
        inline = _SIZES.get(kind, 1) * length <= field
        place = start + (8 if big else 2) + index * width + (width - field)
        entries[tag] = (kind, length, place if inline else value)
    return Directory(order=order, entries=entries, following=following)


def _integers(path: Path, directory: Directory, tag: int, held: int) -> tuple[int, ...]:
    kind, count, place = directory.entries[tag]
    if kind not in _CODES or place + _SIZES[kind] * count > held:
        raise truncated(path, place + _SIZES.get(kind, 1) * count, held)
    with path.open("rb") as file:
        file.seek(place)
        stored = file.read(_SIZES[kind] * count)
    return struct.unpack(f"{directory.order}{count}{_CODES[kind]}", stored)
