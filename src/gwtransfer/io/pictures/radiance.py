"""Radiance HDR: its header, and light as its four bytes hold it."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.errors import ReadError

STARTS = (b"#?RADIANCE", b"#?RGBE")

_HEADER = 65_536
_SIZE = re.compile(rb"([+-])([XY]) (\d{1,10}) ([+-])([XY]) (\d{1,10})")
_WIDEST = 64
"""Pixels a byte can stand for: runs of 127 in two bytes for each of four parts."""


@dataclass(frozen=True, kw_only=True)
class RadianceHeader:
    """What the text before the pixels says.

    Attributes
    ----------
    columns, rows : int
        As stored; a turned picture has them exchanged.
    exposure : float
        What the pixels have been multiplied by.
    """

    columns: int
    rows: int
    exposure: float


def read_radiance_header(path: Path) -> RadianceHeader:
    """Read the text before the pixels.

    Raises
    ------
    ReadError
        Broken, of another colour format, or it promises more than the file can hold.
    """
    with path.open("rb") as file:
        text = file.read(_HEADER)
        held = file.seek(0, 2)
    settings, blank, rest = text.partition(b"\n\n")
    size = _SIZE.fullmatch(rest.partition(b"\n")[0].strip())
    if not blank or size is None or size[2] == size[5]:
        raise ReadError(f"{path}: expected a Radiance header with a size, found a broken one")
    lines = [line.strip() for line in settings.split(b"\n")]
    formats = [line.partition(b"=")[2].strip() for line in lines if line.startswith(b"FORMAT=")]
    if formats and formats[-1] != b"32-bit_rle_rgbe":
        said = formats[-1].decode("latin-1")
        raise ReadError(f"{path}: expected Radiance in RGB (32-bit_rle_rgbe), found {said!r}")
    rows, columns = int(size[3]), int(size[6])
    if min(rows, columns) < 1 or rows * columns > _WIDEST * held:
        raise ReadError(
            f"{path}: expected {columns} × {rows} pixels as its header says, found a file of "
            f"{held} bytes that cannot hold them; it is truncated or broken"
        )
    return RadianceHeader(columns=columns, rows=rows, exposure=_exposure(lines))


def _exposure(lines: list[bytes]) -> float:
    total = 1.0
    for line in lines:
        if line.startswith(b"EXPOSURE="):
            try:
                total *= float(line.partition(b"=")[2])
            except ValueError:
                continue
    return total if np.isfinite(total) and total > 0 else 1.0


def as_stored(light: Floats) -> NDArray[np.float32]:
    """Return light (…, 3) rounded to what three 8-bit parts with one exponent can hold.

    Encoders cut off instead, which darkens; after this nothing is left to cut off. Negative light
    becomes black, and what is beyond the format becomes its brightest.
    """
    values = np.clip(np.asarray(light, dtype=np.float64), 0, 255 * 2.0**118)
    brightest = values.max(axis=-1, keepdims=True)
    _, exponent = np.frexp(brightest)
    step = np.ldexp(1.0, exponent - 8)
    carried = np.floor(brightest / step + 0.5) >= 256  # rounding up reaches the next exponent
    step = np.where(carried, 2 * step, step)
    levels = np.floor(values / step + 0.5)
    return np.where(brightest > 1e-32, levels * step, 0).astype(np.float32)
