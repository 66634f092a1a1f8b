"""The values that travel between stages: clouds, spaces, prepared points, mixtures, plans."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.densities import Densities
from gwtransfer.core.em import Statistics
from gwtransfer.core.gaussian import own_squared_w2
from gwtransfer.errors import ShapeError

Array = NDArray[np.float64]

SHAPES = ("xyz", "spectral")
"""Coordinates of shapes."""

SUM_TOLERANCE = 1e-8
"""How far weights and marginals may be from what they must sum to."""


def frozen(values: Any) -> Array:
    """Return a read-only float64 copy."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ShapeError(message)


@dataclass(frozen=True, eq=False, kw_only=True)
class Cloud:
    """Points of a shape in the file's own numbering, which is never changed.

    Attributes
    ----------
    name : str
    vertices : (n, 3) array
    faces : (f, 3) array of int, or None for a cloud without surface
    numbers : (n,) array of int, increasing, or None
        The file's own numbers of the vertices, from 0, where some of its points were left out as
        they were not measured; None where vertex i is the file's point i.
    """

    name: str
    vertices: Array
    faces: NDArray[np.int64] | None = None
    numbers: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        vertices = frozen(self.vertices)
        _expect(
            vertices.ndim == 2 and vertices.shape[1] == 3 and len(vertices) > 0,
            f"{self.name}: expected (n, 3) vertices with n > 0, got {vertices.shape}",
        )
        _expect(bool(np.isfinite(vertices).all()), f"{self.name}: a vertex is not finite")
        object.__setattr__(self, "vertices", vertices)
        if self.numbers is not None:
            numbers = np.array(self.numbers, dtype=np.int64)
            _expect(
                numbers.shape == (len(vertices),)
                and int(numbers[0]) >= 0
                and bool((np.diff(numbers) > 0).all()),
                f"{self.name}: expected {len(vertices)} increasing numbers, got others",
            )
            numbers.setflags(write=False)
            object.__setattr__(self, "numbers", numbers)
        if self.faces is None:
            return
        faces = np.array(self.faces, dtype=np.int64)
        _expect(
            faces.ndim == 2 and faces.shape[1] == 3 and len(faces) > 0,
            f"{self.name}: expected (f, 3) faces with f > 0, got {faces.shape}",
        )
        _expect(
            int(faces.min()) >= 0 and int(faces.max()) < len(vertices),
            f"{self.name}: expected faces among vertices 0 … {len(vertices) - 1}, "
            f"got {int(faces.min())} … {int(faces.max())}",
        )
        faces.setflags(write=False)
        object.__setattr__(self, "faces", faces)


@dataclass(frozen=True, eq=False, kw_only=True)
class Space:
    """Working coordinates z = (x − origin)·axes / unit: nothing that breaks an isometry.

    Attributes
    ----------
    origin : (d,) array
        Raw coordinates of the working origin.
    axes : (d, p) array, orthonormal columns, p <= d
        Identity, or the leading principal axes.
    unit : float > 0
        Raw length of one working unit, the same along every axis.
    coordinates : str
        What the raw coordinates are: "srgb", "gray", "bands", "xyz", "spectral" or "raw". Two sides
        of equal coordinates live in one space and can be compared without an embedding.
    wavelengths : (d,) array, nm, or None
        Of the raw coordinates, where they are bands of known wavelength.
    """

    origin: Array
    axes: Array
    unit: float
    coordinates: str = "raw"
    wavelengths: Array | None = None

    def __post_init__(self) -> None:
        origin, axes = frozen(self.origin), frozen(self.axes)
        _expect(
            origin.ndim == 1 and axes.ndim == 2 and len(axes) == len(origin),
            f"expected axes of ({origin.size}, p), got {axes.shape}",
        )
        _expect(
            axes.shape[1] <= axes.shape[0]
            and bool(np.allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-8)),
            "expected orthonormal axes, got columns that are not",
        )
        _expect(bool(np.isfinite(origin).all()), "expected a finite origin")
        _expect(
            bool(np.isfinite(self.unit)) and self.unit > 0,
            f"expected a unit above zero, got {self.unit}",
        )
        if self.wavelengths is not None:
            object.__setattr__(self, "wavelengths", frozen(self.wavelengths))
            _expect(
                self.wavelengths.shape == origin.shape,
                f"expected {origin.size} wavelengths, got {self.wavelengths.shape}",
            )
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "unit", float(self.unit))

    def __repr__(self) -> str:
        return (
            f"Space(coordinates={self.coordinates!r}, raw_dimension={self.raw_dimension}, "
            f"dimension={self.dimension}, unit={self.unit:.6g})"
        )

    @classmethod
    def raw(cls, dimension: int) -> "Space":
        """Return the space in which working and raw coordinates are the same."""
        return cls(origin=np.zeros(dimension), axes=np.eye(dimension), unit=1.0)

    @property
    def raw_dimension(self) -> int:
        """d, the number of raw coordinates."""
        return len(self.origin)

    @property
    def dimension(self) -> int:
        """p, the number of working coordinates."""
        return int(self.axes.shape[1])

    def to_working(self, points: NDArray[np.floating]) -> Array:
        """Express raw points (n, d) in working coordinates (n, p)."""
        centred = np.asarray(points, dtype=np.float64) - self.origin
        return np.asarray(centred @ self.axes / self.unit)

    def to_raw(self, points: NDArray[np.floating]) -> Array:
        """Express working points (n, p) in raw coordinates (n, d)."""
        return np.asarray(points @ self.axes.T * self.unit + self.origin)


