"""The map: `mean` beside its two bare products, `rand` beside `mean`, single beside double."""

import argparse
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rows import Row, paired, show
from scenes import missing, required, scene
from threadpoolctl import threadpool_limits

from gwtransfer.core import ahead
from gwtransfer.core.colorspace import from_coordinates, to_coordinates
from gwtransfer.core.columns import Columns
from gwtransfer.core.maps import MeanMap
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import TransportPlan
from gwtransfer.jobs import fit_opened, plan_between
from gwtransfer.map.mean import Mean
from gwtransfer.map.rand import Rand
from gwtransfer.recipe import Recipe
from gwtransfer.transport import apply_plan

Floats = NDArray[np.floating]

GROUP = "map"
BLOCK = 2048
POINTS = {200: 65_536, 32: 131_072}
"""Pixels mapped, where there are many axes; else MANY."""

MANY = 262_144


def planned(source: str, target: str, variance: float) -> tuple[Raster, TransportPlan]:
    """Return a source and the default plan of it and a palette."""
    recipe = Recipe(options={"prepare": {"variance": variance}})
    raster, palette = scene(source), scene(target)
    assert isinstance(raster, Raster)
    plan = plan_between(fit_opened(raster, recipe), fit_opened(palette, recipe), recipe)
    return raster, plan


def pixels(raster: Raster, plan: TransportPlan) -> Floats:
    """Return the valid pixels as the map gets them, as doubles."""
    block = raster.block(0, raster.rows)
    values = block.points[block.valid].astype(np.float64)
    return to_coordinates(values, plan.source.space.coordinates)


def repeated(points: Floats, count: int, dtype: type[np.floating]) -> Floats:
    """Return so many points of a type, the same ones again where there are not enough."""
    times = -(-count // len(points))
    return np.tile(points, (times, 1))[:count].astype(dtype)


def speed_rows(
    name: str, raster: Raster, plan: TransportPlan, at_most: float | None
) -> Iterator[Row]:
    """Yield the costs of a plan's maps in single and in double precision, on one thread."""
    p = plan.source.dimension
    size = f"{p} axes of {raster.bands} bands ({name})"
    for precision, dtype in (("single", np.float32), ("double", np.float64)):
        points = repeated(pixels(raster, plan), POINTS.get(p, MANY), dtype)
        mean: MeanMap = Mean(precision=precision)(plan)
        rand = Rand(precision=precision)(plan)
        whitening, _, linear = mean.arrays
        whitening, linear = (np.ascontiguousarray(m[:, :-1]) for m in (whitening, linear))
        columns = Columns(plan.source.space, mean.dtype)
        block = np.ascontiguousarray(columns.of(points[:BLOCK])[:-1])

        def bare(whitening: Floats, linear: Floats, block: Floats, count: int) -> None:
            for _ in range(0, count, BLOCK):
                whitening @ block
                linear @ block

        with threadpool_limits(1):
            own, products, drawn = paired(
                partial(mean, points),
                partial(bare, whitening, linear, block, len(points)),
                partial(rand, points),
            )
        nanoseconds = 1e9 / len(points)
        yield Row(
            group=GROUP, name=f"mean over its two bare products, {precision}, {size}",
            value=own / products, unit="×", at_most=at_most,
            limit=f"the products: {products * nanoseconds:.0f} ns a pixel",
            note=f"{own * nanoseconds:.0f} ns a pixel, one thread",
        )  # fmt: skip
        yield Row(
            group=GROUP, name=f"rand over mean, {precision}, {size}", value=drawn / own, unit="×",
            at_most=2.0, note=f"{drawn * nanoseconds:.0f} ns a pixel",
        )  # fmt: skip


def error_row(name: str, raster: Raster, plan: TransportPlan) -> Row:
    """Return how far the program's image is from one made in doubles, in steps of 16 bits."""
    points = pixels(raster, plan)
    doubled = Mean(precision="double")(plan)(points).astype(np.float64)
    expected = np.clip(from_coordinates(doubled, plan.target.space.coordinates), 0, 1)
    blocks = apply_plan(raster, plan, Mean(), smooth=0.0).blocks()
    image = np.concatenate([block.points[block.valid] for block in blocks])
    far = float(np.abs(image - expected).max())
    return Row(
        group=GROUP, name=f"single beside double, {plan.source.dimension} axes ({name})",
        value=far * 65535, unit="of 1/65535", at_most=1.0, note=f"of {len(points)} pixels the most",
    )  # fmt: skip


def whole_row(name: str, raster: Raster, plan: TransportPlan) -> Row:
    """Return what a whole image takes, the making of its map included."""

    def whole() -> None:
        for _ in apply_plan(raster, plan, Mean()).blocks():
            pass

    (taken,) = paired(whole, runs=3)
    return Row(
        group=GROUP, name=f"a whole image, {plan.source.dimension} axes ({name})", value=taken,
        unit="s", note=f"{raster.rows} × {raster.columns}, map, clean-up and their making",
    )  # fmt: skip


def cores_row(raster: Raster, plan: TransportPlan) -> Row:
    """Return what the second core brings to a whole image."""
    workers = ahead.WORKERS

    def whole(count: int) -> None:
        ahead.WORKERS = count
        for _ in apply_plan(raster, plan, Mean()).blocks():
            pass

    with threadpool_limits(1):
        one, two = paired(partial(whole, 1), partial(whole, 2))
    ahead.WORKERS = workers
    return Row(
        group=GROUP, name="one thread over two, the whole image with its clean-up", value=one / two,
        unit="×", limit="2", note=f"{two:.2f} s, {raster.rows} × {raster.columns}",
    )  # fmt: skip


def rows() -> Iterator[Row]:
    """Yield the figures of the map."""
    required()
    cases = [
        ("indian-pines", 1.0, 2.0),
        ("indian-pines", 0.999, None),
        ("synthetic15", 1.0, 4.0),
        ("ocean-day", 1.0, None),
    ]
    for name, variance, at_most in cases:
        target = "ocean-sunset" if name == "ocean-day" else "gauguin"
        raster, plan = planned(name, target, variance)
        yield from speed_rows(name, raster, plan, at_most)
        yield error_row(name, raster, plan)
        yield whole_row(name, raster, plan)
        if name == "synthetic15":
            yield cores_row(raster, plan)


def main() -> None:
    """Print the rows."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    for row in rows():
        show(row)


if __name__ == "__main__":
    main()
