"""Unfinished outputs of killed runs are removed by the next run, those of living ones never."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gwtransfer.io import unfinished
from gwtransfer.io.files import listed, sha256, whole

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing is locked")

DYING = """
import os, sys
from pathlib import Path
from gwtransfer.io.files import whole
with whole(Path(sys.argv[1]), overwrite=False) as temporary:
    temporary.write_bytes(b"half")
    temporary.with_suffix(".aux").write_bytes(b"what a library puts there")
    os._exit(9)
"""


@pytest.fixture(autouse=True)
def unswept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep each folder again."""
    monkeypatch.setattr(unfinished, "_swept", set())


def killed(folder: Path) -> Path:
    """Return what a run leaves in a folder that ends at once in the middle of writing."""
    done = subprocess.run([sys.executable, "-c", DYING, str(folder / "a.bin")], check=False)
    assert done.returncode == 9
    (left,) = folder.glob(".gwtransfer-*")
    return left


def test_what_a_killed_run_left_goes_with_the_next_output(tmp_path: Path) -> None:
    """With all that lies in it; other names that begin so are let be."""
    left = killed(tmp_path)
    assert len(list(left.iterdir())) == 2
    (tmp_path / ".gwtransfer-notes").mkdir()
    with whole(tmp_path / "b.bin", overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gwtransfer-notes", "b.bin"]


def test_what_is_being_written_is_let_be(tmp_path: Path) -> None:
    """By other runs, and by this one."""
    with whole(tmp_path / "a.bin", overwrite=False) as temporary:
        temporary.write_bytes(b"mine")
        unfinished.sweep(tmp_path)
        code = "import sys; from pathlib import Path; from gwtransfer.io import unfinished;"
        code += "unfinished.sweep(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
        assert temporary.exists()
    assert (tmp_path / "a.bin").read_bytes() == b"mine"


def test_what_another_system_writes_is_let_be_for_a_day(tmp_path: Path) -> None:
    """Its locks may not be seen over a network; a day without a change tells enough."""
    left = killed(tmp_path)
    other = tmp_path / f".gwtransfer-{'0' * 8}-{'1' * 16}"
    left.rename(other)
    unfinished.sweep(tmp_path)
    assert len(list(other.iterdir())) == 2
    for path in (*other.iterdir(), other):
        os.utime(path, (1e9, 1e9))
    unfinished._swept.clear()
    unfinished.sweep(tmp_path)
    assert not other.exists()


def test_a_folder_is_made_anew_when_it_was_swept_before_it_was_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making and locking it another run may take it for left behind."""
    names = iter(["a" * 16, "b" * 16])
    monkeypatch.setattr(unfinished.secrets, "token_hex", lambda _: next(names))
    held = unfinished._held

    def late(folder: Path) -> int | None:
        if folder.name.endswith("a"):
            unfinished._sweep_one(folder)
        return held(folder)

    monkeypatch.setattr(unfinished, "_held", late)
    with unfinished.working_folder(tmp_path / "a.bin") as folder:
        assert folder.name.endswith("b" * 16)
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_unfinished_outputs_are_no_inputs(tmp_path: Path) -> None:
    """Neither for a folder's digest nor for a pattern."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(b"x")
    before = sha256(tmp_path)
    with whole(tmp_path / "b.png", overwrite=False) as temporary:
        temporary.write_bytes(b"half")
        assert sha256(tmp_path) == before
        assert listed(tmp_path / "*" / "*.png") == [tmp_path / "sub" / "a.png"]
        assert listed(tmp_path) == []


def test_a_message_of_a_library_names_the_output(tmp_path: Path) -> None:
    """Where it says the temporary name, relative or not."""
    from gwtransfer.errors import WriteError

    path = tmp_path / "a.bin"
    with pytest.raises(WriteError) as caught, whole(path, overwrite=False) as temporary:
        raise WriteError(f"{temporary}: no room for {temporary.name}")
    assert str(caught.value) == f"{path}: no room for {path}"
