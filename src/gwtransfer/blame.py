"""Whose fault it is: what another's stage does wrong at work is said with its name and package."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import numpy as np

from gwtransfer import registry
from gwtransfer.declared import in_a_line
from gwtransfer.errors import GwTransferError, PluginError, ShapeError


@contextmanager
def at_work(stage: object, subject: str = "") -> Iterator[None]:
    """Turn whatever another's stage raises in the block, and did not mean to, into one sentence.

    What it refuses in the words of `errors` passes, and so does what the built-in stages raise.
    A ShapeError is no refusal: arrays that do not agree are a mistake of whoever made them.

    Parameters
    ----------
    stage : object
        The stage, as `registry.build` made it.
    subject : str
        What the message begins with: the file.

    Raises
    ------
    PluginError
        Names the stage, its package and version, and what it raised.
    """
    try:
        yield
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # it may even try to end the program
        meant = isinstance(error, GwTransferError) and not isinstance(error, ShapeError)
        owner = None if meant else registry.owner(stage)
        if owner is None:
            raise
        what = str(error) if isinstance(error, ShapeError) else in_a_line(error)
        raise PluginError(
            f"{_start(subject)}{owner} failed: {what}; report it to those who make {owner.package}"
        ) from error


def refuse(stage: object, expected: str, found: str, subject: str = "") -> NoReturn:
    """Refuse what a stage returned.

    Raises
    ------
    PluginError
        Names the stage, its package and version.
    """
    owner = registry.owner(stage) or f"the stage {type(stage).__name__}"
    raise PluginError(f"{_start(subject)}{owner}: expected {expected}, found {found}")


def check_floats(
    values: object, expected: tuple[int, ...], stage: object, what: str, name: str = ""
) -> None:
    """Refuse what is no array of floats of a shape.

    Raises
    ------
    PluginError
        Names the stage, its package and version.
    """
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        found = f"{values.dtype}" if isinstance(values, np.ndarray) else kind_of(values)
        refuse(stage, f"{what} as an array of floats", found, name)
    if values.shape != expected:
        refuse(stage, f"{what} of {expected}", str(values.shape), name)


def kind_of(value: object) -> str:
    """Return the type of a value in words."""
    return "None" if value is None else f"a {type(value).__name__}"


def _start(subject: str) -> str:
    return f"{subject}: " if subject else ""
