"""A plan carried out: a raster's image, computed as it is read, and what there is to say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.blending import Blend, Keep, check_blend, is_picture, luminance, space_bands
from gwtransfer.cleaning import SMOOTH_RADIUS, Residual
from gwtransfer.core.colorspace import from_coordinates, to_coordinates
from gwtransfer.core.raster import Block, Raster, Rows
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.measure import rank_correlation
from gwtransfer.pipeline import MapStage, TransportMap, map_of

Array = NDArray[np.float64]
Floats = NDArray[np.floating]

PIECE_VALUES = 1_000_000
"""Values of pixels mapped at once, so that many bands do not multiply a block's memory."""

WATCHED = 50_000
"""Pixels the luminance order is measured on, about."""

STRANGE_SAMPLE = 1024
"""Pixels of a block that are compared with what the plan was fitted to, about."""


@dataclass(kw_only=True)
class Watch:
    """Collects, while a raster is read, what there is to say about its image.

    Attributes
    ----------
    stride : int
        One valid pixel in this many is looked at.
    """

    stride: int
    _seen: dict[int, tuple[Floats, Floats, Array]] = field(default_factory=dict)

    def add(self, start: int, before: Floats, after: Floats, strange: NDArray[np.bool_]) -> None:
        """Note the luminance of some pixels of the rows from ``start`` on, before and after."""
        self._seen[start] = (before, after, strange.astype(np.float64))

    def order(self) -> float:
        """Return the rank correlation of brightness; NaN when there is nothing to order."""
        before, after, _ = self._joined()
        return rank_correlation(before, after) if before.size else float("nan")

    def strange(self) -> float:
        """Return the share of pixels unlike all the plan was fitted to; NaN when none was seen."""
        strange = self._joined()[2]
        return float(strange.mean()) if strange.size else float("nan")

    def _joined(self) -> tuple[Floats, Floats, Floats]:
        parts = [self._seen[start] for start in sorted(self._seen)]
        if not parts:
            return np.empty(0), np.empty(0), np.empty(0)
        before, after, strange = (np.concatenate(side) for side in zip(*parts, strict=True))
        return before, after, strange


