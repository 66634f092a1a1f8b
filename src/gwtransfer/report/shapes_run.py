"""The page that is made together with a match."""

from collections.abc import Sequence
from pathlib import Path

from gwtransfer.errors import UsageError
from gwtransfer.matching import job, output
from gwtransfer.report import shapes
from gwtransfer.report.job import check_output
from gwtransfer.report.job import write as write_page


def check(page: Path, destination: Path | None, *, overwrite: bool, inputs: Sequence[Path]) -> None:
    """Refuse a page before anything is matched.

    Parameters
    ----------
    destination : Path or None
        Where the match goes.

    Raises
    ------
    UsageError, WriteError, PluginError
        As `gwtransfer.report.job.check_output`; or it is the match, or lies in its folder.
    """
    if destination is not None and output.is_folder_name(destination):
        if page.resolve().is_relative_to(destination.resolve()):
            raise UsageError(
                f"{page}: the report lies in the folder {destination}; name it beside it"
            )
    elif destination is not None and page.resolve() == destination.resolve():
        raise UsageError(f"{page}: the report is the output; choose another name")
    check_output(page, overwrite=overwrite, inputs=list(inputs))


def write(result: job.Result, destination: Path | None, page: Path, *, overwrite: bool) -> None:
    """Write the page of a match, whole or not at all.

    Parameters
    ----------
    destination : Path or None
        What was written of the match, whose files the page lists.
    """
    write_page(shapes.page_of(result, destination), page, overwrite=overwrite)
