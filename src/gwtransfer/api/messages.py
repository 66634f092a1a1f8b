"""Messages that name options of the command line, said in keywords of Python."""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from gwtransfer.api import words
from gwtransfer.errors import GwTransferError

P = ParamSpec("P")
Returned = TypeVar("Returned")

KEYWORDS = frozenset(
    {"output"}.union(
        *(
            hints.__annotations__
            for hints in (
                words.TransferWords,
                words.ApplyWords,
                words.FitMixtureWords,
                words.PlanWords,
                words.DistanceWords,
                words.MatchWords,
            )
        )
    )
)
"""What an option may become; options of other programs stay as they are."""

_OVERWRITE = "add --overwrite to replace it"
_OPTION = re.compile(r"^option (\w+)(?: of (?:a recipe|\w+))?: ")
_SETTING = re.compile(r"(?<!\S)--set (\w+)\.(\w+)=([\w.]+)")
_FLAG = re.compile(r"(?<![^\s(])--(no-)?([a-z]+(?:-[a-z]+)*)(?![\w./-])")
_OUTPUT = re.compile(r"(?<!\S)-o(?!\S)")


def in_python(message: str) -> str:
    """Return a message with keywords for options; the file name it begins with stays."""
    message = _OPTION.sub(r"\1: ", message)
    name, colon, said = message.partition(": ")
    if not colon or name.startswith("--"):
        name, colon, said = "", "", message
    said = said.replace(_OVERWRITE, "say overwrite=True to replace it")
    said = _OUTPUT.sub("output", _FLAG.sub(_keyword, _SETTING.sub(_table, said)))
    return f"{name}{colon}{said}"


def _table(found: re.Match[str]) -> str:
    kind, option, value = found.groups()
    shown = value if value.isdigit() else f'"{value}"'
    return f'{kind}={{"{option}": {shown}}}'


def _keyword(found: re.Match[str]) -> str:
    keyword = found[2].replace("-", "_")
    if keyword not in KEYWORDS:
        return found[0]
    return f"{keyword}=False" if found[1] else keyword


def speaks_python(function: Callable[P, Returned]) -> Callable[P, Returned]:
    """Make a function raise its errors in the words of Python; their classes stay."""

    @wraps(function)
    def called(*args: P.args, **keywords: P.kwargs) -> Returned:
        try:
            return function(*args, **keywords)
        except GwTransferError as error:
            _reword(error)
            raise

    return called


def _reword(error: GwTransferError) -> None:
    if not error.args or not isinstance(error.args[0], str):
        return
    said = in_python(error.args[0])
    error.args = (said, *error.args[1:])
    if isinstance(error, ImportError):  # which shows this and not its arguments
        error.msg = said
