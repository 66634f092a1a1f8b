"""The report job: a plan, a match or a table of distances in, a page that shows it out."""

from dataclasses import dataclass, field
from pathlib import Path

from gwtransfer.core.types import SHAPES
from gwtransfer.errors import ReadError, UsageError
from gwtransfer.imaging import Progress, silent
from gwtransfer.io import files, store
from gwtransfer.opening import Opening
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

        return shapes.page(path, shown.source, shown.target, progress=progress)
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
    spaces = {plan.source.space.coordinates, plan.target.space.coordinates}
    if spaces & set(SHAPES):
        _refuse(shown, "a plan between shapes", result=True, labels=True, opening=True)
        from gwtransfer.report import shapes

        return shapes.plan_page(
            plan, provenance, path, shown.source, shown.target, progress=progress
        )
    _refuse(shown, "a plan between pictures", labels=True)
    from gwtransfer.report import color

    sides = color.opened(
        provenance,
        source=shown.source,
        target=shown.target,
        result=shown.result,
        opening=shown.opening,
        plan=plan,
    )
    return color.page(plan, provenance, sides, name=path.name, seed=shown.seed, progress=progress)


def _refuse(shown: Shown, what: str, **kinds: bool) -> None:
    """Refuse what this kind of report has no use for."""
    how = shown.opening
    given = {
        "target": (shown.target is not None, "a third file"),
        "result": (shown.result is not None, "a fourth file"),
        "labels": (shown.labels is not None, "--labels"),
        "opening": (bool(how.load or how.options or how.bands), "options of reading"),
    }
    for kind in kinds:
        said, words = given[kind]
        if said:
            raise UsageError(f"{words}: of no use to the report of {what}; leave it out")
