"""ENVI cubes and georeferenced TIFF through rasterio, and every TIFF this project writes."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Block, Floats, Georeference, Raster, Rows
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError, WriteError
from gwtransfer.io.eightbit import to_bytes
from gwtransfer.io.envi import find_pair, in_nanometres, is_envi_data, is_envi_header, read_header
from gwtransfer.io.files import check_readable
from gwtransfer.io.foreign import quiet, reason
from gwtransfer.io.stored import Layout, opacity
from gwtransfer.io.tifftags import (
    check_expansion,
    check_extent,
    first_directory,
    is_tiff,
    truncated,
)

if TYPE_CHECKING:
    from rasterio.io import DatasetReader, DatasetWriter

PICTURE_TYPES = ("uint8", "uint16")


@dataclass(frozen=True, kw_only=True)
class GdalLoader:
    """Load an ENVI cube (data or header given) or a TIFF with georeference or GDAL tags.

    Rows are read when they are asked for. RGB of 8 or 16 bits is a picture in [0, 1], all else a
    cube in stored units; scale factors are not applied. In a picture a pixel is a hole when every
    band is nodata, in a cube each nodata value becomes NaN.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from header text, or from the TIFF's tags, whether this is such a file."""
        if is_tiff(path):
            try:
                return first_directory(path).is_geographic
            except GwTransferError:
                return False
        return is_envi_header(path) or is_envi_data(path)

    def __call__(self, path: Path) -> Raster:
        """Open the file and read its description.

        Returns
        -------
        Raster

        Raises
        ------
        ReadError
            Header or data are missing, truncated, broken or complex.
        AmbiguousError
            Several files or several images could be meant.
        """
        check_readable(path)
        if is_tiff(path):
            check_extent(path, first_directory(path))
            source = _Source(path, path, "GTiff")
            return source.raster(None, None)
        data, header_path = find_pair(path)
        check_readable(data)
        header = read_header(header_path)
        held = data.stat().st_size
        if held < header.expected_bytes:
            raise truncated(data, header.expected_bytes, held)
        return _Source(path, data, "ENVI").raster(header.wavelengths, header.nodata)


class _Source:
    """A file opened once in each thread that reads from it."""

    def __init__(self, path: Path, data: Path, driver: str) -> None:
        self.name = str(path)
        self.data = data
        self.driver = driver
        self.local = threading.local()

    def dataset(self) -> "DatasetReader":
        """Return this thread's handle."""
        opened = getattr(self.local, "dataset", None)
        if opened is None:
            import rasterio

            try:
                with quiet("rasterio"):
                    opened = rasterio.open(self.data.absolute(), driver=self.driver)
            except Exception as error:
                raise self.broken(error) from error
            self.local.dataset = opened
        return opened

    def broken(self, error: Exception) -> ReadError:
        """Return the error of a file GDAL cannot read."""
        said = reason(error).replace(str(self.data.absolute()), self.data.name)
        return ReadError(
            f"{self.name}: expected {self.driver} data, found a file GDAL cannot read: {said}"
        )

    def raster(self, wavelengths: Floats | None, nodata: float | None) -> Raster:
        """Describe the whole file as a raster."""
        import rasterio

        with rasterio.Env():  # outside it GDAL prints its warnings
            return self._described(self.dataset(), wavelengths, nodata)

    def _described(
        self, dataset: "DatasetReader", wavelengths: Floats | None, nodata: float | None
    ) -> Raster:
        if dataset.subdatasets or dataset.count == 0:
            raise AmbiguousError(
                f"{self.name}: expected one image, found {len(dataset.subdatasets)}; "
                "save the one you want as a file of its own"
            )
        alpha = _alpha_band(dataset)
        indexes = [index for index in dataset.indexes if index != alpha]
        colours = _rgb(dataset, alpha)
        stored = np.dtype(dataset.dtypes[0])
        shape = (dataset.height, dataset.width, dataset.count)
        check_expansion(self.data, shape, math.prod(shape) * stored.itemsize)
        if stored.kind not in "uif" or not indexes:
            raise ReadError(f"{self.name}: expected bands of real numbers, found {stored}")
        if wavelengths is None and self.driver == "GTiff":
            wavelengths = _band_wavelengths(dataset, indexes)
        nodatas = [_first(nodata, dataset.nodatavals[index - 1]) for index in indexes]
        masked = alpha is not None or "per_dataset" in _mask_flags(dataset)
        layout = Layout(
            indexes=colours or indexes,
            alpha=alpha,
            masked=masked,
            nodatas=nodatas,
            stored=np.dtype(np.result_type(*(dataset.dtypes[index - 1] for index in indexes))),
            picture=colours is not None,
        )
        return Raster(
            name=self.name,
            rows=dataset.height,
            columns=dataset.width,
            bands=len(indexes),
            read=lambda start, stop: self.read(layout, start, stop),
            kind="picture" if colours else "cube",
            dtype=str(stored),
            wavelengths=wavelengths,
            nodata=next((value for value in nodatas if value is not None), None),
            has_alpha=masked,
            georeference=_georeference(dataset),
        )

    def read(self, layout: "Layout", start: int, stop: int) -> Rows:
        """Read whole rows."""
        import rasterio

        dataset = self.dataset()
        window = ((start, stop), (0, dataset.width))
        alpha = None
        try:
            with rasterio.Env():
                stored = dataset.read(layout.indexes, window=window)
                if layout.alpha is not None:
                    alpha = dataset.read(layout.alpha, window=window)
                elif layout.masked:
                    alpha = dataset.dataset_mask(window=window)
        except Exception as error:
            raise self.broken(error) from error
        return Rows(values=layout.values(stored), alpha=None if alpha is None else opacity(alpha))


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _mask_flags(dataset: "DatasetReader") -> set[str]:
    return {flag.name for flags in dataset.mask_flag_enums for flag in flags}


