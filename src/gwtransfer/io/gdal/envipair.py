"""ENVI pairs: finding the header from the data and the data from the header."""

from pathlib import Path

from gwtransfer.errors import AmbiguousError, ReadError

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
OTHER_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"MATLAB ", b"\x93NUMPY", b"\x89HDF", b"PK\x03\x04")
"""What a file beside a header starts with when it is something else than ENVI data."""


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
