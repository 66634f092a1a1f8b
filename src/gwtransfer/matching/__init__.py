"""Which point of one shape is which of another: by spectral coordinates, in space, or rigidly."""
