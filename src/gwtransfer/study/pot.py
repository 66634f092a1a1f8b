"""Examples of penalised optimal transport: data in four dimensions and decoders of each kind."""

import numpy as np

from gwtransfer.adapters import curves
from gwtransfer.study.encoders import (
    Model,
    gap_bounds,
    penalised,
    search_couplings,
    search_encoders,
    slope,
    squared_distance,
)
from gwtransfer.study.output import Cell, Findings

DIMENSION = 4
"""d of the examples."""

WEIGHTS = np.logspace(-2, 4, 25)
"""λ of the examples, whose decoders have norm 1."""

SEARCHED = (0.1, 1.0, 10.0, 100.0)
"""λ at which encoders are searched as well."""

COLUMNS = (
    "decoder", "latent", "lambda", "value", "w2_squared", "share", "gap", "gap_least", "gap_most",
    "reconstruction", "penalty", "searched",
)  # fmt: skip


def examples() -> dict[str, Model]:
    """Return data in four dimensions with decoders of each kind, of norm 1."""
    rng = np.random.default_rng(0)
    d = DIMENSION

    def model(latent: int, *, lost: int = 0) -> Model:
        spread = rng.standard_normal((d, d - lost)) / np.sqrt(d)
        decoder = rng.standard_normal((d, latent))
        left, values, right = np.linalg.svd(decoder, full_matrices=False)
        values[len(values) - lost :] = 0.0
        decoder = (left * values / values[0]) @ right
        return Model(covariance=spread @ spread.T, decoder=decoder)

    return {"narrow": model(2), "square": model(d), "wide": model(6), "singular": model(d, lost=1)}


def study() -> Findings:
    """Return what the examples show."""
    models = examples()
    rows: list[tuple[Cell, ...]] = []
    worst, first, last = 0.0, [], []
    for name, model in models.items():
        limit, latent = squared_distance(model), model.decoder.shape[1]
        for weight in WEIGHTS.tolist():
            found = penalised(model, weight)
            searched = None
            if np.isclose(weight, SEARCHED).any():
                searched = search_encoders(model, weight, seed=1)
                worst = max(worst, abs(searched / found.value - 1))
            rows.append(
                (name, latent, weight, found.value, limit, found.value / limit,
                 limit - found.value, *gap_bounds(model, weight), found.reconstruction,
                 found.penalty, searched)
            )  # fmt: skip
        least = search_couplings(model, seed=1)
        worst = max(worst, abs(least / limit - 1))
        rows.append(
            (name, latent, float("inf"), limit, limit, 1.0, 0.0, 0.0, 0.0, limit, 0.0, least)
        )
        first.append(penalised(model, WEIGHTS[0]).value / limit)
        last.append(penalised(model, WEIGHTS[-1]).value / limit)
    slopes = [_fall(model) for model in models.values()]
    return Findings(
        title="Penalised optimal transport on Gaussian data with a linear decoder",
        sentences=(
            "The least error of an encoder whose latent law is exactly the prior is W2² of data "
            "and model. That is proved for every encoder, Gaussian or not, and found again by "
            f"searches that know no formula: {len(models) * (len(SEARCHED) + 1)} of them, with and "
            f"without penalty, end within {worst:.0e} of the formulas.",
            "With a penalty λ in the place of that constraint the least objective lies below W2² "
            f"and rises to it with λ: from {min(first):.1%} to {max(first):.1%} of it at "
            f"λ = {WEIGHTS[0]:g} to at least {min(last):.4%} at λ = {WEIGHTS[-1]:g}. The decoders "
            "have norm 1.",
            "The gap falls as 1/λ: between λ = 100 and 10000 its logarithm falls by "
            f"{min(slopes):.4f} to {max(slopes):.4f} a unit of log λ. Everywhere it lies between "
            "two bounds, gap_least and gap_most in the table.",
        ),
        columns=COLUMNS,
        rows=tuple(rows),
        figures={"plot": _drawn(models)},
        summary={"worst_search": worst, "slopes": slopes, "least_share": min(first)},
    )


def _fall(model: Model) -> float:
    """Return by how much the gap's logarithm falls a unit of log λ, from 100 to 10000."""
    limit = squared_distance(model)
    near, far = (limit - penalised(model, weight).value for weight in (100.0, 10_000.0))
    return float(np.log(near / far) / np.log(100.0))


def _drawn(models: dict[str, Model]) -> curves.Figure:
    values, gaps = [], []
    for number, (name, model) in enumerate(models.items()):
        limit = squared_distance(model)
        shares = np.array([penalised(model, weight).value for weight in WEIGHTS]) / limit
        values.append(curves.Series(label=f"{name} decoder", x=WEIGHTS, y=shares, colour=number))
        gaps.append(curves.Series(label=f"{name} decoder", x=WEIGHTS, y=1 - shares, colour=number))
        gaps.append(
            curves.Series(
                label="", x=WEIGHTS, y=slope(model) / limit / WEIGHTS, style="dotted", colour=number
            )
        )
    values.append(
        curves.Series(
            label="at least", x=WEIGHTS, y=WEIGHTS / (1 + WEIGHTS), style="dashed", colour=6
        )
    )
    gaps.append(
        curves.Series(label="at most", x=WEIGHTS, y=1 / (1 + WEIGHTS), style="dashed", colour=6)
    )
    across = "λ, the weight of the penalty"
    return curves.Figure(
        panels=(
            curves.Panel(
                series=tuple(values),
                title="The penalised objective rises to W2²",
                across=across,
                up="objective / W2²",
                log_across=True,
            ),
            curves.Panel(
                series=tuple(gaps),
                title="The gap falls as 1/λ (dotted)",
                across=across,
                up="1 − objective / W2²",
                log_across=True,
                log_up=True,
            ),
        )
    )
