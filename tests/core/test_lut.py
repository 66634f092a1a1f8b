"""Lattices of colours and what two interpolations make of them."""

import numpy as np
import pytest

from gwtransfer.core.lut import lattice, tetrahedral, trilinear

RNG = np.random.default_rng(0)
COLOURS = np.concatenate([RNG.random((500, 3)), lattice(3), [[1, 1, 1], [0.999, 1, 0]]])


def test_red_runs_fastest():
    """The lattice counts in red, then green, then blue, from black to white."""
    assert lattice(2).tolist() == [
        [0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1],
    ]  # fmt: skip
    assert lattice(17).shape == (17**3, 3)


@pytest.mark.parametrize("interpolate", [trilinear, tetrahedral])
@pytest.mark.parametrize("size", [2, 5, 33])
def test_affine_maps_are_exact(interpolate, size):
    """A table of an affine map gives that map between its points too."""
    matrix, shift = RNG.random((3, 3)), RNG.random(3)
    images = interpolate(lattice(size) @ matrix + shift, COLOURS)
    np.testing.assert_allclose(images, COLOURS @ matrix + shift, rtol=0, atol=1e-12)


@pytest.mark.parametrize("interpolate", [trilinear, tetrahedral])
def test_the_points_of_the_lattice_are_exact(interpolate):
    """On its own points a table gives what it holds, whatever that is."""
    table = RNG.random((6**3, 3))
    np.testing.assert_allclose(interpolate(table, lattice(6)), table, rtol=0, atol=1e-12)


def test_the_two_differ_inside_a_cell():
    """At a cell's centre, trilinear is the mean of 8 corners and tetrahedral of dark and bright."""
    table = RNG.random((8, 3))
    centre = np.full((1, 3), 0.5)
    np.testing.assert_allclose(trilinear(table, centre)[0], table.mean(axis=0))
    np.testing.assert_allclose(tetrahedral(table, centre)[0], (table[0] + table[7]) / 2)


def test_opencolorio_interpolates_alike():
    """Both interpolations are those of another program, to single precision."""
    ocio = pytest.importorskip("PyOpenColorIO")
    table = RNG.random((9**3, 3)).astype(np.float32)
    for interpolate, name in (
        (trilinear, ocio.INTERP_LINEAR),
        (tetrahedral, ocio.INTERP_TETRAHEDRAL),
    ):
        lut = ocio.Lut3DTransform(9)
        lut.setInterpolation(name)
        swapped = table.reshape(9, 9, 9, 3).transpose(2, 1, 0, 3)  # there blue runs fastest
        lut.setData(np.ascontiguousarray(swapped))
        theirs = np.ascontiguousarray(COLOURS, dtype=np.float32)
        config = ocio.Config.CreateRaw()
        config.getProcessor(lut).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE).applyRGB(theirs)
        ours = interpolate(table.astype(np.float64), COLOURS)
        assert np.abs(ours - theirs).max() < 2e-5
        other = {trilinear: tetrahedral, tetrahedral: trilinear}[interpolate]
        assert np.abs(other(table.astype(np.float64), COLOURS) - theirs).max() > 1e-2
