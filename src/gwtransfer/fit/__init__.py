"""Points become Gaussian mixtures."""
