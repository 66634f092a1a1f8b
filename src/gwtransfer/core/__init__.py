"""Mathematics on arrays and value types: no files, no printing, no registry."""
