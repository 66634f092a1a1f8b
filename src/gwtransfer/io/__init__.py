"""Files to data and back: one module per format family."""
