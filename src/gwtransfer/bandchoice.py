"""Which bands of a cube to use: by wavelength, by number, or all the file does not call bad."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.core.views import chosen
from gwtransfer.errors import DataError, UsageError

NUMBER = r"(\d+(?:\.\d+)?)"
UNIT = r"(nm|um|µm)"
BY_WAVELENGTH = re.compile(rf"{NUMBER}?\s*{UNIT}?\s*(-)?\s*(?:{NUMBER}\s*{UNIT})?")
BY_NUMBER = re.compile(r"(\d+)?(-)?(\d+)?")


@dataclass(frozen=True, kw_only=True)
class _Range:
    """Wavelengths in nm or numbers of bands, ends included; None is open."""

    text: str
    low: float | None
    high: float | None
    by_number: bool
    single: bool


def check_bands(text: str) -> None:
    """Refuse what is no choice of bands.

    Raises
    ------
    UsageError
        The text is not understood.
    """
    _ranges(text)


def choose_bands(raster: Raster, text: str | None) -> Raster:
    """Return a cube of the bands a text chooses; a picture stays as it is.

    Parameters
    ----------
    text : str or None
        Ranges with commas between them: ``400-700nm,900nm-`` by wavelength, ``1-20,35`` by the
        number of the band from 1; ``650nm`` is the nearest band; ``all`` is every band. None leaves
        out what the file marks as bad.

    Raises
    ------
    UsageError
        The text is not understood.
    DataError
        No band is left, a number is beyond the last, or wavelengths are not known.
    """
    if raster.kind == "picture":
        return raster
    if text is None:
        return raster if raster.good is None or raster.good.all() else _good(raster)
    ranges = _ranges(text)
    if not ranges:
        return raster
    kept = np.zeros(raster.bands, dtype=np.bool_)
    for one in ranges:
        kept |= _within(raster, one)
    return chosen(raster, np.flatnonzero(kept))


def _good(raster: Raster) -> Raster:
    assert raster.good is not None
    if not raster.good.any():
        raise DataError(f"{raster.name}: the file calls all {raster.bands} bands bad; --bands all")
    return chosen(raster, np.flatnonzero(raster.good))


def _ranges(text: str) -> list[_Range]:
    """Return the ranges of a choice; none for ``all``."""
    if text.strip().lower() == "all":
        return []
    return [_range(part.strip()) for part in text.split(",")]


def _range(part: str) -> _Range:
    numbers = BY_NUMBER.fullmatch(part)
    if numbers and (numbers[1] or numbers[3]):
        low, high = (None if end is None else float(end) for end in (numbers[1], numbers[3]))
        single = numbers[2] is None
        found = _Range(text=part, low=low, high=high, by_number=True, single=single)
    else:
        waves = BY_WAVELENGTH.fullmatch(part)
        if not waves or not (waves[2] or waves[5]) or not (waves[1] or waves[4]):
            raise _unclear(part)
        low = _nanometres(waves[1], waves[2] or waves[5])
        high = _nanometres(waves[4], waves[5])
        if waves[3] is None and high is not None:
            raise _unclear(part)
        single = waves[3] is None
        found = _Range(text=part, low=low, high=high, by_number=False, single=single)
    if found.low is not None and found.high is not None and found.low > found.high:
        raise UsageError(f"--bands {part}: expected the smaller end first")
    return found


def _unclear(part: str) -> UsageError:
    return UsageError(
        f"--bands {part}: expected ranges like 400-700nm, 900nm- or 1-20,35 with commas between "
        "them, or all"
    )


def _nanometres(number: str | None, unit: str | None) -> float | None:
    if number is None:
        return None
    return float(number) * (1 if unit == "nm" else 1000)


def _within(raster: Raster, one: _Range) -> NDArray[np.bool_]:
    """Return which bands a range takes."""
    if one.by_number:
        values = np.arange(1.0, raster.bands + 1)
        most = max(end for end in (one.low, one.high) if end is not None)
        if most > raster.bands or one.low == 0:
            raise DataError(f"{raster.name}: --bands {one.text}: expected bands 1 … {raster.bands}")
    elif raster.wavelengths is None:
        raise DataError(
            f"{raster.name}: --bands {one.text}: the wavelengths are not known; choose by number, "
            f"1 … {raster.bands}"
        )
    else:
        values = raster.wavelengths
    if one.single:
        assert one.low is not None
        nearest = np.asarray(values == values[np.abs(values - one.low).argmin()])
        _check_span(raster, one, bool(values.min() <= one.low <= values.max()), values)
        return nearest
    low = -np.inf if one.low is None else one.low
    high = np.inf if one.high is None else one.high
    taken = np.asarray((values >= low) & (values <= high))
    _check_span(raster, one, bool(taken.any()), values)
    return taken


def _check_span(raster: Raster, one: _Range, found: bool, values: NDArray[np.floating]) -> None:
    if not found:
        raise DataError(
            f"{raster.name}: --bands {one.text}: no band there; they span "
            f"{values.min():.6g} … {values.max():.6g}{'' if one.by_number else ' nm'}"
        )
