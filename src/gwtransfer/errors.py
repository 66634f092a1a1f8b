"""Every error gwtransfer raises on purpose: one root, each also the matching built-in."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class GwTransferError(Exception):
    """Root of all deliberate errors; the message is one line a user can act on.

    What a terminal would obey and not show, from a name or from inside a file, is a question mark.
    """

    def __str__(self) -> str:
        """Return the message."""
        return _CONTROL.sub("?", super().__str__())


class ReadError(GwTransferError, OSError):
    """A file cannot be read as what it was expected to be."""


class WriteError(GwTransferError, OSError):
    """An output cannot be written, or would replace something unasked."""


class AmbiguousError(GwTransferError, ValueError):
    """A file can be understood in several ways and the user must choose."""


class ShapeError(GwTransferError, ValueError):
    """Arrays that must agree in shape, sum or range do not."""


class DataError(GwTransferError, ValueError):
    """Well-formed data on which the request cannot be carried out."""


class UsageError(GwTransferError, ValueError):
    """The request is wrong whatever the files hold: an option, a value, a combination."""


class UnknownStageError(UsageError, LookupError):
    """No stage of that kind has that name, or it has no such option."""


class PluginError(GwTransferError, ImportError):
    """A stage was found but its package cannot provide it."""


class SolverError(GwTransferError, ArithmeticError):
    """A numerical solver returned something that is not a solution."""


class MissingError(GwTransferError, ImportError):
    """An optional library that the request needs is not installed or does not load."""
