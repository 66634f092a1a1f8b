"""What keeps an imported object from being a stage: looked at before it is used."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import signature
from typing import Any, get_type_hints

from gwtransfer.errors import UsageError
from gwtransfer.options import options, understood

CALLED_WITH: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "load": (("path",), ()),
    "prepare": (("item",), ("seed",)),
    "fit": (("points",), ("seed",)),
    "plan": (("source", "target"), ("guide",)),
    "map": (("plan",), ("candidates",)),
    "write": (("raster", "path"), ()),
}
"""What a stage of each kind is called with: by position, and by name."""


def fault(kind: str, cls: Any) -> str:
    """Return what keeps an imported object from being a stage; empty when nothing does.

    Raises
    ------
    BaseException
        Whatever the class raises when it is made with its defaults.
    """
    settings = getattr(cls, "__dataclass_params__", None)
    if not (isinstance(cls, type) and is_dataclass(cls) and settings and settings.frozen):
        return "is not a frozen dataclass"
    return (
        _fault_of_options(cls)
        or _fault_of_duties(kind, cls)
        or (_fault_of_extensions(cls) if kind == "write" else "")
    )


def _fault_of_duties(kind: str, cls: type[Any]) -> str:
    """Look for what a stage of the kind is asked for, and whether it can be called so."""
    duties: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "__call__": (("self", *CALLED_WITH[kind][0]), CALLED_WITH[kind][1]),
        **({"claims": (("path",), ())} if kind == "load" else {}),
        **({"check": (("self", "raster"), ())} if kind == "write" else {}),
    }
    for duty, (placed, named) in duties.items():
        if not any(duty in vars(base) for base in cls.__mro__):
            return f"does not define {duty}"
        known = signature(getattr(cls, duty))
        try:
            known.bind(*placed, **dict.fromkeys(named))
        except TypeError as error:
            expected = ", ".join((*placed, *(["*"] if named else []), *named))
            return f"has a {duty} that cannot be called with ({expected}): {error}"
    return ""


def _fault_of_options(cls: type[Any]) -> str:
    """Look at types and defaults, which listings and recipes show."""
    try:
        get_type_hints(cls)
    except Exception as error:  # evaluating annotations runs the package's code
        return f"has options whose types cannot be told: {error}"
    known = [field for field in fields(cls) if field.init]
    for field in known:
        if field.default is MISSING and field.default_factory is MISSING:
            return f"gives its option {field.name} no default"
    made = cls()
    for field in known:
        value = getattr(made, field.name)
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            kind = type(value).__name__
            return (
                f"gives its option {field.name} a default that no recipe can hold: expected a "
                f"number, text, true, false, none or a list of these, found {kind}"
            )
        if not _is_of_its_type(cls, field.name, value):
            (expected,) = (one.type for one in options(cls) if one.name == field.name)
            return (
                f"gives its option {field.name} a default of another type: expected {expected}, "
                f"found {value!r}"
            )
    return ""


def _is_of_its_type(cls: type[Any], option: str, value: object) -> bool:
    """Tell whether a user could give this value, and not only text that means another."""
    try:
        return understood(cls, {option: value}, kind="", name="")[option] == value
    except UsageError:
        return False


def _fault_of_extensions(cls: type[Any]) -> str:
    known = getattr(cls, "extensions", None)
    if known is None:
        return "does not define extensions"
    if not isinstance(known, tuple) or not known or not all(map(_is_extension, known)):
        return f"expected extensions such as ('.abc',), lower case, with the dot, found {known!r}"
    return ""


def _is_extension(text: object) -> bool:
    return isinstance(text, str) and len(text) > 1 and text[0] == "." and text == text.lower()
