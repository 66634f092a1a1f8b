"""ENVI headers: the text file beside the data, and finding the one from the other."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gwtransfer.core.raster import Floats
from gwtransfer.errors import AmbiguousError, ReadError

ITEM_BYTES = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 12: 2, 13: 4, 14: 8, 15: 8}
"""Bytes of a value by ENVI's number for its type; 6 and 9 are complex and not read."""

MOST_HEADER_BYTES = 16_000_000

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
OTHER_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"MATLAB ", b"\x93NUMPY", b"\x89HDF", b"PK\x03\x04")
"""What a file beside a header starts with when it is something else than ENVI data."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Header:
    """What an ENVI header says that matters here.

    Attributes
    ----------
    path : Path
    rows, columns, bands : int
    offset : int
        Bytes before the first value.
    item_bytes : int
        Bytes of one value.
    wavelengths : (bands,) array, nm, or None
    nodata : float or None
    """

    path: Path
    rows: int
    columns: int
    bands: int
    offset: int
    item_bytes: int
    wavelengths: Floats | None
    nodata: float | None

    @property
    def expected_bytes(self) -> int:
        """Size the data file must have at least."""
        return self.offset + self.rows * self.columns * self.bands * self.item_bytes


def is_envi_header(path: Path) -> bool:
    """Tell whether a file is text whose first line starts with ENVI; never raises."""
    try:
        with path.open("rb") as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:4] == b"ENVI"
    except (OSError, ValueError):
        return False


def is_envi_data(path: Path) -> bool:
    """Tell whether a file has an ENVI header beside it and is nothing else; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        return not head.startswith(TIFF_STARTS + OTHER_STARTS) and any(
            map(is_envi_header, _headers(path))
        )
    except (OSError, ValueError):
        return False


def find_pair(path: Path) -> tuple[Path, Path]:
    """Return the data file and its header, whichever of the two is given.

    Raises
    ------
    ReadError
        The other one is not there.
    AmbiguousError
        Several files could be the other one.
    """
    if not is_envi_header(path):
        headers = [header for header in _headers(path) if is_envi_header(header)]
        if not headers:
            raise ReadError(
                f"{path}: expected an ENVI header beside it, found neither "
                f"{path.with_suffix('.hdr').name} nor {path.name}.hdr"
            )
        if len(headers) > 1:
            names = " and ".join(sorted(header.name for header in headers))
            raise AmbiguousError(f"{path}: expected one ENVI header beside it, found {names}")
        return path, headers[0]
    found = _data_files(path)
    if len(found) == 1:
        others = [one for one in _headers(found[0]) if is_envi_header(one) and one != path]
        if others:
            names = " and ".join(sorted((path.name, others[0].name)))
            raise AmbiguousError(
                f"{path}: expected one header beside {found[0].name}, found {names}"
            )
        return found[0], path
    if not found:
        raise ReadError(
            f"{path}: expected the data file beside this ENVI header, found none called "
            f"{path.stem}, {path.stem}.img, {path.stem}.dat or alike"
        )
    names = ", ".join(sorted(one.name for one in found))
    raise AmbiguousError(f"{path}: expected one data file beside it, found {names}; name the one")


def read_header(path: Path) -> Header:
    """Read an ENVI header: names in any case, lists with trailing commas, any line ends.

    Raises
    ------
    ReadError
        A name is missing or a value cannot be what it says.
    """
    fields = _fields(path)
    kind = fields.get("file type", "").lower()
    if "library" in kind:
        raise ReadError(f"{path}: expected an image, found a spectral library")
    if fields.get("file compression", "0").strip() not in ("", "0"):
        raise ReadError(f"{path}: compressed ENVI data is not supported; decompress it first")
    rows, columns, bands = (_count(path, fields, key) for key in ("lines", "samples", "bands"))
    data_type = _count(path, fields, "data type")
    if data_type not in ITEM_BYTES:
        raise ReadError(
            f"{path}: expected data type {', '.join(map(str, ITEM_BYTES))}, found {data_type}"
            + (", which is complex; convert it to real numbers" if data_type in (6, 9) else "")
        )
    interleave = fields.get("interleave", "").lower()
    if interleave not in ("bsq", "bil", "bip"):
        raise ReadError(f"{path}: expected interleave bsq, bil or bip, found {interleave!r}")
    return Header(
        path=path,
        rows=rows,
        columns=columns,
        bands=bands,
        offset=_count(path, fields, "header offset", default=0),
        item_bytes=ITEM_BYTES[data_type],
        wavelengths=_wavelengths(path, fields, bands),
        nodata=_number(path, fields, "data ignore value"),
    )


