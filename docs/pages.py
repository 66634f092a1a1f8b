"""A hook of mkdocs: pages that are made of the program itself while the site is built."""

import html
import re
from typing import Any

from commands import PROGRAM, Command, commands, program
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

import gwtransfer
from gwtransfer import registry

FOLDER = "reference/commands/"
STAGES = "reference/stages.md"
PYTHON = "reference/python.md"
RESULTS = ("api.images.Transferred", "api.comparing.Distance", "matching.job.Result")
"""What functions return that has no name in the package itself."""

KEYWORDS = "api.words"
FORMULA = re.compile(r"[=Σ|^_]")
KINDS = {
    "load": "Read a file.",
    "prepare": "Turn what was read into points.",
    "fit": "Fit a mixture to points.",
    "plan": "Couple two mixtures.",
    "map": "Carry a plan out on points.",
    "write": "Write a file.",
}
TOPICS = {
    "color": ("../../howto/cube-to-picture.md", "Give a cube the colours of a picture"),
    "apply": ("../../howto/sequence.md", "Grade a sequence of frames"),
    "lut": ("../../luts.md", "Plans for other programs: LUTs, and films"),
    "measure": ("../../quality.md", "How good is a result?"),
    "report": ("../../howto/report.md", "See a result and how far to trust it"),
    "diagnose": ("../../howto/diagnose.md", "Find out why a result disappoints"),
    "study": ("../../howto/study.md", "Find out what a single run hides"),
    "distance": ("../../retrieval.md", "How far to trust a distance"),
    "match": ("../../matching.md", "Matching two shapes"),
    "pairwise": ("../../pairwise.md", "Tables of distances"),
    "evaluate": ("../../retrieval.md", "How to judge many distances"),
    "embed": ("../../retrieval.md", "How to read the pictures"),
    "inspect": ("../../formats.md", "What is understood of files"),
    "run": ("../recipes.md", "Recipes"),
    "schema": ("../exit-codes.md", "Exit codes and streams"),
    "new-stage": ("../../extending.md", "Extend it"),
    "stages": ("../stages.md", "Every stage and its options"),
}
"""Where more is told of a command than how to call it."""


def on_config(config: Any) -> Any:
    """Put a page for each command into the navigation."""
    names = [f"{FOLDER}index.md", *(f"{FOLDER}{command.name}.md" for command in commands())]
    _expand(config.nav, names)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the commands and the page of the stages."""
    pages = {f"{FOLDER}index.md": overview(), STAGES: stages()}
    pages |= {f"{FOLDER}{command.name}.md": reference(command) for command in commands()}
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Name all that the package offers below the page on Python."""
    if page.file.src_uri != PYTHON:
        return markdown
    names = [name for name in gwtransfer.__all__ if not name.startswith("_")]
    names.sort(key=lambda name: (name[0].isupper(), name))
    parts = [f"\n::: gwtransfer.{name}\n" for name in (*names, *RESULTS)]
    shown = "    options:\n      show_if_no_docstring: true\n"
    return markdown + "".join(parts) + f"\n::: gwtransfer.{KEYWORDS}\n{shown}"


def on_page_content(content: str, *, page: Any, **_: Any) -> str:
    """Refuse a page that Markdown took a part of a formula from."""
    found = eaten(content)
    if found:
        raise PluginError(
            f"{page.file.src_uri}: expected words in italics, found {found!r}; "
            "put the formula in backticks, or a backslash before its asterisks"
        )
    return content


def eaten(content: str) -> str:
    """Return the first text in italics that looks like a formula; empty when none does."""
    for found in re.finditer(r"<em>(.*?)</em>", content, re.DOTALL):
        text = html.unescape(re.sub(r"<[^>]*>", "", found[1]))
        if FORMULA.search(text):
            return text
    return ""


def overview() -> str:
    """Return the page of all commands."""
    rows = "\n".join(
        f"| [`{command.name}`]({command.name}.md) | {escaped(command.summary)} |"
        for command in commands()
    )
    return (
        f"# The commands\n\n    {program().usage}\n\n{escaped(program().summary)}\n\n"
        f"| command | what it does |\n|---|---|\n{rows}\n\n"
        f"{panels(program())}\n"
        "These pages are what `--help` says, made from the program when the site is built. "
        f"The same is in the manual page: `man {PROGRAM}`.\n"
    )


def reference(command: Command) -> str:
    """Return the page of one command."""
    said = "\n\n".join(escaped(paragraph) for paragraph in command.paragraphs)
    uri, words = TOPICS.get(command.name, ("", ""))
    more = f"More: [{words}]({uri})\n\n" if uri else ""
    return f"# {PROGRAM} {command.name}\n\n    {command.usage}\n\n{said}\n\n{more}{panels(command)}"


def panels(command: Command) -> str:
    """Return the sections of a command's parameters."""
    parts = []
    for panel, records in command.panels.items():
        items = "\n".join(
            f'<dt id="{anchor(names)}"><code>{html.escape(names)}</code></dt>'
            f"<dd>{escaped(said)}</dd>"
            for names, said in records
        )
        parts.append(f'## {panel}\n\n<dl class="parameters">\n{items}\n</dl>\n\n')
    return "".join(parts)


def stages() -> str:
    """Return the page of the built-in stages; plug-ins of the machine that builds stay out."""
    parts = [
        "# Stages and their options\n\nEvery move from a file to a result is a stage. `--set "
        "KIND=STAGE` chooses one, `--set KIND.OPTION=VALUE` sets one of its options; in a recipe "
        "it is the table of its kind. `gwtransfer stages` lists them, those of installed plug-ins "
        "too. [Extend it](../extending.md) tells how to write one.\n\n"
    ]
    for kind, said in KINDS.items():
        parts.append(f"## {kind}\n\n{said}\n\n")
        for stage in registry.stages(kind):
            if stage.package != "gwtransfer":
                continue
            cls = registry.find(stage.kind, stage.name)
            summary = (cls.__doc__ or "").strip().split("\n\n")[0]
            parts.append(f"### {kind} = {stage.name}\n\n{escaped(' '.join(summary.split()))}\n\n")
            options = "\n".join(
                f'<dt id="{kind}-{stage.name}-{option.name}"><code>{kind}.{option.name} = '
                f"{shown(option.default)}</code>, {html.escape(option.type)}</dt>"
                f"<dd>{escaped(option.help)}</dd>"
                for option in registry.options(cls)
            )
            if options:
                parts.append(f'<dl class="parameters">\n{options}\n</dl>\n\n')
    return "".join(parts)


def shown(value: object) -> str:
    """Return a default as it is typed."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else html.escape(str(value))


def escaped(text: str) -> str:
    """Return words for HTML and Markdown at once; what stands in `quotes` becomes code."""
    parts = re.split(r"``?([^`]+)``?", text)
    safe = [
        f"<code>{html.escape(part)}</code>" if place % 2 else html.escape(part)
        for place, part in enumerate(parts)
    ]
    return re.sub(r"[*_|\[\]\\]", lambda found: f"&#{ord(found[0])};", "".join(safe))


def anchor(names: str) -> str:
    """Return the id of a parameter: the last of its names."""
    words = [word for word in re.split(r"[\s,/]+", names) if word.startswith("--")]
    return words[0].lstrip("-") if words else names.split(maxsplit=1)[0].lower()


def _expand(nav: list[Any], pages: list[str]) -> None:
    """Put a list of pages where the navigation names their folder."""
    for entry in nav:
        if isinstance(entry, dict):
            for title, value in entry.items():
                if value == FOLDER:
                    entry[title] = pages
                elif isinstance(value, list):
                    _expand(value, pages)
