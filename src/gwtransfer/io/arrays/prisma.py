"""The products of PRISMA: two cubes, near infrared and short wave, that make one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gwtransfer.core.raster import Floats, Georeference, Raster
from gwtransfer.errors import ReadError
from gwtransfer.io.arrays.cf import Packing, Place, utm
from gwtransfer.io.arrays.cubes import Layer, assemble, make_layer
from gwtransfer.io.arrays.variables import Axes, Contents, Variable
from gwtransfer.io.layout import sizes

CUBES = ("VNIR", "SWIR")
AXES = Axes(row=0, column=2, band=1)
MOST = 65535
"""The stored value that stands for the greatest reflectance."""


def find_cubes(contents: Contents, variable: str | None) -> dict[str, Variable]:
    """Return the cubes of such a product: both, or the one asked for; else nothing."""
    if "List_Cw_Vnir" not in contents.attributes.get("", {}):
        return {}
    cubes = {kind: found for kind in CUBES if (found := _cube(contents, kind)) is not None}
    if variable is None:
        return cubes
    asked = variable.strip("/")
    return {kind: cube for kind, cube in cubes.items() if asked in (cube.name, cube.last)}


def load(contents: Contents, cubes: Mapping[str, Variable]) -> Raster:
    """Return cubes joined along the bands, by wavelength.

    Bands with the wavelength zero, and those a flag calls absent, are left out. Reflectance is
    computed from the product's least and greatest. Where the cubes overlap both are kept.

    Raises
    ------
    ReadError
        The cubes do not fit one another, or their wavelengths do not fit them.
    """
    root = contents.attributes[""]
    shapes = {(cube.shape[0], cube.shape[2]) for cube in cubes.values()}
    if len(shapes) != 1:
        raise ReadError(
            f"{contents.name}: expected cubes of one size, found "
            f"{contents.listed(cubes.values())}; say --variable VNIR_Cube"
        )
    layers: list[Layer] = []
    waves: list[Floats] = []
    for kind, cube in cubes.items():
        present, centres = _bands(contents.name, root, kind, cube)
        packing = _packing(root, kind, cube)
        layers.append(make_layer(contents, cube, AXES, layers=2, packing=packing, picks=present))
        waves.append(centres)
    joined = np.concatenate(waves)
    where, said = _georeference(root, *shapes.pop())
    names = " and ".join(
        f"{len(part)} bands of {cube.last}"
        for part, cube in zip(waves, cubes.values(), strict=True)
    )
    notes = [f"{names} joined by wavelength" if len(cubes) > 1 else names, *said]
    order = np.argsort(joined, kind="stable")
    return assemble(
        contents,
        layers,
        order=order,
        wavelengths=joined[order],
        place=Place(georeference=where),
        notes=notes,
    )


def _cube(contents: Contents, kind: str) -> Variable | None:
    found = [
        one
        for one in contents.variables.values()
        if one.last == f"{kind}_Cube" and "HCO" in one.name and len(one.shape) == 3
    ]
    return found[0] if len(found) == 1 else None


def _bands(name: str, root: Mapping[str, Any], kind: str, cube: Variable) -> tuple[Any, Floats]:
    """Return the places of the bands that are there, by wavelength, and the wavelengths."""
    word = kind.capitalize()
    centres = np.asarray(root.get(f"List_Cw_{word}", ()), dtype=np.float64).ravel()
    if len(centres) != cube.shape[1]:
        raise ReadError(
            f"{name}: expected {cube.shape[1]} wavelengths for {cube.name} "
            f"({sizes(cube.shape)}), found {len(centres)} in List_Cw_{word}; "
            f"say --variable {cube.last} --band-axis 1"
        )
    there = np.isfinite(centres) & (centres > 0)
    flags = np.asarray(root.get(f"List_Cw_{word}_Flags", ())).ravel()
    if len(flags) == len(centres):
        there &= flags != 0
    places = np.flatnonzero(there)
    places = places[np.argsort(centres[places], kind="stable")]
    if not len(places):
        raise ReadError(f"{name}: expected bands in {cube.name}, found none with a wavelength")
    return places, centres[places]


def _packing(root: Mapping[str, Any], kind: str, cube: Variable) -> Packing:
    """Return how digital numbers become reflectance (level 2) or radiance (level 1)."""
    word = kind.capitalize()
    least, most = (root.get(f"L2Scale{word}{end}") for end in ("Min", "Max"))
    if least is not None and most is not None:
        scale, offset = (float(most) - float(least)) / MOST, float(least)
    else:
        factor, less = (root.get(f"{part}{word}") for part in ("ScaleFactor_", "Offset_"))
        scale = 1.0 if not factor else 1 / float(factor)
        offset = 0.0 if less is None else -float(less)
    return Packing(stored=cube.dtype, scale=scale, offset=offset)


def _georeference(
    root: Mapping[str, Any], rows: int, columns: int
) -> tuple[Georeference | None, tuple[str, ...]]:
    """Return where a level 2D product lies; its corners are the centres of pixels."""
    try:
        epsg = int(root["Epsg_Code"])
        west, north, east, south = (
            float(root[f"Product_{corner}"])
            for corner in (
                "ULcorner_easting",
                "ULcorner_northing",
                "LRcorner_easting",
                "LRcorner_northing",
            )
        )
    except (KeyError, TypeError, ValueError):
        return None, ("the swath is not orthorectified",)
    for less in (1, 0):
        wide, high = (east - west) / max(columns - less, 1), (north - south) / max(rows - less, 1)
        if wide > 0 and abs(wide - round(wide)) < 1e-3 and abs(wide - high) < 1e-3:
            half = less / 2
            place = (wide, 0.0, west - half * wide, 0.0, -high, north + half * high)
            return Georeference(crs=utm(epsg), transform=place), ()
    return None, ("the corners do not fit the size; the georeference is left out",)
