"""What the first bytes of a film say: which container it is, and whether all of it is there."""

import re
import struct
from pathlib import Path
from typing import BinaryIO

from gwtransfer.errors import ReadError

MOV, MATROSKA, AVI, TS, PS, Y4M = "mov", "matroska", "avi", "mpegts", "mpeg", "yuv4mpegpipe"
"""Containers, by the names FFmpeg has for what reads them."""

_STILLS = b"heic heix heim heis hevc hevx mif1 msf1 miaf avif avis".split()
_NO_FILMS = frozenset([*_STILLS, b"crx ", b"jp2 ", b"jpx ", b"jxl ", b"M4A ", b"M4B ", b"M4P "])
"""Brands of the MP4 family that hold no film: still pictures, raw photographs, sound."""

_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""What a QuickTime file of before ``ftyp`` begins with."""

_PACKET = 188
"""Bytes of a packet of an MPEG transport stream: the first is 0x47, the fourth has bit 4 or 5."""


def film_format(path: Path) -> str | None:
    """Return the container of a film from its first bytes, or None; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(4 * _PACKET)
    except (OSError, ValueError):
        return None
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _NO_FILMS else MOV
    if head[4:8] in _QUICKTIME and int.from_bytes(head[:4], "big") >= 8:
        return MOV
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return MATROSKA
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if len(head) == 4 * _PACKET and set(head[::_PACKET]) == {0x47} and head[3] & 0x30:
        return TS
    if head.startswith(b"\x00\x00\x01\xba"):
        return PS
    return Y4M if head.startswith(b"YUV4MPEG2 ") else None


def check_whole(path: Path, form: str) -> None:
    """Refuse a file that ends before the container says it does.

    Raises
    ------
    ReadError
        It is truncated.
    """
    held = path.stat().st_size
    with path.open("rb") as file:
        ends = {MOV: _mov_end, AVI: _avi_end, MATROSKA: _matroska_end, Y4M: _y4m_end}
        end = ends.get(form, _open_end)(file, held)
    if end > held:
        raise ReadError(
            f"{path}: expected {end} bytes as its container says, found {held}; "
            "it is truncated: copy or download it again"
        )


def _mov_end(file: BinaryIO, held: int) -> int:
    """Return where the last box ends."""
    at = 0
    while at + 8 <= held:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:], "big")
        if size < 8:  # 0 reaches to the end of the file
            return held
        at += size
    return at


def _avi_end(file: BinaryIO, held: int) -> int:
    """Return where the last RIFF part ends."""
    at = 0
    while at + 12 <= held:
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(8))
        if name != b"RIFF" or size == 0:
            return held
        at += 8 + size
    return at


def _matroska_end(file: BinaryIO, held: int) -> int:
    """Return where the segment ends; the end of the file when its size is left open."""
    file.seek(4)
    header, length = _vint(file.read(8))
    at = 4 + length + header
    file.seek(at)
    head = file.read(12)
    if head[:4] != b"\x18\x53\x80\x67":
        return held
    size, length = _vint(head[4:])
    unknown = size == (1 << 7 * length) - 1
    return held if unknown or length == 0 else at + 4 + length + size


def _y4m_end(file: BinaryIO, held: int) -> int:
    """Return where the last frame ends, if all are headed alike and their form is known."""
    said = {word[:1]: word[1:] for word in file.readline(1000).split()[1:]}
    start, first = file.tell(), file.readline(1000)
    form = re.fullmatch(
        rb"(mono|420|411|422|444|444alpha)(jpeg|mpeg2|paldv|p?\d\d?)?", said.get(b"C", b"420")
    )
    if form is None or first != b"FRAME\n":
        return held
    try:
        wide, tall = int(said[b"W"]), int(said[b"H"])
    except (KeyError, ValueError):
        return held
    across, down = {b"420": (2, 2), b"411": (4, 1), b"422": (2, 1)}.get(form[1], (1, 1))
    deep = (form[2] or b"").strip(b"p").isdigit()
    if deep and wide % across:  # writers disagree about half a sample of two bytes
        return held
    values = {b"mono": 1, b"444": 3, b"444alpha": 4}.get(form[1], 1) * wide * tall
    if across > 1:
        values += 2 * -(-wide // across) * -(-tall // down)
    step = len(first) + values * (2 if deep else 1)
    return start + -(-(held - start) // step) * step


def _vint(data: bytes) -> tuple[int, int]:
    """Return an EBML number and how many bytes it takes; (0, 0) when there is none."""
    length = 9 - data[0].bit_length() if data and data[0] else 0
    if not 0 < length <= len(data):
        return 0, 0
    return int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1), length


def _open_end(file: BinaryIO, held: int) -> int:
    """Return the end of a file whose container does not say where it ends."""
    del file
    return held
