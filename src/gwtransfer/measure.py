"""Quality of a result, in figures a person can compare."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

SSIM_RADIUS, SSIM_SIGMA = 5, 1.5
"""The window of SSIM: 11 × 11 pixels, Gaussian (Wang et al. 2004)."""


def correlation(x: Floats, y: Floats) -> float:
    """Return Pearson's correlation of two samples (n,), in [−1, 1]; NaN when one is constant."""
    if not x.size or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    centred = np.stack([x, y]).astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    centred /= np.abs(centred).max(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    return float(np.clip(centred[0] @ centred[1] / (norms[0] * norms[1]), -1, 1))


def rank_correlation(x: Floats, y: Floats) -> float:
    """Return Spearman's correlation of two samples (n,), in [−1, 1]; NaN when one is constant."""
    from scipy.stats import rankdata

    if not len(x):
        return float("nan")
    ranks = np.stack([rankdata(x), rankdata(y)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    if not norms.all():
        return float("nan")
    return float(np.clip(ranks[0] @ ranks[1] / (norms[0] * norms[1]), -1, 1))


def sliced_w2(points0: Array, points1: Array, *, directions: int = 64, seed: int = 0) -> float:
    """Return the sliced W2 distance between two point sets (n, d) and (m, d).

    The root of the mean over random directions of the squared 1-D W2 distance, which is exact.
    """
    rng = np.random.default_rng(seed)
    axes = rng.standard_normal((points0.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    sorted0, sorted1 = np.sort(points0 @ axes, axis=0), np.sort(points1 @ axes, axis=0)
    count0, count1 = len(sorted0), len(sorted1)  # a point of either has the mass of 1/count
    steps = np.union1d(np.arange(count0) * count1, np.arange(count1) * count0)
    mass = np.diff(steps, append=count0 * count1) / (count0 * count1)
    gaps = sorted0[steps // count1] - sorted1[steps // count0]
    return float(np.sqrt(mass @ (gaps**2).mean(axis=1)))


def neighbour_distances(image: Floats, valid: Mask) -> Array:
    """Return Euclidean distances between neighbouring pixels that are both valid.

    Parameters
    ----------
    image : (rows, columns, bands) array
    valid : (rows, columns) array of bool

    Returns
    -------
    (m,) array
        First to the right neighbours, row by row, then to the lower ones.
    """
    distances = [
        np.sqrt(((image[at].astype(np.float64) - image[by]) ** 2).sum(axis=-1))[
            valid[at] & valid[by]
        ]
        for at, by in _NEIGHBOURS
    ]
    return np.concatenate(distances)


def gradients(image: Floats, valid: Mask) -> Array:
    """Return signed differences (m,) of a (rows, columns) array to right, then lower neighbours."""
    differences = [
        (image[by].astype(np.float64) - image[at])[valid[at] & valid[by]] for at, by in _NEIGHBOURS
    ]
    return np.concatenate(differences)


_NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1], np.s_[1:]),
)


def edges(before: Array, after: Array, *, threshold: float, visible: float) -> tuple[float, float]:
    """Return which share of edges is kept, and which share of flat places becomes an edge.

    Parameters
    ----------
    before, after : (m,) arrays
        Distances of the same pairs of neighbours in source and result.
    threshold : float
        Neighbours farther apart than this in the source are an edge there.
    visible : float
        Neighbours farther apart than this in the result are an edge to the eye.

    Returns
    -------
    kept, made : floats in [0, 1]
        NaN where the source has no edge, or nothing but edges.
    """
    edge, seen = before > threshold, after > visible

    def share(among: Mask) -> float:
        return float(seen[among].mean()) if among.any() else float("nan")

    return share(edge), share(~edge)


def mixed_differences(image: Floats, valid: Mask, *, most: int) -> Array:
    """Return x[i,j] − x[i+1,j] − x[i,j+1] + x[i+1,j+1] over quadruples of valid pixels.

    Parameters
    ----------
    image : (rows, columns, bands) array
    valid : (rows, columns) array of bool
    most : int
        About how many to return, evenly spread; all of them when there are fewer.

    Returns
    -------
    (q, bands) array
    """
    whole = valid[:-1, :-1] & valid[1:, :-1] & valid[:-1, 1:] & valid[1:, 1:]
    i, j = np.nonzero(whole)
    step = -(-i.size // most) if i.size else 1
    i, j = i[::step], j[::step]
    first = image[i, j].astype(np.float64)
    return np.asarray(first - image[i + 1, j] - image[i, j + 1] + image[i + 1, j + 1])


def noise_deviation(differences: Array) -> float:
    """Return the deviation of white noise, all bands together, from mixed differences (q, bands).

    The root of the sum over bands of (median |d − median d| / (2 · 0.6745))²; a linear ramp has
    none. NaN when there is no difference.
    """
    if not len(differences):
        return float("nan")
    deviations = np.median(np.abs(differences - np.median(differences, axis=0)), axis=0)
    return float(np.linalg.norm(deviations / (2 * 0.6745)))


def noise_distance(differences: Array, *, beyond: float) -> float:
    """Return how far apart two pixels must be for more than noise to part them.

    Distances that noise alone makes between two pixels are seen in mixed differences, which have
    twice the variance of a difference: m + beyond · (m − q), with their median m and their 15.87 %
    quantile q, one deviation below it. Edges only touch the upper half, which has no say.

    Parameters
    ----------
    differences : (q, bands) array
        Mixed differences.
    beyond : float
        How many deviations.

    Returns
    -------
    float
        Zero when there is no difference.
    """
    if not len(differences):
        return 0.0
    low, middle = np.quantile(np.linalg.norm(differences, axis=1) / np.sqrt(2), [0.1587, 0.5])
    return float(middle + beyond * (middle - low))


def noise_gain(noise: tuple[float, float], spread: tuple[float, float]) -> float:
    """Return noise over spread after, divided by noise over spread before.

    Parameters
    ----------
    noise, spread : (before, after)
        Deviations of the noise, and of all pixels.

    Returns
    -------
    float >= 0
        1 when noise grew as much as everything else; NaN without noise before, or without spread.
    """
    if not (noise[0] > 0 and min(spread) > 0):
        return float("nan")
    return noise[1] / spread[1] / (noise[0] / spread[0])


def local_similarity(x: Array, y: Array, valid: Mask, *, span: float) -> Array:
    """Return SSIM (Wang et al. 2004) at every pixel whose whole window is valid.

    Gaussian window of 11 × 11 pixels with σ = 1.5, moments without correction for bias,
    C1 = (0.01 span)², C2 = (0.03 span)².

    Parameters
    ----------
    x, y : (rows, columns) arrays
        Finite where valid.
    valid : (rows, columns) array of bool
    span : float > 0
        The range the values may take.

    Returns
    -------
    (m,) array in [−1, 1]
        Empty when no window is whole.
    """
    from scipy.ndimage import gaussian_filter, minimum_filter

    size = 2 * SSIM_RADIUS + 1
    whole = minimum_filter(valid, size=size, mode="constant", cval=False)
    if not whole.any():
        return np.empty(0)
    offset = float(y[valid].mean())

    def smooth(values: Array) -> Array:
        return np.asarray(gaussian_filter(values, SSIM_SIGMA, radius=SSIM_RADIUS)[whole])

    x, y = np.where(valid, x - offset, 0.0), np.where(valid, y - offset, 0.0)
    mean_x, mean_y = smooth(x), smooth(y)
    variance_x, variance_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    light_x, light_y = mean_x + offset, mean_y + offset
    light = (2 * light_x * light_y + c1) / (light_x**2 + light_y**2 + c1)
    return np.asarray(light * (2 * covariance + c2) / (variance_x + variance_y + c2))
