"""One large raster shared out: workers open its file themselves, each does some of its blocks.

What comes back is added, or handed on, in the order of the blocks, so that results are those of
this process to the last bit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer import __version__
from gwtransfer.adapters.workers import Pool, check_version
from gwtransfer.core.densities import Densities
from gwtransfer.core.em import Statistics
from gwtransfer.core.pixels import Pixels, summed
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Cloud, Prepared, Space, TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.masking import Mask
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.pipeline import MapStage, PrepareStage, prepared
from gwtransfer.transport import Watch, apply_plan

Array = NDArray[np.float64]
Range = tuple[int, int]
"""First row of a block, and one past its last."""

SUMMED, MAPPED = 16, 4
"""Blocks of a task at most: of a pass, which returns a sum, and of a map, which returns pixels."""

TURNS = 4
"""Tasks for each worker at least, if there are blocks enough, so that all end at about one time."""

REMEMBERED = 2
"""Rasters a process keeps open."""


@dataclass(frozen=True, kw_only=True)
class Reopening:
    """How another process opens a raster, and knows that it is the same.

    Attributes
    ----------
    path : Path
        Absolute.
    opening : Opening
        Its options apart.
    options : tuple of (str, object)
        Sorted.
    mask : Mask or None
        Its path absolute.
    size, changed : int
        Bytes of the file, and when it was written, in nanoseconds.
    version : str
        Of this program, where the raster was opened first.
    """

    path: Path
    opening: Opening
    options: tuple[tuple[str, object], ...]
    mask: Mask | None
    size: int
    changed: int
    version: str = __version__

    @classmethod
    def of(cls, path: Path, opening: Opening, mask: Mask | None) -> "Reopening":
        """Describe what ``opening`` makes of a file, and a mask of that."""
        status = path.stat()
        return cls(
            path=path.absolute(),
            opening=replace(opening, options=None),
            options=tuple(sorted((opening.options or {}).items())),
            mask=None if mask is None else replace(mask, path=mask.path.absolute()),
            size=status.st_size,
            changed=status.st_mtime_ns,
        )

    def __call__(self) -> Raster:
        """Open the raster, or return it if this process has it open.

        Raises
        ------
        DataError
            The file is not the one that was described, or this program is another version.
        GwTransferError
            As opening it here would.
        """
        check_version(self.version)
        try:
            status = self.path.stat()
        except OSError as error:
            raise DataError(
                f"{self.path}: a worker cannot see it ({error.strerror}); --scheduler needs a "
                "file system that all workers share, under the same names"
            ) from error
        if (status.st_size, status.st_mtime_ns) != (self.size, self.changed):
            raise DataError(
                f"{self.path}: changed since it was opened, or a worker sees another file of this "
                "name; run again"
            )
        return _opened(self)


@lru_cache(maxsize=REMEMBERED)
def _opened(reopening: Reopening) -> Raster:
    (raster,) = open_rasters(
        replace(reopening.opening, options=dict(reopening.options)), reopening.path
    )
    return raster if reopening.mask is None else reopening.mask(raster)


@dataclass(frozen=True, eq=False, kw_only=True)
class Spread:
    """A raster and those who work on it.

    Attributes
    ----------
    reopening : Reopening
    pool : Pool
        Gives results in order.
    """

    reopening: Reopening
    pool: Pool

    def prepare(self, stage: PrepareStage) -> PrepareStage:
        """Return a stage that prepares alike, and whose fits pass over all pixels by the pool."""

        def spread(item: Raster | Cloud, *, seed: int) -> Prepared:
            made = prepared(item, stage, seed=seed)
            if not isinstance(made.whole, Pixels):
                return made
            return replace(made, whole=_SpreadPixels(pixels=made.whole, spread=self))

        return spread

    def apply_plan(
        self,
        raster: Raster,
        plan: TransportPlan,
        stage: MapStage,
        *,
        record: Watch | None = None,
        **how: Any,
    ) -> Raster:
        """Return what `transport.apply_plan` does, with the raster's blocks mapped by the pool.

        They are asked for in order, as writers do; rows that are no block are mapped here.
        """
        image = apply_plan(raster, plan, stage, record=record, **how)
        stride = None if record is None else record.stride
        function = partial(_mapped, self.reopening, plan, stage, stride, how)
        ranges = image.ranges()

        def begin() -> Iterator[tuple[Range, Rows]]:
            for mapped in self.pool.each(function, self.grouped(ranges, MAPPED)):
                if record is not None:
                    for note in mapped.notes:
                        record.add(*note)
                yield from mapped.blocks

        arriving = _Arriving(begin=begin)
        blocks = set(ranges)

        def read(start: int, stop: int) -> Rows:
            if (start, stop) in blocks:
                return arriving.take((start, stop))
            return image.read(start, stop)

        return replace(image, read=read)

    def grouped(self, ranges: Sequence[Range], most: int) -> list[tuple[Range, ...]]:
        """Return blocks as tasks of 2ᵐ neighbours, ``most`` at most, the last perhaps of fewer."""
        size = most
        while size > 1 and len(ranges) < size * TURNS * self.pool.size:
            size //= 2
        return [tuple(ranges[at : at + size]) for at in range(0, len(ranges), size)]


@dataclass(frozen=True, eq=False, kw_only=True)
class _SpreadPixels:
    """All valid pixels of a raster that a pool passes over."""

    pixels: Pixels
    spread: Spread

    def sample(self, count: int, *, seed: int) -> Array:
        """Draw points (n, p), n <= count, here."""
        return self.pixels.sample(count, seed=seed)

    def statistics(self, densities: Densities) -> Statistics:
        """Return the statistics of all pixels under a mixture."""
        groups = self.spread.grouped(self.pixels.raster.ranges(), SUMMED)
        function = partial(_statistics, self.spread.reopening, self.pixels.space, densities)
        return summed(self.spread.pool.each(function, groups))


def _statistics(
    reopening: Reopening, space: Space, densities: Densities, group: tuple[Range, ...]
) -> Statistics:
    """Return the statistics of some blocks, in a worker."""
    pixels = Pixels(raster=reopening(), space=space)
    return summed(pixels.part(rows, densities) for rows in group)


class _Notes(Watch):
    """Keeps what a `Watch` is told, for one elsewhere."""

    def __init__(self, stride: int) -> None:
        super().__init__(stride=stride)
        self.told: list[tuple[Any, ...]] = []

    def add(self, *note: Any) -> None:
        """Keep what would be noted."""
        self.told.append(note)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Mapped:
    """Blocks of an image, and what a `Watch` is to be told of them."""

    blocks: list[tuple[Range, Rows]]
    notes: list[tuple[Any, ...]]


def _mapped(  # noqa: PLR0917  what is bound comes first
    reopening: Reopening,
    plan: TransportPlan,
    stage: MapStage,
    stride: int | None,
    how: Mapping[str, Any],
    group: tuple[Range, ...],
) -> _Mapped:
    """Return the image of some blocks, in a worker."""
    record = _Notes(stride or 1)
    image = apply_plan(reopening(), plan, stage, record=None if stride is None else record, **how)
    return _Mapped(blocks=[(rows, image.read(*rows)) for rows in group], notes=record.told)


@dataclass(kw_only=True)
class _Arriving:
    """Blocks that arrive in order, for threads that ask for them in about that order.

    Attributes
    ----------
    begin : callable
        Starts a pass from the first block.
    """

    begin: Callable[[], Iterator[tuple[Range, Rows]]]
    _lock: Any = field(default_factory=Lock)
    _coming: Iterator[tuple[Range, Rows]] = field(default_factory=lambda: iter(()))
    _held: dict[Range, Rows] = field(default_factory=dict)
    _next: int | None = None
    _failure: Exception | None = None

    def take(self, rows: Range) -> Rows:
        """Return a block; one that was taken before begins another pass.

        Raises
        ------
        Exception
            What the pass has failed with, each time.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if rows not in self._held and (self._next is None or rows[0] < self._next):
                self._coming, self._held, self._next = self.begin(), {}, 0
            while rows not in self._held:
                try:
                    arrived, values = next(self._coming)
                except Exception as error:
                    self._failure = error
                    raise
                self._held[arrived] = values
                self._next = arrived[1]
            return self._held.pop(rows)


def spread_over(
    scheduler: str | None, path: Path, opening: Opening, mask: Mask | None
) -> AbstractContextManager[Spread | None]:
    """Have a raster worked on by the workers of a scheduler; None where there is none.

    Parameters
    ----------
    scheduler : str or None
        Its address.
    path : Path
    opening : Opening
        What opened it.
    mask : Mask or None
        What it was masked with.

    Raises
    ------
    GwTransferError
        As `cluster.workers_of`.
    """
    return nullcontext() if scheduler is None else _spread(scheduler, path, opening, mask)


@contextmanager
def _spread(scheduler: str, path: Path, opening: Opening, mask: Mask | None) -> Iterator[Spread]:
    from gwtransfer.adapters.cluster import workers_of

    folder = path.absolute().parent
    with workers_of(scheduler, must_see=folder, in_order=True) as pool:
        yield Spread(reopening=Reopening.of(path, opening, mask), pool=pool)
