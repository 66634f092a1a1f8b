"""PLY, as text and binary of both byte orders: points and polygons of any number of corners.

Read here and not by trimesh, which refuses binary faces of different lengths, and tells a file's
length only by guesses about these.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet
from gwtransfer.errors import ReadError
from gwtransfer.io.shapes.fans import fans

MOST_HEADER = 1_000_000

_KINDS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8", "int64": "i8",
    "uint64": "u8", "float16": "f2",
}  # fmt: skip
_FORMATS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_END = re.compile(rb"^end_header[ \t]*(\r\n|\n|\r)", re.MULTILINE)
_CORNERS = ("vertex_indices", "vertex_index")


@dataclass(frozen=True, kw_only=True)
class _Property:
    """A number of each element, or a list of them after its length."""

    name: str
    kind: np.dtype[Any]
    counter: np.dtype[Any] | None = None

    @property
    def least(self) -> int:
        """Bytes it takes at least."""
        return self.kind.itemsize if self.counter is None else self.counter.itemsize


@dataclass(frozen=True, kw_only=True)
class _Element:
    """What comes ``count`` times: vertex, face, …"""

    name: str
    count: int
    properties: tuple[_Property, ...]

    @property
    def least(self) -> int:
        """Bytes that one takes at least."""
        return sum(one.least for one in self.properties)


@dataclass(frozen=True, kw_only=True)
class _Lists:
    """The lists of one property: their numbers one after another, and their lengths."""

    values: NDArray[Any]
    lengths: NDArray[np.int64]


_Columns = dict[str, NDArray[Any] | _Lists]


def read_ply(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read points and triangles.

    Returns
    -------
    vertices : (n, 3) array
    faces : (f, 3) array

    Raises
    ------
    ReadError
        A header that makes no sense, less data than it promises or more bytes, triangle strips.
    """
    elements, text, body = _opened(path)
    if text:
        body = _as_doubles(path, body)
        elements = [replace(one, properties=_doubles(one.properties)) for one in elements]
    unit = 8 if text else 1
    promised = sum(one.count * one.least for one in elements)
    if promised > len(body):
        raise _disagrees(path, promised // unit, len(body) // unit, text=text)
    at, columns = 0, {}
    for element in elements:
        columns[element.name], at = _read(path, element, body, at, text=text)
    if at < len(body) and not text:
        raise _disagrees(path, at, len(body), text=text)
    axes = [columns["vertex"][axis] for axis in "xyz"]
    vertices = np.column_stack([axis for axis in axes if isinstance(axis, np.ndarray)])
    corners = next(
        (columns["face"][name] for name in _CORNERS if name in columns.get("face", {})), None
    )
    if not isinstance(corners, _Lists):
        return vertices.astype(np.float64), np.empty((0, 3), dtype=np.int64)
    with np.errstate(invalid="ignore"):
        whole = corners.values.astype(np.int64)
    if (whole != corners.values).any():
        raise ReadError(f"{path}: expected whole numbers as corners of faces, found fractions")
    return vertices.astype(np.float64), fans(whole, corners.lengths)


def _opened(path: Path) -> tuple[list[_Element], bool, bytes]:
    """Return the elements, whether the body is text, and the body."""
    content = path.read_bytes()
    end = _END.search(content[:MOST_HEADER])
    if end is None:
        raise ReadError(f"{path}: expected a PLY header that ends in end_header, found another one")
    order: str | None = None
    found: list[tuple[str, int, list[_Property]]] = []
    for line in content[: end.start()].decode("utf-8", errors="replace").splitlines()[1:]:
        words = line.split()
        match words:
            case [] | ["comment" | "obj_info", *_]:
                continue
            case ["format", form, _] if form in _FORMATS:
                order = form
            case ["element", name, count] if count.isdecimal() and len(count) < 16:
                found.append((name, int(count), []))
            case ["property", "list", counter, kind, name] if found and order:
                length = _kind(path, counter, order)
                if length.kind == "f":
                    raise ReadError(f"{path}: expected whole lengths of lists, found {counter}")
                found[-1][2].append(
                    _Property(name=name, kind=_kind(path, kind, order), counter=length)
                )
            case ["property", kind, name] if found and order:
                found[-1][2].append(_Property(name=name, kind=_kind(path, kind, order)))
            case _:
                raise ReadError(f"{path}: expected a PLY header, found {line.strip()[:60]!r} in it")
    elements = [
        _Element(name=name, count=count, properties=tuple(own)) for name, count, own in found
    ]
    _check_elements(path, elements)
    return elements, order == "ascii", content[end.end() :]


def _check_elements(path: Path, elements: Sequence[_Element]) -> None:
    named = {one.name: one for one in elements}
    if len(named) != len(elements) or "vertex" not in named:
        raise ReadError(f"{path}: expected a PLY header with one element of points, found another")
    for one in elements:
        names = [own.name for own in one.properties]
        if len(set(names)) != len(names) or (one.count and not names):
            raise ReadError(
                f"{path}: expected properties of different names for {one.name}, found "
                f"{', '.join(names)[:60] or 'none'}"
            )
    plain = {own.name for own in named["vertex"].properties if own.counter is None}
    if not plain >= {"x", "y", "z"}:
        raise ReadError(f"{path}: expected points with x, y and z, found others in its PLY header")
    if not named["vertex"].count:
        raise ReadError(f"{path}: expected points, found none in this PLY file")
    if "tristrips" in named and named["tristrips"].count:
        raise ReadError(f"{path}: triangle strips of PLY are not read; write it with faces")
    face = named.get("face")
    if face and face.count and not {own.name for own in face.properties} & set(_CORNERS):
        raise ReadError(
            f"{path}: expected faces with {_CORNERS[0]}, found others in its PLY header"
        )


def _read(
    path: Path, element: _Element, body: bytes, at: int, *, text: bool
) -> tuple[_Columns, int]:
    """Return the columns of an element that begins at a byte, and where it ends."""
    if not element.count:
        return {}, at
    lengths = _lengths_of_first(path, element, body, at, text=text)
    stride = sum(
        one.least + (0 if one.counter is None else length * one.kind.itemsize)
        for one, length in zip(element.properties, lengths, strict=True)
    )
    if at + element.count * stride > len(body):
        return _walk(path, element, body, at, text=text)
    columns: _Columns = {}
    offset = at
    for one, length in zip(element.properties, lengths, strict=True):
        if one.counter is None:
            columns[one.name] = np.ndarray((element.count,), one.kind, body, offset, (stride,))
            offset += one.kind.itemsize
            continue
        told = np.ndarray((element.count,), one.counter, body, offset, (stride,))
        if (told != length).any():
            return _walk(path, element, body, at, text=text)
        offset += one.counter.itemsize
        lists = np.ndarray(
            (element.count, length), one.kind, body, offset, (stride, one.kind.itemsize)
        )
        columns[one.name] = _Lists(
            values=lists.ravel(), lengths=np.full(element.count, length, dtype=np.int64)
        )
        offset += length * one.kind.itemsize
    return columns, at + element.count * stride


def _lengths_of_first(
    path: Path, element: _Element, body: bytes, at: int, *, text: bool
) -> list[int]:
    """Return how long each list of the first one is; 0 for what is no list."""
    lengths = []
    for one in element.properties:
        length = 0 if one.counter is None else _length(path, one.counter, body, at, text=text)
        lengths.append(length)
        at += one.least + (0 if one.counter is None else length * one.kind.itemsize)
    return lengths


def _walk(
    path: Path, element: _Element, body: bytes, at: int, *, text: bool
) -> tuple[_Columns, int]:
    """Go from list to list, as their lengths differ."""
    starts: list[list[int]] = [[] for _ in element.properties]
    lengths: list[list[int]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for place, one in enumerate(element.properties):
            length = 1
            if one.counter is not None:
                length = _length(path, one.counter, body, at, text=text)
                at += one.counter.itemsize
                lengths[place].append(length)
            starts[place].append(at)
            at += length * one.kind.itemsize
        if at > len(body):
            unit = 8 if text else 1
            raise _disagrees(path, at // unit, len(body) // unit, text=text)
    columns: _Columns = {}
    for one, begins, told in zip(element.properties, starts, lengths, strict=True):
        if one.counter is None:
            columns[one.name] = _gathered(body, np.array(begins), one.kind)
            continue
        sizes = np.array(told, dtype=np.int64)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = np.repeat(begins, sizes) + within * one.kind.itemsize
        columns[one.name] = _Lists(values=_gathered(body, places, one.kind), lengths=sizes)
    return columns, at


def _gathered(body: bytes, places: NDArray[np.int64], kind: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers that begin at these bytes."""
    each = np.frombuffer(body, np.uint8)[places[:, None] + np.arange(kind.itemsize)]
    return np.asarray(each.view(kind).ravel())


def _length(path: Path, counter: np.dtype[Any], body: bytes, at: int, *, text: bool) -> int:
    if at + counter.itemsize > len(body):
        unit = 8 if text else 1
        raise _disagrees(path, (at + counter.itemsize) // unit, len(body) // unit, text=text)
    told = np.frombuffer(body, counter, 1, at)[0]
    if not 0 <= told < 2**31 or told != int(told):
        raise ReadError(f"{path}: expected the length of a list, found {told}; the file is broken")
    return int(told)


def _as_doubles(path: Path, body: bytes) -> bytes:
    """Return the numbers of a text as the bytes of doubles."""
    try:
        with quiet():
            return np.fromstring(body.decode("ascii"), dtype=np.float64, sep=" ").tobytes()
    except ValueError:
        raise ReadError(
            f"{path}: expected nothing but numbers after the PLY header, found something else"
        ) from None


def _doubles(properties: Sequence[_Property]) -> tuple[_Property, ...]:
    double = np.dtype("=f8")
    return tuple(
        replace(one, kind=double, counter=None if one.counter is None else double)
        for one in properties
    )


def _kind(path: Path, word: str, order: str) -> np.dtype[Any]:
    if word not in _KINDS:
        raise ReadError(f"{path}: expected a type of number in its PLY header, found {word[:40]!r}")
    return np.dtype(_FORMATS[order] + _KINDS[word])


def _disagrees(path: Path, expected: int, found: int, *, text: bool) -> ReadError:
    what = "numbers" if text else "bytes"
    more = "at least " if found < expected else ""
    return ReadError(
        f"{path}: expected {more}{expected} {what} after the header as it says, found {found}; "
        "the file is truncated or broken, get it again"
    )
