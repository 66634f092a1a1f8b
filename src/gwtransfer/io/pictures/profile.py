"""ICC profiles: what a picture's numbers mean, and the same picture in other numbers."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Floats, Raster, Rows
from gwtransfer.io.layout import named
from gwtransfer.io.pictures.iccmatrix import Shaper, shaper

Bytes = NDArray[np.uint8]

_HEADER = 128
_GRID = np.stack(np.meshgrid(*[np.linspace(0, 1, 9)] * 3), axis=-1).reshape(-1, 3)


def colour_space(icc: bytes) -> str | None:
    """Return the four letters of a profile's colour space, stripped ("RGB", "GRAY", "CMYK").

    None when the bytes are no profile.
    """
    if len(icc) < _HEADER + 4 or icc[36:40] != b"acsp":
        return None
    return icc[16:20].decode("latin-1").strip()


def fitting(icc: bytes | None, bands: int) -> bytes | None:
    """Return a profile when it is one for pictures of that many bands, else None."""
    if icc is None or colour_space(icc) != {1: "GRAY", 3: "RGB"}.get(bands):
        return None
    return icc


def in_profile(raster: Raster, icc: bytes | None, *, within: bool = True) -> Raster:
    """Return the same picture with its numbers in another RGB profile.

    Relative colorimetric. Profiles of curves and a matrix are computed exactly, others in steps of
    1/255. A raster that is no picture of three bands comes back as it is, and so does any for a
    profile of grays. Numbers stay when both profiles agree on them within 1/255. Where a profile
    cannot be used they stay as well, and ``notes`` says so.

    Parameters
    ----------
    raster : Raster
    icc : bytes or None
        None is sRGB.
    within : bool
        Cut to [0, 1] what the other profile has no numbers for.
    """
    if raster.kind != "picture" or raster.bands != 3 or raster.carried.icc == icc:
        return raster
    if icc is not None and colour_space(icc) == "GRAY":
        return raster
    carried = replace(raster.carried, icc=icc)
    if raster.scene:
        said = "light beyond white has no numbers in an ICC profile; it is kept"
        return replace(raster, carried=carried, notes=raster.notes + named(raster.name, [said]))
    try:
        convert = _conversion(raster.carried.icc, icc, within=within)
    except _ProfileError as error:
        said = f"{error}; its numbers are kept"
        return replace(raster, carried=carried, notes=raster.notes + named(raster.name, [said]))
    if np.abs(convert(_GRID) - _GRID).max() < 1 / 255:
        return replace(raster, carried=carried)

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        colours = rows.values.reshape(-1, 3)
        finite = np.isfinite(colours).all(axis=1, keepdims=True)
        changed = np.where(finite, convert(np.where(finite, colours, 0)), np.nan)
        values = changed.astype(rows.values.dtype).reshape(rows.values.shape)
        return replace(rows, values=values)

    return replace(raster, read=read, carried=carried)


def cmyk_to_srgb(inks: Bytes, icc: bytes) -> Bytes | None:
    """Return (rows, columns, 3) sRGB bytes of (rows, columns, 4) inks, or None.

    None when the profile is broken or not one of CMYK.
    """
    try:
        return _transform(icc, None, "CMYK")(inks)
    except _ProfileError:
        return None


class _ProfileError(ValueError):
    """A profile cannot be used; the message says which and why."""


def _conversion(
    source: bytes | None, target: bytes | None, *, within: bool
) -> Callable[[Floats], Floats]:
    """Return a function from colours (N, 3) in one profile to those in another."""
    before, after = shaper(source), shaper(target)
    if before is not None and after is not None:
        return partial(_exactly, before, after, within=within)
    transform = _transform(source, target, "RGB")

    def in_steps(colours: Floats) -> Floats:
        levels = np.floor(np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
        return np.asarray(transform(levels[None])[0] / 255)

    return in_steps


def _exactly(before: Shaper, after: Shaper, colours: Floats, *, within: bool) -> Floats:
    changed = after.from_xyz(before.to_xyz(colours.astype(np.float64)))
    return np.clip(changed, 0, 1) if within else changed


def _transform(source: bytes | None, target: bytes | None, mode: str) -> Callable[[Bytes], Bytes]:
    """Return a function from bytes in one profile to RGB bytes in another, for any thread."""
    from PIL import Image, ImageCms

    opened = [_opened(icc, space) for icc, space in ((source, mode), (target, "RGB"))]
    try:
        with quiet("PIL"):
            transform = ImageCms.buildTransform(
                opened[0],
                opened[1],
                mode,
                "RGB",
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
    except Exception as error:
        raise _ProfileError(f"its ICC profile cannot be used: {reason(error)}") from error
    one_at_a_time = threading.Lock()

    def convert(levels: Bytes) -> Bytes:
        picture = Image.frombuffer(
            mode, (levels.shape[1], levels.shape[0]), np.ascontiguousarray(levels).tobytes()
        )
        with one_at_a_time:
            changed = transform.apply(picture)
        return np.asarray(changed, dtype=np.uint8)

    return convert


def _opened(icc: bytes | None, space: str) -> Any:
    from PIL import ImageCms

    if icc is None:
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    found = colour_space(icc)
    if found != space:
        said = "no ICC profile" if found is None else f"one of {found}"
        raise _ProfileError(f"expected an ICC profile of {space}, found {said}")
    try:
        with quiet("PIL"):
            return ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except Exception as error:
        raise _ProfileError(f"its ICC profile cannot be used: {reason(error)}") from error
