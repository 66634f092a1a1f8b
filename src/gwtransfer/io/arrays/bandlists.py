"""What a file lists for the bands of an array: wavelengths, and which bands are good."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.io.arrays.cf import read_packing
from gwtransfer.io.arrays.spectral import (
    GOOD_NAME,
    WAVELENGTH_NAME,
    find_unit,
    is_spectral_unit,
    plausible,
    to_nanometres,
)
from gwtransfer.io.arrays.variables import Contents, Variable

BAND_WAVELENGTH = ("radiation_wavelength", "wavelength", "central_wavelength", "center_wavelength")
MOST_VECTOR = 100_000
"""A longer list is not one of wavelengths."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Spectrum:
    """What a file says about the bands of a variable.

    Attributes
    ----------
    count : int or None
        How many wavelengths are listed, whatever their unit; None when there is no list.
    wavelengths : array, nm, or None
    notes : tuple of str
    """

    count: int | None = None
    wavelengths: Floats | None = None
    notes: tuple[str, ...] = ()


def find_spectrum(contents: Contents, variable: Variable) -> Spectrum:
    """Return the wavelengths of the bands of a variable, as far as the file tells them."""
    for values, attributes in _lists(contents, variable, WAVELENGTH_NAME):
        if plausible(values):
            waves, note = to_nanometres(values, find_unit(attributes))
            return Spectrum(count=values.size, wavelengths=waves, notes=(note,) if note else ())
    return Spectrum()


def find_good(contents: Contents, variable: Variable, bands: int) -> NDArray[np.bool_] | None:
    """Return which bands the file calls good."""
    for values, _ in _lists(contents, variable, GOOD_NAME):
        if values.size == bands and np.isin(values, (0, 1)).all():
            return values.astype(np.bool_)
    return None


def _lists(
    contents: Contents, variable: Variable, pattern: re.Pattern[str]
) -> Iterator[tuple[Floats, Mapping[str, Any]]]:
    """Yield lists with a value for each place of one axis, the nearest to the variable first."""
    lengths = [length for length in variable.shape if variable.shape.count(length) == 1]
    if variable.band is not None:
        lengths = [variable.shape[variable.band]]
    for axis, dim in enumerate(variable.dims):
        found = contents.variables.get(dim)
        if found is not None and found.shape == (variable.shape[axis],):
            named = pattern.fullmatch(found.last) or (
                pattern is WAVELENGTH_NAME and _is_spectral_axis(variable, axis, found)
            )
            if named:
                yield _floats(found), found.attributes
    listed = [
        one
        for one in contents.variables.values()
        if pattern.fullmatch(one.last)
        and 1 < int(np.prod(one.shape, dtype=object)) <= MOST_VECTOR
        and int(np.prod(one.shape, dtype=object)) == max(one.shape)
        and max(one.shape) in lengths
    ]
    for one in sorted(listed, key=lambda one: _distance(variable.name, one.name)):
        yield _floats(one), one.attributes
    for held in _attributes_around(contents, variable):
        for key, value in held.items():
            numbers = np.asarray(value) if pattern.fullmatch(key) else np.empty(0)
            if numbers.dtype.kind in "uif" and numbers.size > 1 and numbers.size in lengths:
                yield numbers.astype(np.float64).ravel(), held


def _attributes_around(contents: Contents, variable: Variable) -> Iterator[Mapping[str, Any]]:
    """Yield the attributes of a variable and of the groups it is in, up to the file's own."""
    yield variable.attributes
    group = variable.name
    while group:
        group = group.rpartition("/")[0]
        yield contents.attributes.get(group, {})


def _is_spectral_axis(variable: Variable, axis: int, coordinate: Variable) -> bool:
    said = str(coordinate.attributes.get("standard_name", ""))
    if "wavelength" in said or "wavenumber" in said:
        return True
    return variable.band == axis and is_spectral_unit(find_unit(coordinate.attributes))


def _floats(variable: Variable) -> Floats:
    values = read_packing(variable).values(variable.all()).ravel()
    if variable.dtype == np.float32:  # 0.4 and not 0.4000000059604645
        return np.array([float(str(value)) for value in values])
    return values.astype(np.float64)


def _distance(one: str, other: str) -> int:
    """Return how many groups lie between two variables."""
    a, b = (re.split(r"[/.]", name)[:-1] for name in (one, other))
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return len(a) + len(b) - 2 * shared


def find_plane_wavelengths(planes: Sequence[Variable]) -> tuple[Floats | None, tuple[str, ...]]:
    """Return the wavelengths that the attributes of single bands say."""
    values: list[float] = []
    for one in planes:
        said = [one.attributes[key] for key in BAND_WAVELENGTH if key in one.attributes]
        numbers = np.asarray(said[0]) if said else np.empty(0)
        if numbers.size != 1 or numbers.dtype.kind not in "uif":
            return None, ()
        values.append(float(numbers.flat[0]))
    waves = np.array(values)
    if not plausible(waves):
        return None, ()
    unit = next(
        (
            str(value)
            for key, value in planes[0].attributes.items()
            if re.fullmatch(r"\w*wavelength_units?", key)
        ),
        "",
    )
    converted, note = to_nanometres(waves, unit)
    return converted, (note,) if note else ()
