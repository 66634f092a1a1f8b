"""From the arrays of a file to one raster: what is chosen, its wavelengths, its rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats, Raster, Rows
from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.arrays.bandlists import (
    Spectrum,
    find_good,
    find_plane_wavelengths,
    find_spectrum,
)
from gwtransfer.io.arrays.cf import Packing, Place, find_place, read_packing
from gwtransfer.io.arrays.choosing import choose
from gwtransfer.io.arrays.chunkrows import ChunkRows
from gwtransfer.io.arrays.variables import Axes, Contents, Variable, find_axes, without_side_axes
from gwtransfer.io.layout import named, sizes
from gwtransfer.io.undeclared import seen_holes

MOST_ROW_BYTES = 1_000_000_000
MOST_EXPANSION = 2000
"""How many bytes a byte in the file can stand for, before the sizes are not believed."""

MOST_HOLLOW = 100_000
"""Chunks an array may be cut into although it holds less than a byte for each of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """Bands that are read from one variable.

    Attributes
    ----------
    source : ChunkRows
    packing : Packing
    picks : array of int, or None
        Which bands, in which order; None is all of them.
    """

    source: ChunkRows
    packing: Packing
    picks: NDArray[np.intp] | None = None

    @property
    def bands(self) -> int:
        """How many bands it gives."""
        return self.source.bands if self.picks is None else len(self.picks)

    def values(self, start: int, stop: int) -> Floats:
        """Read (rows, columns, bands) floats with NaN where there are no data."""
        stored = self.source.rows_between(start, stop)
        return self.packing.values(stored if self.picks is None else stored[:, :, self.picks])


def load_cube(contents: Contents, *, variable: str | None, band_axis: int | None) -> Raster:
    """Return the one cube of a file, or the one the user asks for.

    Parameters
    ----------
    contents : Contents
    variable : str or None
        As `Contents.named`.
    band_axis : int or None
        Which of three axes holds the bands, once axes of length 1 that are times, levels and alike
        are dropped; found out when it is None.

    Returns
    -------
    Raster

    Raises
    ------
    ReadError
        There is no cube, or it is absurd, or not of real numbers.
    AmbiguousError
        Several variables or axes could be meant.
    UsageError
        An option is out of range.
    """
    if variable is None:
        chosen, notes = choose(contents)
    else:
        chosen, notes = contents.named(variable), ()
    chosen = [without_side_axes(one) for one in chosen]
    if len(chosen) > 1:
        return _stacked(contents, chosen, notes)
    (one,) = chosen
    spectrum = find_spectrum(contents, one)
    unfolded = None if contents.unfold is None else contents.unfold(one)
    one = unfolded or one
    axes = find_axes(one, name=contents.name, band_axis=band_axis, wavelengths=spectrum.count)
    layer = make_layer(contents, one, axes)
    waves = spectrum.wavelengths
    if waves is not None and len(waves) != layer.bands:
        spectrum = Spectrum()
        waves = None
    if axes.band is None:
        waves, more = find_plane_wavelengths([one])
        spectrum = Spectrum(wavelengths=waves, notes=more)
    place = _where(contents, one, axes)
    hole, hole_note = _unnamed_holes(layer)
    if hole is not None:
        layer = replace(layer, packing=replace(layer.packing, found=hole))
    return assemble(
        contents,
        [layer],
        wavelengths=waves,
        good=find_good(contents, one, layer.bands),
        place=place,
        notes=(*contents.notes, *notes, axes.note, *spectrum.notes, *place.notes, hole_note),
    )


def _unnamed_holes(layer: Layer) -> tuple[float | None, str]:
    """Look for missing pixels in a cube that names no value for them."""
    source, packing = layer.source, layer.packing
    return seen_holes(
        source.rows,
        lambda start, stop: packing.understood(source.rows_between(start, stop)),
        packing.usual,
        axis=2,
    )


