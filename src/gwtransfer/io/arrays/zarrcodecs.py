"""What undoes the compressions and filters of Zarr chunks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Undo = Callable[[bytes, int], bytes]
"""Takes the bytes of a chunk and how many may come out at most."""

COMPRESSIONS = ("blosc", "bz2", "gzip", "lz4", "zlib", "zstd")
CHECKSUM_BYTES = 4


def find_codec(name: str, given: Mapping[str, Any], stored: np.dtype[Any]) -> Undo:
    """Return what undoes one codec of bytes."""
    name = name.removeprefix("numcodecs.")
    if name in COMPRESSIONS:
        return lambda content, most: _decompressed(name, content, most)
    if name == "lzma":
        return _undo_lzma
    if name == "crc32c":
        return without_checksum
    if name == "shuffle":
        size = int(given.get("elementsize", stored.itemsize))
        return lambda content, _: _unshuffled(content, size)
    if name == "delta" and np.dtype(given.get("astype", given["dtype"])) == stored:
        return lambda content, _: _summed(content, stored)
    raise ValueError(f"the codec {name!r}, known are {', '.join(COMPRESSIONS)} and lzma")


def _decompressed(name: str, content: bytes, most: int) -> bytes:
    import imagecodecs

    decode: Any = getattr(imagecodecs, f"{name}_decode")
    header = {"header": True} if name == "lz4" else {}
    return bytes(decode(content, out=most, **header))


def _undo_lzma(content: bytes, most: int) -> bytes:
    import lzma

    return lzma.LZMADecompressor().decompress(content, max_length=most)


def without_checksum(content: bytes, _: int) -> bytes:
    """Cut off the checksum at the end, unchecked."""
    return content[:-CHECKSUM_BYTES]


def _unshuffled(content: bytes, size: int) -> bytes:
    if size <= 1:
        return content
    return np.frombuffer(content, dtype=np.uint8).reshape(size, -1).T.tobytes()


def _summed(content: bytes, stored: np.dtype[Any]) -> bytes:
    steps = np.frombuffer(content, dtype=stored)
    return np.cumsum(steps, dtype=stored.newbyteorder("=")).astype(stored).tobytes()