class Whole(Protocol):
    """All the points a sample was drawn from, however many they are."""

    def sample(self, count: int, *, seed: int) -> Array:
        """Draw working points (n, p), n <= count."""
        ...

    def statistics(self, densities: Densities) -> Statistics:
        """Return the statistics of all points under a mixture, in one pass over them."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """What a prepare stage hands to a fit.

    Attributes
    ----------
    points : (n, p) array
        A sample in working coordinates.
    space : Space
    noise : (p, p) array or None
        Sensor noise in working coordinates.
    guide : (p,) array or None
        Linear functional from dark to bright in working coordinates.
    whole : Whole or None
        What the sample was drawn from, for fits that want more of it.
    """

    points: Array
    space: Space
    noise: Array | None = None
    guide: Array | None = None
    whole: Whole | None = None

    def __post_init__(self) -> None:
        p = self.space.dimension
        for field, shape in (("points", (len(self.points), p)), ("noise", (p, p)), ("guide", (p,))):
            value = getattr(self, field)
            if value is not None:
                object.__setattr__(self, field, frozen(value))
                _expect(value.shape == shape, f"expected {field} of {shape}, got {value.shape}")
                _expect(bool(np.isfinite(value).all()), f"prepared {field}: a value is not finite")


@dataclass(frozen=True, eq=False, kw_only=True)
class GaussianMixture:
    """Σ_k weights[k] · N(means[k], covariances[k]) in the working coordinates of its space.

    Attributes
    ----------
    weights : (K,) array, above SUM_TOLERANCE, summing to 1
    means : (K, p) array
    covariances : (K, p, p) array, symmetric positive semi-definite
    space : Space
        Its ``dimension`` is p.
    noise : (p, p) array or None
        Covariance of the source's sensor noise in working coordinates (MATHS 6.3).
    guide : (p,) array or None
        Linear functional whose value orders points from dark to bright (MATHS 6.1).
    seed : int
        What the fit was seeded with; later steps draw from it too.
    """

    weights: Array
    means: Array
    covariances: Array
    space: Space
    noise: Array | None = None
    guide: Array | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("weights", "means", "covariances", "noise", "guide"):
            value = getattr(self, field)
            if value is not None:
                object.__setattr__(self, field, frozen(value))
                _expect(bool(np.isfinite(value).all()), f"mixture {field}: a value is not finite")
        _expect(self.weights.ndim == 1 and self.weights.size > 0, "expected at least one component")
        count, dimension = self.count, self.space.dimension
        _expect(
            self.means.shape == (count, dimension),
            f"expected means of {(count, dimension)}, got {self.means.shape}",
        )
        _expect(
            self.covariances.shape == (count, dimension, dimension),
            f"expected covariances of {(count, dimension, dimension)}, "
            f"got {self.covariances.shape}",
        )
        total = float(self.weights.sum())
        _expect(
            bool((self.weights > SUM_TOLERANCE).all()) and abs(total - 1) <= SUM_TOLERANCE,
            f"expected weights above {SUM_TOLERANCE:g} that sum to 1, got a sum of {total!r} "
            f"and a least weight of {float(self.weights.min())!r}",
        )
        _expect_psd(self.covariances, "covariances")
        if self.noise is not None:
            _expect(
                self.noise.shape == (dimension, dimension),
                f"expected noise of {(dimension, dimension)}, got {self.noise.shape}",
            )
            _expect_psd(self.noise[None], "noise")
        if self.guide is not None:
            _expect(
                self.guide.shape == (dimension,),
                f"expected a guide of {(dimension,)}, got {self.guide.shape}",
            )

    def __repr__(self) -> str:
        return (
            f"GaussianMixture(count={self.count}, dimension={self.dimension}, "
            f"coordinates={self.space.coordinates!r})"
        )

    @property
    def count(self) -> int:
        """K, the number of components."""
        return len(self.weights)

    def drawn(self, count: int, rng: np.random.Generator) -> Array:
        """Draw points (count, p) in working coordinates."""
        chosen = rng.choice(self.count, count, p=self.weights / self.weights.sum())
        values, vectors = np.linalg.eigh(self.covariances)
        roots = vectors * np.sqrt(np.clip(values, 0, None))[:, None, :]
        normals = rng.standard_normal((count, self.space.dimension))
        points = self.means[chosen]
        for k, root in enumerate(roots):
            own = chosen == k
            points[own] += normals[own] @ root.T
        return points

    @cached_property
    def densities(self) -> Densities:
        """The components' densities, laid out for products with blocks of points."""
        return Densities.of(self.weights, self.means, self.covariances)

    @property
    def dimension(self) -> int:
        """p, the number of working coordinates."""
        return self.space.dimension

    @cached_property
    def mean(self) -> Array:
        """Mean of the mixture, (p,)."""
        return np.asarray(self.weights @ self.means)

    @cached_property
    def covariance(self) -> Array:
        """Total covariance of the mixture, (p, p)."""
        centred = self.means - self.mean
        between = (centred * self.weights[:, None]).T @ centred
        return np.asarray(between + np.einsum("k,kij->ij", self.weights, self.covariances))

    @cached_property
    def own_costs(self) -> Array:
        """W2² between its own components, (K, K)."""
        return frozen(own_squared_w2(self.means, self.covariances))

    def in_space(self, space: Space) -> "GaussianMixture":
        """Re-express the mixture in another space of the same raw coordinates.

        Exact when this mixture's axes span the new ones: always when both sides are of full rank.

        Raises
        ------
        ShapeError
            The raw dimensions differ.
        """
        _expect(
            space.raw_dimension == self.space.raw_dimension,
            f"expected a space of {self.space.raw_dimension} raw coordinates, "
            f"got {space.raw_dimension}",
        )
        ratio = space.unit / self.space.unit
        turn = self.space.axes.T @ space.axes / ratio
        return replace(
            self,
            means=space.to_working(self.space.to_raw(self.means)),
            covariances=turn.T @ self.covariances @ turn,
            space=space,
            noise=None if self.noise is None else turn.T @ self.noise @ turn,
            guide=None
            if self.guide is None
            else turn.T @ self.guide * (space.unit / self.space.unit) ** 2,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class TransportPlan:
    """How much of each source component goes to each target component, and how spaces meet.

    Attributes
    ----------
    source, target : GaussianMixture
        K and L components of dimension m and n.
    coupling : (K, L) array
        Row sums are the source's weights, column sums are ``attained``.
    embedding : (max(m, n), min(m, n)) array with orthonormal columns, or None
        The smaller space into the larger; None when both sides live in one space.
    tilt : (max(m, n), min(m, n)) array or None
        Added to the embedding, or to the identity without one, where source points are projected
        for the map: the luminance anchor's g hᵀ. Not part of the isometry.
    solver : str
        Name of the stage that made the plan.
    value : float
        The solver's unguided objective at this plan, at least 0, in squared working units.
    bound : float or None
        A certified lower bound of the objective.
    starts, reached : int
        How many starts were run, and how many of them ended within 0.1 % of the best that was
        found, perturbed copies not counted.
    converged : bool
    history : (t,) array
        Objective of the chosen start, iteration by iteration.
    attained : (L,) array or None
        The target marginal the plan uses; the target's weights when None is given.

    Raises
    ------
    ShapeError
        A marginal off by more than 1e-8, an embedding that is not orthonormal, value below bound.
    """

    source: GaussianMixture
    target: GaussianMixture
    coupling: Array
    embedding: Array | None
    solver: str
    value: float
    bound: float | None
    starts: int
    reached: int
    converged: bool
    history: Array
    tilt: Array | None = None
    attained: Array | None = None

    def __post_init__(self) -> None:
        if self.attained is None:
            object.__setattr__(self, "attained", self.target.weights)
        for field in ("coupling", "embedding", "tilt", "history", "attained"):
            if getattr(self, field) is not None:
                object.__setattr__(self, field, frozen(getattr(self, field)))
                finite = bool(np.isfinite(getattr(self, field)).all())
                _expect(finite, f"plan {field}: a value is not finite")
        shape = (self.source.count, self.target.count)
        _expect(
            self.coupling.shape == shape,
            f"expected a coupling of {shape}, got {self.coupling.shape}",
        )
        _expect(bool((self.coupling >= 0).all()), "expected a coupling without negative entries")
        for axis, weights, side in (
            (1, self.source.weights, "source"),
            (0, self.attained, "target"),
        ):
            off = float(np.abs(self.coupling.sum(axis=axis) - weights).max())
            _expect(off <= SUM_TOLERANCE, f"the coupling misses the {side} weights by {off:.2e}")
        m, n = self.source.dimension, self.target.dimension
        if self.tilt is not None:
            _expect(
                self.tilt.shape == (max(m, n), min(m, n)),
                f"expected a tilt of {(max(m, n), min(m, n))}, got {self.tilt.shape}",
            )
        if self.embedding is None:
            _expect(m == n, f"a plan without embedding needs equal dimensions, got {m} and {n}")
        else:
            expected = (max(m, n), min(m, n))
            _expect(
                self.embedding.shape == expected,
                f"expected an embedding of {expected}, got {self.embedding.shape}",
            )
            gram = self.embedding.T @ self.embedding
            _expect(
                bool(np.allclose(gram, np.eye(expected[1]), atol=1e-8)),
                "expected an embedding with orthonormal columns",
            )
        _expect(
            bool(np.isfinite(self.value)) and self.value >= 0,
            f"expected a value of at least 0, got {self.value}",
        )
        if self.bound is not None:
            slack = 1e-9 * max(1.0, self.value)
            _expect(
                self.value >= self.bound - slack,
                f"expected a value not below its bound {self.bound!r}, got {self.value!r}",
            )

    def __repr__(self) -> str:
        return (
            f"TransportPlan(solver={self.solver!r}, coupling={self.coupling.shape}, "
            f"dimensions={(self.source.dimension, self.target.dimension)}, "
            f"distance={self.distance:.6g})"
        )

    @property
    def distance(self) -> float:
        """Root of the value."""
        return float(np.sqrt(self.value))

    @property
    def proportions_left(self) -> float:
        """Share of the mass that does not go where the target's own proportions want it.

        ½ Σ |attained − weights|, in [0, 1); 0 in a plan that is hard.
        """
        assert self.attained is not None
        return float(np.abs(self.attained - self.target.weights).sum() / 2)

    @property
    def attained_target(self) -> GaussianMixture:
        """The target in the proportions that are used; the target itself in a plan that is hard."""
        assert self.attained is not None
        if np.array_equal(self.attained, self.target.weights):
            return self.target
        used = self.attained > SUM_TOLERANCE
        return replace(
            self.target,
            weights=self.attained[used] / self.attained[used].sum(),
            means=self.target.means[used],
            covariances=self.target.covariances[used],
        )


def _expect_psd(matrices: Array, field: str) -> None:
    scale = float(np.abs(matrices).max()) if matrices.size else 0.0
    skew = float(np.abs(matrices - np.swapaxes(matrices, -1, -2)).max())
    _expect(skew <= 1e-8 * scale, f"expected symmetric {field}, off by {skew:.2e}")
    least = float(np.linalg.eigvalsh(matrices).min())
    _expect(
        least >= -1e-8 * scale,
        f"expected positive semi-definite {field}, got an eigenvalue of {least:.2e}",
    )
