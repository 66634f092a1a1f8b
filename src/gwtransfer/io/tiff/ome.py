"""What the OME description inside a TIFF says: files, channels and their wavelengths."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from gwtransfer.core.raster import Floats
from gwtransfer.errors import ReadError
from gwtransfer.io.files import check_readable

MOST_PLANES = 1_000_000
"""A description that promises more planes is broken or hostile."""

MOST_TEXT = 64 * 2**20

NANOMETRES: Mapping[str, float] = {
    "pm": 1e-3,
    "Å": 0.1,
    "nm": 1.0,
    "µm": 1e3,
    "μm": 1e3,
    "um": 1e3,
    "mm": 1e6,
    "m": 1e9,
}
"""Nanometres in the units of length an OME description may use."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Description:
    """What matters of an OME description.

    Attributes
    ----------
    files : tuple of Path
        Other files that hold planes of the image.
    wavelengths : (n,) array, nm, or None
        Of the channels, when every channel has one, or of a spectral axis.
    notes : tuple of str
    """

    files: tuple[Path, ...] = ()
    wavelengths: Floats | None = None
    notes: tuple[str, ...] = ()


def describe(path: Path, text: str) -> Description:
    """Read the description found in a file.

    Parameters
    ----------
    path : Path
        The file, for messages and because other files lie in its folder.
    text : str
        The XML.

    Raises
    ------
    ReadError
        The XML is broken, promises absurd sizes, or names a file that is missing or lies in
        another folder.
    """
    if len(text) > MOST_TEXT:
        raise ReadError(f"{path}: expected an OME description, found {len(text)} characters of it")
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:
        raise ReadError(f"{path}: expected an OME description in XML, found {error}") from None
    elsewhere = next(_named(root, "BinaryOnly"), None)
    if elsewhere is not None:
        other = elsewhere.get("MetadataFile", "another file")
        return Description(notes=(f"its OME description is in {other}, which is not read",))
    try:
        for pixels in _named(root, "Pixels"):
            _check_sizes(path, pixels)
        wavelengths, notes = _wavelengths(root)
    except (ValueError, OverflowError, ArithmeticError) as error:
        raise ReadError(f"{path}: expected numbers in the OME description, found {error}") from None
    return Description(files=_files(path, root), wavelengths=wavelengths, notes=notes)


def _named(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield the elements below of that name in whatever version of the schema."""
    for one in element.iter():
        if str(one.tag).rpartition("}")[2] == name:
            yield one


def _check_sizes(path: Path, pixels: ET.Element) -> None:
    """Refuse counts of planes that would fill the memory before a pixel is read."""
    planes = math.prod(int(pixels.get(f"Size{axis}", "1")) for axis in "CZT")
    counts = [planes]
    for data in _named(pixels, "TiffData"):
        for key in ("IFD", "NumPlanes", "PlaneCount", "FirstC", "FirstZ", "FirstT"):
            counts.append(int(data.get(key, "0")))
    wrong = next((count for count in counts if not 0 <= count <= MOST_PLANES), None)
    if planes < 1 or wrong is not None:
        raise ReadError(
            f"{path}: expected 1 to {MOST_PLANES} planes in the OME description, found "
            f"{planes if wrong is None else wrong}"
        )


def _files(path: Path, root: ET.Element) -> tuple[Path, ...]:
    names = {uuid.get("FileName", "") for uuid in _named(root, "UUID")} - {"", path.name}
    own = root.get("UUID", "").strip().lower()
    others = []
    for uuid in _named(root, "UUID"):
        name = uuid.get("FileName", "")
        if name in names and (not own or (uuid.text or "").strip().lower() != own):
            others.append(name)
    found = []
    for name in sorted(set(others)):
        if name in (".", "..") or "/" in name or "\\" in name:
            raise ReadError(f"{path}: expected its other files in the same folder, found {name!r}")
        other = path.parent / name
        try:
            check_readable(other)
        except ReadError as error:
            raise ReadError(
                f"{path}: expected {len(set(others))} more files that hold its planes, found that "
                f"{name} cannot be read; put all files of the set into one folder ({error})"
            ) from error
        found.append(other)
    return tuple(found)


def _wavelengths(root: ET.Element) -> tuple[Floats | None, tuple[str, ...]]:
    """Return wavelengths of a spectral axis or of all channels of the only image."""
    images = list(_named(root, "Pixels"))
    if len(images) != 1:
        return None, ()
    for along in _named(root, "ModuloAlongC"):
        if along.get("Type", "").lower() in ("lambda", "spectral"):
            return _stepped(along)
    listed = [_emission(channel) for channel in _named(images[0], "Channel")]
    if not listed or any(value is None for value in listed):
        some = sum(value is not None for value in listed)
        if some:
            said = f"{some} of {len(listed)} channels have a wavelength in nm: none is used"
            return None, (said,)
        return None, ()
    return np.array(listed, dtype=np.float64), ()


def _emission(channel: ET.Element) -> float | None:
    """Return a channel's emission wavelength in nm."""
    said = channel.get("EmissionWavelength")
    unit = NANOMETRES.get(channel.get("EmissionWavelengthUnit", "nm").strip())
    if said is None or unit is None:
        return None
    value = float(said) * unit
    return value if math.isfinite(value) and value > 0 else None


def _stepped(along: ET.Element) -> tuple[Floats | None, tuple[str, ...]]:
    """Return the wavelengths of a spectral axis: start, end and step, or labels."""
    unit = NANOMETRES.get(along.get("Unit", "nm").strip())
    if unit is None:
        return None, (f"the spectral axis is in {along.get('Unit')}: no wavelengths are used",)
    if "Start" in along.attrib:
        start, step = float(along.attrib["Start"]), float(along.get("Step", "1"))
        steps = (float(along.get("End", "nan")) - start) / step
        if not 0 <= steps < MOST_PLANES:
            return None, ("the spectral axis has no proper end: no wavelengths are used",)
        return (start + step * np.arange(round(steps) + 1)) * unit, ()
    try:
        labels = [float(label.text or "") for label in _named(along, "Label")]
    except ValueError:
        return None, ("the spectral axis has no numbers: no wavelengths are used",)
    return (np.array(labels) * unit, ()) if labels else (None, ())
