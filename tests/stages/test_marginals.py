"""Soft marginals: how strictly a plan must use the target in its own proportions."""

from pathlib import Path

import numpy as np
import pytest
from tests.core.strategies import random_mixture

from gwtransfer.core.gaussian import squared_w2
from gwtransfer.core.maps import RESTORED
from gwtransfer.errors import UsageError
from gwtransfer.io.store import load_artefact, save_plan
from gwtransfer.map.mean import Mean
from gwtransfer.map.rand import Rand
from gwtransfer.plan.mew2 import MEW2
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.plan.mw2 import MW2

SHARES = [0.0, 0.01, 0.1, 1.0, 1e4]


def sides(seed, m, n):
    rng = np.random.default_rng(seed)
    return random_mixture(rng, 6, m), random_mixture(rng, 5, n)


def apart(plan, divergence):
    attained, weights = plan.attained, plan.target.weights
    if divergence == "squared":
        return float(((attained - weights) ** 2).sum() / 2)
    used = attained > 0
    return float((attained[used] * np.log(attained[used] / weights[used])).sum())


@pytest.mark.parametrize("divergence", ["kl", "squared"])
@pytest.mark.parametrize(
    ("solver", "m", "n"),
    [(MW2, 3, 3), (MGW2, 3, 3), (MGW2, 5, 3), (MEW2, 5, 3), (MEW2, 3, 5)],
)
def test_from_the_nearest_to_the_hard_plan(solver, m, n, divergence):
    """Value rises and divergence falls with the penalty; the last is the hard plan to O(1/λ)."""
    source, target = sides(4, m, n)
    few = {} if solver is MW2 else {"starts": "few"}
    hard = solver(**few)(source, target)
    plans = solver(**few, marginals="soft", divergence=divergence).relaxed(source, target, SHARES)
    values = np.array([plan.value for plan in plans])
    divergences = np.array([apart(plan, divergence) for plan in plans])
    tiny = 1e-9 * values.max()
    assert (np.diff(values) >= -tiny).all()
    assert (np.diff(divergences) <= 1e-9).all()
    assert values[0] < hard.value - 1e-3 * hard.value
    assert values[-1] == pytest.approx(hard.value, rel=1e-3)
    assert np.abs(plans[-1].attained - target.weights).max() < 1e-3
    for plan in plans:
        assert plan.bound is None
        np.testing.assert_allclose(plan.coupling.sum(axis=1), source.weights, atol=1e-9)
        np.testing.assert_allclose(plan.coupling.sum(axis=0), plan.attained, atol=1e-9)


def test_free_mw2_takes_each_components_nearest():
    """At penalty 0 every source component goes to the target component it is nearest to."""
    source, target = sides(0, 3, 3)
    plan = MW2(marginals="soft", penalty=0.0)(source, target)
    costs = squared_w2(
        plan.source.means, plan.source.covariances, plan.target.means, plan.target.covariances
    )
    assert (plan.coupling.argmax(axis=1) == costs.argmin(axis=1)).all()
    assert np.count_nonzero(plan.coupling) == source.count
    assert plan.proportions_left == pytest.approx(
        np.abs(plan.coupling.sum(axis=0) - target.weights).sum() / 2
    )


def test_maps_paint_the_proportions_that_are_attained():
    """T_mean's images have the mean and covariance of the target as it is used; T_rand's do too."""
    source, target = sides(2, 3, 3)
    plan = MW2(marginals="soft", penalty=0.05)(source, target)
    used = plan.attained_target
    assert plan.proportions_left > 0.05
    assert not np.allclose(used.mean, target.mean, atol=0.02)
    raw = plan.source.space.to_raw(plan.source.drawn(40 * RESTORED, np.random.default_rng(0)))
    for stage in (Mean(gain_cap=None), Rand(gain_cap=None)):
        images = plan.target.space.to_working(stage(plan)(raw))
        np.testing.assert_allclose(images.mean(axis=0), used.mean, atol=0.02)
        np.testing.assert_allclose(np.cov(images.T), used.covariance, atol=0.05)


def test_hard_plans_know_no_penalty():
    """A price without soft marginals is misuse, and so is one out of range; nothing is left."""
    with pytest.raises(UsageError, match="--marginals soft"):
        MW2(penalty=0.5)
    for wrong in (-1.0, 1e7, np.nan):
        with pytest.raises(UsageError, match="0 to 1e"):
            MEW2(marginals="soft", penalty=wrong)
    plan = MW2()(*sides(0, 3, 3))
    assert plan.proportions_left == 0
    assert plan.attained_target is plan.target


def test_a_soft_plan_is_stored_with_what_it_attains(tmp_path: Path):
    """Read again, the plan is the same to the last bit."""
    plan = MEW2(starts="few", marginals="soft")(*sides(1, 5, 3))
    save_plan(plan, tmp_path / "soft.npz", {})
    again, _ = load_artefact(tmp_path / "soft.npz")
    np.testing.assert_array_equal(again.coupling, plan.coupling)
    np.testing.assert_array_equal(again.attained, plan.attained)
    assert (again.value, again.bound) == (plan.value, None)
