"""The options of a stage: list its fields, and understand what was typed for them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from inspect import getdoc
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gwtransfer.errors import UnknownStageError, UsageError


@dataclass(frozen=True, kw_only=True)
class Option:
    """One field of a stage, as a listing shows it.

    Attributes
    ----------
    name, type : str
        The type in words: ``an integer``, ``one of a, b``, ``a number or none``.
    default : object
    help : str
        From the ``Attributes`` section of the stage's docstring; empty when it says nothing.
    """

    name: str
    type: str
    default: object
    help: str


def options(cls: type[Any]) -> list[Option]:
    """List the options of a stage in the order of their declaration."""
    hints, said = get_type_hints(cls), _attributes(getdoc(cls) or "")
    return [
        Option(
            name=field.name,
            type=_in_words(hints[field.name]),
            default=field.default if field.default_factory is MISSING else field.default_factory(),
            help=said.get(field.name, ""),
        )
        for field in fields(cls)
        if field.init
    ]


def option_names(cls: type[Any]) -> list[str]:
    """Name the options of a stage in the order of their declaration."""
    return [field.name for field in fields(cls) if field.init]


def understood(
    cls: type[Any], given: Mapping[str, object], *, kind: str, name: str
) -> dict[str, object]:
    """Return the options given for a stage, each as a value of its declared type.

    Parameters
    ----------
    cls : type
        The stage.
    given : mapping
        Names of options to text or values.
    kind, name : str
        What the stage is called in messages.

    Raises
    ------
    UnknownStageError
        The stage has no such option.
    UsageError
        A value is not of the option's type.
    """
    known, hints = option_names(cls), get_type_hints(cls)
    values = {}
    for option, value in given.items():
        if option not in known:
            raise UnknownStageError(
                f"{kind} stage {name} has no option {option!r}{instead(option, known)}"
            )
        try:
            values[option] = _understand(value, hints[option])
        except (ValueError, OverflowError):
            raise UsageError(
                f"option {option} of {name}: expected {_in_words(hints[option])}, got {value!r}"
            ) from None
    return values


def instead(name: str, known: Iterable[str]) -> str:
    """Return the clause that follows an unknown name: the nearest one, and all there are."""
    known = list(dict.fromkeys(known))
    if not known:
        return "; there are none"
    nearest = get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{hint} (expected one of {', '.join(known)})"


def _attributes(doc: str) -> dict[str, str]:
    """Read ``{name: text}`` from the numpydoc section ``Attributes`` or ``Parameters``."""
    said: dict[str, str] = {}
    for title, body in re.findall(
        r"^(\w+)\n-{3,}\n(.*?)(?=^\w[\w ]*\n-{3,}\n|\Z)", doc, flags=re.MULTILINE | re.DOTALL
    ):
        if title not in ("Attributes", "Parameters"):
            continue
        entries = re.findall(r"^(\S.*)\n?((?:^ +.*\n?|^\n)*)", body, re.MULTILINE)
        for names, text in entries:
            for name in names.partition(":")[0].split(","):
                said[name.strip()] = " ".join(text.split())
    return said


_WORDS = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    NoneType: "none",
}

_TRUTH = dict.fromkeys(("true", "yes", "on", "1"), True)
_TRUTH.update(dict.fromkeys(("false", "no", "off", "0"), False))


def _in_words(hint: Any) -> str:
    """Name a type the way a message does: ``an integer``, ``one of a, b``, ``a number or none``."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_in_words, get_args(hint)))
    return _WORDS.get(hint) or str(getattr(hint, "__name__", hint))


def _understand(value: object, hint: Any) -> object:
    """Return the value as the annotated type, whether it is given as text or not, or ValueError."""
    if get_origin(hint) in (Union, UnionType):
        return _understand_any(value, get_args(hint))
    if get_origin(hint) is Literal:
        for choice in get_args(hint):
            if value == choice or (isinstance(value, str) and value == str(choice)):
                return choice
        raise ValueError
    if isinstance(value, str) and hint is not str:
        return _from_text(value.strip(), hint)
    if hint is float and type(value) is int:
        value = float(value)
    kind = get_origin(hint) or hint
    if not isinstance(kind, type) or kind is object:
        return value
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError
    if isinstance(value, float) and not isfinite(value):
        raise ValueError
    return value


def _understand_any(value: object, hints: tuple[Any, ...]) -> object:
    """Try the members of a union, none first and free text last, as both are spelt with letters."""
    for hint in sorted(hints, key=lambda h: (h is not NoneType, h is str)):
        try:
            return _understand(value, hint)
        except ValueError:
            continue
    raise ValueError


def _from_text(text: str, hint: Any) -> object:
    """Read one value of a simple type from what was typed."""
    if hint is NoneType and text.lower() == "none":
        return None
    if hint is bool and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if hint is int:
        return int(text)
    if hint is float and isfinite(number := float(text)):
        return number
    raise ValueError
