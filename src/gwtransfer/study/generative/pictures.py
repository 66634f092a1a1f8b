"""Networks on pictures with two modes: handwritten threes and sevens of 8 × 8 pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.gaussian import squared_distances
from gwtransfer.core.pushforward import forced_mass, total_variation_bound
from gwtransfer.fit.digits import SIDE, digits
from gwtransfer.imaging import Progress, silent
from gwtransfer.study.generative import adversarial, autoencoder, diffusion
from gwtransfer.study.generative.lines import KINDS
from gwtransfer.study.generative.session import Draw, Effort, repeatable, steepest
from gwtransfer.study.outcome import Kind, Outcome

Array = NDArray[np.float64]

FIRST, SECOND = 3, 7
"""The digits."""

EFFORTS: dict[Kind, Effort] = {
    "vae": Effort(steps=4000, batch=128, width=128, drawn=2000, probed=300),
    "gan": Effort(steps=4000, batch=128, width=128, drawn=2000, probed=300),
    "score": Effort(steps=8000, batch=256, width=256, drawn=2000, probed=20),
}

LATENT = 8
"""Dimension of N(0, I) that the two push-forwards start from."""

SEED = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Axis:
    """The line through the two classes' mean pictures, 0 midway.

    Attributes
    ----------
    middle, direction : (d,) arrays
        Of length 1 is the direction, from the first class to the second.
    half : float
        Half the distance of the means.
    """

    middle: Array
    direction: Array
    half: float

    @classmethod
    def between(cls, first: Array, second: Array) -> "Axis":
        """Return the axis of two classes' pictures (n, d)."""
        ends = first.mean(axis=0), second.mean(axis=0)
        apart = float(np.linalg.norm(ends[1] - ends[0]))
        return cls(
            middle=(ends[0] + ends[1]) / 2, direction=(ends[1] - ends[0]) / apart, half=apart / 2
        )

    def places(self, pictures: Array) -> Array:
        """Return where pictures (n, d) lie along the line, (n,)."""
        return np.asarray((pictures - self.middle) @ self.direction)

    @property
    def slab(self) -> float:
        """Half the width of the middle third between the means."""
        return self.half / 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawn:
    """Pictures a network made.

    Attributes
    ----------
    outcome : Outcome
    pictures : (n, d) array
        Ink from 0 to 1, as the network has it.
    places : (n,) array
        Along the axis of the data.
    nearest : (n,) array
        Distance to the nearest picture of the data.
    """

    outcome: Outcome
    pictures: Array
    places: Array
    nearest: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Data:
    """The pictures that networks learn from.

    Attributes
    ----------
    pictures : (n, d) array
    axis : Axis
    """

    pictures: Array
    axis: Axis

    @classmethod
    def of_digits(cls) -> "Data":
        """Return scikit-learn's threes and sevens."""
        pictures, labels = digits(FIRST, SECOND)
        axis = Axis.between(pictures[labels == FIRST], pictures[labels == SECOND])
        return cls(pictures=pictures, axis=axis)

    @property
    def places(self) -> Array:
        """Where the pictures lie along the axis."""
        return self.axis.places(self.pictures)

    @property
    def between(self) -> float:
        """Share of the pictures in the middle third between the classes."""
        return float((np.abs(self.places) <= self.axis.slab).mean())

    @property
    def nearest(self) -> Array:
        """Distance of each picture to its nearest other, (n,)."""
        squares = squared_distances(self.pictures, self.pictures)
        np.fill_diagonal(squares, np.inf)
        return np.asarray(np.sqrt(squares.min(axis=1)))


def drawn(kind: Kind, data: Data, effort: Effort) -> Drawn:
    """Train one network on pictures and draw from it."""
    import torch

    with repeatable(SEED):
        shown = torch.tensor(2 * data.pictures - 1, dtype=torch.float32)

        def draw(count: int) -> Any:
            return shown[torch.randint(0, len(shown), (count,))]

        made, slope = _made(kind, draw, effort)
    pictures = (np.asarray(made.numpy(), dtype=np.float64) + 1) / 2
    places, axis = data.axis.places(pictures), data.axis
    between = float((np.abs(places) <= axis.slab).mean())
    bound = None
    if kind != "score":
        slope /= 2  # pictures from −1 to 1 in training
        below = float((places < -axis.slab).mean())
        forced = forced_mass(2 * axis.slab, slope, below)
        bound = float(total_variation_bound(forced, data.between))
    return Drawn(
        outcome=Outcome(
            target="digits",
            mode=axis.half,
            map=kind,
            source="one",
            constant=None if kind == "score" else slope,
            slope=slope,
            distance=abs(between - data.between),
            bound=bound,
            between=between,
            wanted=data.between,
        ),
        pictures=pictures,
        places=places,
        nearest=np.sqrt(squared_distances(pictures, data.pictures).min(axis=1)),
    )


def _made(kind: Kind, draw: Draw, effort: Effort) -> tuple[Any, float]:
    """Return pictures of a newly trained network, and its largest slope."""
    import torch

    dimension = SIDE**2
    if kind == "score":
        model = diffusion.train(draw, dimension, effort, most=1.0)
        return model.made(effort.drawn, dimension), model.steepest(draw(effort.probed))
    family = autoencoder if kind == "vae" else adversarial
    network = family.train(draw, dimension, LATENT, effort)
    hidden = torch.randn(effort.drawn, LATENT)
    return network(hidden), float(steepest(network, hidden[: effort.probed]).max())


def study(
    data: Data,
    *,
    efforts: dict[Kind, Effort] | None = None,
    progress: Progress = silent,
) -> list[Drawn]:
    """Train every kind of network on the pictures."""
    made = []
    for number, kind in enumerate(KINDS):
        progress(f"{kind}, digits", number, len(KINDS))
        made.append(drawn(kind, data, (efforts or EFFORTS)[kind]))
    return made


def sheet(pictures: Array, *, across: int) -> Array:
    """Return the first pictures on one square sheet, a gray line between them, (s, s, 3)."""
    side = SIDE + 1
    page = np.full((across * side + 1, across * side + 1), 0.35)
    for number, picture in enumerate(pictures[: across**2]):
        row, column = divmod(number, across)
        top, left = row * side + 1, column * side + 1
        page[top : top + SIDE, left : left + SIDE] = picture.reshape(SIDE, SIDE)
    return np.repeat(np.clip(page, 0.0, 1.0)[:, :, None], 3, axis=2)
