"""A cube whose bands are image files: a folder of them, or a pattern of names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.raster import Floats, Georeference, Raster, Rows
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.bands.files import choose, may_be_bands
from gwtransfer.io.gdal.loader import GdalLoader
from gwtransfer.io.layout import named, sizes, working_type
from gwtransfer.io.pictures.deep import DeepLoader
from gwtransfer.io.pictures.everyday import PictureLoader
from gwtransfer.io.tiff.decodedcache import Kept
from gwtransfer.io.tiff.image import Windows
from gwtransfer.io.tiff.segments import TALL_BYTES
from gwtransfer.io.tiff.stack import TiffLoader

Numbers = NDArray[Any]

LOADERS = (PictureLoader, DeepLoader, TiffLoader, GdalLoader)

STEP_VALUES = 2_000_000
"""Values that are copied at a time."""

EQUAL_CHANNELS = "RGB files whose three channels are equal are taken as gray"
OPAQUE = "alpha channels that are opaque everywhere are left out"


@dataclass(frozen=True, kw_only=True)
class BandsLoader:
    """Load a folder, or a pattern such as ``'scene/*.png'``, of images that are one band each.

    The bands are in the natural order of the names, or of the wavelengths where every name says one
    (``B_450.5nm.tif``); a table ``wavelengths.txt`` beside the files is heeded too. Values are
    those stored in the files. TIFF files are read by windows, others are decoded once.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell whether there are at least two images, in a folder that is not Zarr's."""
        try:
            found = 0
            for one in may_be_bands(path):
                found += _loader(one) is not None
                if found == 2:
                    return True
        except (OSError, ValueError):
            return False
        return False

    def __call__(self, path: Path) -> Raster:
        """Open all files and check that they are alike.

        Returns
        -------
        Raster
            A cube in the units stored.

        Raises
        ------
        ReadError
            A file is broken, or has another size, type or number of bands than the others.
        AmbiguousError
            There are as many files of one format as of another.
        """
        try:
            images = [one for one in may_be_bands(path) if _loader(one) is not None]
            files = choose(path, images)
        except GwTransferError:
            raise
        except (OSError, ValueError) as error:
            raise ReadError(f"{path}: cannot be listed: {reason(error)}") from error
        bands = _Bands(str(path), files.paths)
        for place, one in enumerate(files.paths):
            bands.add(place, one)
        return bands.raster(files.wavelengths, files.notes)


def _loader(path: Path) -> Callable[[Path], Raster] | None:
    """Return the loader of an image file by its content."""
    for loader in LOADERS:
        if loader.claims(path):
            return loader()
    return None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Like:
    """What the files of a cube have in common.

    Attributes
    ----------
    path : Path
        The first of them.
    rows, columns : int
    dtype : str
        As stored.
    georeference : Georeference or None
    """

    path: Path
    rows: int
    columns: int
    dtype: str
    georeference: Georeference | None


