"""Guides do what they say: every command of theirs works, in order, and answers as printed."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gwtransfer_cli.app import main

from .test_tutorial import PROJECT, differs, steps

GUIDES = ("diagnose", "proportions", "report")
"""Pages of docs/howto that are typed in the folder ``play`` of the tutorial."""


@pytest.mark.parametrize("guide", GUIDES)
def test_guides_answer_as_printed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    guide: str,
) -> None:
    """What a guide types works from beginning to end, in a copy of the sample data."""
    shutil.copytree(PROJECT / "sample_data", tmp_path / "play")
    monkeypatch.chdir(tmp_path / "play")
    asked = steps((PROJECT / "docs" / "howto" / f"{guide}.md").read_text("utf-8"))
    assert len(asked) > 2
    for step in asked:
        program, *arguments = shlex.split(step.typed)
        if program == "python":
            subprocess.run([sys.executable, *arguments], check=True)
            continue
        assert program == "gwtransfer"
        code = main(arguments)
        out, err = capsys.readouterr()
        assert (code, err) == (0, ""), f"$ {step.typed}\n{err}"
        assert not differs(step.answer, out), f"$ {step.typed}\n{differs(step.answer, out)}"
