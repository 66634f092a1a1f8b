"""Three made-up bodies, two poses each, as meshes: what the tutorial compares and matches."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VERTICES = 1200
"""Vertices of each body."""

BODIES = {
    "starfish": (
        (0, 1.00, 0.00, 1.00, 14),
        (72, 1.00, 0.00, 1.20, 14),
        (144, 1.00, 0.00, 1.40, 14),
        (216, 1.00, 0.00, 1.70, 14),
        (288, 1.00, 0.00, 2.00, 14),
        (30, 0.30, 1.00, 0.40, 8),
    ),
    "caltrop": (
        (0, 0.00, 1.00, 1.90, 10),
        (0, 0.94, -0.33, 1.50, 10),
        (120, 0.94, -0.33, 1.15, 10),
        (240, 0.94, -0.33, 0.85, 10),
    ),
    "pear": (
        (0, 0.00, 1.00, 1.30, 4),
        (0, 0.00, -1.00, 0.70, 1.5),
        (60, 1.00, 0.25, 0.50, 20),
    ),
}
"""Arms of each body: degrees around its axis, shares across and along it, length, sharpness."""

BENDS = {"starfish": 0.55, "caltrop": 0.6, "pear": 0.7}
"""How far the second pose turns the tips of the arms, in radians."""


def directions(arms: tuple[tuple[float, ...], ...]) -> Array:
    """Return the unit directions (n, 3) of the arms."""
    turn, across, along = np.array([arm[:3] for arm in arms]).T
    turn = np.radians(turn)
    raw = np.column_stack([across * np.cos(turn), across * np.sin(turn), along])
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True))


def sphere(count: int) -> tuple[Array, NDArray[np.int64]]:
    """Return points (n, 3) spread evenly over the unit sphere, and its triangles (f, 3)."""
    from scipy.spatial import ConvexHull

    place = np.arange(count) + 0.5
    height, turn = 1 - 2 * place / count, place * np.pi * (3 - 5**0.5)
    across = np.sqrt(1 - height**2)
    points = np.column_stack([across * np.cos(turn), across * np.sin(turn), height])
    faces = np.asarray(ConvexHull(points).simplices, dtype=np.int64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    first = np.argmin(faces, axis=1)
    faces = np.array([np.roll(face, -k) for face, k in zip(faces, first, strict=True)])
    return points, faces[np.lexsort(faces.T[::-1])]


def body(name: str, pose: int) -> tuple[Array, NDArray[np.int64]]:
    """Return vertices (n, 3) and faces (f, 3) of a body; pose 2 has its arms bent."""
    arms = BODIES[name]
    points, faces = sphere(VERTICES)
    toward = directions(arms)
    nearness = points @ toward.T
    length, sharpness = np.array([arm[3:] for arm in arms]).T
    reach = length * np.exp(sharpness * (nearness - 1))
    radius = 0.5 + reach.sum(axis=1)
    vertices = points * radius[:, None]
    if pose == 2:
        share = reach / radius[:, None]
        for arm, direction in enumerate(toward):
            axis = np.cross(direction, np.roll(direction, 1) + np.array([0.3, -0.2, 0.5]))
            axis /= np.linalg.norm(axis)
            angle = BENDS[name] * (-1) ** arm * (share[:, arm] ** 2)[:, None]
            # Rodrigues: each point is turned about the axis by its own angle.
            along = (vertices @ axis)[:, None] * axis
            vertices = (
                along
                + (vertices - along) * np.cos(angle)
                + np.cross(axis, vertices) * np.sin(angle)
            )
    return vertices, faces


def write(folder: Path) -> list[Path]:
    """Write every body in both poses as OFF, a folder for each body, and return the files."""
    written = []
    for name in BODIES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for pose in (1, 2):
            vertices, faces = body(name, pose)
            lines = ["OFF", f"{len(vertices)} {len(faces)} 0"]
            lines += [f"{x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices]
            lines += [f"3 {a} {b} {c}" for a, b, c in faces]
            path = folder / name / f"{name}-{pose}.off"
            path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))
            written.append(path)
    return written
