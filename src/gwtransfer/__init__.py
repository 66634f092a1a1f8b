"""Colours and correspondences between spaces of different dimension, by mixture transport."""

__version__ = "0.1.0"
