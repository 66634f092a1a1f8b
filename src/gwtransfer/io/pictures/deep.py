"""Pictures of more than 8 bits through OpenImageIO: 16-bit PNG, OpenEXR and Radiance HDR."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gwtransfer.core.colorspace import encoded
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.layout import named, upright
from gwtransfer.io.pictures import exif
from gwtransfer.io.pictures.carried import picture_raster
from gwtransfer.io.pictures.exr import ExrSource
from gwtransfer.io.pictures.oiio import opened, said_by, undecodable
from gwtransfer.io.pictures.pngparts import depth_of, read_parts
from gwtransfer.io.pictures.radiance import STARTS, read_radiance_header

MOST_PIXELS = 1_000_000_000
"""A header that promises more is broken or hostile, where the whole picture is kept in memory."""

MOST_PIXELS_ON_DISK = 100 * MOST_PIXELS
"""The same where rows are read when they are asked for."""

MOST_SHRUNK = 100_000
"""Bytes of pixels a byte of an OpenEXR file can stand for; its best compression reaches 12 000."""

_EXR = b"v/1\x01"


@dataclass(frozen=True, kw_only=True)
class DeepLoader:
    """Load a 16-bit PNG, an OpenEXR or a Radiance HDR file.

    The samples of a PNG and of a Radiance file are kept in memory as they are stored, the rows of
    an OpenEXR file are read when they are asked for. Light of OpenEXR and Radiance becomes
    sRGB-encoded, beyond 1 where it is brighter than white; OpenEXR's colours are divided by their
    alpha. OpenEXR channels that are no picture are the bands of a cube in stored units, with
    wavelengths where their names say them.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes whether this is such a file."""
        return _format(path) is not None

    def __call__(self, path: Path) -> Raster:
        """Open the file, and decode it unless it is OpenEXR.

        Returns
        -------
        Raster

        Raises
        ------
        ReadError
            Not such a file, truncated, damaged, of absurd size, or deep data.
        AmbiguousError
            Several images or several kinds of spectra could be meant.
        """
        check_readable(path)
        form = _format(path)
        if form is None:
            raise ReadError(f"{path}: expected 16-bit PNG, OpenEXR or HDR, found something else")
        try:
            return {"PNG": _png, "EXR": _exr, "HDR": _hdr}[form](path)
        except UnicodeDecodeError as error:
            raise undecodable(path, form, "a name in it is no text") from error


def _format(path: Path) -> str | None:
    """Return PNG, EXR, HDR or None from the first bytes; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except (OSError, ValueError):
        return None
    if depth_of(head) == 16:
        return "PNG"
    if head.startswith(_EXR):
        return "EXR"
    return "HDR" if head.startswith(STARTS) else None


def _png(path: Path) -> Raster:
    parts = read_parts(path)
    if parts.frames > 1:
        raise AmbiguousError(
            f"{path}: expected one picture, found {parts.frames} frames; "
            "save the frame you want as PNG"
        )
    _check_size(path, parts.header.rows, parts.header.columns)
    source = opened(path, "PNG", **{"oiio:UnassociatedAlpha": 1})
    spec = source.spec()
    array = source.read_image(0, 0, 0, spec.nchannels, "uint16")
    if array is None:
        raise undecodable(path, "PNG", said_by(source))
    return picture_raster(
        array,
        path,
        icc=parts.icc,
        exif_block=parts.exif,
        dpi=parts.dpi,
        orientation=1 if parts.exif is None else exif.orientation(parts.exif),
        notes=(parts.note,),
    )


def _hdr(path: Path) -> Raster:
    header = read_radiance_header(path)
    _check_size(path, header.rows, header.columns)
    source = opened(path, "Radiance HDR")
    light = source.read_image(0, 0, 0, 3, "float")
    if light is None:
        raise undecodable(path, "Radiance HDR", said_by(source))
    light = upright(light, source.spec().get_int_attribute("Orientation", 1))
    notes: tuple[str, ...] = ()
    if abs(header.exposure - 1) > 1e-6:
        notes = named(str(path), [f"its EXPOSURE of {header.exposure:g} is not heeded"])
    return Raster(
        name=str(path),
        rows=light.shape[0],
        columns=light.shape[1],
        bands=3,
        read=lambda start, stop: Rows(
            values=encoded(light[start:stop].astype(np.float64)).astype(np.float32)
        ),
        kind="picture",
        dtype="float32",
        scene=True,
        notes=notes,
    )


def _exr(path: Path) -> Raster:
    source = opened(path, "OpenEXR")
    if source.seek_subimage(1, 0):
        raise AmbiguousError(
            f"{path}: expected one image, found several parts; "
            "save the part you want as a file of its own"
        )
    said_by(source)  # what it says of the part that is not there
    source.seek_subimage(0, 0)
    spec = source.spec()
    if spec.deep:
        raise ReadError(f"{path}: expected one value a pixel, found deep data; flatten it first")
    _check_size(path, spec.height, spec.width, most=MOST_PIXELS_ON_DISK)
    stored = spec.width * spec.height * max(1, spec.pixel_bytes(True))  # noqa: FBT003
    if stored > MOST_SHRUNK * path.stat().st_size:
        raise ReadError(
            f"{path}: expected {spec.width} × {spec.height} pixels as its header says, found a "
            f"file of {path.stat().st_size} bytes that cannot hold them; it is broken"
        )
    return ExrSource(path, source, spec).raster()


def _check_size(path: Path, rows: int, columns: int, *, most: int = MOST_PIXELS) -> None:
    if rows * columns > most:
        raise ReadError(
            f"{path}: expected at most {most:,} pixels, found {columns} × {rows}; cut it up"
        )
