"""Small pictures with two modes, of which the studies know what belongs between them."""

import numpy as np
from numpy.typing import NDArray

SIDE = 8
"""Rows and columns of a picture."""


def digits(*kept: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return handwritten digits in SIDE × SIDE pixels, as scikit-learn brings them along.

    Parameters
    ----------
    kept : int
        Which digits.

    Returns
    -------
    pictures : (n, SIDE²) array
        Row by row, ink from 0 to 1.
    labels : (n,) array of int
        The digit on each.
    """
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    chosen = np.isin(labels, kept)
    return (
        np.asarray(pictures[chosen] / 16.0, dtype=np.float64),
        np.asarray(labels[chosen], dtype=np.int64),
    )
