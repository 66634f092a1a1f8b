"""How a job writes its result."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gwtransfer import registry
from gwtransfer.core.raster import Carried, Raster, Rows
from gwtransfer.errors import DataError, UsageError
from gwtransfer.io import files
from gwtransfer.io.room import check_room
from gwtransfer.pipeline import consented, written

LEAST = {".npy": 4.0, ".tif": 0.1, ".tiff": 0.1, ".png": 0.1, ".exr": 0.1}
"""Bytes that a value takes in a file at the very least, packed or not."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How to write the output of a job.

    Attributes
    ----------
    write : str or None
        Name of a write stage; None goes by the output's extension.
    options : mapping
        Options of the write stage: depth, dither, cog.
    strip : bool
        Leave out what the source carries beside its pixels (ICC profile, Exif, resolution).
    overwrite : bool
        Replace the output if it exists.
    """

    write: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    strip: bool = False
    overwrite: bool = False

    def writer(self, output: Path) -> registry.Writer:
        """Return the writer of an output.

        Raises
        ------
        UsageError
            Nothing writes this extension, or its writer has not these options.
        """
        try:
            return registry.writer_for(output, write=self.write, options=self.options)
        except UsageError as error:
            if "depth" in self.options and re.search("option '?depth", str(error)):
                raise UsageError(
                    f"{output}: this format does not hold --depth {self.options['depth']}; "
                    "8 bits go into .png, .jpg and .tif, 16 into .png, .tif and .exr, "
                    "float into .tif, .exr, .hdr and .npy"
                ) from error
            raise

    def put(
        self,
        raster: Raster,
        output: Path,
        writer: registry.Writer,
        *,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        """Write a raster, whole or not at all.

        Parameters
        ----------
        at_end : callable or None
            Called when all is written and nothing published yet; what it raises leaves no file.
        """
        self.check(raster, writer, output)
        if self.strip:
            raster = replace(raster, carried=Carried())
        with files.whole(output, overwrite=self.overwrite) as temporary:
            written(writer, _storable(raster), temporary, output)
            if at_end is not None:
                at_end()

    def check(self, raster: Raster, writer: registry.Writer, output: Path | None = None) -> None:
        """Ask a writer for its consent; what it refuses depends on the files, and is no misuse.

        Parameters
        ----------
        output : Path or None
            Where there must be room for what is written as it is computed.
        """
        try:
            consented(writer, raster)
        except UsageError as error:
            raise DataError(str(error)) from error
        if output is not None:
            check_room(output, raster.pixels * raster.bands * LEAST.get(output.suffix.lower(), 0))


def _storable(raster: Raster) -> Raster:
    """Refuse, as it is read, a result that files of single floats cannot hold."""
    most = float(np.finfo(np.float32).max)

    def read(start: int, stop: int) -> Rows:
        rows = raster.read(start, stop)
        if bool((np.abs(rows.values) > most).any()):
            raise DataError(
                f"{raster.name}: its image has values above {most:.3g}, which no float32 file "
                "holds; divide the palette's values"
            )
        return rows

    return replace(raster, read=read)
