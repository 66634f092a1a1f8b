"""Every TIFF this project writes, through rasterio: pictures, cubes, cloud-optimised files."""

import base64
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Block, Raster
from gwtransfer.errors import GwTransferError, ReadError, UsageError, WriteError
from gwtransfer.io.gdal.bandtags import ENCODING_TAG
from gwtransfer.io.gdal.environment import gdal, keep
from gwtransfer.io.quantize import Depth, quantized, stored_depth
from gwtransfer.io.tiff.tags import check_extent, first_directory

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter

TYPES = {8: "uint8", 16: "uint16", "float": "float32"}

MOST_TILE_BYTES = 8 * 2**20
"""All bands of a tile of a cloud-optimised file; many bands get smaller tiles."""


class _HoleError(Exception):
    """A pixel is missing although the raster did not announce any."""


@dataclass(frozen=True, kw_only=True)
class TiffWriter:
    """Write a picture as TIFF of integers or floats, or a cube as float32 TIFF, block by block.

    A picture gets an alpha band when it may have holes; in a cube, and in floats of a picture whose
    source has no alpha, holes are NaN, which is also the nodata value. Wavelengths, transform,
    coordinate system, ground control points (where there is no transform: a TIFF holds one of the
    two), rational polynomials, ICC profile and resolution are kept; Exif is not. Floats are
    neither clipped nor rounded beyond single precision. Equal
    rasters give equal bytes.

    Attributes
    ----------
    depth : {8, 16, "float"} or None
        Bits of a picture's values; None keeps those of the source.
    dither : bool
        Round a picture's values up or down at random, so that they are right on average.
    cog : bool
        Write a cloud-optimised GeoTIFF: tiles, and overviews by averages.
    """

    extensions: ClassVar[tuple[str, ...]] = (".tif", ".tiff")
    holds_georeference: ClassVar[bool] = True

    depth: Depth | None = None
    dither: bool = False
    cog: bool = False

    def __post_init__(self) -> None:
        if self.depth not in (None, 8, 16, "float"):
            raise UsageError(f"depth: expected 8, 16 or float, got {self.depth!r}")
        if self.dither and self.depth == "float":
            raise UsageError("dither: floats are not rounded; choose depth 8 or 16, or no dither")

    def check(self, raster: Raster) -> None:
        """Refuse before any work what the options do not fit.

        Raises
        ------
        UsageError
            A depth or dither for a cube, which is written as float32, or a film.
        """
        if raster.film is not None:
            raise UsageError(
                f"{raster.name}: a TIFF holds one picture, found a film of {raster.film.frames} "
                "frames; write .mp4, .mov or .mkv instead"
            )
        if raster.kind == "cube" and (self.depth is not None or self.dither):
            raise UsageError(
                f"{raster.name}: a cube is written in single precision; "
                "depth and dither are for pictures"
            )

    def __call__(self, raster: Raster, path: Path) -> None:
        """Write the raster into ``path``.

        Raises
        ------
        UsageError
            As `check`.
        WriteError
            GDAL refuses.
        """
        self.check(raster)
        plain = path.with_name(f"{path.name}.plain") if self.cog else path
        try:
            with gdal(GDAL_PAM_ENABLED="NO"):
                try:
                    self._write(raster, plain, alpha=raster.may_have_holes)
                except _HoleError:
                    self._write(raster, plain, alpha=True)
                if self.cog:
                    _to_cog(plain, path, raster)
        except GwTransferError:
            raise
        except Exception as error:
            if getattr(error, "errno", None) is not None:
                raise
            said = reason(error).replace(str(plain.absolute()), str(path))
            raise WriteError(f"{path}: GDAL cannot write it: {said}") from error
        finally:
            if self.cog:
                plain.unlink(missing_ok=True)
        try:  # GDAL does not always say that a disk was full
            check_extent(path, first_directory(path))
        except ReadError as error:
            raise WriteError(f"{path}: was not written to its end; is the disk full?") from error

    def _write(self, raster: Raster, path: Path, *, alpha: bool) -> None:
        import rasterio

        depth = self.depth or stored_depth(raster.dtype, deepest="float")
        profile = _profile(raster) | (
            _picture(raster, depth, alpha=alpha) if raster.kind == "picture" else _CUBE
        )
        if self.cog:  # what is copied once more is not worth compressing
            profile = {key: profile[key] for key in profile if key not in ("compress", "predictor")}
        with quiet("rasterio"):
            out = rasterio.open(path.absolute(), "w", **profile)
        with out:
            _tag(out, raster, depth)
            for block in raster.blocks():
                values = (
                    _pixels(block, raster, depth, alpha=alpha, dither=self.dither)
                    if raster.kind == "picture"
                    else _spectra(block, raster)
                )
                out.write(values, window=((block.start, block.stop), (0, raster.columns)))


