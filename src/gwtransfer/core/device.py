"""What carries out block kernels: this processor by numpy, or what an adapter makes of another."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.kernels import Block

Floats = NDArray[np.floating]


class Device(Protocol):
    """Holds arrays of its own and runs kernels on them, for several threads at once."""

    @property
    def enlarged(self) -> int:
        """How many times larger its blocks are than those that suit a processor's cache."""
        ...

    def put(self, values: Floats) -> Block:
        """Return its array of some values, of their shape and precision."""
        ...

    def run(self, kernel: Callable[..., Any], *blocks: Block) -> Any:
        """Return what a function of `kernels` makes of its arrays, as arrays of numpy."""
        ...


class Host:
    """The processor this program runs on."""

    enlarged = 1

    def put(self, values: Floats) -> Floats:
        """Return the values themselves."""
        return values

    def run(self, kernel: Callable[..., Any], *blocks: Floats) -> Any:
        """Return what the kernel does."""
        return kernel(np, *blocks)


HOST = Host()
