"""How attributes say what stored values mean, and where on the ground they lie.

The names are those of the CF conventions (netCDF), with a few that common products use instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gwtransfer.core.raster import Floats, Georeference
from gwtransfer.io.arrays.variables import Axes, Contents, Numbers, Variable
from gwtransfer.io.layout import working_type
from gwtransfer.io.undeclared import missing, usual_holes

Transform = tuple[float, float, float, float, float, float]

WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)

NETCDF_FILL = 9.969209968386869e36
"""What the netCDF library puts where nothing was written, in floats."""

UPWARD = "the file has its southernmost row first; turned so that north is up"
UNEVEN = "the coordinates are not evenly spaced; the georeference is left out"
EVEN = 0.01
"""How far steps between coordinates may differ from their mean, as a share of it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Packing:
    """How stored values become floats: holes first, then unpacking.

    Attributes
    ----------
    stored : dtype
        As the values are to be understood; unsigned where the file says so.
    holes : tuple of float
        Values that mean "no data".
    least, most : float or None
        Stored values outside are no data.
    scale, offset : float
        value = stored · scale + offset.
    usual : tuple of int
        A pixel that holds one of these in every band has no data, though the file does not say so.
    found : float or None
        The one of them that was seen.
    notes : tuple of str
    """

    stored: np.dtype[Any]
    holes: tuple[float, ...] = ()
    least: float | None = None
    most: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    usual: tuple[int, ...] = ()
    found: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def nodata(self) -> float | None:
        """What stands for "no data"; NaN when it is a range."""
        if self.holes:
            return self.holes[0]
        return self.found if self.least is None and self.most is None else float("nan")

    def understood(self, stored: Numbers) -> Numbers:
        """Return stored values with the sign the file says they have."""
        if stored.dtype == self.stored or stored.dtype.itemsize != self.stored.itemsize:
            return stored
        return np.ascontiguousarray(stored).view(self.stored)

    def values(self, stored: Numbers) -> Floats:
        """Return floats with NaN where there are no data."""
        stored = self.understood(stored)
        values = stored.astype(working_type(self.stored), order="C")
        if self.scale != 1:
            values *= values.dtype.type(self.scale)
        if self.offset != 0:
            values += values.dtype.type(self.offset)
        if self.usual:
            values[missing(stored, self.usual, axis=2)] = np.nan
        for hole in self.holes:
            np.putmask(values, stored == self.stored.type(hole), np.nan)
        if self.least is not None:
            np.putmask(values, stored < self.least, np.nan)
        if self.most is not None:
            np.putmask(values, stored > self.most, np.nan)
        return values


