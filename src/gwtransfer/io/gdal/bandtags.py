"""What an open GDAL file says about its bands and its place: tags, colours, georeference."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Carried, Floats, Georeference
from gwtransfer.io.gdal.wavelengths import converted, from_names

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

ENCODING_TAG = "PICTURE_ENCODING"
"""Says of a float RGB file that it is a picture: "sRGB", or "sRGB scene" with values above 1."""

_UNIT_NAMES = ("wavelength_units", "wavelength_unit", "wavelengths_units")


def find_wavelengths(
    dataset: "DatasetReader", indexes: Sequence[int]
) -> tuple[Floats | None, str | None]:
    """Return nm from each band's tags, from a list of ENVI's kind, or from the bands' names."""
    own = [_lowered(dataset.tags(index)) for index in indexes]
    listed = [_number(tags.get("wavelength", "")) for tags in own]
    units = {_unit(tags) for tags in own}
    whole = _lowered(dataset.tags()) | _lowered(dataset.tags(ns="ENVI"))
    if None in listed or len(units) != 1:
        imagery = [dataset.tags(index, ns="IMAGERY") for index in indexes]
        listed = [_number(tags.get("CENTRAL_WAVELENGTH_UM", "")) for tags in imagery]
        units = {"um"}
    if None in listed:
        listed = list(_numbers(whole.get("wavelength", "")))
        units = {_unit(whole)}
    if len(listed) == len(indexes) and None not in listed:
        return converted(np.array(listed, dtype=np.float64), units.pop() or _unit(whole))
    names = [dataset.descriptions[index - 1] or "" for index in indexes]
    return from_names(names)


def find_good(dataset: "DatasetReader", indexes: Sequence[int]) -> NDArray[np.bool_] | None:
    """Return the bands that lists of bad bands leave, of the whole file or band by band."""
    whole = _lowered(dataset.tags()) | _lowered(dataset.tags(ns="ENVI"))
    marks = _numbers(whole.get("bbl", ""))
    if len(marks) != len(indexes):
        marks = [_number(_lowered(dataset.tags(index)).get("bbl", "")) for index in indexes]
    if len(marks) != len(indexes) or not {0.0, 1.0}.issuperset(marks) or not any(marks):
        return None
    return np.asarray(np.array(marks) == 1)


def find_scaling(
    dataset: "DatasetReader", indexes: Sequence[int]
) -> tuple[Floats | None, Floats | None]:
    """Return gains and offsets of the bands, None where they change nothing."""
    gains = np.array([dataset.scales[index - 1] for index in indexes])
    offsets = np.array([dataset.offsets[index - 1] for index in indexes])
    return None if (gains == 1).all() else gains, offsets if offsets.any() else None


def alpha_band(dataset: "DatasetReader") -> int | None:
    """Return the band that is opacity, counted from 1."""
    names = [colour.name for colour in dataset.colorinterp]
    return names.index("alpha") + 1 if "alpha" in names else None


def find_colours(dataset: "DatasetReader", alpha: int | None) -> list[int] | None:
    """Return the bands that are red, green and blue, or the gray one; None if it is a cube.

    Gray counts without georeference only, floats only where the file says what they mean.
    """
    names = [colour.name for colour in dataset.colorinterp]
    stored, held = dataset.dtypes[0], len(names) - (alpha is not None)
    if any(one is not None for one in find_scaling(dataset, dataset.indexes)):
        return None
    if held == 1 and stored == "uint8" and names[0] == "gray":
        measured = read_georeference(dataset) or find_wavelengths(dataset, [1])[0] is not None
        return None if measured else [1]
    if held != 3 or not {"red", "green", "blue"} <= set(names):
        return None
    known = stored in ("uint8", "uint16") or ENCODING_TAG in dataset.tags()
    return [names.index(name) + 1 for name in ("red", "green", "blue")] if known else None


def read_palette(dataset: "DatasetReader") -> NDArray[np.uint8] | None:
    """Return a table (256, 4) of red, green, blue and opacity when band 1 is indices into it."""
    if dataset.colorinterp[0].name != "palette" or dataset.dtypes[0] != "uint8":
        return None
    table = np.zeros((256, 4), dtype=np.uint8)
    for index, colour in dataset.colormap(1).items():
        if 0 <= index < 256:
            table[index] = colour
    return table


def read_georeference(dataset: "DatasetReader") -> Georeference | None:
    """Return where the grid lies, when the file says anything about it."""
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    crs = "" if dataset.crs is None else dataset.crs.to_wkt()
    points, points_crs = dataset.gcps
    rpcs = dataset.tags(ns="RPC")
    if not crs and not points and not rpcs and (a, b, c, d, e, f) == (1, 0, 0, 0, 1, 0):
        return None
    return Georeference(
        crs=crs,
        transform=(a, b, c, d, e, f),
        gcps=tuple((one.row, one.col, one.x, one.y, one.z or 0.0) for one in points),
        gcp_crs="" if not points or points_crs is None else points_crs.to_wkt(),
        rpcs=rpcs,
    )


def read_carried(dataset: "DatasetReader") -> Carried:
    """Return ICC profile and pixels an inch."""
    icc, dpi = None, None
    try:
        said = dataset.tags(ns="COLOR_PROFILE").get("SOURCE_ICC_PROFILE", "")
        icc = base64.b64decode(said, validate=True) or None
    except (binascii.Error, ValueError):
        icc = None
    tags = dataset.tags()
    across, down = (_number(tags.get(f"TIFFTAG_{axis}RESOLUTION", "")) for axis in "XY")
    inches = {"2": 1.0, "3": 2.54}.get(tags.get("TIFFTAG_RESOLUTIONUNIT", "")[:1])
    if across and down and inches:
        dpi = (across * inches, down * inches)
    return Carried(icc=icc, dpi=dpi)


def _lowered(tags: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in tags.items()}


def _unit(tags: Mapping[str, str]) -> str:
    return next((tags[name] for name in _UNIT_NAMES if name in tags), "")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(text: str) -> list[float | None]:
    """Return the numbers of a list as ENVI writes it."""
    return [_number(word) for word in re.split(r"[,;\s]+", text.strip("{}, \n")) if word]
