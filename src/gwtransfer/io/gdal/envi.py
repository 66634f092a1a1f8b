"""ENVI headers: what the text file beside a cube says about it, and what had to be guessed."""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.errors import ReadError
from gwtransfer.io.gdal.envipair import find_pair, is_envi_data, is_envi_header
from gwtransfer.io.gdal.wavelengths import converted, from_names, in_nanometres
from gwtransfer.io.rawarray import Interleave

__all__ = ["Header", "find_pair", "in_nanometres", "is_envi_data", "is_envi_header", "read_header"]

TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
"""numpy's name of a type by ENVI's number for it; 6 and 9 are complex and not read."""

PLACE = ("map info", "projection info", "coordinate system string", "geo points", "rpc info")
"""What says where the cube lies on the ground."""

KNOWN = frozenset(
    (
        *("band names", "bands", "bbl", "byte order", "data gain values", "data ignore value"),
        *("data offset values", "data type", "file compression", "file type", "header offset"),
        *("interleave", "lines", "major frame offsets", "minor frame offsets", "samples"),
        *("reflectance scale factor", "wavelength", "wavelength units"),
    )
)
"""Names that are not another one misspelt, though they may be much alike."""

MOST_HEADER_BYTES = 16_000_000

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[ \t]*([A-Za-zµμÅ]*)")


@dataclass(frozen=True, eq=False, kw_only=True)
class Header:
    """What an ENVI header says that matters here.

    Attributes
    ----------
    rows, columns, bands : int
    offset : int
        Bytes before the first value.
    stored : dtype
        With its byte order.
    interleave : {"bsq", "bil", "bip"}
    wavelengths : (bands,) array, nm, or None
    good : (bands,) array of bool, or None
    nodata : float or None
        As stored.
    divisor : float
        Values that are data are divided by it.
    gains, offsets : (bands,) arrays, or None
        Values that are data become gain · value + offset.
    place : mapping of str to str
        The fields that say where the cube lies, of those in `PLACE`.
    notes : tuple of str
    """

    rows: int
    columns: int
    bands: int
    offset: int
    stored: np.dtype[Any]
    interleave: Interleave
    wavelengths: Floats | None
    good: NDArray[np.bool_] | None
    nodata: float | None
    divisor: float
    gains: Floats | None
    offsets: Floats | None
    place: Mapping[str, str]
    notes: tuple[str, ...]


def read_header(path: Path) -> Header:
    """Read an ENVI header: names in any case, lists with trailing commas, any line ends.

    Raises
    ------
    ReadError
        A name is missing or a value cannot be what it says.
    """
    fields = _Fields(path, _parse(path))
    _check_kind(fields)
    rows, columns, bands = (fields.count(key) for key in ("lines", "samples", "bands"))
    interleave = _interleave(fields, bands)
    stored = _stored(fields)
    divisor, gains, offsets = _scaling(fields, bands)
    return Header(
        rows=rows,
        columns=columns,
        bands=bands,
        offset=fields.count("header offset", default=0),
        stored=stored,
        interleave=interleave,
        wavelengths=_wavelengths(fields, bands),
        good=_good(fields, bands),
        nodata=fields.number("data ignore value"),
        divisor=divisor,
        gains=gains,
        offsets=offsets,
        place={key: fields.said[key] for key in PLACE if key in fields.said},
        notes=tuple(fields.notes),
    )


class _Fields:
    """The names and values of a header, and what was guessed while they were understood."""

    def __init__(self, path: Path, said: Mapping[str, str]) -> None:
        self.path = path
        self.said = said
        self.notes: list[str] = []

    def text(self, key: str) -> str | None:
        """Return a value as written, also when its name is misspelt."""
        if key in self.said:
            return self.said[key]
        odd = [name for name in self.said if name not in KNOWN]
        close = difflib.get_close_matches(key, odd, n=1, cutoff=0.87)
        if not close:
            return None
        self.notes.append(f"{close[0]!r} in the header is read as {key!r}")
        return self.said[close[0]]

    def bare(self, key: str) -> str:
        """Return a value without braces and commas around it; empty when there is none."""
        return (self.text(key) or "").strip("{}, \t\n")

    def count(self, key: str, default: int | None = None) -> int:
        """Return a whole number: positive, or at least 0 when there is a default."""
        value = self.bare(key)
        if not value:
            if default is not None:
                return default
            raise ReadError(
                f"{self.path}: expected a line '{key} = …' in this ENVI header, found none"
            )
        match = re.fullmatch(r"(\d{1,15})(?:\.0*)?", value)
        if not match or (default is None and int(match[1]) == 0):
            raise ReadError(
                f"{self.path}: expected '{key}' to be a positive whole number, found {value!r}"
            )
        return int(match[1])

    def number(self, key: str) -> float | None:
        """Return a number, or None when there is none."""
        value = self.bare(key)
        if not value:
            return None
        try:
            return float(value)
        except ValueError:
            raise ReadError(
                f"{self.path}: expected '{key}' to be a number, found {value!r}"
            ) from None

    def numbers(self, key: str, bands: int) -> Floats | None:
        """Return a number for each band, or None with a note when it is anything else."""
        listed = self.bare(key)
        if not listed:
            return None
        words = [word for word in re.split(r"[,;\s]+", listed) if word]
        try:
            values = np.array([float(word) for word in words])
        except ValueError:
            values = np.empty(0)
        if values.shape != (bands,) or not np.isfinite(values).all():
            found = len(words) if len(words) != bands else "something else"
            self.notes.append(f"{key!r} is left out: expected {bands} numbers, found {found}")
            return None
        return values


