"""Write pictures as binary PPM or PGM, the simplest formats there are."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gwtransfer.core.raster import Raster
from gwtransfer.errors import UsageError


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
