"""A grid of spectra read by blocks of rows: pictures and cubes alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.ahead import ahead
from gwtransfer.errors import DataError, ShapeError

Floats = NDArray[np.floating]
Kind = Literal["picture", "cube"]

BLOCK_PIXELS = 65_536
"""Pixels in a block of rows: small enough for a few megabytes, large enough for matrix products."""

BLOCK_VALUES = 2_000_000
"""Values in a block at most, so that many bands do not multiply its memory."""

NOISE_SAMPLE = 16_384
"""Differences of neighbours the noise of a large raster is estimated from."""

SAMPLE_BLOCKS = 64
"""Blocks a sample visits at most, so that sampling a file larger than memory reads a part of it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Georeference:
    """Where the grid lies on the ground.

    Attributes
    ----------
    crs : str
        Coordinate reference system as WKT; empty when the file has only a transform.
    transform : tuple of 6 floats
        Affine coefficients (a, b, c, d, e, f): x = a·column + b·row + c, y = d·column + e·row + f.
    gcps : tuple of (row, column, x, y, z)
        Ground control points, in ``gcp_crs``.
    gcp_crs : str
        As WKT; empty when there are none or it is unknown.
    rpcs : mapping of str to str
        Rational polynomial coefficients, by the names GDAL gives them; empty when there are none.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    gcps: tuple[tuple[float, float, float, float, float], ...] = ()
    gcp_crs: str = ""
    rpcs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Carried:
    """What a picture carries beside its pixels, to be put into what is made of it.

    Attributes
    ----------
    icc : bytes or None
        ICC profile that says what the numbers mean; None is sRGB.
    exif : bytes or None
        An Exif block from its TIFF header on, upright (orientation 1) and without thumbnail.
    dpi : tuple of 2 floats or None
        Pixels an inch across and down.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Film:
    """A raster whose rows are the frames of a film, one below the other.

    Attributes
    ----------
    frames : int
        The raster has frames × (rows of a frame) rows.
    rate : Fraction
        Frames a second.
    """

    frames: int
    rate: Fraction


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """What a reader returns for some rows: the values, and how opaque each pixel is.

    Attributes
    ----------
    values : (r, columns, bands) array of floats
        In the raster's units; NaN where the file has no data.
    alpha : (r, columns) array of floats in [0, 1], or None
        None means opaque wherever the values are finite.
    weight : (r, columns) array of floats in [0, 1], or None
        A mask: how much a pixel counts in a fit, and how much of a map it gets; None is 1.
    """

    values: Floats
    alpha: Floats | None = None
    weight: Floats | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Consecutive whole rows of a raster as points.

    Attributes
    ----------
    start, stop : int
        First row, and one past the last.
    points : (n, bands) array of floats, n = (stop − start)·columns, row by row
    valid : (n,) array of bool
        True where every band is finite and alpha is above zero.
    alpha, weight : (n,) arrays of floats in [0, 1], or None
    """

    start: int
    stop: int
    points: Floats
    valid: NDArray[np.bool_]
    alpha: Floats | None
    weight: Floats | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Raster:
    """Rows × columns spectra, read on demand.

    Small files and files larger than memory look the same: nothing is held but the reader.

    Attributes
    ----------
    name : str
        What messages call it; the file's name as the user gave it.
    rows, columns, bands : int
        All at least 1.
    read : callable
        ``read(start, stop) -> Rows`` with ``0 <= start < stop <= rows``; raises ReadError.
    kind : {"picture", "cube"}
        A picture has 1 or 3 bands (gray; red, green, blue), sRGB-encoded in [0, 1].
        A cube is in the file's own units.
    dtype : str
        The stored type, or for a result the one to store by default ("uint8", "uint16", "float32").
    scene : bool
        A picture of scene light (EXR, HDR): still sRGB-encoded, but values may exceed 1.
    good : (bands,) array of bool, or None
        Bands the file itself marks as usable; None when it says nothing.
    wavelengths : (bands,) array, nm, or None
    nodata : float or None
        The stored value that means "no data", already turned into NaN by ``read``.
    has_alpha : bool
        The file has an alpha channel.
    georeference : Georeference or None
    carried : Carried
    film : Film or None
    overlap : int
        Rows above and below a block that reading it reads too; blocks are then taller.
    reads : int
        Values it takes to make a pixel, where that is more than its bands; blocks are then lower.
    notes : tuple of str
        What was guessed or left out while the file was read, for the user to know.

    Raises
    ------
    ShapeError
        Sizes below one, a picture that has neither 1 nor 3 bands, or wavelengths not one a band.
    """

    name: str
    rows: int
    columns: int
    bands: int
    read: Callable[[int, int], Rows]
    kind: Kind
    dtype: str
    wavelengths: Floats | None = None
    nodata: float | None = None
    has_alpha: bool = False
    georeference: Georeference | None = None
    scene: bool = False
    good: NDArray[np.bool_] | None = None
    carried: Carried = field(default_factory=Carried)
    film: Film | None = None
    overlap: int = 0
    reads: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.rows, self.columns, self.bands) < 1:
            raise ShapeError(
                f"{self.name}: expected at least one row, column and band, "
                f"got {self.rows} × {self.columns} × {self.bands}"
            )
        if self.kind == "picture" and self.bands not in (1, 3):
            raise ShapeError(f"{self.name}: a picture has 1 or 3 bands, got {self.bands}")
        if self.wavelengths is not None:
            if self.wavelengths.shape != (self.bands,):
                raise ShapeError(
                    f"{self.name}: expected {self.bands} wavelengths, one a band, "
                    f"got {self.wavelengths.size}"
                )
            self.wavelengths.setflags(write=False)
        if self.good is not None and self.good.shape != (self.bands,):
            raise ShapeError(
                f"{self.name}: expected {self.bands} marks of good bands, got {self.good.size}"
            )
        if self.film is not None and self.rows % self.film.frames:
            raise ShapeError(
                f"{self.name}: expected whole frames, got {self.rows} rows of {self.film.frames}"
            )

    @property
    def pixels(self) -> int:
        """Rows × columns."""
        return self.rows * self.columns

    @property
    def frame_rows(self) -> int:
        """Rows of one frame of a film; all rows of anything else."""
        return self.rows if self.film is None else self.rows // self.film.frames

    @property
    def may_have_holes(self) -> bool:
        """Whether a pixel may turn out not to be valid, as far as the file's description tells."""
        return self.has_alpha or self.nodata is not None

    def block_rows(self) -> int:
        """Return how many rows a block holds: two at least, so that noise has neighbours."""
        pixels = min(BLOCK_PIXELS, BLOCK_VALUES // max(self.bands, self.reads))
        return min(self.rows, max(2, 4 * self.overlap, pixels // self.columns))

    def block(self, start: int, stop: int) -> Block:
        """Read rows start … stop − 1 as points with their validity."""
        rows = self.read(start, stop)
        expected = (stop - start, self.columns, self.bands)
        if rows.values.shape != expected:
            raise ShapeError(f"{self.name}: expected rows of {expected}, got {rows.values.shape}")
        points = rows.values.reshape(-1, self.bands)
        valid = np.asarray(np.isfinite(points).all(axis=1))
        alpha = weight = None
        if rows.alpha is not None:
            alpha = rows.alpha.reshape(-1)
            valid &= alpha > 0
        if rows.weight is not None:
            weight = rows.weight.reshape(-1)
        return Block(start=start, stop=stop, points=points, valid=valid, alpha=alpha, weight=weight)

    def blocks(self) -> Iterator[Block]:
        """Yield the whole raster from top to bottom, a few megabytes at a time.

        The next blocks are read and computed by other threads meanwhile; their order and their
        content do not depend on that.
        """
        return ahead(lambda rows: self.block(*rows), self.ranges())

    def ranges(self) -> list[tuple[int, int]]:
        """Return the first row of each block, and one past its last, from top to bottom."""
        step = self.block_rows()
        return [(start, min(start + step, self.rows)) for start in range(0, self.rows, step)]

    def spread_blocks(self, seed: int) -> Iterator[Block]:
        """Yield blocks spread over the raster: up to SAMPLE_BLOCKS first, then the rest.

        The first round takes one block from each of SAMPLE_BLOCKS equal stretches, at a place
        drawn from the seed, so that a sample sees the whole scene without reading all of it.
        """
        ranges = self.ranges()
        stretches = np.array_split(np.arange(len(ranges)), min(SAMPLE_BLOCKS, len(ranges)))
        rng = np.random.default_rng([seed, 0])
        first = [int(stretch[rng.integers(len(stretch))]) for stretch in stretches]
        rest = np.setdiff1d(np.arange(len(ranges)), first)
        for index in [*first, *rng.permutation(rest).tolist()]:
            yield self.block(*ranges[index])

    def sample(self, count: int, *, seed: int) -> NDArray[np.float64]:
        """Draw valid pixels without replacement, without reading all of a large raster.

        A pixel's chance goes with its weight and its alpha.

        Parameters
        ----------
        count : int
            How many; all valid pixels when there are fewer.
        seed : int

        Returns
        -------
        (n, bands) array of float64, n <= count
            In the order of the raster.

        Raises
        ------
        DataError
            No pixel is valid.
        """
        rng = np.random.default_rng([seed, 1])
        kept = np.empty((0, self.bands))
        keys = np.empty(0)
        places = np.empty(0, dtype=np.int64)
        for visited, block in enumerate(self.spread_blocks(seed)):
            if visited >= SAMPLE_BLOCKS and len(kept) >= count:
                break
            where = np.flatnonzero(block.valid)
            drawn = rng.random(where.size)
            for share in (block.alpha, block.weight):
                if share is not None:  # the smallest of −log u / w are a weighted draw
                    where, drawn = _weighted(where, drawn, share)
            if keys.size == count:
                hopeful = drawn < keys.max()
                where, drawn = where[hopeful], drawn[hopeful]
            keys = np.concatenate([keys, drawn])
            kept = np.concatenate([kept, block.points[where]])
            places = np.concatenate([places, where + block.start * self.columns])
            if keys.size > count:
                smallest = np.argpartition(keys, count - 1)[:count]
                keys, kept, places = keys[smallest], kept[smallest], places[smallest]
        if not kept.size:
            raise DataError(
                f"{self.name}: no valid pixel: all are NaN, nodata, transparent or masked"
            )
        return kept[np.argsort(places)]

    def noise(self, *, seed: int) -> NDArray[np.float64]:
        """Estimate the sensor noise of each band from mixed second differences.

        d = x[i,j] − x[i+1,j] − x[i,j+1] + x[i+1,j+1] over quadruples of valid pixels has variance
        4σ² for white noise and vanishes on a linear ramp; σ̂ = median |d − median d| / (2 · 0.6745).
        Stripes along rows or columns are not seen.

        Returns
        -------
        (bands,) array of float64
            Variances, in squared units of the raster; zero where no quadruple is valid.
        """
        differences: list[Floats] = []
        blocks = min(SAMPLE_BLOCKS, -(-self.rows // self.block_rows()))
        most = min(1024, max(NOISE_SAMPLE // blocks, 1))
        for visited, block in enumerate(self.spread_blocks(seed)):
            if visited >= SAMPLE_BLOCKS:
                break
            differences.append(_mixed_differences(block, self.columns, most))
        values = np.concatenate(differences)
        if not len(values):
            return np.zeros(self.bands)
        deviations = np.abs(values - np.median(values, axis=0))
        return np.asarray((np.median(deviations, axis=0) / (2 * 0.6745)) ** 2, dtype=np.float64)


def _weighted(
    where: NDArray[np.intp], drawn: NDArray[np.float64], share: Floats
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return places and draws such that the smallest draws are a sample weighted by ``share``."""
    shares = share[where].astype(np.float64)
    counted = shares > 0
    return where[counted], 1 - (1 - drawn[counted]) ** (1 / shares[counted])


def _mixed_differences(block: Block, columns: int, most: int) -> Floats:
    """Return up to ``most`` evenly spread mixed differences (q, bands) inside one block."""
    rows = block.stop - block.start
    valid = block.valid.reshape(rows, columns)
    whole = valid[:-1, :-1] & valid[1:, :-1] & valid[:-1, 1:] & valid[1:, 1:]
    corners = np.flatnonzero(whole)
    corners = corners[:: max(1, corners.size // most)]
    i, j = np.divmod(corners, max(columns - 1, 1))
    at = i * columns + j
    x = block.points
    return np.asarray(x[at].astype(np.float64) - x[at + columns] - x[at + 1] + x[at + columns + 1])
