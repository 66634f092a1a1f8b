"""The wheel holds the program and runs where the source is absent."""

import os
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOP = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def build(source: Path, folder: Path, **environment: str) -> Path:
    """Build the wheel and the source archive of a tree into a folder."""
    call = [sys.executable, "-m", "build", "--sdist", "--wheel", "--no-isolation"]
    # From elsewhere: in the top folder a left-over build/ would be imported in place of the tool.
    done = subprocess.run(
        [*call, "--outdir", str(folder), str(source)],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build this tree."""
    return build(TOP, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """Find the wheel."""
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def archive(built: Path) -> Path:
    """Find the source archive."""
    (found,) = built.glob("*.tar.gz")
    return found


@pytest.fixture(scope="module")
def target(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*pip, str(wheel)], check=True)
    return folder


WITHOUT_SOURCE = f"""
import sys
sys.path = [p for p in sys.path if p not in ({str(TOP / "src")!r}, {str(TOP / "cli")!r})]
"""
"""Undoes an editable installation for one process."""


def run(target: Path, folder: Path, code: str, *arguments: str) -> str:
    """Run code in a folder with the installed wheel, and without any folder of the source."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SOURCE + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(target)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


CLI = "from gwtransfer_cli.app import main; sys.exit(main(sys.argv[1:]))"


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    """Modules of both roots at the top, the licence, and no tests."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "gwtransfer",
        "gwtransfer_cli",
    }
    assert {"gwtransfer/registry.py", "gwtransfer_cli/app.py"} <= set(names)
    assert any(name.endswith("/LICENSE") for name in names)
    assert not any("test" in name or name.endswith(".pyc") for name in names)


def test_the_wheel_declares_every_stage(wheel: Path) -> None:
    """Each declared entry point names a module that the wheel holds."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (place,) = [name for name in names if name.endswith("/entry_points.txt")]
        declared = ConfigParser()
        declared.read_string(archive.read(place).decode())
    groups = {f"gwtransfer.{k}" for k in ("load", "prepare", "fit", "plan", "map", "write")}
    assert set(declared.sections()) == groups | {"console_scripts"}
    for group in declared.sections():
        for value in declared[group].values():
            module = value.partition(":")[0].replace(".", "/") + ".py"
            assert module in names, f"{group}: {value}"


def test_the_installed_program_is_the_one_that_runs(target: Path, tmp_path: Path) -> None:
    """In an empty folder the package comes from the wheel, and so does its version."""
    where = run(target, tmp_path, "import gwtransfer_cli.app as a, gwtransfer.registry as r\n"
                "print(a.__file__); print(r.__file__)")  # fmt: skip
    assert all(Path(line).is_relative_to(target) for line in where.splitlines())
    assert "0.1.0" in run(target, tmp_path, CLI, "--version")


def test_neither_root_is_importable(target: Path, tmp_path: Path) -> None:
    """The folders ``src`` and ``cli`` are no packages."""
    code = "import importlib.util as u; print(u.find_spec('src'), u.find_spec('cli'))"
    assert run(target, tmp_path, code).split() == ["None", "None"]


def test_every_stage_of_the_wheel_can_be_found(target: Path, tmp_path: Path) -> None:
    """Each built-in is a proper stage, imported through its entry point."""
    code = (
        "from gwtransfer import registry\n"
        "found = [(s, registry.find(s.kind, s.name)) for s in registry.stages()"
        " if s.package == 'gwtransfer']\n"
        "print(len(found), all(registry.options(c) is not None for _, c in found))"
    )
    count, fine = run(target, tmp_path, code).split()
    assert int(count) >= 18
    assert fine == "True"


def test_the_installed_program_transfers_colour(target: Path, tmp_path: Path) -> None:
    """A tiny job ends in a picture of the source's size, in other colours than the source's."""
    rng = np.random.default_rng(1)
    source = rng.integers(0, 128, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(source).save(tmp_path / "source.png")
    palette = rng.integers(128, 256, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(palette).save(tmp_path / "palette.png")
    arguments = ["color", "source.png", "palette.png", "-o", "out.png", "--components", "3"]
    run(target, tmp_path, CLI, *arguments)
    with Image.open(tmp_path / "out.png") as written:
        result = np.asarray(written)
    assert result.shape == source.shape
    assert np.abs(result.mean(axis=(0, 1)) - palette.mean(axis=(0, 1))).max() < 8


def test_the_source_archive_holds_what_a_build_and_its_tests_need(archive: Path) -> None:
    """Sources, tests, documentation and all locks; nothing that was made from them."""
    with tarfile.open(archive) as opened:
        names = [Path(*Path(name).parts[1:]) for name in opened.getnames()]
    tops = {name.parts[0] for name in names}
    locks = {lock.name for lock in TOP.glob("constraints*.txt")}
    folders = {"src", "cli", "tests", "docs", "examples", "man", "sample_data"}
    assert folders | locks | {"pyproject.toml", "Makefile", "LICENSE", "README.md"} <= tops
    assert not tops & {".venv", ".git", "dist", "build", "demo", "site"}
    assert not any(name.suffix in {".pyc", ".so", ".log"} for name in names)


def test_a_build_of_the_archive_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    """Another folder, other times, another zone and mask: the same wheel, the same archive."""
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "tree", filter="data")
    (tree,) = (tmp_path / "tree").iterdir()
    for path in tree.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (tmp_path / "again").mkdir()
    mask = os.umask(0o077)
    try:
        again = build(tree, tmp_path / "again", TZ="Asia/Kathmandu")
    finally:
        os.umask(mask)
    first = {path.name: path.read_bytes() for path in archive.parent.iterdir()}
    second = {path.name: path.read_bytes() for path in again.iterdir()}
    assert len(first) == 2
    assert first == second