_CUBE = {"dtype": "float32", "predictor": 3, "interleave": "band"}
_CUBE |= {"nodata": math.nan, "photometric": "MINISBLACK"}


def _picture(raster: Raster, depth: Depth, *, alpha: bool) -> dict[str, Any]:
    profile: dict[str, Any] = {"dtype": TYPES[depth], "interleave": "pixel"}
    profile["predictor"] = 3 if depth == "float" else 2
    profile["photometric"] = "RGB" if raster.bands == 3 else "MINISBLACK"
    if raster.carried.icc is not None:
        profile["SOURCE_ICC_PROFILE"] = base64.b64encode(raster.carried.icc).decode()
    if alpha and depth == "float" and not raster.has_alpha:
        profile["nodata"] = math.nan  # GDAL takes no alpha of floats for a mask
    elif alpha:
        profile |= {"count": raster.bands + 1, "ALPHA": "NON-PREMULTIPLIED"}
    return profile


def _pixels(
    block: Block, raster: Raster, depth: Depth, *, alpha: bool, dither: bool
) -> NDArray[Any]:
    """Return (count, r, columns) values of a picture as they are stored."""
    if not alpha and not block.valid.all():
        raise _HoleError
    colours, opacity = quantized(block, raster.columns, depth, dither=dither)
    if alpha and depth == "float" and not raster.has_alpha:
        colours = np.where(opacity[:, :, None] > 0, colours, np.nan)
    elif alpha:
        colours = np.concatenate([colours, opacity[:, :, None]], axis=2)
    return np.moveaxis(colours, -1, 0)


def _spectra(block: Block, raster: Raster) -> NDArray[np.float32]:
    """Return (bands, r, columns) values of a cube, NaN where there is no data."""
    points = np.where(block.valid[:, None], block.points, np.nan).astype(np.float32)
    return np.moveaxis(points.reshape(-1, raster.columns, raster.bands), -1, 0)


def _profile(raster: Raster) -> dict[str, Any]:
    """Return what rasterio is told: one strip a block, so that each is compressed once."""
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": raster.rows,
        "width": raster.columns,
        "count": raster.bands,
        "compress": "deflate",
        "tiled": False,
        "blockysize": raster.block_rows(),
        "BIGTIFF": "IF_SAFER",
    }
    where = raster.georeference
    if where is None:
        return profile
    from rasterio.control import GroundControlPoint
    from rasterio.crs import CRS
    from rasterio.transform import Affine

    if where.gcps and where.transform == (1, 0, 0, 0, 1, 0):
        profile["gcps"] = [
            GroundControlPoint(row=row, col=column, x=x, y=y, z=z)
            for row, column, x, y, z in where.gcps
        ]
        crs = where.gcp_crs
    else:
        profile["transform"] = Affine(*where.transform)
        crs = where.crs
    if crs:
        profile["crs"] = CRS.from_wkt(crs)
    return profile


def _tag(out: "DatasetWriter", raster: Raster, depth: Depth) -> None:
    """Write what is said beside the pixels."""
    if raster.kind == "cube":
        for index, value in enumerate(() if raster.wavelengths is None else raster.wavelengths):
            out.update_tags(index + 1, wavelength=repr(float(value)), wavelength_units="nm")
    elif depth == "float" and raster.bands == 3 and raster.georeference is not None:
        out.update_tags(**{ENCODING_TAG: "sRGB scene" if raster.scene else "sRGB"})
    if raster.georeference is not None and raster.georeference.rpcs:
        out.update_tags(ns="RPC", **raster.georeference.rpcs)
    if raster.carried.dpi is not None:
        across, down = raster.carried.dpi
        out.update_tags(
            TIFFTAG_XRESOLUTION=repr(float(across)),
            TIFFTAG_YRESOLUTION=repr(float(down)),
            TIFFTAG_RESOLUTIONUNIT="2 (pixels/inch)",
        )


def _to_cog(plain: Path, path: Path, raster: Raster) -> None:
    """Copy a plain TIFF into tiles with overviews, in the order such files need."""
    from rasterio.shutil import copy

    size = 512
    while size > 128 and size * size * (raster.bands + 1) * 4 > MOST_TILE_BYTES:
        size //= 2
    keep(size * raster.columns * (raster.bands + 1) * 5)
    with gdal(GDAL_PAM_ENABLED="NO"), quiet("rasterio"):
        copy(
            str(plain.absolute()),
            str(path.absolute()),
            driver="COG",
            COMPRESS="DEFLATE",
            PREDICTOR="YES",
            BLOCKSIZE=size,
            OVERVIEWS="IGNORE_EXISTING",
            RESAMPLING="AVERAGE",
            BIGTIFF="IF_SAFER",
        )
