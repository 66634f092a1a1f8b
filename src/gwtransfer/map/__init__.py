"""A transport plan becomes a map of points."""
