"""The examples do what their README says: make and ninja run them, and run nothing twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gwtransfer_cli.app import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("make") is None, reason="needs make"),
]

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = Path(sys.executable).parent
NOTHING = "Nothing to be done for 'all'"
SECONDS = 120
"""More than any of these runs takes; what hangs is ended."""


def environment() -> dict[str, str]:
    """Return an environment with our program and without what an outer make says to inner ones."""
    said = ("MAKE", "GWTRANSFER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(said)}
    return kept | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C"}


def make(folder: Path, *arguments: str, code: int = 0, program: str = "make") -> str:
    """Run make in a folder and return all it says; expect an exit code."""
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def outputs(said: str) -> list[str]:
    """Return what the commands that make printed write."""
    return re.findall(r"gwtransfer \w+ .*?-o (\S+)", said)


def picture(path: Path, *, light: float, size: tuple[int, int] = (24, 20)) -> None:
    """Write a small picture; another light, other colours."""
    path.parent.mkdir(exist_ok=True)
    y, x = np.mgrid[: size[0], : size[1]] / size[0]
    array = np.stack([x, light * (x + y) / 2, light * (1 - y)], axis=-1)
    Image.fromarray(np.clip(255 * array, 0, 255).astype(np.uint8)).save(path)


def blob(path: Path, *, stretch: float) -> None:
    """Write a small closed mesh: an octahedron, stretched along one axis and tilted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = np.array(
        [[stretch, 0.1, 0], [-1, 0, 0], [0, 1.3, 0], [0, -1, 0], [0, 0, 1.7], [0, 0, -1]]
    )
    faces = [(i, j, k) for i in (0, 1) for j in (2, 3) for k in (4, 5)]
    lines = ["OFF", "6 8 0", *(f"{x} {y} {z}" for x, y, z in corners)]
    path.write_text("\n".join([*lines, *(f"3 {i} {j} {k}" for i, j, k in faces), ""]), "ascii")


def times(folder: Path) -> dict[Path, int]:
    """Return when each file below a folder was changed."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames, coloured by `make -j2`."""
    folder = tmp_path_factory.mktemp("examples") / "frames"
    shutil.copytree(EXAMPLES / "frames", folder)
    (folder / "fit.toml").write_text("components = 2\nsample = 200\n", "utf-8")
    picture(folder / "palette.png", light=0.3)
    picture(folder / "frames" / "1.png", light=0.9)
    picture(folder / "frames" / "2.png", light=0.7)
    assert len(outputs(make(folder, "-j2"))) == 5
    return folder


@pytest.fixture
def frames(graded: Path, tmp_path: Path) -> Path:
    """Return a copy of the coloured frames, with their times."""
    return Path(shutil.copytree(graded, tmp_path / "frames"))


def test_two_jobs_make_the_same_frames(graded: Path, tmp_path: Path) -> None:
    """`make -j2` makes the bytes that its commands make one after another, in other places."""
    fit = ["--recipe", graded / "fit.toml", "-q"]
    key, palette, plan = (tmp_path / f"{name}.npz" for name in ("key", "palette", "plan"))
    frame = tmp_path / "2.png"
    apply = ["--recipe", graded / "apply.toml", "-q"]
    for command in (
        ["fit", graded / "frames" / "1.png", "-o", key, *fit],
        ["fit", graded / "palette.png", "-o", palette, *fit],
        ["plan", key, palette, "-o", plan, "-q"],
        ["apply", plan, graded / "frames" / "2.png", "-o", frame, *apply],
    ):
        assert main([str(word) for word in command]) == 0
    assert frame.read_bytes() == (graded / "graded" / "2.png").read_bytes()


def test_frames_are_made_once(frames: Path) -> None:
    """A second `make` changes nothing; one changed frame is made again, and only that."""
    before = times(frames)
    assert NOTHING in make(frames)
    assert times(frames) == before
    picture(frames / "frames" / "2.png", light=0.5)
    old = (frames / "graded" / "2.png").read_bytes()
    assert outputs(make(frames)) == ["graded/2.png"]
    assert (frames / "graded" / "2.png").read_bytes() != old
    assert NOTHING in make(frames)


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ("palette.png", ["palette.npz", "plan.npz", "1.png", "2.png"]),
        ("plan.toml", ["plan.npz", "1.png", "2.png"]),
        ("apply.toml", ["1.png", "2.png"]),
        ("fit.toml", ["key.npz", "palette.npz", "plan.npz", "1.png", "2.png"]),
    ],
)
def test_what_depends_on_a_file_is_made_again(frames: Path, changed: str, made: list[str]) -> None:
    """A changed palette or recipe has made again what was made of it, and nothing else."""
    (frames / changed).touch()
    assert [Path(one).name for one in outputs(make(frames, "-n"))] == made


def test_another_key_is_noticed(frames: Path) -> None:
    """Though no file is newer: another frame makes another plan."""
    made = outputs(make(frames, "-n", "KEY=frames/2.png"))
    assert "graded/.work/plan.npz" in made
    assert "graded/1.png" in made


