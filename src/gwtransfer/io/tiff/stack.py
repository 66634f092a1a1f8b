"""TIFF files without georeference: pictures, and stacks whose pages or samples are bands."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Raster
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.layout import find_band_axis, named, sizes
from gwtransfer.io.tiff import ome
from gwtransfer.io.tiff.image import (
    BLACK_IS_ZERO,
    INKS,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    YCBCR,
    one_page,
    stack,
)
from gwtransfer.io.tiff.pages import JPEG_CODECS, check_bytes, pages_of
from gwtransfer.io.tiff.segments import Pages
from gwtransfer.io.tiff.tags import check_extent, directories, first_directory, is_tiff
from gwtransfer.io.unsupported import refusal

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

RAW_PHOTOGRAPH = 50706

BAND_AXES = ("C", "E")
"""Axes that hold bands by their name: channels, and a spectral axis."""

AXES = {"T": "times", "Z": "slices", "C": "channels", "E": "wavelengths", "S": "samples"}
ASIDE = ("Thumbnail", "Label", "Macro")
"""Pictures that slide scanners store beside the scan."""


@dataclass(frozen=True, kw_only=True)
class TiffLoader:
    """Load a TIFF that no georeferencing or GDAL tag marks as a map.

    8- and 16-bit gray and RGB become pictures in [0, 1], and so does RGB of floats that all lie
    there; anything else is a cube in its own units; the pages of a stack are its bands. Of an OME
    or ImageJ file channels are bands. Rows are read when they are asked for.

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
        """Open the file and read its description.

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
        _check_chain(path)
        import tifffile

        try:
            with quiet("tifffile", "imagecodecs"), tifffile.TiffFile(path) as file:
                description = _description(path, file)
                series, aside = _only_series(path, file)
                _check_pages(path, series)
                aside += _missing(path, file, series)
                pages = pages_of(path, series)
                raster = self._raster(path, series, pages, description)
        except GwTransferError:
            raise
        except Exception as error:
            raise ReadError(
                f"{path}: expected a TIFF file, found one that cannot be decoded: {reason(error)}"
            ) from error
        notes = named(str(path), description.notes + aside + raster.notes)
        return replace(raster, notes=notes)

    def _raster(
        self, path: Path, series: "TiffPageSeries", pages: Pages, description: ome.Description
    ) -> Raster:
        axes = series.axes
        others = [axis for axis in axes if axis not in "YXS"]
        if not others:
            raster = one_page(path, series.keyframe, pages, band_axis=self.band_axis)
            notes: tuple[str, ...] = ()
        else:
            _check_axes(path, series, pages)
            notes = _axis_notes(path, series, others[0], band_axis=self.band_axis)
            place = axes.index(others[0]) if self.band_axis is None else self.band_axis
            shape = (int(series.shape[0]), pages.rows, pages.columns)
            axis = find_band_axis(shape, name=str(path), band_axis=place)
            raster = stack(path, series.keyframe, pages, axis)
        listed = description.wavelengths
        if listed is None or raster.kind == "picture":
            return replace(raster, notes=raster.notes + notes)
        if listed.size != raster.bands:
            said = f"{listed.size} wavelengths for {raster.bands} bands: they are not used"
            return replace(raster, notes=(*raster.notes, *notes, said))
        return replace(raster, wavelengths=listed, notes=raster.notes + notes)


def _check_chain(path: Path) -> None:
    """Refuse a file whose pages or strips lie beyond its end, and the raw data of a camera."""
    check_readable(path)
    said = refusal(path)
    if said is not None:
        raise ReadError(said)
    for directory in directories(path):
        check_extent(path, directory)
        if RAW_PHOTOGRAPH in directory.entries:
            raise ReadError(
                f"{path}: expected a TIFF picture, found a raw photograph (DNG); develop it to "
                "TIFF or PNG first"
            )


def _description(path: Path, file: "TiffFile") -> ome.Description:
    """Return what an OME description says, checked before tifffile acts on it."""
    if not file.is_ome or file.ome_metadata is None:
        return ome.Description()
    description = ome.describe(path, file.ome_metadata)
    for other in description.files:
        for directory in directories(other):
            check_extent(other, directory)
    return description


def _only_series(path: Path, file: "TiffFile") -> tuple["TiffPageSeries", tuple[str, ...]]:
    """Return the one set of like pages that is neither an overview nor a mask, and a note."""
    series = [
        one for one in file.series if not one.keyframe.is_reduced and not one.keyframe.is_mask
    ]
    main = [one for one in series if one.name not in ASIDE]
    if len(main) == 1:
        names = ", ".join(one.name.lower() for one in series if one is not main[0])
        return main[0], (f"left out: {names}",) if names else ()
    if not series:
        raise ReadError(f"{path}: expected pixels, found a TIFF without pages")
    found = ", ".join(f"{len(one.pages)} of {sizes(one.shape)} {one.dtype}" for one in series[:5])
    raise AmbiguousError(
        f"{path}: expected one picture, or pages of one shape that are bands, found pages: "
        f"{found}; save the pages you want as one file"
    )


def _missing(path: Path, file: "TiffFile", series: "TiffPageSeries") -> tuple[str, ...]:
    """Refuse an ImageJ file that is cut behind its only directory, or say that it has one page."""
    said = (file.imagej_metadata or {}).get("images", 1) if file.is_imagej else 1
    page = series.keyframe
    found = int(series.size) // page.size
    if not isinstance(said, int) or said <= found:
        return ()
    if page.is_final and path.stat().st_size > page.dataoffsets[0] + (found + 0.1) * page.nbytes:
        raise ReadError(
            f"{path}: expected {said} images as its description says, found fewer; "
            "the file is truncated or broken, get it again"
        )
    return (f"its description says {said} images, it holds {found}",)


def _check_pages(path: Path, series: "TiffPageSeries") -> None:
    """Refuse what cannot be understood or does not lie in the file."""
    if series.ndim > 3 or (series.ndim == 3 and len(series.pages) > 1 and "S" in series.axes):
        named = ", ".join(
            f"{size} {AXES.get(axis, 'pages')}"
            for axis, size in zip(series.axes, series.shape, strict=True)
            if axis not in "YX"
        )
        raise AmbiguousError(
            f"{path}: expected rows, columns and bands, found {series.axes} "
            f"{sizes(series.shape)} ({named}); save the page or channels you want as one file"
        )
    if series.ndim < 2 or series.dtype.kind not in "buif":
        raise ReadError(
            f"{path}: expected real numbers in rows and columns, found {series.dtype} "
            f"of {sizes(series.shape)}"
        )
    _check_colours(path, series)
    check_bytes(path, series)


def _check_colours(path: Path, series: "TiffPageSeries") -> None:
    page: TiffPage = series.keyframe
    photometric = int(page.photometric)
    known = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)
    decodable = photometric == YCBCR and int(page.compression) in JPEG_CODECS
    cmyk = photometric == INKS and page.samplesperpixel == 4 and len(series.pages) == 1
    cmyk = cmyk and series.dtype == np.uint8 and int(page.tags.valueof(332, default=1)) == 1
    if photometric not in known and not decodable and not cmyk:
        label = getattr(page.photometric, "name", photometric)
        raise ReadError(
            f"{path}: expected gray, RGB, palette or 8-bit CMYK colours, found "
            f"{page.samplesperpixel} samples of {series.dtype} {label}; convert it to RGB"
        )
    if photometric == PALETTE and len(series.pages) > 1:
        raise AmbiguousError(
            f"{path}: expected pages of gray values, found {len(series.pages)} pages with palettes;"
            " save the page you want as one file"
        )


def _check_axes(path: Path, series: "TiffPageSeries", pages: Pages) -> None:
    """Refuse a description of axes that does not fit the pages."""
    axes, shape = series.axes, series.shape
    fits = shape[1:] == (pages.rows, pages.columns) and len(pages.planes) == shape[0]
    if len(axes) != 3 or not fits or pages.samples != 1 or axes.index("Y") > axes.index("X"):
        raise ReadError(
            f"{path}: expected pages of rows × columns, found {len(pages.planes)} pages of "
            f"{pages.rows} × {pages.columns} described as {axes} {sizes(shape)}; save it again"
        )


def _axis_notes(
    path: Path, series: "TiffPageSeries", axis: str, *, band_axis: int | None
) -> tuple[str, ...]:
    """Return what is guessed about the axis taken for the bands; refuse what nobody can guess."""
    count, middle, last = series.shape
    if band_axis is not None or axis in BAND_AXES:
        return ()
    if axis in "TZ" and series.kind == "ome":
        raise AmbiguousError(
            f"{path}: expected channels, found {count} {AXES[axis]} ({axis}) of {middle} × {last}; "
            "say --band-axis 0 if they are bands, or save the one you want as one file"
        )
    if series.kind == "shaped" and axis == "Q" and last > 2 and 4 * last <= min(count, middle):
        raise AmbiguousError(
            f"{path}: {count} pages of {middle} × {last} pixels can be {count} bands, or "
            f"{count} rows of {middle} pixels with {last} bands; say --band-axis 0 or --band-axis 2"
        )
    if axis in "TZ":
        return (f"its {count} {AXES[axis]} ({axis}) are taken as bands",)
    return ()
