"""The frames of a film in any order, decoded forward and kept for a while."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.raster import Rows
from gwtransfer.errors import GwTransferError, ReadError
from gwtransfer.io.film.frameformat import FULL, FrameFormat
from gwtransfer.io.film.times import Times

Pixels = NDArray[Any]
Opened = Callable[[], tuple[Any, Any]]
"""Opens a film anew: PyAV's container, and its stream of moving pictures."""

KEPT_FRAMES, KEPT_BYTES = 4, 32 << 20
"""Decoded frames that are kept for readers slightly out of order: at least, and up to."""

EXACT = 0x4 | 0x2000 | 0x40000
"""swscale's flags: bicubic, chroma interpolated in full, accurate rounding."""


class Reader:
    """Gives the rows of a film to several threads; one of them decodes at a time.

    Attributes
    ----------
    form : FrameFormat
    shape : tuple of 2 ints
        Rows and columns of an upright frame.
    """

    def __init__(self, decoder: "Decoder", reformatter: Any) -> None:
        self._decoder, self._reformatter = decoder, reformatter
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Pixels] = OrderedDict()
        with translated(decoder.path):
            first = decoder.first()
            self.form = FrameFormat.at(decoder.path, first, decoder.context)
            pixels = self._pixels(0, first)
        self._keep = max(KEPT_FRAMES, KEPT_BYTES // pixels.nbytes)
        self.shape = pixels.shape[0], pixels.shape[1]

    def read(self, start: int, stop: int) -> Rows:
        """Return rows start … stop − 1 of the frames, one below the other."""
        tall = self.shape[0]
        parts = []
        for number in range(start // tall, (stop - 1) // tall + 1):
            first, last = max(start - number * tall, 0), min(stop - number * tall, tall)
            parts.append(self._frame(number)[first:last])
        stored = np.concatenate(parts)
        values = stored.astype(np.float32)
        values /= np.float32(np.iinfo(stored.dtype).max)
        if not self.form.alpha:
            return Rows(values=values)
        return Rows(values=np.ascontiguousarray(values[:, :, :3]), alpha=values[:, :, 3])

    def _frame(self, number: int) -> Pixels:
        """Return one frame, kept or decoded now."""
        with self._lock, translated(self._decoder.path):
            if number in self._kept:
                return self._kept[number]
            self._decoder.approach(number, near=self._keep)
            for index, frame in self._decoder.onward(number):
                if index > number - self._keep:
                    self._kept[index] = self._pixels(index, frame)
                    if len(self._kept) > self._keep:
                        self._kept.popitem(last=False)
            return self._kept[number]

    def _pixels(self, number: int, frame: Any) -> Pixels:
        """Return a decoded frame (rows, columns, 3 or 4) upright."""
        if (frame.width, frame.height) != self.form.size:
            raise ReadError(
                f"{self._decoder.path}: expected frames of {self.form.size[0]} × "
                f"{self.form.size[1]}, found {frame.width} × {frame.height} from frame {number} "
                "on; cut it there"
            )
        rgb = self._reformatter.reformat(
            frame,
            format=self.form.format,
            src_colorspace=self.form.matrix,
            interpolation=EXACT,
            src_color_range=self.form.range,
            dst_color_range=FULL,
        )
        pixels = rgb.to_ndarray()
        if self.form.mirrored:
            pixels = pixels[:, ::-1]
        return np.array(np.rot90(pixels, -self.form.quarters), order="C")


class Decoder:
    """Decodes a film forward, and jumps to its key frames where that is possible."""

    def __init__(self, path: Path, times: Times, opened: Opened) -> None:
        self.path, self._times, self._opened = path, times, opened
        self._jumps = times.shown is not None
        self._next: int = 0
        self._landing = False
        self._restart()

    @property
    def context(self) -> Any:
        """The decoder's parameters."""
        return self._stream.codec_context

    def first(self) -> Any:
        """Return the first frame, and stand before it again."""
        frame = next(iter(self.onward(0)))[1]
        self._restart()
        return frame

    def approach(self, number: int, *, near: int) -> None:
        """Stand at or before a frame, by a jump unless it is among the next ``near``."""
        if self._next <= number <= self._next + near:
            return
        key = self._times.key_before(number)
        if self._jumps and self._times.shown is not None and key > 0:
            if self._next <= number and key <= self._next:
                return
            self._jump(key, int(self._times.shown[key]))
        elif number < self._next:
            self._restart()

    def _jump(self, key: int, time: int) -> None:
        """Stand before a key frame; before the first where the container cannot find it."""
        try:
            self._container.seek(time, stream=self._stream)
        except Exception:  # an index that is missing or wrong
            self._walk()
            return
        self._frames = self._container.decode(self._stream)
        self._next, self._landing = key, True

    def onward(self, last: int) -> Iterator[tuple[int, Any]]:
        """Decode up to a frame, and yield each with its number.

        Raises
        ------
        ReadError
            A frame is missing or damaged.
        """
        while self._next <= last:
            try:
                frame = next(self._frames, None)
            except Exception as error:
                raise self._lost(getattr(error, "strerror", None) or reason(error)) from error
            if frame is None and self._landing:
                self._walk()
                continue
            if frame is None:
                raise ReadError(
                    f"{self.path}: expected {self._times.count} frames, found {self._next}; "
                    "it is truncated or broken"
                )
            index = self._next if self._times.shown is None else self._times.place(frame.pts)
            if index is None or index < self._next:
                continue  # before the first key frame, or before the one jumped to
            if index > self._next and self._landing:
                self._walk()
                continue
            if index > self._next or frame.is_corrupt:
                raise self._lost("its data are damaged")
            self._landing = False
            self._next = index + 1
            yield index, frame

    def _lost(self, why: str) -> ReadError:
        return ReadError(
            f"{self.path}: frame {self._next} of {self._times.count} cannot be decoded: {why}; "
            "cut it out or make the film again"
        )

    def _walk(self) -> None:
        """Give up jumps, since one went too far, and begin at the first frame again."""
        self._jumps = False
        self._restart()

    def _restart(self) -> None:
        """Stand before the first frame."""
        self._container, self._stream = self._opened()
        self._stream.thread_type = "AUTO"
        self._frames = self._container.decode(self._stream)
        self._next, self._landing = 0, False


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what PyAV raises into one line about a file."""
    try:
        yield
    except (GwTransferError, MemoryError):
        raise
    except Exception as error:
        said = getattr(error, "strerror", None) or reason(error)
        raise ReadError(
            f"{path}: expected a film, found one that cannot be decoded: {said}"
        ) from error
