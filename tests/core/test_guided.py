"""The guided filter: what it keeps, what it removes, where it does not look."""

import numpy as np

from gwtransfer.core.guided import guided_filter

EVERYWHERE = np.ones((40, 50), dtype=bool)


def scene(seed=0):
    """Return a guide with an edge and texture, (2, 40, 50)."""
    rng = np.random.default_rng(seed)
    edge = (np.arange(50) > 24).astype(float)[None].repeat(40, axis=0)
    return np.stack([edge, rng.normal(0, 0.3, (40, 50))])


def test_an_affine_image_of_the_guide_passes():
    """With next to no ε a field that is affine in the guide comes out as it went in."""
    guide = scene()
    field = np.stack([2 * guide[0] - guide[1] + 3, guide[1]])
    out = guided_filter(field, guide, EVERYWHERE, radius=3, epsilon=1e-10)
    assert np.abs(out - field).max() < 1e-6


def test_noise_the_guide_lacks_goes_and_its_edge_stays():
    """Over a flat guide noise shrinks about as a box mean does; a step of the guide stays sharp."""
    guide = scene()[:1]
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 40, 50))
    out = guided_filter(guide + noise, guide, EVERYWHERE, radius=4, epsilon=1e-3)
    flat = out[0, 5:35, 5:18]
    assert flat.std() < 0.1 / 5
    step = out[0, :, 26].mean() - out[0, :, 23].mean()
    assert abs(step - 1) < 0.05


def test_a_flat_guide_gives_the_mean_of_means():
    """Without contrast in the guide the filter is a box mean taken twice."""
    from scipy.ndimage import uniform_filter

    field = np.random.default_rng(2).normal(size=(40, 50))
    out = guided_filter(field[None], np.zeros((1, 40, 50)), EVERYWHERE, radius=2, epsilon=1e-3)
    twice = uniform_filter(uniform_filter(field, 5), 5)
    assert np.abs(out[0, 6:-6, 6:-6] - twice[6:-6, 6:-6]).max() < 1e-12


def test_what_is_not_valid_is_not_looked_at():
    """Wild values behind the mask change nothing beside it, and come out as zero."""
    guide, rng = scene(), np.random.default_rng(3)
    field = rng.normal(size=(1, 40, 50))
    valid = rng.random((40, 50)) > 0.2
    valid[10:14, 10:20] = False
    wild = field.copy()
    wild[:, ~valid] = np.nan
    wilder = guide.copy()
    wilder[:, ~valid] = 1e30
    tame = guided_filter(field, guide, valid, radius=3, epsilon=1e-2)
    out = guided_filter(wild, wilder, valid, radius=3, epsilon=1e-2)
    assert np.abs(out - tame).max() < 1e-12
    assert (out[:, ~valid] == 0).all()
    assert np.abs(out[:, valid]).max() < 3


def test_rows_far_away_have_no_part():
    """A window of twice the radius around some rows gives those rows, so blocks may be cut."""
    guide, field = scene(), np.random.default_rng(4).normal(size=(1, 40, 50))
    whole = guided_filter(field, guide, EVERYWHERE, radius=4, epsilon=1e-2)
    part = guided_filter(field[:, 8:32], guide[:, 8:32], EVERYWHERE[8:32], radius=4, epsilon=1e-2)
    assert np.abs(part[:, 8:-8] - whole[:, 16:24]).max() < 1e-12


def test_single_floats_filter_as_doubles_do():
    """To a millionth of the values' range; what comes out is of the type that went in."""
    guide, field = scene(), np.random.default_rng(5).normal(size=(3, 40, 50))
    double = guided_filter(field, guide, EVERYWHERE, radius=2, epsilon=1e-3)
    single = guided_filter(
        field.astype(np.float32), guide.astype(np.float32), EVERYWHERE, radius=2, epsilon=1e-3
    )
    assert single.dtype == np.float32
    assert np.abs(single - double).max() < 2e-6 * np.ptp(field)


def test_it_solves_the_least_squares_of_a_window():
    """With three guides the slopes of one whole window are those of numpy's solver."""
    rng = np.random.default_rng(6)
    guide, field = rng.normal(size=(3, 5, 5)), rng.normal(size=(1, 5, 5))
    x, y = guide.reshape(3, -1), field.reshape(1, -1)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean()
    slope = np.linalg.solve(x @ x.T / 25 + 0.01 * np.eye(3), x @ y.T / 25)
    out = guided_filter(field, guide, np.ones((5, 5), bool), radius=5, epsilon=0.01)
    np.testing.assert_allclose(out[0].ravel(), (slope.T @ x)[0] + field.mean(), atol=1e-10)
