"""The manual page says what the program can do, and shows without a complaint."""

import re
import shutil
import subprocess
from pathlib import Path

import manpage
import pytest
from commands import commands, program

PROJECT = Path(__file__).parents[2]


def plain(text: str) -> str:
    """Return roff without its escapes."""
    text = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda code: chr(int(code[1], 16)), text)
    text = re.sub(r"\\f[BIR]|\\&", "", text.replace("\\-", "-"))
    return " ".join(text.replace("\\(aq", "'").split())


def test_every_command_and_option_is_named() -> None:
    """Nothing the program understands is missing, and each is told what help tells."""
    page = plain(manpage.page())
    for command in (program(), *commands()):
        assert plain(manpage.escaped(command.usage)) in page or not command.name
        for records in command.panels.values():
            for names, said in records:
                assert plain(manpage.escaped(names)) in page
                assert plain(manpage.roff(said)) in page


def test_the_kept_page_is_current() -> None:
    """`make man` would write what is there; if not: say it, and commit the page."""
    assert (PROJECT / "man" / "gwtransfer.1").read_text("utf-8") == manpage.page()


def test_the_examples_are_understood() -> None:
    """Every example calls a command that exists, with options it has."""
    known = {command.name: command for command in commands()}
    for _, *lines in manpage.EXAMPLES:
        for line in lines:
            words = line.split()
            assert words[0] == "gwtransfer"
            offered = {
                name
                for records in known[words[1]].panels.values()
                for names, _ in records
                for name in re.split(r"[\s,/]+", names)
            }
            given = {word for word in words if word.startswith("-")}
            assert words[1] == "run" or given <= offered  # those after a recipe are its command's


@pytest.mark.parametrize(
    "checker",
    [("mandoc", "-T", "lint", "-W", "style"), ("groff", "-ww", "-man", "-Tutf8", "-z")],
    ids=lambda checker: checker[0],
)
def test_the_page_has_no_fault(tmp_path: Path, checker: tuple[str, ...]) -> None:
    """Those who check manual pages find nothing to complain of, style included."""
    if shutil.which(checker[0]) is None:
        pytest.skip(f"{checker[0]} is not installed")
    path = tmp_path / "gwtransfer.1"
    manpage.main(path)
    found = subprocess.run([*checker, path], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)
