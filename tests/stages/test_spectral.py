"""Shapes become points that bending and moving leave where they are."""

import sys

import numpy as np
import pytest
from tests.core import shapes
from tests.core.strategies import ROUNDING, stiefel
from tests.core.test_raster import raster_of
from tests.io.shared import DATA, needs_data

from gwtransfer import registry
from gwtransfer.adapters.laplacian import eigenbasis
from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, MissingError, UsageError
from gwtransfer.fit.halving import Halving
from gwtransfer.pipeline import fit_item
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.prepare.spectral import Spectral

QUICK = MGW2(signs=16, random=10, waves=0)
HORSES = DATA / "meshes" / "deftransfer" / "horse-poses"
CATS = DATA / "meshes" / "deftransfer" / "cat-poses"
ISM = DATA / "clouds" / "pcd" / "ism"


def fitted(cloud, **options):
    return fit_item(cloud, Spectral(**options), Halving(components=16), seed=0)


def apart(one, other):
    """Return the root of the value over that of the constant, which makes 1 of two strangers."""
    const = sum(side.weights @ QUICK.own(side) ** 2 @ side.weights for side in (one, other))
    return np.sqrt(QUICK.coupled(one, other).value / const)


@pytest.mark.parametrize(("kind", "power"), [("commute", 1), ("biharmonic", 2)])
def test_coordinates_are_functions_over_frequencies(kind, power):
    """φ/√λ or φ/λ: over a sphere x, y and z vary as much, degree 2 by λ₁/λ₂ = 1/3 less, or 1/9."""
    points, faces = shapes.sphere(4)
    prepared = Spectral(dimensions=8, kind=kind)(shapes.mesh(points, faces), seed=0)
    assert prepared.space.coordinates == "spectral"
    variances = prepared.points.var(axis=0)
    expected = np.repeat([1.0, 3.0**-power], [3, 5])
    np.testing.assert_allclose(variances, expected / expected.sum(), rtol=0.05)


def test_points_are_centred_and_of_radius_one():
    """The working unit is the RMS radius; raw coordinates come back."""
    points, faces = shapes.bumpy()
    cloud = shapes.mesh(points, faces)
    prepared = Spectral(sample=3000)(cloud, seed=0)
    assert prepared.points.shape == (3000, Spectral().dimensions)
    np.testing.assert_allclose(prepared.points.mean(axis=0), 0, atol=ROUNDING)
    assert (prepared.points**2).sum(axis=1).mean() == pytest.approx(1, rel=ROUNDING)
    raw = prepared.space.to_raw(prepared.points)
    np.testing.assert_allclose(raw.mean(axis=0), prepared.space.origin, atol=1e-12)


def test_a_basis_that_is_known_gives_the_same_points():
    """`prepared` is the stage without its eigenfunctions, also of a longer basis."""
    points, faces = shapes.bumpy()
    cloud, stage = shapes.mesh(points, faces), Spectral(sample=500)
    basis = eigenbasis(cloud, stage.dimensions + 1)
    np.testing.assert_array_equal(
        stage.prepared(basis, "it", seed=3).points, stage(cloud, seed=3).points
    )
    longer = stage.coordinates(eigenbasis(cloud, 20), "it")
    np.testing.assert_allclose(np.abs(longer), np.abs(stage.coordinates(basis, "it")), atol=1e-7)