def test_an_interrupted_make_leaves_no_target(frames: Path) -> None:
    """SIGINT while a frame is written: no frame and nothing half done; `make` then makes it."""
    target = frames / "graded" / "2.png"
    target.unlink()
    picture(frames / "frames" / "2.png", light=0.5, size=(3000, 2500))
    running = subprocess.Popen(
        ["make"],
        cwd=frames,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = time.monotonic() + SECONDS
    while not list(target.parent.glob(".gwtransfer-*")):
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=SECONDS)
    assert running.returncode != 0
    assert b"gwtransfer: interrupted" in said
    assert sorted(path.name for path in target.parent.iterdir()) == [".work", "1.png"]
    assert outputs(make(frames)) == ["graded/2.png"]
    with Image.open(target) as finished:
        assert finished.size == (2500, 3000)


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    """In one line that says what to do."""
    shutil.copy(EXAMPLES / "frames" / "Makefile", tmp_path)
    assert "expected frames to colour, found none; say make FRAMES=" in make(tmp_path, code=2)


def test_distances_grow_with_their_folder(tmp_path: Path) -> None:
    """Of a changed, an added and a removed shape only what is new is computed."""
    folder = Path(shutil.copytree(EXAMPLES / "distances", tmp_path / "a" / "distances"))
    options = 'prepare = "xyz"\ncomponents = 2\nsample = 100\n[plan]\nrandom = 2\nwaves = 0\n'
    (folder / "pairwise.toml").write_text(options, "utf-8")
    shapes, table, elsewhere = tmp_path / "shapes", folder / "distances.csv", "SHAPES=../../shapes"
    for name, stretch in (("a/1", 1.5), ("a/2", 2), ("b/1", 3)):
        blob(shapes / f"{name}.off", stretch=stretch)
    assert "3 of 3: 3 fitted, 0 kept" in make(folder, elsewhere)
    assert (folder / "distances.png").is_file()
    before = times(folder)
    assert NOTHING in make(folder, elsewhere)
    assert times(folder) == before

    blob(shapes / "b" / "2.off", stretch=4)
    os.utime(shapes / "b" / "2.off", (0, 0))
    assert outputs(make(folder, elsewhere, "-n")) == ["distances.csv", "distances.png"]
    blob(shapes / "a" / "2.off", stretch=2.5)
    (shapes / "b" / "1.off").unlink()
    said = make(folder, elsewhere, table.name)
    assert "3 of 3: 2 fitted, 1 kept" in said
    assert outputs(make(folder, elsewhere, "-n")) == ["distances.png"]
    arguments = ["--recursive", "--recipe", folder / "pairwise.toml", "-q"]
    fresh = tmp_path / "fresh.csv"
    assert main([str(word) for word in ("pairwise", shapes, "-o", fresh, *arguments)]) == 0
    assert fresh.read_bytes() == table.read_bytes()

    (shapes / "a" / "1.off").unlink()
    blob(shapes / "b" / "1.off", stretch=3)
    (shapes / "b" / "3.off").write_text("OFF\n1 1 0\nnothing\n", "ascii")
    assert "b/3.off" in make(folder, elsewhere, code=2)
    assert not table.exists()


def test_palettes_and_recipes_are_independent(tmp_path: Path) -> None:
    """A changed palette or recipe has its own pictures made again; the page shows what there is."""
    folder = Path(shutil.copytree(EXAMPLES / "palettes", tmp_path / "palettes"))
    for recipe in folder.glob("*.toml"):
        if recipe.stem not in ("half", "tint"):
            recipe.unlink()
        else:
            recipe.write_text(recipe.read_text("utf-8").replace("15", "2"), "utf-8")
    picture(folder / "picture.png", light=0.9)
    for name, light in (("a", 0.2), ("b", 0.5)):
        picture(folder / "palettes" / f"{name}.png", light=light)
    assert len(outputs(make(folder, "-j2"))) == 4
    before = times(folder)
    assert NOTHING in make(folder)
    assert times(folder) == before
    sweep, palette, recipe = folder / "sweep", folder / "palettes" / "a.png", folder / "half.toml"
    assert (sweep / "a.png.half.png").read_bytes() != (sweep / "b.png.half.png").read_bytes()

    now = time.time_ns()
    for changed, made in ((palette, "a.png.*"), (recipe, "*.half.png")):
        old = changed.stat().st_mtime_ns
        os.utime(changed, ns=(now, now))
        expected = sorted(f"sweep/{path.name}" for path in sweep.glob(made))
        assert sorted(outputs(make(folder, "-n"))) == expected
        os.utime(changed, ns=(old, old))

    palette.unlink()
    assert outputs(make(folder)) == []
    shown = re.findall(r'src="(.*?)"', (sweep / "index.html").read_text("utf-8"))
    assert shown == ["b.png.half.png", "b.png.tint.png"]


@pytest.mark.skipif(shutil.which("ninja") is None, reason="needs ninja")
def test_ninja_goes_by_contents(tmp_path: Path) -> None:
    """A frame that is new in time alone has nothing made that follows from it."""
    lines = (EXAMPLES / "ninja" / "build.ninja").read_text("utf-8")
    lines = lines.replace("--components 15", "-k 2").partition("build graded/2.png")[0]
    (tmp_path / "build.ninja").write_text(lines, "utf-8")
    picture(tmp_path / "palette.png", light=0.3)
    picture(tmp_path / "frames" / "1.png", light=0.9)
    assert len(outputs(make(tmp_path, "-v", program="ninja"))) == 4
    assert "no work to do" in make(tmp_path, program="ninja")
    made = [path for path in (tmp_path / "graded").iterdir() if path.suffix in (".npz", ".png")]
    before = [path.stat().st_mtime_ns for path in made]
    (tmp_path / "frames" / "1.png").touch()
    assert outputs(make(tmp_path, "-v", program="ninja")) == ["graded/key.npz", "graded/1.png"]
    assert [path.stat().st_mtime_ns for path in made] == before
    assert len(made) == 4
    assert "no work to do" in make(tmp_path, program="ninja")
