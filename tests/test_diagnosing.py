"""The diagnosis of a plan: closed forms on the line, bounds that hold, and what is refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from gwtransfer.core.maps import mean_map
from gwtransfer.core.modes import Gaps
from gwtransfer.core.pushforward import componentwise_bound, forced_mass
from gwtransfer.core.raster import Film, Raster, Rows
from gwtransfer.core.types import Cloud, GaussianMixture, Space, TransportPlan
from gwtransfer.diagnosing import Diagnosis, Split, diagnose, diagnose_files
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.io import store
from gwtransfer.plan.mw2 import MW2
from gwtransfer.recipe import Recipe

from .core.strategies import product_plan, random_mixture, seeds, stiefel

FREE = Recipe(options={"map": {"gain_cap": None}})
"""No cap."""

PLAIN = Recipe(options={"map": {"gain_cap": None, "restored": False}})
"""T_mean as it is defined."""


def line(*means: float, weights: tuple[float, ...] = ()) -> GaussianMixture:
    """Return a mixture of normal laws of variance 1 on the line."""
    return GaussianMixture(
        weights=weights or [1 / len(means)] * len(means),
        means=np.array(means)[:, None],
        covariances=np.ones((len(means), 1, 1)),
        space=Space.raw(1),
    )


def coupled(source: GaussianMixture, target: GaussianMixture, *rows: list[float]) -> TransportPlan:
    """Return a plan of a given coupling."""
    return product_plan(source, target, coupling=np.array(rows))


def test_the_identity_is_not_blamed() -> None:
    """½N(−3,1) + ½N(3,1) onto itself: nothing is split, though 7.1 misapplied claims 0.532."""
    mixture = line(-3.0, 3.0)
    found = diagnose(MW2()(mixture, mixture), recipe=PLAIN)
    assert found.splits == ()
    assert found.mean.local_slope is not None
    assert found.mean.local_slope.largest == pytest.approx(1.0, abs=1e-9)
    assert found.mean.piece_gain == found.rand.piece_gain == pytest.approx(1.0)
    assert found.mean.between == found.rand.between == 0
    assert "No component gives 5 % or more of itself to each of two far" in found.sentences[0]
    assert not any("puts" in sentence for sentence in found.sentences)
    assert max(found.mean.total_variation, found.rand.total_variation) < 0.02
    # MATHS 7.5's figures: what the bound for one normal law claims, what is there, what is owed.
    below = norm.cdf(1.5) / 2 + norm.cdf(-4.5) / 2
    assert float(forced_mass(3.0, 1.0, below)) == pytest.approx(0.532, abs=5e-4)
    assert 1 - 2 * below == pytest.approx(0.067, abs=5e-4)
    masses = norm.cdf([1.5, -4.5])
    owed = componentwise_bound(3.0, 1.0, mixture.weights, [1.0, 1.0], masses)
    assert float(owed) <= 1 - 2 * below


def test_one_law_onto_two_far_modes() -> None:
    """mean paints everything in between; rand what the coupling itself has there."""
    target = line(-10.0, 10.0)
    found = diagnose(MW2()(line(0.0), target), recipe=PLAIN)
    (split,) = found.splits
    assert (split.component, split.weight) == (0, 1.0)
    assert [part.share for part in split.parts] == pytest.approx([0.5, 0.5])
    (pair,) = split.pairs
    assert pair.width == pytest.approx(16.0)
    assert split.mean == split.around == pair.slab["mean"] == 1.0
    tails = norm.sf(2)
    for share in (split.rand, split.target, pair.slab["rand"], pair.slab["target"]):
        assert share == pytest.approx(tails, abs=5 * np.sqrt(tails / found.points))
    assert found.mean.total_variation == pytest.approx(1 - tails, abs=0.01)
    assert found.rand.total_variation < 0.02
    assert found.mean.kl > 3
    # The map is affine, so that here the estimate is a bound.
    slab = norm.cdf(8) - norm.cdf(-8)
    assert pair.expected == pair.expected_99 <= slab
    assert (
        "Component 1, points that are alike and 100 % of the source, is split" in found.sentences[0]
    )
    assert "`mean` puts 100 % of all points in between" in found.sentences[0]
    assert "--map rand" in found.sentences[1]


def test_components_that_can_be_sorted_are_not_split() -> None:
    """Two laws to a mode each; where they overlap mean passes in between, and that is said."""
    source, target = line(-1.0, 1.0), line(-10.0, 10.0)
    found = diagnose(coupled(source, target, [0.5, 0.0], [0.0, 0.5]), recipe=PLAIN)
    assert found.splits == ()
    assert found.meeting is not None
    # T(x) = x + 9 tanh(x): in the slab (−8, 8) where |x| < 0.9…
    edge = np.linspace(0, 2, 200_001)
    edge = edge[np.searchsorted(edge + 9 * np.tanh(edge), 8.0)]
    share = norm.cdf(edge - 1) - norm.cdf(-edge - 1)
    assert found.meeting.gap["mean"] == pytest.approx(share, abs=0.02)
    assert found.meeting.gap["rand"] == pytest.approx(norm.sf(2), abs=0.01)
    assert "No component gives 5 %" in found.sentences[0]
    assert found.sentences[1].startswith("Yet, `mean` puts")


def test_a_full_valley_is_no_gap() -> None:
    """Between far components that a third, heavy one joins nothing is a bridge."""
    target = line(-6.0, 0.0, 6.0, weights=(0.2, 0.6, 0.2))
    found = diagnose(coupled(line(0.0), target, [0.2, 0.6, 0.2]), recipe=PLAIN)
    held = {(pair.first, pair.second) for split in found.splits for pair in split.pairs}
    assert (0, 2) not in held


@given(seeds, st.sampled_from([(1, 1), (3, 3), (6, 3), (2, 4)]), st.floats(0.2, 6.0))
def test_the_gain_cap_bounds_every_piece(seed: int, sizes: tuple[int, int], cap: float) -> None:
    """Of both maps, restored or not; without a cap restored pieces may be steeper."""
    rng = np.random.default_rng(seed)
    m, n = sizes
    source, target = random_mixture(rng, 3, m), random_mixture(rng, 3, n, spread=4.0)
    plan = product_plan(
        source, target, embedding=None if m == n else stiefel(rng, max(m, n), n if m > n else m)
    )
    for restored in (True, False):
        recipe = Recipe(options={"map": {"gain_cap": cap, "restored": restored}})
        found = diagnose(plan, recipe=recipe, most=50)
        assert (found.gain_cap, found.restored) == (cap, restored)
        assert max(found.mean.piece_gain, found.rand.piece_gain) <= cap * (1 + 1e-12)
    uncapped = diagnose(plan, recipe=PLAIN, most=50)
    assert uncapped.mean.piece_gains == pytest.approx(mean_map(plan).gains())


@pytest.mark.parametrize("seed", range(30))
def test_the_componentwise_bound_holds(seed: int) -> None:
    """Mixtures never seen, affine maps, whose constant is known, every slab: exact masses."""
    rng = np.random.default_rng([seed, 40])
    p = int(rng.integers(1, 5))
    source = random_mixture(rng, int(rng.integers(1, 7)), p, spread=rng.uniform(0, 5))
    gaps = Gaps.of(random_mixture(rng, 6, p, spread=5.0))
    linear = rng.standard_normal((p, p)) * rng.uniform(0.1, 3)
    shift = rng.standard_normal(p)
    means = (source.means @ linear.T + shift)[:, None]
    along = ((means - gaps.centre) * gaps.direction).sum(axis=2).T
    pushed = linear @ source.covariances @ linear.T
    wide = np.sqrt(np.einsum("qi,kij,qj->qk", gaps.direction, pushed, gaps.direction))
    below = norm.cdf((gaps.low[:, None] - along) / wide)
    slab = (norm.cdf((gaps.high[:, None] - along) / wide) - below) @ source.weights
    bound = componentwise_bound(
        gaps.width,
        np.linalg.norm(linear, 2),
        source.weights,
        np.sqrt(np.linalg.eigvalsh(source.covariances)[:, -1]),
        below,
    )
    assert (bound <= slab + 1e-12).all()
    assert bound.max() > 0


@pytest.mark.parametrize("seed", range(30))
def test_the_componentwise_bound_holds_for_bent_maps(seed: int) -> None:
    """Mean maps of the line with a capped slope, pulled back to it: their constant is known."""
    rng = np.random.default_rng([seed, 41])
    count = int(rng.integers(1, 5))
    source = GaussianMixture(
        weights=rng.dirichlet(np.full(count, 3.0)),
        means=3 * rng.standard_normal((count, 1)),
        covariances=rng.uniform(0.1, 2.0, (count, 1, 1)),
        space=Space.raw(1),
    )
    most = rng.uniform(0.3, 4.0)
    x = np.linspace(-15, 15, 60_001)
    knots = np.sort(rng.uniform(-15, 15, 20))
    steps = rng.uniform(-most, most, 21)  # increasing here, decreasing there: L = most at most
    slope = steps[np.searchsorted(knots, x)]
    image = np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(x))])
    deviation = np.sqrt(source.covariances[:, 0, 0])
    weights = norm.pdf((x - source.means) / deviation[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    for low, width in zip(rng.uniform(-5, 5, 8), rng.uniform(0.1, 5, 8), strict=True):
        below = weights @ (image <= low)
        slab = source.weights @ (weights @ ((image > low) & (image < low + width)))
        bound = componentwise_bound(width, most, source.weights, deviation, np.clip(below, 0, 1))
        assert float(bound) <= slab + 1e-3  # of the grid


def test_rand_puts_what_the_coupling_has_in_every_slab() -> None:
    """Σ w_kl P(N(n_l, S_l) in the slab), and mean of one component what its affine image has."""
    rng = np.random.default_rng(3)
    source, target = random_mixture(rng, 2, 3), random_mixture(rng, 5, 3, spread=6.0)
    found = diagnose(product_plan(source, target), recipe=PLAIN)
    gaps = Gaps.of(target)
    pairs = {(pair.first, pair.second): pair for split in found.splits for pair in split.pairs}
    assert len(pairs) >= 5
    for q, key in enumerate(zip(gaps.first.tolist(), gaps.second.tolist(), strict=True)):
        if key not in pairs:
            continue
        u = gaps.direction[q]
        along = (target.means - gaps.centre[q]) @ u
        wide = np.sqrt(np.einsum("i,lij,j->l", u, target.covariances, u))
        inside = norm.cdf((gaps.high[q] - along) / wide) - norm.cdf((gaps.low[q] - along) / wide)
        expected = float(target.weights @ inside)
        error = 5 * np.sqrt(expected * (1 - expected) / found.points)
        assert abs(pairs[key].slab["rand"] - expected) < error + 1e-3
        assert abs(pairs[key].slab["target"] - expected) < error + 1e-3


def test_what_is_measured_is_above_what_is_expected() -> None:
    """With the largest slope over the data, on plans with splits: measured, not proven."""
    seen = 0
    for seed in range(8):
        rng = np.random.default_rng([seed, 42])
        source, target = random_mixture(rng, 3, 2), random_mixture(rng, 4, 2, spread=6.0)
        found = diagnose(product_plan(source, target), recipe=FREE, most=5000)
        for pair in (pair for split in found.splits for pair in split.pairs):
            assert pair.slab["mean"] > pair.expected - 1 / found.points  # less than a point
            assert 0 <= pair.expected <= pair.expected_99
            seen += 1
    assert seen > 20


def test_what_is_less_than_a_point_forces_nothing() -> None:
    """A flat piece that is all in the gap has no share on a side; its neighbour's shares are."""
    space = Space.raw(1)
    source = GaussianMixture(
        weights=[0.34, 0.66], means=[[-3.0], [3.0]], covariances=[[[0.25]], [[0.25]]], space=space
    )
    target = GaussianMixture(
        weights=[0.3, 0.7], means=[[-5.0], [5.0]], covariances=[[[0.01]], [[0.01]]], space=space
    )
    (split,) = diagnose(MW2()(source, target)).splits
    (pair,) = split.pairs
    assert pair.slab["mean"] == pytest.approx(0.34, abs=0.02)
    assert pair.expected <= pair.expected_99 <= pair.slab["mean"]


