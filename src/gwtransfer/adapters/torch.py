"""Block kernels on a GPU by PyTorch; the only importer of torch and array_api_compat."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.device import HOST, Device
from gwtransfer.core.kernels import Block
from gwtransfer.errors import DataError, MissingError

Floats = NDArray[np.floating]

Name = Literal["cpu", "cuda"]
"""What a user calls a device."""

ENLARGED = 32
"""Blocks of a GPU hold so many times the values: some 70 megabytes of single floats."""


@dataclass(frozen=True)
class Torch:
    """A device of PyTorch.

    Attributes
    ----------
    name : str
        "cuda", or "cpu", which is slower than numpy and there to be compared with it.
    """

    name: str

    @property
    def enlarged(self) -> int:
        """How many times larger its blocks are than those that suit a processor's cache."""
        return 1 if self.name == "cpu" else ENLARGED

    def put(self, values: Floats) -> Block:
        """Return a tensor of some values.

        Raises
        ------
        DataError
            The device has no room for it, or fails.
        """
        import torch

        with _failures():
            return torch.tensor(values, device=self.name)

    def run(self, kernel: Callable[..., Any], *blocks: Block) -> Any:
        """Return what a function of `core.kernels` makes of tensors, as arrays of numpy.

        Raises
        ------
        DataError
            The device has no room for it, or fails.
        """
        import torch
        from array_api_compat import torch as xp

        with _failures(), torch.inference_mode():
            made = kernel(xp, *blocks)
            if isinstance(made, tuple):
                return tuple(part.cpu().numpy() for part in made)
            return made.cpu().numpy()


@contextmanager
def _failures() -> Iterator[None]:
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DataError("the GPU's memory is full; free it, or leave out --device") from error
    except RuntimeError as error:
        raise DataError(f"the GPU failed ({reason(error)}); leave out --device") from error


def device(name: Name) -> Device:
    """Return the device a user means; "cpu" is numpy and imports nothing.

    Raises
    ------
    MissingError
        PyTorch or array-api-compat is not installed, or finds no GPU.
    """
    if name == "cpu":
        return HOST
    try:
        with quiet():
            import array_api_compat.torch  # noqa: F401
            import torch

            found = torch.cuda.is_available()
    except (ImportError, OSError) as error:
        raise MissingError(
            f"--device cuda needs PyTorch and array-api-compat ({reason(error)}); "
            "pip install 'gwtransfer[gpu]'"
        ) from error
    if not found:
        lacks = "finds no NVIDIA GPU it can use" if torch.version.cuda else "is built without CUDA"
        raise MissingError(
            f"--device cuda: PyTorch {torch.__version__} {lacks}; install a driver and a PyTorch "
            "with CUDA, or leave out --device"
        )
    return Torch("cuda")
