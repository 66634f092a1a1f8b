"""How many Gaussians points can have."""

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import DataError

Array = NDArray[np.float64]

DISTINCT_DECIMALS = 9
"""Points closer than this many decimals of a working unit are one point."""


def component_count(points: Array, components: int | None, usual: int) -> int:
    """Return K for points (n, p): what was asked for, else ``usual`` or, if fewer, one a place.

    Raises
    ------
    DataError
        Fewer distinct points than were asked for.
    """
    wanted = components or usual
    found = _places(points, wanted)
    if components is not None and found < components:
        raise DataError(
            f"expected at least as many distinct points as components, found {found} "
            f"for {components}; use --components {found} or fewer"
        )
    return min(wanted, found)


def _places(points: Array, enough: int) -> int:
    """Return the number of distinct points, or enough or more as soon as so many are found."""
    seen = 2 * enough
    while True:
        found = len(np.unique(np.round(points[:seen], DISTINCT_DECIMALS), axis=0))
        if found >= enough or seen >= len(points):
            return found
        seen *= 4
