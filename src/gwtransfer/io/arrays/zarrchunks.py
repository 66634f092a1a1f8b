"""The chunks of a Zarr array: which file holds them, and what undoes their compression."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.variables import Index, Numbers, Variable
from gwtransfer.io.arrays.zarrcodecs import CHECKSUM_BYTES, Undo, find_codec, without_checksum
from gwtransfer.io.layout import sizes

EMPTY = 2**64 - 1
"""Offset and length of an inner chunk that is not there."""
SPARE_BYTES = 64
"""By how much a chunk may be longer than its values, for a checksum inside a compression."""
MOST_FILES = 10_000
"""An array with more files than this holds what it says."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """How an array, or a shard of one, is cut and coded.

    Attributes
    ----------
    chunks : tuple of int
    order : tuple of int
        Axes in the order in which a chunk is written.
    stored : dtype
        With the byte order of the file.
    undo : sequence of callable
        What turns the bytes of a chunk back, in this order.
    shards : Grid or None
        How a chunk is cut again; its index has ``index_undo`` and stands at the end or start.
    """

    chunks: tuple[int, ...]
    order: tuple[int, ...]
    stored: np.dtype[Any]
    undo: Sequence[Undo]
    shards: "Grid | None" = None
    index_undo: Sequence[Undo] = ()
    index_bytes: int = 0
    index_first: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Chunked:
    """An array in a folder of chunks.

    Attributes
    ----------
    file : str
        What messages call the whole.
    folder : Path
    name : str
    shape : tuple of int
    dtype : dtype
    fill : number
        What chunks that are not there hold.
    grid : Grid
    key : callable
        Returns the path of a chunk, inside the folder, from its numbers.
    """

    file: str
    folder: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any
    grid: Grid
    key: Callable[[tuple[int, ...]], str]
    held: int = field(default=1)

    def variable(self, dims: tuple[str, ...], attributes: Mapping[str, Any]) -> Variable:
        """Return it as a variable of its file."""
        return Variable(
            name=self.name,
            shape=self.shape,
            dtype=self.dtype,
            read=self.read,
            dims=dims,
            attributes=attributes,
            chunks=(self.grid.shards or self.grid).chunks,
            held=self._held(),
        )

    def _held(self) -> int:
        """Return the bytes of all files of the array, or enough of them."""
        total, count, promised = 0, 0, math.prod(self.shape) * self.dtype.itemsize
        for folder, _, names in os.walk(self.folder):
            chunks = [name for name in names if name not in ("zarr.json", ".zarray", ".zattrs")]
            count += len(chunks)
            if total >= promised or count > MOST_FILES:
                return promised
            total += sum((Path(folder) / name).stat().st_size for name in chunks)
        return total

    def read(self, index: Index) -> Numbers:
        """Read a window."""
        starts = [part.start for part in index]
        out = np.full([part.stop - part.start for part in index], self.fill, dtype=self.dtype)
        for numbers in _touched(index, self.grid.chunks):
            path = self.folder / self.key(numbers)
            corner = [n * c for n, c in zip(numbers, self.grid.chunks, strict=True)]
            if not path.is_file():
                continue
            try:
                with quiet():
                    if self.grid.shards is None:
                        chunk = _decoded(path.read_bytes(), self.grid)
                        _place(out, starts, chunk, corner)
                    else:
                        self._place_shard(out, index, path, corner)
            except Exception as error:
                inside = path.relative_to(self.folder)
                raise ReadError(
                    f"{self.file}: expected a chunk of {self.name} in {inside}, found one that "
                    f"cannot be decoded: {reason(error)}"
                ) from error
        return out

    def _place_shard(self, out: Numbers, index: Index, path: Path, corner: list[int]) -> None:
        """Copy the inner chunks that a window touches out of a shard."""
        inner = self.grid.shards
        assert inner is not None
        counts = [a // b for a, b in zip(self.grid.chunks, inner.chunks, strict=True)]
        with path.open("rb") as file:
            size = path.stat().st_size
            if self.grid.index_bytes > size:
                raise ValueError("a shard without its index")
            file.seek(0 if self.grid.index_first else size - self.grid.index_bytes)
            content = file.read(self.grid.index_bytes)
            for undo in self.grid.index_undo:
                content = undo(content, self.grid.index_bytes)
            table = np.frombuffer(content, dtype="<u8").reshape(*counts, 2)
            within = tuple(
                slice(max(0, part.start - at), min(length, part.stop - at))
                for part, at, length in zip(index, corner, self.grid.chunks, strict=True)
            )
            for numbers in _touched(within, inner.chunks):
                offset, length = (int(word) for word in table[numbers])
                if offset == EMPTY and length == EMPTY:
                    continue
                if offset + length > size:
                    raise ValueError("an inner chunk beyond the end")
                file.seek(offset)
                chunk = _decoded(file.read(length), inner)
                steps = zip(corner, numbers, inner.chunks, strict=True)
                _place(out, [part.start for part in index], chunk, [a + n * c for a, n, c in steps])


def read_version_2(file: str, folder: Path, name: str, said: Mapping[str, Any]) -> Chunked:
    """Understand the metadata of an array of version 2.

    Raises
    ------
    ReadError
        Something is missing or of an unknown kind.
    """
    try:
        shape, chunks = _lengths(said["shape"]), _lengths(said["chunks"])
        stored = np.dtype(said["dtype"]) if isinstance(said["dtype"], str) else np.dtype("V1")
        listed = [said.get("compressor"), *reversed(said.get("filters") or ())]
        undo = [find_codec(one["id"], one, stored) for one in listed if one]
        order = tuple(range(len(shape)))
        separator = str(said.get("dimension_separator", "."))
        grid = Grid(
            chunks=_checked(chunks, shape),
            order=order[::-1] if said.get("order") == "F" else order,
            stored=stored,
            undo=undo,
        )
        return Chunked(
            file=file,
            folder=folder,
            name=name,
            shape=shape,
            dtype=stored.newbyteorder("="),
            fill=_fill(said.get("fill_value"), stored),
            grid=grid,
            key=lambda numbers: separator.join(map(str, numbers)) or "0",
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _unknown(file, name, error) from error


def read_version_3(file: str, folder: Path, name: str, said: Mapping[str, Any]) -> Chunked:
    """Understand the metadata of an array of version 3.

    Raises
    ------
    ReadError
        Something is missing or of an unknown kind.
    """
    try:
        shape = _lengths(said["shape"])
        layout = said["chunk_grid"]
        if layout["name"] != "regular":
            raise ValueError(f"chunk grid {layout['name']!r}")
        kind = said["data_type"]
        stored = np.dtype("V1") if not isinstance(kind, str) or kind[:1] == "r" else np.dtype(kind)
        chunks = _checked(_lengths(layout["configuration"]["chunk_shape"]), shape)
        for codec in said.get("storage_transformers") or ():
            raise ValueError(f"storage transformer {codec.get('name')!r}")
        return Chunked(
            file=file,
            folder=folder,
            name=name,
            shape=shape,
            dtype=stored,
            fill=_fill(said.get("fill_value"), stored),
            grid=_chain(said["codecs"], chunks, stored),
            key=_keys(said.get("chunk_key_encoding") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _unknown(file, name, error) from error


def _keys(said: Mapping[str, Any]) -> Callable[[tuple[int, ...]], str]:
    name = said.get("name", "default")
    given = (said.get("configuration") or {}).get("separator")
    if name == "v2":
        return lambda numbers: (given or ".").join(map(str, numbers)) or "0"
    if name != "default":
        raise ValueError(f"chunk keys {name!r}")
    return lambda numbers: (given or "/").join(["c", *map(str, numbers)])


def _chain(codecs: Sequence[Any], chunks: tuple[int, ...], stored: np.dtype[Any]) -> Grid:
    """Return how to undo the codecs of version 3, from the last to the first."""
    order = tuple(range(len(chunks)))
    undo: list[Undo] = []
    for codec in codecs:
        plain = isinstance(codec, str)
        name = str(codec if plain else codec["name"])
        given: Mapping[str, Any] = {} if plain else codec.get("configuration") or {}
        if name == "transpose":
            order = tuple(order[int(axis)] for axis in given["order"])
        elif name == "bytes":
            stored = stored.newbyteorder(">" if given.get("endian") == "big" else "<")
        elif name == "sharding_indexed":
            if undo or len(codecs) != 1:
                raise ValueError("codecs around shards")
            return _sharded(given, chunks, stored, order)
        else:
            undo.append(find_codec(name, given, stored))
    return Grid(chunks=chunks, order=order, stored=stored, undo=undo[::-1])


def _sharded(
    given: Mapping[str, Any],
    chunks: tuple[int, ...],
    stored: np.dtype[Any],
    order: tuple[int, ...],
) -> Grid:
    inner = _lengths(given["chunk_shape"])
    if any(a % b for a, b in zip(chunks, inner, strict=True)):
        raise ValueError("inner chunks that do not fill a shard")
    counts = math.prod(a // b for a, b in zip(chunks, inner, strict=True))
    index = [one for one in given.get("index_codecs", ()) if one["name"] != "bytes"]
    if any(one["name"] != "crc32c" for one in index):
        raise ValueError("a compressed index of shards")
    return Grid(
        chunks=chunks,
        order=order,
        stored=stored,
        undo=(),
        shards=_chain(given["codecs"], inner, stored),
        index_undo=[without_checksum for _ in index],
        index_bytes=16 * counts + CHECKSUM_BYTES * len(index),
        index_first=given.get("index_location", "end") == "start",
    )


def _decoded(content: bytes, grid: Grid) -> Numbers:
    """Return a chunk as an array in the order of its axes."""
    expected = math.prod(grid.chunks) * grid.stored.itemsize
    for undo in grid.undo:
        content = undo(content, expected + SPARE_BYTES)
    if len(content) < expected:
        raise ValueError(f"{len(content)} bytes instead of {expected}")
    values: Numbers = np.frombuffer(content, dtype=grid.stored, count=math.prod(grid.chunks))
    written = values.reshape([grid.chunks[axis] for axis in grid.order])
    return written.transpose(np.argsort(grid.order))


def _touched(index: Index, chunks: tuple[int, ...]) -> Sequence[tuple[int, ...]]:
    """Return the numbers of the chunks that a window touches."""
    return list(
        product(
            *(
                range(part.start // chunk, -(-part.stop // chunk))
                for part, chunk in zip(index, chunks, strict=True)
            )
        )
    )


def _place(out: Numbers, starts: Sequence[int], chunk: Numbers, corner: Sequence[int]) -> None:
    """Copy what a chunk and a window have in common."""
    into, part = [], []
    for axis, start in enumerate(starts):
        low = max(start, corner[axis])
        high = min(start + out.shape[axis], corner[axis] + chunk.shape[axis])
        into.append(slice(low - start, high - start))
        part.append(slice(low - corner[axis], high - corner[axis]))
    out[tuple(into)] = chunk[tuple(part)]


def _lengths(said: Any) -> tuple[int, ...]:
    lengths = tuple(int(length) for length in said)
    if any(length < 0 or length != given for length, given in zip(lengths, said, strict=True)):
        raise ValueError("a length that is no whole number")
    return lengths


def _checked(chunks: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(chunks) != len(shape) or 0 in chunks:
        raise ValueError(f"chunks {sizes(chunks)} of an array {sizes(shape)}")
    return chunks


def _fill(said: Any, stored: np.dtype[Any]) -> Any:
    """Return what chunks that are not there hold."""
    if stored.kind not in "iuf" or said is None:
        return 0
    if isinstance(said, str) and said.startswith("0x"):
        bits = int(said, 16).to_bytes(stored.itemsize, "little")
        return np.frombuffer(bits, dtype=stored.newbyteorder("<"))[0]
    if isinstance(said, str):
        said = float(said)
    return np.asarray(said).astype(stored)[()]


def _unknown(file: str, name: str, error: Exception) -> ReadError:
    said = f"no {error}" if isinstance(error, KeyError) else reason(error)
    return ReadError(f"{file}: expected a Zarr array this program knows in {name}, found {said}")
