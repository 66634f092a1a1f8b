"""TIFF files without georeference: pictures, and stacks whose pages or samples are bands."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason
from gwtransfer.io.layout import array_raster, find_band_axis, sizes, upright
from gwtransfer.io.tifftags import (
    check_expansion,
    check_extent,
    directories,
    first_directory,
    is_tiff,
    truncated,
)

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

Numbers = NDArray[Any]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
JPEG_CODECS = (6, 7, 33007, 34892)
PREMULTIPLIED, ALPHA = 1, 2


@dataclass(frozen=True, kw_only=True)
class TiffLoader:
    """Load a TIFF that no georeferencing or GDAL tag marks as a map.

    8- and 16-bit gray and RGB become pictures in [0, 1], anything else a cube in its own units;
    the pages of a stack are its bands. Uncompressed files in one piece are mapped, others decoded
    once and kept in memory.

    Attributes
    ----------
    band_axis : int or None
        Which of three axes (pages, rows, columns) or (rows, columns, samples) holds the bands.
    """

    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell whether this is a TIFF without georeference; a broken one counts as one."""
        if not is_tiff(path):
            return False
        try:
            return not first_directory(path).is_geographic
        except GwTransferError:
            return True

    def __call__(self, path: Path) -> Raster:
        """Read the file.

        Returns
        -------
        Raster

        Raises
        ------
        ReadError
            Truncated, undecodable, or of a colour model that is not supported.
        AmbiguousError
            Its pages have several shapes or several samples each.
        UsageError
            ``band_axis`` is out of range.
        """
        check_readable(path)
        for directory in directories(path):
            check_extent(path, directory)
        import tifffile

        try:
            with quiet("tifffile", "imagecodecs"), tifffile.TiffFile(path) as file:
                series = _only_series(path, file)
                _check_pages(path, series)
                array = _pixels(path, series)
                return self._raster(path, series, array)
        except GwTransferError:
            raise
        except Exception as error:
            raise ReadError(
                f"{path}: expected a TIFF file, found one that cannot be decoded: {reason(error)}"
            ) from error

    def _raster(self, path: Path, series: "TiffPageSeries", array: Numbers) -> Raster:
        page: TiffPage = series.keyframe
        photometric = int(page.photometric)
        orientation = int(page.tags.valueof(274, default=1))
        if array.ndim == 3 and "S" not in series.axes:
            return self._stack(path, array, inverted=photometric == WHITE_IS_ZERO)
        if series.axes == "SYX":
            array = np.moveaxis(array, 0, -1)
        if photometric == PALETTE:
            array = _expanded(path, array, page)
        array = upright(array, orientation)
        if array.dtype == np.bool_:
            array = array.astype(np.uint8) * np.uint8(255)
        if photometric == WHITE_IS_ZERO:
            array = _inverted(array)
        return _one_page(path, page, array, band_axis=self.band_axis)

    def _stack(self, path: Path, array: Numbers, *, inverted: bool) -> Raster:
        """Pages are bands unless the user says otherwise."""
        if self.band_axis is None:
            axis = 0
        else:
            axis = find_band_axis(array.shape, name=str(path), band_axis=self.band_axis)
        if array.dtype == np.bool_:
            array = array.astype(np.uint8)
        if inverted:
            array = _inverted(array)
        return array_raster(array, name=str(path), kind="cube", band_axis=axis)


def _one_page(path: Path, page: "TiffPage", array: Numbers, *, band_axis: int | None) -> Raster:
    """Return a picture of 8 or 16 bits when the page is gray or RGB, and a cube otherwise."""
    extra = [int(kind) for kind in page.extrasamples]
    colours = 3 if int(page.photometric) in (RGB, YCBCR, PALETTE) else 1
    samples = 1 if array.ndim == 2 else array.shape[2]
    small = array.dtype.kind == "u" and array.dtype.itemsize <= 2
    if not small or band_axis is not None or not _is_picture(samples, colours, extra):
        axis = -1
        if band_axis is not None and array.ndim == 3:
            axis = find_band_axis(array.shape, name=str(path), band_axis=band_axis)
        return array_raster(array, name=str(path), kind="cube", band_axis=axis)
    alpha = array[:, :, colours] if samples > colours else None
    raster = array_raster(
        array if array.ndim == 2 else array[:, :, :colours],
        name=str(path),
        kind="picture",
        scale=float(np.iinfo(array.dtype).max),
        alpha=alpha,
        dtype=page.dtype.name if page.dtype is not None else None,
    )
    return _divided(raster) if alpha is not None and extra[0] == PREMULTIPLIED else raster


