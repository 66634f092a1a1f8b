"""The guided filter: smooth a field, but not across the edges of a guide."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def guided_filter(
    values: Floats, guide: Floats, valid: NDArray[np.bool_], *, radius: int, epsilon: float
) -> Floats:
    """Return the locally affine function of the guide that is nearest to the values.

    In every window of 2·radius + 1 pixels a side the values are fitted by a·guide + b, with ε|a|²
    against steep slopes; a pixel gets the mean of the fits of the windows it lies in
    (He, Sun, Tang 2013). Structure that the guide shows survives, structure that it lacks goes.

    Parameters
    ----------
    values : (e, r, c) array
    guide : (g, r, c) array
        Centred, if it is of single floats: its squares are taken.
    valid : (r, c) array of bool
        Pixels that count; the others may hold anything finite or not.
    radius : int >= 1
    epsilon : float > 0
        In squared units of the guide: contrasts below its root count as flat.

    Returns
    -------
    (e, r, c) array of the values' type
        Zero where not valid.
    """
    e, g = len(values), len(guide)
    upper = np.triu_indices(g)
    crossed = 1 + g + e + len(upper[0])
    fields = np.empty((crossed + g * e, *valid.shape), dtype=values.dtype)
    fields[0] = valid
    x, y = fields[1 : 1 + g], fields[1 + g : 1 + g + e]
    np.copyto(x, np.where(valid, guide, 0))
    np.copyto(y, np.where(valid, values, 0))
    for row, (i, j) in enumerate(zip(*upper, strict=True), start=1 + g + e):
        np.multiply(x[i], x[j], out=fields[row])
    np.multiply(x[:, None], y, out=fields[crossed:].reshape(g, e, *valid.shape))
    guided = x.copy()  # the sums take the fields' place
    sums = _box(fields, radius)
    share = sums[0]
    sums[1:] /= np.maximum(share, 1e-6)
    mean_x, mean_y = sums[1 : 1 + g], sums[1 + g : 1 + g + e]
    variance = np.empty((g, g, *valid.shape), dtype=values.dtype)
    for row, (i, j) in enumerate(zip(*upper, strict=True), start=1 + g + e):
        variance[j, i] = sums[row] - mean_x[i] * mean_x[j]
        variance[j, i] += epsilon * (i == j)
    slope = sums[crossed:].reshape(g, e, *valid.shape)
    slope -= mean_x[:, None] * mean_y
    _solve(variance, slope, least=epsilon)
    fits = np.empty((1 + e + g * e, *valid.shape), dtype=values.dtype)
    fits[0] = share > 0.5 / (2 * radius + 1) ** 2
    fits[1 : 1 + e] = mean_y - np.einsum("grc,gerc->erc", mean_x, slope)
    fits[1 + e :] = slope.reshape(g * e, *valid.shape)
    fits[1:] *= fits[0]
    fits = _box(fits, radius)
    fits[1:] /= np.maximum(fits[0], 1e-12)
    slope = fits[1 + e :].reshape(g, e, *valid.shape)
    result = fits[1 : 1 + e] + np.einsum("grc,gerc->erc", guided, slope)
    result *= valid
    return np.asarray(result)


def _solve(matrices: Floats, sides: Floats, *, least: float) -> None:
    """Solve symmetric positive systems, whose lower half (g, g, …) is given, in place of sides.

    By L D Lᵀ without pivoting, a vector operation over all systems at a time; ``sides``
    (g, e, …) become the solutions. D is not below ``least``, the least eigenvalue there is.
    """
    g = len(matrices)
    for i in range(g):
        np.maximum(matrices[i, i], least, out=matrices[i, i])
        for j in range(i + 1, g):
            factor = matrices[j, i] / matrices[i, i]
            for k in range(j, g):
                matrices[k, j] -= factor * matrices[k, i]
            sides[j] -= factor * sides[i]
    for i in reversed(range(g)):
        for j in range(i + 1, g):
            sides[i] -= matrices[j, i] * sides[j]
        sides[i] /= matrices[i, i]


def _box(fields: Floats, radius: int) -> Floats:
    """Return the mean over each window of (q, r, c) fields, zero beyond the edges."""
    across = np.array(fields)
    for step in range(1, radius + 1):
        across[:, :, step:] += fields[:, :, :-step]
        across[:, :, :-step] += fields[:, :, step:]
    down = np.array(across)
    for step in range(1, radius + 1):
        down[:, step:] += across[:, :-step]
        down[:, :-step] += across[:, step:]
    down /= (2 * radius + 1) ** 2
    return down
