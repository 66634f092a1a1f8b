"""What is done to every pixel, as matrix products over blocks, for any array library.

A block holds a point a column, (p, N), so that what follows a product runs along memory; "with
ones" it has a last row of ones, (p + 1, N), which brings the constants into the product. The
functions take the array API's namespace ``xp`` of their arrays first: numpy, or what an adapter
hands over for another device.
"""

from typing import Any

Namespace = Any
"""A module with the functions of the Python array API standard."""

Block = Any
"""An array of the namespace at hand."""

NEGLIGIBLE = 1e-17
"""A share below this is lost beside a point of its own component in doubles."""


def feature_count(dimension: int) -> int:
    """Return F = p (p + 1) / 2 + p + 1, the rows of `quadratic_features`."""
    return dimension * (dimension + 1) // 2 + dimension + 1


def quadratic_features(xp: Namespace, block: Block) -> Block:
    """Return z_i z_j for i <= j, then z_i, then 1, of a block with ones (p + 1, N), as (F, N)."""
    p, n = block.shape[0] - 1, block.shape[1]
    features = xp.empty((feature_count(p), n), dtype=block.dtype, device=block.device)
    row = 0
    for i in range(p):
        features[row : row + p - i, :] = block[i:p, :] * block[i, :]
        row += p - i
    features[row:, :] = block
    return features


def expectation(
    xp: Namespace, block: Block, weights: Block, coefficients: Block
) -> tuple[Block, Block]:
    """Return the statistics (F, K) of a block with ones under a mixture, and Σ log density, ().

    Two matrix products: of the densities' coefficients (K, F) with the quadratic features, which
    is every log w_k N(z; m_k, S_k), and of the features with the shares.

    Parameters
    ----------
    weights : (N,) array
        How much each point counts.
    """
    features = quadratic_features(xp, block)
    likely, total, logs = likelihoods(xp, coefficients @ features)
    likely *= weights / total
    return features @ likely.T, xp.sum(logs * weights)


def wide_expectation(
    xp: Namespace, block: Block, weights: Block, whitening: Block, logs: Block
) -> tuple[Block, Block]:
    """Return what `expectation` does, (F, K) and (), without features, which many axes make long.

    Far apart as points are there, most shares are zero: a component's products are taken over the
    points it has more than NEGLIGIBLE of.
    """
    likely, total, log = likelihoods(xp, log_densities(xp, block, whitening, logs))
    likely /= total
    size = (feature_count(block.shape[0] - 1), likely.shape[0])
    sums = xp.empty(size, dtype=block.dtype, device=block.device)
    for k in range(likely.shape[0]):
        here = xp.nonzero(likely[k, :] > NEGLIGIBLE)[0]
        own = xp.take(block, here, axis=1)
        shares = xp.take(likely[k, :], here) * xp.take(weights, here)
        sums[:, k] = upper_half(xp, (own * shares) @ own.T)
    return sums, xp.sum(log * weights)


def upper_half(xp: Namespace, products: Block) -> Block:
    """Return Σ of the quadratic features (F,), read off Σ (z, 1) (z, 1)ᵀ, (p + 1, p + 1)."""
    p = products.shape[0] - 1
    return xp.concat([*(products[i, i:p] for i in range(p)), products[p, :]])


def mean_images(xp: Namespace, block: Block, whitening: Block, logs: Block, linear: Block) -> Block:
    """Return Σ_k r_k(z) (B_k z + c_k) of a block with ones (p + 1, N), as (n, N) (MATHS 2.3).

    Parameters
    ----------
    whitening : (K p, p + 1) array
        [W_kᵀ, −W_kᵀ m_k] of all components, one below the other.
    logs : (K, 1) array
        log w_k − ½ (p log 2π + log det S_k).
    linear : (K n, p + 1) array
        [B_k, c_k], one below the other.
    """
    likely, total, _ = likelihoods(xp, log_densities(xp, block, whitening, logs))
    count, n = likely.shape
    pieces = xp.reshape(linear @ block, (count, linear.shape[0] // count, n))
    pieces *= likely[:, None, :]
    images = xp.sum(pieces, axis=0)
    images /= total
    return images


def log_densities(xp: Namespace, block: Block, whitening: Block, logs: Block) -> Block:
    """Return log w_k N(z; m_k, S_k) (K, N) of a block with ones (p + 1, N)."""
    white = whitening @ block
    white *= white
    count, p = logs.shape[0], block.shape[0] - 1
    squares = xp.sum(xp.reshape(white, (count, p, block.shape[1])), axis=1)
    squares *= -0.5
    squares += logs
    return squares


def likelihoods(xp: Namespace, logs: Block) -> tuple[Block, Block, Block]:
    """Return likelihoods (K, N) in units of each column's largest, their sums, their logs (N,).

    A point far from every component has the least far one, not nothing.
    """
    most = xp.max(logs, axis=0)
    likely = xp.exp(logs - most)
    total = xp.sum(likely, axis=0)
    return likely, total, most + xp.log(total)
