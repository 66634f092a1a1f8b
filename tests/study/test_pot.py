"""The closed forms of penalised optimal transport against searches, oracles and each other."""

import numpy as np
import pytest

from gwtransfer.core.gaussian import squared_w2
from gwtransfer.study import encoders, pot

WEIGHTS = (0.1, 3.0)


@pytest.fixture(autouse=True)
def one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search from one start; these objectives have no bad ends."""
    monkeypatch.setattr(encoders, "SEARCHES", 1)


def drawn(d: int, p: int, *, lost: int = 0, seed: int = 0) -> encoders.Model:
    """Draw a model; ``lost`` ranks are missing in data and decoder."""
    rng = np.random.default_rng([seed, d, p, lost])
    spread = rng.standard_normal((d, d - lost))
    decoder = rng.standard_normal((d, p))
    left, values, right = np.linalg.svd(decoder, full_matrices=False)
    values[len(values) - lost :] = 0
    return encoders.Model(covariance=spread @ spread.T, decoder=(left * values / values[0]) @ right)


MODELS = {
    "p < d": drawn(4, 2),
    "p = d": drawn(3, 3),
    "p > d": drawn(3, 5),
    "singular": drawn(4, 4, lost=2),
    "one": drawn(1, 1),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


@each_model
def test_the_distance_is_that_of_gaussians(model: encoders.Model) -> None:
    """The library's W2², and tr Σ + tr WWᵀ − 2 Σ √eig(WᵀΣW)."""
    zero, made = np.zeros(len(model.decoder)), model.decoder @ model.decoder.T
    ours = squared_w2(zero[None], model.covariance[None], zero[None], made[None])[0, 0]
    assert encoders.squared_distance(model) == pytest.approx(
        ours, rel=1e-7
    )  # roots of rounded zeros
    inner = np.linalg.eigvalsh(model.decoder.T @ model.covariance @ model.decoder)
    cross = np.sqrt(inner.clip(0)).sum()
    whole = np.trace(model.covariance) + np.trace(made) - 2 * cross
    assert encoders.squared_distance(model) == pytest.approx(whole, rel=1e-7)


@each_model
def test_encoders_of_the_prior_reach_the_distance_and_no_less(model: encoders.Model) -> None:
    """A search over all contractions ends at W2², and no contraction lies below it."""
    limit = encoders.squared_distance(model)
    assert encoders.search_couplings(model, seed=3) == pytest.approx(limit, rel=1e-9)
    rng = np.random.default_rng(0)
    constant = np.trace(model.covariance) + (model.decoder**2).sum()
    for _ in range(50):
        contraction = rng.standard_normal(model.decoder.shape)
        contraction /= np.linalg.norm(contraction, 2)
        error = constant - 2 * (model.root @ contraction * model.decoder).sum()
        assert error > limit - 1e-9 * constant


@each_model
def test_gaussian_encoders_reach_the_penalised_value_and_no_less(model: encoders.Model) -> None:
    """A search that knows only the objective ends at the formula, from above."""
    for weight in WEIGHTS:
        value = encoders.penalised(model, weight).value
        assert encoders.search_encoders(model, weight, seed=5) == pytest.approx(value, rel=1e-7)


@each_model
def test_the_best_latent_of_a_pair_costs_what_the_metric_says(model: encoders.Model) -> None:
    """min_z |x − Wz|² + λ|z − z'|² = rᵀ M r pointwise: the step that covers every encoder."""
    rng = np.random.default_rng(1)
    d, p = model.decoder.shape
    for weight in WEIGHTS:
        x, prior = rng.standard_normal(d), rng.standard_normal(p)
        stacked = np.concatenate([model.decoder, np.sqrt(weight) * np.eye(p)])
        wanted = np.concatenate([x, np.sqrt(weight) * prior])
        least = ((wanted - stacked @ np.linalg.lstsq(stacked, wanted, rcond=None)[0]) ** 2).sum()
        r = x - model.decoder @ prior
        assert r @ model.metric(weight) @ r == pytest.approx(least, rel=1e-9)


