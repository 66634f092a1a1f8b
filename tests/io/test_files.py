"""Files appear whole or not at all, and refusals name the file."""

import os
import stat
from pathlib import Path

import pytest

from gwtransfer.errors import ReadError, UsageError, WriteError
from gwtransfer.io import files
from gwtransfer.io.files import check_output, check_readable, sha256, whole


def write(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    with whole(path, overwrite=overwrite) as temporary:
        assert temporary.parent.parent == path.parent
        assert temporary.suffix == path.suffix
        temporary.write_bytes(content)


def test_unreadable_inputs_are_named(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    table = {
        "pictures.png": "picture.png?",
        "zzz": "no such file",
        "nowhere/x.png": "no folder",
        "picture.png/x.png": "not a folder",
        ".": "folder",
        "empty.png": "empty",
        "pipe": "regular",
        "a\0b": "cannot be read",
    }
    for name, words in table.items():
        with pytest.raises(ReadError) as caught:
            check_readable(tmp_path / name)
        message = str(caught.value)
        assert message.replace("\0", "?").startswith(f"{tmp_path / name}".replace("\0", "?")), name
        assert words in message, name
        assert "\n" not in message
    check_readable(tmp_path / "picture.png")


def test_no_permission_is_said(tmp_path, monkeypatch):
    path = tmp_path / "closed"
    path.write_bytes(b"x")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ReadError, match="no permission"):
        check_readable(path)


def test_a_whole_file_appears_with_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.bin", b"abc")
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, ReadError])
def test_whatever_ends_the_block_leaves_nothing_behind(tmp_path, error):
    path = tmp_path / "a.bin"
    with pytest.raises(error), whole(path, overwrite=False) as temporary:
        temporary.write_bytes(b"half")
        raise error("stop")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replacement_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    write(path, b"old")
    with pytest.raises(RuntimeError), whole(path, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"


def test_replacing_needs_to_be_asked_for(tmp_path):
    path = tmp_path / "a.bin"
    write(path, b"old")
    with pytest.raises(WriteError, match="--overwrite"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    write(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(files.os, "link", no_links)
        write(tmp_path / "free.bin", b"mine")
        assert (tmp_path / "free.bin").read_bytes() == b"mine"
    path = tmp_path / "a.bin"
    with pytest.raises(WriteError, match="already exists"), whole(path, overwrite=False) as temp:
        temp.write_bytes(b"mine")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert not list(tmp_path.glob(".gwtransfer*"))


def test_system_errors_carry_the_name_the_user_gave(tmp_path):
    path = tmp_path / "a.bin"
    for error in (OSError(28, "No space left on device"), WriteError("no")):
        with pytest.raises(WriteError) as caught, whole(path, overwrite=False) as temporary:
            if isinstance(error, WriteError):
                raise WriteError(f"{temporary}: no")
            raise error
        assert str(caught.value).startswith(f"{path}: ")
        assert ".gwtransfer" not in str(caught.value)


def test_outputs_are_refused_early(tmp_path, monkeypatch):
    source = tmp_path / "source.png"
    source.write_bytes(b"x")
    (tmp_path / "soft.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    for name in ("source.png", "soft.png", "hard.png"):
        with pytest.raises(UsageError, match="is the input"):
            check_output(tmp_path / name, overwrite=True, inputs=[source])
    with pytest.raises(WriteError, match="no folder"):
        check_output(tmp_path / "no" / "a.png", overwrite=True)
    with pytest.raises(WriteError, match="found a file"):
        check_output(source / "a.png", overwrite=True)
    with pytest.raises(WriteError, match="found a folder"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(WriteError, match="already exists"):
        check_output(tmp_path / "soft.png", overwrite=False)
    with pytest.raises(WriteError, match="device"):
        check_output(Path(os.devnull), overwrite=True)
    check_output(tmp_path / "other.png", overwrite=False, inputs=[source])
    monkeypatch.setattr(files.os, "access", lambda *_: False)
    with pytest.raises(WriteError, match="no permission"):
        check_output(tmp_path / "other.png", overwrite=False)


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # printf abc | sha256sum
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "a") == known
    with pytest.raises(ReadError):
        sha256(tmp_path / "b")
