"""Cubes whose bands are image files."""
