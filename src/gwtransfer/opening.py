"""How a job opens its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gwtransfer import registry
from gwtransfer.bandchoice import check_bands, choose_bands
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud
from gwtransfer.errors import ReadError, UsageError


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How to open the inputs of a job.

    Attributes
    ----------
    load : str or None
        Name of a load stage for the first file; None lets the content decide, as for the others.
    options : mapping
        Options for the loaders that have them: variable, band_axis.
    bands : str or None
        Which bands of cubes to use (`bandchoice.choose_bands`); None leaves out bad ones.
    """

    load: str | None = None
    options: Mapping[str, object] | None = None
    bands: str | None = None

    def __call__(self, *paths: Path) -> list[Raster | Cloud]:
        """Open files; each option goes to every loader that has it, bands to every cube.

        Raises
        ------
        UsageError
            An option that no loader of these files has, or bands where there is no cube.
        """
        if self.bands is not None:
            check_bands(self.bands)
        given = dict(self.options or {})
        opened: list[Raster | Cloud] = []
        used: set[str] = set()
        for place, path in enumerate(paths):
            load = self.load if place == 0 else None
            name = registry.loader_name(path, load=load)
            known = registry.option_names(registry.find("load", name))
            used |= given.keys() & known
            chosen = {option: value for option, value in given.items() if option in known}
            loader = registry.loader_for(path, load=name, options=chosen)
            item = loader(path)
            opened.append(choose_bands(item, self.bands) if isinstance(item, Raster) else item)
        for name in sorted(given.keys() - used) if paths else ():
            flag = name.replace("_", "-")
            raise UsageError(f"{paths[0]}: files of this format have no --{flag}; leave it out")
        cubes = [item for item in opened if isinstance(item, Raster) and item.kind == "cube"]
        if self.bands is not None and paths and not cubes:
            raise UsageError(f"{paths[0]}: --bands chooses among a cube's bands; leave it out")
        return opened


def open_rasters(opening: Opening, *paths: Path) -> list[Raster]:
    """Open files that must be pictures or cubes.

    Raises
    ------
    ReadError
        One of them is a shape.
    """
    rasters: list[Raster] = []
    for item in opening(*paths):
        if not isinstance(item, Raster):
            raise ReadError(f"{item.name}: expected a picture or a cube, found a shape")
        rasters.append(item)
    return rasters
