"""Wavelengths in nm from what files say: numbers with any unit or none, and names of bands."""

import re
from collections.abc import Sequence

import numpy as np

from gwtransfer.core.raster import Floats
from gwtransfer.io.arrays.spectral import is_spectral_unit, plausible, to_nanometres

_NO_LENGTHS = re.compile(
    r"[kmgt]?hz|(?:kilo|mega|giga|tera)?-?hertz|frequency"
    r"|ind(?:ex|ices)|(?:band|channel)s?(?: ?(?:index|number|no|id))?|pixels?|seconds?|s|days?"
)

_NUMBER = r"(\d+(?:\.\d+)?)"
_WITH_UNIT = re.compile(
    rf"{_NUMBER}\s*[\[(]?(nm|nano-?met\w*|[uµμ]m|micro-?met\w*|microns?)\b", re.IGNORECASE
)
_BARE = (
    re.compile(rf"^\s*{_NUMBER}(?![\w.])"),  # 450.5 (452.1)
    re.compile(rf"[(\[]\s*{_NUMBER}\s*[)\]]\s*$"),  # Band 12 (450.5)
    re.compile(rf"^\s*[A-Za-z]+[ _-]?{_NUMBER}\s*$"),  # b450
)


def in_nanometres(values: Floats, unit: str) -> Floats | None:
    """Convert wavelengths to nm as `converted` does, without saying what was guessed."""
    return converted(values, unit)[0]


def converted(values: Floats, unit: str) -> tuple[Floats | None, str | None]:
    """Convert numbers in a unit as a file writes it to wavelengths in nm.

    Without a unit anybody knows, values above 100 are nm and smaller ones µm. The same holds where
    the unit is nm and all values are below 20, or µm and all are above 100: nobody images there.

    Parameters
    ----------
    values : (bands,) array
    unit : str
        In any case, singular or plural; empty when the file has none.

    Returns
    -------
    wavelengths : (bands,) array, nm, or None
        None when the numbers are no wavelengths: frequencies, indices, not positive.
    note : str or None
        What was guessed or left out.
    """
    unit = unit.strip(" \t\n{}\"'")
    word = " ".join(unit.lower().split())
    if _NO_LENGTHS.fullmatch(word):
        return None, f"the wavelengths are left out: their unit {unit!r} is no length"
    if not plausible(values):
        return None, "the wavelengths are left out: they are band numbers, or not all positive"
    for known in (unit, unit[:-1] if word.endswith("s") else unit):
        if is_spectral_unit(known):
            return _checked(values, known)
    said = f"their unit {unit!r} says nothing" if unit else "they have no unit"
    return values * _guess(values), f"the wavelengths are taken as {_word(values)}: {said}"


def from_names(names: Sequence[str]) -> tuple[Floats | None, str | None]:
    """Read wavelengths off the names of the bands, where every one of them holds one.

    Names with a unit ("Band 12 (512.3 nm)") are believed as they are. Bare numbers ("b450",
    "450.5", "Band 12 (0.45)") are when they rise or fall throughout, do not just count, and all lie
    between 200 and 20 000 nm or, with decimals, between 0.2 and 20 µm.

    Returns
    -------
    wavelengths : (bands,) array, nm, or None
    note : str or None
        That they come from the names.
    """
    found = [_WITH_UNIT.search(name) for name in names]
    if names and all(found):
        each = [in_nanometres(np.array([float(one[1])]), one[2]) for one in found if one]
        if all(one is not None for one in each):
            values = np.array([float(one[0]) for one in each if one is not None])
            return values, _from(names)
    for pattern in _BARE:
        found = [pattern.search(name) for name in names]
        if len(names) > 1 and all(found):
            values = np.array([float(one[1]) for one in found if one])
            if _spread(values):
                note = f"{_from(names)}, taken as {_word(values)}"
                return values * _guess(values), note
    return None, None


def _checked(values: Floats, unit: str) -> tuple[Floats | None, str | None]:
    """Convert by a known unit, unless no imager has such wavelengths and another unit fits."""
    wavelengths, note = to_nanometres(values, unit)
    if wavelengths is None or not _never(values, wavelengths):
        return wavelengths, note or None
    return values * _guess(values), (
        f"the wavelengths are taken as {_word(values)}: the file says {unit!r}, "
        f"which {values.min():g} … {values.max():g} cannot be"
    )


def _never(values: Floats, wavelengths: Floats) -> bool:
    """Whether wavelengths in nm or µm were given as the other of the two."""
    factor = float(wavelengths[0] / values[0])
    return (factor == 1 and float(values.max()) < 20) or (
        round(factor) == 1000 and float(values.min()) > 100
    )


def _guess(values: Floats) -> float:
    return 1.0 if float(np.median(values)) > 100 else 1e3


def _word(values: Floats) -> str:
    return "nm" if _guess(values) == 1.0 else "µm"


def _spread(values: Floats) -> bool:
    steps = np.diff(values)
    whole = bool((values == np.rint(values)).all())
    if not ((steps > 0).all() or (steps < 0).all()) or (whole and (np.abs(steps) == 1).all()):
        return False
    low, high = float(values.min()), float(values.max())
    return (low >= 200 and high <= 20_000) or (low >= 0.2 and high <= 20 and not whole)


def _from(names: Sequence[str]) -> str:
    return f"the wavelengths come from the names of the bands, such as {names[0].strip()[:40]!r}"
