"""JPEG written strip by strip: each is encoded alone, and restart markers join them.

An encoder of whole files would need the whole picture; others end the program on a full disk.
"""

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet

Bytes = NDArray[np.uint8]

QUALITY = 95
MOST_SIDE = 65_535
"""Pixels of the longest side JPEG can state."""

_BLOCK = 8
_STRIP_PIXELS = 262_144
_MOST_INTERVAL = 65_535

_TABLES = (0xDB, 0xC4)
_FRAME, _SCAN = 0xC0, 0xDA


def write_jpeg(file: BinaryIO, pixels: Iterable[Bytes], *, rows: int, header: bytes) -> None:
    """Write a baseline JPEG of quality 95 without chroma subsampling.

    Parameters
    ----------
    file : binary file
        Empty.
    pixels : iterable of (r, columns, 1 or 3) arrays of uint8
        From top to bottom, gray or RGB, ``rows`` in all.
    rows : int
    header : bytes
        Segments that go before the picture.
    """
    for number, strip in enumerate(_strips(pixels)):
        coded = _Coded.of(_encoded(strip))
        if number == 0:
            interval = _groups(strip.shape[0]) * _groups(strip.shape[1])
            frame = coded.frame[:1] + struct.pack(">H", rows) + coded.frame[3:]
            restart = segment(0xDD, struct.pack(">H", interval))
            parts = (b"\xff\xd8", header, coded.tables, segment(_FRAME, frame), restart)
            file.write(b"".join(parts) + segment(_SCAN, coded.scan))
        else:
            file.write(bytes([0xFF, 0xD0 + (number - 1) % 8]))
        file.write(coded.data)
    file.write(b"\xff\xd9")


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment with its marker and length."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


@dataclass(frozen=True, kw_only=True)
class _Coded:
    """The parts of an encoded strip: bodies of its frame and scan header, tables, coded pixels."""

    tables: bytes
    frame: bytes
    scan: bytes
    data: bytes

    @classmethod
    def of(cls, jpeg: bytes) -> "_Coded":
        """Take a baseline JPEG of one scan apart."""
        tables, frame, at = b"", b"", 2
        while True:
            marker, size = jpeg[at + 1], struct.unpack_from(">H", jpeg, at + 2)[0]
            body = jpeg[at + 4 : at + 2 + size]
            at += 2 + size
            if marker in _TABLES:
                tables += segment(marker, body)
            elif marker == _FRAME:
                frame = body
            elif marker == _SCAN:
                return cls(tables=tables, frame=frame, scan=body, data=jpeg[at:-2])


def _strips(pixels: Iterable[Bytes]) -> Iterator[Bytes]:
    """Cut rows that come in any portions into strips of one height, but for the last."""
    waiting: list[Bytes] = []
    held = 0
    for rows in pixels:
        waiting.append(rows)
        held += len(rows)
        tall = _strip_rows(rows.shape[1])
        if held >= tall:
            joined = np.concatenate(waiting)
            whole = held // tall * tall
            for start in range(0, whole, tall):
                yield joined[start : start + tall]
            waiting, held = [joined[whole:].copy()], held - whole
    if held:
        yield np.concatenate(waiting)


def _strip_rows(columns: int) -> int:
    """Return rows of a strip: whole blocks, and no more of them than an interval may have."""
    groups = min(_STRIP_PIXELS // (_BLOCK * columns), _MOST_INTERVAL // _groups(columns))
    return _BLOCK * max(1, groups)


def _groups(pixels: int) -> int:
    return -(-pixels // _BLOCK)


def _encoded(strip: Bytes) -> bytes:
    from PIL import Image

    samples = strip[:, :, 0] if strip.shape[2] == 1 else strip
    picture: Any = Image.fromarray(np.ascontiguousarray(samples))
    memory = io.BytesIO()
    with quiet("PIL"):
        picture.save(memory, "JPEG", quality=QUALITY, subsampling=0)
    return memory.getvalue()
