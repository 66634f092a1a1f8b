"""XML files beside a raster: GDAL's .aux.xml, and the metadata of EnMAP and DESIS products."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from gwtransfer.core.raster import Floats

MOST_BYTES = 100_000_000

_PRODUCT = re.compile(r"(.+)-SPECTRAL_IMAGE(?:_(VNIR|SWIR))?(?:_COG)?", re.IGNORECASE)


@dataclass(frozen=True, eq=False, kw_only=True)
class Beside:
    """What a file beside a raster says about its bands.

    Attributes
    ----------
    wavelengths : (bands,) array, nm, or None
    gains, offsets : (bands,) arrays, or None
        Values that are data become gain · value + offset.
    nodata : float or None
    notes : tuple of str
        What was taken from there, or why it was not.
    """

    wavelengths: Floats | None = None
    gains: Floats | None = None
    offsets: Floats | None = None
    nodata: float | None = None
    notes: tuple[str, ...] = ()


def auxiliary(data: Path) -> Beside:
    """Read the no-data value from the .aux.xml beside a file, where all bands have the same."""
    path = data.with_name(f"{data.name}.aux.xml")
    root = _root(path)
    found = set()
    for band in () if root is None else root.iter("PAMRasterBand"):
        found.add(_number(band.findtext("NoDataValue")))
    if len(found) != 1 or None in found:
        return Beside()
    return Beside(nodata=found.pop(), notes=(f"the no-data value comes from {path.name}",))


def product(data: Path, bands: int) -> Beside:
    """Read what the metadata file of a satellite product says about its spectral image.

    The image is called …-SPECTRAL_IMAGE and the other file …-METADATA.XML. An image of one of two
    detectors (…_VNIR, …_SWIR) has the first or the last of the bands listed there.

    Returns
    -------
    Beside
        Empty when there is no such file.
    """
    match = _PRODUCT.fullmatch(data.stem)
    path = match and _sibling(data, f"{match[1]}-METADATA.XML")
    if not match or path is None:
        return Beside()
    root = _root(path)
    listed = [] if root is None else list(_listed(root))
    detector = (match[2] or "").upper()
    if detector and len(listed) > bands:
        listed = listed[:bands] if detector == "VNIR" else listed[-bands:]
    table = np.array(listed, dtype=np.float64).reshape(-1, 3)
    if root is None or len(table) != bands or not np.isfinite(table).all():
        found = "something else" if root is None else f"{len(table)}"
        note = f"{path.name} is left out: expected its list of {bands} bands, found {found}"
        return Beside(notes=(note,))
    waves, gains, offsets = table.T.copy()
    fills = {_number(one.text) for one in root.iter() if _local(one) == "backgroundvalue"}
    return Beside(
        wavelengths=waves,
        gains=None if (gains == 1).all() else gains,
        offsets=offsets if offsets.any() else None,
        nodata=fills.pop() if len(fills) == 1 else None,
        notes=(f"wavelengths, gains and offsets come from {path.name}",),
    )


def _listed(root: ET.Element) -> Iterator[tuple[float, float, float]]:
    """Yield wavelength in nm, gain and offset of each band; NaN for what is no number."""
    for band in root.iter():
        if _local(band) not in ("bandid", "band"):
            continue
        said = {_local(child): _number(child.text) for child in band}
        if "wavelengthcenterofband" in said:
            wave = said["wavelengthcenterofband"]
            gain, offset = said.get("gainofband", 1.0), said.get("offsetofband", 0.0)
            yield _or_nan(wave), _or_nan(gain), _or_nan(offset)


def _root(path: Path) -> ET.Element | None:
    """Parse an XML file without entities of its own; None when that cannot be done."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        content = path.read_bytes()
        return None if b"<!ENTITY" in content else ET.fromstring(content)
    except (OSError, ET.ParseError, ValueError, LookupError):
        return None


def _sibling(data: Path, name: str) -> Path | None:
    """Return the file of that name, in any case of letters, beside another."""
    for entry in data.parent.iterdir():
        if entry.name.lower() == name.lower():
            return entry
    return None


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
