"""The parts of a PNG file: checked before a library sees them, and what they say beside pixels."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gwtransfer.errors import ReadError
from gwtransfer.io.files import check_swelling

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_EXTRA = 64 * 1024 * 1024
"""Bytes of a part beside the pixels that are looked at; longer ones are passed over."""

_PIECE = 1 << 20
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row of each pass of an interlaced file, and its steps."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Header:
    """What the first part of a PNG says.

    Attributes
    ----------
    columns, rows : int
    depth : int
        Bits a sample.
    colour : int
        0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
    interlaced : bool
    """

    columns: int
    rows: int
    depth: int
    colour: int
    interlaced: bool

    def passes(self) -> list[tuple[int, int]]:
        """Return (rows, bytes a row with its filter) of each stretch of pixels."""
        grids = [(self.rows, self.columns)]
        if self.interlaced:
            grids = [
                ((self.rows - y + dy - 1) // dy, (self.columns - x + dx - 1) // dx)
                for x, y, dx, dy in _PASSES
            ]
        bits = self.depth * _SAMPLES[self.colour]
        return [(rows, 1 + (columns * bits + 7) // 8) for rows, columns in grids if rows * columns]


def depth_of(head: bytes) -> int | None:
    """Return the bits a sample that the first bytes of a file promise; None when it is no PNG."""
    if len(head) < 25 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
        return None
    return head[24]


def read_header(path: Path) -> Header:
    """Read the header, and refuse one that promises more than the file can hold.

    Raises
    ------
    ReadError
        Truncated, or broken.
    """
    with path.open("rb") as file:
        head = file.read(33)
        held = file.seek(0, 2)
    if len(head) < 29 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
        raise ReadError(f"{path}: expected a PNG header, found a truncated or broken file")
    columns, rows, depth, colour, packed, filtered, laced = struct.unpack_from(">IIBBBBB", head, 16)
    sound = 0 < columns < 2**31 and 0 < rows < 2**31 and depth in _DEPTHS.get(colour, ())
    if not sound or (packed, filtered) != (0, 0) or laced > 1:
        raise ReadError(
            f"{path}: expected a PNG header that PNG allows, found {columns} × {rows} pixels of "
            f"{depth} bits, colour type {colour}; the file is broken"
        )
    decoded = rows * columns * depth * _SAMPLES[colour] // 8
    if decoded > 1100 * held:  # deflate: 1032 : 1 at most
        raise ReadError(
            f"{path}: expected {columns} × {rows} pixels as its header says, found a file of "
            f"{held} bytes that cannot hold them; it is truncated or broken"
        )
    check_swelling(str(path), held, decoded)
    return Header(columns=columns, rows=rows, depth=depth, colour=colour, interlaced=laced == 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """What a PNG says beside its pixels.

    Attributes
    ----------
    header : Header
    icc, exif : bytes or None
    dpi : tuple of 2 floats or None
    frames : int
        More than 1 in an animation.
    note : str
        What of it is not heeded; empty when all is.
    """

    header: Header
    icc: bytes | None
    exif: bytes | None
    dpi: tuple[float, float] | None
    frames: int
    note: str


def read_parts(path: Path) -> Parts:
    """Go through a PNG from end to end, and refuse it unless it can be decoded.

    Decoders print what they find wrong; nothing is left for them to find.

    Raises
    ------
    ReadError
        Truncated, damaged or not PNG.
    """
    header = read_header(path)
    pixels = _Pixels(header)
    kept: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        try:
            for kind, body in _parts(file, pixels):
                kept.setdefault(kind, body)
        except _BrokenError as error:
            raise ReadError(
                f"{path}: expected a PNG picture, found {error}; it is truncated or broken"
            ) from error
    animation = kept.get(b"acTL", b"")
    return Parts(
        header=header,
        icc=_profile(kept.get(b"iCCP")),
        exif=kept.get(b"eXIf"),
        dpi=_dpi(kept.get(b"pHYs")),
        frames=struct.unpack(">I", animation[:4])[0] if len(animation) == 8 else 1,
        note=unheeded(
            None if b"iCCP" in kept or b"sRGB" in kept else _gamma(kept.get(b"gAMA")),
            coded=_is_foreign(kept.get(b"cICP")),
        ),
    )


def names_other_colours(path: Path) -> bool:
    """Tell whether a PNG's cICP part names other colours than sRGB; pixels are not looked at."""
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        while len(start := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", start)
            if kind == b"cICP":
                body, total = file.read(size if size <= MOST_EXTRA else 0), file.read(4)
                sound = total == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
                return sound and _is_foreign(body)
            if kind in (b"IDAT", b"IEND"):
                break
            file.seek(size + 4, 1)
    return False


def _is_foreign(code: bytes | None) -> bool:
    """Tell whether a cICP part is there, and of other primaries or another curve than sRGB."""
    return code is not None and code[:2] != b"\x01\x0d"


def unheeded(gamma: float | None, *, coded: bool = False) -> str:
    """Return the note for a file whose numbers may mean something else than sRGB.

    Parameters
    ----------
    gamma : float or None
        As the file has it: 1/2.2 is usual, 1 is linear light.
    coded : bool
        Whether a code names other primaries or another curve.
    """
    if coded:
        return "the colours its cICP part names are not heeded; its numbers are taken as sRGB"
    if gamma is None or abs(gamma - 1 / 2.2) < 0.02:
        return ""
    return f"its gamma of {gamma:g} is not heeded; its numbers are taken as sRGB"


class _BrokenError(ValueError):
    """What was found instead of a PNG."""


class _Pixels:
    """Follows the packed pixels without keeping them: whole, and rows with known filters?"""

    def __init__(self, header: Header) -> None:
        self.unpack = zlib.decompressobj()
        self.seen = 0
        self.stretches: list[tuple[int, int, int]] = []
        self.expected = 0
        for rows, size in header.passes():
            self.stretches.append((self.expected, self.expected + rows * size, size))
            self.expected += rows * size

    def take(self, piece: bytes) -> None:
        """Unpack a piece of the stream and look at the rows that begin in it."""
        while piece and self.seen < self.expected:
            try:
                data = self.unpack.decompress(piece, _PIECE)
            except zlib.error as error:
                raise _BrokenError(f"pixels that cannot be unpacked ({error})") from error
            for start, stop, size in self.stretches:
                first = start + max(0, -(-(self.seen - start) // size)) * size
                if max(data[first - self.seen : max(stop - self.seen, 0) : size], default=0) > 4:
                    raise _BrokenError("a row with an unknown filter")
            self.seen += len(data)
            piece = self.unpack.unconsumed_tail
            if not data and not piece:
                return

    def check_whole(self) -> None:
        """Refuse when rows are missing."""
        if self.seen < self.expected:
            raise _BrokenError(f"{self.seen} of {self.expected} bytes of pixels")


def _parts(file: BinaryIO, pixels: _Pixels) -> Iterator[tuple[bytes, bytes]]:
    """Yield the parts beside the pixels as (kind, body); a damaged optional one is passed over."""
    before = b""
    started = False
    while True:
        start = file.read(8)
        if len(start) < 8:
            raise _BrokenError("its end too early")
        size, kind = struct.unpack(">I4s", start)
        if size >= 2**31 or not kind.isalpha():
            raise _BrokenError("a damaged part")
        critical = not kind[0] & 32
        if critical and kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            raise _BrokenError(f"an unknown part {kind.decode()}")
        if (kind == b"IDAT" and started and before != b"IDAT") or (kind == b"IHDR" and before):
            raise _BrokenError(f"a misplaced part {kind.decode()}")
        body, sound = _body(file, size, kind, pixels)
        if critical and not sound:
            raise _BrokenError(f"a damaged part {kind.decode()}")
        if kind == b"IEND":
            pixels.check_whole()
            return
        started |= kind == b"IDAT"
        before = kind
        if not critical and sound:
            yield kind, body


def _body(file: BinaryIO, size: int, kind: bytes, pixels: _Pixels) -> tuple[bytes, bool]:
    """Read a part to its end; return its body, unless it is pixels, and whether its sum fits."""
    total, left, body = zlib.crc32(kind), size, bytearray()
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise _BrokenError("its end too early")
        total, left = zlib.crc32(piece, total), left - len(piece)
        if kind == b"IDAT":
            pixels.take(piece)
        elif size <= MOST_EXTRA:
            body += piece
    return bytes(body), file.read(4) == struct.pack(">I", total)


def _profile(body: bytes | None) -> bytes | None:
    """Unpack a profile from its part; None when it is broken or far too large."""
    name, _, packed = (body or b"").partition(b"\0")
    if not name or packed[:1] != b"\0":
        return None
    unpack = zlib.decompressobj()
    try:
        icc = unpack.decompress(packed[1:], MOST_EXTRA)
    except zlib.error:
        return None
    return icc if unpack.eof else None


def _dpi(body: bytes | None) -> tuple[float, float] | None:
    if body is None or len(body) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", body)
    return (across * 0.0254, down * 0.0254) if unit == 1 and across and down else None


def _gamma(body: bytes | None) -> float | None:
    return struct.unpack(">I", body)[0] / 100_000 if body is not None and len(body) == 4 else None
