"""What a job reads and writes, where some of it is no file: values, and an image that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer import registry
from gwtransfer.api.items import of_item, of_picture, raster, values
from gwtransfer.api.words import Item, Picture
from gwtransfer.bandchoice import check_bands, choose_bands
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud
from gwtransfer.core.views import mask_weight, masked
from gwtransfer.errors import UsageError
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening
from gwtransfer.writing import Writing


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Keywords of reading.

    Attributes
    ----------
    load, variable, band_axis, bands
        As the options of the command line.
    load_options : mapping or None
        Options of the load stages that have them.
    """

    load: str | None = None
    load_options: Mapping[str, object] | None = None
    variable: str | None = None
    band_axis: int | None = None
    bands: str | None = None

    def opening(self, held: Mapping[Path, Raster | Cloud] | None = None) -> Opening:
        """Return how to open the inputs of a job, some of which may be opened already."""
        given = {"variable": self.variable, "band_axis": self.band_axis}
        options = dict(self.load_options or {})
        options |= {name: value for name, value in given.items() if value is not None}
        if not held:
            return Opening(load=self.load, options=options, bands=self.bands)
        return OpenedAlready(load=self.load, options=options, bands=self.bands, held=held)


@dataclass(frozen=True, kw_only=True)
class OpenedAlready(Opening):
    """How to open inputs some of which are values.

    Attributes
    ----------
    held : mapping of Path to Raster or Cloud
        The values, under the names that stand for them.
    """

    held: Mapping[Path, Raster | Cloud]

    def __call__(self, *paths: Path) -> list[Raster | Cloud]:
        """Open what are files, and choose bands of every cube.

        Raises
        ------
        UsageError
            Bands where there is no cube, or a way to read what is no file.
        """
        if self.bands is not None:
            check_bands(self.bands)
        if self.load is not None and paths and paths[0] in self.held:
            raise UsageError(f"load: {self.held[paths[0]].name} is no file; leave it out")
        there = [path for path in paths if path not in self.held]
        if self.options and not there:
            raise UsageError(f"{next(iter(self.options))}: expected a file to read, found none")
        chosen = self.default_bands if self.bands is None else self.bands
        reading = Opening(load=self.load, options=self.options, default_bands=chosen)
        read = iter(reading(*there))
        items = [self._chosen(path, chosen) if path in self.held else next(read) for path in paths]
        cubes = [one for one in items if isinstance(one, Raster) and one.kind == "cube"]
        if self.bands is not None and paths and not cubes:
            raise UsageError(f"{items[0].name}: --bands chooses among a cube's bands; leave it out")
        return items

    def _chosen(self, path: Path, bands: str | None) -> Raster | Cloud:
        item = self.held[path]
        return choose_bands(item, bands) if isinstance(item, Raster) else item


@dataclass(frozen=True, kw_only=True)
class MaskOf(Mask):
    """A mask that is opened already.

    Attributes
    ----------
    raster : Raster
    """

    raster: Raster

    def __call__(self, raster: Raster) -> Raster:
        """Return a raster whose pixels count by this mask."""
        return masked(raster, mask_weight(self.raster, raster, feather=self.feather))


@dataclass(kw_only=True)
class Inputs:
    """The inputs of a job, values under names that stand for files.

    Attributes
    ----------
    held : dict of Path to Raster or Cloud
    """

    held: dict[Path, Raster | Cloud] = field(default_factory=dict)

    def picture(self, given: Picture, name: str) -> Path:
        """Take a picture or cube; return its path, or what stands for it."""
        return self._placed(of_picture(given, name), name)

    def item(self, given: Item, name: str) -> Path:
        """Take a picture, cube or shape; return its path, or what stands for it."""
        return self._placed(of_item(given, name), name)

    def mask(self, given: Picture | None, feather: float, name: str) -> Mask | None:
        """Take a mask; one of an array may be of booleans."""
        if given is None:
            return None
        if isinstance(given, np.ndarray) and given.dtype == np.bool_:
            given = raster(given.astype(np.uint8) * np.uint8(255), name=name)
        mask = of_picture(given, name)
        if isinstance(mask, Path):
            return Mask(path=mask, feather=feather)
        return MaskOf(path=_standing_for(name), feather=feather, raster=mask)

    def _placed(self, item: Raster | Cloud | Path, name: str) -> Path:
        if isinstance(item, Path):
            return item
        self.held[_standing_for(name)] = item
        return _standing_for(name)


def _standing_for(name: str) -> Path:
    return Path(f"<{name}>")


@dataclass(frozen=True, kw_only=True)
class Softening:
    """The keyword of masks that is no file."""

    feather: float = 0.0


def check_feather(feather: float, mask: Mask | None) -> None:
    """Refuse a feather that has no mask to soften.

    Raises
    ------
    UsageError
    """
    if feather != 0 and mask is None:
        raise UsageError("feather softens the edges of a mask; give one, or leave it out")


@dataclass(frozen=True, kw_only=True)
class Storing:
    """Keywords of writing.

    Attributes
    ----------
    write, depth, dither, cog, strip, overwrite
        As the options of the command line.
    write_options : mapping or None
        Options of the write stage.
    """

    write: str | None = None
    write_options: Mapping[str, object] | None = None
    depth: Literal[8, 16, "float"] | None = None
    dither: bool = False
    cog: bool = False
    strip: bool = False
    overwrite: bool = False

    def writing(self) -> Writing:
        """Return how to write an output."""
        options = dict(self.write_options or {})
        options |= {} if self.depth is None else {"depth": str(self.depth)}
        options |= {name: True for name in ("dither", "cog") if getattr(self, name)}
        return Writing(
            write=self.write, options=options, strip=self.strip, overwrite=self.overwrite
        )


class NoFile:
    """A writer of nothing."""

    extensions: ClassVar[tuple[str, ...]] = ()
    holds_georeference = True

    def check(self, raster: Raster) -> None:
        """Accept every raster."""

    def __call__(self, raster: Raster, path: Path) -> None:
        """Write nothing."""


@dataclass(frozen=True, kw_only=True)
class Kept(Writing):
    """Keeps an image as an array instead of writing it.

    Attributes
    ----------
    image : list of (rows, columns, bands) arrays
        What was put: one.
    """

    image: list[NDArray[Any]] = field(default_factory=list)

    def writer(self, output: Path) -> registry.Writer:
        """Return a writer of nothing."""
        del output
        return NoFile()

    def put(
        self, raster: Raster, output: Path, writer: registry.Writer, *, at_end: Any = None
    ) -> None:
        """Compute a raster, and keep it unless what is called at the end refuses."""
        del output, writer
        image = values(raster)
        if at_end is not None:
            at_end()
        self.image.append(image)
