"""`new-stage` writes a package that installs, works and passes its tests, whole or not at all."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gwtransfer import registry, scaffolding
from gwtransfer.declared import KINDS

Run = Callable[..., Any]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(folder: Path, paths: list[Path], *arguments: str) -> str:
    """Run Python with folders on the path, expect success, and return what it printed."""
    known = [*map(str, paths), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    absolute = [str(Path(path).absolute()) for path in known]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(absolute)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


COMMANDS = """
import sys
from pathlib import Path
from gwtransfer_cli.app import main
for line in sys.argv[1:]:
    assert main(line.split()) == 0, line
"""


PIP = ("install", "-qq", "--disable-pip-version-check", "--no-deps", "--no-index",
       "--no-build-isolation")  # fmt: skip
PYTEST = ("-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:dash",
          "--import-mode=importlib", "-c", os.devnull)  # fmt: skip


@pytest.mark.slow
def test_a_package_of_every_kind_installs_and_works(folder: Path, run: Run) -> None:
    """Listed with its options, its own tests pass, and commands run through all of them."""
    for kind in KINDS:
        made = run("new-stage", f"own_{kind}", "--kind", kind, "-o", kind)
        assert made.code == 0
        assert [path for path in made.out.split() if not Path(path).is_file()] == []
    site = folder / "site"
    folders = [str(folder / kind) for kind in KINDS]
    ended(folder, [], "-m", "pip", *PIP, "--target", str(site), *folders)
    assert "16 passed" in ended(folder, [site], "-m", "pytest", *PYTEST, *folders)
    through = "--set prepare=own_prepare --set fit=own_fit --solver own_plan --map own_map"
    colour = f"color photo.png palette.png -o out.own_write {through} --set map.softness=0.5"
    said = ended(folder, [site], "-c", COMMANDS, "stages --json", colour).splitlines()[0]
    listed = {(one["kind"], one["name"]): one for one in json.loads(said)["stages"]}
    for kind in KINDS:
        assert listed[kind, f"own_{kind}"]["package"] == f"gwtransfer-own-{kind}"
        assert listed[kind, f"own_{kind}"]["fault"] is None
        assert len(listed[kind, f"own_{kind}"]["options"]) > 0
    written = (folder / "out.own_write").read_bytes()
    assert written.startswith(b"OWN_WRITE 24 20 3\n")
    (folder / "cube").write_bytes(written.replace(b"OWN_WRITE", b"OWN_LOAD", 1))
    assert "columns        20" in ended(folder, [site], "-c", COMMANDS, "inspect cube")


def test_the_files_are_said(empty: Path, run: Run) -> None:
    """In lines, with what to do next on stderr, or as JSON; the default is a map in ./NAME."""
    made = run("new-stage", "warm")
    assert made.out.split() == [str(path) for path in places("warm", "warm")]
    assert "pip install -e warm" in made.err
    made = run("new-stage", "warm", "--kind", "fit", "-o", "elsewhere", "--json")
    said = json.loads(made.out)
    assert (said["command"], said["folder"]) == ("new-stage", "elsewhere")
    assert said["files"] == [str(path) for path in places("elsewhere", "warm")]
    held = sorted(path for path in empty.rglob("*") if path.is_file())
    assert len(held) == 10
    assert not any("$" in path.read_text() for path in held)


def places(folder: str, name: str) -> list[Path]:
    """Return the files of a package."""
    inner = ("README.md", "pyproject.toml", f"src/{name}/__init__.py", f"src/{name}/stage.py")
    return [Path(folder) / place for place in (*inner, f"tests/test_{name}.py")]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["Warm"], 2, "expected a name of a Python package"),
        (["two words"], 2, "expected a name of a Python package"),
        (["../up"], 2, "expected a name of a Python package"),
        (["1st"], 2, "expected a name of a Python package"),
        (["lambda"], 2, "expected a name of a Python package"),
        ([""], 2, "expected a name of a Python package"),
        (["w" * 41], 2, "expected at most 40 characters, got 41"),
        (["mean"], 2, "there is a map stage mean of gwtransfer"),
        (["numpy"], 2, "Python finds a module of this name already"),
        (["json", "--kind", "fit"], 2, "Python finds a module of this name already"),
        (["jpg", "--kind", "write"], 2, "write stage jpeg of gwtransfer"),
        (["warm", "--kind", "maps"], 2, "no kind of stage is called 'maps'; did you mean map?"),
        (["warm", "-o", "file"], 1, "file: already exists; choose another folder with -o"),
        (["warm", "-o", "none/warm"], 1, "none/warm: there is no folder none; make it first"),
        (["warm", "-o", "."], 1, ".: already exists"),
    ],
)
def test_what_cannot_be_made_is_refused(
    empty: Path, run: Run, arguments: list[str], code: int, words: str
) -> None:
    """One line, and the folder stays as it was."""
    (empty / "file").write_text("kept")
    made = run("new-stage", *arguments)
    assert (made.code, made.out) == (code, "")
    assert words in made.err
    assert len(made.err.splitlines()) == 1
    assert [path.name for path in empty.iterdir()] == ["file"]


def test_an_interrupt_leaves_nothing(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a package never appears, nor what it was written to."""
    write, written = Path.write_text, []

    def interrupted(path: Path, *given: Any, **named: Any) -> int:
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt
        return write(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scaffolding.new_stage("warm", "map", empty / "warm")
    assert len(written) == 3
    assert list(empty.iterdir()) == []


def test_a_broken_plugin_hinders_no_new_stage(
    empty: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that cannot be imported is asked for its extensions in vain."""
    known = registry.stages()
    entry = registry.EntryPoint("lost", "no_such_module_anywhere:Lost", "gwtransfer.write")
    lost = registry.Stage(kind="write", name="lost", package="lost", version="1", entry=entry)
    monkeypatch.setattr(registry, "_discover", lambda: (*known, lost))
    assert run("new-stage", "warm", "--kind", "write").code == 0
    listed = json.loads(run("stages", "write", "--json").out)["stages"]
    said = {stage["name"]: stage["fault"] for stage in listed}
    assert said["lost"].startswith("write stage lost of lost 1 cannot be imported: ModuleNotFound")
    assert said["png"] is None


GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"
SHOWN = {
    "load": "cells", "prepare": "plain", "fit": "nearby", "plan": "ranked", "map": "flat",
    "write": "cells",
}  # fmt: skip
"""What the stages in the guide are called."""


def test_the_guide_shows_what_new_stage_writes() -> None:
    """Every block of code of the stage author's guide is a file of a package that is tested."""
    page = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    kept = {text for kind in KINDS for text in scaffolding.rendered(SHOWN[kind], kind).values()}
    assert len(blocks) == 8
    assert [block[:60] for block in blocks if block not in kept] == []


def test_the_commands_of_the_guide_are_understood(folder: Path, run: Run) -> None:
    """Those of gwtransfer run as they stand, but for the package that is not installed here."""
    page = GUIDE.read_text(encoding="utf-8")
    commands = re.findall(r"^\$ gwtransfer (.*)$", page, re.MULTILINE)
    codes = {command: run(*command.split()).code for command in commands}
    assert list(codes.values()) == [0, 0, 2]
    assert "no map stage is called 'flat'" in run(*commands[-1].split()).err
    assert (folder / "flat" / "pyproject.toml").is_file()
