"""Stored samples of a TIFF page made gray, RGB or plain numbers."""

import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet
from gwtransfer.errors import ReadError

Numbers = NDArray[Any]
Conversion = Callable[[Numbers], Numbers]

BY_PROFILE = "CMYK inks, converted to sRGB by the ICC profile of the file"
BY_FORMULA = "CMYK inks without ICC profile, converted to RGB by the plain formula"


def inverted(array: Numbers) -> Numbers:
    """Turn white-is-zero integers into black-is-zero; floats have no white and stay."""
    if array.dtype.kind != "u":
        return array
    return np.asarray(np.iinfo(array.dtype).max - array)


def expanded(name: str, array: Numbers, palette: Numbers | None) -> Numbers:
    """Look up palette indices (r, columns, 1); returns (r, columns, 3) of uint16.

    Raises
    ------
    ReadError
        The palette is missing or shorter than the indices need.
    """
    if palette is None or int(array.max()) >= palette.shape[1]:
        raise ReadError(f"{name}: expected a palette of all colours used, found a shorter one")
    return np.ascontiguousarray(palette[:, array[:, :, 0].astype(np.intp)].transpose(1, 2, 0))


def from_inks(profile: bytes | None) -> tuple[Conversion, str]:
    """Return how (r, columns, 4) bytes of CMYK become RGB, and a note that says it."""
    by_profile = None if profile is None else _profiled(profile)
    return (_formula, BY_FORMULA) if by_profile is None else (by_profile, BY_PROFILE)


def _formula(inks: Numbers) -> Numbers:
    """Let each ink and black take away their share of the light, rounded to bytes."""
    light = 255 - inks.astype(np.uint32)
    return ((light[:, :, :3] * light[:, :, 3:] + 127) // 255).astype(np.uint8)


def _profiled(profile: bytes) -> Conversion | None:
    """Return the conversion of an ICC profile; None when it is broken or not one of CMYK."""
    from PIL import Image, ImageCms

    try:
        with quiet("PIL"):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() != "CMYK":
                return None
            transform = ImageCms.buildTransform(
                source,
                ImageCms.createProfile("sRGB"),
                "CMYK",
                "RGB",
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return None
    lock = threading.Lock()

    def convert(inks: Numbers) -> Numbers:
        rows, columns = inks.shape[:2]
        picture = Image.frombytes("CMYK", (columns, rows), np.ascontiguousarray(inks).tobytes())
        with lock:
            converted = transform.apply(picture)
        return np.asarray(converted, dtype=np.uint8)

    return convert