def _parse(path: Path) -> Mapping[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}") from error
    lines = iter(text.replace("\0", "").splitlines())
    if not next(lines, "").strip().startswith("ENVI"):
        raise ReadError(f"{path}: expected an ENVI header, found a first line without ENVI")
    fields: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or line.lstrip().startswith(";"):
            continue
        parts, open_braces = [value], value.count("{") - value.count("}")
        while open_braces > 0:
            more = next(lines, None)
            if more is None:
                raise ReadError(
                    f"{path}: expected a closing brace after {key.strip()!r}, found the end"
                )
            parts.append(more)
            open_braces += more.count("{") - more.count("}")
        fields[" ".join(key.lower().replace("_", " ").split())] = "\n".join(parts).strip()
    return fields


def _check_kind(fields: _Fields) -> None:
    """Refuse what is no plain image."""
    path, kind = fields.path, fields.bare("file type").lower()
    if "library" in kind:
        raise ReadError(f"{path}: expected an image, found a spectral library")
    if "meta" in kind or "virtual" in kind:
        raise ReadError(
            f"{path}: expected an image, found an ENVI file that only points to others; open those"
        )
    if "tif" in kind:
        raise ReadError(f"{path}: describes a TIFF file; name that file itself")
    if fields.bare("file compression") not in ("", "0"):
        raise ReadError(f"{path}: compressed ENVI data is not supported; decompress it first")
    for key in ("major frame offsets", "minor frame offsets"):
        if re.search("[1-9]", fields.bare(key)):
            raise ReadError(
                f"{path}: data with {key} are not supported; save the image without them"
            )


def _interleave(fields: _Fields, bands: int) -> Interleave:
    interleave = fields.bare("interleave").lower()
    if not interleave and bands == 1:
        return "bsq"
    if interleave not in ("bsq", "bil", "bip"):
        raise ReadError(f"{fields.path}: expected interleave bsq, bil or bip, found {interleave!r}")
    return cast("Interleave", interleave)


def _stored(fields: _Fields) -> np.dtype[Any]:
    """Return the type of the values; without a byte order, little endian with a note."""
    number = fields.count("data type")
    if number not in TYPES:
        raise ReadError(
            f"{fields.path}: expected data type {', '.join(map(str, TYPES))}, found {number}"
            + (", which is complex; convert it to real numbers" if number in (6, 9) else "")
        )
    stored = np.dtype(TYPES[number])
    order = fields.bare("byte order")
    if order not in ("", "0", "1"):
        raise ReadError(f"{fields.path}: expected byte order 0 or 1, found {order!r}")
    if not order and stored.itemsize > 1:
        fields.notes.append("the header has no byte order; the values are taken as little endian")
    return stored.newbyteorder(">" if order == "1" else "<")


def _scaling(fields: _Fields, bands: int) -> tuple[float, Floats | None, Floats | None]:
    """Return divisor, gains and offsets; those that change nothing are left out."""
    gains = fields.numbers("data gain values", bands)
    if gains is not None and not gains.all():
        fields.notes.append("'data gain values' is left out: a gain is zero")
        gains = None
    offsets = fields.numbers("data offset values", bands)
    gains = None if gains is None or (gains == 1).all() else gains
    offsets = None if offsets is None or not offsets.any() else offsets
    divisor = fields.number("reflectance scale factor")
    if divisor is None or divisor == 1:
        return 1.0, gains, offsets
    if not math.isfinite(divisor) or divisor <= 0:
        fields.notes.append(f"'reflectance scale factor' is left out: it is {divisor:g}")
        return 1.0, gains, offsets
    if gains is not None or offsets is not None:
        fields.notes.append(
            "'reflectance scale factor' is left out: the header has gains or offsets too"
        )
        return 1.0, gains, offsets
    return divisor, None, None


def _good(fields: _Fields, bands: int) -> NDArray[np.bool_] | None:
    """Return the bands that the list of bad bands leaves."""
    marks = fields.numbers("bbl", bands)
    if marks is None:
        return None
    if not np.isin(marks, (0, 1)).all() or not marks.any():
        fields.notes.append("'bbl' is left out: expected marks 1 and 0, some of them 1")
        return None
    return np.asarray(marks == 1)


def _wavelengths(fields: _Fields, bands: int) -> Floats | None:
    listed = fields.bare("wavelength")
    if not listed:
        return _named(fields, bands)
    found = _NUMBER.findall(listed)
    units = {unit for _, unit in found}
    if re.sub(r"[,;\s]+", "", _NUMBER.sub("", listed)) or len(units) > 1:
        raise ReadError(f"{fields.path}: expected numbers in 'wavelength', found other words")
    values = np.array([float(number) for number, _ in found])
    if len(values) != bands or not np.isfinite(values).all():
        raise ReadError(
            f"{fields.path}: expected {bands} wavelengths, one a band, found {len(values)}; "
            "correct the header or delete its wavelength list"
        )
    wavelengths, note = converted(values, fields.bare("wavelength units") or units.pop())
    if note:
        fields.notes.append(note)
    return wavelengths


def _named(fields: _Fields, bands: int) -> Floats | None:
    """Return wavelengths that the bands are called by."""
    listed = (fields.text("band names") or "").strip("{} \t\n")
    names = [name.strip() for name in listed.rstrip(",").split(",")]
    if len(names) != bands:
        return None
    wavelengths, note = from_names(names)
    if note:
        fields.notes.append(note)
    return wavelengths
