"""The program as a process: what it imports, signals, pipes, names, and the terminal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from .conftest import QUICK

CODE = "from gwtransfer_cli.program import run; run()"


def program(*arguments: str) -> list[str]:
    """Return the command of a run in a process of its own, in which any warning is an error."""
    return [sys.executable, "-W", "error", "-c", CODE, *arguments]


def ended(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    result = subprocess.run(program(*arguments), capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    return result


HEAVY = ("numpy", "scipy", "sklearn", "ot", "rasterio", "PIL", "imageio", "tifffile", "trimesh",
         "rich.console", "pydantic")  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",), ("color", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """No numpy, no solver, no reader, and nothing the command line is converted with."""
    code = (
        "import sys; from gwtransfer_cli.app import main; code = main(sys.argv[1:]);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr == ("[] 0\n" if arguments else "[] 2\n")
    assert "gwtransfer" in done.stdout


@pytest.mark.parametrize(
    ("shell", "words", "told"),
    [
        ("bash", {"COMP_WORDS": "gwtransfer color a.png --over", "COMP_CWORD": "3"}, "--overwrite"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "gwtransfer color --over"}, "Replace OUT if it exists."),
        ("bash", {"COMP_WORDS": "gwtransfer insp", "COMP_CWORD": "1"}, "inspect"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "gwtransfer insp"}, "reads all of it once."),
    ],
)
def test_completion_imports_nothing_heavy(shell: str, words: dict[str, str], told: str) -> None:
    """The rest of a word, where the shell shows it with its help, and no import to wait for."""
    code = (
        "import atexit, sys; from gwtransfer_cli.program import run;"
        f"atexit.register(lambda: print([m for m in {HEAVY!r} if m in sys.modules]));"
        "run()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "_GWTRANSFER_COMPLETE": f"complete_{shell}", **words},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told in done.stdout
    assert done.stdout.endswith("[]\n")
    assert done.stderr == ""


def test_help_stands_in_panels() -> None:
    """Every option once, under the heading of its panel; the flags of help among the plain ones."""
    text = ended("color", "--help").stdout
    headings = ["Arguments:", "Options:", "Fitting:", "Planning:", "Mapping:", "Reading:"]
    places = [text.index(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places)
    assert places[1] < text.index("-h, --help ") < places[2] < text.index("-k, --components <int>")
    assert text.count("--strength ") == 1


def test_version() -> None:
    """One line on stdout."""
    from importlib.metadata import version

    assert ended("--version").stdout == f"gwtransfer {version('gwtransfer')}\n"


def test_every_command_has_help() -> None:
    """And the top level lists them all."""
    text = ended("--help").stdout
    for command in ("color", "fit", "plan", "apply", "distance", "inspect", "stages"):
        assert f" {command} " in text


def test_no_colour_codes_away_from_a_terminal(folder: Path) -> None:
    """Neither in help nor in results nor in errors."""
    runs = [
        ended("--help"),
        ended("inspect", "photo.png"),
        ended("color", "photo.png", "palette.png", "-o", "out.png", "-k", "2"),
        ended("nosuch", code=2),
        ended("inspect", "nosuch.png", code=1),
    ]
    for result in runs:
        assert "\x1b" not in result.stdout + result.stderr
    assert runs[2].stderr == ""
    assert runs[3].stdout == ""


def test_a_pipe_that_closes_early_is_no_error() -> None:
    """As with `| head -1`: no traceback, no complaint."""
    reader, writer = os.pipe()
    with subprocess.Popen(program("stages"), stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(reader)
        os.close(writer)
        _, err = process.communicate(timeout=30)
    assert err == b""


@pytest.mark.parametrize("source", ["a picture.png", "Ünïcödé – 图.png", "-dash.png", "it's.png"])
def test_any_name_will_do(folder: Path, source: str) -> None:
    """Spaces, other alphabets, quotes, and a leading dash after `--`."""
    Path("photo.png").rename(source)
    output = "new " + source
    result = ended("color", "-k", "2", "-o", output, "--", source, "palette.png")
    assert result.stdout.startswith(f"source   {source}: ")
    assert Path(output).read_bytes().startswith(b"\x89PNG")
    told = ended("inspect", "missing " + source, code=1).stderr
    assert told.startswith(f"gwtransfer: missing {source}: no such file")


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a cube whose transfer takes seconds, most of them in writing."""
    path = tmp_path_factory.mktemp("large") / "large.npy"
    row = np.random.default_rng(0).normal(size=(1, 2000, 8)).astype(np.float32)
    np.save(path, np.repeat(row, 2500, axis=0))
    return path


@pytest.fixture
def large(folder: Path, cube: Path) -> Path:
    """Put the large cube into the folder."""
    Path("large.npy").symlink_to(cube)
    return folder


LONG = ("color", "large.npy", "palette.png", "-o", "out.npy", "-k", "6", "--variance", "1",
        "--map", "rand", "--band-axis", "2", *QUICK)  # fmt: skip


def started(folder: Path, *, writing: bool) -> Iterator[subprocess.Popen[str]]:
    """Start a long run and wait until it works, or until it writes."""
    process = subprocess.Popen(
        program(*LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 30
        if writing:
            while not any(p.stat().st_size for p in temporary(folder)):
                assert time.monotonic() < end
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
        else:
            time.sleep(1.2)
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()


def temporary(folder: Path) -> list[Path]:
    return list(folder.glob(".gwtransfer-*/*"))


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(large: Path, number: int, writing: bool) -> None:
    """130, one line, within about a second, and the folder as it was."""
    before = sorted(large.iterdir())
    for process in started(large, writing=writing):
        process.send_signal(number)
        asked = time.monotonic()
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - asked
        assert process.returncode == 130
        assert (out, err) == ("", "gwtransfer: interrupted\n")
        assert took < 2
    assert sorted(large.iterdir()) == before


def test_a_killed_run_leaves_no_half_result(large: Path) -> None:
    """There is no OUT after kill −9, the old one stays, and the same command then succeeds."""
    for process in started(large, writing=True):
        process.kill()
        process.communicate()
    assert not Path("out.npy").exists()
    assert temporary(large)
    # The same over an old result, on a smaller cube.
    start = np.load("large.npy", mmap_mode="r")[:60]
    Path("large.npy").unlink()
    np.save("large.npy", start)
    ended(*LONG)
    assert np.isfinite(np.load("out.npy")).all()
    assert temporary(large) == []
