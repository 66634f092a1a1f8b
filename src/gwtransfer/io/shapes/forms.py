"""Which form a shape file has, from its first bytes, or else its name: one form, so one reader."""

import re
from pathlib import Path

from gwtransfer.io.shapes.text import looks_like_points

HEAD_BYTES = 4096

OFF_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s*#[^\n\r]*[\n\r])*\s*(?:ST)?C?N?C?(4?n?)OFF(?=[\s\d#]|\Z)"
)
"""The word that opens an OFF file, after comments; the group tells of other axes than three."""

_PCD_HEADER = re.compile(
    rb"# \.PCD|(?:\s*#[^\n\r]*[\n\r])*\s*VERSION[ \t]+\S+\s+(?:FIELDS|COLUMNS)"
)

MESHES = ("OFF", "OBJ", "PLY", "STL", "GLTF", "GLB")
CLOUDS = ("PCD", "XYZ", "PTS", "PWN", "ASC", "XYZN", "XYZRGB", "CSV", "TSV", "TXT")

_NEEDS_NUMBERS = ("CSV", "TSV", "TXT")
"""Names of text that may hold anything: these are points only if they look like it."""

_OTHERS = (
    b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8", b"PK\x03\x04",
    b"\x1f\x8b", b"\x89HDF", b"CDF", b"\x93NUMPY", b"RIFF", b"v/1\x01", b"#?R", b"MATLAB 5",
)  # fmt: skip
"""First bytes of files that are no shapes whatever they are called."""


def form_of(path: Path) -> str | None:
    """Return one of MESHES or CLOUDS, or None for what is no shape; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return None
    told = _by_content(head)
    if told is not None:
        return told
    named = path.suffix[1:].upper()
    if named not in MESHES + CLOUDS or head.startswith(_OTHERS):
        return None
    if named in CLOUDS and named != "PCD" and b"\0" in head:
        return None
    if named in _NEEDS_NUMBERS and not looks_like_points(head, whole=len(head) < HEAD_BYTES):
        return None
    return named


def _by_content(head: bytes) -> str | None:
    if re.match(rb"ply\s", head):
        return "PLY"
    if OFF_HEADER.match(head):
        return "OFF"
    if head.startswith(b"glTF"):
        return "GLB"
    if _PCD_HEADER.match(head):
        return "PCD"
    start = head.lstrip().lower()
    if start.startswith(b"solid") and b"facet" in start and b"\0" not in head:
        return "STL"
    return None
