"""What the named channels of an OpenEXR file are: a picture, or the bands of a cube."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Floats
from gwtransfer.errors import AmbiguousError

_SPECTRAL = re.compile(
    r"(?P<kind>S[0-3]|T)\.(?P<number>\d*[.,]?\d+(?:[Ee][+-]?\d+)?)(?P<unit>[munpk]?m|[kMGTP]?Hz)"
)
"""The names of the spectral OpenEXR layout: S0 … S3 are Stokes parameters, T is reflectance."""

_NANOMETRES = re.compile(r"(?:.*[^0-9.,])?(?P<number>\d+(?:[.,]\d+)?)\s*nm", re.IGNORECASE)
_TO_NANOMETRES = {"nm": 1.0, "um": 1e3, "mm": 1e6, "m": 1e9, "pm": 1e-3, "km": 1e12}
_HERTZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12, "PHz": 1e15}
_LIGHT = 2.99792458e17
"""Nanometres that light goes in a second."""

_LISTED = 6
"""Names that a note lists at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Channels:
    """Which channels make up the raster.

    Attributes
    ----------
    indexes : tuple of int
        Of the bands, in the order of the raster.
    alpha : int or None
    picture : bool
    wavelengths : array, nm, or None
    note : str
        What is left out; empty when nothing is.
    """

    indexes: tuple[int, ...]
    alpha: int | None
    picture: bool
    wavelengths: Floats | None = None
    note: str = ""


def find_channels(names: Sequence[str], *, name: str) -> Channels:
    """Return what the channels of those names are.

    Channels named by wavelengths are the bands of a cube, in rising order. Otherwise R, G, B or Y,
    with A, are a picture; so are those of the only layer there is. All else is a cube of every
    channel.

    Parameters
    ----------
    names : sequence of str
        In the order of the file.
    name : str
        What messages call the file.

    Raises
    ------
    AmbiguousError
        It holds spectra of two kinds.
    """
    spectra = _spectra(names, name=name)
    if spectra is not None:
        return spectra
    for prefix in ("", *_only_layer(names)):
        colours = _colours(names, prefix)
        if colours is not None:
            return colours
    note = "" if len(names) < 2 else f"its channels become the bands: {_list(names)}"
    return Channels(indexes=tuple(range(len(names))), alpha=None, picture=False, note=note)


def _spectra(names: Sequence[str], *, name: str) -> Channels | None:
    kinds: dict[str, dict[int, float]] = {}
    for index, channel in enumerate(names):
        named = _wavelength(channel)
        if named is not None:
            kinds.setdefault(named[0], {})[index] = named[1]
    main = {kind: bands for kind, bands in kinds.items() if kind not in ("S1", "S2", "S3")}
    if len(main) > 1:
        raise AmbiguousError(
            f"{name}: expected spectra of one kind, found {' and '.join(sorted(main))}; "
            "save the kind you want as a file of its own"
        )
    found = next(iter(main.values()), {})
    if len(found) < 2:
        return None
    indexes = sorted(found, key=lambda index: found[index])
    left = [channel for index, channel in enumerate(names) if index not in found]
    return Channels(
        indexes=tuple(indexes),
        alpha=None,
        picture=False,
        wavelengths=np.array([found[index] for index in indexes]),
        note=_left_out(left),
    )


def _wavelength(channel: str) -> tuple[str, float] | None:
    """Return the kind of spectrum a channel belongs to, and its wavelength in nm."""
    spectral = _SPECTRAL.fullmatch(channel)
    if spectral is not None:
        number, unit = float(spectral["number"].replace(",", ".")), spectral["unit"]
        if unit in _TO_NANOMETRES:
            return spectral["kind"], number * _TO_NANOMETRES[unit]
        return (spectral["kind"], _LIGHT / (number * _HERTZ[unit])) if number else None
    named = _NANOMETRES.fullmatch(channel)
    return None if named is None else ("bands", float(named["number"].replace(",", ".")))


def _only_layer(names: Sequence[str]) -> list[str]:
    layers = {channel.rpartition(".")[0] for channel in names if "." in channel}
    return [f"{layer}." for layer in layers] if len(layers) == 1 else []


def _colours(names: Sequence[str], prefix: str) -> Channels | None:
    """Return the picture in R, G, B or in Y after a prefix, or None where there is none."""
    for colours in ("RGB", "Y"):
        wanted = [prefix + colour for colour in colours]
        if set(wanted) <= set(names):
            break
    else:
        return None
    alpha = names.index(prefix + "A") if prefix + "A" in names else None
    left = [channel for channel in names if channel not in (*wanted, prefix + "A")]
    indexes = tuple(names.index(channel) for channel in wanted)
    return Channels(indexes=indexes, alpha=alpha, picture=True, note=_left_out(left))


def _left_out(names: Sequence[str]) -> str:
    return f"channels left out: {_list(names)}" if names else ""


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def from_primaries(chromaticities: Sequence[float]) -> NDArray[np.float64] | None:
    """Return the matrix that turns light in given primaries into that of sRGB.

    The white point is adapted after Bradford, so that white stays white.

    Parameters
    ----------
    chromaticities : sequence of 8 floats
        x and y of red, green, blue and white.

    Returns
    -------
    (3, 3) array or None
        For column vectors; None when the primaries are those of sRGB, within 0.001.
    """
    given = np.asarray(chromaticities, dtype=np.float64).reshape(4, 2)
    srgb = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06], [0.3127, 0.3290]])
    if np.abs(given - srgb).max() < 1e-3:
        return None
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    cones = [bradford @ _xyz(where[3:])[:, 0] for where in (srgb, given)]
    adapted = np.linalg.solve(bradford, np.diag(cones[0] / cones[1]) @ bradford)
    return np.asarray(np.linalg.solve(_to_xyz(srgb), adapted @ _to_xyz(given)))


def _xyz(chromaticities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return XYZ of luminance 1 as columns."""
    x, y = chromaticities.T
    return np.stack([x / y, np.ones_like(x), (1 - x - y) / y])


def _to_xyz(chromaticities: NDArray[np.float64]) -> NDArray[np.float64]:
    primaries = _xyz(chromaticities[:3])
    return primaries * np.linalg.solve(primaries, _xyz(chromaticities[3:])[:, 0])
