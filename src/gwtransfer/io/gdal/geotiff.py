"""TIFF with georeference or GDAL's tags, read by rows through rasterio."""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Carried, Raster, Rows
from gwtransfer.errors import AmbiguousError, GwTransferError, ReadError
from gwtransfer.io.files import check_swelling
from gwtransfer.io.gdal.bandtags import (
    ENCODING_TAG,
    alpha_band,
    find_colours,
    find_good,
    find_scaling,
    find_wavelengths,
    read_carried,
    read_georeference,
    read_palette,
)
from gwtransfer.io.gdal.environment import MOST_KEPT, gdal, keep
from gwtransfer.io.gdal.sidecar import Beside, product
from gwtransfer.io.gdal.unpacking import Unpacking, opacity
from gwtransfer.io.layout import named
from gwtransfer.io.tiff.tags import check_expansion
from gwtransfer.io.undeclared import seen_holes

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Window = tuple[tuple[int, int], tuple[int, int]]
"""Rows from and to, columns from and to."""


class GeoTiff:
    """A TIFF opened once, read by one thread at a time, so that each tile is decoded once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.lock = threading.Lock()
        try:
            with gdal(), quiet("rasterio"):
                import rasterio

                self.dataset: DatasetReader = rasterio.open(path.absolute(), driver="GTiff")
        except Exception as error:
            raise self.broken(error) from error

    def broken(self, error: Exception) -> ReadError:
        """Return the error of a file GDAL cannot read."""
        said = reason(error).replace(str(self.path.absolute()), self.path.name)
        return ReadError(
            f"{self.name}: expected GeoTIFF data, found a file GDAL cannot read: {said}"
        )

    def raster(self) -> Raster:
        """Describe the whole file as a raster."""
        try:
            with gdal():
                self._check()
                notes = self._keep()
                palette = read_palette(self.dataset)
                return self._bands(notes) if palette is None else self._palette(palette, notes)
        except GwTransferError:
            raise
        except Exception as error:
            raise self.broken(error) from error

    def _check(self) -> None:
        """Refuse what is not one image of real numbers that can lie in this file."""
        dataset = self.dataset
        images = len(dataset.subdatasets)
        with suppress(Exception):  # what GDAL said of odd tags while it looked for other images
            alpha_band(dataset)
        if images or dataset.count == 0:
            raise AmbiguousError(
                f"{self.name}: expected one image, found {images}; "
                "save the one you want as a file of its own"
            )
        stored = np.dtype(dataset.dtypes[0])
        shape = (dataset.height, dataset.width, dataset.count)
        check_expansion(self.path, shape, math.prod(shape) * stored.itemsize)
        if stored.kind not in "uif" or alpha_band(dataset) == dataset.count == 1:
            raise ReadError(f"{self.name}: expected bands of real numbers, found {stored}")
        if "cyan" in [colour.name for colour in dataset.colorinterp]:
            raise ReadError(f"{self.name}: expected gray or RGB, found CMYK; convert it to RGB")

    def _keep(self) -> list[str]:
        """Let a row of strips or tiles stay in memory; say so when it is too large for that."""
        dataset = self.dataset
        tall, wide = dataset.block_shapes[0]
        across = -(-dataset.width // wide) * wide
        item = np.dtype(dataset.dtypes[0]).itemsize
        needed = tall * across * dataset.count * item
        if dataset.compression is not None:
            check_swelling(self.name, self.path.stat().st_size, tall * wide * item)
        keep(needed + needed // 4)
        if needed <= MOST_KEPT:
            return []
        return [
            f"its strips or tiles are {tall} rows tall, which is too much to keep at "
            f"{across} columns and {dataset.count} bands: reading takes long"
        ]

    def _bands(self, notes: list[str]) -> Raster:
        """Describe bands of numbers: a picture or a cube."""
        dataset = self.dataset
        alpha = alpha_band(dataset)
        indexes = [index for index in dataset.indexes if index != alpha]
        colours = find_colours(dataset, alpha)
        stored = np.dtype(np.result_type(*(dataset.dtypes[index - 1] for index in indexes)))
        said = Beside() if colours else self._spectral(indexes)
        nodatas = [_first(dataset.nodatavals[index - 1], said.nodata) for index in indexes]
        flags = [{flag.name for flag in flags} for flags in dataset.mask_flag_enums]
        own = any(not flags[index - 1] for index in indexes)
        masked = alpha is not None or any("per_dataset" in one for one in flags)
        layout = Unpacking(
            indexes=colours or indexes,
            alpha=alpha,
            masked=masked,
            nodatas=nodatas,
            stored=stored,
            picture=colours is not None,
            divisor=float(np.iinfo(stored).max) if colours and stored.kind == "u" else 1.0,
            gains=said.gains,
            offsets=said.offsets,
        )
        found, note = seen_holes(
            dataset.height,
            lambda start, stop: self._stored(indexes, start, stop)[0],
            () if own else layout.usual,
            axis=0,
        )
        return Raster(
            name=self.name,
            rows=dataset.height,
            columns=dataset.width,
            bands=len(indexes),
            read=lambda start, stop: self.read(layout, start, stop, own_masks=own),
            kind="picture" if colours else "cube",
            dtype=stored.name,
            wavelengths=said.wavelengths,
            good=None if colours else find_good(dataset, indexes),
            nodata=_first(*nodatas, math.nan if own else found),
            has_alpha=masked,
            scene=bool(colours) and "scene" in dataset.tags().get(ENCODING_TAG, ""),
            georeference=read_georeference(dataset),
            carried=read_carried(dataset) if colours else Carried(),
            notes=named(self.name, [*notes, *said.notes, note]),
        )

    def _spectral(self, indexes: list[int]) -> Beside:
        """Return what the file, or else a product's metadata beside it, says about the bands."""
        dataset = self.dataset
        said = product(self.path, len(indexes))
        notes = list(said.notes)
        waves, note = find_wavelengths(dataset, indexes)
        if said.wavelengths is not None:
            waves = said.wavelengths
        elif note:
            notes.append(note)
        gains, offsets = find_scaling(dataset, indexes)
        if gains is None and offsets is None:
            gains, offsets = said.gains, said.offsets
        if len(indexes) == 3 and dataset.colorinterp[0].name == "red":
            notes.append(
                f"red, green and blue of {dataset.dtypes[0]} are read as a cube of 3 bands"
            )
        return replace(said, wavelengths=waves, gains=gains, offsets=offsets, notes=tuple(notes))

    def _palette(self, table: NDArray[np.uint8], notes: list[str]) -> Raster:
        """Describe a picture whose pixels are indices into a table of colours."""
        dataset = self.dataset
        nodata = dataset.nodatavals[0]
        if nodata is not None and nodata in range(256):
            table[int(nodata), 3] = 0
        floats = table.astype(np.float32) / np.float32(255)
        clear = bool((table[list(dataset.colormap(1)), 3] < 255).any())

        def read(start: int, stop: int) -> Rows:
            stored, _ = self._stored([1], start, stop)
            pixels = floats[stored[0]]
            return Rows(values=pixels[:, :, :3], alpha=pixels[:, :, 3] if clear else None)

        return Raster(
            name=self.name,
            rows=dataset.height,
            columns=dataset.width,
            bands=3,
            read=read,
            kind="picture",
            dtype="uint8",
            has_alpha=clear,
            georeference=read_georeference(dataset),
            carried=read_carried(dataset),
            notes=named(self.name, notes),
        )

    def read(self, layout: Unpacking, start: int, stop: int, *, own_masks: bool) -> Rows:
        """Read whole rows; ``own_masks`` where bands have masks of their own."""

        def masks(window: Window) -> NDArray[Any] | None:
            if layout.alpha is not None:
                return np.asarray(self.dataset.read(layout.alpha, window=window))
            if layout.masked:
                return np.asarray(self.dataset.dataset_mask(window=window))
            return np.asarray(self.dataset.read_masks(layout.indexes, window=window))

        needed = layout.masked or own_masks
        stored, masked = self._stored(layout.indexes, start, stop, masks if needed else None)
        values = layout.values(stored)
        if masked is None or layout.masked:
            return Rows(values=values, alpha=None if masked is None else opacity(masked))
        values[np.moveaxis(masked, 0, -1) == 0] = np.nan
        return Rows(values=values)

    def _stored(
        self,
        indexes: list[int],
        start: int,
        stop: int,
        masks: Callable[[Window], NDArray[Any] | None] | None = None,
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return (bands, r, columns) values and what masks them, as they are stored."""
        window = ((start, stop), (0, self.dataset.width))
        try:
            with self.lock, gdal():
                stored = self.dataset.read(indexes, window=window)
                return stored, None if masks is None else masks(window)
        except Exception as error:
            raise self.broken(error) from error


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
