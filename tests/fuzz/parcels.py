"""Inputs of the fuzzer that are files: a name before the content, or several files in one input."""

from collections.abc import Mapping
from pathlib import Path

PART = b"\n%%FILE "
"""What begins each file but the first."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as one input: ``name newline content``, again after each PART."""
    return PART.join(name.encode() + b"\n" + content for name, content in files.items())


def unpacked(data: bytes, folder: Path, *, names: tuple[str, ...]) -> list[Path]:
    """Write the files of an input into an empty folder, and return their paths.

    Parameters
    ----------
    data : bytes
    folder : Path
    names : tuple of str
        Extensions that a file may have; another one counts as the first.
    """
    paths = []
    for part in data.split(PART)[:32]:
        name, _, content = part.partition(b"\n")
        stem = "".join(chr(letter) for letter in name[:80] if chr(letter) in LETTERS)
        path = folder / Path(stem.strip("/") or "a")
        if ".." in path.parts or not any(path.name.endswith(one) for one in names):
            path = folder / f"a{names[0]}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:  # a file where a folder should be
            continue
        paths.append(path)
    return paths


LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/ABCDEFGHIJKLMNOPQRSTUVWXYZ")
