"""The block kernels by PyTorch beside numpy: a map and a pass of a fit, and how far they agree.

On a GPU where PyTorch finds one; elsewhere on the processor, which shows that they are right and
not that they are fast.
"""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import scenes
from rows import Row, paired, show

from gwtransfer import jobs
from gwtransfer.adapters import torch as adapter
from gwtransfer.core.colorspace import to_coordinates
from gwtransfer.core.densities import Densities
from gwtransfer.core.device import Device
from gwtransfer.core.em import Statistics, statistics
from gwtransfer.core.maps import MeanMap, mean_map
from gwtransfer.core.raster import Raster
from gwtransfer.core.trial import STEP, tried
from gwtransfer.core.types import GaussianMixture
from gwtransfer.errors import MissingError
from gwtransfer.recipe import Recipe

PAIRS = (("synthetic15", "gauguin"), ("indian-pines", "gauguin"), ("ocean-day", "ocean-sunset"))

ROUNDING = 1e-9
"""What two ways of adding up doubles may differ by, relative."""


def rows() -> Iterator[Row]:
    """Measure each pair of scenes.

    Raises
    ------
    MissingError
        PyTorch or array-api-compat is not installed.
    """
    device, name = _device()
    for source, target in PAIRS:
        raster, mixture, mapping = _fitted(source, target)
        block = raster.block(0, raster.rows)
        points = to_coordinates(block.points[block.valid], mixture.space.coordinates)
        size = f"{source}, {len(points):,} × {raster.bands}, K = {mixture.count}"
        yield from _map_rows(mapping, points.astype(np.float32), device, f"{size}, {name}")
        working = mixture.space.to_working(points)
        densities = Densities.of(mixture.weights, mixture.means, mixture.covariances)
        yield from _pass_rows(working, densities, device, f"{size}, {name}")


def _device() -> tuple[Device, str]:
    try:
        return adapter.device("cuda"), "torch on a GPU"
    except MissingError:
        if not all(map(find_spec, ("torch", "array_api_compat"))):
            raise
        return adapter.Torch("cpu"), "torch on the processor"


def _fitted(source: str, target: str) -> tuple[Raster, GaussianMixture, MeanMap]:
    recipe = Recipe()
    raster, palette = scenes.scene(source), scenes.scene(target)
    assert isinstance(raster, Raster)
    fits = [jobs.fit_opened(item, recipe) for item in (raster, palette)]
    plan = jobs.plan_between(*fits, recipe)
    return raster, fits[0], mean_map(plan, gain_cap=5.0, dtype=np.float32)


def _map_rows(mapping: MeanMap, points: np.ndarray, device: Device, what: str) -> Iterator[Row]:
    exact = replace(mapping, dtype=np.dtype(np.float64))(points)
    placed = tried(replace(mapping, device=device))
    span = float(np.ptp(exact, axis=0).max())
    here, there = (float(np.abs(one(points) - exact).max()) / span for one in (mapping, placed))
    yield Row(
        group="device", name=f"mean, error: {what}", value=there, unit="of the range",
        at_most=STEP, note=f"numpy's single floats: {here:.1e}",
    )  # fmt: skip
    numpy, torch = paired(lambda: mapping(points), lambda: placed(points))
    yield Row(
        group="device", name=f"mean, torch over numpy: {what}", value=torch / numpy, unit="×",
        limit=f"numpy {numpy * 1e3:.0f} ms", note=f"{torch * 1e3:.0f} ms, copies included",
    )  # fmt: skip


def _pass_rows(
    points: np.ndarray, densities: Densities, device: Device, what: str
) -> Iterator[Row]:
    exact = statistics(points, None, densities)
    found = statistics(points, None, densities, device)
    yield Row(
        group="device", name=f"a pass of the fit, error: {what}", value=_off(found, exact),
        unit="relative", at_most=ROUNDING,
    )  # fmt: skip
    numpy, torch = paired(
        lambda: statistics(points, None, densities),
        lambda: statistics(points, None, densities, device),
    )
    yield Row(
        group="device", name=f"a pass of the fit, torch over numpy: {what}", value=torch / numpy,
        unit="×", limit=f"numpy {numpy * 1e3:.0f} ms",
        note=f"{torch * 1e3:.0f} ms, double, copies included",
    )  # fmt: skip


def _off(found: Statistics, exact: Statistics) -> float:
    """Return the largest difference of the sums and of the log-likelihood, relative."""
    sums = np.abs(found.sums - exact.sums).max() / np.abs(exact.sums).max()
    likelihood = abs(found.log_likelihood / exact.log_likelihood - 1)
    return float(max(sums, likelihood))


def main() -> None:
    """Print the rows."""
    for row in rows():
        show(row)


if __name__ == "__main__":
    main()
