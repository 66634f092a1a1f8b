"""One large cube fitted and mapped by this process, by one worker of a Dask cluster and by two.

A scheduler and workers of one thread each run on this machine, in processes of their own, so two
workers can be twice as fast as one only where two cores are free. One pass over the pixels and one
map of all of them are timed, their results compared bit by bit, and what goes over the wire is
counted.
"""

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import numpy as np
from rows import Row, paired, seconds, show

from gwtransfer import jobs
from gwtransfer.adapters.cluster import workers_of
from gwtransfer.core.densities import Densities
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan, Whole
from gwtransfer.opening import Opening
from gwtransfer.recipe import Recipe
from gwtransfer.spreading import MAPPED, SUMMED, Spread, spread_over
from gwtransfer.transport import apply_plan

GROUP = "distributed"
SIDE, BANDS = 2048, 15
MAPPED_ROWS = 1024
PASSES = 2
RUNS = 3
TASKS = 1000


def rows() -> Iterator[Row]:
    """Measure passes, maps, their agreement, and what each costs beside the work itself."""
    try:
        from distributed.deploy.subprocess import SubprocessCluster
    except ImportError:
        print("skipped: distributed: needs the extra dask")
        return
    start = partial(
        SubprocessCluster,
        threads_per_worker=1,
        worker_class="distributed.Worker",
        dashboard_address=None,
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        addresses = [
            stack.enter_context(start(n_workers=count)).scheduler_address for count in (1, 2)
        ]
        path = Path(folder) / "cube.npy"
        _write_cube(path)
        yield from _fitted(path, addresses)
        yield from _mapped(path, addresses)
        yield from _empty(path.parent, addresses[1])


def _write_cube(path: Path) -> None:
    """Write a cube (SIDE, SIDE, BANDS) of a few materials mixed smoothly, with noise."""
    rng = np.random.default_rng(5)
    materials = rng.random((6, BANDS)).cumsum(axis=1) / BANDS
    places = rng.random((6, 2))
    cube = np.lib.format.open_memmap(path, "w+", np.float32, (SIDE, SIDE, BANDS))
    across = np.linspace(0, 1, SIDE)
    for row in range(SIDE):
        far = (across[:, None] - places[:, 0]) ** 2 + (row / SIDE - places[:, 1]) ** 2
        shares = np.exp(-20 * far)
        shares /= shares.sum(axis=1, keepdims=True)
        cube[row] = shares @ materials + rng.normal(scale=0.01, size=(SIDE, BANDS))
    cube.flush()


def _opened(path: Path) -> Raster:
    (item,) = Opening()(path)
    assert isinstance(item, Raster)
    return item


def _fitted(path: Path, addresses: list[str]) -> Iterator[Row]:
    recipe = Recipe(options={"prepare": {"variance": 1.0}, "fit": {"passes": PASSES}})
    item = _opened(path)
    stage = recipe.build("prepare", auto="color")
    with ExitStack() as stack:
        one, two = _spreads(stack, path, addresses)
        here = stage(item, seed=0).whole
        spread = [spread.prepare(stage)(item, seed=0).whole for spread in (one, two)]
        whole: list[Whole] = [one for one in (here, *spread) if one is not None]
        local = jobs.fit_opened(item, recipe)
        far = jobs.fit_opened(item, recipe, two)
        densities = Densities.of(local.weights, local.means, local.covariances)
        sent, back = _size(densities), _size(here.statistics(densities))
        what = (
            f"pass over {item.pixels / 1e6:.1f} Mpixel × {BANDS}, K = {local.count}, "
            f"in {len(two.grouped(item.ranges(), SUMMED))} tasks"
        )
        calls = [partial(each.statistics, densities) for each in whole]
        yield from _scaling(what, calls, addresses)
    yield Row(
        group=GROUP, name=f"fit with {PASSES} passes, two workers, largest difference",
        value=_difference(local, far), unit="", at_most=1e-9, note="relative to the largest entry",
    )  # fmt: skip
    yield Row(
        group=GROUP, name="sent to each worker a pass", value=sent / 1e6, unit="MB",
        limit=f"densities of p = {densities.dimension}, K = {densities.count}",
    )  # fmt: skip
    yield Row(
        group=GROUP, name="returned by each task of a pass", value=back / 1e6, unit="MB",
        limit="F · K doubles",
    )  # fmt: skip


def _mapped(path: Path, addresses: list[str]) -> Iterator[Row]:
    top = path.with_name("top.npy")
    np.save(top, np.load(path, mmap_mode="r")[:MAPPED_ROWS])
    item = _opened(top)
    plan = _plan(item)
    stage = Recipe().build("map")
    with ExitStack() as stack:
        one, two = _spreads(stack, top, addresses)
        images = [apply_plan(item, plan, stage)]
        images += [spread.apply_plan(item, plan, stage) for spread in (one, two)]
        what = (
            f"map of {item.pixels / 1e6:.1f} Mpixel × {BANDS} to 3 bands, "
            f"in {len(two.grouped(images[0].ranges(), MAPPED))} tasks"
        )
        yield from _scaling(what, [partial(_read, image) for image in images], addresses)
        pairs = zip(images[0].blocks(), images[2].blocks(), strict=True)
        difference = max(float(np.abs(a.points - b.points).max()) for a, b in pairs)
        block = images[0].block(0, images[0].block_rows())
    yield Row(
        group=GROUP, name="map, two workers, largest difference", value=difference, unit="",
        at_most=1e-9,
    )  # fmt: skip
    yield Row(
        group=GROUP, name="returned for each Mpixel of the map",
        value=block.points.nbytes / len(block.points), unit="MB",
    )  # fmt: skip


def _empty(folder: Path, address: str) -> Iterator[Row]:
    """Time tasks that do nothing."""
    import distributed

    with (
        workers_of(address, must_see=folder, in_order=True) as pool,
        closing(distributed.Client(address, set_as_default=False)) as watching,
    ):
        clocks = [time.process_time, partial(watching.run_on_scheduler, time.process_time)]
        before = [clock() for clock in clocks]
        taken = seconds(lambda: list(pool.each(abs, range(TASKS))))
        client, scheduler = (clock() - begun for clock, begun in zip(clocks, before, strict=True))
    for who, spent in (("scheduler", scheduler), ("client", client)):
        yield Row(
            group=GROUP, name=f"a task that does nothing, CPU time of the {who}",
            value=1000 * spent / TASKS, unit="ms",
            limit=f"{1000 * taken / TASKS:.2g} ms of wall time with two workers on these cores",
        )  # fmt: skip


def _spreads(stack: ExitStack, path: Path, addresses: list[str]) -> list[Spread]:
    spreads = [
        stack.enter_context(spread_over(address, path, Opening(), None)) for address in addresses
    ]
    return [spread for spread in spreads if spread is not None]


def _plan(item: Raster) -> TransportPlan:
    rng = np.random.default_rng(1)
    colours = rng.random((5, 3))[rng.integers(5, size=(64, 64))]
    colours = np.clip(colours + rng.normal(scale=0.05, size=colours.shape), 0, 1)
    with tempfile.TemporaryDirectory() as folder:
        palette = Path(folder) / "palette.npy"
        np.save(palette, colours.astype(np.float32))
        target = jobs.fit_opened(_opened(palette), Recipe())
    return jobs.plan_between(jobs.fit_opened(item, Recipe()), target, Recipe())


def _read(image: Raster) -> None:
    for _ in image.blocks():
        pass


def _size(what: object) -> int:
    return len(pickle.dumps(what, protocol=5))


def _difference(one: GaussianMixture, other: GaussianMixture) -> float:
    """Return the largest difference of weights, means or covariances, relative to their largest."""
    pairs = [
        (getattr(one, name), getattr(other, name)) for name in ("weights", "means", "covariances")
    ]
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)