def watch(raster: Raster) -> Watch:
    """Return an empty record that looks at about WATCHED pixels of a raster of this size."""
    return Watch(stride=max(1, raster.pixels // WATCHED))


def apply_plan(
    raster: Raster,
    plan: TransportPlan,
    stage: MapStage,
    *,
    strength: float = 1.0,
    keep: Keep | None = None,
    smooth: float | None = None,
    candidates: Floats | None = None,
    record: Watch | None = None,
) -> Raster:
    """Return the raster's image under a plan's map, computed block by block as it is read.

    Parameters
    ----------
    strength : float in [0, 1]
        How much of the map to apply, times a pixel's weight; the rest is the source where the
        bands of both sides agree, its luminance between gray and RGB, and where a cube becomes a
        picture its luminance as gray with the palette's mean and spread.
    keep : {"luminance", "chroma"} or None
        What of the source's colour, in OKLab, stays as it is.
    smooth : float in [0, 1] or None
        How much of the map's residual to clean with a guided filter; None is all of it where a
        smooth map makes a picture of a cube, and nothing elsewhere.
    candidates : (M, e) array or None
        The target's values, for maps that choose among them.
    record : Watch or None
        Is told every block that is read.

    Raises
    ------
    DataError
        The raster has not the bands the plan was made for, or there is nothing to blend with.
    UsageError
        A strength outside [0, 1].
    """
    space = plan.source.space
    if raster.bands != space.raw_dimension:
        raise DataError(
            f"{raster.name}: expected the {space.raw_dimension} bands the plan was made for, "
            f"found {raster.bands}"
        )
    target = space_bands(plan.target.space)
    check_blend(strength, keep, space_bands(space), target)
    if candidates is not None:
        candidates = to_coordinates(candidates, plan.target.space.coordinates)
    with one_thread():
        mapping = map_of(stage, plan, candidates=candidates)
    picture = is_picture(target)
    if smooth is None:
        painted = picture and not is_picture(space_bands(space))
        smooth = float(painted and getattr(stage, "is_smooth", False))
    with one_thread():
        residual = Residual.of(plan, mapping, smooth) if smooth > 0 else None
    image = _Image(
        raster=raster,
        plan=plan,
        mapping=mapping,
        blend=Blend.of(plan, strength, keep),
        residual=residual,
        most=np.inf if raster.scene else 1.0,
        stride=0 if record is None else record.stride,
    )

    def read(start: int, stop: int) -> Rows:
        strip = image.cleaned(start, stop)
        images = image.blended(strip)
        if record is not None:
            record.add(start, *image.judged(strip, images))
        shape = (stop - start, raster.columns)
        alpha = None if strip.alpha is None else strip.alpha.reshape(shape)
        return Rows(values=images.reshape(*shape, -1), alpha=alpha)

    return replace(
        raster,
        bands=plan.target.space.raw_dimension,
        read=read,
        kind="picture" if picture else "cube",
        dtype=raster.dtype if is_picture(space_bands(space)) else "uint8" if picture else "float32",
        wavelengths=plan.target.space.wavelengths,
        good=None,
        overlap=max(raster.overlap, image.overlap),
        reads=max(raster.bands, raster.reads),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Strip:
    """Some rows as they are mapped: what later steps need, and no spectra.

    Attributes
    ----------
    images : (n, e) array
        Values in the map's precision, NaN where not valid.
    valid : (n,) array of bool
    alpha, weight : (n,) arrays or None
    base : (n, e) array or None
        What stays where the map is not applied; None where nothing does.
    seen : (n, e + g) array or None
        What the clean-up sees.
    looked : (q,) array of int
        Pixels whose brightness is compared.
    brightness : (q,) array
    strange : (s,) array of bool
        Of some of them: whether they are unlike all the plan was fitted to.
    """

    images: Floats
    valid: NDArray[np.bool_]
    alpha: Floats | None
    weight: Floats | None
    base: Floats | None
    seen: Floats | None
    looked: NDArray[np.intp]
    brightness: Floats
    strange: NDArray[np.bool_]

    def part(self, first: int, last: int) -> "_Strip":
        """Return the pixels first … last − 1; the few that are looked at are left to the whole."""
        inner = slice(first, last)
        kept = (self.looked >= first) & (self.looked < last)
        return replace(
            self,
            images=self.images[inner],
            valid=self.valid[inner],
            alpha=None if self.alpha is None else self.alpha[inner],
            weight=None if self.weight is None else self.weight[inner],
            base=None if self.base is None else self.base[inner],
            seen=None if self.seen is None else self.seen[inner],
            looked=self.looked[kept] - first,
            brightness=self.brightness[kept],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Image:
    """A raster, and all that is done to it, strip by strip.

    Attributes
    ----------
    most : float
        Largest value of a picture.
    stride : int
        One valid pixel in this many is looked at; 0 is none.
    """

    raster: Raster
    plan: TransportPlan
    mapping: TransportMap
    blend: Blend
    residual: Residual | None
    most: float
    stride: int

    @property
    def overlap(self) -> int:
        """Rows above and below that have a part in a row."""
        return 0 if self.residual is None else 2 * SMOOTH_RADIUS

    def cleaned(self, start: int, stop: int) -> _Strip:
        """Return mapped rows, their residual cleaned, each frame of a film by itself."""
        if self.residual is None:
            return self.mapped(start, stop)
        tall, columns = self.raster.frame_rows, self.raster.columns
        parts = []
        for frame in range(start // tall, (stop - 1) // tall + 1):
            first, last = max(start, frame * tall), min(stop, (frame + 1) * tall)
            low = max(frame * tall, first - self.overlap)
            high = min((frame + 1) * tall, last + self.overlap)
            strip = self.mapped(low, high)
            assert strip.seen is not None
            valid = strip.valid.reshape(-1, columns)
            clean = self.residual.cleaned(strip.seen, strip.images, valid)
            strip = replace(strip, images=clean, seen=None)
            parts.append(strip.part((first - low) * columns, (last - low) * columns))
        return _joined(parts)

    def mapped(self, start: int, stop: int) -> _Strip:
        """Return mapped rows, a few at a time, so that wide cubes do not multiply the memory."""
        step = self.raster.block_rows()
        starts = range(start, stop, step)
        return _joined([self._few(row, min(row + step, stop)) for row in starts])

    def _few(self, start: int, stop: int) -> _Strip:
        block = self.raster.block(start, stop)
        target = self.plan.target.space
        images = np.full((len(block.points), target.raw_dimension), np.nan, dtype=np.float32)
        seen = None
        if self.residual is not None:
            seen = np.zeros((len(block.points), len(self.residual.seeing)), dtype=np.float32)
        base = None
        if self.blend.needs_base(block.weight):
            base = np.zeros(images.shape, dtype=block.points.dtype)
        index = np.flatnonzero(block.valid)
        for at in range(0, index.size, self.step):
            part = index[at : at + self.step]
            points = self._points(block.points[part])
            mapped = self.mapping(points, part + start * self.raster.columns)
            if mapped.dtype != images.dtype:  # a map in double precision
                images = images.astype(np.float64)
            images[part] = from_coordinates(mapped, target.coordinates)
            if seen is not None and self.residual is not None:
                seen[part] = self.residual.seen(points)
            if base is not None:
                base[part] = self.blend.base(block.points[part])
        looked, brightness, odd = self._looked_at(block, index)
        return _Strip(
            images=images,
            valid=block.valid,
            alpha=block.alpha,
            weight=block.weight,
            base=base,
            seen=seen,
            looked=looked,
            brightness=brightness,
            strange=odd,
        )

    def _points(self, values: Floats) -> Floats:
        """Return what a map is given; of colours in double precision, since a map magnifies."""
        space = self.plan.source.space
        if is_picture(space_bands(space)):
            values = values.astype(np.float64)
        return to_coordinates(values, space.coordinates)

    @property
    def step(self) -> int:
        """Points mapped at once, so that bands do not multiply the memory."""
        widest = max(self.plan.source.space.raw_dimension, self.plan.target.space.raw_dimension)
        return max(1024, PIECE_VALUES // widest)

    def _looked_at(
        self, block: Block, index: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
        """Return some of the pixels that count, their brightness, and which of some are strange."""
        if block.weight is not None:
            index = index[block.weight[index] > 0]
        looked = index[:: self.stride] if self.stride else index[:0]
        source = self.plan.source
        points = to_coordinates(block.points[looked], source.space.coordinates)
        few = source.space.to_working(points[:: 1 + len(points) // STRANGE_SAMPLE])
        odd = source.densities.strange(few)
        return looked, luminance(source, points), odd

    def blended(self, strip: _Strip) -> Floats:
        """Return the values (n, e) of a strip, with what stays of the source."""
        images = strip.images
        if strip.base is not None:
            images = self.blend(strip.base, np.nan_to_num(images), strip.weight)
            images[~strip.valid] = np.nan
        if is_picture(space_bands(self.plan.target.space)):
            images = np.clip(images, 0.0, self.most)
        return images

    def judged(self, strip: _Strip, images: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return the brightness of some pixels before and after, and which of some are strange."""
        target = self.plan.target
        after = to_coordinates(images[strip.looked], target.space.coordinates)
        return strip.brightness, luminance(target, after), strip.strange


def _joined(parts: Sequence[_Strip]) -> _Strip:
    """Return several strips as one."""
    if len(parts) == 1:
        return parts[0]

    def joined(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        return None if arrays[0] is None else np.concatenate(arrays)

    ends = np.cumsum([0, *(len(part.valid) for part in parts)])
    looked = [part.looked + end for part, end in zip(parts, ends[:-1], strict=True)]
    names = ("images", "valid", "alpha", "weight", "base", "seen", "brightness", "strange")
    return _Strip(looked=np.concatenate(looked), **{name: joined(name) for name in names})
