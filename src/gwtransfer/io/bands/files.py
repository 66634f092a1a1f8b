"""Which files of a folder or pattern are the bands of one cube, and what their names say."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gwtransfer.core.raster import Floats
from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.files import listed, natural
from gwtransfer.io.gdal.wavelengths import converted

FAMILIES = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jp2": "JPEG 2000",
    ".webp": "WebP",
}
"""Extensions of files that may be bands; those of one family may be mixed."""

ZARR = frozenset({".zarray", ".zgroup", ".zattrs", "zarr.json"})
TABLES = frozenset({"wavelengths.txt", "wavelengths.csv", "wavelength.txt", "wavelength.csv"})
MOST_TABLE_BYTES = 2**20

_NANOMETRES = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)[ _-]?nm(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, eq=False, kw_only=True)
class BandFiles:
    """The files that are bands, in the order of the bands.

    Attributes
    ----------
    paths : tuple of Path
    wavelengths : (n,) array, nm, or None
    notes : tuple of str
    """

    paths: tuple[Path, ...]
    wavelengths: Floats | None
    notes: tuple[str, ...]


def may_be_bands(path: Path) -> list[Path]:
    """Return the files with an image's extension in a folder or pattern; none in a Zarr folder.

    Raises
    ------
    OSError
        The folder cannot be listed.
    """
    files = listed(path)
    if not ZARR.isdisjoint(one.name for one in files):
        return []
    return [one for one in files if not one.name.startswith(".") and _family(one) is not None]


def choose(path: Path, images: Sequence[Path]) -> BandFiles:
    """Return the files of the most frequent family among the images, with what is left out.

    Parameters
    ----------
    path : Path
        Folder or pattern.
    images : sequence of Path
        The files there that are images by their content.

    Raises
    ------
    AmbiguousError
        Two families are equally frequent.
    ReadError
        There are fewer than two images.
    """
    counts = Counter(_family(one) for one in images).most_common(2)
    if not counts or counts[0][1] < 2:
        raise ReadError(
            f"{path}: expected at least two images, one a band, found {len(images)}; "
            "name the file itself"
        )
    if len(counts) == 2 and counts[0][1] == counts[1][1]:
        raise AmbiguousError(
            f"{path}: expected images of one format, found {counts[0][1]} {counts[0][0]} and "
            f"{counts[1][1]} {counts[1][0]}; choose with a pattern such as '*{images[0].suffix}'"
        )
    chosen = sorted((one for one in images if _family(one) == counts[0][0]), key=natural)
    wavelengths, notes = _from_names(chosen)
    if wavelengths is not None:
        order = np.argsort(wavelengths, kind="stable")
        chosen, wavelengths = [chosen[index] for index in order], wavelengths[order]
    table = None
    if wavelengths is None:
        table, wavelengths, said = _from_table(chosen)
        notes += said
    return BandFiles(
        paths=tuple(chosen),
        wavelengths=wavelengths,
        notes=_left_out(path, chosen, table) + notes,
    )


def _family(path: Path) -> str | None:
    return FAMILIES.get(path.suffix.lower())


def _from_names(paths: Sequence[Path]) -> tuple[Floats | None, tuple[str, ...]]:
    """Return wavelengths where every name says one in nm, at a place where all names differ."""
    found = [[float(one) for one in _NANOMETRES.findall(path.stem)] for path in paths]
    if not all(found):
        return None, ()
    if len({len(one) for one in found}) == 1:
        table = np.array(found)
        telling = [
            column for column in table.T if len(set(column.tolist())) == len(paths) and column.all()
        ]
        if len(telling) == 1:
            return telling[0], ()
    return None, ("the names of the files do not say one wavelength in nm each: none is used",)


def _from_table(paths: Sequence[Path]) -> tuple[Path | None, Floats | None, tuple[str, ...]]:
    """Return the table of wavelengths beside the files, what it says, and a note."""
    folders = {path.parent for path in paths}
    if len(folders) != 1:
        return None, None, ()
    tables = sorted(one for one in listed(folders.pop()) if one.name.lower() in TABLES)
    if not tables:
        return None, None, ()
    table = tables[0]
    try:
        with table.open("rb") as file:
            text = file.read(MOST_TABLE_BYTES).decode("utf-8-sig")
        values = np.array([float(line) for line in text.splitlines() if line.strip()])
    except (OSError, ValueError):
        return None, None, (f"{table.name} is left out: expected one number a line",)
    if values.size != len(paths):
        said = f"{table.name} is left out: it has {values.size} numbers for {len(paths)} bands"
        return None, None, (said,)
    wavelengths, said_of_unit = converted(values, "")
    notes = (f"the wavelengths are those of {table.name}",) if wavelengths is not None else ()
    return table, wavelengths, notes + ((said_of_unit,) if said_of_unit else ())


def _left_out(path: Path, chosen: Sequence[Path], table: Path | None) -> tuple[str, ...]:
    """Return a note that names the other files."""
    used = {*chosen, table}
    names = sorted(
        one.name for one in listed(path) if one not in used and not one.name.startswith(".")
    )
    if not names:
        return ()
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (f"left out: {', '.join(names[:3])}{more}",)
