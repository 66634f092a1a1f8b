"""Room on a disk, asked for before hours are spent on what would not fit."""

import os
from pathlib import Path

from gwtransfer.errors import WriteError


def check_room(output: Path, least: float) -> None:
    """Refuse an output that cannot fit where it shall go.

    Parameters
    ----------
    output : Path
        In a folder that is there.
    least : float
        Bytes it will take at the very least.

    Raises
    ------
    WriteError
        Less is free.
    """
    try:
        held = os.statvfs(output.parent)
    except (OSError, AttributeError):
        return  # nobody knows; a full disk is refused when it is met
    free = held.f_bavail * held.f_frsize
    if least > free:
        raise WriteError(
            f"{output}: expected room for at least {_words(least)}, found {_words(free)} free; "
            "make room, or write elsewhere"
        )


def _words(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
