"""Arrays in a file that holds many: finding the one that is meant, and what its axes are."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import CONTROL
from gwtransfer.core.raster import Georeference
from gwtransfer.errors import AmbiguousError, ReadError, UsageError
from gwtransfer.io.layout import find_band_axis, habit_note, sizes

Numbers = NDArray[Any]
Index = tuple[slice, ...]

ROW_AXES = frozenset(
    {"y", "yc", "lat", "latitude", "row", "rows", "line", "lines", "nrows", "northing", "height"}
    | {"downtrack", "along_track", "number_of_lines", "number_of_scans", "scan", "scans"}
)
COLUMN_AXES = frozenset(
    {"x", "xc", "lon", "longitude", "col", "cols", "column", "columns", "ncols", "easting"}
    | {"width", "sample", "samples", "crosstrack", "cross_track", "across_track"}
    | {"pixels_per_line", "pixels_per_scan", "ccd_pixels"}
)
BAND_AXIS = re.compile(r"(band|wave|channel|spectr|lambda|nbands|wl$|c$|number_of_bands)")
TIME_AXIS = re.compile(r"(time|date|t$)")
SIDE_AXIS = re.compile(r"(time|date|t$|z$|lev|level|depth|ensemble|realization|member)")
ASIDE = re.compile(
    r"(lat(itude)?s?|lon(gitude)?s?|elev(ation)?|glt_[xy]|.*_(bnds|bounds)|mask|quality.*|"
    r"(to[-_])?(sun|sensor|solar|view)\w*(angle|azimuth|zenith)|crs|spatial_ref)",
    re.IGNORECASE,
)
"""Arrays that lie beside an image and are never one unless they are asked for."""

MODULUS = "; complex numbers cannot be read: save their modulus"
MOST_LISTED = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Variable:
    """One numeric array in a file, described and not yet read.

    Attributes
    ----------
    name : str
        By which the user can ask for it.
    shape : tuple of int
    dtype : dtype
    read : callable
        ``read(index) -> array`` with one slice an axis; may be called from any thread; raises
        ReadError.
    dims : tuple of str
        For each axis its name, or the full name of the variable with its coordinates; empty
        strings, or nothing at all, when the file does not say.
    attributes : mapping
    chunks : tuple of int, or None
        What is stored, and must be decoded, as a unit; None when any window can be read alone.
    held : int or None
        Bytes the file holds for it; None when that is not known.
    band : int or None
        Which axis holds the bands, when the file itself says so.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[Index], Numbers]
    dims: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    chunks: tuple[int, ...] | None = None
    held: int | None = None
    band: int | None = None

    @property
    def last(self) -> str:
        """The last part of its name."""
        return re.split(r"[/.]", self.name)[-1]

    @property
    def group(self) -> str:
        """What comes before the last part."""
        return self.name[: -len(self.last)].rstrip("/.")

    @property
    def axes(self) -> tuple[str, ...]:
        """Short names of its axes in lower case, empty where there is none."""
        dims = self.dims or ("",) * len(self.shape)
        return tuple(dim.rpartition("/")[2].lower() for dim in dims)

    def all(self) -> Numbers:
        """Read all of it."""
        return self.read(tuple(slice(0, length) for length in self.shape))

    def at(self, axis: int, place: int) -> "Variable":
        """Return the variable without one axis, at one place along it."""

        def read(index: Index) -> Numbers:
            where = (*index[:axis], slice(place, place + 1), *index[axis:])
            return np.squeeze(self.read(where), axis=axis)

        def without(items: tuple[Any, ...]) -> tuple[Any, ...]:
            return items[:axis] + items[axis + 1 :]

        band = self.band
        return replace(
            self,
            shape=without(self.shape),
            read=read,
            dims=without(self.dims),
            chunks=None if self.chunks is None else without(self.chunks),
            band=None if band is None or band == axis else band - (axis < band),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """What a file holds.

    Attributes
    ----------
    name : str
        What messages call the file.
    variables : mapping of name to Variable
        Every array of real numbers.
    attributes : mapping of group to its attributes
    planes : bool
        Whether single images are candidates: then several of one size may be the bands of a cube.
    unfold : callable or None
        Returns the cube that a matrix of spectra holds, or None for any other variable.
    georeference : Georeference or None
        Of every image in the file, when attributes of the format's own say it.
    notes : tuple of str
        What was left aside while the file was listed.
    """

    name: str
    variables: Mapping[str, Variable]
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    planes: bool = True
    unfold: Callable[[Variable], Variable | None] | None = None
    georeference: Georeference | None = None
    notes: tuple[str, ...] = ()

    def named(self, asked: str) -> list[Variable]:
        """Return the variables a user asked for.

        Parameters
        ----------
        asked : str
            A name, its unique last part, or several with commas between; ``name[2]`` and
            ``name[0,:,3]`` fix places along the first axes.

        Raises
        ------
        ReadError
            There is none of that name.
        AmbiguousError
            Several end in that name.
        UsageError
            The places do not fit the array.
        """
        if asked in self.variables:
            return [self.variables[asked]]
        parts = re.split(r",(?![^\[]*\])", asked)
        return [self._one(part.strip()) for part in parts if part.strip()] or [self._one(asked)]

    def _one(self, asked: str) -> Variable:
        name, places = asked, ""
        if asked.endswith("]") and asked not in self.variables:
            name, _, places = asked[:-1].partition("[")
        bare = name.strip("/")
        found = [one for one in self.variables if one.strip("/") == bare]
        found = found or [one for one in self.variables if re.split(r"[/.]", one)[-1] == bare]
        found = found or [one for one in self.variables if one.endswith("/" + bare)]
        if not found:
            raise ReadError(
                f"{self.name}: expected a numeric variable {name!r}, found "
                f"{self.listed(self.candidates() or self.variables.values())}"
            )
        if len(found) > 1:
            raise AmbiguousError(
                f"{self.name}: several variables end in {name!r}: "
                f"{self.listed(self.variables[one] for one in found)}; say the whole name"
            )
        return self._placed(self.variables[found[0]], places)

    def _placed(self, variable: Variable, places: str) -> Variable:
        words = [word.strip() for word in places.split(",")] if places else []
        for axis, word in reversed(list(enumerate(words))):
            if word == ":":
                continue
            long = variable.shape[axis] if axis < len(variable.shape) else 0
            if not re.fullmatch(r"\d{1,9}", word) or int(word) >= long:
                raise UsageError(
                    f"--variable: expected places along the first axes of {variable.name} "
                    f"({sizes(variable.shape)}), counted from 0, got [{places}]"
                )
            variable = variable.at(axis, int(word))
        return variable

    def candidates(self) -> list[Variable]:
        """Return what may be the image when nobody says which it is: cubes before planes."""
        found = [without_side_axes(one) for one in self.variables.values()]
        usable = [
            one
            for one in found
            if one.dtype.kind in "uif" and 0 not in one.shape and not ASIDE.fullmatch(one.last)
        ]
        cubes = [one for one in usable if len(one.shape) == 3]
        deeper = [one for one in usable if len(one.shape) > 3]
        if self.unfold is not None:
            cubes += [one for one in usable if self.unfold(one) is not None]
        if cubes or deeper or not self.planes:
            return cubes or deeper
        return [one for one in usable if len(one.shape) == 2 and min(one.shape) > 1]

    def listed(self, variables: Iterable[Variable]) -> str:
        """Return names with shapes, for messages."""
        found = [f"{one.name} ({_described(one)})" for one in variables]
        more = f" and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
        return CONTROL.sub("?", (", ".join(found[:MOST_LISTED]) or "no numeric array") + more)


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the axes of an array of two or three axes are.

    Attributes
    ----------
    row, column : int
    band : int or None
        None for a single image.
    note : str
        What the user should know of how they were found; may be empty.
    """

    row: int
    column: int
    band: int | None
    note: str = ""


def without_side_axes(variable: Variable) -> Variable:
    """Drop axes of length 1 that are times, levels and alike, or stand before three others."""
    for axis in reversed(range(len(variable.shape))):
        side = SIDE_AXIS.match(variable.axes[axis]) is not None and variable.band != axis
        if variable.shape[axis] == 1 and side and len(variable.shape) > 2:
            variable = variable.at(axis, 0)
    while len(variable.shape) > 3 and variable.shape[0] == 1 and variable.band != 0:
        variable = variable.at(0, 0)
    return variable


def find_axes(
    variable: Variable, *, name: str, band_axis: int | None, wavelengths: int | None
) -> Axes:
    """Return what the axes of a variable are.

    The user's word decides; then what the file says; then the names of the axes; then
    `find_band_axis` with the number of wavelengths.

    Raises
    ------
    ReadError
        It has not two or three axes, or does not hold real numbers.
    AmbiguousError
        An axis of times is in the way, or several axes may hold the bands.
    UsageError
        ``band_axis`` is out of range.
    """
    _check_numbers(variable, name)
    axes = variable.axes
    if len(variable.shape) == 2:
        if band_axis is not None:
            raise UsageError(
                f"--band-axis: {variable.name} has two axes ({sizes(variable.shape)}), "
                "so no axis of bands; leave it out"
            )
        return _oriented(axes, [0, 1], None)
    band = _axis_by_name(variable) if band_axis is None else None
    if band is not None and variable.band is None and TIME_AXIS.match(axes[band]):
        raise _too_deep(variable, name)
    note = ""
    if band is None:
        a, b, c = variable.shape
        note = habit_note((a, b, c), band_axis=band_axis, wavelengths=wavelengths)
        band = find_band_axis((a, b, c), name=name, band_axis=band_axis, wavelengths=wavelengths)
    found = _oriented(axes, [axis for axis in range(3) if axis != band], band)
    return replace(found, note=note)


def _check_numbers(variable: Variable, name: str) -> None:
    if 0 in variable.shape:
        raise ReadError(f"{name}: expected pixels, found {variable.name} {sizes(variable.shape)}")
    if variable.dtype.kind not in "uif" or len(variable.shape) < 2:
        hint = MODULUS if variable.dtype.kind == "c" else ""
        raise ReadError(
            f"{name}: expected real numbers in two or three axes, found {variable.name} "
            f"of {variable.dtype} {sizes(variable.shape)}{hint}"
        )
    if len(variable.shape) > 3:
        raise _too_deep(variable, name)


def _too_deep(variable: Variable, name: str) -> AmbiguousError:
    return AmbiguousError(
        f"{name}: expected rows, columns and bands, found {variable.name} "
        f"({_described(variable)}); say which place along its first axis you want, "
        f"--variable '{variable.name}[0]', or which axis holds the bands with --band-axis"
    )


def _axis_by_name(variable: Variable) -> int | None:
    """Return the axis of the bands when the file or the names of the axes tell it."""
    if variable.band is not None:
        return variable.band
    axes = variable.axes
    ground = [axis in ROW_AXES or axis in COLUMN_AXES for axis in axes]
    if sum(ground) == 2:
        return ground.index(False)
    bands = [bool(BAND_AXIS.match(axis)) for axis in axes]
    return bands.index(True) if sum(bands) == 1 else None


def _oriented(axes: tuple[str, ...], ground: list[int], band: int | None) -> Axes:
    """Return rows and columns in the order of the file, unless the names say the reverse."""
    row, column = ground
    if axes[row] in COLUMN_AXES and axes[column] in ROW_AXES:
        row, column = column, row
    return Axes(row=row, column=column, band=band)


def _described(variable: Variable) -> str:
    if any(variable.axes) and len(variable.shape) > 3:
        named = zip(variable.axes, variable.shape, strict=True)
        return " × ".join(f"{axis or '?'} {length}" for axis, length in named)
    if variable.axes and TIME_AXIS.match(variable.axes[0] if variable.axes else ""):
        return f"{variable.axes[0]} " + sizes(variable.shape)
    return sizes(variable.shape)
