"""A small score model: points are made of noise in many steps, each with fresh noise."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from gwtransfer.study.generative.session import Draw, Effort, perceptron, steepest

STEPS = 100
"""From noise to a point."""

FREQUENCIES = 8
"""Waves by which the network is told the time."""

RATE = 2e-3
"""Of Adam, at the start; it falls to nothing along a cosine."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Denoiser:
    """A network that tells the noise in a point, and the shares of signal in STEPS steps.

    Attributes
    ----------
    network : module
        Takes points with the waves of their time.
    kept : (STEPS + 1,) tensor
        Share of the variance that is signal after t steps, falling from 1.
    most : float or None
        What no value of the data exceeds, and so none that is guessed of them on the way.
    """

    network: Any
    kept: Any
    most: float | None

    def noise(self, points: Any, times: Any) -> Any:
        """Return the noise in points (n, d) at times (n,) of int from 1."""
        import torch

        share = times[:, None] / STEPS
        angles = torch.pi * share * torch.arange(1, FREQUENCIES + 1)
        return self.network(torch.cat([points, torch.sin(angles), torch.cos(angles)], dim=1))

    def mean(self, points: Any, time: int) -> Any:
        """Return the mean of the step from ``time`` to the time before, a map of points (n, d)."""
        import torch

        after, before = self.kept[time], self.kept[time - 1]
        noise = self.noise(points, torch.full((len(points),), time))
        clean = (points - torch.sqrt(1 - after) * noise) / torch.sqrt(after)
        if self.most is not None:
            clean = clean.clamp(-self.most, self.most)
        kept = after / before
        share = torch.sqrt(before) * (1 - kept) / (1 - after)
        return share * clean + torch.sqrt(kept) * (1 - before) / (1 - after) * points

    def made(self, count: int, dimension: int) -> Any:
        """Return points (count, dimension) made of noise by STEPS random steps."""
        import torch

        with torch.no_grad():
            points = torch.randn(count, dimension)
            for time in range(STEPS, 0, -1):
                kept = self.kept[time] / self.kept[time - 1]
                fresh = (1 - kept) * (1 - self.kept[time - 1]) / (1 - self.kept[time])
                points = self.mean(points, time)
                if time > 1:
                    points = points + torch.sqrt(fresh) * torch.randn_like(points)
            return points

    def steepest(self, data: Any) -> float:
        """Return the largest slope of any step's mean, over data noised to the step's time."""
        import torch

        found = []
        for time in range(STEPS, 0, -1):
            kept = self.kept[time]
            noised = torch.sqrt(kept) * data + torch.sqrt(1 - kept) * torch.randn_like(data)
            slopes = steepest(partial(self.mean, time=time), noised)
            found.append(float(slopes.max()))
        return max(found)


def train(draw: Draw, dimension: int, effort: Effort, *, most: float | None = None) -> Denoiser:
    """Return a denoiser of data of so many dimensions, within −most … most if they have a limit."""
    import torch

    times = torch.arange(STEPS + 1) / STEPS
    kept = torch.cos((times + 0.008) / 1.008 * torch.pi / 2) ** 2
    kept = torch.clamp(kept / kept[0], min=1e-4)
    network = perceptron(dimension + 2 * FREQUENCIES, effort.width, dimension)
    model = Denoiser(network=network, kept=kept, most=most)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, effort.steps)
    for _ in range(effort.steps):
        points = draw(effort.batch)
        noise = torch.randn_like(points)
        chosen = torch.randint(1, STEPS + 1, (effort.batch,))
        share = kept[chosen][:, None]
        noised = torch.sqrt(share) * points + torch.sqrt(1 - share) * noise
        loss = ((model.noise(noised, chosen) - noise) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval().requires_grad_(requires_grad=False)
    return model
