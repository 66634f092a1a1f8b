"""A full disk and a folder that may not be written end in one line and leave nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .scenes import APPLY, CODE, COLOR, Run, leftovers, results

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no limits, no permissions")

LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); {CODE}"


@pytest.mark.parametrize(("run", "code"), [(COLOR, 1), (APPLY, 3)])
def test_files_that_may_not_grow(folder: Path, run: Run, code: int) -> None:
    """As a full disk or a quota: the output is named, and is not there."""
    before = sorted(folder.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *run.arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == (1 if run is COLOR else 5)
    assert all(line.startswith("gwtransfer: ") for line in lines), lines
    assert results(run, folder) == {}
    assert not leftovers(folder)
    assert [path for path in sorted(folder.iterdir()) if path.name != "done"] == before


OTHERS = ("png", "npy", "exr")
FULL = """
mount -t tmpfs -o size=64k tmpfs small || exit 77
"$@"
code=$?
find small -mindepth 1 > left
exit $code
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="there is no unshare")
@pytest.mark.parametrize(
    "name",
    ["out.tif", *(pytest.param(f"out.{one}", marks=pytest.mark.slow) for one in OTHERS)],
)
def test_a_full_disk(folder: Path, name: str) -> None:
    """A small disk of its own: the output is named, and nothing is left on it."""
    (folder / "small").mkdir()
    arguments = ("color", "cube.npy", "palette.png", "-o", f"small/{name}", *COLOR.arguments[5:])
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", FULL, "sh", sys.executable, "-c", CODE, *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("mounting is not allowed here")
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"gwtransfer: small/{name}: ")
    assert len(done.stderr.splitlines()) == 1
    assert (folder / "left").read_text() == ""


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write anywhere"
)
def test_a_read_only_folder(folder: Path) -> None:
    """It is refused before any work."""
    (folder / "closed").mkdir(mode=0o555)
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]
    done = subprocess.run(
        [*(drop if os.geteuid() == 0 else []), sys.executable, "-c", CODE, "color", "cube.npy",
         "palette.png", "-o", "closed/out.png"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr == "gwtransfer: closed/out.png: no permission to write in closed\n"
    assert list((folder / "closed").iterdir()) == []
