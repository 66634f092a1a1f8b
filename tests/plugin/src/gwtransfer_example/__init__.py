"""Stages for gwtransfer, as an example of a plug-in."""