@each_model
def test_the_value_is_error_and_penalty_of_one_encoder(model: encoders.Model) -> None:
    """J = reconstruction + λ · penalty, and the penalty is W2² of its latent law."""
    p = model.decoder.shape[1]
    for weight in WEIGHTS:
        found = encoders.penalised(model, weight)
        assert found.reconstruction + weight * found.penalty == pytest.approx(
            found.value, rel=1e-10
        )
        assert np.linalg.eigvalsh(found.latent).min() > -1e-10
        zero = np.zeros((1, p))
        apart = squared_w2(zero, found.latent[None], zero, np.eye(p)[None])[0, 0]
        assert found.penalty == pytest.approx(apart, abs=1e-10 * (1 + p))


@each_model
def test_the_penalised_value_rises_to_the_distance(model: encoders.Model) -> None:
    """From below, strictly, between the two bounds of the gap, as slope / λ in the end."""
    limit = encoders.squared_distance(model)
    weights = np.logspace(-3, 3, 13)
    values = np.array([encoders.penalised(model, weight).value for weight in weights])
    assert (np.diff(values) > 0).all()
    for weight, value in zip(weights, values, strict=True):
        least, most = encoders.gap_bounds(model, weight)
        assert least - 1e-9 * limit <= limit - value <= most + 1e-9 * limit
        assert most < limit
    far = 1e4 * model.norm
    gap = limit - encoders.penalised(model, far).value
    assert far * gap == pytest.approx(encoders.slope(model), rel=1e-3)
    assert far * encoders.gap_bounds(model, far)[0] == pytest.approx(far * gap, rel=1e-3)


@each_model
def test_without_penalty_it_is_a_plain_autoencoder(model: encoders.Model) -> None:
    """λ → 0 leaves the data's variance off the range of the decoder."""
    left, values, _ = np.linalg.svd(model.decoder, full_matrices=False)
    kept = left[:, values > 1e-9 * values[0]]
    lost = np.trace(model.covariance) - np.trace(kept.T @ model.covariance @ kept)
    assert encoders.penalised(model, 1e-8).value == pytest.approx(lost, abs=1e-5)


def test_a_model_that_fits_costs_nothing() -> None:
    """Σ = WWᵀ: no error and no penalty at any λ."""
    decoder = MODELS["p < d"].decoder
    model = encoders.Model(covariance=decoder @ decoder.T, decoder=decoder)
    for weight in WEIGHTS:
        assert abs(encoders.penalised(model, weight).value) < 1e-12
    assert abs(encoders.squared_distance(model)) < 1e-12


def test_the_study_says_what_its_table_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares rise to 1 in each example, gaps keep their bounds, slopes are near 1."""
    monkeypatch.setattr(pot, "SEARCHED", (1.0,))
    found = pot.study()
    table = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert {row["decoder"] for row in table} == {"narrow", "square", "wide", "singular"}
    for name in ("narrow", "square", "wide", "singular"):
        own = [row for row in table if row["decoder"] == name]
        assert (np.diff([row["share"] for row in own]) > 0).all()
        assert own[-1]["share"] == 1 == own[-1]["value"] / own[-1]["w2_squared"]
        assert all(row["gap_least"] - 1e-12 <= row["gap"] <= row["gap_most"] for row in own)
        for row in (one for one in own if one["searched"] is not None):
            assert row["searched"] == pytest.approx(row["value"], rel=1e-9)
    assert found.summary["worst_search"] < 1e-9
    assert all(0.99 < slope < 1 for slope in found.summary["slopes"])


@pytest.mark.parametrize("wrong", ["search_encoders", "search_couplings"])
def test_the_worst_of_all_searches_is_told(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """One that ends half as high again as the formula, with penalty or without."""

    def encoders_end(model: encoders.Model, weight: float, *, seed: int) -> float:
        return encoders.penalised(model, weight).value * (1.5 if wrong == "search_encoders" else 1)

    def couplings_end(model: encoders.Model, *, seed: int) -> float:
        return encoders.squared_distance(model) * (1.5 if wrong == "search_couplings" else 1)

    monkeypatch.setattr(pot, "search_encoders", encoders_end)
    monkeypatch.setattr(pot, "search_couplings", couplings_end)
    found = pot.study()
    assert found.summary["worst_search"] == pytest.approx(0.5, rel=1e-9)
    assert "end within 5e-01 of the formulas" in found.sentences[0]
