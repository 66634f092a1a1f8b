"""How every call into GDAL is made: silent, and with a bound on what it keeps in memory."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

LEAST_KEPT, MOST_KEPT = 64 * 2**20, 448 * 2**20
"""Bounds in bytes on GDAL's cache of decoded strips and tiles, which all files share."""

_LOCK = threading.Lock()
_kept = LEAST_KEPT


def keep(needed: int) -> None:
    """Let GDAL keep at least so many bytes of decoded pixels, within the bounds.

    A row of tiles must fit, or each window of rows decodes all of its tiles again.
    """
    global _kept  # noqa: PLW0603  GDAL has one cache for the whole process
    with _LOCK:
        _kept = max(_kept, min(needed, MOST_KEPT))


@contextmanager
def gdal(**options: Any) -> Iterator[None]:
    """Run a block with GDAL's messages off and its cache bounded.

    Parameters
    ----------
    **options
        GDAL's configuration options for the block.
    """
    import rasterio

    _hush_libtiff()
    with rasterio.Env(GDAL_CACHEMAX=_kept, **options):  # outside it GDAL prints its warnings
        yield


@cache
def _hush_libtiff() -> None:
    """Keep libtiff from printing by itself that a disk is full; GDAL says it once more, to us.

    The handler belongs to the copy of libtiff in rasterio's wheel, for which GDAL is all there is.
    """
    import rasterio

    for library in Path(rasterio.__file__).parents[1].glob("rasterio.libs/libtiff*"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)
