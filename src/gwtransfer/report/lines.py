"""Lines for small charts, as SVG has them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def path(
    x: Sequence[float] | Array,
    y: Sequence[float] | Array,
    *,
    across: tuple[float, float],
    up: tuple[float, float],
    width: float,
    height: float,
) -> str:
    """Return a line through points in a box of some size, whose corner is above and left.

    Parameters
    ----------
    x, y : (n,) arrays, or numbers
    across, up : tuples of 2 floats
        Values of x at the left and right edge, of y at the lower and upper one.
    """
    places = np.stack(
        [
            width * _shares(np.asarray(x, dtype=np.float64), across),
            height * (1 - _shares(np.asarray(y, dtype=np.float64), up)),
        ],
        axis=1,
    )
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)


def _shares(values: Array, ends: tuple[float, float]) -> Array:
    low, high = ends
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
