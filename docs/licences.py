"""Write the list of the licences of everything that is locked: ``python docs/licences.py FILE``."""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[1]
SITES = [*sys.path, *map(str, TOP.glob(".venv/tools/lib/python*/site-packages"))]
USES = {
    "constraints-docs.txt": "docs",
    "constraints-fuzz.txt": "fuzz",
    "constraints-tools.txt": "lock and audit",
}
"""What the packages of the smaller locks are for."""
FAMILIES = {
    "Redistribution and use in source and binary forms": "BSD",
    "Apache License": "Apache",
}
"""What gives a licence away where only its text is there."""

INTRODUCTION = """\
# Licences of the dependencies

Made by `make licences` from the metadata of the installed packages; not edited by hand.
*For* says who asks for a package, itself or through others: the program as anyone installs it,
one of its extras, or a target of the Makefile. What follows from these licences is told in
[supply-chain.md](supply-chain.md).

| package | version | licence | for |
|---|---|---|---|
"""
ABSENT = """
Locked for other systems or versions of Python, and so not read here: {}.
"""
BUNDLED = """
## Libraries inside the wheels

Shared libraries that a wheel for Linux x86_64 brings in a folder of its own.
What is linked statically does not show.

| package | libraries |
|---|---|
"""


def locked(lock: Path) -> dict[str, set[str]]:
    """Read the versions of each package of a lock, several where markers tell them apart."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def installed() -> dict[tuple[str, str], Distribution]:
    """Find all installed packages, those of the tools too, by name and version."""
    found = distributions(path=SITES)
    return {(canonicalize_name(one.metadata["Name"]), one.version): one for one in found}


def licence(package: Distribution) -> str:
    """State the licence of a package in the words of its metadata."""
    fields = package.metadata
    short = fields.get("License") or ""
    if fields.get("License-Expression"):
        return str(fields.get("License-Expression"))
    if short and "\n" not in short and not short.startswith(("UNKNOWN", "Copyright")):
        return str(short)
    classifiers = fields.get_all("Classifier") or []
    named = [one.split(" :: ")[-1] for one in classifiers if one.startswith("License :: ")]
    if named:
        return ", ".join(named)
    for file in fields.get_all("License-File") or []:
        text = package.read_text(f"licenses/{file}") or ""
        for phrase, family in FAMILIES.items():
            if phrase in text:
                return f"{family}, by its text"
    return "not stated"


def reached(extra: str) -> Iterator[str]:
    """Name the installed packages that the program needs with an extra, ``""`` for none."""
    seen: set[tuple[str, str]] = set()
    waiting = [("gwtransfer", extra)]
    while waiting:
        name, with_extra = waiting.pop()
        if (name, with_extra) in seen:
            continue
        seen.add((name, with_extra))
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        yield name
        for line in needs:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": with_extra}):
                further = canonicalize_name(need.name)
                waiting += [(further, one) for one in ("", *need.extras)]


def uses() -> dict[str, list[str]]:
    """Tell for each package of the main lock what asks for it."""
    own = next(one for one in distributions(name="gwtransfer"))
    extras = own.metadata.get_all("Provides-Extra") or []
    program = set(reached(""))
    asked = {name: ["program"] for name in program}
    for extra in sorted(set(extras) - set(USES.values())):
        for name in sorted(set(reached(extra)) - program):
            asked.setdefault(name, []).append(extra)
    return asked


def bundled(packages: Iterable[Distribution]) -> dict[str, list[str]]:
    """List the shared libraries in the ``.libs`` folder of each package that has one."""
    libraries: dict[str, list[str]] = {}
    for package in packages:
        files = (file.parts for file in package.files or [] if file.parts[0].endswith(".libs"))
        names = {
            re.split(r"(?:-[0-9a-f]{6,})?(?:\.so|-[0-9a-f]{8})", parts[-1])[0] for parts in files
        }
        if names:
            libraries[canonicalize_name(package.metadata["Name"])] = sorted(names, key=str.lower)
    return libraries


def page() -> str:
    """Compose the list of all that is locked and installed, and name what is locked for others."""
    present, asked = installed(), uses()
    wanted = [
        (name, version, asked.get(name, []) if lock == "constraints.txt" else [USES[lock]])
        for lock in ("constraints.txt", *USES)
        for name, versions in locked(TOP / lock).items()
        for version in versions
    ]
    rows: dict[tuple[str, str], list[str]] = {}
    for name, version, use in wanted:
        if (name, version) in present and use:
            rows.setdefault((name, version), use)
    lines = (
        f"| {name} | {version} | {licence(present[name, version])} | {', '.join(use)} |\n"
        for (name, version), use in sorted(rows.items())
    )
    absent = sorted(
        {f"{name} {version}" for name, version, _ in wanted if (name, version) not in rows}
    )
    libraries = (
        f"| {name} | {', '.join(names)} |\n"
        for name, names in sorted(bundled(present[one] for one in rows).items())
    )
    missing = ABSENT.format(", ".join(absent) or "none")
    return INTRODUCTION + "".join(lines) + missing + BUNDLED + "".join(libraries)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
