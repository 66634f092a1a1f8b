"""What stages answer to, and each of them carried out: what it returns is checked where it enters.

The built-in stages return values that check themselves. Another's may return anything, and is then
named with its package.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gwtransfer import registry
from gwtransfer.blame import at_work, check_floats, kind_of, refuse
from gwtransfer.core.colorspace import space_of
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Kind, Raster, Rows
from gwtransfer.core.threads import one_thread
from gwtransfer.core.types import SHAPES, Cloud, GaussianMixture, Prepared, TransportPlan
from gwtransfer.errors import DataError, PluginError

Array = NDArray[np.float64]

WIDEST = 1e140
"""Largest spread of the values, and the inverse of the least, whose squares a double holds."""

ROUNDING = 1e-3
"""How far above 1 a picture's values may lie."""


class TransportMap(Protocol):
    """What a map stage returns: raw points (N, d) and their places to raw images (N, e)."""

    def __call__(
        self, points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> NDArray[np.floating]:
        """Map the points; ``index`` is each one's place in the whole."""
        ...


class PrepareStage(Protocol):
    """A raster or cloud to points in a working space."""

    def __call__(self, item: Raster | Cloud, *, seed: int) -> Prepared:
        """Return the points with what else a fit and a plan need."""
        ...


class FitStage(Protocol):
    """Points to a mixture."""

    def __call__(self, points: Array, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p)."""
        ...


@runtime_checkable
class WholeFit(Protocol):
    """A fit that may want more than the sample."""

    def of_prepared(self, prepared: Prepared, *, seed: int) -> tuple[Array, Array, Array]:
        """Return weights (K,), means (K, p) and covariances (K, p, p)."""
        ...


class PlanStage(Protocol):
    """Two mixtures to a plan."""

    def __call__(
        self, source: GaussianMixture, target: GaussianMixture, *, guide: Guide | None = None
    ) -> TransportPlan:
        """Return the plan."""
        ...


class MapStage(Protocol):
    """A plan to a map of points."""

    def __call__(
        self, plan: TransportPlan, *, candidates: NDArray[np.floating] | None = None
    ) -> TransportMap:
        """Return the map; ``candidates`` are the target's points, for maps that choose."""
        ...


def fit_item(
    item: Raster | Cloud, prepare: PrepareStage, fit: FitStage, *, seed: int
) -> GaussianMixture:
    """Fit a mixture to a raster or a cloud.

    Raises
    ------
    DataError
        Nothing valid to fit, too few distinct points, or values whose squares a double cannot
        hold; the message begins with the item's name.
    """
    with one_thread():
        ready = _prepared(item, prepare, seed)
        try:
            with at_work(fit, item.name):
                if isinstance(fit, WholeFit):
                    weights, means, covariances = fit.of_prepared(ready, seed=seed)
                else:
                    weights, means, covariances = fit(ready.points, seed=seed)
                return GaussianMixture(
                    weights=weights,
                    means=means,
                    covariances=covariances,
                    space=ready.space,
                    noise=ready.noise,
                    guide=ready.guide,
                    seed=seed,
                )
        except DataError as error:
            raise DataError(f"{item.name}: {error}") from error


def _prepared(item: Raster | Cloud, prepare: PrepareStage, seed: int) -> Prepared:
    """Return what a prepare stage makes of an item; refuse what no fit can work with."""
    try:
        with np.errstate(over="raise"):
            ready = prepared(item, prepare, seed=seed)
    except FloatingPointError:
        raise DataError(
            f"{item.name}: expected values up to {WIDEST:g}, found larger ones; divide them"
        ) from None
    if not 1 / WIDEST < ready.space.unit < WIDEST:
        raise DataError(
            f"{item.name}: expected a spread between {1 / WIDEST:g} and {WIDEST:g}, found "
            f"{ready.space.unit:.3g}; scale the values"
        )
    if len(ready.points) < 2:
        raise DataError(f"{item.name}: expected at least 2 valid pixels or points, found 1")
    return ready


def prepared(item: Raster | Cloud, stage: PrepareStage, *, seed: int) -> Prepared:
    """Return what a prepare stage makes of an item.

    Raises
    ------
    PluginError
        Another's stage fails, or returns something else.
    """
    with at_work(stage, item.name):
        ready = stage(item, seed=seed)
    if not isinstance(ready, Prepared):
        refuse(stage, "a Prepared", kind_of(ready), item.name)
    return ready


def loaded(loader: registry.Loader, path: Path) -> Raster | Cloud:
    """Return what a load stage makes of a file.

    The rows another's raster reads are checked one block after the other, when they are read.

    Raises
    ------
    ReadError
        The file cannot be read.
    PluginError
        Another's stage fails, or returns something else.
    """
    name = str(path)
    with at_work(loader, name):
        item = loader(path)
    if isinstance(item, Raster):
        return item if registry.owner(loader) is None else _checked(item, loader, name)
    if not isinstance(item, Cloud):
        refuse(loader, "a Raster or a Cloud", kind_of(item), name)
    return item


def _checked(raster: Raster, loader: registry.Loader, name: str) -> Raster:
    """Return a raster of another's loader that checks the rows it reads."""
    if raster.kind not in get_args(Kind):
        refuse(loader, "the kind picture or cube", repr(raster.kind), name)
    sizes = (raster.rows, raster.columns, raster.bands)
    if not all(isinstance(size, int) for size in sizes):
        refuse(loader, "rows, columns and bands of type int", repr(sizes), name)
    with at_work(loader, name):
        np.dtype(raster.dtype)

    def read(start: int, stop: int) -> Rows:
        with at_work(loader, name):
            rows = raster.read(start, stop)
        if not isinstance(rows, Rows):
            refuse(loader, "Rows", kind_of(rows), name)
        shape = (stop - start, raster.columns)
        for what, values, expected in (
            ("values", rows.values, (*shape, raster.bands)),
            ("alpha", rows.alpha, shape),
            ("weight", rows.weight, shape),
        ):
            if values is not None or what == "values":
                check_floats(values, expected, loader, what, name)
        if raster.kind == "picture" and not raster.scene:
            most = float(np.abs(np.nan_to_num(rows.values, posinf=np.inf)).max())
            if most > 1 + ROUNDING:
                refuse(loader, "a picture's values in [0, 1]", f"{most:.6g}", name)
        return rows

    return replace(raster, read=read)


def planned(
    stage: PlanStage,
    source: GaussianMixture,
    target: GaussianMixture,
    *,
    guide: Guide | None = None,
) -> TransportPlan:
    """Return what a plan stage makes of two mixtures.

    Raises
    ------
    PluginError
        Another's stage fails, or returns something else.
    """
    with at_work(stage):
        plan = stage(source, target, guide=guide)
    if not isinstance(plan, TransportPlan):
        refuse(stage, "a TransportPlan", kind_of(plan))
    for word, given, kept in (("source", source, plan.source), ("target", target, plan.target)):
        if given.space.raw_dimension != kept.space.raw_dimension:
            refuse(
                stage,
                f"a plan whose {word} has {given.space.raw_dimension} raw coordinates",
                str(kept.space.raw_dimension),
            )
    return plan


def map_of(
    stage: MapStage, plan: TransportPlan, *, candidates: NDArray[np.floating] | None = None
) -> TransportMap:
    """Return the map a map stage makes of a plan.

    The images another's map returns are checked one block after the other.

    Raises
    ------
    PluginError
        Another's stage fails, or returns something else.
    """
    with at_work(stage):
        mapping = stage(plan, candidates=candidates)
    if not callable(mapping):
        refuse(stage, "a map that can be called", kind_of(mapping))
    if registry.owner(stage) is None:
        return mapping
    bands = plan.target.space.raw_dimension

    def checked(
        points: NDArray[np.floating], index: NDArray[np.int64] | None = None
    ) -> NDArray[np.floating]:
        with at_work(stage):
            images = mapping(points, index)
        check_floats(images, (len(points), bands), stage, "images")
        if not bool(np.isfinite(images).all()):
            refuse(stage, "finite images", "NaN or infinite ones")
        return images

    return checked


def consented(writer: registry.Writer, raster: Raster) -> None:
    """Ask a write stage whether it can write a raster.

    Raises
    ------
    GwTransferError
        It cannot.
    PluginError
        Another's stage fails.
    """
    with at_work(writer, raster.name):
        writer.check(raster)


def written(writer: registry.Writer, raster: Raster, path: Path, output: Path) -> None:
    """Have a write stage write a raster.

    Parameters
    ----------
    path : Path
        Where to.
    output : Path
        What messages call the file.

    Raises
    ------
    OSError
        The system refuses to write.
    PluginError
        Another's stage fails for another reason, or writes nothing.
    """
    try:
        with at_work(writer, str(output)):
            writer(raster, path)
    except PluginError as error:
        if isinstance(error.__cause__, OSError):  # a full disk is nobody's mistake
            raise error.__cause__ from None
        raise
    if not path.is_file() or path.stat().st_size == 0:
        refuse(writer, "a file written to the path it is given", "nothing there", str(output))


def default_solver(source: str, target: str) -> str:
    """Return "mw2" within one colour space, "mgw2" between shapes, else "mew2".

    Between shapes MGW2 sees only mutual distances of components, a few milliseconds a pair in any
    dimension.
    """
    if source == target and space_of(source) is not None:
        return "mw2"
    return "mgw2" if source in SHAPES and target in SHAPES else "mew2"
