"""OpenEXR files that are open: rows of their channels as a picture or a cube."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import encoded
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import ReadError
from gwtransfer.io.layout import named
from gwtransfer.io.pictures.channels import find_channels, from_primaries
from gwtransfer.io.pictures.oiio import said_by, undecodable


class ExrSource:
    """An open OpenEXR file; the library lets several threads read from it at once."""

    def __init__(self, path: Path, source: Any, spec: Any) -> None:
        self.path = path
        self.source = source
        self.spec = spec
        formats = [str(form) for form in spec.channelformats] or [str(spec.format)]
        self.formats = formats * spec.nchannels if len(formats) == 1 else formats
        self.channels = find_channels(spec.channelnames, name=str(path))
        used = [self.formats[index] for index in self.channels.indexes]
        if self.channels.picture and not set(used) <= {"half", "float"}:
            raise ReadError(f"{path}: expected colours as half or float, found {used[0]}")
        self.half = set(used) == {"half"}
        self.matrix = None
        primaries = spec.getattribute("chromaticities")
        if self.channels.picture and len(used) == 3 and primaries is not None:
            self.matrix = from_primaries(primaries)

    def raster(self) -> Raster:
        """Describe the file, after a look at its last rows, which a cut file lacks."""
        self.read(self.spec.height - 1, self.spec.height)
        channels = self.channels
        return Raster(
            name=str(self.path),
            rows=self.spec.height,
            columns=self.spec.width,
            bands=len(channels.indexes),
            read=self.read,
            kind="picture" if channels.picture else "cube",
            dtype="float16" if self.half else "float32",
            wavelengths=channels.wavelengths,
            has_alpha=channels.alpha is not None,
            scene=channels.picture,
            notes=named(str(self.path), self.notes()),
        )

    def notes(self) -> list[str]:
        """Say what of the file is not taken as it is."""
        spec, notes = self.spec, [self.channels.note]
        whole = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
        if (spec.x, spec.y, spec.width, spec.height) != whole:
            notes.append(
                f"its data window of {spec.width} × {spec.height} pixels is read, "
                f"its display window is {spec.full_width} × {spec.full_height}"
            )
        if self.matrix is not None:
            notes.append("its colours are converted from its own primaries to those of sRGB")
        return notes

    def read(self, start: int, stop: int) -> Rows:
        """Read whole rows."""
        with np.errstate(all="ignore"):  # NaN and infinite light pass through
            return self._rows(start, stop)

    def _rows(self, start: int, stop: int) -> Rows:
        channels = self.channels
        values = self.stored(channels.indexes, start, stop)
        if not channels.picture:
            return Rows(values=values)
        alpha = None
        if channels.alpha is not None:
            opacity = self.stored((channels.alpha,), start, stop)[:, :, 0].astype(np.float64)
            alpha = np.clip(np.nan_to_num(opacity), 0, 1)
            values = values / np.where(alpha > 0, alpha, 1)[:, :, None]
        light = values if self.matrix is None else values @ self.matrix.T
        working = np.float32 if self.half else np.float64
        return Rows(values=encoded(light.astype(np.float64)).astype(working), alpha=alpha)

    def stored(self, indexes: Sequence[int], start: int, stop: int) -> NDArray[Any]:
        """Read some channels of whole rows as floats (r, columns, n)."""
        first, last = min(indexes), max(indexes) + 1
        whole = {self.formats[index] for index in indexes} - {"half", "float"}
        if not whole:
            return self._read(first, last, start, stop, "float")[:, :, [i - first for i in indexes]]
        parts = []
        for index in indexes:  # the library would stretch whole numbers to [0, 1]
            form = "float" if self.formats[index] in ("half", "float") else "uint"
            parts.append(self._read(index, index + 1, start, stop, form).astype(np.float64))
        return np.concatenate(parts, axis=2)

    def _read(self, first: int, last: int, start: int, stop: int, form: str) -> NDArray[Any]:
        spec = self.spec
        top, y, ends = 0, spec.y, (start, stop)
        if spec.tile_width:  # tiles are read whole
            top, tall = start // spec.tile_height * spec.tile_height, spec.tile_height
            ends = (top, min(-(-stop // tall) * tall, spec.height))
            pixels = self.source.read_tiles(
                0, 0, spec.x, spec.x + spec.width, y + ends[0], y + ends[1], 0, 1, first, last, form
            )
        else:
            top = start
            pixels = self.source.read_scanlines(0, 0, y + start, y + stop, 0, first, last, form)
        if pixels is None:
            raise undecodable(self.path, "OpenEXR", said_by(self.source))
        shaped = np.asarray(pixels).reshape(ends[1] - ends[0], spec.width, last - first)
        return shaped[start - top : stop - top]
