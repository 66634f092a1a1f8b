"""Pictures, cubes and shapes become points in isotropic working coordinates."""

import sys

import numpy as np
import pytest
from tests.core.strategies import ROUNDING, stiefel
from tests.core.test_raster import raster_of

from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, PluginError, UsageError
from gwtransfer.prepare.color import Color, luminance_weights, luminous_efficiency
from gwtransfer.prepare.xyz import Xyz

REC709 = np.array([0.2126, 0.7152, 0.0722])


def cube_of(rng, *, rows=40, columns=50, bands=8, rank=3, noise=0.0, **fields):
    """Return a cube of smooth spectra: ``rank`` patterns of falling strength, plus noise."""
    strengths = 0.5 ** np.arange(rank)
    pixels = rng.standard_normal((rows, columns, rank)) * strengths
    values = 3.0 + pixels @ stiefel(rng, bands, rank).T
    return raster_of(values + noise * rng.standard_normal(values.shape), **fields)


def values_of(raster):
    return next(raster.blocks()).points


def all_distances(points):
    return np.linalg.norm(points[:, None] - points, axis=-1)


@pytest.mark.parametrize("kind", ["picture", "cube"])
def test_working_coordinates_keep_the_shape_of_colours(kind):
    """With every axis kept, distances are raw distances over one unit, the RMS radius."""
    rng = np.random.default_rng(0)
    raster = raster_of(rng.random((20, 30, 3)) * [1.0, 0.2, 0.6], kind=kind)
    prepared = Color(space="srgb", variance=1.0, noise=False)(raster, seed=0)
    values, points = values_of(raster), prepared.points
    assert prepared.space.dimension == 3
    np.testing.assert_allclose(
        all_distances(points[:50]) * prepared.space.unit, all_distances(values[:50]), atol=1e-12
    )
    assert np.sqrt((points**2).sum(axis=1).mean()) == pytest.approx(1, rel=ROUNDING)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=ROUNDING)
    np.testing.assert_allclose(prepared.space.to_raw(points), values, atol=ROUNDING)
    assert prepared.space.coordinates == ("srgb" if kind == "picture" else "bands")


def test_a_picture_keeps_its_axes():
    """Red, green and blue are not turned, however little one of them varies; gray is gray."""
    rng = np.random.default_rng(1)
    colours = raster_of(rng.random((20, 30, 3)) * [1, 1e-4, 0.5], kind="picture")
    space = Color(variance=0.5)(colours, seed=0).space
    np.testing.assert_array_equal(space.axes, np.eye(3))
    gray = Color(space="srgb")(raster_of(rng.random((20, 30, 1)), kind="picture"), seed=0)
    assert gray.space.coordinates == "gray"
    assert gray.noise is None


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.999, 1.0])
def test_the_principal_axes_keep_the_share_and_no_more(keep):
    """p axes hold at least the share, p − 1 less; lengths along them are not rescaled."""
    rng = np.random.default_rng(2)
    raster = cube_of(rng, rank=6)
    prepared = Color(variance=keep)(raster, seed=0)
    values = values_of(raster)
    total = values.var(axis=0).sum()
    variances = prepared.points.var(axis=0) * prepared.space.unit**2
    assert variances.sum() >= keep * total * (1 - ROUNDING * 10)
    p = prepared.space.dimension
    if keep < 1:
        assert (np.diff(variances) <= ROUNDING).all()
        assert p == 1 or variances[:-1].sum() < keep * total
        projected = (values - values.mean(axis=0)) @ prepared.space.axes
        np.testing.assert_allclose(
            all_distances(prepared.points[:40]) * prepared.space.unit,
            all_distances(projected[:40]),
            atol=1e-12,
        )
        largest = np.abs(prepared.space.axes).argmax(axis=0)
        assert (prepared.space.axes[largest, np.arange(p)] > 0).all()
    else:
        np.testing.assert_array_equal(prepared.space.axes, np.eye(8))
    assert prepared.space.unit == pytest.approx(np.sqrt(total), rel=ROUNDING * 10)


