"""Small inputs in a folder of their own, and a way to call the program."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer_cli.app import main

QUICK = ("--set", "plan.random=2", "--set", "plan.waves=0")
"""Few starts, for solvers that search."""


@dataclass(frozen=True)
class Result:
    """What a run left: exit code and words."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process."""

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def done(run: Run) -> Run:
    """Run the program and expect success in silence on stderr."""

    def call(*arguments: object) -> Result:
        result = run(*arguments)
        assert (result.code, result.err) == (0, "")
        return result

    return call


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the inputs once."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:24, 0:20] / 24

    def picture(name: str, *colours: np.ndarray) -> None:
        noisy = np.stack(colours, axis=-1) * 255 + rng.normal(0, 12, (24, 20, len(colours)))
        array = np.clip(noisy, 0, 255).astype(np.uint8)
        Image.fromarray(array[:, :, 0] if len(colours) == 1 else array).save(folder / name)

    picture("photo.png", x, (x + y) / 2, 1 - y)
    picture("palette.png", 0.3 + 0.6 * y, x**2, 0.2 * (x + y))
    picture("gray.png", (x + y) / 2)
    picture("rgba.png", x, y, 1 - x, np.where(x + y > 0.4, 0.8, 0.0))

    waves = np.linspace(0, 1, 6)
    scene = np.sin(3 * x[..., None] + 2 * waves) + y[..., None] * waves + 2
    cube = (scene + rng.normal(0, 0.05, scene.shape)).astype(np.float32)
    np.save(folder / "cube.npy", cube)
    cube[3, 4, 2] = np.nan
    cube[7] = np.nan
    np.save(folder / "holes.npy", cube)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a fresh folder that holds the inputs."""
    for path in made.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def geotiff(path: Path, *, under: float, bands: int = 5) -> None:
    """Write a georeferenced cube of nodata −9999 with holes; ``under`` hides in another band."""
    import rasterio
    from rasterio.transform import Affine

    rng = np.random.default_rng(4)
    values = rng.normal(10, 2, (bands, 16, 18)).astype(np.float32)
    values[:, 2:5, 3:9] = under
    values[0, 2:5, 3:9] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", height=16, width=18, count=bands, dtype="float32",
        nodata=-9999, crs="EPSG:32633", transform=Affine(30, 0, 500000, 0, -30, 5200000),
    ) as out:  # fmt: skip
        out.write(values)