def _is_picture(samples: int, colours: int, extra: list[int]) -> bool:
    if samples == colours:
        return True
    return samples == colours + 1 and extra[:1] in ([PREMULTIPLIED], [ALPHA])


def _divided(raster: Raster) -> Raster:
    """Undo colours that were stored multiplied by their alpha."""

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        if rows.alpha is None:
            return rows
        opacity = np.where(rows.alpha > 0, rows.alpha, 1)[:, :, None]
        return Rows(values=np.minimum(rows.values / opacity, 1), alpha=rows.alpha)

    return replace(raster, read=read)


def _only_series(path: Path, file: "TiffFile") -> "TiffPageSeries":
    """Return the one set of like pages that is neither an overview nor a mask."""
    series = [
        one for one in file.series if not one.keyframe.is_reduced and not one.keyframe.is_mask
    ]
    if len(series) == 1:
        return series[0]
    if not series:
        raise ReadError(f"{path}: expected pixels, found a TIFF without pages")
    found = ", ".join(f"{len(one.pages)} of {sizes(one.shape)} {one.dtype}" for one in series[:5])
    raise AmbiguousError(
        f"{path}: expected one picture, or pages of one shape that are bands, found pages: "
        f"{found}; save the pages you want as one file"
    )


def _check_pages(path: Path, series: "TiffPageSeries") -> None:
    """Refuse what cannot be understood or does not lie in the file."""
    page: TiffPage = series.keyframe
    if series.ndim > 3 or (series.ndim == 3 and len(series.pages) > 1 and "S" in series.axes):
        raise AmbiguousError(
            f"{path}: expected rows, columns and bands, found {series.axes} "
            f"{sizes(series.shape)}; save the page or channel you want as one file"
        )
    if series.ndim < 2 or series.dtype.kind not in "buif":
        raise ReadError(
            f"{path}: expected real numbers in rows and columns, found {series.dtype} "
            f"of {sizes(series.shape)}"
        )
    photometric = int(page.photometric)
    known = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)
    decodable = photometric == YCBCR and int(page.compression) in JPEG_CODECS
    if photometric not in known and not decodable:
        label = getattr(page.photometric, "name", photometric)
        raise ReadError(
            f"{path}: expected gray, RGB or palette colours, found {label}; convert it to RGB"
        )
    if photometric == PALETTE and len(series.pages) > 1:
        raise AmbiguousError(
            f"{path}: expected pages of gray values, found {len(series.pages)} pages with palettes;"
            " save the page you want as one file"
        )
    _check_bytes(path, series)


def _check_bytes(path: Path, series: "TiffPageSeries") -> None:
    held = path.stat().st_size
    wanted = int(series.size) * max(1, series.dtype.itemsize)
    if series.dataoffset is not None and series.keyframe.is_memmappable:
        if series.dataoffset + wanted > held:
            raise truncated(path, series.dataoffset + wanted, held)
    else:
        check_expansion(path, series.shape, wanted)


def _pixels(path: Path, series: "TiffPageSeries") -> Numbers:
    """Map the pixels where they lie in one piece, decode them otherwise; axes as the series'."""
    if series.dataoffset is not None and series.keyframe.is_memmappable:
        stored = series.keyframe.parent.byteorder + series.dtype.char
        return np.memmap(path, stored, "r", series.dataoffset, series.shape)
    return np.asarray(series.asarray())


def _inverted(array: Numbers) -> Numbers:
    """Turn white-is-zero integers into black-is-zero; floats have no white and stay."""
    if array.dtype.kind != "u":
        return array
    return np.asarray(np.iinfo(array.dtype).max - array)


def _expanded(path: Path, array: Numbers, page: "TiffPage") -> Numbers:
    """Look up palette indices; returns (rows, columns, 3) of uint16."""
    palette = page.colormap
    if palette is None or array.ndim != 2 or int(array.max()) >= palette.shape[1]:
        raise ReadError(f"{path}: expected a palette of all colours used, found a shorter one")
    return np.ascontiguousarray(palette[:, array.astype(np.intp)].transpose(1, 2, 0))
