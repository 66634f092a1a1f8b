"""Fit a mixture by cutting the points into slices: quick, deterministic, and rough."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.errors import DataError, UsageError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Slices:
    """Cut the points into equal slices along their longest axis, one Gaussian each.

    Attributes
    ----------
    components : int
        How many slices; at least 1.
    floor : float
        Added to every variance, relative to the mean variance of all points; above 0.
    """

    components: int = 8
    floor: float = 1e-6

    def __post_init__(self) -> None:
        if self.components < 1:
            raise UsageError(f"slices: expected at least 1 component, got {self.components}")
        if self.floor <= 0:
            raise UsageError(f"slices: expected a floor above 0, got {self.floor}")

    def __call__(self, points: Array, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p) of points (n, p).

        Nothing is drawn at random, so the seed is not used.

        Raises
        ------
        DataError
            There are fewer points than two a slice.
        """
        count, dimension = points.shape
        if count < 2 * self.components:
            raise DataError(
                f"slices: expected at least {2 * self.components} points "
                f"for {self.components} components, got {count}"
            )
        centred = points - points.mean(axis=0)
        total = centred.T @ centred / count
        axis = np.linalg.eigh(total).eigenvectors[:, -1]
        slices = np.array_split(np.argsort(centred @ axis, kind="stable"), self.components)
        ridge = self.floor * max(float(np.trace(total)) / dimension, 1e-12) * np.eye(dimension)
        weights = np.array([len(members) / count for members in slices])
        means = np.array([points[members].mean(axis=0) for members in slices])
        covariances = np.array(
            [np.atleast_2d(np.cov(points[members].T, bias=True)) + ridge for members in slices]
        )
        return weights, means, covariances
