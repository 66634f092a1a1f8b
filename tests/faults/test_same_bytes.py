"""What a run writes depends on its inputs and options, not on where and how it is started."""

import os
from pathlib import Path

import pytest

from .scenes import PAIRWISE, ended

OTHER = {"PYTHONHASHSEED": "1", "LANG": "C", "LC_ALL": "C", "TZ": "Asia/Tokyo", "COLUMNS": "40"}


@pytest.mark.skipif(os.name != "posix", reason="there is no umask")
def test_two_runs_anywhere_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Other seeds of hashes, folder, umask, language, time zone and width of the terminal."""
    (tmp_path / "far").mkdir()
    outputs = []
    before = os.umask(0o022)
    try:
        for place, changes, mask in (
            (folder, {"PYTHONHASHSEED": "0"}, 0o022), (tmp_path / "far", OTHER, 0o077),
        ):  # fmt: skip
            os.umask(mask)
            names = [str(folder / name) for name in ("cube.npy", "palette.png", "shapes")]
            if place == folder:
                names = ["cube.npy", "palette.png", "shapes"]
            ended(("color", *names[:2], "-o", "c.png", "--save-plan", "c.npz", "-k", "3",
                   "--starts", "few"), place, **changes)  # fmt: skip
            ended(("pairwise", names[2], *PAIRWISE.arguments[2:]), place, **changes)
            outputs.append([(place / name).read_bytes() for name in ("c.png", "c.npz", "d.csv")])
    finally:
        os.umask(before)
    assert outputs[0] == outputs[1]
