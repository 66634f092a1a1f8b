"""Pictures through OpenImageIO: 16-bit PNG, OpenEXR and Radiance HDR; all writers of pictures."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.colorspace import encoded, linear
from gwtransfer.core.raster import Block, Raster, Rows
from gwtransfer.errors import AmbiguousError, ReadError, UsageError, WriteError
from gwtransfer.io.files import check_readable
from gwtransfer.io.layout import upright
from gwtransfer.io.pictures import exif
from gwtransfer.io.pictures.carried import picture_raster
from gwtransfer.io.pictures.exr import ExrSource, first_line, said_by, undecodable
from gwtransfer.io.pictures.headers import dress_png, jpeg_header, unfinished
from gwtransfer.io.pictures.jpegstrips import MOST_SIDE, write_jpeg
from gwtransfer.io.pictures.pngparts import depth_of, read_parts
from gwtransfer.io.pictures.profile import in_profile
from gwtransfer.io.pictures.radiance import STARTS, as_stored, read_radiance_header
from gwtransfer.io.quantize import quantized, stored_depth

MOST_PIXELS = 1_000_000_000
"""A header that promises more is broken or hostile, where the whole picture is kept in memory."""

MOST_PIXELS_ON_DISK = 100 * MOST_PIXELS
"""The same where rows are read when they are asked for."""

MOST_SHRUNK = 100_000
"""Bytes of pixels a byte of an OpenEXR file can stand for; its best compression reaches 12 000."""

MOST_HALF = 65_504.0

_LIBPNG_HOLDS = 1 << 18
"""Bytes of noise that are surely more than libpng holds back."""

_EXR = b"v/1\x01"


@dataclass(frozen=True, kw_only=True)
class DeepLoader:
    """Load a 16-bit PNG, an OpenEXR or a Radiance HDR file.

    The samples of a PNG and of a Radiance file are kept in memory as they are stored, the rows of
    an OpenEXR file are read when they are asked for. Light of OpenEXR and Radiance becomes
    sRGB-encoded, beyond 1 where it is brighter than white; OpenEXR's colours are divided by their
    alpha. OpenEXR channels that are no picture are the bands of a cube in stored units, with
    wavelengths where their names say them.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes whether this is such a file."""
        return _format(path) is not None

    def __call__(self, path: Path) -> Raster:
        """Open the file, and decode it unless it is OpenEXR.

        Returns
        -------
        Raster

        Raises
        ------
        ReadError
            Not such a file, truncated, damaged, of absurd size, or deep data.
        AmbiguousError
            Several images or several kinds of spectra could be meant.
        """
        check_readable(path)
        form = _format(path)
        if form is None:
            raise ReadError(f"{path}: expected 16-bit PNG, OpenEXR or HDR, found something else")
        try:
            return {"PNG": _png, "EXR": _exr, "HDR": _hdr}[form](path)
        except UnicodeDecodeError as error:
            raise undecodable(path, form, "a name in it is no text") from error


def _format(path: Path) -> str | None:
    """Return PNG, EXR, HDR or None from the first bytes; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except (OSError, ValueError):
        return None
    if depth_of(head) == 16:
        return "PNG"
    if head.startswith(_EXR):
        return "EXR"
    return "HDR" if head.startswith(STARTS) else None


def _png(path: Path) -> Raster:
    parts = read_parts(path)
    if parts.frames > 1:
        raise AmbiguousError(
            f"{path}: expected one picture, found {parts.frames} frames; "
            "save the frame you want as PNG"
        )
    _check_size(path, parts.header.rows, parts.header.columns)
    source = _opened(path, "PNG", **{"oiio:UnassociatedAlpha": 1})
    spec = source.spec()
    array = source.read_image(0, 0, 0, spec.nchannels, "uint16")
    if array is None:
        raise undecodable(path, "PNG", said_by(source))
    return picture_raster(
        array,
        path,
        icc=parts.icc,
        exif_block=parts.exif,
        dpi=parts.dpi,
        orientation=1 if parts.exif is None else exif.orientation(parts.exif),
        notes=(parts.note,) if parts.note else (),
    )


def _hdr(path: Path) -> Raster:
    header = read_radiance_header(path)
    _check_size(path, header.rows, header.columns)
    source = _opened(path, "Radiance HDR")
    light = source.read_image(0, 0, 0, 3, "float")
    if light is None:
        raise undecodable(path, "Radiance HDR", said_by(source))
    light = upright(light, source.spec().get_int_attribute("Orientation", 1))
    notes: tuple[str, ...] = ()
    if abs(header.exposure - 1) > 1e-6:
        notes = (f"{path}: its EXPOSURE of {header.exposure:g} is not heeded",)
    return Raster(
        name=str(path),
        rows=light.shape[0],
        columns=light.shape[1],
        bands=3,
        read=lambda start, stop: Rows(values=encoded(light[start:stop]).astype(np.float32)),
        kind="picture",
        dtype="float32",
        scene=True,
        notes=notes,
    )