def test_the_noise_of_a_ramp_is_recovered():
    """Known σ on a synthetic ramp, per band, comes out within 5 %, in working coordinates."""
    rng = np.random.default_rng(3)
    sigma = np.array([0.05, 0.1, 0.2, 0.02])
    i, j = np.mgrid[:512, :512]
    ramp = i[..., None] * [0.01, 0.02, 0.0, 0.01] + j[..., None] * [0.0, 0.01, 0.02, -0.01]
    raster = raster_of(ramp + sigma * rng.standard_normal(ramp.shape))
    prepared = Color(variance=1.0)(raster, seed=0)
    measured = prepared.noise * prepared.space.unit**2
    np.testing.assert_allclose(np.sqrt(np.diag(measured)), sigma, rtol=0.05)
    np.testing.assert_allclose(measured, np.diag(np.diag(measured)), atol=ROUNDING)
    turned = Color(variance=0.99)(raster, seed=0)
    axes = turned.space.axes
    expected = axes.T @ measured @ axes / turned.space.unit**2
    np.testing.assert_allclose(turned.noise, expected, atol=ROUNDING)
    assert Color(noise=False)(raster, seed=0).noise is None


def test_invalid_pixels_never_enter_the_sample():
    """NaN pixels leave sample, origin, unit, axes and noise as if they were not there."""
    rng = np.random.default_rng(4)
    raster = cube_of(rng, noise=0.01)
    values = values_of(raster).reshape(40, 50, 8).copy()
    values[:5, :, 3] = np.nan
    holed, whole = raster_of(values), raster_of(values[5:])
    one, two = (Color()(item, seed=0) for item in (holed, whole))
    np.testing.assert_allclose(one.points, two.points, atol=ROUNDING)
    np.testing.assert_allclose(one.space.origin, two.space.origin, atol=ROUNDING)
    assert np.isfinite(one.noise).all()
    with pytest.raises(DataError, match=r"^made: no valid pixel"):
        Color()(raster_of(np.full((4, 4, 3), np.nan)), seed=0)


@pytest.mark.parametrize("count", [100, 10_000])
def test_the_sample_is_seeded_and_bounded(count):
    """The same seed gives the same points, at most ``sample`` of them."""
    raster = cube_of(np.random.default_rng(5))
    one, two = (Color(sample=count)(raster, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.points, two.points)
    assert len(one.points) == min(count, 2000)


def test_a_constant_picture_has_a_unit():
    """Without any spread the unit is 1, not 0."""
    prepared = Color()(raster_of(np.full((4, 4, 3), 0.5), kind="picture"), seed=0)
    assert prepared.space.unit == 1
    np.testing.assert_allclose(prepared.points, np.zeros((16, 3)), atol=1e-15)


def test_the_guide_orders_points_by_luminance():
    """Points along the guide differ as their luminances do: Rec. 709, or the mean of the bands."""
    rng = np.random.default_rng(6)
    for raster, weights in (
        (raster_of(rng.random((10, 10, 3)), kind="picture"), REC709),
        (raster_of(rng.random((10, 10, 1)), kind="picture"), np.ones(1)),
        (cube_of(rng, rows=10, columns=10), np.full(8, 1 / 8)),
    ):
        prepared = Color(space="srgb", variance=1 - 1e-9)(raster, seed=0)
        light = values_of(raster) @ weights
        along = prepared.points @ prepared.guide
        np.testing.assert_allclose(along - along[0], light - light[0], atol=1e-4)


def test_visible_luminance_is_the_response_of_the_eye():
    """The weights follow CIE ȳ, 1 at 555 nm and 0 in the infrared; they need three bands."""
    # CIE 1931 2° observer, table.
    table = {450: 0.038, 500: 0.323, 555: 1.0, 600: 0.631, 650: 0.107, 900: 0.0}
    curve = luminous_efficiency(np.array(list(table), dtype=float))
    np.testing.assert_allclose(curve, list(table.values()), atol=0.01)
    rng = np.random.default_rng(7)
    waves = np.linspace(450, 1000, 8)
    raster = cube_of(rng, wavelengths=waves)
    weights = luminance_weights(raster, "visible")
    assert weights.sum() == pytest.approx(1, rel=ROUNDING)
    expected = luminous_efficiency(waves)
    np.testing.assert_allclose(weights, expected / expected.sum(), rtol=ROUNDING)
    prepared = Color(luminance="visible", variance=1.0)(raster, seed=0)
    light = values_of(raster) @ weights
    along = prepared.points @ prepared.guide
    np.testing.assert_allclose(along - along[0], light - light[0], atol=ROUNDING * 10)
    np.testing.assert_array_equal(prepared.space.wavelengths, waves)
    for other, seen in ((cube_of(rng), 0), (cube_of(rng, wavelengths=waves + 150), 2)):
        with pytest.raises(DataError, match=f"3 bands in 400–700 nm, found\\s+{seen}"):
            Color(luminance="visible")(other, seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample": 0}, "option sample: expected at least 1 pixel, got 0"),
        ({"variance": 0.0}, "option variance: expected a share above 0 and up to 1, got 0.0"),
        ({"variance": 1.5}, "option variance"),
        ({"variance": float("nan")}, "option variance"),
    ],
)
def test_color_refuses_options(options, words):
    """Every refused option is named."""
    with pytest.raises(UsageError, match=words):
        Color(**options)


