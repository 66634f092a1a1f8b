"""What is noted of a source and its result while their tiles go by, and the figures of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan

import numpy as np

from gwtransfer import measure
from gwtransfer.core.colorspace import REC709, to_space
from gwtransfer.core.raster import Floats, Raster
from gwtransfer.core.tiles import Tile, Tiles
from gwtransfer.measure import Array, Mask

POINTS, PAIRS = 10_000, 100_000
"""Pixels drawn to be paired, and pairs of them."""

COLOURS = 50_000
"""Pixels drawn from result and palette to compare their colours."""

PAIR_VALUES = 4_000_000
"""Values of the pairs that are compared at once."""

MIXED_VALUES = 8_000_000
"""Values of the mixed differences that the noise of a side is told from, about."""

ROUNDING = 1e-12
"""Spreads below this share of the mean are rounding."""

VISIBLE = 0.02
"""Distance in OKLab from which on the eye tells two colours apart (CSS Color 4, gamut mapping)."""

BEYOND_NOISE = 6.0
"""Neighbours in a cube differ where this many deviations of noise (`noise_distance`) part them:
of pairs that do not, one in 2000 passes in a single band, and fewer in several."""

MEANINGS = {
    "luminance_order": "1: bright stays bright; −1: a negative",
    "distance_correlation": "1: colours as far apart as spectra",
    "distance_rank_correlation": "1: colours in the order of the spectra's distances",
    "edges_kept": "1: neighbours that differ in the source do so visibly",
    "edges_made": "0: neighbours alike in the source do not differ visibly",
    "noise_gain": "1: as noisy as the source; above: noisier",
    "structure": "1: the light's structure (SSIM) is the source's",
    "gradient_correlation": "1: the light's gradients are the source's",
    "palette_distance": "0: the palette's colours, in its proportions",
}
"""The figures by their stable names, and what is good."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes
    ----------
    key : str
        Its name in MEANINGS.
    value : float
        NaN when it is undefined.
    undefined : str
        Why there is no value; empty when there is one.
    """

    key: str
    value: float
    undefined: str = ""


def appearance(raster: Raster, values: Floats) -> Array:
    """Return values (…, bands) as they are compared: a picture's in OKLab, a cube's as they are."""
    if raster.kind == "cube":
        return values.astype(np.float64)
    points = to_space(values.reshape(-1, raster.bands).astype(np.float64), "oklab")
    return np.asarray(points.reshape(*values.shape[:-1], -1), dtype=np.float64)


def brightness(raster: Raster, values: Floats) -> Array:
    """Return the brightness (…) of values (…, bands): Rec. 709 luma, or the mean of the bands."""
    if raster.kind == "picture" and raster.bands == 3:
        return np.asarray(values.astype(np.float64) @ np.array(REC709))
    return np.asarray(values.mean(axis=-1, dtype=np.float64))


@dataclass(kw_only=True)
class _Draw:
    """A sample of at most ``most`` points, each as likely as any other."""

    most: int
    rng: np.random.Generator
    keys: Array = field(default_factory=lambda: np.empty(0))
    points: Array | None = None

    def add(self, points: Array) -> None:
        """Let more points take part."""
        keys = self.rng.random(len(points))
        if self.points is not None:
            points, keys = np.concatenate([self.points, points]), np.append(self.keys, keys)
        if len(keys) > self.most:
            least = np.sort(np.argpartition(keys, self.most - 1)[: self.most])
            points, keys = points[least], keys[least]
        self.points, self.keys = points, keys


@dataclass(kw_only=True)
class _Side:
    """What is noted of a raster, tile by tile."""

    raster: Raster
    tiles: int
    light: list[Array] = field(default_factory=list)
    steps: list[Array] = field(default_factory=list)
    mixed: list[Array] = field(default_factory=list)
    count: int = 0
    mean: Array | float = 0.0
    squares: float = 0.0

    def add(self, values: Floats, valid: Mask) -> Array:
        """Note a tile; return how its valid pixels are compared, (n, p)."""
        looks = appearance(self.raster, values)
        self.light.append(brightness(self.raster, values))
        self.steps.append(measure.neighbour_distances(looks, valid))
        most = max(64, MIXED_VALUES // (looks.shape[-1] * self.tiles))
        self.mixed.append(measure.mixed_differences(looks, valid, most=most))
        points = looks[valid]
        if len(points):
            mean, before = points.mean(axis=0), self.count
            self.count += len(points)
            self.squares += float(((points - mean) ** 2).sum())
            self.squares += (
                float(((mean - self.mean) ** 2).sum()) * before * len(points) / self.count
            )
            self.mean = self.mean + (mean - self.mean) * (len(points) / self.count)
        return points

    @property
    def spread(self) -> float:
        """The deviation of all pixels, all bands together; zero where it is but rounding."""
        spread = float(np.sqrt(self.squares / self.count))
        return spread if spread > ROUNDING * float(np.linalg.norm(self.mean)) else 0.0

    @property
    def noise(self) -> float:
        """The deviation of the noise, all bands together."""
        return measure.noise_deviation(np.concatenate(self.mixed))


class Tally:
    """All that is noted while tiles of source and result go by."""

    def __init__(self, tiles: Tiles, rng: np.random.Generator) -> None:
        self.source = _Side(raster=tiles.first, tiles=tiles.count)
        self.result = _Side(raster=tiles.second, tiles=tiles.count)
        self.valid: list[Mask] = []
        self.rng = rng
        self.points = _Draw(most=POINTS, rng=rng)
        self.colours = _Draw(most=COLOURS, rng=rng)

    @property
    def pixels(self) -> int:
        """Valid pixels so far."""
        return self.source.count

    def add(self, tile: Tile) -> None:
        """Note a tile."""
        self.valid.append(tile.valid)
        holes = ~tile.valid[:, :, None]
        first, second = (np.where(holes, 0, side) for side in (tile.first, tile.second))
        before = self.source.add(first, tile.valid)
        after = self.result.add(second, tile.valid)
        self.points.add(np.concatenate([before, after], axis=1))
        self.colours.add(second[tile.valid].astype(np.float64))

    def figures(self) -> Iterator[Figure]:
        """Yield the figures that need no palette."""
        before, after = self._lights()
        flat = "one side has the same brightness everywhere"
        yield _figure("luminance_order", measure.rank_correlation(before, after), flat)
        yield from self._distances()
        yield from self._edges()
        noise, spread = zip(*((side.noise, side.spread) for side in self._sides), strict=True)
        gain = measure.noise_gain(noise, spread)
        yield _figure("noise_gain", gain, "the source shows no noise, or one side is one colour")
        yield self._structure(before, after)
        gradients = [
            np.concatenate(
                [measure.gradients(*pair) for pair in zip(side.light, self.valid, strict=True)]
            )
            for side in self._sides
        ]
        even = "one side has the same gradient everywhere"
        yield _figure("gradient_correlation", measure.correlation(*gradients), even)

    def palette_distance(self, palette: Raster, seed: int) -> Figure:
        """Return how far the result's colours are from the palette's."""
        colours, model = self.colours.points, palette.sample(COLOURS, seed=seed)
        assert colours is not None
        bands = max(colours.shape[1], model.shape[1])  # a gray among colours is a neutral one
        sides = [np.broadcast_to(side, (len(side), bands)) for side in (colours, model)]
        return _figure("palette_distance", measure.sliced_w2(*sides, seed=seed))

    @property
    def _sides(self) -> tuple[_Side, _Side]:
        return self.source, self.result

    def _lights(self) -> tuple[Array, Array]:
        """Return the brightness of all valid pixels on either side."""
        before, after = (
            np.concatenate([a[valid] for a, valid in zip(side.light, self.valid, strict=True)])
            for side in self._sides
        )
        return before, after

    def _distances(self) -> Iterator[Figure]:
        points = self.points.points
        assert points is not None
        i, j = self.rng.integers(len(points), size=(2, PAIRS))
        i, j = i[i != j], j[i != j]
        parts = np.array_split(np.arange(i.size), -(-i.size * points.shape[1] // PAIR_VALUES) or 1)
        split = points.shape[1] - self.result.raster.bands
        before, after = (
            np.concatenate([np.linalg.norm(side[i[at]] - side[j[at]], axis=1) for at in parts])
            for side in (points[:, :split], points[:, split:])
        )
        alike = "all pixels of one side are equally far apart"
        yield _figure("distance_correlation", measure.correlation(before, after), alike)
        yield _figure("distance_rank_correlation", measure.rank_correlation(before, after), alike)

    def _edges(self) -> Iterator[Figure]:
        if self.result.raster.kind == "cube":
            unseen = "the result is a cube, whose differences nobody sees"
            yield from (_figure(key, float("nan"), unseen) for key in ("edges_kept", "edges_made"))
            return
        threshold = VISIBLE
        if self.source.raster.kind == "cube":
            mixed = np.concatenate(self.source.mixed)
            threshold = measure.noise_distance(mixed, beyond=BEYOND_NOISE)
        before, after = (np.concatenate(side.steps) for side in self._sides)
        kept, made = measure.edges(before, after, threshold=threshold, visible=VISIBLE)
        yield _figure("edges_kept", kept, "no neighbours differ in the source")
        yield _figure("edges_made", made, "all neighbours differ in the source")

    def _structure(self, before: Array, after: Array) -> Figure:
        """Return SSIM between the result's brightness and the source's scaled to it."""
        span = 1.0 if self.result.raster.kind == "picture" else float(np.ptp(after))
        if np.ptp(before) == 0 or np.ptp(after) == 0:
            return _figure("structure", float("nan"), "one side has the same brightness everywhere")
        scale = after.std() / before.std()
        local = [
            measure.local_similarity(
                (x - before.mean()) * scale + after.mean(), y, valid, span=span
            )
            for x, y, valid in zip(self.source.light, self.result.light, self.valid, strict=True)
        ]
        value = float(np.concatenate(local).mean()) if any(map(len, local)) else float("nan")
        return _figure("structure", value, "no window of 11 × 11 pixels is without a hole")


def _figure(key: str, value: float, why: str = "") -> Figure:
    """Return a figure that says why where it has no value."""
    return Figure(key=key, value=value, undefined=why if isnan(value) else "")
