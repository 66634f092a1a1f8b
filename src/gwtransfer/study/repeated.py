"""Two files gone through again and again: other seeds, other components, noise on the source."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import fsencode
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.coloring import Grade, Palette, open_sides
from gwtransfer.core.em import statistics
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, GaussianMixture, TransportPlan
from gwtransfer.core.views import thinned
from gwtransfer.errors import DataError, UsageError
from gwtransfer.imaging import CANDIDATES, Progress, chooses
from gwtransfer.io import store
from gwtransfer.jobs import fit_opened, in_order, plan_between, will_live_in
from gwtransfer.opening import Opening
from gwtransfer.pipeline import default_solver, prepared
from gwtransfer.recipe import AUTO, AUTO_FITS, MAX_SEED, Recipe
from gwtransfer.study.noisy import noisy
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

SIDE = 512
"""Pixels a side of pictures at most when they are compared; of cubes so few that they hold no more
values."""

FRESH_SEED = 1_000_000
"""Added to the seed of a recipe for points that no fit has drawn."""

SEEN = 4
"""A file of less than so many times the points of a fit has too few that were not seen."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What one run came to.

    Attributes
    ----------
    plan : TransportPlan
        Of shapes, in the order of their contents.
    fits : pair of GaussianMixture
        Of source and target.
    picture : (rows, columns, bands) array, or None for shapes
        NaN where the source has no pixel.
    """

    plan: TransportPlan
    fits: tuple[GaussianMixture, GaussianMixture]
    picture: Pixels | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """Source and target of a study, opened and checked.

    Attributes
    ----------
    source, target : Raster or Cloud
    recipe : Recipe
        With what the files decide.
    notes : tuple of str
        What was guessed or left out while files were read.
    """

    source: Raster | Cloud
    target: Raster | Cloud
    recipe: Recipe
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the two files are called, without folders, as text that every file holds."""
        names = (Path(item.name).name for item in (self.source, self.target))
        return " and ".join(fsencode(name).decode("utf-8", "replace") for name in names)

    @property
    def is_painted(self) -> bool:
        """Whether a run makes a picture."""
        return isinstance(self.source, Raster)

    def run(self, recipe: Recipe, *, level: float = 0.0) -> Outcome:
        """Fit, plan and paint as `color` would, or compare as `distance` would.

        Parameters
        ----------
        level : float >= 0
            Deviation of the noise put on the source, over that of its values.
        """
        source, target = self.fits(recipe, level=level)
        plan = self.plan(source, target, recipe)
        picture = self.painted(plan, recipe, level=level)
        return Outcome(plan=plan, fits=(source, target), picture=picture)

    def searched(self, fits: tuple[GaussianMixture, GaussianMixture], recipe: Recipe) -> Outcome:
        """Plan between fits that are there with the recipe's seed; nothing else draws from it."""
        own = fits[0].seed
        source, target = (replace(fit, seed=recipe.seed) for fit in fits)
        found = self.plan(source, target, recipe)
        plan = replace(
            found,
            source=replace(found.source, seed=own),
            target=replace(found.target, seed=own),
        )
        return Outcome(plan=plan, fits=fits, picture=self.painted(plan, recipe))

    def fits(
        self, recipe: Recipe, *, level: float = 0.0
    ) -> tuple[GaussianMixture, GaussianMixture]:
        """Fit source and target; the target first, as it may be refused."""
        target = fit_opened(self.target, recipe)
        return fit_opened(noisy(self.source, level, seed=recipe.seed), recipe), target

    def plan(
        self, source: GaussianMixture, target: GaussianMixture, recipe: Recipe
    ) -> TransportPlan:
        """Plan between two fits."""
        if self.is_painted:
            return plan_between(source, target, recipe)
        return plan_between(*in_order(source, target), replace(recipe, anchor=0.0))

    def painted(self, plan: TransportPlan, recipe: Recipe, *, level: float = 0.0) -> Pixels | None:
        """Return the image of the source, thinned to SIDE; None for shapes."""
        source = noisy(self.source, level, seed=recipe.seed)
        if not isinstance(source, Raster) or not isinstance(self.target, Raster):
            return None
        candidates = None
        if chooses(recipe):
            candidates = self.target.sample(CANDIDATES, seed=plan.source.seed)
        image = apply_plan(
            thinned(source, max(1, int(SIDE * min(1, 3 / self.target.bands) ** 0.5))),
            plan,
            recipe.build("map"),
            strength=recipe.strength,
            keep=recipe.keep,
            smooth=recipe.smooth,
            candidates=candidates,
        )
        picture = np.empty((image.rows, image.columns, image.bands), dtype=np.float32)
        for block in image.blocks():
            points = np.where(block.valid[:, None], block.points, np.nan)
            picture[block.start : block.stop] = points.reshape(-1, image.columns, image.bands)
        return picture

    def fresh(self) -> tuple[Array | None, Array | None]:
        """Return raw points of source and target that no fit has drawn; None where there are few.

        Raises
        ------
        DataError
            As the prepare stage.
        """
        first, second = (self._fresh(item) for item in (self.source, self.target))
        return first, second

    def _fresh(self, item: Raster | Cloud) -> Array | None:
        stage = self.recipe.build("prepare", auto=_default_prepare(item))
        seed = (self.recipe.seed + FRESH_SEED) % (MAX_SEED + 1)
        ready = prepared(item, stage, seed=seed)
        if isinstance(item, Raster):
            held: float = item.pixels
        else:
            held = len(item.vertices) if item.faces is None else np.inf
        return None if held < SEEN * len(ready.points) else ready.space.to_raw(ready.points)


