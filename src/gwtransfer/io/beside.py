"""Which files an input is: often one, sometimes a header and its data, or all of a folder."""

import json
from pathlib import Path
from urllib.parse import unquote

from gwtransfer.errors import GwTransferError
from gwtransfer.io.files import is_folder, is_pattern, listed
from gwtransfer.io.gdal.envipair import find_pair, is_envi_data, is_envi_header


def parts_of(path: Path) -> list[Path]:
    """Return the files that are read when an input is opened, the named one first.

    An ENVI header comes with its data, a .gltf with the files it names; a folder or pattern stands
    for the files in it, hidden ones left out, in order of their names. What is not there is not
    returned.
    """
    if is_folder(path):
        found = (one for one in path.rglob("*") if one.is_file())
        return sorted(one for one in found if not _is_hidden(one.relative_to(path)))
    if is_pattern(path):
        return sorted(one for one in listed(path) if not one.name.startswith("."))
    if is_envi_header(path) or is_envi_data(path):
        try:
            return sorted(find_pair(path), key=lambda one: one != path)
        except GwTransferError:
            return [path]  # the loader says what is wrong
    if path.suffix.lower() == ".gltf":
        return [path, *_buffers(path)]
    return [path]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _buffers(path: Path) -> list[Path]:
    try:
        named = [one.get("uri") for one in json.loads(path.read_bytes()).get("buffers", [])]
        own = [uri for uri in named if uri and not uri.startswith("data:")]
        beside = [path.parent / unquote(uri) for uri in own]
        return [one for one in beside if one.is_file()]
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return []  # no .gltf: the loader says why