def in_nanometres(values: Floats, unit: str) -> Floats | None:
    """Convert wavelengths to nm.

    Without a unit, values above 100 are nm and smaller ones µm. None when the unit is one of
    frequency, wavenumber or index.
    """
    unit = unit.strip().lower().rstrip(".")
    if unit in ("", "unknown"):
        return values if float(np.median(values)) > 100 else values * 1000
    if unit in ("nm", "nanometers", "nanometres", "nanometer", "nanometre"):
        return values
    if unit in ("um", "µm", "μm") or unit.startswith(("micromet", "micron")):
        return values * 1000
    if unit.startswith("angstr"):
        return values / 10
    return None


def _fields(path: Path) -> Mapping[str, str]:
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
        while value.count("{") > value.count("}"):
            more = next(lines, None)
            if more is None:
                raise ReadError(
                    f"{path}: expected a closing brace after {key.strip()!r}, found the end"
                )
            value += "\n" + more
        fields[" ".join(key.lower().split())] = value.strip()
    return fields


def _count(path: Path, fields: Mapping[str, str], key: str, default: int | None = None) -> int:
    value = fields.get(key)
    if value is None:
        if default is not None:
            return default
        raise ReadError(f"{path}: expected a line '{key} = …' in this ENVI header, found none")
    if not re.fullmatch(r"\d{1,15}", value) or (default is None and int(value) == 0):
        raise ReadError(f"{path}: expected '{key}' to be a positive whole number, found {value!r}")
    return int(value)


def _number(path: Path, fields: Mapping[str, str], key: str) -> float | None:
    value = fields.get(key, "").strip("{} ")
    if not value:
        return None
    try:
        return float(value)
    except ValueError:
        raise ReadError(f"{path}: expected '{key}' to be a number, found {value!r}") from None


def _wavelengths(path: Path, fields: Mapping[str, str], bands: int) -> Floats | None:
    listed = fields.get("wavelength", "").strip("{} \n\t")
    words = [word for word in re.split(r"[,\s]+", listed) if word]
    if not words:
        return None
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        raise ReadError(f"{path}: expected numbers in 'wavelength', found other words") from None
    if len(values) != bands or not all(map(math.isfinite, values)):
        raise ReadError(
            f"{path}: expected {bands} wavelengths, one a band, found {len(values)}; "
            "correct the header or delete its wavelength list"
        )
    return in_nanometres(values, fields.get("wavelength units", ""))


def _headers(data: Path) -> list[Path]:
    """Return the files that could be this data file's header, in either case of letters."""
    wanted = {f"{data.name}.hdr".lower(), f"{data.stem}.hdr".lower()}
    return [
        entry
        for entry in data.parent.iterdir()
        if entry.suffix.lower() == ".hdr" and entry.name.lower() in wanted and entry != data
    ]


def _data_files(header: Path) -> list[Path]:
    """Return the files this header could describe."""
    exact = [one for one in (header.with_suffix(""),) if one.is_file() and one != header]
    if exact:
        return exact
    suffixes = ("", ".img", ".dat", ".raw", ".bil", ".bip", ".bsq", ".bin", ".envi", ".cube")
    return [
        entry
        for entry in header.parent.iterdir()
        if entry.stem == header.stem and entry.suffix.lower() in suffixes and entry.is_file()
    ]
