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


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Make a source and a palette."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[0:24, 0:32] / 32
    for name, colours in (
        ("source", (x, y, 1 - x)),
        ("palette", (0.3 + y / 2, 0.3 + x**2 / 2, 0.5 + 0 * x)),
    ):
        noisy = np.stack(colours, axis=-1) * 255 + rng.normal(0, 6, (24, 32, 3))
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def test_stages_lists_the_plugin(installed: Path, tmp_path: Path) -> None:
    """The listing shows a stage of each kind, its options, and the package it comes from."""
    listed = run(installed, CLI, "stages", folder=tmp_path).splitlines()
    names = [line.partition("  (gwtransfer-example 0.1.0)") for line in listed]
    assert [name for name, found, _ in names if found] == [
        "load ppm", "prepare stride", "fit slices", "plan greedy", "map linear", "write ppm"
    ]  # fmt: skip
    assert "    first = nearest  one of nearest, heaviest" in listed
    assert not any("unusable" in line for line in listed)


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


STAGES = ("--set", "prepare=stride", "--solver", "greedy", "--map", "linear", "--set", "fit=slices")
OPTIONS = ("prepare.step=2", "fit.components=6", "plan.first=heaviest", "map.amount=0.9")
SET = [text for option in OPTIONS for text in ("--set", option)]


def test_color_runs_through_every_stage_of_the_plugin(installed: Path, pictures: Path) -> None:
    """Named by flags and --set, found by content and extension, told their options.

    The linear map's images have the palette's mean, and 0.9 of its spread; `fit`, `plan` and
    `apply` one after the other end in the same bytes; a .ppm is read as the .png it was made of.
    """
    with Image.open(pictures / "source.png") as picture:
        picture.save(pictures / "source.ppm")
    code = """
import sys
from gwtransfer_cli.app import main
for line in open(sys.argv[1]).read().splitlines():
    assert main(line.split()) == 0, line
"""
    prepare_fit = (
        "--set prepare=stride --set fit=slices --set prepare.step=2 --set fit.components=6"
    )
    (pictures / "commands").write_text(
        f"color source.ppm palette.png -o out.ppm {' '.join((*STAGES, *SET))}\n"
        f"color source.png palette.png -o out.png {' '.join((*STAGES, *SET))}\n"
        f"fit source.ppm -o source.npz {prepare_fit}\n"
        f"fit palette.png -o palette.npz {prepare_fit}\n"
        "plan source.npz palette.npz -o plan.npz --solver greedy --set plan.first=heaviest\n"
        "apply plan.npz source.ppm -o steps.ppm --map linear --set map.amount=0.9\n"
        "inspect source.ppm\ninspect plan.npz\n"
        "distance source.ppm palette.png --solver greedy --prepare stride --set fit=slices\n"
    )
    said = run(installed, code, "commands", folder=pictures)
    assert (pictures / "out.ppm").read_bytes().startswith(b"P6\n32 24\n255\n")
    assert (pictures / "steps.ppm").read_bytes() == (pictures / "out.ppm").read_bytes()
    colours = {}
    for name in ("out.ppm", "out.png", "palette.png"):
        with Image.open(pictures / name) as image:
            colours[name] = np.asarray(image, dtype=float).reshape(-1, 3)
    np.testing.assert_array_equal(colours["out.ppm"], colours["out.png"])
    made, wanted = colours["out.png"], colours["palette.png"]
    assert np.abs(made.mean(axis=0) - wanted.mean(axis=0)).max() < 3
    assert np.abs(made.std(axis=0) - 0.9 * wanted.std(axis=0)).max() < 3
    assert "kind           picture\nrows           24\ncolumns        32" in said
    assert "solver         greedy" in said
    assert float(said.splitlines()[-1]) > 0


def test_shapes_are_compared_and_matched_through_the_plugin(
    installed: Path, tmp_path: Path
) -> None:
    """A shape and its copy in another order are at distance 0, and each vertex finds itself."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 3)) * [3.0, 2.0, 1.0]
    order = rng.permutation(60)
    np.savetxt(tmp_path / "one.xyz", points)
    np.savetxt(tmp_path / "other.xyz", points[order])
    through = ["one.xyz", "other.xyz", "--prepare", "stride", "--set", "prepare.step=1"]
    through += ["--set", "fit=slices", "--set", "fit.components=6"]
    found = run(installed, CLI, "distance", *through, "--solver", "greedy", folder=tmp_path)
    assert float(found) < 1e-6
    run(installed, CLI, "match", *through, "-o", "match.csv", folder=tmp_path)
    matched = np.loadtxt(tmp_path / "match.csv", delimiter=",", skiprows=1).astype(int)
    np.testing.assert_array_equal(order[matched[:, 1]], matched[:, 0])
