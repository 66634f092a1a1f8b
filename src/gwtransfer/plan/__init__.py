"""Two mixtures become a transport plan."""
