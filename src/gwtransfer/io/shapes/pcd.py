"""PCD files: the header and the length checked; plain bodies read here, packed ones by Open3D."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters import open3d
from gwtransfer.errors import PluginError, ReadError

MOST_HEADER = 100_000
MOST_RECORD = 2**20
PACKED = 100
"""No byte of LZF, which packs PCD, becomes more than this many (264 of three)."""

_DATA = re.compile(rb"^DATA[ \t]+(\w+)[ \t]*\r?\n", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What a PCD file says of itself.

    Attributes
    ----------
    points : int
    record : dtype
        One point, field by field, named by their places.
    axes : three of str
        The fields of x, y and z.
    places : three of int
        Where x, y and z are in a line of text.
    words : int
        Numbers in a line of text.
    body : str
        "ascii", "binary" or "binary_compressed".
    start : int
        Where the points begin.
    """

    points: int
    record: np.dtype[Any]
    axes: tuple[str, str, str]
    places: tuple[int, int, int]
    words: int
    body: str
    start: int


def read_pcd(path: Path) -> NDArray[np.float64]:
    """Read the points of a PCD file in its order.

    Returns
    -------
    (n, 3) array
        Not finite where a point was not measured.

    Raises
    ------
    ReadError
        A header that makes no sense, or fewer or more points than it promises.
    PluginError
        The points are packed, which needs Open3D, and it is not there.
    """
    header = _header(path)
    if header.body == "ascii":
        return _read_lines(path, header)
    held = path.stat().st_size - header.start
    promised = header.points * header.record.itemsize
    if header.body == "binary":
        if held < promised:
            raise _cut(path, f"{promised} bytes", held)
        records = np.fromfile(path, header.record, count=header.points, offset=header.start)
        return np.column_stack([records[axis] for axis in header.axes]).astype(np.float64)
    return _read_packed(path, header, held=held, promised=promised)


def _read_lines(path: Path, header: _Header) -> NDArray[np.float64]:
    with path.open("rb") as file:
        file.seek(header.start)
        rows = [line.split() for line in file if not line.isspace()]
    if len(rows) != header.points:
        raise _cut(path, f"{header.points} points", len(rows))
    for number, row in enumerate(rows, start=1):
        if len(row) != header.words:
            raise ReadError(
                f"{path}: expected {header.words} numbers for point {number} as its header says, "
                f"found {len(row)}; the file is broken, write it again"
            )
    try:
        points = [[float(row[place]) for place in header.places] for row in rows]
    except ValueError as error:
        raise ReadError(
            f"{path}: expected numbers for its points, found others: {error}"
        ) from error
    return np.array(points, dtype=np.float64).reshape(-1, 3)


def _read_packed(path: Path, header: _Header, *, held: int, promised: int) -> NDArray[np.float64]:
    """Check both lengths that precede packed points, then let Open3D unpack them."""
    with path.open("rb") as file:
        file.seek(header.start)
        lengths = file.read(8)
    packed, unpacked = (int.from_bytes(lengths[at : at + 4], "little") for at in (0, 4))
    if len(lengths) < 8 or held - 8 < packed:
        raise _cut(path, f"{packed} packed bytes", max(0, held - 8))
    if unpacked != promised or unpacked > PACKED * packed:
        raise ReadError(
            f"{path}: expected {promised} bytes of points as its header says, found {packed} "
            f"packed bytes that claim to hold {unpacked}; the file is broken, write it again"
        )
    for axis in header.axes:
        if header.record[axis].itemsize > 4:
            raise ReadError(
                f"{path}: expected packed coordinates of at most 4 bytes, found "
                f"{header.record[axis].itemsize}; save it as PCD without compression"
            )
    try:
        return open3d.read_pcd(path, points=header.points)
    except PluginError as error:
        raise PluginError(f"{path}: {error}") from error


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        head = file.read(MOST_HEADER)
    end = _DATA.search(head)
    if end is None:
        raise ReadError(f"{path}: expected a PCD header that ends in DATA, found another one")
    said: dict[str, list[str]] = {}
    for line in head[: end.start()].decode("utf-8", errors="replace").splitlines():
        words = line.partition("#")[0].split()
        if words:
            said[words[0].upper()] = words[1:]
    fields = said.get("FIELDS", said.get("COLUMNS", []))
    counts = _integers(path, said, "COUNT", default=["1"] * len(fields))
    sizes, kinds = _integers(path, said, "SIZE"), said.get("TYPE", [])
    if not fields or not len(fields) == len(counts) == len(sizes) == len(kinds):
        raise ReadError(
            f"{path}: expected FIELDS, SIZE, TYPE and COUNT of one length in its PCD header, found "
            f"{len(fields)}, {len(sizes)}, {len(kinds)} and {len(counts)}"
        )
    if any(fields.count(axis) != 1 or counts[fields.index(axis)] != 1 for axis in "xyz"):
        raise ReadError(f"{path}: expected the fields x, y and z, found {' '.join(fields)[:80]}")
    record = [
        (str(place), _kind(path, kind, size), () if count == 1 else (count,))
        for place, (kind, size, count) in enumerate(zip(kinds, sizes, counts, strict=True))
    ]
    if sum(size * count for size, count in zip(sizes, counts, strict=True)) > MOST_RECORD:
        raise ReadError(
            f"{path}: expected points of at most {MOST_RECORD} bytes each, found a PCD header that "
            "says more; the file is broken"
        )
    width = _integers(path, said, "WIDTH", default=["1"])
    height = _integers(path, said, "HEIGHT", default=["1"])
    points = _integers(path, said, "POINTS", default=[str(width[0] * height[0])])[0]
    if points != width[0] * height[0]:
        raise ReadError(
            f"{path}: expected {width[0]} × {height[0]} points as WIDTH and HEIGHT say, found "
            f"POINTS {points}; the header is broken"
        )
    body = end[1].decode().lower()
    if body not in ("ascii", "binary", "binary_compressed"):
        raise ReadError(
            f"{path}: expected DATA ascii, binary or binary_compressed, found DATA {body[:40]}"
        )
    x, y, z = (fields.index(axis) for axis in "xyz")
    return _Header(
        points=points,
        record=np.dtype(record),
        axes=(str(x), str(y), str(z)),
        places=(sum(counts[:x]), sum(counts[:y]), sum(counts[:z])),
        words=sum(counts),
        body=body,
        start=end.end(),
    )


def _integers(
    path: Path, said: dict[str, list[str]], word: str, default: list[str] | None = None
) -> list[int]:
    words = said.get(word, default or [])
    if not all(number.isdecimal() and len(number) < 16 for number in words) or not words:
        raise ReadError(
            f"{path}: expected whole numbers after {word} in its PCD header, found "
            f"{' '.join(words)[:40] or 'nothing'}"
        )
    return [int(number) for number in words]


def _kind(path: Path, kind: str, size: int) -> str:
    letter = {"F": "f", "I": "i", "U": "u"}.get(kind.upper())
    if letter is None or size not in ((4, 8) if letter == "f" else (1, 2, 4, 8)):
        raise ReadError(
            f"{path}: expected TYPE F, I or U of 1 to 8 bytes, found {kind[:8]} of {size}"
        )
    return f"<{letter}{size}"


def _cut(path: Path, promised: str, found: int) -> ReadError:
    return ReadError(
        f"{path}: expected {promised} as its header says, found {found}; the file is truncated or "
        "broken, get it again"
    )
