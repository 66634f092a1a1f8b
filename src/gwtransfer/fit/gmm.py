"""Expectation–maximisation from a k-means start by scikit-learn, its only importer."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.torch import Name, device
from gwtransfer.core.em import Mixture, ascend, hard_statistics, maximised, statistics
from gwtransfer.core.pixels import Pixels
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import Prepared, Whole
from gwtransfer.errors import DataError, UsageError
from gwtransfer.fit.places import component_count

Array = NDArray[np.float64]

COMPONENTS = 15
"""How many Gaussians unless told otherwise."""

EMPTY = 1e-7
"""A component of less weight than this holds no point and is left out."""

GAIN = 1e-3
"""The fit ends when a step gains less than this many nats a point."""


@dataclass(frozen=True, kw_only=True)
class Gmm:
    """Fit a Gaussian mixture with full covariances, from a seeded k-means start.

    Attributes
    ----------
    components : int | None
        K, how many Gaussians; None is 15, or one for each distinct point where these are fewer.
    floor : float
        Added to every variance, as a share of the data's total variance; without it clipped
        pixels make a component collapse.
    iterations : int
        Most steps of expectation–maximisation.
    passes : int
        Steps taken after that over all pixels of the file, which is read once for each.
    accuracy : float | None
        Nats a pixel that the fit of a sample may lose on unseen pixels: sizes the sample by
        D / 2n, D the mixture's free numbers, or takes all pixels; None fits the prepared sample.
    device : Literal["cpu", "cuda"]
        What computes the passes, in double precision; cuda needs PyTorch and an NVIDIA GPU.
    """

    components: int | None = None
    floor: float = 1e-4
    iterations: int = 200
    passes: int = 0
    accuracy: float | None = None
    device: Name = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("components", 1), ("iterations", 1), ("passes", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"option {name}: expected at least {least}, got {value}")
        if self.accuracy is not None and not 0 < self.accuracy <= 1:
            raise UsageError(
                f"option accuracy: expected nats above 0 and up to 1, got {self.accuracy}"
            )
        if not 0 <= self.floor < 1:
            raise UsageError(f"option floor: expected a share in [0, 1), got {self.floor}")
        device(self.device)

    def __call__(self, points: Array, *, seed: int) -> Mixture:
        """Return weights (K,), means (K, p) and covariances (K, p, p) of points (n, p).

        Raises
        ------
        DataError
            Fewer distinct points than components.
        """
        count = component_count(points, self.components, COMPONENTS)
        origin, variance = points.mean(axis=0), self._variance(points)
        unit = float(np.sqrt(variance)) or 1.0
        centred = (points - origin) / unit
        # One thread: the matrices are thin, and waiting threads made the fit four times slower.
        with one_thread():
            labels = _labels(centred, count, seed)
            start = maximised(hard_statistics(centred, labels, count), self.floor)
            ascent = ascend(
                lambda densities: statistics(centred, None, densities),
                start,
                floor=self.floor,
                most=self.iterations,
                tolerance=GAIN,
            )
        weights, means, covariances = ascent.mixture
        return _held((weights, means * unit + origin, covariances * variance))

    def of_prepared(self, prepared: Prepared, *, seed: int) -> Mixture:
        """Fit a sample of the size the accuracy asks for, then all points in ``passes`` passes.

        Raises
        ------
        DataError
            Fewer distinct points than components; passes over, or a larger sample of, something
            that is only its sample.
        """
        points = self._sized(prepared, seed)
        mixture = self(points, seed=seed)
        if not self.passes:
            return mixture
        floor = self.floor * self._variance(points)
        once = self._placed(_whole(prepared)).statistics
        return _held(ascend(once, mixture, floor=floor, most=self.passes, tolerance=GAIN).mixture)

    def _placed(self, whole: Whole) -> Whole:
        if self.device == "cpu":
            return whole
        if not isinstance(whole, Pixels):
            raise UsageError("--device cuda passes over the pixels here, and so not by --scheduler")
        return replace(whole, device=device(self.device))

    def _sized(self, prepared: Prepared, seed: int) -> Array:
        if self.accuracy is None:
            return prepared.points
        p = prepared.space.dimension
        count = self.components or COMPONENTS
        free = count * (1 + p + p * (p + 1) // 2) - 1
        return _whole(prepared).sample(ceil(free / (2 * self.accuracy)), seed=seed)

    @staticmethod
    def _variance(points: Array) -> float:
        return float(points.var(axis=0).sum())


def _whole(prepared: Prepared) -> Whole:
    if prepared.whole is None:
        raise DataError("expected a picture or a cube for a fit of more than a sample, found none")
    return prepared.whole


def _labels(points: Array, count: int, seed: int) -> NDArray[np.integer]:
    """Return the nearest centre of each point, of k-means from a seeded start."""
    from sklearn.cluster import KMeans

    model = KMeans(count, n_init=1, random_state=np.random.RandomState(seed))
    return np.asarray(model.fit(points).labels_)


def _held(mixture: Mixture) -> Mixture:
    """Leave out the components that hold no point."""
    kept = mixture[0] > EMPTY
    weights, means, covariances = (array[kept] for array in mixture)
    return weights / weights.sum(), means, (covariances + np.swapaxes(covariances, 1, 2)) / 2
