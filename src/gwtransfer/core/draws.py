"""Random numbers that belong to a place, not to the order in which places are visited."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def uniforms(seed: int, stream: int, index: NDArray[np.int64]) -> Array:
    """Return a uniform draw in [0, 1) for each place, the same whatever the neighbours.

    Philox is a counter generator: place i is draw i of the stream, and a block jumps to its first.

    Parameters
    ----------
    seed, stream : int
    index : (N,) increasing array of int >= 0
    """
    first, last = int(index[0]), int(index[-1])
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    generator.advance(first // 4)
    draws = np.random.Generator(generator).random(last - first // 4 * 4 + 1)
    draws = draws[first % 4 :]
    return draws if len(draws) == len(index) else np.asarray(draws[index - first])
