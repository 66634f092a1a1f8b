"""Images that jobs of colour make: kept as arrays, or written."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gwtransfer.api.asked import Asked
from gwtransfer.api.inputs import Kept, NoFile, Reading, Softening, Storing
from gwtransfer.api.items import values
from gwtransfer.api.messages import in_python
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import UsageError
from gwtransfer.imaging import Colored, silent, write_image
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.options import option_names
from gwtransfer.recipe import Recipe

IN_AND_OUT = (
    *option_names(Reading), "mask", *option_names(Softening), "output", *option_names(Storing)
)  # fmt: skip
"""Keywords of reading and writing that `transfer` and `apply` have in common."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Transferred:
    """What `transfer` and `apply` did.

    Attributes
    ----------
    plan : TransportPlan
    order : float
        Rank correlation of brightness before and after, NaN when there is none.
    notes : tuple of str
        What one should know of the result.
    output : Path or None
        Where it was written.
    """

    plan: TransportPlan = field(repr=False)
    order: float
    notes: tuple[str, ...]
    output: Path | None
    kept: NDArray[Any] | None = field(default=None, repr=False)

    @cached_property
    def image(self) -> NDArray[Any]:
        """The image, (rows, columns, bands) floats as `values` has them.

        Where it was written, it is read from the file when it is first asked for.
        """
        if self.kept is not None:
            return self.kept
        assert self.output is not None
        (written,) = open_rasters(Opening(), self.output)
        return values(written)


def kept(
    source: Raster, plan: TransportPlan, recipe: Recipe, palette: Raster | None
) -> tuple[Colored, NDArray[Any]]:
    """Compute the image of an opened source and keep it.

    Returns
    -------
    done : Colored
    image : (rows, columns, bands) array

    Raises
    ------
    DataError
        A cube is unlike all the plan was fitted to.
    """
    writing = Kept()
    done = write_image(
        source, plan, recipe, NoFile(), Path(), palette=palette, writing=writing, progress=silent
    )
    return done, writing.image[0]


def result(done: Colored, output: Path | None, image: NDArray[Any] | None = None) -> Transferred:
    """Return what a job did, with its image where that was kept."""
    notes = tuple(map(in_python, done.notes))
    return Transferred(plan=done.plan, order=done.order, notes=notes, output=output, kept=image)


def output_of(request: Asked, *also: str) -> Path | None:
    """Return where to write.

    Parameters
    ----------
    *also : str
        Keywords that mean something only where something is written.

    Raises
    ------
    UsageError
        There is nowhere to write, and something that only writing could obey.
    """
    output = request.path("output")
    if output is not None:
        if str(output) == "-":
            raise UsageError("output: expected a file, got -; leave it out to get the image")
        return output
    usual, told = Storing(), request.told(Storing)
    for option in (*option_names(Storing), *also):
        name = option.removesuffix("_options")
        if name in request.said and (
            name in also or getattr(told, option) != getattr(usual, option)
        ):
            raise UsageError(f"{name}: expected an output, got none; name one, or leave it out")
    return None
