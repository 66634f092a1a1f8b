"""The report job: a plan, a match or a table of distances in, a page that shows it out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gwtransfer.core.types import SHAPES
from gwtransfer.errors import DataError, ReadError, UsageError
from gwtransfer.imaging import Progress, silent
from gwtransfer.io import files, store
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.report.page import Page, check_installed

EXTENSIONS = (".html", ".htm")
TABLES = (".csv", ".npz", ".parquet")
SUMMARY = "match.json"
"""What a folder of `gwtransfer match` holds."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What else a report is made of.

    Attributes
    ----------
    source, target, result : Path or None
        Of a plan: the files it was fitted to, and what was made by it. Of a match: its two shapes.
        Of a table: the folder of its files, under ``source``.
    opening : Opening
        How to open the source, where it says more than the plan does.
    labels : str or None
        Classes of a table's files, as in `gwtransfer.io.labels.labels_for`.
    seed : int
        What the measures draw by.
    """

    source: Path | None = None
    target: Path | None = None
    result: Path | None = None
    opening: Opening = field(default_factory=Opening)
    labels: str | None = None
    seed: int = 0

    @property
    def given(self) -> list[Path]:
        """The paths that are given."""
        return [one for one in (self.source, self.target, self.result) if one is not None]


def report(
    path: Path,
    shown: Shown,
    *,
    output: Path,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Page:
    """Write the page of a plan, of a folder of `match`, or of a table of distances.

    Parameters
    ----------
    path : Path
        Its contents decide which of the three it is.

    Raises
    ------
    UsageError, PluginError, WriteError
        What cannot be written, or goes with another kind of report.
    ReadError, DataError
        What cannot be read, or does not belong together; nothing is written then.
    """
    check_output(output, overwrite=overwrite, inputs=[path, *shown.given])
    Recipe(seed=shown.seed)  # refuses what is no seed
    for one in shown.given:
        if not files.is_folder(one):
            files.check_readable(one)
    page = _page(path, shown, progress)
    write(page, output, overwrite=overwrite)
    return page


def check_output(output: Path, *, overwrite: bool, inputs: list[Path]) -> None:
    """Refuse early what no page can be written to.

    Raises
    ------
    UsageError, PluginError, WriteError
        Another suffix than .html, an input, a file that exists; or jinja2 is missing.
    """
    if output.suffix.lower() not in EXTENSIONS:
        raise UsageError(
            f"{output}: expected a name that ends in .html, found {output.suffix or 'none'}"
        )
    files.check_output(output, overwrite=overwrite, inputs=inputs)
    check_installed(output)


def write(page: Page, output: Path, *, overwrite: bool) -> None:
    """Write a page, whole or not at all."""
    with files.whole(output, overwrite=overwrite) as temporary:
        temporary.write_text(page.text, encoding="utf-8", newline="\n")


def _page(path: Path, shown: Shown, progress: Progress) -> Page:
    """Return the page of whatever the first file is."""
    if files.is_folder(path):
        if not (path / SUMMARY).is_file():
            raise ReadError(
                f"{path}: expected a folder of `gwtransfer match` with {SUMMARY}, found none in it"
            )
        _refuse(shown, "a match", result=True, labels=True, opening=True)
        from gwtransfer.report import shapes

        page = shapes.page(path, shown.source, shown.target, progress=progress)
        return replace(page, notes=(*page.notes, *_other_names(path, shown)))
    files.check_readable(path)
    if store.is_artefact(path):
        return _of_plan(path, shown, progress)
    if path.suffix.lower() in TABLES:
        _refuse(shown, "a table of distances", target=True, result=True, opening=True)
        from gwtransfer.report import batches

        return batches.page(path, shown.source, labels=shown.labels, progress=progress)
    raise ReadError(
        f"{path}: expected a plan (.npz), a folder of `gwtransfer match`, or a table of "
        f"`gwtransfer pairwise` ({', '.join(TABLES)}), found something else"
    )


def _of_plan(path: Path, shown: Shown, progress: Progress) -> Page:
    from gwtransfer.jobs import load_plan

    plan, provenance = load_plan(path)
    if not _is_ours(provenance):
        provenance = {}
    spaces = {plan.source.space.coordinates, plan.target.space.coordinates}
    if spaces & set(SHAPES):
        _refuse(shown, "a plan between shapes", result=True, labels=True, opening=True)
        from gwtransfer.report import shapes

        page = shapes.plan_page(
            plan, provenance, path, shown.source, shown.target, progress=progress
        )
        return replace(page, notes=(*page.notes, *_other_contents(path, provenance, shown)))
    _refuse(shown, "a plan between pictures", labels=True)
    if shown.source is None and _is_told(shown.opening):
        raise UsageError("options of reading are for the source; name it after the plan")
    from gwtransfer.report import color

    sides = color.opened(
        provenance,
        source=shown.source,
        target=shown.target,
        result=shown.result,
        opening=shown.opening,
        plan=plan,
    )
    page = color.page(plan, provenance, sides, name=path.name, seed=shown.seed, progress=progress)
    return replace(page, notes=(*page.notes, *_other_contents(path, provenance, shown)))


def _is_ours(provenance: Mapping[str, Any]) -> bool:
    """Tell whether a provenance is made like those that this program writes, as far as pages go."""
    sides = [provenance.get(side, {}) for side in ("source", "target")]
    if not all(isinstance(one, Mapping) for one in sides):
        return False
    pooled = [one.get("pooled", []) for one in sides]
    recipes = [one.get("recipe", {}) for one in (provenance, *sides)]
    tables = [one.get(key, {}) for one in sides for key in ("input", "opening", "prepare")]
    if not all(isinstance(one, list) for one in pooled) or not all(
        isinstance(one, Mapping) for one in (*tables, *recipes, *(o for p in pooled for o in p))
    ):
        return False
    named = [one.get("input", {}) for one in sides] + [one for many in pooled for one in many]
    opened = [one.get("opening", {}) for one in sides]
    words = [one.get(key, "") for one in named for key in ("name", "sha256")]
    words += [one.get("keep", "") for one in recipes] + [provenance.get("gwtransfer", "")]
    words += [one.get("bands") or "" for one in opened]
    tables = [one.get("map", {}) for one in recipes] + [one.get("options") or {} for one in opened]
    return (
        all(isinstance(one, str) for one in words)
        and all(isinstance(one, Mapping) for one in tables)
        and all("name" in one for one in named if "sha256" in one)
        and all(isinstance(one.get("strength", 1.0), int | float) for one in recipes)
        and not any(_has_none(one) for one in recipes)
    )


def _has_none(value: Any) -> bool:
    """Tell whether there is a null anywhere, which no recipe can say."""
    if isinstance(value, Mapping | list):
        return any(map(_has_none, value.values() if isinstance(value, Mapping) else value))
    return value is None


def _other_contents(path: Path, provenance: Mapping[str, Any], shown: Shown) -> list[str]:
    """Return which files are not those that a plan was made of."""
    notes = []
    for side, given in (("source", shown.source), ("target", shown.target)):
        held = provenance.get(side)
        if given is None or not isinstance(held, Mapping):
            continue
        named = (held.get("input"), *held.get("pooled", []))
        made_of = {one["sha256"]: one["name"] for one in named if one and "sha256" in one}
        if made_of and files.sha256(given) not in made_of:
            names = " and ".join(made_of.values())
            notes.append(f"{given}: is not the {side} that {path} was made of, {names}")
    return notes


def _other_names(folder: Path, shown: Shown) -> list[str]:
    """Return which shapes are not called as a match has them.

    Raises
    ------
    DataError
        The one is the other.
    """
    if shown.source is None or shown.target is None:
        return []
    said = json.loads((folder / SUMMARY).read_text("utf-8"))
    given = (shown.source, shown.target)
    names = [str(said[side].get("file")) for side in ("source", "target")]
    if names[0] != names[1] and [one.name for one in given] == names[::-1]:
        raise DataError(
            f"{given[0]}: expected the match's source, {names[0]}, found its target; change places"
        )
    return [
        f"{one}: is not called {name}, as the {side} of {folder} is"
        for one, name, side in zip(given, names, ("source", "target"), strict=True)
        if one.name != name
    ]


def _is_told(opening: Opening) -> bool:
    """Tell whether somebody said how to open a file."""
    return bool(opening.load or opening.options or opening.bands)


def _refuse(shown: Shown, what: str, **kinds: bool) -> None:
    """Refuse what this kind of report has no use for."""
    given = {
        "target": (shown.target is not None, "a third file"),
        "result": (shown.result is not None, "a fourth file"),
        "labels": (shown.labels is not None, "--labels"),
        "opening": (_is_told(shown.opening), "options of reading"),
    }
    for kind in kinds:
        said, words = given[kind]
        if said:
            raise UsageError(f"{words}: of no use to the report of {what}; leave it out")
