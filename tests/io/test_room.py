"""Room on the disk is asked for before the work; the files of an input are all found."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from gwtransfer.errors import WriteError
from gwtransfer.io.beside import parts_of
from gwtransfer.io.room import check_room


def test_what_cannot_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more than is free is too much, and the message says how much is missing."""
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=500, f_frsize=4096))
    check_room(tmp_path / "out.npy", 500 * 4096)
    with pytest.raises(
        WriteError, match=r"out\.npy: expected room for at least 2\.0 MB, found 2\.0"
    ):
        check_room(tmp_path / "out.npy", 500 * 4096 + 1)


def test_a_header_comes_with_its_data(tmp_path: Path) -> None:
    """Whichever of the two is named comes first; a header alone is itself."""
    (tmp_path / "a.hdr").write_text("ENVI\nsamples = 1\n")
    assert parts_of(tmp_path / "a.hdr") == [tmp_path / "a.hdr"]
    (tmp_path / "a.img").write_bytes(b"1234")
    assert parts_of(tmp_path / "a.hdr") == [tmp_path / "a.hdr", tmp_path / "a.img"]
    assert parts_of(tmp_path / "a.img") == [tmp_path / "a.img", tmp_path / "a.hdr"]


def test_a_gltf_comes_with_its_buffers(tmp_path: Path) -> None:
    """Names are unquoted; what is inside the file, or missing, is no file beside it."""
    (tmp_path / "my data.bin").write_bytes(b"1234")
    uris = ["my%20data.bin", "data:application/octet-stream;base64,AAAA", "gone.bin", None]
    (tmp_path / "a.gltf").write_text(json.dumps({"buffers": [{"uri": uri} for uri in uris]}))
    assert parts_of(tmp_path / "a.gltf") == [tmp_path / "a.gltf", tmp_path / "my data.bin"]
    (tmp_path / "b.gltf").write_text("[" * 5000)
    assert parts_of(tmp_path / "b.gltf") == [tmp_path / "b.gltf"]


def test_a_folder_or_pattern_is_what_it_holds(tmp_path: Path) -> None:
    """Hidden files are none of it; a folder's come from all folders below."""
    for name in ("b.png", "a.png", ".c.png", "deep/d.png", ".work/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    names = [path.relative_to(tmp_path).as_posix() for path in parts_of(tmp_path)]
    assert names == ["a.png", "b.png", "deep/d.png"]
    assert [path.name for path in parts_of(tmp_path / "*.png")] == ["a.png", "b.png"]
    assert parts_of(tmp_path / "none.png") == [tmp_path / "none.png"]
