"""Meshes with known surfaces, for tests."""

import numpy as np
from scipy.spatial import Delaunay

from gwtransfer.core.types import Cloud


def sphere(subdivisions=3):
    """Return vertices and outward faces of a sphere, an icosahedron divided some times."""
    golden = (1 + 5**0.5) / 2
    points = np.array([[0, s, t * golden] for s in (-1, 1) for t in (-1, 1)], dtype=float)
    points = np.concatenate([np.roll(points, shift, axis=1) for shift in range(3)])
    from scipy.spatial import ConvexHull

    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices.astype(np.int64)
    for _ in range(subdivisions):
        points, faces = divided(points, faces)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, outward(points, faces)


def outward(points, faces):
    """Return faces of a shape that is star-shaped about 0, wound with their normals outward."""
    a, b, c = np.moveaxis(points[faces], 1, 0)
    inward = (np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) < 0
    faces = faces.copy()
    faces[inward] = faces[inward][:, ::-1]
    return faces


def divided(points, faces):
    """Return the same surface, each triangle made four."""
    pairs = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, place = np.unique(pairs, axis=0, return_inverse=True)
    middle = place.reshape(-1, 3) + len(points)
    points = np.concatenate([points, points[edges].mean(axis=1)])
    (a, b, c), (ab, bc, ca) = faces.T, middle.T
    corners = ((a, ab, ca), (ab, b, bc), (bc, c, ca), (ab, bc, ca))
    return points, np.concatenate([np.column_stack(corner) for corner in corners])


def rectangle(width, height, count, seed=0):
    """Return a triangulated rectangle with points drawn inside and laid along its border."""
    rng = np.random.default_rng(seed)
    side = np.linspace(0, 1, round(count**0.5))
    border = np.concatenate([np.stack([side, 0 * side + end], axis=1) for end in (0, 1)])
    border = np.concatenate([border, border[:, ::-1]])
    flat = np.unique(np.concatenate([border, rng.random((count, 2))]), axis=0) * [width, height]
    return np.pad(flat, ((0, 0), (0, 1))), Delaunay(flat).simplices.astype(np.int64)


def bumpy(seed=0, count=2500, *, bumps=4):
    """Return an egg with bumps, which nothing but its identity takes to itself."""
    rng = np.random.default_rng(seed)
    from scipy.spatial import ConvexHull

    points = rng.standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices.astype(np.int64)
    centres = rng.standard_normal((bumps, 3))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    heights = np.exp(-8 * (1 - points @ centres.T)) @ rng.uniform(0.3, 1.0, bumps)
    points = points * (1 + heights)[:, None] * [1.0, 1.3, 1.7]
    return points, outward(points, faces)


def mesh(points, faces, name="shape"):
    """Return a mesh."""
    return Cloud(name=name, vertices=points, faces=faces)


def soup(points, faces):
    """Return each triangle with corners of its own, as STL files have them."""
    return points[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3)
