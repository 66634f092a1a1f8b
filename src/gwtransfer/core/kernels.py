"""What is done to every pixel, as matrix products over blocks, for any array library.

A block holds a point a column, (p, N), so that what follows a product runs along memory. The
functions take the array API's namespace ``xp`` of their arrays first: numpy, or what an adapter
hands over for another device.
"""

from typing import Any

Namespace = Any
"""A module with the functions of the Python array API standard."""

Block = Any
"""An array of the namespace at hand."""

NEGLIGIBLE = 1e-17
"""A share below this adds nothing to sums of doubles."""


def feature_count(dimension: int) -> int:
    """Return F = p (p + 1) / 2 + p + 1, the rows of `quadratic_features`."""
    return dimension * (dimension + 1) // 2 + dimension + 1


def quadratic_features(xp: Namespace, block: Block) -> Block:
    """Return z_i z_j for i <= j, then z_i, then 1, of a block (p, N), as (F, N)."""
    p, n = block.shape
    features = xp.empty((feature_count(p), n), dtype=block.dtype, device=block.device)
    row = 0
    for i in range(p):
        features[row : row + p - i, :] = block[i:, :] * block[i, :]
        row += p - i
    features[row : row + p, :] = block
    features[row + p, :] = 1.0
    return features


def shares(xp: Namespace, logs: Block) -> tuple[Block, Block]:
    """Return exp(logs) (K, N) with columns made to sum to 1, and each column's log-sum-exp (N,).

    By the column's largest entry, so that a point far from all components has its nearest one.
    """
    most = xp.max(logs, axis=0)
    likely = xp.exp(logs - most)
    total = xp.sum(likely, axis=0)
    return likely / total, most + xp.log(total)


def expectation(
    xp: Namespace, block: Block, weights: Block, coefficients: Block
) -> tuple[Block, Block]:
    """Return the statistics (F, K) of a block (p, N) under a mixture, and Σ log density, ().

    Two matrix products: of the densities' coefficients (K, F) with the quadratic features, which
    is every log w_k N(z; m_k, S_k), and of the features with the shares.

    Parameters
    ----------
    weights : (N,) array
        How much each point counts.
    """
    features = quadratic_features(xp, block)
    likely, logs = shares(xp, coefficients @ features)
    likely *= weights
    return features @ likely.T, xp.sum(logs * weights)


def wide_expectation(  # noqa: PLR0917  the arrays in the order of the formula
    xp: Namespace, block: Block, weights: Block, whitening: Block, shift: Block, logs: Block
) -> tuple[Block, Block]:
    """Return what `expectation` does, (F, K) and (), without features, which many axes make long.

    Far apart as points are there, most shares are zero: a component's products are taken over the
    points it has more than NEGLIGIBLE of.
    """
    p = block.shape[0]
    likely, log = shares(xp, log_densities(xp, block, whitening, shift, logs))
    sums = xp.empty((feature_count(p), likely.shape[0]), dtype=block.dtype, device=block.device)
    for k in range(likely.shape[0]):
        here = likely[k, :] > NEGLIGIBLE
        own, share = block[:, here], likely[k, here] * weights[here]
        held = own * share
        products = held @ own.T
        row = 0
        for i in range(p):
            sums[row : row + p - i, k] = products[i, i:]
            row += p - i
        sums[row : row + p, k] = xp.sum(held, axis=1)
        sums[row + p, k] = xp.sum(share)
    return sums, xp.sum(log * weights)


def mean_images(  # noqa: PLR0917  the arrays in the order of the formula
    xp: Namespace,
    block: Block,
    whitening: Block,
    shift: Block,
    logs: Block,
    linear: Block,
    offset: Block,
) -> Block:
    """Return Σ_k r_k(z) (B_k z + c_k) of a block (p, N), (n, N) (MATHS 2.3).

    Parameters
    ----------
    whitening : (K p, p) array
        W_kᵀ of all components, one below the other.
    shift : (K p, 1) array
        W_kᵀ m_k.
    logs : (K, 1) array
        log w_k − ½ (p log 2π + log det S_k).
    linear, offset : (K n, p) and (K n, 1) arrays
        B_k and c_k, one below the other.
    """
    likely = responsibilities(xp, block, whitening, shift, logs)
    count, n = likely.shape
    pieces = linear @ block
    pieces += offset
    pieces = xp.reshape(pieces, (count, -1, n))
    pieces *= likely[:, None, :]
    return xp.sum(pieces, axis=0)


def responsibilities(
    xp: Namespace, block: Block, whitening: Block, shift: Block, logs: Block
) -> Block:
    """Return the probability (K, N) that each point of a block (p, N) came from each component.

    Parameters
    ----------
    whitening, shift, logs : as of `mean_images`
    """
    return shares(xp, log_densities(xp, block, whitening, shift, logs))[0]


def log_densities(
    xp: Namespace, block: Block, whitening: Block, shift: Block, logs: Block
) -> Block:
    """Return log w_k N(z; m_k, S_k) (K, N) of a block (p, N)."""
    white = whitening @ block
    white -= shift
    white *= white
    squares = xp.sum(xp.reshape(white, (logs.shape[0], -1, block.shape[1])), axis=1)
    squares *= -0.5
    squares += logs
    return squares
