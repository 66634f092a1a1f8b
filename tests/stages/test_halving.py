"""Cells of halved mass: what they keep, and how little moving, rounding or drawing does."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.core.strategies import stiefel
from tests.io.shared import DATA, needs_data

from gwtransfer.core.surface import places
from gwtransfer.core.types import Cloud, GaussianMixture, Space
from gwtransfer.errors import DataError, UsageError
from gwtransfer.fit.halving import Halving
from gwtransfer.io.shapes.mesh import MeshLoader
from gwtransfer.pipeline import fit_item
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.prepare.spectral import Spectral
from gwtransfer.prepare.xyz import Xyz

FLOAT64, SIX_DIGITS = 1e-6, 1e-2
"""How far a moved copy may be, as a share of the root of the constant (MATHS 9)."""

SOLVERS = [MGW2(signs=16, random=3, waves=0), MEW2(signs=8, random=20, waves=0)]


def bent(count=3000, seed=0):
    """Return points of a bent, uneven body without symmetry."""
    rng = np.random.default_rng(seed)
    t, u, v = rng.random((3, count))
    radius = 0.2 + 0.3 * t**2
    x = [3 * t, np.sin(3 * t) + radius * np.cos(6 * u) * v, radius * np.sin(6 * u) * v]
    return np.column_stack(x)


def mixture(points, **options):
    weights, means, covariances = Halving(**options)(points, seed=0)
    space = Space.raw(points.shape[1])
    return GaussianMixture(weights=weights, means=means, covariances=covariances, space=space)


def own_constant(side):
    """Return Σ D² w w, the part of MGW2's value that one side has."""
    return side.weights @ SOLVERS[0].own(side) ** 2 @ side.weights


