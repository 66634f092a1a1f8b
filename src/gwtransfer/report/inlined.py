"""Pictures small enough to stand inside a page."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet
from gwtransfer.report.page import data_url

if TYPE_CHECKING:
    from PIL import Image

Bytes = NDArray[np.uint8]

MOST_SIDE = 1200
"""Pixels of the longer side at most."""

MOST_BYTES = 560_000
"""Bytes of a picture at most, where four and their clouds make a page."""

COARSE = 100
"""Longer sides below this show each pixel as a square."""

EXACT = 65_536
"""Pictures of up to so many pixels are kept as they are."""

TRIES = ((1200, 86), (1200, 76), (1000, 72), (800, 66), (640, 60), (480, 50), (320, 40))
"""Longer sides and qualities, until a picture is small enough; the last is taken in any case."""


@dataclass(frozen=True, kw_only=True)
class Inlined:
    """A picture inside a page.

    Attributes
    ----------
    url : str
        Holds the picture, as WebP.
    columns, rows : int
        Its size; on the page it may be shown larger or smaller.
    holes : bool
        Parts of it are transparent.
    coarse : bool
        So few pixels that each is shown as a square.
    """

    url: str
    columns: int
    rows: int
    holes: bool
    coarse: bool


def inlined(
    colours: Bytes,
    opaque: Bytes | None = None,
    *,
    most_side: int = MOST_SIDE,
    most: int = MOST_BYTES,
) -> Inlined:
    """Return a picture for a page; equal arrays give equal bytes.

    Parameters
    ----------
    colours : (rows, columns, 3) or (rows, columns) array of uint8
    opaque : (rows, columns) array of uint8, or None
        0 is a hole; None is all of it.
    most : int
        Bytes at most, unless the smallest way to keep it takes more.
    """
    from PIL import Image

    holes = opaque is not None and bool((opaque < 255).any())
    with quiet("PIL"):
        image = Image.fromarray(np.ascontiguousarray(colours)).convert("RGB")
        if opaque is not None and holes:
            image.putalpha(Image.fromarray(opaque))
        url, size = "", image.size
        for side, quality in TRIES:
            small = _within(image, min(side, most_side))
            exact = small.width * small.height <= EXACT
            buffer = io.BytesIO()
            small.save(buffer, "WEBP", lossless=exact, quality=quality, method=4, exact=False)
            url, size = data_url(buffer.getvalue(), "image/webp"), small.size
            if buffer.tell() <= most:
                break
    return Inlined(
        url=url,
        columns=size[0],
        rows=size[1],
        holes=holes,
        coarse=max(size) < COARSE,
    )


def _within(image: "Image.Image", side: int) -> "Image.Image":
    from PIL import Image

    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = [max(1, round(length * scale)) for length in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
