"""A device's map is tried before it is trusted."""

from dataclasses import replace

import numpy as np

from gwtransfer.core.device import HOST
from gwtransfer.core.linalg import symmetric_root
from gwtransfer.core.maps import MeanMap
from gwtransfer.errors import DataError

STEP = 1 / 65535
"""Share of the images' range that they may be off by: a step of 16 bits."""

TRIED = 1024
"""Points that are tried, about."""


def tried(mapping: MeanMap) -> MeanMap:
    """Return a map whose images on its device are those of double precision on this processor.

    Tried are the source's means, and points √p deviations from each, where most pixels are; the
    same for the same plan, whatever is mapped.

    Raises
    ------
    DataError
        They are off by more than STEP of their range, or of the target's radius if that is more.
    """
    if mapping.device is HOST:
        return mapping
    mixture = mapping.mixture
    p = mixture.dimension
    roots = np.sqrt(p) * symmetric_root(mixture.covariances)
    around = np.concatenate([np.zeros((mixture.count, 1, p)), roots, -roots], axis=1)
    points = (mixture.means[:, None, :] + around).reshape(-1, p)
    raw = mixture.space.to_raw(points[:: 1 + len(points) // TRIED])
    expected = replace(mapping, dtype=np.dtype(np.float64), device=HOST).working(raw)
    span = max(1.0, float(np.ptp(expected, axis=1).max()))
    off = float(np.abs(mapping.working(raw) - expected).max()) / span
    if not off <= STEP:
        raise DataError(
            f"the GPU's images are off by {off:.1e} of their range from those in double precision, "
            "expected 1.5e-05 at most; give --set map.precision=double, or leave out --device"
        )
    return mapping
