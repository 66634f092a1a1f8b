"""OpenImageIO: files opened for reading, rasters encoded block by block, its errors as ours."""

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.raster import Block, Raster
from gwtransfer.errors import ReadError, WriteError
from gwtransfer.io.pictures.headers import unfinished

_LIBPNG_HOLDS = 1 << 18
"""Bytes of noise that are surely more than libpng holds back."""

_CODE = re.compile(r"\b[A-Z]+_ERR_[A-Z]")
"""How the library's names of its errors begin."""


def opened(path: Path, form: str, **settings: int) -> Any:
    """Open a file for reading; the library looks at its content, not at its name.

    Raises
    ------
    ReadError
        The library cannot make anything of it.
    """
    import OpenImageIO

    config = OpenImageIO.ImageSpec()
    for name, value in settings.items():
        config.attribute(name, value)
    try:
        source = OpenImageIO.ImageInput.open(str(path), config)
    except UnicodeError as error:
        raise ReadError(f"{path}: expected a file name in UTF-8; rename the file") from error
    if source is None:
        raise undecodable(path, form, said_by(OpenImageIO))
    return source


def undecodable(path: Path, form: str, said: str) -> ReadError:
    """Return the error of a file whose pixels cannot be decoded, with what the library said."""
    plain = "it is truncated or damaged" if _CODE.search(said) else first_line(said, path)
    return ReadError(
        f"{path}: expected a whole {form} picture, found one that cannot be decoded: {plain}"
    )


def said_by(library: Any) -> str:
    """Return, and clear, what the library or an open file of it says went wrong."""
    try:
        return str(library.geterror())
    except UnicodeError:  # it quotes bytes of a damaged file
        return ""


def first_line(said: str, path: Path) -> str:
    """Return the first line of what the library said, with the file's name for its path."""
    return reason(ValueError(said.replace(str(path), path.name) or "no reason is given"))


def holes(name: str, form: str) -> WriteError:
    """Return the error of a picture with holes in a format without alpha."""
    return WriteError(
        f"{name}: has transparent or missing pixels, which {form} cannot hold; "
        "write .png or .tif instead"
    )


class _HoleError(Exception):
    """A pixel is not opaque, and the file has no place to say so."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Encoding:
    """How a format wants its rows.

    Attributes
    ----------
    kind, form : str
        The library's names of the file format and of the stored type.
    stored : callable
        ``stored(block, alpha=…)`` returns the samples (r, columns, n) of a block.
    settings : mapping
        Attributes of the file.
    opaque : str
        What to call the format when it cannot hold alpha; empty when it can.
    """

    kind: str
    form: str
    stored: Callable[..., NDArray[Any]]
    settings: Mapping[str, int | str] = field(default_factory=dict)
    opaque: str = ""


def encode(raster: Raster, path: Path, encoding: Encoding) -> None:
    """Write a raster block by block; when it turns out to need alpha, begin again with one.

    Raises
    ------
    WriteError
        It has holes the format cannot hold, or the library refuses.
    """
    try:
        alpha = raster.may_have_holes and not encoding.opaque
        _fill(raster, path, encoding, alpha=alpha)
    except _HoleError:
        if encoding.opaque:
            raise holes(raster.name, encoding.opaque) from None
        _fill(raster, path, encoding, alpha=True)


def _fill(raster: Raster, path: Path, encoding: Encoding, *, alpha: bool) -> None:
    import OpenImageIO

    names = ("R", "G", "B") if raster.bands == 3 or encoding.kind == "hdr" else ("Y",)
    samples = len(names) + alpha
    spec = OpenImageIO.ImageSpec(raster.columns, raster.rows, samples, encoding.form)
    spec.channelnames = (*names, "A") if alpha else names
    if alpha:
        spec.alpha_channel = len(names)
    for name, value in encoding.settings.items():
        spec.attribute(name, value)
    out = OpenImageIO.ImageOutput.create(encoding.kind)
    written = 0
    try:
        if out is None or not out.open(str(path), spec):
            raise _refused(path, said_by(OpenImageIO) if out is None else said_by(out))
    except UnicodeError as error:
        raise WriteError(f"{path}: expected a file name in UTF-8; choose another") from error
    try:
        with closing(raster.blocks()) as blocks:  # type: ignore[type-var]
            for block in blocks:
                if not alpha and not is_opaque(block):
                    raise _HoleError
                pixels = np.ascontiguousarray(encoding.stored(block, alpha=alpha))
                if not out.write_scanlines(block.start, block.stop, 0, pixels):
                    raise _refused(path, said_by(out))
                written = block.stop
    except BaseException:
        if encoding.kind == "png":
            _abandon_png(out, written)
        raise
    finally:
        out.close()


def _abandon_png(out: Any, written: int) -> None:
    """Write some noise into a file nobody will see: libpng complains aloud of one without pixels.

    It holds pixels back until they fill a buffer or are the last ones.
    """
    spec = out.spec()
    size = spec.width * spec.nchannels
    stop = min(spec.height, written + 1 + _LIBPNG_HOLDS // size)
    noise = np.random.default_rng(0).integers(0, 256, (stop - written) * size, dtype=np.uint8)
    if stop > written:
        shape = (stop - written, spec.width, spec.nchannels)
        out.write_scanlines(written, stop, 0, noise.reshape(shape))


def is_opaque(block: Block) -> bool:
    """Tell whether every pixel of a block is there and opaque."""
    whole = bool(block.valid.all())
    return whole and (block.alpha is None or bool((block.alpha >= 1).all()))


def _refused(path: Path, said: str) -> WriteError:
    return WriteError(f"{path}: cannot be encoded: {first_line(said, path)}")


def check_last_row(path: Path) -> None:
    """Read the last row of a finished file again: the library is silent when a disk is full.

    Raises
    ------
    WriteError
        It cannot be read.
    """
    try:
        source = opened(path, "whole")
        spec = source.spec()
        last = spec.y + spec.height
        row = source.read_scanlines(0, 0, last - 1, last, 0, 0, spec.nchannels, "float")
    except ReadError as error:
        raise unfinished(path) from error
    if row is None:
        raise unfinished(path)