def _scaling(
    what: str, calls: Sequence[Callable[[], object]], addresses: Sequence[str]
) -> Iterator[Row]:
    """Compare this process, one worker and two, by the clock and by what workers compute."""
    here, one, two = paired(*calls, runs=RUNS)
    busiest = [_busiest(call, address) for call, address in zip(calls[1:], addresses, strict=True)]
    yield Row(
        group=GROUP, name=f"{what}, two workers", value=two, unit="s",
        limit=f"this process, on all cores, {here:.2f} s; one worker {one:.2f} s",
    )  # fmt: skip
    yield Row(
        group=GROUP, name=f"{what}, one worker / two, wall time", value=one / two, unit="×",
        note="2 where two cores are free",
    )  # fmt: skip
    yield Row(
        group=GROUP, name=f"{what}, one worker / the busier of two, CPU time",
        value=busiest[0] / busiest[1], unit="×",
        limit=f"{busiest[0]:.2f} s and {busiest[1]:.2f} s; other work on these cores hardly counts",
    )  # fmt: skip


def _busiest(call: Callable[[], object], address: str) -> float:
    """Return the CPU seconds of the worker that has most to do, the median of RUNS calls."""
    import distributed

    with closing(distributed.Client(address, set_as_default=False)) as client:
        spent = []
        for _ in range(RUNS):
            before = client.run(time.process_time)
            call()
            after = client.run(time.process_time)
            spent.append(max(after[worker] - before[worker] for worker in before))
    return statistics.median(spent)


def main() -> None:
    """Print the rows."""
    for row in rows():
        show(row)


if __name__ == "__main__":
    main()