def read_packing(variable: Variable, *, layers: int = 1) -> Packing:
    """Return what the attributes of a variable say about its values.

    With several ``layers`` it holds some bands only, which do not tell that a pixel is missing.
    """
    attributes = variable.attributes
    stored = variable.dtype
    if str(attributes.get("_Unsigned", "")).lower() == "true" and stored.kind == "i":
        stored = np.dtype(f"{stored.byteorder}u{stored.itemsize}")
    elif str(attributes.get("_Unsigned", "")).lower() == "false" and stored.kind == "u":
        stored = np.dtype(f"{stored.byteorder}i{stored.itemsize}")
    holes: list[float] = []
    for key in ("_FillValue", "missing_value", "Data_Ignore_Value", "data_ignore_value"):
        for value in _numbers(attributes.get(key)):
            hole = _as_stored(value, stored)
            if hole is not None and hole not in holes:
                holes.append(hole)
    scale, offset, notes = _scaling(attributes)
    least, most = _range(attributes, stored, packed=scale != 1 or offset != 0)
    if least is not None or most is not None:
        notes.append(
            "values outside the valid range "
            f"{'−∞' if least is None else f'{least:g}'} … {'∞' if most is None else f'{most:g}'} "
            "are no data"
        )
    plain = not holes and least is None and most is None and layers == 1
    return Packing(
        stored=stored,
        holes=tuple(holes),
        least=least,
        most=most,
        scale=scale,
        offset=offset,
        usual=usual_holes(stored) if plain and scale != 1 else (),
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """Where a grid lies.

    Attributes
    ----------
    georeference : Georeference or None
        Of the grid with its first row in the north.
    upward : bool
        Whether the file has the southernmost row first.
    notes : tuple of str
    """

    georeference: Georeference | None = None
    upward: bool = False
    notes: tuple[str, ...] = ()


def find_place(contents: Contents, variable: Variable, axes: Axes) -> Place:
    """Return where the grid of a variable lies, and what about it could not be used.

    Evenly spaced coordinates decide. Without usable ones it is the ``GeoTransform`` GDAL writes,
    which tells of the northernmost row while GDAL stores the southernmost first.
    """
    mapping = _grid_mapping(contents, variable)
    crs = _text(mapping, "crs_wkt") or _text(mapping, "spatial_ref")
    dims = variable.dims or ("",) * len(variable.shape)
    along, down = (_coordinate(contents, dims[axis]) for axis in (axes.column, axes.row))
    uneven = False
    if along is not None and down is not None:
        (a, c), (e, f) = _grid_line(along), _grid_line(down)
        if a is not None and e is not None and c is not None and f is not None:
            if not crs and _degrees(along, "east") and _degrees(down, "north"):
                crs = WGS84
            if e > 0:
                e, f = -e, f + e * variable.shape[axes.row]
                where = Georeference(crs=crs, transform=(a, 0.0, c, 0.0, e, f))
                return Place(georeference=where, upward=True, notes=(UPWARD,))
            return Place(georeference=Georeference(crs=crs, transform=(a, 0.0, c, 0.0, e, f)))
        uneven = True
    try:
        c, a, b, f, d, e = map(float, _text(mapping, "GeoTransform").split())
    except ValueError:
        return Place(notes=(UNEVEN,) if uneven else ())
    where = Georeference(crs=crs, transform=(a, b, c, d, e, f))
    return Place(georeference=where, upward=e < 0, notes=(UPWARD,) if e < 0 else ())


def utm(epsg: int) -> str:
    """Return the WKT of EPSG 32601 … 32660 and 32701 … 32760, or nothing for other codes."""
    zone, south = epsg % 100, epsg // 100 == 327
    if epsg // 100 not in (326, 327) or not 1 <= zone <= 60:
        return ""
    return (
        f'PROJCS["WGS 84 / UTM zone {zone}{"S" if south else "N"}",{WGS84},'
        'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
        f'PARAMETER["central_meridian",{6 * zone - 183}],PARAMETER["scale_factor",0.9996],'
        f'PARAMETER["false_easting",500000],PARAMETER["false_northing",{10000000 * south}],'
        f'UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","{epsg}"]]'
    )


def envi_map(text: str) -> Transform | None:
    """Return the transform an ENVI "map info" line says, as some HDF5 products hold it."""
    words = [word.strip() for word in text.strip("{} ").split(",")]
    if any("rotation" in word.lower() for word in words):
        return None
    try:
        column, row, x, y, wide, high = map(float, words[1:7])
    except ValueError:
        return None
    return (wide, 0.0, x - (column - 1) * wide, 0.0, -high, y + (row - 1) * high)


def _scaling(attributes: Mapping[str, Any]) -> tuple[float, float, list[str]]:
    scales, offsets = (
        _numbers(attributes.get("scale_factor")),
        _numbers(attributes.get("add_offset")),
    )
    if scales or offsets:
        return (scales or [1.0])[0], (offsets or [0.0])[0], []
    divisors = _numbers(attributes.get("Scale_Factor"))
    if divisors and "Data_Ignore_Value" in attributes and divisors[0] > 0:
        return 1 / divisors[0], 0.0, [f"values divided by the file's Scale_Factor {divisors[0]:g}"]
    return 1.0, 0.0, []


def _range(
    attributes: Mapping[str, Any], stored: np.dtype[Any], *, packed: bool
) -> tuple[float | None, float | None]:
    """Return the valid range in stored values; one in unpacked units is left alone."""
    both = _numbers(attributes.get("valid_range"))
    least = both[:1] or _numbers(attributes.get("valid_min"))
    most = both[1:2] or _numbers(attributes.get("valid_max"))
    given = [attributes.get(key) for key in ("valid_range", "valid_min", "valid_max")]
    floats = any(np.asarray(one).dtype.kind == "f" for one in given if one is not None)
    if (packed and floats and stored.kind in "iu") or len(both) not in (0, 2):
        return None, None
    low, high = (one[0] if one else None for one in (least, most))
    if low is not None and high is not None and low > high:
        return None, None
    if stored.kind in "iu":  # a range that leaves nothing out is not worth a word
        limits = np.iinfo(stored)
        low = None if low is not None and low <= limits.min else low
        high = None if high is not None and high >= limits.max else high
    return low, high


def _as_stored(value: float, stored: np.dtype[Any]) -> float | None:
    """Return a value as it is stored; None when no stored value can equal it."""
    if stored.kind == "f":
        with np.errstate(over="ignore"):
            kept = float(stored.type(value))
        return None if np.isnan(kept) else kept
    limits = np.iinfo(stored)
    if stored.kind == "u" and value < 0:
        value += 2.0 ** (8 * stored.itemsize)
    whole = np.isfinite(value) and value == int(value)
    return value if whole and limits.min <= value <= limits.max else None


def _numbers(value: Any) -> list[float]:
    """Return the numbers in an attribute; nothing when it holds something else."""
    if value is None:
        return []
    try:
        listed = np.asarray(value, dtype=np.float64).ravel().tolist()
    except (TypeError, ValueError):
        return []
    return [float(number) for number in listed if not np.isnan(number)]


def _text(attributes: Mapping[str, Any], key: str) -> str:
    value = attributes.get(key, "")
    return value.strip() if isinstance(value, str) else ""


def _grid_mapping(contents: Contents, variable: Variable) -> Mapping[str, Any]:
    """Return the attributes of the variable that describes the projection."""
    name = _text(variable.attributes, "grid_mapping").partition(":")[0]
    group = variable.group
    while name:
        for key in (f"{group}/{name}", f"{group}/{name}".strip("/")):
            if key in contents.attributes:
                return contents.attributes[key]
        if not group:
            break
        group = group.rpartition("/")[0]
    return {}


def _coordinate(contents: Contents, dim: str) -> Variable | None:
    found = contents.variables.get(dim)
    return found if found is not None and len(found.shape) == 1 and found.shape[0] > 1 else None


def _grid_line(coordinate: Variable) -> tuple[float | None, float | None]:
    """Return the step between evenly spaced coordinates and where the first pixel begins."""
    values = read_packing(coordinate).values(coordinate.all()).astype(np.float64)
    if not np.isfinite(values).all():
        return None, None
    steps = np.diff(values)
    step = float((values[-1] - values[0]) / len(steps))
    kept = np.float32 if coordinate.dtype.itemsize <= 4 else np.float64
    rounding = 4 * float(np.spacing(kept(np.abs(values).max())))
    if step == 0 or np.abs(steps - step).max() > max(EVEN * abs(step), rounding):
        return None, None
    return step, float(values[0]) - step / 2


def _degrees(coordinate: Variable, towards: str) -> bool:
    units = _text(coordinate.attributes, "units").lower().replace(" ", "_")
    spellings: Sequence[str] = (f"degrees_{towards}", f"degree_{towards}", f"degrees{towards}")
    return units in (*spellings, f"degree_{towards[0]}", f"degrees_{towards[0]}")
