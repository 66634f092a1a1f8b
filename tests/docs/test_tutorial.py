"""The tutorial does what it says: every command runs, in order, and answers as printed."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MARK = "-- answered --"
TOLERANCE = 0.01
"""Decimals may differ by this share: another processor adds in another order."""

FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
DECIMAL = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Step:
    """A line to type and the answer the page prints."""

    typed: str
    answer: str


def steps(page: str) -> list[Step]:
    """Return what the console blocks of a page type, in order."""
    found: list[Step] = []
    for block in FENCE.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], ""))
            else:
                found[-1] = Step(found[-1].typed, f"{found[-1].answer}{line}\n")
    return found


def script(typed: list[str]) -> str:
    """Return a shell script that marks where each answer ends, and with which exit code."""
    return "".join(f"{{ {line}\n}} 2>&1; (c=$?; echo '{MARK}' $c; exit $c)\n" for line in typed)


def pattern_of(line: str) -> str:
    """Return what a printed line stands for: dots alone for any lines, within one for any words."""
    if line == "...":
        return "(?s:.*)"
    words = re.escape(line).replace(re.escape("..."), ".*")
    return re.sub(r"\d+\\\.\d+", r"(\\d+\\.\\d+)", words) + "\n"


def differs(printed: str, answer: str) -> str:
    """Return how an answer differs from the printed one; empty when it does not."""
    pattern = "".join(map(pattern_of, printed.splitlines()))
    match = re.fullmatch(pattern, answer)
    if match is None:
        return f"expected\n{printed}\ngot\n{answer}"
    wanted = [float(number) for number in DECIMAL.findall(printed)]
    for want, got in zip(wanted, map(float, match.groups()), strict=True):
        if abs(want - got) > TOLERANCE * abs(want):
            return f"expected {want}, got {got} in\n{answer}"
    return ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder as it is after `make install`: the program, the Makefile, the sample data."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT / "sample_data", folder / "sample_data")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / name, folder)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent, target_is_directory=True)
    (folder / ".venv" / ".installed").touch()
    return folder


@pytest.mark.slow
def test_every_command_answers_as_printed(checkout: Path) -> None:
    """A newcomer who types the page from top to bottom sees what it prints."""
    page = steps((PROJECT / "docs" / "tutorial.md").read_text("utf-8"))
    assert len(page) > 20
    inner = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")  # this may itself run under make
    environment = {name: value for name, value in os.environ.items() if name not in inner}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc"],
        input=script([step.typed for step in page]),
        cwd=checkout,
        env=environment | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=240,
    )
    assert done.stderr == ""
    answers = re.findall(rf"(.*?){MARK} (\d+)\n", done.stdout, re.DOTALL)
    assert len(answers) == len(page)
    for place, (step, (answer, code)) in enumerate(zip(page, answers, strict=True)):
        assert not differs(step.answer, answer), f"$ {step.typed}\n{differs(step.answer, answer)}"
        asked = place + 1 < len(page) and page[place + 1].typed == "echo $?"
        refused = answer.startswith("gwtransfer: ") and step.answer.startswith("gwtransfer: ")
        assert (code == "0") != (asked or refused), f"$ {step.typed}\nexit code {code}"


@pytest.mark.parametrize(
    ("printed", "answer", "same"),
    [
        ("value 0.500, 3 of 4\n", "value 0.502, 3 of 4\n", True),
        ("value 0.500, 3 of 4\n", "value 0.520, 3 of 4\n", False),
        ("value 0.500, 3 of 4\n", "value 0.500, 2 of 4\n", False),
        ("first\n...\nlast 1, ... s\n", "first\na\nb\nlast 1, 2.5 s\n", True),
        ("first\n", "first\nsecond\n", False),
    ],
)
def test_an_answer_is_compared(printed: str, answer: str, *, same: bool) -> None:
    """Words and whole numbers must agree, decimals nearly; dots stand for anything."""
    assert (differs(printed, answer) == "") is same
