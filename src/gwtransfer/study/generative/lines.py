"""Networks on the line, with the targets of the study: ½ N(−μ, 1) + ½ N(μ, 1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.pushforward import a_priori_bound
from gwtransfer.imaging import Progress, silent
from gwtransfer.study.generative import adversarial, autoencoder, diffusion
from gwtransfer.study.generative.session import Draw, Effort, repeatable, steepest
from gwtransfer.study.law import Law
from gwtransfer.study.outcome import Kind, Outcome, wanted_between

Array = NDArray[np.float64]

MODES = (1.0, 2.0, 3.0, 4.0, 5.0)
"""μ of the targets."""

EFFORT = Effort(steps=5000, batch=512, width=64, drawn=50_000, probed=20_000)

LATENT = 4
"""Dimension of N(0, I) that the two push-forwards start from; one trains worse."""

KINDS: tuple[Kind, ...] = ("vae", "gan", "score")

WIDTH = 0.25
"""Of the bins by which drawn points are compared with their law."""

PROBED_STEPS = 500
"""Points at which the slopes of each step of a score model are measured."""

SEED = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """A network and what was drawn from it.

    Attributes
    ----------
    outcome : Outcome
    points : (n,) array
    """

    outcome: Outcome
    points: Array


def trained(kind: Kind, mode: float, effort: Effort = EFFORT) -> Trained:
    """Train one network and draw from it.

    Data are divided by their deviation for training, and slopes multiplied by it again.
    """
    import torch

    law, unit = Law.balanced(mode), float(np.sqrt(1 + mode**2))
    with repeatable(SEED):

        def draw(count: int) -> Any:
            signs = torch.randint(0, 2, (count, 1)) * 2 - 1
            return (signs * mode + torch.randn(count, 1)) / unit

        made, slope = _drawn(kind, draw, effort)
    points = np.asarray(made[:, 0].numpy(), dtype=np.float64) * unit
    slope *= 1 if kind == "score" else unit
    bound = None if kind == "score" else a_priori_bound(slope, law.cdf, *law.reach)
    return Trained(
        outcome=Outcome(
            mode=mode,
            map=kind,
            source="one",
            constant=None if kind == "score" else slope,
            slope=slope,
            distance=sampled_distance(points, law),
            bound=bound,
            between=float((np.abs(points) <= mode / 2).mean()),
            wanted=wanted_between(mode),
        ),
        points=points,
    )


def _drawn(kind: Kind, draw: Draw, effort: Effort) -> tuple[Any, float]:
    """Return points of a newly trained network, and its largest slope."""
    import torch

    if kind == "score":
        model = diffusion.train(draw, 1, effort)
        return model.made(effort.drawn, 1), model.steepest(draw(PROBED_STEPS))
    family = autoencoder if kind == "vae" else adversarial
    network = family.train(draw, 1, LATENT, effort)
    hidden = torch.randn(effort.drawn, LATENT)
    return network(hidden), float(steepest(network, hidden[: effort.probed]).max())


def sampled_distance(points: Array, law: Law) -> float:
    """Return the total variation between points and a law, by their shares in bins."""
    low, high = law.reach
    edges = np.arange(np.floor(low), np.ceil(high) + WIDTH / 2, WIDTH)
    counted = np.searchsorted(np.sort(points), edges) / len(points)
    apart = np.concatenate([[0.0], counted - law.cdf(edges), [0.0]])
    return float(np.abs(np.diff(apart)).sum() / 2)


def floor(mode: float, count: int) -> float:
    """Return the distance that so many points of the target itself have by the same bins."""
    rng = np.random.default_rng(SEED)
    points = rng.choice([-mode, mode], count) + rng.standard_normal(count)
    return sampled_distance(points, Law.balanced(mode))


def study(
    *, modes: tuple[float, ...] = MODES, effort: Effort = EFFORT, progress: Progress = silent
) -> list[Trained]:
    """Train every kind of network for every target."""
    jobs = [(kind, mode) for kind in KINDS for mode in modes]
    made = []
    for number, (kind, mode) in enumerate(jobs):
        progress(f"{kind}, μ = {mode:g}", number, len(jobs))
        made.append(trained(kind, mode, effort))
    return made
