"""ERDAS 7 files (.lan, .gis): a header of 128 bytes, then rows of bands one after the other."""

import struct
from pathlib import Path

import numpy as np

from gwtransfer.io.rawarray import RawCube

HEADER_BYTES = 128
MOST_BANDS = 4096
_TYPES = {0: "u1", 2: "<i2"}


def read_erdas(path: Path) -> RawCube | None:
    """Return where the pixels of an ERDAS 7 file lie, or None if it is none; never raises.

    Its first letters also start files of other kinds, so the sizes in the header must make sense
    and the file must be as long as they say, or shorter.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES or head[:6] not in (b"HEADER", b"HEAD74"):
            return None
        pack, bands = struct.unpack_from("<HH", head, 6)
        form = "<ii" if head[:6] == b"HEAD74" else "<ff"
        columns, rows = (int(size) for size in struct.unpack_from(form, head, 16))
    except (OSError, ValueError, OverflowError):
        return None
    if pack not in _TYPES or not 0 < bands <= MOST_BANDS or min(rows, columns) < 1:
        return None
    return RawCube(
        path=path,
        name=str(path),
        rows=rows,
        columns=columns,
        bands=bands,
        offset=HEADER_BYTES,
        stored=np.dtype(_TYPES[pack]),
        interleave="bil",
    )
