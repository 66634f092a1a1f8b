"""torch as the study uses it: found, repeatable, and in small perceptrons."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import MissingError

Draw = Callable[[int], Any]
"""Returns so many rows of data as a tensor (n, d)."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long networks are trained, and how much is drawn from them.

    Attributes
    ----------
    steps : int
        Steps of the optimiser.
    batch : int
        Points a step.
    width : int
        Units of each of the two hidden layers.
    drawn : int
        Points drawn from a trained model.
    probed : int
        Points at which slopes are measured.
    """

    steps: int
    batch: int
    width: int
    drawn: int
    probed: int


def check_installed() -> None:
    """Refuse to train networks where torch is missing.

    Raises
    ------
    MissingError
        It cannot be imported.
    """
    try:
        with quiet("torch"):
            import torch  # noqa: F401
    except ImportError as error:
        raise MissingError(
            f"--generative trains networks with torch, which cannot be imported ({reason(error)}); "
            "install it with pip install 'gwtransfer[generative]', or leave --generative out"
        ) from error


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Make torch draw and compute the same on every run: seeded, on one thread, by fixed orders."""
    import torch

    threads, fixed = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    state = torch.get_rng_state()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(mode=fixed)
        torch.set_rng_state(state)


def perceptron(inputs: int, width: int, outputs: int) -> Any:
    """Return a network of two hidden layers, smooth everywhere."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, outputs),
    )


def steepest(mapping: Callable[[Any], Any], points: Any) -> Any:
    """Return |J|, the largest singular value of a map's derivative, at points (n, p), (n,)."""
    import torch

    jacobians = torch.func.vmap(torch.func.jacrev(lambda point: mapping(point[None])[0]))(points)
    return torch.linalg.matrix_norm(jacobians.detach(), ord=2)
