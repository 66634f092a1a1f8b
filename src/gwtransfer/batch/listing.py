"""Which files of a folder are compared, in which order and under which names."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gwtransfer.errors import ReadError, UsageError
from gwtransfer.io.files import natural
from gwtransfer.io.shapes.forms import CLOUDS, MESHES, form_of

PERHAPS_SHAPES = ("CSV", "NPY", "TSV", "TXT")
"""What is called so is a shape if it holds points; called like the others, it is one or broken."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file and what it is called in results.

    Attributes
    ----------
    name : str
        Its path relative to the folder that was named, with slashes.
    path : Path
    """

    name: str
    path: Path


def listed(folder: Path, *, recursive: bool, pattern: str | None, leave_out: Path) -> list[Listed]:
    """Return the shapes of a folder, or what a pattern names there, in natural order.

    Hidden files and folders are left out.

    Parameters
    ----------
    folder : Path
        Or a single file.
    recursive : bool
        Also the folders below.
    pattern : str or None
        Of the shell's kind; None takes the extensions of shapes.
    leave_out : Path
        A folder that may lie there and whose files are no inputs.

    Raises
    ------
    UsageError
        The pattern leads out of the folder.
    ReadError
        There is no such folder, or nothing in it to compare.
    """
    if folder.is_file():
        return [Listed(name=folder.name, path=folder)]
    if not folder.is_dir():
        raise ReadError(f"{folder}: expected a folder of shapes, found none of this name")
    if pattern is not None and (not pattern or Path(pattern).is_absolute() or ".." in pattern):
        raise UsageError(f"--glob {pattern}: expected a pattern inside the folder, like '*.ply'")
    omitted = leave_out.resolve()
    try:
        found = [
            Listed(name=path.relative_to(folder).as_posix(), path=path)
            for path in _matches(folder, pattern or "*", recursive=recursive)
            if not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.is_file()
            and not path.resolve().is_relative_to(omitted)
            and (pattern is not None or _is_shape(path))
        ]
    except OSError as error:
        raise ReadError(f"{folder}: cannot be listed: {error.strerror}") from error
    if not found:
        what = f"files that match --glob {pattern}" if pattern else "shapes (OFF, OBJ, PLY, STL, …)"
        deeper = "" if recursive else "; --recursive looks into the folders below"
        raise ReadError(f"{folder}: expected {what}, found none in this folder{deeper}")
    return sorted(found, key=lambda one: [natural(Path(part)) for part in Path(one.name).parts])


def _matches(folder: Path, pattern: str, *, recursive: bool) -> Iterable[Path]:
    return folder.rglob(pattern) if recursive else folder.glob(pattern)


def _is_shape(path: Path) -> bool:
    named = path.suffix[1:].upper()
    if named not in PERHAPS_SHAPES:
        return named in MESHES + CLOUDS
    return _holds_points(path) if named == "NPY" else form_of(path) in CLOUDS


def _holds_points(path: Path) -> bool:
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError):
        return False
    return len(shape) == 2 and shape[1] == 3
