"""Zarr folders, versions 2 and 3, OME-Zarr among them, by a small reader of their own."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gwtransfer.core.raster import Raster
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.cubes import load_cube
from gwtransfer.io.arrays.variables import Contents, Variable
from gwtransfer.io.arrays.zarrchunks import Chunked, read_version_2, read_version_3

MARKS = (".zarray", ".zgroup", ".zmetadata", "zarr.json")
MOST_METADATA_BYTES = 16_000_000
MOST_FOLDERS = 10_000
DEEPEST = 12


@dataclass(frozen=True, kw_only=True)
class ZarrLoader:
    """Load the cube in a Zarr folder of version 2 or 3.

    Rows are read when they are asked for. Of an OME-Zarr the finest level is taken. A fill value
    stands for "no data" only where the attributes say so (``_FillValue``).

    Attributes
    ----------
    variable : str or None
        Which array holds the cube: its path, or the last part of it; several images with commas
        between them become the bands of one cube; ``name[0]`` fixes the place along the first axis.
    band_axis : int or None
        Which of three axes holds the bands; found out when it is None.
    """

    variable: str | None = None
    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the names of files in the folder."""
        try:
            return path.is_dir() and any((path / mark).is_file() for mark in MARKS)
        except (OSError, ValueError):
            return False

    def __call__(self, path: Path) -> Raster:
        """List the arrays of the folder, and choose.

        Returns
        -------
        Raster
            A cube.

        Raises
        ------
        ReadError
            Broken, of an unknown kind, without a cube, or without the named variable.
        AmbiguousError
            Several variables may be the cube, or several axes may hold its bands.
        UsageError
            An option is out of range.
        """
        if not self.claims(path):
            raise ReadError(f"{path}: expected a Zarr folder, found none of {', '.join(MARKS)}")
        contents = _contents(path)
        if self.variable is None:
            contents = _finest(contents)
        return load_cube(contents, variable=self.variable, band_axis=self.band_axis)


def _contents(root: Path) -> Contents:
    variables: dict[str, Variable] = {}
    attributes: dict[str, Mapping[str, Any]] = {}
    for folder, name in _folders(root):
        found = _described(root, folder, name)
        if found is None:
            continue
        held, chunked, dims = found
        attributes[name] = held
        if chunked is not None and chunked.dtype.kind in "iuf" and chunked.shape:
            group = name.rpartition("/")[0]
            variables[name] = chunked.variable(
                tuple(f"{group}/{dim}".strip("/") if dim else "" for dim in dims), held
            )
    if not attributes:
        raise ReadError(f"{root}: expected Zarr arrays, found none that can be read")
    return Contents(
        name=str(root), variables=_with_axes(variables, attributes), attributes=attributes
    )


def _folders(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folders that hold a group or an array; chunks are not looked into."""
    waiting, seen = [(root, "", 0)], 0
    while waiting:
        folder, name, depth = waiting.pop(0)
        seen += 1
        if seen > MOST_FOLDERS:
            raise ReadError(f"{root}: expected at most {MOST_FOLDERS} arrays, found more")
        yield folder, name
        if depth == DEEPEST or _is_array(root, folder):
            continue
        try:
            inner = sorted(entry.name for entry in os.scandir(folder) if _may_hold(entry))
        except OSError as error:
            raise ReadError(f"{root}: cannot be read: {error.strerror}") from error
        waiting += [(folder / one, f"{name}/{one}".strip("/"), depth + 1) for one in inner]


def _may_hold(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")


def _is_array(root: Path, folder: Path) -> bool:
    if (folder / ".zarray").is_file():
        return True
    return _json(root, folder / "zarr.json").get("node_type") == "array"


def _described(
    root: Path, folder: Path, name: str
) -> tuple[Mapping[str, Any], Chunked | None, tuple[str, ...]] | None:
    """Return attributes, and for an array its chunks and the names of its axes."""
    label = name or folder.name
    if (folder / "zarr.json").is_file():
        said = _json(root, folder / "zarr.json")
        held = _plain(said.get("attributes"))
        if said.get("node_type") != "array":
            return held, None, ()
        chunked = read_version_3(str(root), folder, label, said)
        dims = said.get("dimension_names")
    elif (folder / ".zarray").is_file():
        held = _plain(_json(root, folder / ".zattrs"))
        chunked = read_version_2(str(root), folder, label, _json(root, folder / ".zarray"))
        dims = held.get("_ARRAY_DIMENSIONS")
    elif (folder / ".zgroup").is_file() or (folder / ".zattrs").is_file():
        return _plain(_json(root, folder / ".zattrs")), None, ()
    else:
        return None
    names = [str(dim or "") for dim in dims] if isinstance(dims, list) else []
    if len(names) != len(chunked.shape):
        names = [""] * len(chunked.shape)
    return held, chunked, tuple(names)


def _json(root: Path, path: Path) -> dict[str, Any]:
    """Return a file of metadata; nothing when it is not there."""
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > MOST_METADATA_BYTES:
            raise ValueError("too large")
        said = json.loads(path.read_bytes())
        if not isinstance(said, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        inside = path.relative_to(root)
        raise ReadError(
            f"{root}: expected metadata in {inside}, found a file that cannot be understood"
        ) from error
    return said


def _plain(said: Any) -> dict[str, Any]:
    """Return attributes with lists of numbers as arrays."""
    found: dict[str, Any] = {}
    for key, value in (said if isinstance(said, dict) else {}).items():
        numbers = (
            isinstance(value, list)
            and value
            and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        )
        found[str(key)] = np.asarray(value) if numbers else value
    return found


def _levels(attributes: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the paths of the levels of an OME-Zarr, and the names of its axes."""
    ome = attributes.get("ome", attributes)
    scales = ome.get("multiscales") if isinstance(ome, Mapping) else None
    first = scales[0] if isinstance(scales, list) and scales else None
    if not isinstance(first, Mapping):
        return [], []
    levels = [
        str(one["path"])
        for one in first.get("datasets", ())
        if isinstance(one, Mapping) and "path" in one
    ]
    axes = [
        str(axis.get("name", "")) if isinstance(axis, Mapping) else str(axis)
        for axis in first.get("axes", ())
    ]
    return levels, axes


def _with_axes(
    variables: Mapping[str, Variable], attributes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Variable]:
    """Return the variables, those of an OME-Zarr with the names of their axes."""
    found = dict(variables)
    for group, held in attributes.items():
        levels, axes = _levels(held)
        for level in levels:
            name = f"{group}/{level}".strip("/")
            one = found.get(name)
            if one is not None and len(axes) == len(one.shape):
                found[name] = replace(one, dims=tuple(axes))
    return found


def _finest(contents: Contents) -> Contents:
    """Leave the coarser levels of an OME-Zarr, and its labels, aside."""
    aside: set[str] = set()
    for group, held in contents.attributes.items():
        levels, _ = _levels(held)
        aside |= {f"{group}/{level}".strip("/") for level in levels[1:]}
        if levels:
            labels = f"{group}/labels/".lstrip("/")
            aside |= {name for name in contents.variables if name.startswith(labels)}
    kept = {name: one for name, one in contents.variables.items() if name not in aside}
    notes = (f"{len(aside)} coarser levels and labels left aside",) if aside else ()
    return replace(contents, variables=kept, notes=(*contents.notes, *notes))