def test_what_is_forced_is_measured_where_the_map_is_a_shift() -> None:
    """T(x) = x: a slab from −1 to 1 must hold, and holds, Φ(1) − Φ(−1)."""
    found = diagnose(MW2()(line(0.0), line(-3.0, 3.0)), recipe=PLAIN)
    (pair,) = found.splits[0].pairs
    assert pair.width == pytest.approx(2.0)
    assert pair.expected == pytest.approx(norm.cdf(1) - norm.cdf(-1), abs=0.015)
    assert pair.slab["mean"] == pytest.approx(pair.expected, abs=0.015)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_what_is_unavoidable_is_forced_of_a_single_law(scale: float) -> None:
    """Φ(r/(Lσ) + Φ⁻¹(p)) − p with the target's own p, its ends being points of whatever share."""
    source = replace(line(0.0), covariances=[[[scale**2]]])
    points = np.repeat([[-3.0], [3.0]], [600, 400], axis=0)
    found = diagnose(MW2()(source, line(-3.0, 3.0)), target=points, recipe=PLAIN)
    (pair,) = found.splits[0].pairs
    assert found.mean.piece_gain == pytest.approx(1 / scale)
    expected = float(forced_mass(2.0, 1.0, 0.6))
    assert 0.3 < expected == pytest.approx(pair.unavoidable, rel=1e-6)


