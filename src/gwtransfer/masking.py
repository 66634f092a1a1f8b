"""Masks in files, and what they say of the pixels of a raster."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtransfer.core.raster import Raster
from gwtransfer.core.views import mask_weight, masked
from gwtransfer.errors import UsageError
from gwtransfer.io import files
from gwtransfer.opening import Opening, open_rasters


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A picture whose white says where.

    Attributes
    ----------
    path : Path
        White counts fully, black not at all, gray in between.
    feather : float >= 0
        Deviation in pixels of the Gaussian that softens its edges.

    Raises
    ------
    UsageError
        A feather out of range.
    """

    path: Path
    feather: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.feather <= 1000:
            raise UsageError(f"option feather: expected pixels from 0 to 1000, got {self.feather}")

    def __call__(self, raster: Raster) -> Raster:
        """Return a raster whose pixels count by this mask.

        Raises
        ------
        DataError
            The mask is of another size, or empty.
        """
        (mask,) = open_rasters(Opening(), self.path)
        return masked(raster, mask_weight(mask, raster, feather=self.feather))

    def provenance(self) -> dict[str, Any]:
        """Return its content and its feather."""
        return {
            "name": self.path.name,
            "sha256": files.sha256(self.path),
            "feather": self.feather,
        }
