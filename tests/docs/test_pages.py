"""What the pages tell to type exists, and where they point to is there."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from commands import commands, program

PROJECT = Path(__file__).parents[2]
PAGES = sorted([*(PROJECT / "docs").rglob("*.md"), PROJECT / "README.md"])
MADE = ("commands/", "stages.md")
"""Pages that are made while the site is built."""

FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def typed(page: str) -> list[list[str]]:
    """Return the words of each call of the program in the blocks of a page."""
    calls = []
    for language, block in FENCE.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            if language == "console" and not line.startswith("$ "):
                continue  # an answer
            for part in re.split(r"\|\||\|(?=\s)|&&|;", line.split("   #")[0]):
                call = part.strip().removeprefix("$ ").strip()
                if call.startswith("gwtransfer ") and "…" not in call:
                    calls.append(shlex.split(call, comments=True))
    return calls


@cache
def offered() -> dict[str, set[str]]:
    """Return the options that each command has, with those of the program."""
    return {
        command.name: {
            name
            for records in (*command.panels.values(), *program().panels.values())
            for names, _ in records
            for name in re.split(r"[\s,/]+", names)
            if name.startswith("-")
        }
        for command in (program(), *commands())
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_is_typed_exists(path: Path) -> None:
    """Each command of a page exists and has the options it is given."""
    known = offered()
    for words in typed(path.read_text("utf-8")):
        name = words[1] if not words[1].startswith("-") else ""
        assert name in known, " ".join(words)
        given = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        unknown = given - known[name]
        assert name == "run" or not unknown, f"{' '.join(words)}: no {', '.join(unknown)}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each link to a file of the project finds it."""
    for target in LINK.findall(path.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target) and not target.startswith(MADE):
            made = any(word in target for word in MADE)
            assert made or (path.parent / target).exists(), target


def test_the_pictures_are_small() -> None:
    """Each picture has at most 60 kB, and all together 600."""
    sizes = [path.stat().st_size for path in (PROJECT / "docs" / "pictures").iterdir()]
    assert max(sizes) <= 60_000
    assert sum(sizes) <= 600_000
