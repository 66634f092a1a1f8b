"""What is installed is pinned, hashed, licensed, and told about truly."""

import importlib.util
import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"
MAIN, RUN = "constraints.txt", "constraints-run.txt"
LOCKS = (MAIN, RUN, "constraints-docs.txt", "constraints-fuzz.txt", "constraints-tools.txt")
UNLOCKED = {"generative", "gpu"}
"""Extras whose wheels depend on the card of the machine."""

REVIEWED = {"certifi", "color-matcher", "docutils", "hypothesis", "pathspec", "tqdm"}
"""Packages under a copyleft licence, each weighed in docs/supply-chain.md."""

FFMPEG = {"libav" + part for part in ("codec", "device", "filter", "format", "util")}
FFMPEG |= {"libswresample", "libswscale", "libx264", "libx265"}
TRANSPORT = {"libgmp", "libgnutls", "libhogweed", "libnettle", "libunistring"}
REVIEWED_LIBRARIES = {
    "av": FFMPEG | TRANSPORT | {"libasound", "libmp3lame"},
    "imagecodecs": {"libgomp"},
    "numpy": {"libgfortran", "libquadmath"},
    "pot": {"libgomp"},
    "rasterio": {"libgeos", "libgeos_c"},
    "scikit-learn": {"libgomp"},
    "scipy": {"libgfortran", "libquadmath"},
}
"""Libraries under a copyleft licence inside wheels, weighed there too."""

OUTSIDE_MAKE = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
"""The environment without what a make around these tests hands down."""

COPYLEFT = re.compile(r"GPL|General Public|MPL|Mozilla|EUPL|EPL|CDDL|-SA\b")
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software")
COPYLEFT_LIBRARY = re.compile(
    r"lib(asound|av(codec|device|filter|format|util)|sw(scale|resample)|postproc|x26[45]|xvid|"
    r"gnutls|nettle|hogweed|gmp|unistring|idn|mp3lame|geos|gomp|gfortran|quadmath|heif|de265|raw|"
    r"fftw|rubberband|vidstab|fribidi|glib|cairo|gsl|cholmod|umfpack|spqr|readline)"
)


def pins(lock: str) -> dict[str, set[str]]:
    """Read name and versions of each package of a lock."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (TOP / lock).read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def rows() -> dict[tuple[str, str], tuple[str, str]]:
    """Read the table of licences: package and version, then licence and use."""
    text = (DOCS / "licences.md").read_text("utf-8")
    found = re.findall(r"^\| (\S+) \| (\d\S*) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    return {(name, version): (stated, use) for name, version, stated, use in found}


def libraries() -> dict[str, list[str]]:
    """Read the table of the libraries inside wheels."""
    text = (DOCS / "licences.md").read_text("utf-8").partition("## Libraries")[2]
    found = re.findall(r"^\| ([\w-]+) \| (lib.+) \|$", text, re.MULTILINE)
    return {name: names.split(", ") for name, names in found}


@pytest.fixture(scope="module")
def listing() -> ModuleType:
    """Load the script that writes the list of licences."""
    spec = importlib.util.spec_from_file_location("licences", DOCS / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    """Each entry has one exact version and a SHA-256 sum, and nothing names a server."""
    text = (TOP / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"index-url|find-links|trusted-host", text)
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n", "", text))
    assert len(entries) == len(re.findall(r"(?m)^[a-z0-9]", text)) > 0
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Each requirement, of the build too, is met by the version in the lock that serves it."""
    declared = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    extras = declared["project"]["optional-dependencies"]
    asked = {RUN: declared["project"]["dependencies"]}
    asked[MAIN] = [*declared["build-system"]["requires"], *asked[RUN]]
    for extra in set(extras) - UNLOCKED:
        own = f"constraints-{extra}.txt"
        asked.setdefault(own if own in LOCKS else MAIN, []).extend(extras[extra])
    for lock, requirements in asked.items():
        locked = pins(lock)
        for line in requirements:
            need = Requirement(line)
            versions = locked.get(canonicalize_name(need.name), set())
            assert any(need.specifier.contains(one) for one in versions), f"{lock}: {line}"


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_locks_agree(lock: str) -> None:
    """A package that two locks hold has one version, so that both fit into one environment."""
    main, other = pins(MAIN), pins(lock)
    shared = set(main) & set(other)
    assert {name: other[name] for name in shared} == {name: main[name] for name in shared}
    assert lock != RUN or shared == set(other)