@dataclass(eq=False)
class _Bands:
    """Bands that are gathered one by one."""

    name: str
    paths: Sequence[Path]
    like: _Like | None = None
    kept: Kept | None = None
    windowed: dict[int, Raster] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    wavelengths: list[float] = field(default_factory=list)
    nodata: float | None = None

    def add(self, place: int, path: Path) -> None:
        """Open one file, compare it with the first, and keep its values or how to read them."""
        loader = _loader(path)
        if loader is None:
            raise ReadError(f"{path}: expected an image, found that it has changed")
        raster = loader(path)
        if self.like is None:
            self.like = _Like(
                path=path,
                rows=raster.rows,
                columns=raster.columns,
                dtype=raster.dtype,
                georeference=raster.georeference,
            )
        self._compare(path, raster)
        if self.nodata is None:
            self.nodata = raster.nodata
        if raster.wavelengths is not None and raster.bands == 1:
            self.wavelengths.append(float(raster.wavelengths[0]))
        read = raster.read
        plain = raster.bands == 1 and not raster.has_alpha and isinstance(read, Windows)
        if plain and isinstance(read, Windows) and self._is_short(read.tall_bytes):
            self.windowed[place] = raster
        else:
            self._keep(place, path, raster)

    def _is_short(self, tall_bytes: int) -> bool:
        """Tell whether the strips of all files that hold one row fit into memory."""
        return tall_bytes * len(self.paths) <= TALL_BYTES

    def _compare(self, path: Path, raster: Raster) -> None:
        like = self.like
        if like is None:
            return
        if raster.scene or raster.film is not None or raster.bands not in (1, 3):
            raise ReadError(
                f"{path}: expected one band an image, found {raster.bands} bands; "
                "open the file itself"
            )
        if (raster.rows, raster.columns) != (like.rows, like.columns):
            raise ReadError(
                f"{path}: expected {sizes((like.rows, like.columns))} pixels like "
                f"{like.path.name}, found {sizes((raster.rows, raster.columns))}; name the files "
                "of one size by a pattern"
            )
        if raster.dtype != like.dtype:
            raise ReadError(
                f"{path}: expected {like.dtype} like {like.path.name}, found {raster.dtype}; "
                "save all bands in one type"
            )
        if not _same_place(raster.georeference, like.georeference):
            self._note("the files lie at different places on the ground: no georeference is used")

    def _keep(self, place: int, path: Path, raster: Raster) -> None:
        """Decode a file and keep its stored values."""
        if self.kept is None:
            shape = (len(self.paths), raster.rows, raster.columns, 1)
            self.kept = Kept(self.name, shape, self._kept_type(raster))
        step = max(1, STEP_VALUES // (raster.columns * raster.bands))
        for start in range(0, raster.rows, step):
            rows = raster.read(start, min(start + step, raster.rows))
            if rows.alpha is not None:
                if not (rows.alpha == 1).all():
                    raise ReadError(
                        f"{path}: expected opaque pixels, found transparent ones; "
                        "save it without alpha"
                    )
                self._note(OPAQUE)
            values = _stored(raster, self._gray(path, rows.values))
            self.kept.put(place, start, 0, values.astype(self.kept.dtype)[:, :, None])

    def _kept_type(self, raster: Raster) -> np.dtype[Any]:
        stored = np.dtype(raster.dtype)
        holes = raster.nodata is not None or raster.kind == "cube"
        return working_type(stored) if holes else stored

    def _gray(self, path: Path, values: Floats) -> Floats:
        """Return the only band, or the first of three equal ones."""
        if values.shape[2] == 1:
            return values[:, :, 0]
        if not (values == values[:, :, :1]).all():
            raise ReadError(
                f"{path}: expected one band an image, found pictures of 3 bands; "
                "`gwtransfer apply` takes several pictures into a folder, -o OUT/"
            )
        self._note(EQUAL_CHANNELS)
        return values[:, :, 0]

    def _note(self, said: str) -> None:
        if said not in self.notes:
            self.notes.append(said)

    def raster(self, wavelengths: Floats | None, notes: tuple[str, ...]) -> Raster:
        """Return the cube of all bands."""
        like = self.like
        if like is None:
            raise ReadError(f"{self.name}: expected images, found none")
        if len(self.wavelengths) == len(self.paths):
            wavelengths = np.array(self.wavelengths)
        apart = any("different places" in said for said in self.notes)
        return Raster(
            name=self.name,
            rows=like.rows,
            columns=like.columns,
            bands=len(self.paths),
            read=self._reader(like),
            kind="cube",
            dtype=like.dtype,
            wavelengths=wavelengths,
            nodata=self.nodata,
            georeference=None if apart else like.georeference,
            notes=named(self.name, [*notes, *self.notes]),
        )

    def _reader(self, like: _Like) -> Callable[[int, int], Rows]:
        """Return what reads one window of each band after the other."""
        kept, windowed, count = self.kept, self.windowed, len(self.paths)
        working = working_type(np.dtype(like.dtype))

        def read(start: int, stop: int) -> Rows:
            values = np.empty((stop - start, like.columns, count), working)
            for place in range(count):
                raster = windowed.get(place)
                if raster is not None:
                    band = raster.read(start, stop).values[:, :, 0]
                    values[:, :, place] = _stored(raster, band)
                elif kept is not None:
                    planes = range(place, place + 1)
                    values[:, :, place] = kept.window(planes, start, stop)[0, :, :, 0]
            return Rows(values=values)

        return read


def _stored(raster: Raster, values: Floats) -> Floats:
    """Turn a picture's values in [0, 1] back into those stored; a cube's are that already."""
    stored = np.dtype(raster.dtype)
    if raster.kind != "picture" or stored.kind != "u":
        return values
    return np.asarray(np.rint(values * values.dtype.type(np.iinfo(stored).max)))


def _same_place(one: Georeference | None, other: Georeference | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.crs == other.crs and one.transform == other.transform