def _alpha_band(dataset: "DatasetReader") -> int | None:
    names = [colour.name for colour in dataset.colorinterp]
    return names.index("alpha") + 1 if "alpha" in names else None


def _rgb(dataset: "DatasetReader", alpha: int | None) -> list[int] | None:
    """Return the bands that are red, green and blue, when there are no others."""
    names = [colour.name for colour in dataset.colorinterp]
    if len(names) != 3 + (alpha is not None) or not {"red", "green", "blue"} <= set(names):
        return None
    if len(set(dataset.dtypes)) != 1 or dataset.dtypes[0] not in PICTURE_TYPES:
        return None
    return [names.index(name) + 1 for name in ("red", "green", "blue")]


def _band_wavelengths(dataset: "DatasetReader", indexes: Sequence[int]) -> Floats | None:
    """Return nm from the tags `wavelength` of each band, or from GDAL's own."""
    values, units = [], set()
    for index in indexes:
        tags, imagery = dataset.tags(index), dataset.tags(index, ns="IMAGERY")
        if "wavelength" in tags:
            listed, unit = tags["wavelength"], tags.get("wavelength_units", "")
        else:
            listed, unit = imagery.get("CENTRAL_WAVELENGTH_UM", ""), "um"
        try:
            values.append(float(listed))
        except ValueError:
            return None
        units.add(unit)
    wavelengths = np.array(values)
    if len(units) != 1 or not np.isfinite(wavelengths).all():
        return None
    return in_nanometres(wavelengths, units.pop())


def _georeference(dataset: "DatasetReader") -> Georeference | None:
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    crs = "" if dataset.crs is None else dataset.crs.to_wkt()
    if not crs and (a, b, c, d, e, f) == (1, 0, 0, 0, 1, 0):
        return None
    return Georeference(crs=crs, transform=(a, b, c, d, e, f))


@dataclass(frozen=True, kw_only=True)
class TiffWriter:
    """Write a picture as 8-bit TIFF or a cube as float32 TIFF, block by block.

    A picture gets an alpha band when it may have holes; in a cube holes are NaN, which is also the
    nodata value. Georeference and wavelengths are kept. Equal rasters give equal bytes.
    """

    extensions: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    def check(self, raster: Raster) -> None:
        """Accept every raster: TIFF holds them all."""

    def __call__(self, raster: Raster, path: Path) -> None:
        """Write the raster into ``path``.

        Raises
        ------
        WriteError
            GDAL refuses.
        """
        import rasterio

        profile = _profile(raster)
        try:
            with rasterio.Env(GDAL_PAM_ENABLED="NO"):
                with quiet("rasterio"):
                    out = rasterio.open(path.absolute(), "w", **profile)
                with out:
                    self._fill(out, raster, int(profile["count"]))
        except GwTransferError:
            raise
        except Exception as error:
            if getattr(error, "errno", None) is not None:
                raise
            raise WriteError(f"{path}: GDAL cannot write it: {reason(error)}") from error
        try:  # GDAL does not always say that a disk was full
            check_extent(path, first_directory(path))
        except ReadError as error:
            raise WriteError(f"{path}: was not written to its end; is the disk full?") from error

    def _fill(self, out: "DatasetWriter", raster: Raster, count: int) -> None:
        if raster.kind == "cube" and raster.wavelengths is not None:
            for index, value in enumerate(raster.wavelengths.tolist(), start=1):
                out.update_tags(index, wavelength=repr(value), wavelength_units="nm")
        for block in raster.blocks():
            window = ((block.start, block.stop), (0, raster.columns))
            out.write(_bands(raster, block, count), window=window)


def _bands(raster: Raster, block: Block, count: int) -> NDArray[Any]:
    """Return (count, r, columns) values as they are stored."""
    if raster.kind == "picture":
        colours, opacity = to_bytes(block, raster.columns)
        pixels = np.concatenate([colours, opacity[:, :, None]], axis=2)[:, :, :count]
        return np.moveaxis(pixels, -1, 0)
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
    if raster.kind == "picture":
        holes = raster.has_alpha or raster.nodata is not None or raster.dtype.startswith("float")
        profile |= {"dtype": "uint8", "predictor": 2, "interleave": "pixel"}
        profile["photometric"] = "RGB" if raster.bands == 3 else "MINISBLACK"
        if holes:
            profile |= {"count": raster.bands + 1, "ALPHA": "NON-PREMULTIPLIED"}
    else:
        profile |= {"dtype": "float32", "predictor": 3, "interleave": "band"}
        profile |= {"nodata": math.nan, "photometric": "MINISBLACK"}
    where = raster.georeference
    if where is not None:
        from rasterio.crs import CRS
        from rasterio.transform import Affine

        profile["transform"] = Affine(*where.transform)
        if where.crs:
            profile["crs"] = CRS.from_wkt(where.crs)
    return profile
