"""Distances made points and trees again."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram

from gwtransfer.core.scaling import average_linkage, branches, leaves, scale


def mutual(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))


@pytest.mark.parametrize("count", [2, 3, 12])
def test_points_of_a_plane_are_found_again(count):
    """Up to an isometry: all distances equal, everything explained, no stress."""
    points = np.random.default_rng(count).standard_normal((count, 2))
    found = scale(mutual(points))
    np.testing.assert_allclose(mutual(found.points), mutual(points), rtol=0, atol=1e-7)
    assert found.explained == pytest.approx(1, abs=1e-9)
    assert found.stress < 1e-7
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-12)


def test_explained_and_stress_of_a_simplex():
    """Equal distances of n points have n − 1 equal axes, of which a plane holds two."""
    found = scale(np.ones((5, 5)) - np.eye(5))
    assert found.explained == pytest.approx(2 / 4, abs=1e-12)
    shown = mutual(found.points)[~np.eye(5, dtype=bool)]
    assert found.stress == pytest.approx(np.sqrt(((shown - 1) ** 2).mean()), abs=1e-12)


@pytest.mark.parametrize("count", [1, 3])
def test_nothing_apart_is_one_point(count):
    """Zero distances give zeros, explained by any plane."""
    found = scale(np.zeros((count, count)))
    np.testing.assert_array_equal(found.points, np.zeros((count, 2)))
    assert (found.explained, found.stress) == (1.0, 0.0)


def test_heights_are_average_distances():
    """Of points 0, 1 and 5 on a line: 1, then (4 + 5)/2; leaves in the order of the line."""
    places = np.array([[5.0], [0.0], [1.0]])
    tree = average_linkage(mutual(places))
    np.testing.assert_allclose(tree[:, 2], [1.0, 4.5], rtol=0, atol=1e-15)
    order = places[leaves(tree), 0]
    assert list(order) in ([0.0, 1.0, 5.0], [5.0, 1.0, 0.0])


def test_branches_are_those_of_scipy():
    """The same joints at the same heights, places counted from 0 by ones."""
    tree = average_linkage(mutual(np.random.default_rng(0).standard_normal((9, 3))))
    drawn = branches(tree)
    other = dendrogram(tree, no_plot=True)
    assert other["leaves"] == leaves(tree).tolist()
    theirs = np.stack([other["dcoord"], (np.array(other["icoord"]) - 5) / 10], axis=-1)
    ours = drawn[np.lexsort((drawn[:, 1, 1], drawn[:, 1, 0]))]
    theirs = theirs[np.lexsort((theirs[:, 1, 1], theirs[:, 1, 0]))]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
