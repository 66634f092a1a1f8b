"""The guided filter: smooth a field, but not across the edges of a guide."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def guided_filter(
    values: Array, guide: Array, valid: NDArray[np.bool_], *, radius: int, epsilon: float
) -> Array:
    """Return the locally affine function of the guide that is nearest to the values.

    In every window of 2·radius + 1 pixels a side the values are fitted by a·guide + b, with ε|a|²
    against steep slopes; a pixel gets the mean of the fits of the windows it lies in
    (He, Sun, Tang 2013). Structure that the guide shows survives, structure that it lacks goes.

    Parameters
    ----------
    values : (r, c, e) array
    guide : (r, c, g) array
    valid : (r, c) array of bool
        Pixels that count; the others may hold anything finite or not.
    radius : int >= 1
    epsilon : float > 0
        In squared units of the guide: contrasts below its root count as flat.

    Returns
    -------
    (r, c, e) array
        Zero where not valid.
    """
    counted = valid[:, :, None].astype(np.float64)
    x = np.where(counted > 0, guide, 0.0)
    y = np.where(counted > 0, values, 0.0)
    g, e = x.shape[2], y.shape[2]
    upper = np.triu_indices(g)
    products = np.concatenate(
        [
            counted,
            x,
            y,
            x[:, :, upper[0]] * x[:, :, upper[1]],
            (x[:, :, :, None] * y[:, :, None, :]).reshape(*valid.shape, g * e),
        ],
        axis=2,
    )
    sums = _box(products, radius)
    means = sums[:, :, 1:] / np.maximum(sums[:, :, :1], 1e-6)
    mean_x, mean_y, square, cross = np.split(
        means, np.cumsum([g, e, len(upper[0])]).tolist(), axis=2
    )
    variance = np.empty((*valid.shape, g, g))
    centred = square - mean_x[:, :, upper[0]] * mean_x[:, :, upper[1]]
    variance[:, :, upper[0], upper[1]] = centred
    variance[:, :, upper[1], upper[0]] = centred
    variance += epsilon * np.eye(g)
    covariance = cross.reshape(*valid.shape, g, e) - mean_x[..., None] * mean_y[:, :, None, :]
    slope = np.linalg.solve(variance, covariance)
    offset = mean_y - np.einsum("rcg,rcge->rce", mean_x, slope)
    there = (sums[:, :, :1] > 0.5 / (2 * radius + 1) ** 2).astype(np.float64)
    fits = np.concatenate([there, offset, slope.reshape(*valid.shape, g * e)], axis=2) * there
    fits = _box(fits, radius)
    fits = fits[:, :, 1:] / np.maximum(fits[:, :, :1], 1e-12)
    slope = fits[:, :, e:].reshape(*valid.shape, g, e)
    return np.asarray((fits[:, :, :e] + np.einsum("rcg,rcge->rce", x, slope)) * counted)


def _box(fields: Array, radius: int) -> Array:
    """Return the mean over each window of (r, c, q) fields, zero beyond the edges."""
    from scipy.ndimage import uniform_filter1d

    size = 2 * radius + 1
    across = uniform_filter1d(fields, size, axis=1, mode="constant")
    return np.asarray(uniform_filter1d(across, size, axis=0, mode="constant"))