def make_layer(
    contents: Contents,
    variable: Variable,
    axes: Axes,
    *,
    layers: int = 1,
    packing: Packing | None = None,
    picks: NDArray[np.intp] | None = None,
) -> Layer:
    """Return a variable made ready to be read by rows.

    Raises
    ------
    ReadError
        It promises values that the file cannot hold, or rows that no memory can.
    """
    promised = int(np.prod(variable.shape, dtype=object)) * variable.dtype.itemsize
    if variable.held == 0:
        raise ReadError(
            f"{contents.name}: expected values in {variable.name}, found an array of "
            f"{sizes(variable.shape)} that was never written"
        )
    absurd = promised > MOST_ROW_BYTES and promised > MOST_EXPANSION * (variable.held or promised)
    if variable.chunks is not None and variable.held is not None:
        pairs = zip(variable.shape, variable.chunks, strict=True)
        cuts = (-(-n // max(chunk, 1)) for n, chunk in pairs)
        absurd |= math.prod(cuts) > max(MOST_HOLLOW, variable.held)
    if absurd or 16 * promised // (variable.dtype.itemsize * variable.shape[axes.row]) > (
        MOST_ROW_BYTES
    ):
        raise ReadError(
            f"{contents.name}: expected an image, found {variable.name} that claims to be "
            f"{sizes(variable.shape)}; the file is broken, or --band-axis is another"
        )
    source = ChunkRows(variable, axes, name=contents.name, layers=layers)
    return Layer(
        source=source, packing=packing or read_packing(variable, layers=layers), picks=picks
    )


def assemble(
    contents: Contents,
    layers: Sequence[Layer],
    *,
    order: NDArray[np.intp] | None = None,
    wavelengths: Floats | None = None,
    good: NDArray[np.bool_] | None = None,
    place: Place | None = None,
    notes: Sequence[str] = (),
) -> Raster:
    """Return the raster whose bands are those of the layers, one after the other.

    With an ``order`` they are then put into that; wavelengths and good bands are in it already.
    """
    where = place or Place()
    first = layers[0]
    rows = first.source.rows

    def read(start: int, stop: int) -> Rows:
        if where.upward:
            start, stop = rows - stop, rows - start
        parts = [layer.values(start, stop) for layer in layers]
        values = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        if order is not None:
            values = values[:, :, order]
        return Rows(values=values[::-1] if where.upward else values)

    stored = np.result_type(*(layer.packing.stored for layer in layers))
    said = [*notes, *(note for layer in layers for note in layer.packing.notes)]
    return Raster(
        name=contents.name,
        rows=rows,
        columns=first.source.columns,
        bands=sum(layer.bands for layer in layers),
        read=read,
        kind="cube",
        dtype=stored.name,
        wavelengths=wavelengths,
        nodata=next((one.packing.nodata for one in layers if one.packing.nodata is not None), None),
        georeference=where.georeference,
        good=good,
        notes=named(contents.name, said),
    )


def _stacked(contents: Contents, planes: Sequence[Variable], notes: tuple[str, ...]) -> Raster:
    """Return images of one size as the bands of a cube."""
    first = planes[0]
    for one in planes:
        if len(one.shape) != 2 or one.shape != first.shape:
            raise AmbiguousError(
                f"{contents.name}: expected images of one size to put together, found "
                f"{contents.listed(planes)}; say --variable with those that fit"
            )
    axes = [find_axes(one, name=contents.name, band_axis=None, wavelengths=None) for one in planes]
    layers = [
        make_layer(contents, one, axis, layers=len(planes))
        for one, axis in zip(planes, axes, strict=True)
    ]
    waves, more = find_plane_wavelengths(planes)
    places = [_where(contents, one, axes[0]) for one in planes]
    place = max(places, key=_completeness)
    return assemble(
        contents,
        layers,
        wavelengths=waves,
        place=place,
        notes=(*contents.notes, *notes, *more, *place.notes),
    )


def _completeness(place: Place) -> int:
    """Return 0 without georeference, 1 without its coordinate system, else 2."""
    return 0 if place.georeference is None else 1 + bool(place.georeference.crs)


def _where(contents: Contents, variable: Variable, axes: Axes) -> Place:
    if contents.georeference is not None:
        return Place(georeference=contents.georeference)
    return find_place(contents, variable, axes)
