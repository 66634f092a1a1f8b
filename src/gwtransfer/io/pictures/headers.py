"""What PNG and JPEG files carry before their pixels: profile, Exif and resolution."""

import struct
import zlib
from pathlib import Path

from gwtransfer.core.raster import Carried
from gwtransfer.errors import WriteError
from gwtransfer.io.pictures.jpegstrips import segment
from gwtransfer.io.pictures.pngparts import SIGNATURE
from gwtransfer.io.pictures.profile import fitting

_PIECE = 1 << 20
_SEGMENT = 65_533
"""Bytes in a JPEG segment after its length."""

_LEAST = 57
"""Bytes of the shortest file that is one: a PNG without pixels."""

_JFIF, _EXIF, _ICC = b"JFIF\0\1\1", b"Exif\0\0", b"ICC_PROFILE\0"


def dress_png(path: Path, carried: Carried, bands: int) -> None:
    """Let a PNG carry profile, Exif and resolution, and nothing else beside its pixels.

    Raises
    ------
    WriteError
        The file does not end as a PNG does.
    """
    if path.stat().st_size < _LEAST:
        raise unfinished(path)
    with path.open("rb") as file:
        file.seek(-12, 2)
        ended = file.read() == _part(b"IEND", b"")
        file.seek(len(SIGNATURE) + 25)
        start = at = file.tell()
        while (head := file.read(8))[4:] not in (b"IDAT", b""):
            at += 12 + struct.unpack(">I", head[:4])[0]
            file.seek(at)
    if not ended or not head:
        raise unfinished(path)
    icc = fitting(carried.icc, bands)
    parts = []
    if icc is not None:
        parts.append(_part(b"iCCP", b"icc\0\0" + zlib.compress(icc, 9)))
    if carried.dpi is not None:
        across, down = (round(value / 0.0254) for value in carried.dpi)
        if min(across, down) > 0 and max(across, down) < 2**31:
            parts.append(_part(b"pHYs", struct.pack(">IIB", across, down, 1)))
    if carried.exif is not None:
        parts.append(_part(b"eXIf", carried.exif))
    replace_stretch(path, start, at, b"".join(parts))


def jpeg_header(carried: Carried, bands: int) -> bytes:
    """Return the segments that let a JPEG carry profile, Exif and resolution.

    An Exif block that is too long for JPEG, or a profile beyond 16 megabytes, is left out.
    """
    density = (0, 1, 1)
    if carried.dpi is not None:
        across, down = (round(value) for value in carried.dpi)
        if min(across, down) > 0 and max(across, down) < 2**16:
            density = (1, across, down)
    segments = [segment(0xE0, _JFIF + struct.pack(">BHHBB", *density, 0, 0))]
    if carried.exif is not None and len(carried.exif) + len(_EXIF) <= _SEGMENT:
        segments.append(segment(0xE1, _EXIF + carried.exif))
    return b"".join(segments + _profile_segments(fitting(carried.icc, bands)))


def replace_stretch(path: Path, start: int, stop: int, data: bytes) -> None:
    """Put ``data`` in place of the bytes start … stop − 1; what follows moves along."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        shift = len(data) - (stop - start)
        places = range(stop, end, _PIECE)
        for at in reversed(places) if shift > 0 else places if shift < 0 else ():
            file.seek(at)
            piece = file.read(_PIECE)
            file.seek(at + shift)
            file.write(piece)
        file.seek(start)
        file.write(data)
        file.truncate(end + shift)


def unfinished(path: Path) -> WriteError:
    """Return the error of a file that does not end as it should."""
    return WriteError(f"{path}: was not written to its end; is the disk full?")


def _part(kind: bytes, body: bytes) -> bytes:
    total = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", total)


def _profile_segments(icc: bytes | None) -> list[bytes]:
    if icc is None:
        return []
    most = _SEGMENT - len(_ICC) - 2
    pieces = [icc[at : at + most] for at in range(0, len(icc), most)]
    if len(pieces) > 255:
        return []
    return [
        segment(0xE2, _ICC + bytes([number, len(pieces)]) + piece)
        for number, piece in enumerate(pieces, start=1)
    ]