def _exr(path: Path) -> Raster:
    source = _opened(path, "OpenEXR")
    if source.seek_subimage(1, 0):
        raise AmbiguousError(
            f"{path}: expected one image, found several parts; "
            "save the part you want as a file of its own"
        )
    said_by(source)  # what it says of the part that is not there
    source.seek_subimage(0, 0)
    spec = source.spec()
    if spec.deep:
        raise ReadError(f"{path}: expected one value a pixel, found deep data; flatten it first")
    _check_size(path, spec.height, spec.width, most=MOST_PIXELS_ON_DISK)
    stored = spec.width * spec.height * max(1, spec.pixel_bytes(True))  # noqa: FBT003
    if stored > MOST_SHRUNK * path.stat().st_size:
        raise ReadError(
            f"{path}: expected {spec.width} × {spec.height} pixels as its header says, found a "
            f"file of {path.stat().st_size} bytes that cannot hold them; it is broken"
        )
    return ExrSource(path, source, spec).raster()


def _opened(path: Path, form: str, **settings: int) -> Any:
    """Open a file for reading; the library looks at its content, not at its name."""
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


def _check_size(path: Path, rows: int, columns: int, *, most: int = MOST_PIXELS) -> None:
    if rows * columns > most:
        raise ReadError(
            f"{path}: expected at most {most:,} pixels, found {columns} × {rows}; cut it up"
        )


