"""How many pixels an encoded picture says it has, read off its first bytes without decoding."""

import struct

RATIOS = {1: (1, 1), 2: (6, 5), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height, as JPEG XL abbreviates them."""


def declared_size(encoded: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) of a JPEG, JPEG 2000, JPEG XL, PNG or WebP stream; None of others.

    Parameters
    ----------
    encoded : bytes
        The stream from its first byte on; a broken one gives None.
    """
    try:
        if encoded.startswith(b"\xff\xd8"):
            return _jpeg(encoded)
        if encoded.startswith(b"\xff\x4f\xff\x51") or encoded[4:8] == b"jP  ":
            return _jpeg2000(encoded)
        if encoded.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", encoded, 16)[::-1]
        if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
            return _webp(encoded)
        if encoded.startswith(b"\xff\x0a") or encoded[4:8] == b"JXL ":
            return _jpeg_xl(encoded)
    except (struct.error, IndexError, ValueError):
        return None
    return None


def _jpeg(encoded: bytes) -> tuple[int, int] | None:
    """Walk over the segments up to the first start of a frame."""
    place = 2
    while place + 9 <= len(encoded):
        if encoded[place] != 0xFF:
            return None
        marker = encoded[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            rows, columns = struct.unpack_from(">HH", encoded, place + 5)
            return rows, columns
        place += 2
        if not (0xD0 <= marker <= 0xD8 or marker == 0x01):
            place += struct.unpack_from(">H", encoded, place)[0]
    return None


def _jpeg2000(encoded: bytes) -> tuple[int, int]:
    start = encoded.index(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">IIII", encoded, start + 8)
    return bottom - top, right - left


def _webp(encoded: bytes) -> tuple[int, int] | None:
    form = encoded[12:16]
    if form == b"VP8X":
        columns, rows = (int.from_bytes(encoded[at : at + 3], "little") for at in (24, 27))
        return rows + 1, columns + 1
    if form == b"VP8L":
        bits = struct.unpack_from("<I", encoded, 21)[0]
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if form == b"VP8 ":
        columns, rows = struct.unpack_from("<HH", encoded, 26)
        return rows & 0x3FFF, columns & 0x3FFF
    return None


def _jpeg_xl(encoded: bytes) -> tuple[int, int]:
    start = 0
    if encoded[4:8] == b"JXL ":
        whole = encoded.find(b"jxlc")
        start = whole + 4 if whole >= 0 else encoded.index(b"jxlp") + 8
    bits = int.from_bytes(encoded[start + 2 : start + 14], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & (1 << count) - 1
        bits >>= count
        return value

    def side(*, small: bool) -> int:
        if small:
            return (take(5) + 1) * 8
        return take((9, 13, 18, 30)[take(2)]) + 1

    small = bool(take(1))
    rows = side(small=small)
    ratio = take(3)
    if ratio == 0:
        return rows, side(small=small)
    across, down = RATIOS[ratio]
    return rows, rows * across // down
