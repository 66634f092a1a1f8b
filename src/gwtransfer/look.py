"""The LUT job: a stored plan between two RGB pictures in, a table of its colours out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.blending import is_picture, space_bands
from gwtransfer.core.colorspace import from_coordinates
from gwtransfer.core.lut import lattice, trilinear
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.errors import DataError, UsageError
from gwtransfer.io import files
from gwtransfer.io.layout import array_raster
from gwtransfer.io.lut import write_cube, write_hald
from gwtransfer.jobs import load_plan
from gwtransfer.pipeline import MapStage
from gwtransfer.recipe import Recipe, Settled, unrecorded
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]

DEFAULT_SIZE, DEFAULT_LEVEL = 33, 8
SIZES, LEVELS = (2, 129), (2, 12)
"""Points along an axis of a .cube file, and levels of a Hald picture: from, to."""

PROBES = 40_000
"""Colours like the source's on which the table is compared with the map."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a LUT job did.

    Attributes
    ----------
    plan : TransportPlan
    size : int
        Points along each axis.
    worst, mean : float
        Largest and mean difference of a channel, in [0, 1], between the map and the table
        interpolated linearly, on PROBES colours drawn from the source's mixture.
    """

    plan: TransportPlan
    size: int
    worst: float
    mean: float


def look(
    plan_path: Path,
    output: Path,
    recipe: Recipe,
    *,
    size: int | None = None,
    level: int | None = None,
    overwrite: bool = False,
    settled: Settled = unrecorded,
) -> Table:
    """Write the colours a stored plan makes of all colours, as .cube or as Hald .png.

    Parameters
    ----------
    size : int or None
        Points along each axis of a .cube file; None is DEFAULT_SIZE.
    level : int or None
        Of a Hald picture: level² points along each axis; None is DEFAULT_LEVEL.

    Raises
    ------
    GwTransferError
        Anything that cannot be done; nothing is written then.
    """
    recipe.check()
    points = _points(output, size, level)
    stage = _stage(recipe)
    files.check_output(output, overwrite=overwrite, inputs=[plan_path])
    plan, provenance = load_plan(plan_path)
    _check_plan(plan_path, plan)
    _check_fixed(plan, stage, recipe)
    settled(recipe.settled(map="mean"))
    table = _image(lattice(points), plan, stage, recipe)
    probes = _like(plan.source)
    error = np.abs(trilinear(table, probes) - _image(probes, plan, stage, recipe))
    with files.whole(output, overwrite=overwrite) as temporary:
        if output.suffix.lower() == ".cube":
            write_cube(table, temporary, size=points, title=_title(provenance))
        else:
            write_hald(table, temporary, level=round(points**0.5))
    return Table(plan=plan, size=points, worst=float(error.max()), mean=float(error.mean()))


def _points(output: Path, size: int | None, level: int | None) -> int:
    """Return the points along an axis that an output's name and the options ask for."""
    suffix = output.suffix.lower()
    if suffix not in (".cube", ".png"):
        raise UsageError(
            f"{output}: expected .cube, or .png for a Hald picture, found {suffix or 'none'}"
        )
    if suffix == ".cube":
        if level is not None:
            raise UsageError(f"{output}: --level is for a Hald .png; use --size")
        return _within("--size", DEFAULT_SIZE if size is None else size, SIZES)
    if size is not None:
        raise UsageError(f"{output}: --size is for .cube; a Hald .png has --level")
    return _within("--level", DEFAULT_LEVEL if level is None else level, LEVELS) ** 2


def _within(flag: str, value: int, limits: tuple[int, int]) -> int:
    if not limits[0] <= value <= limits[1]:
        raise UsageError(f"{flag}: expected {limits[0]} to {limits[1]}, got {value}")
    return value


def _stage(recipe: Recipe) -> MapStage:
    """Build the map; refuse those that are no function of the colour, or no continuous one."""
    name = recipe.name("map")
    stage: MapStage = recipe.build("map")
    if name == "rand":
        raise UsageError(
            "--map rand draws anew for every pixel, which no table of colours holds; use --map mean"
        )
    if getattr(stage, "needs_candidates", False):
        raise UsageError(
            f"--map {name} jumps between colours of the palette, and a table would blend across "
            "the jumps; use --map mean"
        )
    if recipe.smooth:
        raise UsageError("--smooth looks at a pixel's neighbours, which no table of colours does")
    return stage


def _check_plan(path: Path, plan: TransportPlan) -> None:
    """Refuse a plan of which a side is no RGB picture."""
    for side, mixture in (("source", plan.source), ("target", plan.target)):
        bands = space_bands(mixture.space)
        if not is_picture(bands) or bands.number != 3:
            found = "a gray one" if is_picture(bands) else f"a cube of {bands.number} bands"
            raise DataError(
                f"{path}: a table holds red, green, blue only; expected a {side} picture in "
                f"colour, found {found}; use `gwtransfer apply`"
            )


def _check_fixed(plan: TransportPlan, stage: MapStage, recipe: Recipe) -> None:
    """Refuse a map that gives a colour another image at another place."""
    probe = lattice(5)
    twice = _image(np.concatenate([probe, probe]), plan, stage, recipe)
    if not np.array_equal(twice[: len(probe)], twice[len(probe) :]):
        raise DataError(
            f"--map {recipe.name('map')} maps one colour differently from pixel to pixel, which "
            "no table of colours holds; use --map mean"
        )


def _image(colours: Array, plan: TransportPlan, stage: MapStage, recipe: Recipe) -> Array:
    """Return what `apply` makes of colours (n, 3)."""
    raster = array_raster(colours[:, None, :], name="the table", kind="picture")
    image = apply_plan(raster, plan, stage, strength=recipe.strength, keep=recipe.keep)
    return np.concatenate([block.points for block in image.blocks()]).astype(np.float64)


def _like(mixture: GaussianMixture) -> Array:
    """Return colours (PROBES, 3) in [0, 1] drawn from a mixture; the same ones each time."""
    rng = np.random.default_rng([mixture.seed, 2])
    component = rng.choice(mixture.count, PROBES, p=mixture.weights / mixture.weights.sum())
    values, vectors = np.linalg.eigh(mixture.covariances)
    roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    steps = np.einsum("nij,nj->ni", roots[component], rng.normal(size=(PROBES, roots.shape[1])))
    points = mixture.space.to_raw(mixture.means[component] + steps)
    return np.clip(from_coordinates(points, mixture.space.coordinates), 0.0, 1.0)


def _title(provenance: dict[str, Any]) -> str:
    """Return what a plan does, from the names of the files it was made of."""
    names = [
        str(provenance.get(side, {}).get("input", {}).get("name", side))
        for side in ("source", "target")
    ]
    return f"{names[0]} in the colours of {names[1]}"
