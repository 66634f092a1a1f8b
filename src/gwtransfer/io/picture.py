"""Everyday pictures of 8 bits: PNG, JPEG, BMP and WebP through imageio."""

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError, UsageError, WriteError
from gwtransfer.io.eightbit import to_bytes
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason
from gwtransfer.io.layout import array_raster, upright

MOST_PIXELS = 1_000_000_000
"""A header that promises more than this is broken or hostile; three gigabytes in memory."""

JPEG_QUALITY = 95

_LIMIT = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class PictureLoader:
    """Load a PNG, JPEG, BMP or WebP file of 8 bits as a picture in [0, 1].

    The decoded bytes are kept in memory. Palettes are expanded, CMYK becomes RGB, the EXIF
    orientation is applied, every form of transparency becomes alpha.
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
            Not such a file, 16-bit, truncated, undecodable, or of absurd size.
        AmbiguousError
            The file holds several frames.
        """
        check_readable(path)
        form = _format(path)
        if form is None:
            raise ReadError(f"{path}: expected PNG, JPEG, BMP or WebP, found something else")
        if form == "PNG":
            _check_png_header(path)
        array = _decode(path, form)
        if array.ndim == 2:
            array = array[:, :, None]
        if array.dtype != np.uint8 or array.ndim != 3:
            raise ReadError(f"{path}: expected 8-bit pixels, found {array.dtype} {array.shape}")
        bands = 1 if array.shape[2] < 3 else 3
        alpha = array[:, :, bands] if array.shape[2] > bands else None
        return array_raster(
            array[:, :, :bands], name=str(path), kind="picture", scale=255, alpha=alpha
        )


@dataclass(frozen=True, kw_only=True)
class PngWriter:
    """Write a picture as 8-bit PNG, with alpha where it has holes, the same bytes each time."""

    extensions: ClassVar[tuple[str, ...]] = (".png",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no PNG can hold.

        Raises
        ------
        UsageError
            The raster is a cube.
        """
        _expect_picture(raster, "PNG")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``.

        Raises
        ------
        UsageError
            The raster is a cube.
        WriteError
            The encoder refuses.
        """
        self.check(raster)
        pixels, holes = _gather(raster)
        _encode(pixels if holes else pixels[:, :, :-1], path, compress_level=6)


@dataclass(frozen=True, kw_only=True)
class JpegWriter:
    """Write a picture as JPEG of quality 95 without chroma subsampling or metadata."""

    extensions: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no JPEG can hold.

        Raises
        ------
        UsageError
            The raster is a cube.
        WriteError
            The raster has an alpha channel.
        """
        _expect_picture(raster, "JPEG")
        if raster.has_alpha:
            raise _holes(raster.name)

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``.

        Raises
        ------
        UsageError
            The raster is a cube.
        WriteError
            Some pixels are holes, or the encoder refuses.
        """
        self.check(raster)
        pixels, holes = _gather(raster)
        if holes:
            raise _holes(raster.name)
        _encode(pixels[:, :, :-1], path, quality=JPEG_QUALITY, subsampling=0)


def _expect_picture(raster: Raster, form: str) -> None:
    if raster.kind != "picture":
        raise UsageError(
            f"{raster.name}: {form} holds pictures, found a cube of {raster.bands} bands; "
            "write .tif or .npy instead"
        )


def _holes(name: str) -> WriteError:
    return WriteError(
        f"{name}: has transparent or missing pixels, which JPEG cannot hold; "
        "write .png or .tif instead"
    )


def _gather(raster: Raster) -> tuple[NDArray[np.uint8], bool]:
    """Return (rows, columns, bands + 1) bytes, the last the opacity, and whether it is needed."""
    pixels = np.empty((raster.rows, raster.columns, raster.bands + 1), dtype=np.uint8)
    for block in raster.blocks():
        colours, opacity = to_bytes(block, raster.columns)
        pixels[block.start : block.stop, :, :-1] = colours
        pixels[block.start : block.stop, :, -1] = opacity
    return pixels, raster.has_alpha or bool((pixels[:, :, -1] < 255).any())


def _encode(pixels: NDArray[np.uint8], path: Path, **options: Any) -> None:
    import imageio.v3 as iio

    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    squeezed = np.ascontiguousarray(pixels[:, :, 0] if mode == "L" else pixels)
    try:
        with quiet("PIL", "imageio"):
            iio.imwrite(path, squeezed, plugin="pillow", mode=mode, is_batch=False, **options)
    except OSError as error:
        if error.errno is not None:
            raise
        raise WriteError(f"{path}: cannot be encoded: {reason(error)}") from error
    except Exception as error:
        raise WriteError(f"{path}: cannot be encoded: {reason(error)}") from error


def _decode(path: Path, form: str) -> NDArray[Any]:
    """Return (rows, columns) or (rows, columns, samples): gray, gray + alpha, RGB or RGBA."""
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
                about = file.metadata(index=0, exclude_applied=False)
                mode = _target_mode(str(about["mode"]), "transparency" in about)
                array = np.asarray(file.read(index=0, mode=mode, rotate=False))
    except GwTransferError:
        raise
    except Exception as error:
        raise ReadError(
            f"{path}: expected a {form} picture, found one that cannot be decoded: {reason(error)}"
        ) from error
    orientation = about.get("Orientation", 1)
    return upright(array, orientation if isinstance(orientation, int) else 1)


def _target_mode(mode: str, transparent: bool) -> str:
    """Return Pillow's name of the 8-bit form of a stored form."""
    alpha = transparent or mode.endswith(("A", "a"))
    if mode in ("1", "L", "LA", "La"):
        return "LA" if alpha else "L"
    return "RGBA" if alpha else "RGB"


def _format(path: Path) -> str | None:
    """Return PNG, JPEG, BMP, WebP or None from the first bytes; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except (OSError, ValueError):
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:2] == b"BM" and len(head) >= 18:
        known = (12, 16, 40, 52, 56, 64, 108, 124)
        return "BMP" if struct.unpack_from("<I", head, 14)[0] in known else None
    return None


def _check_png_header(path: Path) -> None:
    """Refuse 16-bit files, and headers that promise more than the file can hold."""
    with path.open("rb") as file:
        head = file.read(26)
        held = file.seek(0, 2)
    if len(head) < 26 or head[12:16] != b"IHDR":
        raise ReadError(f"{path}: expected a PNG header, found a truncated or broken file")
    columns, rows, depth, colour = struct.unpack_from(">IIBB", head, 16)
    if depth == 16:
        raise ReadError(
            f"{path}: 16-bit PNG is not supported yet; convert it to 8-bit PNG or to TIFF"
        )
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    if rows * columns * bits // 8 > 1100 * held:  # deflate shrinks at most 1032 : 1
        raise ReadError(
            f"{path}: expected {columns} × {rows} pixels as its header says, found a file of "
            f"{held} bytes that cannot hold them; it is truncated or broken"
        )


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
