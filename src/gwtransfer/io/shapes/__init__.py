"""Shapes: meshes and point clouds, in the numbering of their file."""
