"""Trained networks: what is measured of them, without torch; and, with it, that they repeat."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from gwtransfer.core.pushforward import forced_mass
from gwtransfer.errors import MissingError
from gwtransfer.fit.digits import digits
from gwtransfer.study import pushforward
from gwtransfer.study.generative import lines, networks, pictures
from gwtransfer.study.generative.session import Effort
from gwtransfer.study.outcome import COLUMNS

SHORT = Effort(steps=150, batch=256, width=32, drawn=4000, probed=50)


def test_without_torch_nothing_is_begun(monkeypatch):
    """One line says what is missing and how to go on, before any map is searched."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"gwtransfer\[generative\].*leave --generative out"):
        pushforward.study(generative=True, progress=lambda *_: pytest.fail("work was begun"))


def test_the_axis_separates_the_digits():
    """Threes lie on one side and sevens on the other; eight of 362 in the middle third."""
    data = pictures.Data.of_digits()
    shown, labels = digits(3, 7)
    assert shown.shape == (362, 64)
    assert (shown.min(), shown.max()) == (0.0, 1.0)
    for digit, side in ((3, -1.0), (7, 1.0)):
        own = data.places[labels == digit]
        assert own.mean() == pytest.approx(side * data.axis.half)
        assert (np.sign(own) == side).mean() > 0.95
    assert round(data.between * len(shown)) == 8
    halfway = (shown[labels == 3][:150] + shown[labels == 7][:150]) / 2
    assert (np.abs(data.axis.places(halfway)) < data.axis.slab).mean() > 0.6


def test_the_nearest_picture_is_another():
    """Distances within the data leave a picture itself out; a copy would be 0 away."""
    data = pictures.Data.of_digits()
    squares = ((data.pictures[:20, None] - data.pictures[None]) ** 2).sum(axis=-1)
    expected = np.sqrt(np.sort(squares, axis=1)[:, 1])
    np.testing.assert_allclose(data.nearest[:20], expected, atol=1e-6)
    assert data.nearest.min() > 0.1


def test_drawn_points_are_as_far_as_their_number_says():
    """Of the law itself 50 000 points are about 0.01 away, a hundred times fewer ten times that."""
    many, few = lines.floor(3.0, 50_000), lines.floor(3.0, 500)
    assert 0.004 < many < 0.02
    assert 5 < few / many < 20


def test_sheets_keep_every_picture():
    """Pictures stand row by row, a line between them."""
    found = np.linspace(0, 1, 4 * 64).reshape(4, 64)
    page = pictures.sheet(found, across=2)
    assert page.shape == (19, 19, 3)
    np.testing.assert_array_equal(page[10:18, 1:9, 0], found[2].reshape(8, 8))
    assert (page[9] == page[0, 0]).all()


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs the extra generative (PyTorch)")


@pytest.mark.parametrize("kind", lines.KINDS)
def test_a_network_repeats_and_learns(kind, torch):
    """The same seed gives the same points; 150 steps bring both modes, better than none do."""
    begun = lines.trained(kind, 2.0, replace(SHORT, steps=1))
    once, again = (lines.trained(kind, 2.0, SHORT) for _ in range(2))
    np.testing.assert_array_equal(once.points, again.points)
    assert once.outcome.slope == again.outcome.slope
    assert once.outcome.distance < 0.8 * begun.outcome.distance
    assert 0.2 < (once.points > 0).mean() < 0.8
    assert (once.outcome.bound is None) == (kind == "score")
    assert torch.are_deterministic_algorithms_enabled() is False


def test_slopes_are_those_of_finite_differences(torch):
    """|J| by automatic differentiation is the largest stretch that small steps show."""
    from gwtransfer.study.generative.session import perceptron, repeatable, steepest

    with repeatable(0):
        network = perceptron(3, 16, 5).double()
        points = torch.randn(4, 3, dtype=torch.float64)
        found = steepest(network, points).numpy()
        steps = 1e-6 * torch.eye(3, dtype=torch.float64)
        with torch.no_grad():
            ahead = network((points[:, None] + steps).reshape(-1, 3)).reshape(4, 3, 5)
            back = network((points[:, None] - steps).reshape(-1, 3)).reshape(4, 3, 5)
    jacobians = ((ahead - back) / 2e-6).numpy()
    np.testing.assert_allclose(found, np.linalg.norm(jacobians, 2, axis=(1, 2)), rtol=1e-6)


def test_pictures_obey_the_bound_of_their_slope(torch):
    """What a short training leaves between the digits is at least what its slope forces there."""
    data = pictures.Data.of_digits()
    short = dict.fromkeys(lines.KINDS, replace(SHORT, drawn=300, probed=30))
    drawn = pictures.study(data, efforts=short)
    for one in drawn:
        assert one.pictures.shape == (300, 64)
        if one.outcome.map != "score":
            below = float((one.places < -data.axis.slab).mean())
            forced = forced_mass(2 * data.axis.slab, one.outcome.slope, below)
            assert one.outcome.between >= forced - 0.03
    trained = [lines.trained(kind, 3.0, replace(SHORT, steps=2)) for kind in lines.KINDS]
    base = pushforward.found(modes=(3.0,), constants=(2.0,))
    findings = networks.joined(base, trained, data, drawn)
    assert len(findings.rows) == len(base.rows) + 6
    assert [row[COLUMNS.index("target")] for row in findings.rows[-3:]] == ["digits"] * 3
    assert {"results", "samples"} <= set(findings.figures)