def test_what_can_be_sorted_is_not_unavoidable() -> None:
    """A coupling splits two laws that could go to a mode each: no more is owed than is there."""
    source, target = line(-5.0, 5.0), line(-10.0, 10.0)
    plan = coupled(source, target, [0.25, 0.25], [0.25, 0.25])
    found = diagnose(plan, recipe=PLAIN)
    for split in found.splits:
        (pair,) = split.pairs
        assert pair.slab["mean"] > 0.999
        assert 0.005 < pair.unavoidable <= pair.slab["target"]
    ends = diagnose(plan, target=np.repeat([[-10.0], [10.0]], 500, axis=0), recipe=PLAIN)
    assert [split.pairs[0].unavoidable for split in ends.splits] == [0.0, 0.0]


@pytest.mark.parametrize("end", [-50.0, 50.0])
def test_nothing_is_unavoidable_of_a_target_on_one_side(end: float) -> None:
    """Weights that sum to 1 but for rounding do not make all of a file more than all."""
    source = line(-1.0, 1.0, weights=(0.3, 0.7 - 1e-9))
    plan = MW2()(source, line(-10.0, 10.0))
    found = diagnose(plan, target=np.full((50, 1), end), recipe=PLAIN, most=500)
    assert {pair.unavoidable for split in found.splits for pair in split.pairs} == {0.0}


