"""STL files checked, before trimesh reads what is left when all else is cut away."""

import re
from collections import Counter
from pathlib import Path

from gwtransfer.errors import ReadError

_RECORD, _START = 50, 84
_WORDS = re.compile(r"^[ \t]*(endfacet|endloop|vertex|endsolid|solid)\b", re.MULTILINE)


def checked_stl(path: Path) -> tuple[bytes, int]:
    """Return the content without what follows the last triangle, and how many it holds.

    Raises
    ------
    ReadError
        Fewer bytes than the header promises, or text that ends too early.
    """
    content = path.read_bytes()
    promised = int.from_bytes(content[_START - 4 : _START], "little")
    expected = _START + _RECORD * promised
    words = re.match(rb"\s*solid\b", content, re.IGNORECASE)
    if len(content) >= _START and (expected == len(content) or not words):
        if expected > len(content):
            raise ReadError(
                f"{path}: expected {expected} bytes as its header says, found {len(content)}; "
                "the file is truncated or no STL"
            )
        return content[:expected], promised
    if not words or b"\0" in content:
        raise ReadError(f"{path}: expected an STL file, found something else or less of it")
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    counts = Counter(_WORDS.findall(text.lower()))
    triangles = counts["endloop"]
    if (
        counts["endfacet"] != triangles
        or counts["vertex"] != 3 * triangles
        or counts["endsolid"] != counts["solid"]
    ):
        raise ReadError(
            f"{path}: expected three points in each of {triangles} facets and an end, found "
            f"{counts['vertex']} points; the file is truncated or broken, get it again"
        )
    return text.encode(), triangles
