"""How a job opens its inputs."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gwtransfer import registry
from gwtransfer.bandchoice import check_bands, choose_bands
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud
from gwtransfer.errors import PluginError, ReadError, UnknownStageError, UsageError
from gwtransfer.options import instead
from gwtransfer.pipeline import loaded


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
    default_bands : str or None
        What to take for ``bands`` where it is None; no mistake where there is no cube.
    """

    load: str | None = None
    options: Mapping[str, object] | None = None
    bands: str | None = None
    default_bands: str | None = None

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
        check_options(given)
        opened: list[Raster | Cloud] = []
        used: set[str] = set()
        for place, path in enumerate(paths):
            load = self.load if place == 0 else None
            name = registry.loader_name(path, load=load)
            known = registry.option_names(registry.find("load", name))
            used |= given.keys() & known
            chosen = {option: value for option, value in given.items() if option in known}
            loader = registry.loader_for(path, load=name, options=chosen)
            item = loaded(loader, path)
            bands = self.default_bands if self.bands is None else self.bands
            if isinstance(item, Raster):
                item = choose_bands(replace(item, notes=_named(path, item.notes)), bands)
            opened.append(item)
        for name in sorted(given.keys() - used) if paths else ():
            shown = {"variable": "--variable", "band_axis": "--band-axis"}.get(name, f"load.{name}")
            raise UsageError(f"{paths[0]}: files of this format have no {shown}; leave it out")
        cubes = [item for item in opened if isinstance(item, Raster) and item.kind == "cube"]
        if self.bands is not None and paths and not cubes:
            raise UsageError(f"{paths[0]}: --bands chooses among a cube's bands; leave it out")
        return opened

    @classmethod
    def as_fitted(cls, path: Path, made_with: Mapping[str, Any]) -> "Opening":
        """Return how to open a file again that a stored mixture was fitted to.

        Parameters
        ----------
        made_with : mapping
            What the mixture's provenance says of the opening: options and bands.
        """
        known = registry.option_names(registry.find("load", registry.loader_name(path)))
        options = made_with.get("options") or {}
        return cls(
            options={name: value for name, value in options.items() if name in known},
            default_bands=made_with.get("bands"),
        )


def check_options(given: Iterable[str]) -> None:
    """Refuse options that no load stage has.

    Raises
    ------
    UnknownStageError
        The nearest is named.
    """
    if not given:
        return
    known: set[str] = set()
    for stage in registry.stages("load"):
        with suppress(PluginError):
            known |= set(registry.option_names(registry.find("load", stage.name)))
    for option in given:
        if option not in known:
            raise UnknownStageError(
                f"no load stage has an option {option!r}{instead(option, known)}"
            )


def _named(path: Path, notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes that begin with the file they are about."""
    start = f"{path}: "
    return tuple(note if note.startswith(start) else start + note for note in notes)


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
