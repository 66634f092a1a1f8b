"""Pages made of templates, by jinja2, whose only importer this is: one file that needs no other.

Templates, the style sheet and scripts lie in the package. A page holds them all, its pictures and
its data, and forbids itself every connection.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import quiet, reason
from gwtransfer.errors import PluginError

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_BYTES = 5_000_000
"""Bytes of a page at most, so that it travels by mail; who makes one chooses smaller pictures."""

PACKED = {
    "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32", "f4": "float32",
}  # fmt: skip
"""Types of arrays that scripts unpack, and what those call them."""

_ESCAPED = {
    "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"
}  # fmt: skip

_UNWRITABLE = re.compile("[\ud800-\udfff]")
"""What stands in names of files for bytes that are no text."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report as it is written.

    Attributes
    ----------
    kind : {"color", "match", "pairwise"}
        What is reported.
    text : str
        The page.
    sections : tuple of str
        Names of its sections, from top to bottom: the `id` of each `section` element.
    notes : tuple of str
        What the user should know, the page apart.
    """

    kind: str
    text: str
    sections: tuple[str, ...]
    notes: tuple[str, ...] = ()


class TooLargeError(ValueError):
    """A page takes more than MOST_BYTES."""


def check_installed(path: Path) -> None:
    """Refuse a page, before any work, where jinja2 is missing.

    Raises
    ------
    PluginError
        It cannot be imported.
    """
    try:
        with quiet("jinja2"):
            import jinja2  # noqa: F401
    except ImportError as error:
        raise PluginError(
            f"{path}: reports need jinja2, which cannot be imported ({reason(error)}); "
            "install it with pip install 'gwtransfer[report]'"
        ) from error


def render(template: str, context: Mapping[str, Any], *, scripts: Sequence[str] = ()) -> str:
    """Return a page; equal contexts give equal text.

    Parameters
    ----------
    template : str
        Name of a template that extends ``base.html.j2``.
    context : mapping
        What the template names; anything it names and does not find here is an error. Under
        ``data`` there may be what JSON holds: scripts read it as ``pageData()``.
    scripts : sequence of str
        Names of scripts, run in this order after ``page.js``.

    Raises
    ------
    TooLargeError
        The page is larger than MOST_BYTES.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(lambda name: _text("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    inlined = [_text("scripts", name) for name in ("page.js", *scripts)]
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in inlined)
    text = environment.get_template(template).render(
        {
            **context,
            "style": Markup(_text("scripts", "style.css")),
            "unscripted": Markup(_text("scripts", "unscripted.css")),
            "scripts": [Markup(script) for script in inlined],
            "script_hashes": hashes,
            "embedded": embedded(context.get("data", {})),
        }
    )
    text = _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    check_size(text)
    return text


def check_size(text: str) -> None:
    """Refuse a page of more than MOST_BYTES.

    Raises
    ------
    TooLargeError
    """
    size = len(text.encode())
    if size > MOST_BYTES:
        raise TooLargeError(f"the page takes {size} bytes, more than {MOST_BYTES}")


def embedded(data: Any) -> "Markup":
    """Return data as JSON that may stand inside a script element, whatever texts it holds."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, escaped in _ESCAPED.items():
        text = text.replace(letter, escaped)
    return Markup(text)


def data_url(content: bytes, mime: str) -> str:
    """Return a picture's bytes as an address that holds them."""
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def packed(array: NDArray[Any]) -> dict[str, str]:
    """Return an array as scripts unpack it, by ``unpacked()`` of page.js; its shape is lost.

    Parameters
    ----------
    array : array of one of the types in PACKED
    """
    name = PACKED[array.dtype.str[1:]]
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {"type": name, "data": base64.b64encode(little.tobytes()).decode("ascii")}


def _text(folder: str, name: str) -> str:
    return (files("gwtransfer.report") / folder / name).read_text(encoding="utf-8")


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