def gap(solver, one, other):
    """Return the distance as a share of the root of the solver's constant."""
    if isinstance(solver, MGW2):
        constant = sum(own_constant(side) for side in (one, other))
    else:
        constant = sum(np.trace(side.covariance) for side in (one, other))
    return solver(one, other).distance / np.sqrt(constant)


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_the_moments_are_kept(count):
    """The mixture's mean is the points', its covariance theirs plus the floor; weights are powers
    of one half and add up to one.
    """
    points = bent()
    floor = 1e-3
    made = mixture(points, components=count, floor=floor)
    assert made.count == count
    assert made.weights.sum() == 1
    assert set(np.log2(made.weights) % 1) == {0.0}
    total = np.cov(points.T, bias=True)
    np.testing.assert_allclose(made.mean, points.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(
        made.covariance, total + floor * np.trace(total) * np.eye(3), atol=1e-9
    )
    np.testing.assert_array_equal(made.covariances, np.swapaxes(made.covariances, 1, 2))


def test_a_line_is_cut_in_the_middle():
    """Even points on a line become two halves, whose means and variances are known; what is
    near the cut belongs to both, which moves them by the square of its share.
    """
    points = np.column_stack([np.linspace(-1, 1, 20_001), np.zeros(20_001)])
    made = mixture(points, components=2, floor=0.0)
    order = np.argsort(made.means[:, 0])
    ramp = 0.1 / np.sqrt(3)
    np.testing.assert_allclose(made.weights, [0.5, 0.5])
    np.testing.assert_allclose(made.means[order, 0], [-0.5, 0.5], atol=ramp**2)
    np.testing.assert_allclose(made.covariances[:, 0, 0], [1 / 12] * 2, atol=ramp**2)


def test_moved_points_give_the_moved_mixture():
    """Turned, mirrored, moved and embedded in more dimensions, whatever the seed."""
    points = bent()
    isometry = stiefel(np.random.default_rng(3), 5, 3)
    shift = np.arange(5.0)
    weights, means, covariances = Halving()(points, seed=0)
    again = Halving(floor=0.0)(points @ isometry.T + shift, seed=7)
    np.testing.assert_array_equal(again[0], weights)
    np.testing.assert_allclose(again[1], means @ isometry.T + shift, atol=1e-9)
    flat = covariances - 1e-4 * points.var(axis=0).sum() * np.eye(3)
    np.testing.assert_allclose(again[2], isometry @ flat @ isometry.T, atol=1e-9)


def test_an_order_without_ties_does_not_matter():
    """The points in another order give the same mixture up to rounding."""
    points = bent()
    shuffled = np.random.default_rng(1).permutation(points)
    for one, other in zip(Halving()(points, seed=0), Halving()(shuffled, seed=0), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def sheet(bend):
    """Return vertices and faces of a wavy sheet without symmetry."""
    number = np.arange(30 * 30).reshape(30, 30)
    x, y = (side.ravel() for side in np.meshgrid(*[np.linspace(0, 1, 30)] * 2))
    height = 0.6 * np.sin(4 * x + 2 * y)
    vertices = np.column_stack([3 * x + 0.5 * y**2, y + np.sin(bend * x), height])
    a, b, c, d = (
        part.ravel()
        for part in (number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:])
    )
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_new_sample_moves_it_little(solver):
    """Five draws on one surface: the median of their distances is a third, at most, of that to a
    surface bent otherwise.
    """
    rng = np.random.default_rng(0)

    def drawn(bend):
        vertices, faces = sheet(bend)
        face, shares = places(vertices, faces, 10_000, rng)
        return mixture(np.einsum("nc,ncd->nd", shares, vertices[faces[face]]))

    draws = [drawn(3.0) for _ in range(5)]
    noise = [solver(one, other).distance for one, other in pairwise(draws)]
    assert 3 * np.median(noise) < solver(draws[0], drawn(6.0)).distance


def corners():
    """Return the eight corners of a cube."""
    return np.array(np.meshgrid(*[[0.0, 1.0]] * 3)).reshape(3, 8).T


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("count", [2, 3, 5, 8])
@pytest.mark.parametrize(
    "shape",
    ["cube", "lattice", "sheet", "circle", "sphere"],
)
def test_symmetric_shapes_have_an_axis_too(solver, count, shape):
    """Where no axis is longest, a turned copy rounded to six digits still gives the turned
    mixture.
    """
    angles = np.arange(24) * np.pi / 12
    golden = np.pi * (3 - np.sqrt(5)) * np.arange(500)
    z = 1 - (2 * np.arange(500) + 1) / 500
    points = {
        "cube": corners(),
        "lattice": np.array(np.meshgrid(*[np.arange(6.0)] * 3)).reshape(3, -1).T,
        "sheet": np.array(np.meshgrid(np.arange(8.0), np.arange(8.0), [0.0])).reshape(3, -1).T,
        "circle": np.column_stack([np.cos(angles), np.sin(angles), 0 * angles]),
        "sphere": np.column_stack(
            [np.sqrt(1 - z**2) * np.cos(golden), np.sqrt(1 - z**2) * np.sin(golden), z]
        ),
    }[shape]
    turn = Rotation.random(random_state=4).as_matrix()
    copy = np.round(points @ turn.T, 6)
    one, other = (mixture(side, components=count) for side in (points, copy))
    assert gap(solver, one, other) < SIX_DIGITS


def test_points_at_one_place_are_one():
    """Repeated points: as many components as places and no more, each with the floor at least."""
    points = np.repeat(corners(), 50, axis=0)
    weights, means, covariances = Halving()(points, seed=0)
    assert len(weights) == 8
    np.testing.assert_allclose(weights, 1 / 8)
    assert sorted(map(tuple, np.round(means, 6))) == sorted(map(tuple, corners()))
    floor = 1e-4 * points.var(axis=0).sum()
    np.testing.assert_allclose(covariances, np.tile(floor * np.eye(3), (8, 1, 1)), atol=1e-12)
    with pytest.raises(DataError, match="found 8 for 9; use --components 8 or fewer"):
        Halving(components=9)(points, seed=0)


def test_one_place_is_one_component():
    """A constant cloud has one Gaussian at its place, of the least variance there is."""
    weights, means, covariances = Halving()(np.full((10, 2), 3.0), seed=0)
    np.testing.assert_array_equal(weights, [1.0])
    np.testing.assert_allclose(means, [[3.0, 3.0]])
    assert (np.linalg.eigvalsh(covariances) > 0).all()


@pytest.mark.parametrize("dimension", [1, 2, 8, 32])
def test_any_dimension(dimension):
    """From one to thirty-two: a mixture with the mean of the points."""
    points = np.random.default_rng(0).standard_normal((2000, dimension)) ** 3
    made = mixture(points, components=12)
    assert made.count == 12
    np.testing.assert_allclose(made.mean, points.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("options", [{"components": 0}, {"floor": -0.1}, {"floor": 1.0}])
def test_bad_options(options):
    """Refused before any work."""
    with pytest.raises(UsageError, match="option "):
        Halving(**options)


@needs_data
@pytest.mark.parametrize("prepare", [Xyz(), Spectral()])
@pytest.mark.parametrize(
    "name", ["deftransfer/horse-poses/horse-reference.obj", "animation/wolf/wolf-1.obj"]
)
def test_copies_of_scanned_animals(prepare, name):
    """Moved and turned: double precision to rounding, single and six digits within 1 %."""
    cloud = MeshLoader()(DATA / "meshes" / name)
    vertices = cloud.vertices / np.sqrt(cloud.vertices.var(axis=0).sum())
    moved = Rotation.random(random_state=1).apply(vertices) + np.array([2.0, -1.0, 0.5])
    original = fit_item(cloud, prepare, Halving(), seed=0)
    for copy, most in (
        (moved, FLOAT64),
        (moved.astype(np.float32).astype(float), SIX_DIGITS),
        (np.round(moved, 6), SIX_DIGITS),
    ):
        item = Cloud(name="copy", vertices=copy, faces=cloud.faces)
        fitted = fit_item(item, prepare, Halving(), seed=0)
        for solver in SOLVERS:
            assert gap(solver, original, fitted) <= most
