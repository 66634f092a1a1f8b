"""Write the manual page, from the commands themselves: ``python docs/manpage.py OUT``."""

import re
import sys
import textwrap
from pathlib import Path

from commands import PROGRAM, Command, commands, program

from gwtransfer import __version__

GENERAL = (
    "Results go to standard output and everything else to standard error. A file appears whole or "
    "not at all, and replaces another only when told to. Same inputs, same seed, same bytes."
)
EXIT_STATUS = (
    ("0", "Done."),
    ("1", "Refused, because of what files hold."),
    ("2", "Misused: the command line could never work."),
    ("3", "Some files of many failed; each is named, and the others are done."),
    ("130", "Interrupted; nothing half-written is left."),
)
ENVIRONMENT = (
    ("NO_COLOR", "Set and not empty: nothing is printed in colours, on a terminal either."),
    ("COLUMNS", "Width of the help."),
)
FILES = (
    ("NAME.npz", "A mixture of `fit` or a plan of `plan`, with a checksum."),
    ("RECIPE.toml", "A run as `--print-recipe` prints it and `run` reads it."),
    (".OUT.made", "What OUT was made of, for `--skip-existing`."),
    (".gwtransfer-*", "Where outputs are made; the next run removes what a killed one left."),
    ("OUT.work", "What `pairwise` keeps to go on; may be deleted at any time."),
)
EXAMPLES = (
    (
        "A cube in the colours of a picture:",
        "gwtransfer color cube.hdr painting.jpg -o picture.png",
    ),
    (
        "One look for many frames:",
        "gwtransfer color first.png look.jpg -o graded.png --save-plan look.npz",
        "gwtransfer apply look.npz frames -o graded",
    ),
    (
        "A run kept as a recipe, and run with another seed:",
        "gwtransfer color cube.hdr painting.jpg -o picture.png --print-recipe > picture.toml",
        "gwtransfer run picture.toml -o second.png --seed 2",
    ),
    ("How good is it?", "gwtransfer measure cube.hdr picture.png --palette painting.jpg"),
    (
        "Why is it muddy?",
        "gwtransfer diagnose plan.npz --source cube.hdr --target painting.jpg",
    ),
    ("How far are two shapes apart?", "gwtransfer distance horse.obj cat.obj"),
    ("All distances of a folder:", "gwtransfer pairwise meshes --recursive -o distances.csv"),
    ("Which vertex is which:", "gwtransfer match horse-1.obj horse-2.obj -o match"),
)
"""What each shows, and the lines to type."""

DATED = "2026-11-21"
"""When the words of this file, not those of the commands, were last changed."""

WIDTH = 79
"""Letters a line of source; lint asks for fewer than 80."""

LETTERS = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "~": "\\(ti",
    "^": "\\(ha",
    '"': "\\(dq",
    "…": "...",
}
"""What roff would take for something else, or may lack."""


def roff(text: str) -> str:
    """Return a text as roff shows it; `quoted` words become bold."""
    parts = re.split(r"`([^`]+)`", text)
    shown = [
        f"\\fB{escaped(part)}\\fR" if place % 2 else escaped(part)
        for place, part in enumerate(parts)
    ]
    lines = textwrap.wrap(
        "".join(shown), WIDTH, break_long_words=False, break_on_hyphens=False
    ) or ["\\&"]
    return "\n".join(f"\\&{line}" if line.startswith((".", "\\(aq")) else line for line in lines)


def escaped(text: str) -> str:
    """Return a text whose letters roff takes as they are."""
    return "".join(
        LETTERS.get(letter) or (letter if letter.isascii() else f"\\[u{ord(letter):04X}]")
        for letter in text
    )


def tagged(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    """Return a list of bold words, each with its paragraph."""
    lines = []
    for word, said in pairs:
        lines += [".TP", f"\\fB{escaped(word)}\\fR", roff(said)]
    return lines


def described(command: Command) -> list[str]:
    """Return the section of one command."""
    lines = [f".SS {roff(command.usage)}"]
    for place, paragraph in enumerate(command.paragraphs):
        lines += [".PP", roff(paragraph)] if place else [roff(paragraph)]
    for panel, records in command.panels.items():
        lines += [".PP", f"\\fI{roff(panel)}\\fR", *tagged(records)]
    return lines


def page() -> str:
    """Return the whole page."""
    whole = program()
    lines = [
        f'.\\" Made by docs/manpage.py from the commands of {PROGRAM} {__version__}.',
        f'.TH {PROGRAM.upper()} 1 "{DATED}" "{PROGRAM} {__version__}" "User Commands"',
        ".SH NAME",
        f"{PROGRAM} \\- colours and correspondences between spaces of different dimension",
        ".SH SYNOPSIS",
        f".B {PROGRAM}",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *(roff(paragraph) for paragraph in whole.paragraphs),
        ".PP",
        roff(GENERAL),
        ".SH OPTIONS",
        "These stand before the command.",
    ]
    for records in whole.panels.values():
        lines += tagged(records)
    lines.append(".SH COMMANDS")
    for command in commands():
        lines += described(command)
    lines += [".SH EXIT STATUS", *tagged(EXIT_STATUS)]
    lines += [".SH ENVIRONMENT", *tagged(ENVIRONMENT)]
    lines.append(".SH FILES")
    for name, said in FILES:
        lines += [".TP", f"\\fI{escaped(name)}\\fR", roff(said)]
    lines.append(".SH EXAMPLES")
    for said, *typed in EXAMPLES:
        lines += [".TP", roff(said), ".nf", *map(escaped, typed), ".fi"]
    return "\n".join(lines) + "\n"


def main(out: Path) -> None:
    """Write the page to a file; the folder is made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
