"""The inputs of the disturbed runs, made once, and what undisturbed runs make of them."""

from pathlib import Path

import pytest

from .killed import reference
from .scenes import RUNS, copied, make


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the inputs."""
    folder = tmp_path_factory.mktemp("scenes")
    make(folder)
    return folder


@pytest.fixture
def folder(scenes: Path, tmp_path: Path) -> Path:
    """Return a fresh copy of the inputs."""
    return copied(scenes, tmp_path / "here")


@pytest.fixture(scope="session")
def whole(
    scenes: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[dict[str, bytes], float]]:
    """Return what each run makes undisturbed, and the seconds it takes."""
    return {
        name: reference(run, scenes, tmp_path_factory.mktemp("whole") / name)
        for name, run in RUNS.items()
    }
