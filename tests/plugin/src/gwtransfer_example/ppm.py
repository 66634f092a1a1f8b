"""Read and write pictures as binary PPM or PGM, the simplest formats there are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import ReadError, UsageError

HEADER = re.compile(rb"P([56])\s(?:\s*#.*\n)*\s*(\d+)\s+(\d+)\s+(\d+)\s")
"""Kind, columns, rows and the value of white; then the pixels."""

HEADER_BYTES = 4096
"""Where the pixels must have begun."""


@dataclass(frozen=True, kw_only=True)
class PpmLoader:
    """Read gray or red, green, blue pictures, 8 or 16 bits a channel, row by row."""

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell by the first bytes; a folder or a file that cannot be read is none."""
        try:
            with path.open("rb") as file:
                return re.match(rb"P[56]\s", file.read(3)) is not None
        except (OSError, ValueError):
            return False

    def __call__(self, path: Path) -> Raster:
        """Read the header; rows are read when they are asked for.

        Raises
        ------
        ReadError
            The header is broken, or the file is shorter than it says.
        """
        with path.open("rb") as file:
            header = HEADER.match(file.read(HEADER_BYTES))
        if header is None:
            raise ReadError(f"{path}: expected a PPM header, found something else")
        kind, columns, rows, white = (int(number) for number in header.groups())
        if not (0 < white < 65536 and columns * rows > 0):
            raise ReadError(f"{path}: expected pixels of 1 to 65535, found {header[0]!r}")
        bands = 3 if kind == 6 else 1
        stored = np.dtype(">u2" if white > 255 else "u1")
        begin, stride = header.end(), columns * bands * stored.itemsize
        held = path.stat().st_size
        if held < begin + rows * stride:
            raise ReadError(
                f"{path}: expected {begin + rows * stride} bytes, found {held}; the file is "
                "truncated, get it again"
            )

        def read(start: int, stop: int) -> Rows:
            count = (stop - start) * columns * bands
            values = np.fromfile(path, stored, count, offset=begin + start * stride)
            shape = (stop - start, columns, bands)
            return Rows(values=values.reshape(shape).astype(np.float32) / np.float32(white))

        return Raster(
            name=str(path),
            rows=rows,
            columns=columns,
            bands=bands,
            read=read,
            kind="picture",
            dtype="uint16" if white > 255 else "uint8",
        )


@dataclass(frozen=True, kw_only=True)
class PpmWriter:
    """Write gray or red, green, blue pictures, 8 or 16 bits a channel.

    Attributes
    ----------
    bits : int
        8 or 16.
    """

    bits: int = 8
    extensions: ClassVar[tuple[str, ...]] = (".ppm", ".pgm")

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise UsageError(f"ppm: expected 8 or 16 bits, got {self.bits}")

    def check(self, raster: Raster) -> None:
        """Refuse what the format cannot hold.

        Raises
        ------
        UsageError
            The raster is a cube, or has an alpha channel.
        """
        if raster.kind != "picture":
            raise UsageError(
                f"{raster.name}: ppm holds pictures, got a cube of {raster.bands} bands"
            )
        if raster.has_alpha:
            raise UsageError(f"{raster.name}: ppm holds no transparency; write .png")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Write the raster to exactly this path; pixels that are not finite become 0."""
        top = 2**self.bits - 1
        stored = ">u2" if self.bits == 16 else "u1"
        magic = "P6" if raster.bands == 3 else "P5"
        with path.open("wb") as file:
            file.write(f"{magic}\n{raster.columns} {raster.rows}\n{top}\n".encode("ascii"))
            for block in raster.blocks():
                values = np.nan_to_num(block.points, nan=0.0).clip(0, 1)
                file.write(np.rint(values * top).astype(stored).tobytes())