def test_where_pieces_meet_the_map_is_steeper_than_any() -> None:
    """T(x) = x + 9 tanh(x), of pieces of slope 1: everywhere, and 10-fold in the middle."""
    plan = coupled(line(-1.0, 1.0), line(-10.0, 10.0), [0.5, 0.0], [0.0, 0.5])
    slope = diagnose(plan, recipe=PLAIN).mean.local_slope
    assert slope is not None
    assert slope.steeper > 0.999
    assert slope.largest == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("slope", [1.9, 2.1])
def test_a_map_twice_as_steep_as_its_pieces_is_said_to_change_fast(slope: float) -> None:
    """T(x) = x + (L − 1) tanh(x), L a little below and above 2."""
    plan = coupled(line(-1.0, 1.0), line(-slope, slope), [0.5, 0.0], [0.0, 0.5])
    found = diagnose(plan, recipe=PLAIN)
    assert found.mean.local_slope is not None
    assert found.mean.local_slope.most_99 == pytest.approx(slope, abs=0.01)
    assert any("changes fast" in said for said in found.sentences) == (slope > 2)


def test_a_surplus_is_beyond_rand_and_beyond_the_target() -> None:
    """min(mean − rand, around − target)."""
    split = Split(
        component=0, weight=1.0, parts=(), pairs=(), mean=0.5, rand=0.1, around=0.6, target=0.4
    )
    assert split.surplus == pytest.approx(0.2)
    assert replace(split, rand=0.45).surplus == pytest.approx(0.05)


def test_chance_is_not_taken_for_a_difference() -> None:
    """Of a plan onto itself the largest of many differences is not what is reported."""
    mixture = line(*range(0, 80, 8))
    found = [
        diagnose(MW2()(replace(mixture, seed=seed), mixture), recipe=PLAIN, most=200).mean
        for seed in range(20)
    ]
    assert np.mean([one.total_variation for one in found]) < 0.12


def same(one: Diagnosis, other: Diagnosis) -> bool:
    """Tell whether two diagnoses say the same figures."""
    return (one.mean, one.rand, one.splits, one.sentences) == (
        other.mean, other.rand, other.splits, other.sentences,
    )  # fmt: skip


def test_the_same_plan_has_the_same_diagnosis() -> None:
    """Draws come from the plan's seed; given points are thinned evenly, to as many as asked."""
    rng = np.random.default_rng(0)
    plan = product_plan(random_mixture(rng, 2, 2), random_mixture(rng, 3, 2, spread=5.0))
    assert same(diagnose(plan, most=2000), diagnose(plan, most=2000))
    other = replace(plan, source=replace(plan.source, seed=1))
    assert not same(diagnose(other, most=2000), diagnose(plan, most=2000))
    points = rng.standard_normal((3000, 2))
    found = diagnose(plan, source=points, target=points + 5, most=1000)
    assert (found.points, found.from_source, found.from_target) == (1000, True, True)
    thinned = diagnose(plan, source=points[::3], target=points[::3] + 5)
    assert same(found, thinned)


