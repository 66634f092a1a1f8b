"""Rasters of remote sensing: ENVI and ERDAS cubes, and TIFF with a place or GDAL's tags."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gwtransfer.adapters.foreign import quiet
from gwtransfer.core.raster import Georeference, Raster, Rows
from gwtransfer.errors import GwTransferError
from gwtransfer.io.files import check_readable
from gwtransfer.io.gdal.bandtags import read_georeference
from gwtransfer.io.gdal.envi import read_header
from gwtransfer.io.gdal.envipair import find_pair, is_envi_data, is_envi_header
from gwtransfer.io.gdal.environment import gdal
from gwtransfer.io.gdal.erdas import read_erdas
from gwtransfer.io.gdal.geotiff import GeoTiff
from gwtransfer.io.gdal.sidecar import auxiliary
from gwtransfer.io.gdal.unpacking import Unpacking
from gwtransfer.io.gdal.writer import TiffWriter
from gwtransfer.io.layout import named
from gwtransfer.io.rawarray import RawCube
from gwtransfer.io.tiff.tags import (
    check_bands,
    check_extent,
    first_directory,
    is_tiff,
    truncated,
)
from gwtransfer.io.undeclared import seen_holes

__all__ = ["GdalLoader", "TiffWriter"]


@dataclass(frozen=True, kw_only=True)
class GdalLoader:
    """Load an ENVI cube (data or header given), ERDAS 7, or a TIFF with georeference or GDAL tags.

    Rows are read when they are asked for. RGB of 8 or 16 bits, palettes, and 8-bit gray without
    georeference are pictures in [0, 1]; all else is a cube: gray with a georeference is a
    measurement more often than a picture. Scale factors, gains and offsets of the file are applied
    to what is data. In a picture a pixel is a hole when every band is nodata, in a cube each nodata
    value becomes NaN.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from a header, or from the TIFF's tags, whether this is such a file."""
        if is_tiff(path):
            try:
                return first_directory(path).is_geographic
            except GwTransferError:
                return False
        return is_envi_header(path) or is_envi_data(path) or read_erdas(path) is not None

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
        if not is_tiff(path):
            erdas = None if is_envi_header(path) or is_envi_data(path) else read_erdas(path)
            return _envi(path) if erdas is None else _cube(erdas, _plain(erdas, None))
        directory = first_directory(path)
        check_bands(path, directory)
        check_extent(path, directory)
        return GeoTiff(path).raster()


def _envi(path: Path) -> Raster:
    """Describe an ENVI pair, of which either file is given."""
    data, header_path = find_pair(path)
    check_readable(data)
    header = read_header(header_path)
    raw = RawCube(
        path=data,
        name=str(path),
        rows=header.rows,
        columns=header.columns,
        bands=header.bands,
        offset=header.offset,
        stored=header.stored,
        interleave=header.interleave,
    )
    notes = list(header.notes)
    beside, nodata = auxiliary(data), header.nodata
    if nodata is None and beside.nodata is not None:
        nodata = beside.nodata
        notes += beside.notes
    layout = replace(
        _plain(raw, nodata), divisor=header.divisor, gains=header.gains, offsets=header.offsets
    )
    _check_length(raw)
    found, note = seen_holes(raw.rows, raw.read, layout.usual, axis=0)
    layout, notes = replace(layout, found=found), [*notes, note]
    where = _envi_place(header.place, notes) if header.place else None
    return replace(
        _cube(raw, layout, notes),
        wavelengths=header.wavelengths,
        good=header.good,
        georeference=where,
    )


def _plain(raw: RawCube, nodata: float | None) -> Unpacking:
    """Return the layout of stored values that are meant as they are."""
    return Unpacking(
        indexes=list(range(1, raw.bands + 1)),
        alpha=None,
        masked=False,
        nodatas=[nodata] * raw.bands,
        stored=raw.stored,
        picture=False,
    )


def _cube(raw: RawCube, layout: Unpacking, notes: Sequence[str] = ()) -> Raster:
    """Describe plain numbers as a cube, if the file is long enough for them."""
    left = _check_length(raw)
    if left:
        notes = (*notes, f"the last {left} bytes of {raw.path.name} are more than its header says")
    return Raster(
        name=raw.name,
        rows=raw.rows,
        columns=raw.columns,
        bands=raw.bands,
        read=lambda start, stop: Rows(values=layout.values(raw.read(start, stop))),
        kind="cube",
        dtype=raw.stored.newbyteorder("=").name,
        nodata=layout.found if layout.nodatas[0] is None else layout.nodatas[0],
        notes=named(raw.name, notes),
    )


def _check_length(raw: RawCube) -> int:
    """Return how many bytes the file has more than its values need; refuse one with fewer."""
    held = raw.path.stat().st_size
    if held < raw.expected_bytes:
        raise truncated(raw.path, raw.expected_bytes, held)
    return held - raw.expected_bytes


def _envi_place(place: Mapping[str, str], notes: list[str]) -> Georeference | None:
    """Let GDAL understand where an ENVI cube lies, from a header of one pixel with those words."""
    from rasterio.io import MemoryFile

    plain = {"samples": "1", "lines": "1", "bands": "1", "header offset": "0", "data type": "1"}
    words = plain | {"interleave": "bsq", "byte order": "0"} | dict(place)
    header = "\n".join(
        ["ENVI", *(f"{key} = {' '.join(value.split())}" for key, value in words.items()), ""]
    )
    folder, where = uuid.uuid4().hex, None
    try:
        with (
            gdal(),
            quiet("rasterio"),
            MemoryFile(header.encode(), dirname=folder, filename="a.hdr"),
            MemoryFile(b"\0\0", dirname=folder, filename="a.img") as pixel,
            pixel.open(driver="ENVI") as dataset,
        ):
            where = read_georeference(dataset)
    except Exception:  # whatever is wrong with these words, the pixels can be read
        where = None
    if where is None:
        said = " and ".join(repr(key) for key in place)
        notes.append(f"the georeference is left out: GDAL does not understand {said}")
    return where
