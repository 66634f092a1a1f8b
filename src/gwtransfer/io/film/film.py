"""Films through PyAV: frames decoded as they are read, encoded as they are computed."""

import errno
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.raster import Film, Raster
from gwtransfer.errors import GwTransferError, ReadError, UsageError, WriteError
from gwtransfer.io.files import check_readable
from gwtransfer.io.film.containers import MATROSKA, check_whole, film_format
from gwtransfer.io.film.decode import Decoder, Pixels, Reader, translated
from gwtransfer.io.film.frameformat import BT709, FULL, LIMITED, RGB
from gwtransfer.io.film.times import Packet, constant_rate, seconds_missing, times_of
from gwtransfer.io.layout import named
from gwtransfer.io.quantize import Depth, quantized, stored_depth

INSTALL = "films need the package av: pip install 'gwtransfer[video]'"

MOST_PIXELS = 1 << 27
"""Pixels of a frame above which a header is broken or hostile; 16K has as many."""

COVER = 0x400
"""FFmpeg's mark of a stream that is a picture on the sleeve."""

SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""What the system refuses and no encoder is to blame for."""

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


@dataclass(frozen=True, kw_only=True)
class FilmLoader:
    """Load a film (MP4, MOV, Matroska, WebM, AVI, MPEG, Y4M) as a tall picture of its frames.

    Frames are decoded when they are asked for, upright and in RGB; films of more than 8 bits
    become 16-bit. The sound is left out.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes whether this is such a file."""
        return film_format(path) is not None

    def __call__(self, path: Path) -> Raster:
        """Go through the film's packets and decode its first frame.

        Returns
        -------
        Raster
            A picture of 3 bands in [0, 1] whose rows are those of all frames, one below the other.

        Raises
        ------
        ReadError
            Not a film, truncated, undecodable, of absurd size, for HDR screens, or PyAV is absent.
        """
        check_readable(path)
        form = film_format(path)
        if form is None:
            raise ReadError(f"{path}: expected a film, found something else")
        check_whole(path, form)
        with translated(path):
            container, stream = _opened(path, form)
            with closing(container):
                notes = _stream_notes(container, stream)
                rate = stream.average_rate or stream.guessed_rate
                packets = list(_packets(container, stream))
                base = stream.time_base
                missing = seconds_missing(packets, base, _stated_seconds(container, stream, form))
        if missing:
            raise ReadError(
                f"{path}: expected {missing:.1f} seconds more as it says, found their data "
                "damaged; copy or download it again"
            )
        times = times_of(packets, base)
        if times.count == 0:
            raise ReadError(f"{path}: expected frames, found none; make it again")
        decoder = Decoder(path, times, lambda: _opened(path, form))
        reader = Reader(decoder, _av(path, ReadError).video.reformatter.VideoReformatter())
        constant, uneven = constant_rate(times, rate)
        notes += [*reader.form.notes, *([uneven] if uneven else [])]
        rows, columns = reader.shape
        return Raster(
            name=str(path),
            rows=rows * times.count,
            columns=columns,
            bands=3,
            read=reader.read,
            kind="picture",
            dtype="uint16" if reader.form.deep else "uint8",
            has_alpha=reader.form.alpha,
            film=Film(frames=times.count, rate=constant),
            notes=named(str(path), notes),
        )


@dataclass(frozen=True, kw_only=True)
class FilmWriter:
    """Write a film as H.264 of constant quality, the same bytes each time.

    Attributes
    ----------
    codec : Literal["auto", "h264", "ffv1"]
        ffv1 loses nothing and goes into .mkv; auto takes it for films with transparency only.
    quality : int
        H.264's rate factor: 0 (everything) … 51 (nothing); eyes see no loss up to about 17.
    """

    extensions: ClassVar[tuple[str, ...]] = (".mp4", ".mov", ".mkv")

    codec: Literal["auto", "h264", "ffv1"] = "auto"
    quality: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.quality <= 51:
            raise UsageError(f"option quality: expected a number from 0 to 51, got {self.quality}")

    def check(self, raster: Raster) -> None:
        """Refuse before any work what no film can hold.

        Raises
        ------
        UsageError
            The raster is no film, or a cube.
        WriteError
            It has transparency and the codec none, or PyAV or its encoder is absent.
        """
        if raster.film is None:
            raise UsageError(
                f"{raster.name}: expected a film for a film's name, found a single picture; "
                "write .png or .tif instead"
            )
        if raster.kind != "picture":
            raise UsageError(
                f"{raster.name}: films hold pictures, found a cube of {raster.bands} bands; "
                "write .npy instead"
            )
        if raster.has_alpha and self.codec == "h264":
            raise _no_alpha(raster.name)
        name = "ffv1" if self.codec == "ffv1" or raster.has_alpha else "libx264"
        if name not in _av(raster.name, WriteError).codecs_available:
            raise WriteError(
                f"{raster.name}: expected an FFmpeg that encodes with {name}, found one without; "
                "install the av of its makers: pip install --force-reinstall av"
            )

    def __call__(self, raster: Raster, path: Path) -> None:
        """Encode the raster into ``path``, a frame at a time.

        Raises
        ------
        UsageError, WriteError
            As `check`; FFV1 asked into another container than Matroska; the encoder refuses.
        """
        self.check(raster)
        encoding = self._encoding(raster, path)
        av = _av(raster.name, WriteError)
        try:
            self._encode(av, raster, path, encoding)
        except GwTransferError:
            raise
        except av.error.FFmpegError as error:
            if error.errno in SYSTEM:
                raise OSError(error.errno, error.strerror) from error
            raise WriteError(f"{path}: cannot be encoded: {error.strerror}") from error
        except ValueError as error:
            raise WriteError(f"{path}: cannot be encoded: {reason(error)}") from error

    def _encode(self, av: Any, raster: Raster, path: Path, encoding: "_Encoding") -> None:
        """Encode every frame and finish the container."""
        rate = raster.film.rate if raster.film else Fraction(1)
        suffix = path.suffix.lower()
        given = {"fflags": "+bitexact"} | ({} if suffix == ".mkv" else {"movflags": "+faststart"})
        with av.open(
            _address(path), "w", format=CONTAINERS[suffix], container_options=given
        ) as container:
            stream = container.add_stream(encoding.codec, rate, options=encoding.options)
            _describe(av, stream, raster, encoding, rate)
            graph = _converter(av, raster, encoding, rate)
            for number, pixels in enumerate(_frames(raster, encoding)):
                frame = av.VideoFrame.from_ndarray(pixels, format=encoding.given)
                frame.pts, frame.time_base = number, 1 / rate
                graph.push(frame)
                container.mux(stream.encode(graph.pull()))
            container.mux(stream.encode(None))

    def _encoding(self, raster: Raster, path: Path) -> "_Encoding":
        """Return how to encode frames of this size and depth."""
        deep, alpha = stored_depth(raster.dtype, deepest=16) == 16, raster.has_alpha
        given = ("rgba64le" if deep else "rgba") if alpha else ("rgb48le" if deep else "rgb24")
        if self.codec == "ffv1" or (self.codec == "auto" and alpha):
            if path.suffix.lower() != ".mkv":
                raise (
                    _no_alpha(raster.name)
                    if alpha
                    else UsageError(f"{path}: expected .mkv for codec ffv1, found {path.suffix}")
                )
            return _Encoding(
                codec="ffv1",
                given=given,
                stored=given if deep else "bgra" if alpha else "bgr0",
                deep=deep,
                alpha=alpha,
                options={"level": "3", "g": "1", "slicecrc": "1"},
            )
        even = raster.columns % 2 == 0 and raster.frame_rows % 2 == 0
        return _Encoding(
            codec="libx264",
            given=given,
            stored=("yuv420p" if even else "yuv444p") + ("10le" if deep else ""),
            deep=deep,
            alpha=False,
            options={"crf": str(self.quality), "preset": "medium"},
        )


@dataclass(frozen=True, kw_only=True)
class _Encoding:
    """An encoder, the form it is given and the one it stores, and its options."""

    codec: str
    given: str
    stored: str
    deep: bool
    alpha: bool
    options: dict[str, str]

    @property
    def yuv(self) -> bool:
        """Whether colours are stored as luma and chroma, in limited range."""
        return self.stored.startswith("yuv")


def _describe(av: Any, stream: Any, raster: Raster, encoding: _Encoding, rate: Fraction) -> None:
    """Tell an encoder about the frames to come, and to leave itself out of the file."""
    stream.width, stream.height = raster.columns, raster.frame_rows
    stream.pix_fmt = encoding.stored
    context = stream.codec_context
    context.time_base = 1 / rate
    context.thread_count = 1  # more would depend on the machine, and the bytes on them
    context.flags |= int(av.codec.context.Flags.bitexact)
    context.color_range = LIMITED if encoding.yuv else FULL
    context.colorspace = BT709 if encoding.yuv else RGB
    context.color_primaries = context.color_trc = BT709


def _converter(av: Any, raster: Raster, encoding: _Encoding, rate: Fraction) -> Any:
    """Return what turns RGB into the stored form: BT.709, with chroma where H.264 expects it."""
    graph = av.filter.Graph()
    graph.threads = 1
    first = graph.add_buffer(
        width=raster.columns,
        height=raster.frame_rows,
        format=av.VideoFormat(encoding.given),
        time_base=1 / rate,
    )
    how = "flags=bicubic+full_chroma_int+accurate_rnd+bitexact"
    if encoding.yuv:
        how += ":out_color_matrix=bt709:in_range=full:out_range=limited"
    if encoding.stored.startswith("yuv420"):
        how += ":out_h_chr_pos=0:out_v_chr_pos=128"
    nodes = (
        first,
        graph.add("scale", how),
        graph.add("format", f"pix_fmts={encoding.stored}"),
        graph.add("buffersink"),
    )
    for one, other in pairwise(nodes):
        one.link_to(other)
    graph.configure()
    return graph


def _frames(raster: Raster, encoding: _Encoding) -> Iterator[Pixels]:
    """Yield the frames of a raster as integers (rows, columns, 3 or 4); each is overwritten."""
    depth: Depth = 16 if encoding.deep else 8
    tall = raster.frame_rows
    frame = np.empty(
        (tall, raster.columns, 4 if encoding.alpha else 3), np.uint16 if encoding.deep else np.uint8
    )
    for block in raster.blocks():
        if not (encoding.alpha or block.valid.all()):
            raise _no_alpha(raster.name)
        colours, opacity = quantized(block, raster.columns, depth)
        at = 0
        while at < len(colours):
            row = (block.start + at) % tall
            many = min(tall - row, len(colours) - at)
            frame[row : row + many, :, :3] = colours[at : at + many]  # one band fills all three
            if encoding.alpha:
                frame[row : row + many, :, 3] = opacity[at : at + many]
            at += many
            if row + many == tall:
                yield frame


def _no_alpha(name: str) -> WriteError:
    return WriteError(
        f"{name}: has transparent pixels, which H.264 cannot hold; write .mkv, as FFV1"
    )


def _av(name: object, kind: type[GwTransferError]) -> Any:
    """Return PyAV, or refuse with how to install it."""
    try:
        import av
        import av.video.reformatter
    except ImportError as error:
        raise kind(f"{name}: {INSTALL}") from error
    return av


def _address(path: Path) -> str:
    """Return a path such that no part of it means a protocol to FFmpeg."""
    return f"file:{path}"


def _opened(path: Path, form: str) -> tuple[Any, Any]:
    """Open a container as what its first bytes say it is; return it and its first moving stream.

    Raises
    ------
    ReadError
        There is none, it cannot be decoded here, or its frames are of absurd size.
    """
    container = _av(path, ReadError).open(_address(path), "r", format=form)
    streams = _moving(container)
    if not streams:
        raise ReadError(f"{path}: expected a film, found no moving pictures in it")
    stream = streams[0]
    context = stream.codec_context
    if context is None:
        raise ReadError(f"{path}: expected a codec that FFmpeg decodes, found another one")
    if context.width * context.height > MOST_PIXELS:
        raise ReadError(
            f"{path}: expected frames of up to {MOST_PIXELS} pixels, found {context.width} × "
            f"{context.height}; its header is broken"
        )
    return container, stream


def _moving(container: Any) -> list[Any]:
    return [s for s in container.streams.video if not int(s.disposition) & COVER]


def _stream_notes(container: Any, stream: Any) -> list[str]:
    """Return what is left out of a film as a whole."""
    notes = []
    if len(_moving(container)) > 1:
        notes.append(f"of its {len(_moving(container))} video streams the first is taken")
    if container.streams.audio:
        notes.append("its sound is left out")
    shape = stream.sample_aspect_ratio
    if shape and shape != 1:
        notes.append(f"its pixels are {shape} times as wide as high: the result's are square")
    return notes


def _packets(container: Any, stream: Any) -> Iterator[Packet]:
    """Yield what the container says of every coded frame."""
    vp8 = stream.codec_context.name == "vp8"
    for packet in container.demux(stream):
        if packet.size:
            hidden = vp8 and not bytes(packet)[0] & 0x10
            shown = not (packet.is_discard or hidden)
            yield Packet(packet.pts, packet.duration or 0, packet.is_keyframe, shown)


def _stated_seconds(container: Any, stream: Any, form: str) -> float:
    """Return how long a Matroska film says it lasts, from where damage can hide frames; else 0."""
    if form != MATROSKA:
        return 0.0
    words = stream.metadata.get("DURATION", "").split(":")
    try:
        if len(words) == 3:
            return 3600 * float(words[0]) + 60 * float(words[1]) + float(words[2])
    except ValueError:
        pass
    alone = len(container.streams) == 1 and container.duration
    return container.duration / 1e6 if alone else 0.0
