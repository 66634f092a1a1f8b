"""Wavelengths as files say them: under many names, in many units, or in none."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gwtransfer.core.raster import Floats

WAVELENGTH_NAME = re.compile(
    r"((sensor_?|band_?|center_?|centre_?|central_?)*wave?_?len(gth|ght)s?(_?(3d|nm|um))?"
    r"|wl|lambdas?|bands?|(band_?)?cent(er|re)s?)",
    re.IGNORECASE,
)
"""Names, misspelt ones too, of what may hold the wavelengths of bands."""

GOOD_NAME = re.compile(r"(good_?(wavelength|band)s?(_list)?|bbl)", re.IGNORECASE)
"""Names of a list with 1 for each usable band and 0 for the others."""

UNIT_NAMES = ("units", "unit", "wavelength_units", "wavelength_unit")
"""Attributes, in lower case, that may say the unit."""

NANOMETRES = {
    "nm": 1.0,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,
    "micron": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
    "å": 0.1,
    "angstrom": 0.1,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "meter": 1e9,
    "metre": 1e9,
}
"""Lengths in nm, by unit in the singular and in lower case."""

PER_CENTIMETRE = frozenset({"cm-1", "cm^-1", "1/cm", "cm**-1", "wavenumber", "cm⁻¹"})
ELECTRON_VOLT_NM = 1239.841984
"""Wavelength of a photon of 1 eV."""


def find_unit(attributes: Mapping[str, Any]) -> str:
    """Return what the attributes of a list of wavelengths say about its unit, or nothing."""
    lowered = {name.lower(): value for name, value in attributes.items()}
    for name in UNIT_NAMES:
        value = lowered.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def to_nanometres(values: Floats, unit: str) -> tuple[Floats | None, str]:
    """Convert wavelengths to nm.

    Parameters
    ----------
    values : array
        Positive and finite.
    unit : str
        As the file spells it; wavenumbers and photon energies count. Without one the magnitude
        decides: below 100 they are µm.

    Returns
    -------
    values : array, nm, or None
        None when the unit is of another kind.
    note : str
        What was guessed or left out; empty when the file says it all.
    """
    word = _bare(unit)
    if word in ("", "unknown", "none", "n/a", "null"):
        guess, factor = ("µm", 1e3) if float(values.max()) < 100 else ("nm", 1.0)
        return values * factor, f"the wavelengths have no unit; taken as {guess}"
    if word in NANOMETRES:
        factor = NANOMETRES[word]
        return (values if factor == 1 else values * factor), ""
    if word in PER_CENTIMETRE:
        return 1e7 / values, "wavelengths computed from wavenumbers in 1/cm"
    if word in ("ev", "electronvolt"):
        return ELECTRON_VOLT_NM / values, "wavelengths computed from photon energies in eV"
    return None, f"bands are listed in {unit!r}, which is no unit of wavelength; left out"


def is_spectral_unit(unit: str) -> bool:
    """Tell whether a unit is one of wavelength, wavenumber or photon energy."""
    word = _bare(unit)
    return word in NANOMETRES or word in PER_CENTIMETRE or word in ("ev", "electronvolt")


def plausible(values: Floats) -> bool:
    """Tell whether numbers can be wavelengths: positive, finite, and not just band numbers."""
    if values.size == 0 or not np.isfinite(values).all() or float(values.min()) <= 0:
        return False
    counted = np.arange(values.size) + values.flat[0]
    numbers = values.size > 1 and float(values.flat[0]) <= 1
    return not (numbers and np.array_equal(values.ravel(), counted))


def _bare(unit: str) -> str:
    """Return ``Nanometers (nm)`` as ``nanometer``."""
    word = re.sub(r"[\[(].*?[\])]", "", unit).strip().lower().rstrip(".") or unit.strip("()[] ")
    word = word.lower()
    singular = word[:-1] if word.endswith("s") and len(word) > 3 else word
    return singular if singular in NANOMETRES or singular == "electronvolt" else word
