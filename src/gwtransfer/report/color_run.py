"""The colour report of a run that has just written its image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtransfer.core.raster import Raster
from gwtransfer.imaging import Colored
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.report import job
from gwtransfer.report.color import Sides, check_still, page


@dataclass(frozen=True, kw_only=True)
class ColorRun:
    """Makes the page of a run, as `gwtransfer.coloring.Reporting` asks for it.

    Attributes
    ----------
    path : Path
        Where the page shall go.
    """

    path: Path

    def check(self, *, overwrite: bool, inputs: Sequence[Path]) -> None:
        """Refuse early what no page can be written to."""
        job.check_output(self.path, overwrite=overwrite, inputs=list(inputs))

    def check_source(self, source: Raster) -> None:
        """Refuse what no page shows."""
        check_still(source)

    def write(
        self, done: Colored, output: Path, provenance: Mapping[str, Any], *, overwrite: bool
    ) -> tuple[str, ...]:
        """Write the page; the image is read from its file."""
        (result,) = open_rasters(Opening(), output)
        sides = Sides(source=done.source, target=done.palette, result=result)
        made = page(done.plan, provenance, sides, name=output.name, seed=done.plan.source.seed)
        job.write(made, self.path, overwrite=overwrite)
        return made.notes
