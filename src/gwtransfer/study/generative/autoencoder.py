"""A small variational autoencoder, whose decoder is a push-forward of N(0, I)."""

from typing import Any

from gwtransfer.study.generative.session import Draw, Effort, perceptron

DEVIATION = 0.1
"""Of the noise the decoder is trained with; the decoder alone makes points."""

RATE = 2e-3
"""Of Adam, at the start; it falls to nothing along a cosine."""


def train(draw: Draw, dimension: int, latent: int, effort: Effort) -> Any:
    """Return a decoder: points of N(0, I) (n, latent) to points (n, dimension)."""
    import torch

    encoder = perceptron(dimension, effort.width, 2 * latent)
    decoder = perceptron(latent, effort.width, dimension)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, effort.steps)
    for _ in range(effort.steps):
        points = draw(effort.batch)
        mean, log_variance = encoder(points).chunk(2, dim=1)
        hidden = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        error = ((points - decoder(hidden)) ** 2).sum(dim=1) / (2 * DEVIATION**2)
        divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2
        loss = (error + divergence).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return decoder.eval().requires_grad_(requires_grad=False)
