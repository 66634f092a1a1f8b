"""Everyday pictures of 8 bits: PNG, JPEG, BMP, WebP and GIF through imageio."""

import math
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Raster
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError
from gwtransfer.io.files import check_readable, check_swelling
from gwtransfer.io.pictures.carried import picture_raster
from gwtransfer.io.pictures.pngparts import (
    depth_of,
    names_other_colours,
    read_header,
    unheeded,
)
from gwtransfer.io.pictures.profile import cmyk_to_srgb, colour_space

MOST_PIXELS = 1_000_000_000
"""A header that promises more than this is broken or hostile; three gigabytes in memory."""

COPIES = 2
"""How many times the memory of other decoders Pillow and imageio take for a picture."""

_LIMIT = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class PictureLoader:
    """Load a PNG, JPEG, BMP, WebP or GIF file of 8 bits as a picture in [0, 1].

    The decoded bytes are kept in memory. Palettes are expanded, CMYK becomes RGB by its profile,
    the EXIF orientation is applied, every form of transparency becomes alpha. Profile, Exif and
    resolution are carried.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes whether this is such a file."""
        return _format(path) is not None

    def __call__(self, path: Path) -> Raster:
        """Decode the file.

        Returns
        -------
        Raster
            A picture of 1 or 3 bands.

        Raises
        ------
        ReadError
            Not such a file, truncated, undecodable, or of absurd size.
        AmbiguousError
            The file holds several frames.
        """
        check_readable(path)
        form = _format(path)
        if form is None:
            raise ReadError(f"{path}: expected PNG, JPEG, BMP, WebP or GIF, found something else")
        if form == "PNG":
            read_header(path)
        array, about = _decode(path, form)
        if array.dtype != np.uint8 or array.ndim not in (2, 3):
            raise ReadError(f"{path}: expected 8-bit pixels, found {array.dtype} {array.shape}")
        icc, notes = about.get("icc_profile") or None, []
        if about["mode"] == "CMYK":
            array, icc, note = _without_inks(array, icc)
            notes.append(note)
        if form == "PNG":
            gamma = about.get("gamma") if icc is None and "srgb" not in about else None
            notes.append(unheeded(gamma, coded=names_other_colours(path)))
        orientation = about.get("Orientation", 1)
        return picture_raster(
            array,
            path,
            icc=icc,
            exif_block=about.get("exif") or None,
            dpi=_dpi(about, form),
            orientation=orientation if isinstance(orientation, int) else 1,
            notes=tuple(notes),
        )


def _without_inks(inks: NDArray[Any], icc: bytes | None) -> tuple[NDArray[Any], bytes | None, str]:
    """Return CMYK as RGB, a profile for it, and a note when a profile was wanting."""
    colours = None if icc is None else cmyk_to_srgb(inks, icc)
    if colours is not None:
        return colours, None, ""
    light = 255 - inks.astype(np.uint16)
    colours = ((light[:, :, :3] * light[:, :, 3:] + 127) // 255).astype(np.uint8)
    lacking = "has no profile" if icc is None else f"has a {colour_space(icc) or 'broken'} profile"
    return colours, None, f"its CMYK {lacking}; it is converted to RGB by the plain formula"


def _dpi(about: Mapping[str, Any], form: str) -> tuple[float, float] | None:
    """Return pixels an inch from the file's own place for them, else from Exif."""
    stated = form != "JPEG" or about.get("jfif_unit") in (1, 2)  # else the library invents 72
    try:
        if stated and "dpi" in about:
            across, down = about["dpi"]
            return float(across), float(down)
        if "XResolution" in about and "YResolution" in about:
            unit = {2: 1.0, 3: 2.54}[about.get("ResolutionUnit", 2)]
            return float(about["XResolution"]) * unit, float(about["YResolution"]) * unit
    except (TypeError, ValueError, KeyError, ZeroDivisionError):
        pass
    return None


def _decode(path: Path, form: str) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the samples, gray, RGB, each with or without alpha, or CMYK, and what else it says."""
    import imageio.v3 as iio

    try:
        with quiet("PIL", "imageio"):
            with _pixel_limit():
                file: Any = iio.imopen(path, "r", plugin="pillow")
            with file:
                frames = int(file.properties(index=...).n_images or 1)
                if frames > 1 and form != "JPEG":  # a JPEG's further frames are previews
                    raise AmbiguousError(
                        f"{path}: expected one picture, found {frames} frames; "
                        "save the frame you want as PNG"
                    )
                decoded = math.prod(file.properties(index=0).shape)
                check_swelling(str(path), path.stat().st_size, COPIES * decoded)
                about: dict[str, Any] = file.metadata(index=0, exclude_applied=False)
                mode = _target_mode(str(about["mode"]), "transparency" in about)
                array = np.asarray(file.read(index=0, mode=mode, rotate=False))
    except GwTransferError:
        raise
    except Exception as error:
        raise ReadError(
            f"{path}: expected a {form} picture, found one that cannot be decoded: {_plain(error)}"
        ) from error
    return array, about


def _plain(error: Exception) -> str:
    """Return why a picture cannot be decoded; where libraries only name each other, what it is."""
    said = reason(error)
    return "it is truncated or damaged" if "`pillow`" in said else said


def _target_mode(mode: str, transparent: bool) -> str:
    """Return Pillow's name of the 8-bit form of a stored form."""
    if mode == "CMYK":
        return mode
    alpha = transparent or mode.endswith(("A", "a"))
    if mode in ("1", "L", "LA", "La"):
        return "LA" if alpha else "L"
    return "RGBA" if alpha else "RGB"


def _format(path: Path) -> str | None:
    """Return PNG, JPEG, BMP, WebP, GIF or None from the first bytes; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except (OSError, ValueError):
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None if depth_of(head) == 16 else "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:2] == b"BM" and len(head) >= 18:
        known = (12, 16, 40, 52, 56, 64, 108, 124)
        return "BMP" if struct.unpack_from("<I", head, 14)[0] in known else None
    return None


@contextmanager
def _pixel_limit() -> Iterator[None]:
    """Let Pillow open up to MOST_PIXELS: its own limit refuses pictures of today's cameras."""
    from PIL import Image

    with _LIMIT:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow raises above twice its limit
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
