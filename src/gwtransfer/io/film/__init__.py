"""Films: frames decoded as they are read, encoded as they are computed."""