def test_each_stage_knows_what_it_prepares():
    """A shape is no picture and a picture no shape."""
    cloud = Cloud(name="cat", vertices=np.zeros((3, 3)))
    with pytest.raises(DataError, match=r"^cat: expected a picture or a cube, found a shape"):
        Color()(cloud, seed=0)
    with pytest.raises(DataError, match=r"^made: expected a shape, found a picture or cube"):
        Xyz()(raster_of(np.zeros((2, 2, 1))), seed=0)
    with pytest.raises(UsageError, match="option sample: expected at least 1 point, got 0"):
        Xyz(sample=0)


def two_triangles():
    """Return two triangles in the planes z = 0 and z = 1, of areas 1.5 and 0.5."""
    corners = np.array([[0, 0], [3, 0], [0, 1], [0, 0], [1, 0], [0, 1]], dtype=float)
    vertices = np.column_stack([corners, [0, 0, 0, 1, 1, 1]])
    return Cloud(name="tent", vertices=vertices, faces=[[0, 1, 2], [3, 4, 5]])


def test_a_surface_is_sampled_by_area():
    """Of two triangles of areas 3 : 1, the larger gets three quarters, uniformly inside."""
    count = 20_000
    prepared = Xyz(sample=count, size=True)(two_triangles(), seed=0)
    points = prepared.space.to_raw(prepared.points)
    lower = points[:, 2] < 0.5
    np.testing.assert_allclose(points[:, 2], ~lower, atol=ROUNDING)
    assert abs(lower.mean() - 0.75) <= 5 * np.sqrt(0.75 * 0.25 / count)
    inside = points[lower]
    assert (inside[:, :2] >= -ROUNDING).all()
    assert (inside[:, 0] / 3 + inside[:, 1] <= 1 + ROUNDING).all()
    # A uniform point of a triangle has the centroid as mean, and in x = 3u the variance 9/18.
    error = np.sqrt(0.5 / lower.sum())
    assert np.abs(inside.mean(axis=0) - [1, 1 / 3, 0]).max() <= 5 * error
    assert inside[:, 0].var() == pytest.approx(0.5, rel=0.05)


