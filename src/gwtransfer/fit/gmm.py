"""Expectation–maximisation by scikit-learn, its only importer."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import UsageError
from gwtransfer.fit.places import component_count

Array = NDArray[np.float64]

COMPONENTS = 15
"""How many Gaussians unless told otherwise."""

EMPTY = 1e-7
"""A component of less weight than this holds no point and is left out."""


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
    """

    components: int | None = None
    floor: float = 1e-4
    iterations: int = 200

    def __post_init__(self) -> None:
        for name in ("components", "iterations"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"option {name}: expected at least 1, got {value}")
        if not 0 <= self.floor < 1:
            raise UsageError(f"option floor: expected a share in [0, 1), got {self.floor}")

    def __call__(self, points: Array, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p) of points (n, p).

        Raises
        ------
        DataError
            Fewer distinct points than components.
        """
        count = component_count(points, self.components, COMPONENTS)
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture
        from threadpoolctl import threadpool_limits

        variance = float(points.var(axis=0).sum())
        model = GaussianMixture(
            n_components=count,
            reg_covar=max(self.floor * variance, np.finfo(float).tiny),
            max_iter=self.iterations,
            random_state=seed,
        )
        # One thread: the matrices are thin, and waiting threads made the fit four times slower.
        with threadpool_limits(1), warnings.catch_warnings():
            # A fit that stops at `iterations` is still a mixture of the data.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(points)
        kept = model.weights_ > EMPTY
        weights, means, covariances = (
            array[kept] for array in (model.weights_, model.means_, model.covariances_)
        )
        return weights / weights.sum(), means, (covariances + np.swapaxes(covariances, 1, 2)) / 2