def likelihood(mixture: GaussianMixture, points: Array | None) -> float | None:
    """Return the mean log density of raw points (n, d) under a mixture, in nats."""
    if points is None:
        return None
    working = mixture.space.to_working(points)
    return statistics(working, None, mixture.densities).log_likelihood / len(points)


def opened(source: Path, target: Path, recipe: Recipe, opening: Opening) -> Subject:
    """Open source and target, and check all that can be checked before a fit.

    Raises
    ------
    DataError
        A shape against a picture or cube, or a film.
    UsageError
        Stored mixtures, or options of painting for shapes.
    GwTransferError
        What else cannot be done.
    """
    for path in (source, target):
        if store.is_artefact(path):
            raise DataError(
                f"{path}: expected a picture, cube or shape, found what was fitted to one; a study "
                "fits anew, name the file itself"
            )
    recipe.check()
    items = opening(source, target)
    if isinstance(items[0], Raster) and isinstance(items[1], Raster):
        sides = open_sides(source, Palette(paths=[target]), recipe, opening=opening, grade=Grade())
        if sides.source.film is not None:
            raise DataError(f"{source}: expected a picture, a cube or a shape, found a film")
        return Subject(
            source=sides.source, target=sides.palette, recipe=sides.recipe, notes=sides.notes
        )
    if isinstance(items[0], Raster) or isinstance(items[1], Raster):
        found = ["a picture or cube" if isinstance(item, Raster) else "a shape" for item in items]
        raise DataError(f"{target}: expected {found[0]}, as {source} is, found {found[1]}")
    recipe.check_distance()
    _refuse_painting(recipe)
    named = {"prepare": _default_prepare(items[0]), "fit": AUTO_FITS[1]}
    spaces = [will_live_in(item, recipe.settled(**named)) for item in items]
    solver = AUTO if "" in spaces else default_solver(*spaces)
    return Subject(source=items[0], target=items[1], recipe=recipe.settled(**named, plan=solver))


def _refuse_painting(recipe: Recipe) -> None:
    plain = Recipe()
    given = [name for name in ("anchor", "strength", "keep", "smooth")
             if getattr(recipe, name) != getattr(plain, name)]  # fmt: skip
    if recipe.resolved("map") != plain.resolved("map"):
        given.append("map")
    if given:
        raise UsageError(f"{given[0]}: shapes are not painted; leave it out")


def _default_prepare(item: Raster | Cloud) -> str:
    return "color" if isinstance(item, Raster) else "xyz"


def with_seed(recipe: Recipe, step: int) -> Recipe:
    """Return a recipe with the step-th seed after its own."""
    return replace(recipe, seed=(recipe.seed + step) % (MAX_SEED + 1))


def with_components(recipe: Recipe, count: int) -> Recipe:
    """Return a recipe that fits so many Gaussians."""
    fit = {**recipe.options.get("fit", {}), "components": count}
    return replace(recipe, options={**recipe.options, "fit": fit})


def counted(progress: Progress, total: int, what: str = "run") -> Callable[[], None]:
    """Return what says which of so many runs comes next."""
    done = 0

    def say() -> None:
        nonlocal done
        done += 1
        progress(f"{what} {done} of {total}", 0, 0)

    return say


def spread_of(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation; of one value that is 0."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else 0.0
