"""HDF5 files of every kind through h5py: netCDF-4, MATLAB 7.3, HDF-EOS5, HyperSpy, plain ones."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.core.raster import Georeference, Raster
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.arrays import hyperspy, prisma
from gwtransfer.io.arrays.cf import NETCDF_FILL, envi_map
from gwtransfer.io.arrays.cubes import load_cube
from gwtransfer.io.arrays.unfolding import unfold_lazily
from gwtransfer.io.arrays.variables import Contents, Index, Numbers, Variable
from gwtransfer.io.files import check_readable

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
PLACES = (0, 512, 1024, 2048)
"""Where the signature may stand: a block of the user's own may come before it."""

MOST_OBJECTS = 10_000
MOST_ATTRIBUTE_BYTES = 1_000_000
HIDDEN = ("#refs#", "#subsystem#", "#")
"""Groups in which MATLAB keeps its cells and objects."""

_ONE_AT_A_TIME = threading.RLock()
"""The HDF5 library is not safe to call from several threads."""


@dataclass(frozen=True, kw_only=True)
class Hdf5Loader:
    """Load the hyperspectral cube in an HDF5 file, netCDF-4 and MATLAB 7.3 included.

    Rows are read when they are asked for. Fill values and values outside the valid range become
    NaN, then scale and offset are applied. The two cubes of a PRISMA product are put together;
    images named like bands (Band1, Band2; blue, green, red) are stacked.

    Attributes
    ----------
    variable : str or None
        Which array holds the cube: its path, or the last part of it; several images with commas
        between them become the bands of one cube; ``name[0]`` fixes the place along the first axis.
    band_axis : int or None
        Which of three axes holds the bands; found out when it is None.
    """

    variable: str | None = None
    band_axis: int | None = None

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the signature, also behind a user block."""
        try:
            with path.open("rb") as file:
                for place in PLACES:
                    file.seek(place)
                    if file.read(8) == SIGNATURE:
                        return True
        except (OSError, ValueError):
            pass
        return False

    def __call__(self, path: Path) -> Raster:
        """List what the file holds, and choose.

        Returns
        -------
        Raster
            A cube.

        Raises
        ------
        ReadError
            Truncated, broken, without a cube, or without the named variable.
        AmbiguousError
            Several variables may be the cube, or several axes may hold its bands.
        UsageError
            An option is out of range.
        """
        check_readable(path)
        source = _Source(path)
        contents = source.contents()
        cubes = {} if self.band_axis is not None else prisma.find_cubes(contents, self.variable)
        if cubes:
            return prisma.load(contents, cubes)
        return load_cube(contents, variable=self.variable, band_axis=self.band_axis)


class _Source:
    """An open file; the arrays that read from it keep it open."""

    def __init__(self, path: Path) -> None:
        import h5py

        self.name = str(path)
        if not Hdf5Loader.claims(path):
            raise ReadError(f"{path}: expected an HDF5 file, found no signature of one")
        try:
            with _ONE_AT_A_TIME, quiet():
                self.file: h5py.File = _opened(path)
        except Exception as error:
            raise self.broken(error) from error
        self.matlab = _is_matlab(path)

    def broken(self, error: Exception) -> ReadError:
        """Return the error of a file h5py cannot read."""
        said = reason(error)
        if "truncated" in said:
            said = "a truncated one; get it again"
        return ReadError(f"{self.name}: expected an HDF5 file, found {said}")

    def contents(self) -> Contents:
        """List the arrays of the file with the attributes of its groups."""
        try:
            with _ONE_AT_A_TIME, quiet():
                contents = self._listed()
        except GwTransferError:
            raise
        except Exception as error:
            raise self.broken(error) from error
        return contents

    def _listed(self) -> Contents:
        import h5py

        variables: dict[str, Variable] = {}
        attributes: dict[str, Mapping[str, Any]] = {}
        texts: dict[str, str] = {}
        outside: list[str] = []
        for name, item in self._objects(outside):
            held = _attributes(item)
            if isinstance(item, h5py.Group):
                attributes[name] = held
                continue
            if item.shape is not None and item.shape in ((), (1,)):
                attributes[name] = held
                texts |= _text(name, item)
            if item.dtype.kind in "uifc" and item.shape:
                held = _with_fill(item, held)
                variables[name] = self._variable(name, item, held)
        variables = hyperspy.with_axes(variables, attributes)
        contents = Contents(
            name=self.name,
            variables=variables,
            attributes=attributes,
            planes=not self.matlab,
            georeference=_product_georeference(texts),
            notes=_notes(outside, variables),
        )
        return unfold_lazily(contents) if self.matlab else contents

    def _objects(self, outside: list[str]) -> Iterator[tuple[str, Any]]:
        """Yield each object once, by its path, and collect what lies in other files."""
        import h5py

        seen: set[int] = set()
        waiting: list[tuple[str, Any]] = [("", self.file["/"])]
        while waiting:
            name, item = waiting.pop(0)
            address = h5py.h5o.get_info(item.id).addr
            if address in seen or not isinstance(item, h5py.Group | h5py.Dataset):
                continue
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise ReadError(
                    f"{self.name}: expected at most {MOST_OBJECTS} groups and arrays, found more; "
                    "copy the cube to a file of its own"
                )
            yield name, item
            if not isinstance(item, h5py.Group):
                continue
            for key in item:
                if key in HIDDEN:
                    continue
                link = item.get(key, getlink=True)
                path = f"{name}/{key}".strip("/")
                if isinstance(link, h5py.ExternalLink):
                    outside.append(path)
                elif isinstance(link, h5py.HardLink):
                    with suppress(KeyError, OSError, RuntimeError, TypeError):
                        waiting.append((path, item[key]))

    def _variable(self, name: str, item: "h5py.Dataset", held: Mapping[str, Any]) -> Variable:
        def flip(items: tuple[Any, ...]) -> tuple[Any, ...]:
            return items[::-1] if self.matlab else items

        def read(index: Index) -> Numbers:
            return self._read(item, name, flip(index)).transpose(flip(tuple(range(len(index)))))

        virtual = item.is_virtual
        return Variable(
            name=name,
            shape=flip(item.shape),
            dtype=item.dtype,
            read=read,
            dims=flip(_dims(item)),
            attributes=held,
            chunks=None if virtual or item.chunks is None else flip(item.chunks),
            held=None if virtual or item.external else item.id.get_storage_size(),
        )

    def _read(self, item: "h5py.Dataset", name: str, index: Index) -> Numbers:
        try:
            with _ONE_AT_A_TIME, quiet():
                _check_within(self.name, name, item)
                return np.asarray(item[index])
        except GwTransferError:
            raise
        except Exception as error:
            lacking = _lacking_filter(item)
            if lacking:
                raise ReadError(
                    f"{self.name}: {name} is compressed with {lacking}, which is not supported; "
                    "store it again with gzip (h5repack -f GZIP=4)"
                ) from error
            raise ReadError(
                f"{self.name}: expected the values of {name}, found data that cannot be read: "
                f"{reason(error)}; get the file again"
            ) from error


def _opened(path: Path) -> "h5py.File":
    """Open a file, also where the file system or a writing program does not allow to lock it."""
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        if "lock" not in str(error):
            raise
        return h5py.File(path, "r", locking=False)


def _is_matlab(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 7.3"


def _check_within(file: str, name: str, item: "h5py.Dataset") -> None:
    """Refuse an array whose values lie in other files."""
    others = [source.file_name for source in item.virtual_sources()] if item.is_virtual else []
    others = [other for other in others if other != "."]
    others += [entry[0] for entry in item.external or ()]
    if others:
        raise ReadError(
            f"{file}: expected the values of {name} in this file, found that they lie in another, "
            f"{others[0]}; copy them into one file"
        )


def _lacking_filter(item: "h5py.Dataset") -> str:
    """Name a compression that HDF5 cannot undo here."""
    import h5py

    with suppress(Exception):
        plist = item.id.get_create_plist()
        for place in range(plist.get_nfilters()):
            number, _, _, title = plist.get_filter(place)
            if not h5py.h5z.filter_avail(number):
                words = title.decode("ascii", "replace").split(";")[0].strip("\0 ")
                return f"HDF5 filter {number}" + (f" ({words})" if words else "")
    return ""


def _dims(item: "h5py.Dataset") -> tuple[str, ...]:
    """Return the path of each axis's scale, or its label."""
    names = []
    for axis in range(len(item.shape)):
        name = ""
        with suppress(Exception):
            dim = item.dims[axis]
            name = dim[0].name.strip("/") if len(dim) else dim.label
        names.append(str(name))
    return tuple(names)


