"""The guided filter: what it keeps, what it removes, where it does not look."""

import numpy as np

from gwtransfer.core.guided import guided_filter

EVERYWHERE = np.ones((40, 50), dtype=bool)


def scene(seed=0):
    """Return a guide with an edge and texture, (40, 50, 2)."""
    rng = np.random.default_rng(seed)
    edge = (np.arange(50) > 24).astype(float)[None].repeat(40, axis=0)
    return np.stack([edge, rng.normal(0, 0.3, (40, 50))], axis=2)


def test_an_affine_image_of_the_guide_passes():
    """With next to no ε a field that is affine in the guide comes out as it went in."""
    guide = scene()
    field = np.stack([2 * guide[:, :, 0] - guide[:, :, 1] + 3, guide[:, :, 1]], axis=2)
    out = guided_filter(field, guide, EVERYWHERE, radius=3, epsilon=1e-10)
    assert np.abs(out - field).max() < 1e-6


def test_noise_the_guide_lacks_goes_and_its_edge_stays():
    """Over a flat guide noise shrinks about as a box mean does; a step of the guide stays sharp."""
    guide = scene()[:, :, :1]
    noise = np.random.default_rng(1).normal(0, 0.1, (40, 50, 1))
    out = guided_filter(guide + noise, guide, EVERYWHERE, radius=4, epsilon=1e-3)
    flat = out[5:35, 5:18, 0]
    assert flat.std() < 0.1 / 5
    step = out[:, 26, 0].mean() - out[:, 23, 0].mean()
    assert abs(step - 1) < 0.05


def test_a_flat_guide_gives_the_mean_of_means():
    """Without contrast in the guide the filter is a box mean taken twice."""
    from scipy.ndimage import uniform_filter

    field = np.random.default_rng(2).normal(size=(40, 50))
    out = guided_filter(
        field[:, :, None], np.zeros((40, 50, 1)), EVERYWHERE, radius=2, epsilon=1e-3
    )
    twice = uniform_filter(uniform_filter(field, 5), 5)
    assert np.abs(out[6:-6, 6:-6, 0] - twice[6:-6, 6:-6]).max() < 1e-12


def test_what_is_not_valid_is_not_looked_at():
    """Wild values behind the mask change nothing beside it, and come out as zero."""
    guide, rng = scene(), np.random.default_rng(3)
    field = rng.normal(size=(40, 50, 1))
    valid = rng.random((40, 50)) > 0.2
    valid[10:14, 10:20] = False
    wild = field.copy()
    wild[~valid] = np.nan
    wilder = guide.copy()
    wilder[~valid] = 1e30
    tame = guided_filter(field, guide, valid, radius=3, epsilon=1e-2)
    out = guided_filter(wild, wilder, valid, radius=3, epsilon=1e-2)
    assert np.abs(out - tame).max() < 1e-12
    assert (out[~valid] == 0).all()
    assert np.abs(out[valid]).max() < 3


def test_rows_far_away_have_no_part():
    """A window of twice the radius around some rows gives those rows, so blocks may be cut."""
    guide, field = scene(), np.random.default_rng(4).normal(size=(40, 50, 1))
    whole = guided_filter(field, guide, EVERYWHERE, radius=4, epsilon=1e-2)
    part = guided_filter(field[8:32], guide[8:32], EVERYWHERE[8:32], radius=4, epsilon=1e-2)
    assert np.abs(part[8:-8] - whole[16:24]).max() < 1e-12
