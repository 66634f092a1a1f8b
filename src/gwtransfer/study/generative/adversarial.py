"""A small generative adversarial network, whose generator is a push-forward of N(0, I)."""

from copy import deepcopy
from typing import Any

from gwtransfer.study.generative.session import Draw, Effort, perceptron

RATE = 1e-3
"""Of Adam, at the start; it falls to nothing along a cosine."""

PENALTY = 5.0
"""Of the critic's squared slope at data, which keeps it from running ahead."""

MEMORY = 0.998
"""Share of the averaged generator that a step keeps, late in training; less at the start."""


def train(draw: Draw, dimension: int, latent: int, effort: Effort) -> Any:
    """Return a generator, averaged over training: N(0, I) (n, latent) to points (n, dimension)."""
    import torch
    from torch.nn.functional import softplus

    generator = perceptron(latent, effort.width, dimension)
    critic = perceptron(dimension, effort.width, 1)
    averaged = deepcopy(generator).requires_grad_(requires_grad=False)
    movers = [
        torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.5, 0.99))
        for network in (critic, generator)
    ]
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(one, effort.steps) for one in movers]
    for step in range(effort.steps):
        points = draw(effort.batch).requires_grad_()
        made = generator(torch.randn(effort.batch, latent))
        judged = critic(points)
        (slopes,) = torch.autograd.grad(judged.sum(), points, create_graph=True)
        penalty = PENALTY / 2 * (slopes**2).sum(dim=1).mean()
        loss = softplus(-judged).mean() + softplus(critic(made.detach())).mean() + penalty
        movers[0].zero_grad()
        loss.backward()
        movers[0].step()
        loss = softplus(-critic(made)).mean()
        movers[1].zero_grad()
        loss.backward()
        movers[1].step()
        for schedule in schedules:
            schedule.step()
        memory = min(MEMORY, (1 + step) / (10 + step))
        for kept, current in zip(averaged.parameters(), generator.parameters(), strict=True):
            kept.lerp_(current.detach(), 1 - memory)
    return averaged.eval()
