"""Coloured shapes written as binary PLY, which every viewer opens."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gwtransfer.errors import ShapeError


def write_ply(path: Path, vertices: ArrayLike, faces: ArrayLike | None, colors: ArrayLike) -> None:
    """Write exact doubles and colours of 8 bits, in the order given.

    Parameters
    ----------
    path : Path
        Replaced where it exists.
    vertices : (n, 3) array
    faces : (f, 3) array of int, or None for a cloud
    colors : (n, 3) array
        Red, green and blue in [0, 1].

    Raises
    ------
    ShapeError
        Arrays that do not fit one another.
    OSError
        The system refuses to write.
    """
    points = np.asarray(vertices, dtype=np.float64)
    paint = np.asarray(colors, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise ShapeError(f"expected finite (n, 3) points, got {points.shape}")
    if paint.shape != points.shape or not ((paint >= 0) & (paint <= 1)).all():
        raise ShapeError(f"expected {points.shape} colours in [0, 1], got {paint.shape}")
    vertex = np.empty(len(points), dtype=[("place", "<f8", 3), ("colour", "u1", 3)])
    vertex["place"], vertex["colour"] = points, np.floor(paint * 255 + 0.5)
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    lines += [f"property double {axis}" for axis in "xyz"]
    lines += [f"property uchar {colour}" for colour in ("red", "green", "blue")]
    parts = [vertex.tobytes()]
    if faces is not None:
        corners = np.asarray(faces)
        if corners.ndim != 2 or corners.shape[1] != 3:
            raise ShapeError(f"expected (f, 3) faces, got {corners.shape}")
        if corners.size and not 0 <= corners.min() <= corners.max() < len(points):
            raise ShapeError(f"expected faces among points 0 … {len(points) - 1}, got others")
        face = np.empty(len(corners), dtype=[("count", "u1"), ("corners", "<i4", 3)])
        face["count"], face["corners"] = 3, corners
        lines += [f"element face {len(corners)}", "property list uchar int vertex_indices"]
        parts.append(face.tobytes())
    header = "\n".join([*lines, "end_header\n"]).encode()
    path.write_bytes(b"".join([header, *parts]))