def test_one_scale_for_all_axes():
    """Radius one, one unit for x, y and z; ``size`` keeps the shape's own."""
    rng = np.random.default_rng(8)
    vertices = rng.standard_normal((500, 3)) * [10, 1, 0.1] + [5, -3, 0]
    cloud = Cloud(name="needle", vertices=vertices)
    prepared, kept = (Xyz(size=size)(cloud, seed=0) for size in (False, True))
    assert np.sqrt((prepared.points**2).sum(axis=1).mean()) == pytest.approx(1, rel=ROUNDING)
    np.testing.assert_allclose(prepared.points * prepared.space.unit, kept.points, atol=1e-12)
    assert kept.space.unit == 1
    np.testing.assert_allclose(kept.points, vertices - vertices.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(kept.space.to_raw(kept.points), vertices, atol=1e-12)
    assert kept.space.coordinates == "xyz"


def test_a_cloud_is_thinned_without_repetition():
    """More points than asked for are thinned, in the file's order; fewer are all kept."""
    vertices = np.column_stack([np.arange(100.0), np.zeros(100), np.zeros(100)])
    cloud = Cloud(name="line", vertices=vertices)
    one, two = (Xyz(sample=30, size=True)(cloud, seed=seed) for seed in (0, 1))
    places = one.space.to_raw(one.points)[:, 0]
    assert len(places) == 30
    assert (np.diff(places) > 0.5).all()
    assert not np.array_equal(places, two.space.to_raw(two.points)[:, 0])
    again = Xyz(sample=30, size=True)(cloud, seed=0)
    np.testing.assert_array_equal(one.points, again.points)
    assert len(Xyz(sample=200)(cloud, seed=0).points) == 100


def test_a_surface_without_area_is_refused():
    """Faces that are lines cannot be sampled by area."""
    line = Cloud(name="wire", vertices=[[0, 0, 0], [1, 0, 0], [2, 0, 0]], faces=[[0, 1, 2]])
    with pytest.raises(DataError, match=r"^wire: expected a surface, found faces without area"):
        Xyz()(line, seed=0)
    point = Xyz()(Cloud(name="dot", vertices=np.ones((4, 3))), seed=0)
    assert point.space.unit == 1


def sheet(count=12):
    """Return a wavy sheet of count² points, with an edge and no symmetry."""
    x, y = (grid.ravel() for grid in np.meshgrid(*[np.linspace(0, 1, count)] * 2))
    vertices = np.column_stack([2 * x, y + 0.2 * x**2, 0.3 * np.sin(3 * x + y)])
    corner = np.arange(count * (count - 1)).reshape(count - 1, count)[:, :-1].ravel()
    one = np.column_stack([corner, corner + 1, corner + count])
    two = np.column_stack([corner + 1, corner + count + 1, corner + count])
    return Cloud(name="sheet", vertices=vertices, faces=np.vstack([one, two]))


def least_gap(points):
    distances = all_distances(points)
    np.fill_diagonal(distances, np.inf)
    return distances.min(axis=1)


@pytest.mark.parametrize("sampling", ["poisson", "farthest", "voxel"])
def test_samplings_spread_points_more_evenly_than_chance(sampling):
    """As many points as asked for, or voxels nearly so; the same with the same seed, on the sheet,
    and with larger gaps between neighbours than draws by area have.
    """
    prepared = [Xyz(sample=300, sampling=sampling, size=True)(sheet(), seed=3) for _ in range(2)]
    np.testing.assert_array_equal(prepared[0].points, prepared[1].points)
    points = prepared[0].space.to_raw(prepared[0].points)
    assert len(points) == 300 if sampling != "voxel" else 290 <= len(points) <= 300
    corners = sheet().vertices
    assert (points >= corners.min(axis=0) - ROUNDING).all()
    assert (points <= corners.max(axis=0) + ROUNDING).all()
    chance = least_gap(Xyz(sample=300, size=True)(sheet(), seed=3).points)
    assert np.quantile(least_gap(points), 0.1) > 1.5 * np.quantile(chance, 0.1)


@pytest.mark.parametrize("sampling", ["area", "poisson", "farthest"])
def test_a_moved_copy_gets_the_moved_sample(sampling):
    """With the same vertex order a turned, moved and scaled copy has the same working points up to
    the turn.
    """
    rng = np.random.default_rng(10)
    turn = stiefel(rng, 3, 3)
    item = sheet()
    copy = Cloud(name="copy", vertices=7 * item.vertices @ turn.T + [1, -20, 3], faces=item.faces)
    one, two = (Xyz(sample=400, sampling=sampling)(shape, seed=1) for shape in (item, copy))
    np.testing.assert_allclose(one.points @ turn.T, two.points, atol=1e-9)
    assert two.space.unit == pytest.approx(7 * one.space.unit, rel=1e-9)


@pytest.mark.parametrize("sampling", ["farthest", "voxel"])
def test_a_dense_corner_of_a_cloud_is_thinned_first(sampling):
    """Of a cloud with nine tenths of its points in one corner, most remain outside it."""
    rng = np.random.default_rng(11)
    points = np.vstack([0.1 * rng.random((9000, 3)), rng.random((1000, 3))])
    cloud = Cloud(name="scan", vertices=points)
    prepared = Xyz(sample=400, sampling=sampling, size=True)(cloud, seed=0)
    kept = prepared.space.to_raw(prepared.points)
    assert ((kept > 0.1).any(axis=1)).mean() > 0.9
    assert len(Xyz(sample=20_000, sampling=sampling)(cloud, seed=0).points) == 10_000


def test_samplings_of_shapes_without_extent():
    """Points that all coincide stay one point, and Poisson-disk samples need a surface."""
    same = Cloud(name="dot", vertices=np.ones((50, 3)))
    for sampling in ("farthest", "voxel"):
        assert len(Xyz(sample=10, sampling=sampling)(same, seed=0).points) == 1
    with pytest.raises(DataError, match=r"^dot: expected a surface for sampling poisson"):
        Xyz(sampling="poisson")(same, seed=0)
    line = Cloud(name="wire", vertices=[[0, 0, 0], [1, 0, 0], [2, 0, 0]], faces=[[0, 1, 2]])
    for sampling in ("poisson", "farthest", "voxel"):
        with pytest.raises(DataError, match=r"^wire: expected a surface, found faces without area"):
            Xyz(sampling=sampling)(line, seed=0)


def test_area_needs_no_open3d(monkeypatch):
    """Without Open3D the default works, and the others say how to get it."""
    monkeypatch.setitem(sys.modules, "open3d", None)
    assert len(Xyz(sample=50)(sheet(), seed=0).points) == 50
    with pytest.raises(PluginError, match=r"^sheet: Open3D is needed .* pip install 'gwtransfer\["):
        Xyz(sample=50, sampling="farthest")(sheet(), seed=0)
