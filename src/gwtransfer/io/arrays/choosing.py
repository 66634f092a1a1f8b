"""Which of many arrays is the cube, or makes one together with others."""

import re
from collections.abc import Sequence

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.arrays.bandlists import find_spectrum
from gwtransfer.io.arrays.variables import MODULUS, TIME_AXIS, Contents, Variable

COLOURS = (
    *("coastal", "coastal_aerosol", "coastalblue", "coastal_blue", "violet", "blue"),
    *("green_i", "green", "green_ii", "yellow", "orange", "red"),
    *("rededge", "red_edge", "rededge1", "rededge2", "rededge3", "rededge4"),
    *("nir", "nir1", "nir2", "nir08", "nir09", "swir", "swir1", "swir2", "swir16", "swir22"),
)
"""Names of bands that are a colour, by wavelength."""

NUMBERED = re.compile(r"(.*?)(\d+)([a-z]?)", re.IGNORECASE)


def choose(contents: Contents) -> tuple[list[Variable], tuple[str, ...]]:
    """Return the variables that make the one cube of a file, and why these."""
    found = contents.candidates()
    if len(found) == 1:
        return found, ()
    if not found:
        odd = [one for one in contents.variables.values() if one.dtype.kind == "c"]
        odd = [one for one in odd if len(one.shape) >= 2]
        if odd:
            raise ReadError(
                f"{contents.name}: expected real numbers, found {contents.listed(odd)}{MODULUS}"
            )
        wanted = "an image or a cube" if contents.planes else "an array of three axes"
        raise ReadError(
            f"{contents.name}: expected {wanted}, found "
            f"{contents.listed(contents.variables.values())}"
        )
    spectral = [one for one in found if find_spectrum(contents, one).count is not None]
    cubes = [one for one in spectral if len(one.shape) == 3 or contents.unfold is not None]
    if len(cubes) == 1:
        return cubes, (f"took {cubes[0].name}, the one array that has wavelengths",)
    bands = _as_bands(found)
    if bands:
        listed = ", ".join(one.last for one in bands[:12]) + (" …" if len(bands) > 12 else "")
        return bands, (f"{len(bands)} variables taken as bands, in this order: {listed}",)
    raise AmbiguousError(
        f"{contents.name}: expected one cube, found {contents.listed(found)}; "
        f"say --variable {_advice(contents, found)}"
    )


def _advice(contents: Contents, found: Sequence[Variable]) -> str:
    """Return what could be said after --variable."""
    if all(TIME_AXIS.match((*one.axes, "")[0]) for one in found):
        names = [f"{one.name}[0]" for one in found[:3]]
        return f"{names[0]!r} for the first time of one, or {','.join(names)!r} for several"
    if any(len(one.shape) == 2 for one in found) and contents.planes:
        return "NAME, or NAME,NAME,… to make images the bands of a cube"
    return "NAME"


def _as_bands(planes: Sequence[Variable]) -> list[Variable]:
    """Return images in the order of bands when all have one size and are named like bands."""
    if len({(one.shape, one.dims, one.group) for one in planes}) > 1:
        return []
    if any(len(one.shape) != 2 for one in planes):
        return []
    names = [one.last.lower() for one in planes]
    if all(name in COLOURS for name in names):
        return sorted(planes, key=lambda one: COLOURS.index(one.last.lower()))
    found = [NUMBERED.fullmatch(name) for name in names]
    parts = [match.groups() for match in found if match is not None]
    if len(parts) < len(planes) or len({prefix for prefix, _, _ in parts}) > 1:
        return []
    keys = [(int(number), suffix) for _, number, suffix in parts]
    order = sorted(range(len(planes)), key=lambda place: keys[place])
    return [planes[place] for place in order] if len(set(keys)) == len(keys) else []
