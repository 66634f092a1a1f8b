"""Formats that are well known and not read: what they are called, and what to do instead."""

import re
from pathlib import Path

HEAD_BYTES = 4096

PICTURE, RAW, DATA = (
    "convert it to PNG or TIFF",
    "develop it to TIFF or PNG first",
    "convert it to GeoTIFF",
)
SHAPE = "convert it to PLY or OBJ"

_STARTS = (
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000", PICTURE),
    (b"\xff\x4f\xff\x51", "JPEG 2000", PICTURE),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL", PICTURE),
    (b"\xff\x0a", "JPEG XL", PICTURE),
    (b"8BPS", "Photoshop's PSD", PICTURE),
    (b"gimp xcf ", "GIMP's XCF", PICTURE),
    (b"II*\x00\x10\x00\x00\x00CR", "a raw photograph (CR2)", RAW),
    (b"FUJIFILMCCD-RAW", "a raw photograph (RAF)", RAW),
    (b"IIRO", "a raw photograph (ORF)", RAW),
    (b"IIRS", "a raw photograph (ORF)", RAW),
    (b"IIU\x00", "a raw photograph (RW2)", RAW),
    (b"EHFA_HEADER_TAG", "Erdas Imagine", DATA),
    (b"\x0e\x03\x13\x01", "HDF4", "convert it to GeoTIFF or HDF5"),
    (b"LASF", "LAS or LAZ", "convert it to PLY or XYZ"),
    (b"ASTM-E57", "E57", "convert it to PLY or XYZ"),
    (b"Kaydara FBX Binary", "FBX", SHAPE),
    (b"; FBX", "FBX", SHAPE),
    (b"#VRML", "VRML", SHAPE),
    (b"BLENDER", "a file of Blender's", SHAPE),
    (b"# vtk DataFile", "VTK", SHAPE),
    (b"PXR-USDC", "USD", SHAPE),
    (b"#usda", "USD", SHAPE),
    (b"ISO-10303-21", "STEP", SHAPE),
)
"""First bytes, the format's name, and what to do with the file."""

_NETPBM = {
    **dict.fromkeys((b"P1", b"P4"), "PBM"),
    **dict.fromkeys((b"P2", b"P5"), "PGM"),
    **dict.fromkeys((b"P3", b"P6"), "PPM"),
    **dict.fromkeys((b"PF", b"Pf"), "PFM"),
    b"P7": "PAM",
}
_VRT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<VRTDataset", re.DOTALL
)
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_AVIF = frozenset((b"avif", b"avis"))
_STILL = frozenset((b"mif1", b"msf1", b"miaf"))


def name_of(path: Path) -> str | None:
    """Return what a known format that is not read is called, or None; never raises."""
    found = _found(path)
    return None if found is None else found[0]


def refusal(path: Path) -> str | None:
    """Return the one line to refuse a file of such a format with, or None; never raises."""
    found = _found(path)
    return None if found is None else f"{path}: {found[0]} is not read; {found[1]}"


def _found(path: Path) -> tuple[str, str] | None:
    """Return name and advice by the first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return None
    for start, name, advice in _STARTS:
        if head.startswith(start):
            return name, advice
    if head[6:14] == b"HEAPCCDR":
        return "a raw photograph (CRW)", RAW
    if head[4:8] == b"ftyp":
        return _still(head)
    if head[:2] in _NETPBM and head[2:3] in (b" ", b"\t", b"\r", b"\n", b"#"):
        return _NETPBM[head[:2]], PICTURE
    if _VRT.match(head):
        return "GDAL's VRT", DATA
    return None


def _still(head: bytes) -> tuple[str, str] | None:
    """Return which of the still pictures in a box of MP4's kind it is, by its brands."""
    brands = head[8 : max(12, min(int.from_bytes(head[:4], "big"), 256))]
    major, others = brands[:4], {brands[at : at + 4] for at in range(8, len(brands) - 3, 4)}
    if major == b"crx ":
        return "a raw photograph (CR3)", RAW
    if major in _AVIF or (major in _STILL and others & _AVIF):
        return "AVIF", PICTURE
    if major in _HEIC or major in _STILL:
        return "HEIC", PICTURE
    return None
