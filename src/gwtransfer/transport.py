"""A plan carried out: a raster's image, computed as it is read, and what there is to say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.blending import Keep, blender, check_blend, is_picture, luminance, space_bands
from gwtransfer.cleaning import SMOOTH_RADIUS, Residual
from gwtransfer.core.colorspace import from_coordinates, to_coordinates
from gwtransfer.core.gaussian import strange
from gwtransfer.core.raster import Block, Raster, Rows
from gwtransfer.core.types import TransportPlan
from gwtransfer.errors import DataError
from gwtransfer.measure import rank_correlation
from gwtransfer.pipeline import MapStage, TransportMap

Array = NDArray[np.float64]

PIECE_VALUES = 1_000_000
"""Values of all pieces computed at once, so that many bands do not multiply a block's memory."""

WATCHED = 200_000
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
    _seen: dict[int, tuple[Array, Array, Array]] = field(default_factory=dict)

    def add(self, start: int, before: Array, after: Array, strange: NDArray[np.bool_]) -> None:
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

    def _joined(self) -> tuple[Array, Array, Array]:
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
    candidates: Array | None = None,
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
    image = _Image(raster=raster, plan=plan, mapping=stage(plan, candidates=candidates))
    picture = is_picture(target)
    blend = blender(plan, strength, keep)
    if smooth is None:
        painted = picture and not is_picture(space_bands(space))
        smooth = float(painted and getattr(stage, "is_smooth", False))
    overlap = 2 * SMOOTH_RADIUS if smooth > 0 else 0
    residual = Residual.of(plan, image.mapping, smooth) if smooth > 0 else None

    def read(start: int, stop: int) -> Rows:
        block, images = (
            image.mapped(start, stop) if residual is None else image.cleaned(start, stop, residual)
        )
        there = np.flatnonzero(block.valid)
        if there.size:
            values = block.points if block.valid.all() else block.points[there]
            weight = None if block.weight is None else block.weight[there].astype(np.float64)
            blended = blend(values, images[there], weight)
            if picture:
                blended = np.clip(blended, 0.0, np.inf if raster.scene else 1.0)
            images[there] = blended
            if record is not None:
                counted = slice(None) if weight is None else weight > 0
                seen = slice(None, None, record.stride)
                looked = values[counted][seen].astype(np.float64)
                record.add(start, *image.looked_at(looked, blended[counted][seen]))
        shape = (stop - start, raster.columns)
        alpha = None if block.alpha is None else block.alpha.reshape(shape)
        return Rows(values=images.reshape(*shape, -1), alpha=alpha)

    return replace(
        raster,
        bands=plan.target.space.raw_dimension,
        read=read,
        kind="picture" if picture else "cube",
        dtype=raster.dtype if is_picture(space_bands(space)) else "uint8" if picture else "float32",
        wavelengths=plan.target.space.wavelengths,
        good=None,
        overlap=max(raster.overlap, overlap),
        reads=max(raster.bands, raster.reads),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Image:
    """A raster and the map that is carried out on it, block by block."""

    raster: Raster
    plan: TransportPlan
    mapping: TransportMap

    def mapped(self, start: int, stop: int) -> tuple[Block, Array]:
        """Return rows of the raster and their images (n, e) as values, NaN where not valid."""
        block = self.raster.block(start, stop)
        images = np.full((len(block.points), self.plan.target.space.raw_dimension), np.nan)
        index = np.flatnonzero(block.valid)
        for at in range(0, index.size, self.step):
            part = index[at : at + self.step]
            points = to_coordinates(block.points[part], self.plan.source.space.coordinates)
            mapped = self.mapping(points, part + start * self.raster.columns)
            images[part] = from_coordinates(mapped, self.plan.target.space.coordinates)
        return block, images

    @property
    def step(self) -> int:
        """Points mapped at once, so that neither bands nor components multiply the memory."""
        widest = max(self.plan.source.dimension, self.plan.target.dimension)
        values = max(self.plan.source.count * widest, self.raster.bands)
        return max(1024, PIECE_VALUES // values)

    def cleaned(self, start: int, stop: int, residual: Residual) -> tuple[Block, Array]:
        """Return the same with the map's residual cleaned, each frame of a film by itself."""
        tall = self.raster.frame_rows
        columns = self.raster.columns
        parts = []
        for frame in range(start // tall, (stop - 1) // tall + 1):
            first, last = max(start, frame * tall), min(stop, (frame + 1) * tall)
            low = max(frame * tall, first - 2 * SMOOTH_RADIUS)
            high = min((frame + 1) * tall, last + 2 * SMOOTH_RADIUS)
            block, images = self.mapped(low, high)
            clean = residual.cleaned(self._working(block), images, block.valid.reshape(-1, columns))
            inner = slice((first - low) * columns, (last - low) * columns)
            parts.append((block, clean[inner], inner))
        return _joined(parts, start, stop), np.concatenate([images for _, images, _ in parts])

    def _working(self, block: Block) -> Array:
        """Return the working coordinates (n, p) of a block, zero where not valid."""
        space = self.plan.source.space
        z = np.zeros((len(block.points), space.dimension))
        index = np.flatnonzero(block.valid)
        for at in range(0, index.size, self.step):
            part = index[at : at + self.step]
            z[part] = space.to_working(to_coordinates(block.points[part], space.coordinates))
        return z

    def looked_at(self, values: Array, images: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return the brightness of values and of their images, and which of some are strange."""
        source, target = self.plan.source, self.plan.target
        points = to_coordinates(values, source.space.coordinates)
        few = source.space.to_working(points[:: 1 + len(points) // STRANGE_SAMPLE])
        return (
            luminance(source, points),
            luminance(target, to_coordinates(images, target.space.coordinates)),
            strange(few, source.weights, source.means, source.covariances),
        )


def _joined(parts: Sequence[tuple[Block, Array, slice]], start: int, stop: int) -> Block:
    """Return the block of some rows from parts of blocks that reach beyond them."""

    def joined(name: str) -> NDArray[Any] | None:
        arrays = [getattr(block, name) for block, _, _ in parts]
        if arrays[0] is None:
            return None
        inner = [array[part] for array, (_, _, part) in zip(arrays, parts, strict=True)]
        return np.concatenate(inner)

    points, valid = joined("points"), joined("valid")
    assert points is not None
    assert valid is not None
    return Block(
        start=start,
        stop=stop,
        points=points,
        valid=valid,
        alpha=joined("alpha"),
        weight=joined("weight"),
    )
