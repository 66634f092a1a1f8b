"""All writers of single pictures: PNG, JPEG, OpenEXR and Radiance HDR."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import linear
from gwtransfer.core.raster import Block, Raster
from gwtransfer.errors import UsageError, WriteError
from gwtransfer.io.pictures.headers import dress_png, jpeg_header
from gwtransfer.io.pictures.jpegstrips import MOST_SIDE, write_jpeg
from gwtransfer.io.pictures.oiio import Encoding, check_last_row, encode, holes, is_opaque
from gwtransfer.io.pictures.profile import in_profile
from gwtransfer.io.pictures.radiance import as_stored
from gwtransfer.io.quantize import quantized, stored_depth

MOST_HALF = 65_504.0


@dataclass(frozen=True, kw_only=True)
class PngWriter:
    """Write a picture as PNG of 8 or 16 bits, with alpha where it has holes.

    Profile, Exif and resolution of the raster go with it. Equal rasters give equal bytes.

    Attributes
    ----------
    depth : 8, 16 or None
        Bits a sample; as the source has them unless said, and 16 for floats.
    dither : bool
        Round up or down at random so that the mean is right, instead of to the nearest.
    """

    depth: Literal[8, 16] | None = None
    dither: bool = False
    extensions: ClassVar[tuple[str, ...]] = (".png",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no PNG can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        """
        _expect_picture(raster, "PNG")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The encoder refuses.
        """
        self.check(raster)
        depth = self.depth or stored_depth(raster.dtype, deepest=16)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            colours, opacity = quantized(block, raster.columns, depth, dither=self.dither)
            return np.concatenate([colours, opacity[:, :, None]], axis=2) if alpha else colours

        encoding = Encoding(
            kind="png",
            form=f"uint{depth}",
            stored=stored,
            settings={"oiio:UnassociatedAlpha": 1},
        )
        encode(raster, path, encoding)
        dress_png(path, raster.carried, raster.bands)


@dataclass(frozen=True, kw_only=True)
class JpegWriter:
    """Write a picture as JPEG of quality 95 without chroma subsampling.

    Profile, Exif and resolution of the raster go with it. Equal rasters give equal bytes.

    Attributes
    ----------
    depth : 8 or None
        JPEG has 8 bits a sample.
    dither : bool
        Round up or down at random so that the mean is right, instead of to the nearest.
    """

    depth: Literal[8] | None = None
    dither: bool = False
    extensions: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no JPEG can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The raster has an alpha channel, or a side beyond 65 535 pixels.
        """
        _expect_opaque(raster, "JPEG")
        if max(raster.rows, raster.columns) > MOST_SIDE:
            raise WriteError(
                f"{raster.name}: JPEG holds sides of at most 65 535 pixels, found "
                f"{raster.columns} × {raster.rows}; write .png or .tif instead"
            )

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            Some pixels are holes, or the encoder refuses.
        """
        self.check(raster)

        def pixels() -> Iterator[NDArray[Any]]:
            with closing(raster.blocks()) as blocks:  # type: ignore[type-var]
                for block in blocks:
                    if not is_opaque(block):
                        raise holes(raster.name, "JPEG")
                    yield quantized(block, raster.columns, 8, dither=self.dither)[0]

        header = jpeg_header(raster.carried, raster.bands)
        with path.open("wb") as file:
            write_jpeg(file, pixels(), rows=raster.rows, header=header)


@dataclass(frozen=True, kw_only=True)
class ExrWriter:
    """Write a picture as OpenEXR: linear light in sRGB's primaries, colours times alpha.

    Attributes
    ----------
    depth : 16, "float" or None
        Half or single floats; unless said, half for sources of 8 bits or of half floats.
    """

    depth: Literal[16, "float"] | None = None
    extensions: ClassVar[tuple[str, ...]] = (".exr",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what is no picture.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        """
        _expect_picture(raster, "OpenEXR")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The encoder refuses.
        """
        self.check(raster)
        raster = in_profile(raster, None, within=False)
        half = (self.depth or (16 if raster.dtype in ("uint8", "float16") else "float")) == 16
        most = MOST_HALF if half else float(np.finfo(np.float32).max)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            light, opacity = _light(block, raster.columns)
            light *= opacity[:, :, None]
            parts = [light, opacity[:, :, None]] if alpha else [light]
            return np.clip(np.concatenate(parts, axis=2), -most, most).astype(np.float32)

        encoding = Encoding(
            kind="openexr",
            form="half" if half else "float",
            stored=stored,
            settings={"compression": "zip", "DateTime": ""},  # else it writes the date of today
        )
        encode(raster, path, encoding)
        check_last_row(path)


@dataclass(frozen=True, kw_only=True)
class HdrWriter:
    """Write a picture as Radiance HDR: linear light in three 8-bit parts with one exponent.

    Attributes
    ----------
    depth : "float" or None
        Radiance has one depth.
    """

    depth: Literal["float"] | None = None
    extensions: ClassVar[tuple[str, ...]] = (".hdr",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no Radiance file can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The raster has an alpha channel.
        """
        _expect_opaque(raster, "Radiance HDR")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            Some pixels are holes, or the encoder refuses.
        """
        self.check(raster)
        raster = in_profile(raster, None, within=False)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            del alpha
            light, _ = _light(block, raster.columns)
            return as_stored(np.broadcast_to(light, (*light.shape[:2], 3)))

        encoding = Encoding(kind="hdr", form="float", stored=stored, opaque="Radiance HDR")
        encode(raster, path, encoding)
        check_last_row(path)


def _light(block: Block, columns: int) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Return linear light (r, columns, bands) and opacity (r, columns) of a block."""
    points = np.where(block.valid[:, None], block.points, 0)
    alpha = block.valid.astype(np.float64)
    if block.alpha is not None:
        alpha *= np.where(block.valid, block.alpha, 0)
    rows = block.stop - block.start
    return linear(points.astype(np.float64)).reshape(rows, columns, -1), alpha.reshape(
        rows, columns
    )


def _expect_picture(raster: Raster, form: str) -> None:
    if raster.kind != "picture":
        raise UsageError(
            f"{raster.name}: {form} holds pictures, found a cube of {raster.bands} bands; "
            "write .tif or .npy instead"
        )
    if raster.film is not None:
        raise UsageError(
            f"{raster.name}: {form} holds one picture, found a film of {raster.film.frames} "
            "frames; write .mp4 instead"
        )


def _expect_opaque(raster: Raster, form: str) -> None:
    _expect_picture(raster, form)
    if raster.has_alpha:
        raise holes(raster.name, form)