def picture(colours: NDArray[np.float64], name: str = "p.png") -> Raster:
    """Return a picture of given colours (rows, columns, 3)."""
    return Raster(
        name=name,
        rows=colours.shape[0],
        columns=colours.shape[1],
        bands=colours.shape[2],
        read=lambda start, stop: Rows(values=colours[start:stop].astype(np.float32)),
        kind="picture",
        dtype="uint8",
    )


def colours_of(*means: tuple[float, float, float], deviation: float = 0.02) -> GaussianMixture:
    """Return a mixture of colours in sRGB."""
    return GaussianMixture(
        weights=[1 / len(means)] * len(means),
        means=means,
        covariances=[np.eye(3) * deviation**2] * len(means),
        space=replace(Space.raw(3), coordinates="srgb"),
    )


def test_colours_are_named() -> None:
    """A gray sky split between red and blue: the sentence has their codes, the share, the gap."""
    plan = product_plan(colours_of((0.5, 0.5, 0.5)), colours_of((1.0, 0, 0), (0, 0, 1.0)))
    rng = np.random.default_rng(0)
    sky = picture(np.clip(0.5 + 0.02 * rng.standard_normal((40, 50, 3)), 0, 1))
    found = diagnose(plan, source=sky, recipe=PLAIN)
    assert found.points == 2000
    (split,) = found.splits
    assert {part.name for part in split.parts} == {"#ff0000", "#0000ff"}
    said = found.sentences[0]
    assert "two far colours: #ff0000 (50 % of it) and #0000ff (50 %)" in said
    assert "`mean` puts 100 % of all pixels in between" in said
    assert "a --mask for each part" in found.sentences[1]


def test_colours_nobody_tells_apart_are_not_far() -> None:
    """Two grays that differ by a step of 8 bits in red are one to the eye."""
    close = colours_of((0.5, 0.5, 0.5), (0.504, 0.5, 0.5), deviation=1e-5)
    found = diagnose(product_plan(colours_of((0.5, 0.5, 0.5)), close), recipe=PLAIN)
    assert len(Gaps.of(close)) == 1
    assert found.splits == ()
    assert found.meeting is None


def test_places_are_named_where_shapes_are_matched() -> None:
    """No word of colours or masks; a cloud's own points are looked at."""
    rng = np.random.default_rng(1)
    xyz = replace(Space.raw(3), coordinates="xyz")
    one = replace(random_mixture(rng, 1, 3), space=xyz)
    two = GaussianMixture(
        weights=[0.5, 0.5],
        means=[[0, 0, -9.0], [0, 0, 9.0]],
        covariances=[np.eye(3)] * 2,
        space=xyz,
    )
    cloud = Cloud(name="c.xyz", vertices=one.means + rng.standard_normal((300, 3)) / 2)
    found = diagnose(product_plan(one, two), source=cloud, recipe=PLAIN)
    assert found.points == 300
    assert "two far places: (0, 0, -9) (50 % of it) and (0, 0, 9) (50 %)" in found.sentences[0]
    text = " ".join(found.sentences)
    assert "colour" not in text
    assert "mask" not in text
    with pytest.raises(DataError, match=r"c\.xyz: expected a picture.*found a shape"):
        diagnose(product_plan(colours_of((0, 0, 0)), two, embedding=np.eye(3)), source=cloud)
    with pytest.raises(DataError, match=r"p\.png: expected a shape.*found a picture"):
        diagnose(product_plan(one, two), target=picture(np.zeros((2, 2, 3))))


def test_what_cannot_be_diagnosed_is_refused(tmp_path: Path) -> None:
    """Other dimensions, films, too few points, and files that hold no plan."""
    plan = product_plan(colours_of((0.5, 0.5, 0.5)), colours_of((1.0, 0, 0)))
    gray = picture(np.zeros((4, 4, 1)), "gray.png")
    with pytest.raises(DataError, match=r"gray\.png: expected a picture of 3 bands.*of 1"):
        diagnose(plan, source=gray)
    film = replace(picture(np.zeros((4, 4, 3))), film=Film(frames=2, rate=Fraction(25)))
    with pytest.raises(DataError, match="found a film; take a frame"):
        diagnose(plan, target=film)
    for points, words in ((np.zeros((5, 2)), "of 3 coordinates"), (np.full((5, 3), np.nan), "NaN")):
        with pytest.raises(DataError, match=words):
            diagnose(plan, source=points)
    with pytest.raises(DataError, match="are they in another unit"):
        diagnose(plan, source=np.full((5, 3), 1e200))
    with pytest.raises(UsageError, match="at least 2 points"):
        diagnose(plan, most=1)
    mixture = tmp_path / "m.npz"
    store.save_mixture(plan.source, mixture, {})
    with pytest.raises(ReadError, match="expected a plan of `gwtransfer plan`, found a mixture"):
        diagnose_files(mixture)
    with pytest.raises(ReadError, match="no such file"):
        diagnose_files(tmp_path / "p.npz")


