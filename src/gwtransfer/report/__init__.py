"""Results as single pages that a browser opens without a network."""