def test_nothing_is_installed_unverified() -> None:
    """Each installation of the Makefile checks hashes and builds nothing, or needs no network."""
    stamps = [".venv/.installed", ".venv/.docs", ".venv/.fuzz", ".venv/tools/.installed"]
    done = subprocess.run(
        ["make", "-n", "-B", *stamps], cwd=TOP, capture_output=True, text=True, check=True,
        env=OUTSIDE_MAKE,
    )  # fmt: skip
    calls = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(calls) == len(stamps) + 1
    for call in calls:
        verified = "--require-hashes" in call and "--only-binary :all:" in call
        alone = all(word in call for word in ("--no-index", "--no-deps", "--no-build-isolation"))
        assert verified != alone, call


def test_the_list_of_licences_is_current() -> None:
    """The list names the packages of the locks at their versions, and nothing else."""
    text = (DOCS / "licences.md").read_text("utf-8")
    (absent,) = re.findall(r"and so not read here: (.+)\.$", text, re.MULTILINE)
    elsewhere = {tuple(one.split()) for one in absent.split(", ") if one != "none"}
    locked = {
        (name, version)
        for lock in LOCKS
        for name, versions in pins(lock).items()
        for version in versions
    }
    assert not elsewhere & set(rows())
    assert elsewhere | set(rows()) == locked


def test_the_listed_licences_are_those_of_the_packages(listing: ModuleType) -> None:
    """Of what is installed at the locked version, the list has the metadata's own words."""
    present = listing.installed()
    read = {one: stated for one, (stated, _) in rows().items() if one in present}
    assert len(read) > 60
    assert {one: listing.licence(present[one]) for one in read} == read
    if sys.platform == "linux" and platform.machine() == "x86_64":
        inside = listing.bundled(present[one] for one in read)
        assert inside == {name: libraries()[name] for name in inside}


def test_no_copyleft_comes_in_unseen() -> None:
    """What is neither permissive nor weighed in the documentation fails here."""
    stated = {name: words for (name, _), (words, _) in rows().items()}
    assert {name for name, words in stated.items() if COPYLEFT.search(words)} == REVIEWED
    strange = {name for name, words in stated.items() if not PERMISSIVE.search(words)}
    assert strange <= REVIEWED
    inside = {
        name: {one for one in names if COPYLEFT_LIBRARY.match(one)}
        for name, names in libraries().items()
    }
    assert {name: names for name, names in inside.items() if names} == REVIEWED_LIBRARIES
    page = (DOCS / "supply-chain.md").read_text("utf-8")
    weighed = REVIEWED.union(REVIEWED_LIBRARIES, *REVIEWED_LIBRARIES.values())
    assert {word for word in weighed if f"`{word}`" not in page} == set()


ANSWERS = {
    "sound": ("echo No known vulnerabilities found >&2", 0),
    "vulnerable": ("echo Found 1 known vulnerability >&2; echo 'pillow 1.0 CVE-0'; exit 1", 2),
    "silent": ("echo Traceback >&2; echo 'ConnectionError: refused' >&2; exit 1", 2),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_audit_says_what_it_knows(answer: str, tmp_path: Path) -> None:
    """A service that says nothing fails like a vulnerability, in words of its own."""
    script, status = ANSWERS[answer]
    (tmp_path / "Makefile").write_bytes((TOP / "Makefile").read_bytes())
    tool = tmp_path / ".venv/tools/bin/pip-audit"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\ntest "$1" = --strict || exit 9\n{script}\n', "utf-8")
    tool.chmod(0o755)
    for lock in LOCKS:
        (tmp_path / lock).touch()
    (tmp_path / ".venv/tools/.installed").touch()
    done = subprocess.run(
        ["make", "-s", "audit"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=OUTSIDE_MAKE,
    )  # fmt: skip
    assert done.returncode == status
    assert done.stdout.count("no known vulnerability") == (len(LOCKS) if status == 0 else 0)
    assert done.stdout.count("pillow 1.0 CVE-0") == (len(LOCKS) if answer == "vulnerable" else 0)
    assert ("not audited" in done.stderr) == (answer == "silent")
    assert ("ConnectionError: refused" in done.stderr) == (answer == "silent")
