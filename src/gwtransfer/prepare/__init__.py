"""Rasters and clouds become points in a working space."""
