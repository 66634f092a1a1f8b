"""The example plug-in builds, installs beside the program, is listed, and does its work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PLUGIN = Path(__file__).parent / "plugin"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the plug-in into a folder of its own, from a copy so that the source stays clean."""
    top = tmp_path_factory.mktemp("plug-in")
    source, target = top / "source", top / "target"
    for path in sorted(PLUGIN.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = source / path.relative_to(PLUGIN)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*pip, str(source)], check=True)
    return target


def run(installed: Path, code: str, *arguments: str, folder: Path) -> str:
    """Run Python code with the plug-in on the path, and return what it printed."""
    paths = [str(installed), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    absolute = [str(Path(path).absolute()) for path in paths if path]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(absolute)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


CLI = "import sys; from gwtransfer_cli.app import main; sys.exit(main(sys.argv[1:]))"


def test_stages_lists_the_plugin(installed: Path, tmp_path: Path) -> None:
    """The listing shows both stages and the package they come from."""
    listed = run(installed, CLI, "stages", folder=tmp_path)
    assert "slices" in listed
    assert "ppm" in listed
    assert "gwtransfer-example" in listed


def test_the_plugins_fit_is_built_with_options(installed: Path, tmp_path: Path) -> None:
    """The registry builds the fit from text, and its mixture has the moments of the points."""
    code = """
import json
import numpy as np
from gwtransfer import registry

points = np.random.default_rng(0).normal(size=(400, 3)) * [3.0, 1.0, 0.5]
weights, means, covariances = registry.build("fit", "slices", {"components": "4"})(points, seed=0)
mean = weights @ means
spread = np.einsum("k,kij->ij", weights, covariances)
spread += ((means - mean).T * weights) @ (means - mean)
print(json.dumps([weights.sum(), len(weights), np.abs(mean - points.mean(axis=0)).max(),
                  np.abs(spread - np.cov(points.T, bias=True)).max()]))
"""
    total, count, mean_off, spread_off = json.loads(run(installed, code, folder=tmp_path))
    assert count == 4
    assert abs(total - 1) < 1e-12
    assert mean_off < 1e-12
    assert spread_off < 1e-4


def test_the_plugins_fit_runs_in_a_job(installed: Path, tmp_path: Path) -> None:
    """`--set fit=slices` fits both sides with it: another picture than the built-in fit makes."""
    rng = np.random.default_rng(2)
    for name in ("source.png", "palette.png"):
        pixels = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    command = ["color", "source.png", "palette.png"]
    run(installed, CLI, *command, "-o", "own.png", "--set", "fit.components=4", folder=tmp_path)
    run(
        installed, CLI, *command, "-o", "slices.png", "--set", "fit=slices",
        "--set", "fit.components=4", folder=tmp_path,
    )  # fmt: skip
    assert (tmp_path / "own.png").read_bytes() != (tmp_path / "slices.png").read_bytes()


def test_the_plugins_writer_is_chosen_by_extension(installed: Path, tmp_path: Path) -> None:
    """A result written as .ppm is the result written as .png."""
    rng = np.random.default_rng(1)
    for name in ("source.png", "palette.png"):
        pixels = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    for output in ("out.ppm", "out.png"):
        arguments = ["color", "source.png", "palette.png", "-o", output, "--components", "3"]
        run(installed, CLI, *arguments, folder=tmp_path)
    assert (tmp_path / "out.ppm").read_bytes().startswith(b"P6\n32 24\n255\n")
    with Image.open(tmp_path / "out.ppm") as ppm, Image.open(tmp_path / "out.png") as png:
        np.testing.assert_array_equal(np.asarray(ppm), np.asarray(png))