def _attributes(item: Any) -> dict[str, Any]:
    """Return the attributes that are text or numbers."""
    found: dict[str, Any] = {}
    with suppress(Exception):
        for key in item.attrs:
            with suppress(Exception):
                stored = item.attrs.get_id(key)
                if stored.get_storage_size() > MOST_ATTRIBUTE_BYTES or not _is_plain(stored.dtype):
                    continue
                value = _plain(item.attrs[key])
                if value is not None:
                    found[str(key)] = value
    return found


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether a type is one of numbers or text, and not of references or structures."""
    import h5py

    return dtype.kind in "uifbSU" or h5py.check_string_dtype(dtype) is not None


def _plain(value: Any) -> Any:
    """Return text as str, one number as it is, several as an array, and nothing for the rest."""
    array = np.asarray(value)
    if array.dtype.kind in "SUO":
        word = array.flat[0] if array.size == 1 else None
        if isinstance(word, bytes):
            return word.decode("utf-8", "replace").strip("\0")
        return word if isinstance(word, str) else None
    if array.dtype.kind not in "uifb":
        return None
    return array.reshape(-1)[0] if array.size == 1 else array


def _with_fill(item: "h5py.Dataset", held: dict[str, Any]) -> dict[str, Any]:
    """Add the fill value of netCDF where it is only set in the way of HDF5."""
    if item.dtype.kind == "f" and "_FillValue" not in held:
        with suppress(Exception):
            if float(item.fillvalue) == float(item.dtype.type(NETCDF_FILL)):
                return held | {"_FillValue": item.fillvalue}
    return held


def _text(name: str, item: "h5py.Dataset") -> dict[str, str]:
    """Return the value of an array that holds one text, by its path."""
    if item.dtype.kind not in "SO" or item.id.get_storage_size() > MOST_ATTRIBUTE_BYTES:
        return {}
    with suppress(Exception):
        word = _plain(item[()])
        return {name: word} if isinstance(word, str) else {}
    return {}


def _product_georeference(texts: Mapping[str, str]) -> Georeference | None:
    """Return what the texts Map_Info and Coordinate_System_String say, as in NEON's products."""
    by_last: dict[str, list[str]] = {}
    for name, text in texts.items():
        by_last.setdefault(name.rpartition("/")[2], []).append(text)
    maps, systems = by_last.get("Map_Info", []), by_last.get("Coordinate_System_String", [])
    transform = envi_map(maps[0]) if len(maps) == 1 else None
    if transform is None:
        return None
    return Georeference(crs=systems[0] if len(systems) == 1 else "", transform=transform)


def _notes(outside: list[str], variables: Mapping[str, Variable]) -> tuple[str, ...]:
    notes = []
    if outside:
        notes.append(f"links to other files are not followed: {', '.join(sorted(outside)[:4])}")
    if any(one.last in ("glt_x", "glt_y") for one in variables.values()):
        notes.append("the swath is not orthorectified; the file's lookup table is not applied")
    return tuple(notes)
