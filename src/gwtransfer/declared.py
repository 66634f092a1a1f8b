"""Which stages the installed packages declare, read from their metadata; nothing is imported."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Literal, get_args

Kind = Literal["load", "prepare", "fit", "plan", "map", "write"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The six verbs, in the order in which they run; the entry-point group is ``gwtransfer.KIND``."""

OWN = "gwtransfer"
"""The package of the built-in stages."""


def in_a_line(error: BaseException) -> str:
    """Return the class of an error and the first line of what it says."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(": ")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage some installed package declares; its code has not been imported.

    Attributes
    ----------
    kind : str
        One of KINDS.
    name : str
    package, version : str
        The distribution that declares it.
    entry : EntryPoint
        Where its class is.
    """

    kind: Kind
    name: str
    package: str
    version: str
    entry: EntryPoint

    def __str__(self) -> str:
        return f"{self.kind} stage {self.name} of {self.package} {self.version}"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the metadata of all packages say.

    Attributes
    ----------
    stages : tuple of Stage
        In the order of the verbs, then by name and package.
    unread : tuple of str
        Packages whose metadata are damaged, and how; their stages are not known.
    """

    stages: tuple[Stage, ...]
    unread: tuple[str, ...]


@cache
def declared() -> Declared:
    """Read what is declared; of two copies of one package the first on the path counts."""
    stages: list[Stage] = []
    unread: list[str] = []
    seen: set[str] = set()
    for package in distributions():
        try:
            text = package.read_text("entry_points.txt") or ""
            if "gwtransfer." not in text:
                continue  # most packages; their names are not read, which would take ten times long
            name = _said(package, "Name") or "an unnamed package"
            if name not in seen:
                seen.add(name)
                stages += _stages(package, name)
        except Exception as error:  # a file that is not text, or a line that says nothing
            place = getattr(package, "_path", "the metadata of a package")
            unread.append(f"{place} is damaged: {in_a_line(error)}")
    stages.sort(key=lambda stage: (KINDS.index(stage.kind), stage.name, stage.package))
    return Declared(stages=tuple(stages), unread=tuple(unread))


def _stages(package: Distribution, name: str) -> list[Stage]:
    version = _said(package, "Version") or "of unknown version"
    entries = package.entry_points
    return [
        Stage(kind=kind, name=entry.name, package=name, version=version, entry=entry)
        for kind in KINDS
        for entry in entries.select(group=f"gwtransfer.{kind}")
    ]


def _said(package: Distribution, word: str) -> str | None:
    """Return what the metadata say for a word; unlike an index, None for nothing in any version."""
    return next(iter(package.metadata.get_all(word) or ()), None)
