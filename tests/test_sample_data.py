"""The sample data are what their README says, and the script makes them again."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer.io.shapes.mesh import MeshLoader

FOLDER = Path(__file__).parents[1] / "sample_data"
SHAPES = tuple(
    f"shapes/{name}/{name}-{pose}.off"
    for name in ("caltrop", "pear", "starfish")
    for pose in (1, 2)
)
FILES = ("meadow.npy", "palette.png", "flower.png", *SHAPES)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the script into an empty folder."""
    folder = tmp_path_factory.mktemp("sample data")
    subprocess.run([sys.executable, FOLDER / "generate.py", folder], check=True)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_regenerating_gives_the_same_bytes(again: Path, name: str) -> None:
    """The script is deterministic: seed stated, no clock, no download."""
    assert (again / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_the_readme_states_the_sum(name: str) -> None:
    """A changed file must come with a changed README."""
    row = re.search(rf"`{name}`.*`([0-9a-f]{{64}})`", (FOLDER / "README.md").read_text("utf-8"))
    assert row is not None
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == row[1]


def test_the_cube_is_what_the_readme_says() -> None:
    """Shape, type, range and size of the cube; every band varies."""
    cube = np.load(FOLDER / "meadow.npy", allow_pickle=False)
    assert (cube.shape, cube.dtype) == ((112, 160, 16), np.dtype("uint16"))
    assert 0 < cube.min() < 500
    assert 9_000 < cube.max() < 12_500
    assert (cube.std(axis=(0, 1)) > 1_000).all()
    assert (FOLDER / "meadow.npy").stat().st_size <= 600_000


@pytest.mark.parametrize("name", ["palette.png", "flower.png"])
def test_the_pictures_are_small_rgb(name: str) -> None:
    """Both pictures are 8-bit RGB without alpha, a third of the size scikit-learn ships."""
    with Image.open(FOLDER / name) as picture:
        assert (picture.mode, picture.size) == ("RGB", (213, 142))


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_are_closed_and_face_outward(name: str) -> None:
    """Every edge belongs to two triangles that run it in opposite directions; volume is above 0."""
    body = MeshLoader()(FOLDER / name)
    faces = body.faces
    assert faces is not None
    assert (len(body.vertices), len(faces)) == (1200, 2396)
    edges = set(map(tuple, np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])))
    assert len(edges) == 3 * len(faces)
    assert all((b, a) in edges for a, b in edges)
    a, b, c = (body.vertices[faces[:, corner]] for corner in range(3))
    assert np.einsum("ij,ij->i", np.cross(a, b), c).sum() / 6 > 0.5