@dataclass(frozen=True, kw_only=True)
class PngWriter:
    """Write a picture as PNG of 8 or 16 bits, with alpha where it has holes.

    Profile, Exif and resolution of the raster go with it. Equal rasters give equal bytes.

    Attributes
    ----------
    depth : 8, 16 or None
        Bits a sample; as the source has them unless said, and 16 for floats.
    dither : bool
        Round up or down at random so that the mean is right, instead of to the nearest.
    """

    depth: Literal[8, 16] | None = None
    dither: bool = False
    extensions: ClassVar[tuple[str, ...]] = (".png",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no PNG can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        """
        _expect_picture(raster, "PNG")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The encoder refuses.
        """
        self.check(raster)
        depth = self.depth or stored_depth(raster.dtype, deepest=16)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            colours, opacity = quantized(block, raster.columns, depth, dither=self.dither)
            return np.concatenate([colours, opacity[:, :, None]], axis=2) if alpha else colours

        encoding = _Encoding(
            kind="png",
            form=f"uint{depth}",
            stored=stored,
            settings={"oiio:UnassociatedAlpha": 1},
        )
        _write(raster, path, encoding)
        dress_png(path, raster.carried, raster.bands)


@dataclass(frozen=True, kw_only=True)
class JpegWriter:
    """Write a picture as JPEG of quality 95 without chroma subsampling.

    Profile, Exif and resolution of the raster go with it. Equal rasters give equal bytes.

    Attributes
    ----------
    depth : 8 or None
        JPEG has 8 bits a sample.
    dither : bool
        Round up or down at random so that the mean is right, instead of to the nearest.
    """

    depth: Literal[8] | None = None
    dither: bool = False
    extensions: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no JPEG can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The raster has an alpha channel, or a side beyond 65 535 pixels.
        """
        _expect_opaque(raster, "JPEG")
        if max(raster.rows, raster.columns) > MOST_SIDE:
            raise WriteError(
                f"{raster.name}: JPEG holds sides of at most 65 535 pixels, found "
                f"{raster.columns} × {raster.rows}; write .png or .tif instead"
            )

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            Some pixels are holes, or the encoder refuses.
        """
        self.check(raster)

        def pixels() -> Iterator[NDArray[Any]]:
            with closing(raster.blocks()) as blocks:  # type: ignore[type-var]
                for block in blocks:
                    if not _is_opaque(block):
                        raise _holes(raster.name, "JPEG")
                    yield quantized(block, raster.columns, 8, dither=self.dither)[0]

        header = jpeg_header(raster.carried, raster.bands)
        with path.open("wb") as file:
            write_jpeg(file, pixels(), rows=raster.rows, header=header)


@dataclass(frozen=True, kw_only=True)
class ExrWriter:
    """Write a picture as OpenEXR: linear light in sRGB's primaries, colours times alpha.

    Attributes
    ----------
    depth : 16, "float" or None
        Half or single floats; unless said, half for sources of 8 bits or of half floats.
    """

    depth: Literal[16, "float"] | None = None
    extensions: ClassVar[tuple[str, ...]] = (".exr",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what is no picture.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        """
        _expect_picture(raster, "OpenEXR")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The encoder refuses.
        """
        self.check(raster)
        raster = in_profile(raster, None, within=False)
        half = (self.depth or (16 if raster.dtype in ("uint8", "float16") else "float")) == 16
        most = MOST_HALF if half else float(np.finfo(np.float32).max)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            light, opacity = _light(block, raster.columns)
            light *= opacity[:, :, None]
            parts = [light, opacity[:, :, None]] if alpha else [light]
            return np.clip(np.concatenate(parts, axis=2), -most, most).astype(np.float32)

        encoding = _Encoding(
            kind="openexr",
            form="half" if half else "float",
            stored=stored,
            settings={"compression": "zip", "DateTime": ""},  # else it writes the date of today
        )
        _write(raster, path, encoding)
        _check_last_row(path)


@dataclass(frozen=True, kw_only=True)
class HdrWriter:
    """Write a picture as Radiance HDR: linear light in three 8-bit parts with one exponent.

    Attributes
    ----------
    depth : "float" or None
        Radiance has one depth.
    """

    depth: Literal["float"] | None = None
    extensions: ClassVar[tuple[str, ...]] = (".hdr",)

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no Radiance file can hold.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            The raster has an alpha channel.
        """
        _expect_opaque(raster, "Radiance HDR")

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, block by block.

        Raises
        ------
        UsageError
            The raster is a cube or a film.
        WriteError
            Some pixels are holes, or the encoder refuses.
        """
        self.check(raster)
        raster = in_profile(raster, None, within=False)

        def stored(block: Block, *, alpha: bool) -> NDArray[Any]:
            del alpha
            light, _ = _light(block, raster.columns)
            return as_stored(np.broadcast_to(light, (*light.shape[:2], 3)))

        encoding = _Encoding(kind="hdr", form="float", stored=stored, opaque="Radiance HDR")
        _write(raster, path, encoding)
        _check_last_row(path)


def _light(block: Block, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return linear light (r, columns, bands) and opacity (r, columns) of a block."""
    points = np.where(block.valid[:, None], block.points, 0)
    alpha = block.valid.astype(np.float64)
    if block.alpha is not None:
        alpha *= np.where(block.valid, block.alpha, 0)
    rows = block.stop - block.start
    return linear(points).reshape(rows, columns, -1), alpha.reshape(rows, columns)


def _expect_picture(raster: Raster, form: str) -> None:
    if raster.kind != "picture":
        raise UsageError(
            f"{raster.name}: {form} holds pictures, found a cube of {raster.bands} bands; "
            "write .tif or .npy instead"
        )
    if raster.film is not None:
        raise UsageError(
            f"{raster.name}: {form} holds one picture, found a film of {raster.film.frames} "
            "frames; write .mp4 instead"
        )


def _expect_opaque(raster: Raster, form: str) -> None:
    _expect_picture(raster, form)
    if raster.has_alpha:
        raise _holes(raster.name, form)


def _holes(name: str, form: str) -> WriteError:
    return WriteError(
        f"{name}: has transparent or missing pixels, which {form} cannot hold; "
        "write .png or .tif instead"
    )


class _HoleError(Exception):
    """A pixel is not opaque, and the file has no place to say so."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Encoding:
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


def _write(raster: Raster, path: Path, encoding: _Encoding) -> None:
    """Write a raster block by block; when it turns out to need alpha, begin again with one."""
    try:
        alpha = raster.may_have_holes and not encoding.opaque
        _fill(raster, path, encoding, alpha=alpha)
    except _HoleError:
        if encoding.opaque:
            raise _holes(raster.name, encoding.opaque) from None
        _fill(raster, path, encoding, alpha=True)


def _fill(raster: Raster, path: Path, encoding: _Encoding, *, alpha: bool) -> None:
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
                if not alpha and not _is_opaque(block):
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


def _is_opaque(block: Block) -> bool:
    whole = bool(block.valid.all())
    return whole and (block.alpha is None or bool((block.alpha >= 1).all()))


def _refused(path: Path, said: str) -> WriteError:
    return WriteError(f"{path}: cannot be encoded: {first_line(said, path)}")


def _check_last_row(path: Path) -> None:
    """Read the last row of a finished file again: the library is silent when a disk is full."""
    try:
        source = _opened(path, "whole")
        spec = source.spec()
        last = spec.y + spec.height
        row = source.read_scanlines(0, 0, last - 1, last, 0, 0, spec.nchannels, "float")
    except ReadError as error:
        raise unfinished(path) from error
    if row is None:
        raise unfinished(path)
