"""Tables of colours: the lattice they are taken on, and what lies between its points."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lattice(size: int) -> Array:
    """Return the colours (size³, 3) of a regular lattice in [0, 1]³, red running fastest.

    Parameters
    ----------
    size : int
        Points along each axis, at least 2.
    """
    axis = np.arange(size) / (size - 1)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1).reshape(-1, 3)


def trilinear(table: Array, colours: Array) -> Array:
    """Return the images (N, 3) of colours in [0, 1] by weighting the 8 corners of their cells.

    Parameters
    ----------
    table : (size³, 3) array
        Images of `lattice`.
    colours : (N, 3) array
    """
    size, low, part = _cells(table, colours)
    images = np.zeros_like(colours)
    for corner in range(8):
        step = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
        weight = np.where(step == 1, part, 1 - part).prod(axis=1)
        images += weight[:, None] * table[_places(low + step, size)]
    return images


def tetrahedral(table: Array, colours: Array) -> Array:
    """Return the images (N, 3) of colours in [0, 1] along the sorted axes of their cells.

    Each cell is six tetrahedra about its diagonal from dark to bright, which keeps grays gray.

    Parameters
    ----------
    table : (size³, 3) array
        Images of `lattice`.
    colours : (N, 3) array
    """
    size, low, part = _cells(table, colours)
    order = np.argsort(-part, axis=1, kind="stable")
    parts = np.take_along_axis(part, order, axis=1)
    corner = low.copy()
    images = (1 - parts[:, :1]) * table[_places(corner, size)]
    for step in range(3):
        corner[np.arange(len(corner)), order[:, step]] += 1
        after = parts[:, step + 1] if step < 2 else 0.0
        images += (parts[:, step] - after)[:, None] * table[_places(corner, size)]
    return images


def _cells(table: Array, colours: Array) -> tuple[int, NDArray[np.intp], Array]:
    """Return the lattice's size, the lowest corner of each colour's cell, and where it is in it."""
    size = round(len(table) ** (1 / 3))
    scaled = np.clip(colours, 0, 1) * (size - 1)
    low = np.minimum(np.floor(scaled), size - 2).astype(np.intp)
    return size, low, scaled - low


def _places(corners: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return where in a table the corners (N, 3), red first, are."""
    places: NDArray[np.intp] = corners @ np.array([1, size, size * size])
    return places