def test_a_stored_plan_is_diagnosed_with_the_map_it_was_stored_with(tmp_path: Path) -> None:
    """Its cap unless another is asked for; what is not of the map is a note."""
    rng = np.random.default_rng(0)
    plan = product_plan(random_mixture(rng, 2, 2), random_mixture(rng, 3, 2, spread=5.0))
    recipe = {"map": {"stage": "nearest", "gain_cap": 0.5}, "strength": 0.5}
    store.save_plan(plan, tmp_path / "p.npz", {"recipe": recipe})
    found = diagnose_files(tmp_path / "p.npz", most=500)
    assert (found.gain_cap, found.restored) == (0.5, True)
    assert [note.split()[1] for note in found.notes] == ["map", "plan's"]
    asked = Recipe(options={"map": {"gain_cap": "none"}})
    assert diagnose_files(tmp_path / "p.npz", recipe=asked, most=500).gain_cap is None
    for number, odd in enumerate(
        ({}, {"recipe": "x", "source": None}, {"recipe": {"map": "rand"}})
    ):
        path = tmp_path / f"{number}.npz"
        store.save_plan(plan, path, odd)
        assert (diagnose_files(path, most=500).gain_cap, number) == (5.0, number)


def test_a_plan_that_was_stored_unrestored_is_looked_at_so(tmp_path: Path) -> None:
    """Its pieces are those of the plain mean map."""
    rng = np.random.default_rng(0)
    plan = product_plan(random_mixture(rng, 2, 2), random_mixture(rng, 3, 2, spread=5.0))
    store.save_plan(plan, tmp_path / "p.npz", {"recipe": {"map": {"restored": False}}})
    found = diagnose_files(tmp_path / "p.npz", most=200)
    assert not found.restored
    plain = Recipe(options={"map": {"restored": False}})
    assert found.mean.piece_gains == diagnose(plan, most=200, recipe=plain).mean.piece_gains


def test_a_plan_that_leaves_proportions_says_that_it_was_told_to() -> None:
    """All of one law to the nearer of two: the estimate finds the half that is left."""
    source, target = line(-9.0), line(-10.0, 10.0)
    plan = replace(coupled(source, target, [0.5, 0.5]), coupling=[[1.0, 0.0]], attained=[1.0, 0.0])
    found = diagnose(plan, recipe=PLAIN)
    assert found.splits == ()
    assert found.mean.total_variation == pytest.approx(0.5, abs=0.02)
    assert found.sentences[-1].endswith("; the plan was free to leave 50 % of these.")


def test_figures_do_not_depend_on_the_order_of_components() -> None:
    """Permuted components of both sides: the same splits under their new numbers."""
    rng = np.random.default_rng(7)
    source, target = random_mixture(rng, 3, 2), random_mixture(rng, 4, 2, spread=6.0)
    plan = product_plan(source, target)
    points = source.drawn(4000, rng), target.drawn(4000, rng)
    k, l = rng.permutation(3), rng.permutation(4)
    turned = product_plan(
        *(
            replace(
                side,
                weights=side.weights[order],
                means=side.means[order],
                covariances=side.covariances[order],
            )
            for side, order in ((source, k), (target, l))
        ),
        coupling=plan.coupling[k][:, l],
    )
    one, other = (
        diagnose(each, source=points[0], target=points[1], recipe=PLAIN) for each in (plan, turned)
    )
    old_numbers = [other.mean.piece_gains[list(k).index(i)] for i in range(3)]
    assert one.mean.piece_gains == pytest.approx(old_numbers, rel=1e-9)
    found = {split.component: split.mean for split in one.splits}
    assert len(found) == 3
    turned_back = {int(k[split.component]): split.mean for split in other.splits}
    assert turned_back == pytest.approx(found, abs=1e-3)