@pytest.mark.parametrize("form", ["mesh", "pieces", "cloud"])
def test_a_moved_copy_is_at_distance_zero(form):
    """Turned, mirrored, scaled and shifted, in float64: 1e-6 of √const at most, as promised."""
    points, faces = shapes.bumpy()
    if form == "pieces":
        points = np.concatenate([points, 0.5 * points + np.array([4.0, 0, 0])])
        faces = np.concatenate([faces, faces + len(points) // 2])
    faces = None if form == "cloud" else faces
    turn = stiefel(np.random.default_rng(0), 3, 3)
    one = fitted(Cloud(name="one", vertices=points, faces=faces))
    for sign in (1, -1):
        moved = sign * 2.5 * points @ turn.T + [3.0, -2, 1]
        assert apart(one, fitted(Cloud(name="other", vertices=moved, faces=faces))) < 1e-6


@pytest.mark.parametrize("form", ["mesh", "cloud"])
def test_single_precision_moves_a_shape_little(form):
    """A turned copy rounded to float32 is within 1e-2 of √const."""
    points, faces = shapes.bumpy(seed=1)
    faces = None if form == "cloud" else faces
    turn = stiefel(np.random.default_rng(1), 3, 3)
    moved = (points @ turn.T).astype(np.float32).astype(float)
    sides = [fitted(Cloud(name="it", vertices=p, faces=faces)) for p in (points, moved)]
    assert apart(*sides) < 1e-2


def test_a_rolled_sheet_is_the_flat_one():
    """Rolling stretches nothing: it changes far less than another format does."""
    flat, faces = shapes.rectangle(3.0, 1.7, 2000)
    faces = faces[flat[faces].mean(axis=1) @ [1.0, 1.5, 0] < 3.5]  # without a corner: no symmetry
    rolled = flat.copy()
    rolled[:, 0], rolled[:, 2] = np.sin(flat[:, 0]), np.cos(flat[:, 0])
    one, same = (fitted(shapes.mesh(points, faces)) for points in (flat, rolled))
    other = fitted(shapes.mesh(flat * [1.0, 2.0, 1.0], faces))
    assert apart(one, same) < 0.3 * apart(one, other)


def test_other_vertices_of_the_same_surface():
    """The same surface by other triangles, as a soup or as points alone, is the same shape."""
    points, faces = shapes.bumpy(count=4000)
    one = fitted(shapes.mesh(points, faces))
    finer = fitted(shapes.mesh(*shapes.divided(points, faces)))
    loose = fitted(shapes.mesh(*shapes.soup(points, faces)))
    cloud = fitted(Cloud(name="cloud", vertices=points))
    stranger = fitted(shapes.mesh(*shapes.bumpy(seed=3, count=4000)))
    for same in (finer, loose, cloud):
        assert apart(one, same) < 0.35 * apart(one, stranger)


def test_the_same_seed_gives_the_same_points():
    """Two runs agree bit by bit; another seed draws others."""
    points, faces = shapes.bumpy()
    one, two, other = (
        Spectral(sample=200)(shapes.mesh(points, faces), seed=seed).points for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.1


def test_only_shapes_have_spectral_coordinates():
    """A picture is refused by name."""
    raster = raster_of(np.zeros((4, 5, 3)), kind="picture")
    with pytest.raises(DataError, match=r"expected a shape, found a picture or cube"):
        Spectral()(raster, seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dimensions": 0}, "option dimensions: expected 1 to 100, got 0"),
        ({"dimensions": 101}, "option dimensions: expected 1 to 100, got 101"),
        ({"sample": 0}, "option sample: expected at least 1 point, got 0"),
    ],
)
def test_options_have_limits(options, words):
    """Every refused option is named."""
    with pytest.raises(UsageError, match=words):
        Spectral(**options)


def test_what_is_missing_is_said(monkeypatch):
    """Without robust_laplacian the extra that has it is named."""
    monkeypatch.setitem(sys.modules, "robust_laplacian", None)
    points, faces = shapes.sphere(1)
    with pytest.raises(MissingError, match=r"pip install 'gwtransfer\[spectral-shapes\]'"):
        Spectral()(shapes.mesh(points, faces), seed=0)


def loaded(path):
    return registry.loader_for(path, load=None, options={})(path)


@needs_data
def test_poses_of_one_animal_are_together():
    """Two poses of a horse, and of a cat, are less than half as far apart as a horse and a cat."""
    horses = [fitted(loaded(HORSES / f"horse-pose-0{i}.obj")) for i in (1, 3)]
    cats = [fitted(loaded(CATS / name)) for name in ("cat-pose-02.obj", "cat-reference.obj")]
    assert max(apart(*horses), apart(*cats)) < 0.5 * min(
        apart(horse, cat) for horse in horses for cat in cats
    )


@needs_data
@pytest.mark.parametrize("digits", [None, 6])
def test_a_moved_copy_of_a_real_shape(digits):
    """A symmetric cloud, all whose distances come twice: 1e-6 as it is, 1e-2 from a text file."""
    cloud = loaded(ISM / "ism_train_wolf.pcd")
    turn = stiefel(np.random.default_rng(2), 3, 3)
    moved = cloud.vertices @ turn.T + 7
    if digits:
        moved = np.array([float(f"{value:.{digits}g}") for value in moved.ravel()]).reshape(-1, 3)
    one, other = fitted(cloud), fitted(Cloud(name="moved", vertices=moved))
    assert apart(one, other) < (1e-2 if digits else 1e-6)
